"""Which of the ports that we are about to need are taken: said before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.model import CityConfig, Installation

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


MAILBOX_SMTP, MAILBOX_WEB = "127.0.0.1:2525", "127.0.0.1:8025"
"""Where the demo's mail server and SMS gateway stand; the shipped cities' files send there."""


@dataclass(frozen=True, slots=True)
class Needed:
    """One port and who wants it."""

    kind: socket.SocketKind
    host: str
    port: int
    owner: str

    def __str__(self) -> str:
        return f"{'TCP' if self.kind == TCP else 'UDP'} {self.host}:{self.port} ({self.owner})"


def needed_by_services(installation: Installation, cities: Iterable[CityConfig]) -> Iterator[Needed]:
    """The listeners of portal, RADIUS and monitor."""
    listens = {
        "portal.listen": installation.portal.listen,
        "portal.metrics_listen": installation.portal.metrics_listen,
        "radius.metrics_listen": installation.radius.metrics_listen,
        "monitor.metrics_listen": installation.monitor.metrics_listen,
    }
    for owner, listen in listens.items():
        host, _, port = listen.rpartition(":")
        yield Needed(TCP, host.strip("[]"), int(port), owner)
    for city in cities:
        for name, port_ in (("auth_port", city.radius.auth_port), ("acct_port", city.radius.acct_port)):
            yield Needed(UDP, str(city.radius.listen), port_, f"{city.key}: radius.{name}")
        if city.monitor.trap_listen:
            host, _, port = city.monitor.trap_listen.rpartition(":")
            yield Needed(UDP, host.strip("[]"), int(port), f"{city.key}: monitor.trap_listen")


def needed_by_town(cities: Iterable[CityConfig]) -> Iterator[Needed]:
    """The listeners of the simulated NASes, access points and mailbox."""
    for listen in (MAILBOX_SMTP, MAILBOX_WEB):
        host, _, number = listen.rpartition(":")
        yield Needed(TCP, host, int(number), "the demo's mailbox")
    for city in cities:
        for nas in city.seed.nases[:1]:
            place = urlsplit(nas.login_url)
            yield Needed(TCP, place.hostname or "", place.port or 80, f"{city.key}: simulated NAS {nas.name}")
            yield Needed(UDP, str(nas.address), nas.coa_port, f"{city.key}: simulated NAS {nas.name}, CoA")
        for point in city.seed.access_points:
            yield Needed(UDP, str(point.address), point.port, f"{city.key}: simulated access point {point.name}")


def taken(wanted: Iterable[Needed]) -> Sequence[Needed]:
    """Those that cannot be bound now."""
    return [each for each in wanted if not _is_free(each)]


def _is_free(needed: Needed) -> bool:
    family = socket.AF_INET6 if ":" in needed.host else socket.AF_INET
    with socket.socket(family, needed.kind) as probe:
        if needed.kind == TCP:  # as the servers do: a connection in TIME_WAIT is no obstacle
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((needed.host, needed.port))
        except OSError:
            return False
    return True
