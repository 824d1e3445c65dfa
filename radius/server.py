"""The shell: one city's sockets, drained into batches on one thread. No policy and no octet is known here.

While a batch commits, packets wait in the kernel; the next turn takes them all. So a batch grows with the load, and
the commit's cost is shared by as many as came.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hotspot.errors import ConfigError
from radius import wire
from radius.account import Accountant
from radius.authorize import Authorizer, RandomOctets, Reply
from radius.disconnect import Disconnector
from radius.intake import Drop, Intake, Port, Resend, Work
from radius.metrics import RadiusMetrics
from radius.peers import REFRESH_SECONDS, SECRET_LENGTH_ADVISED, Peers
from radius.wire import Code
from service.cities import City
from store import fleet, self_test, sessions
from store.store import Unavailable

log = logging.getLogger(__name__)

BATCH_MAX = 256
"""Packets that one transaction answers."""

RECEIVE_BUFFER_BYTES = 4 << 20
"""The kernel's default of 208 kB kept 166 packets of a burst of 5,000 (RADIUS.md)."""

YIELD_SECONDS = 0.002
"""Least time from a commit to the next write: the portal's writers get their turn in it. It is not lost: replies are
sent in it, and the next batch is received, judged and gathered."""

TURN_SECONDS = 0.25
"""Longest wait for a packet; then the outbox and the list of clients are looked at."""

DRAIN_SECONDS = 5.0
"""How long a server that ends goes on with what the kernel holds for it: NASes under load keep sending."""

GAUGE_SECONDS = 5.0

COMPLAIN_SECONDS = 10.0
"""A lasting fault is logged this often, not for each packet."""

Clock = Callable[[], datetime]
Answer = Callable[[Sequence[Work], datetime], list[Reply]]


@dataclass(frozen=True)
class Door:
    """A socket with what judges and answers its packets."""

    socket: socket.socket
    intake: Intake
    answer: Answer


class CityServer(threading.Thread):
    """One city's RADIUS. `start()` it, `stop()` it, `join()` it; sockets are bound when the constructor returns."""

    def __init__(self, city: City, *, clock: Clock, random_octets: RandomOctets) -> None:
        super().__init__(name=f"radius-{city.key}", daemon=True)
        self._city = city
        self._clock = clock
        self._metrics = RadiusMetrics(city.registry)
        self._peers = Peers()
        self._stopping = threading.Event()
        self._committed = 0.0
        self._due = {"peers": 0.0, "gauges": 0.0}
        self._complained: dict[str, float] = {}
        settings = city.config.radius
        auth = Authorizer(city, self._metrics, random_octets=random_octets)
        acct = Accountant(city, self._metrics)
        self._doors = [
            self._door(Port.AUTH, settings.auth_port, lambda works, now: auth.answer(works, now=now)),
            self._door(Port.ACCT, settings.acct_port, lambda works, now: acct.answer(works, now=now)),
        ]
        self._coa = _open_socket(str(settings.listen), 0)
        self._disconnector = Disconnector(city, self._metrics, send=lambda data, to: self._coa.sendto(data, to))

    def _door(self, port: Port, number: int, answer: Answer) -> Door:
        listen = str(self._city.config.radius.listen)
        return Door(_bind(self._city.key, listen, number), Intake(port, self._peers), answer)

    def stop(self) -> None:
        """Answer what has been received, then end."""
        self._stopping.set()

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (*(door.socket for door in self._doors), self._coa):
                selector.register(each, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select(TURN_SECONDS)
                self._turn()
            deadline = time.monotonic() + DRAIN_SECONDS
            while selector.select(0) and time.monotonic() < deadline:
                self._turn()
        for each in (*(door.socket for door in self._doors), self._coa):
            each.close()

    def _turn(self) -> None:
        try:
            self._errands()
            for door in self._doors:
                self._serve(door)
        except Unavailable as error:
            self._complain("the database is away: %s", str(error.__cause__ or error).splitlines()[0])
            time.sleep(TURN_SECONDS)
        except Exception:  # ours to mend; the city's RADIUS goes on
            self._complain("a fault in a turn", exc_info=True)
            time.sleep(TURN_SECONDS)

    # Packets ----------------------------------------------------------------------------------------

    def _serve(self, door: Door) -> None:
        works = self._receive(door, BATCH_MAX)
        if not works:
            return
        pause = self._committed + YIELD_SECONDS - time.monotonic()
        if pause > 0:
            time.sleep(pause)
            works += self._receive(door, BATCH_MAX - len(works))
        port = door.intake.port.value
        pings = [work for work in works if work.packet.code == Code.STATUS_SERVER]
        asked = [work for work in works if work.packet.code != Code.STATUS_SERVER] if pings else works
        try:
            replies = door.answer(asked, self._clock())
        except Exception as error:
            reason = "database" if isinstance(error, Unavailable) else "fault"
            for work in works:  # no reply: the NAS retries, and then it is new work
                door.intake.forget(work)
                self._metrics.dropped.labels(port, reason).inc()
            raise
        self._committed = time.monotonic()
        replies += [(work, _alive(work, door.intake.port)) for work in pings]
        self._reply(door, works, replies)
        self._metrics.batch.labels(port).observe(len(works))

    def _receive(self, door: Door, most: int) -> list[Work]:
        works: list[Work] = []
        port = door.intake.port.value
        for _ in range(most):  # bounded by datagrams, so that a flood of bad ones cannot keep us here
            try:
                datagram, source = door.socket.recvfrom(wire.PACKET_BYTES_MAX + 1)
            except BlockingIOError:
                break
            except OSError:  # an ICMP error of an earlier reply
                continue
            match door.intake.admit(datagram, source[:2], time.monotonic()):
                case Work() as work:
                    works.append(work)
                case Resend(reply):
                    self._metrics.duplicates.labels(port).inc()
                    _send(door.socket, reply, source)
                case Drop(reason, peer):
                    self._metrics.dropped.labels(port, reason).inc()
                    if (peer is not None and reason.startswith("bad_")) or reason == "no_message_authenticator":
                        self._complain("NAS %s: %s; wrong secret or setting?", peer.nas.name if peer else "?", reason)
        return works

    def _reply(self, door: Door, works: Sequence[Work], replies: Sequence[Reply]) -> None:
        now = time.monotonic()
        observe, finish = self._metrics.latency.labels(door.intake.port.value).observe, door.intake.finish
        for work, reply in replies:
            finish(work, reply, now)
            _send(door.socket, reply, work.source)
            observe(now - work.received)
        if len(replies) < len(works):
            answered = {id(work) for work, _ in replies}
            for work in works:
                if id(work) not in answered:
                    door.intake.forget(work)

    # Errands ----------------------------------------------------------------------------------------

    def _errands(self) -> None:
        now = time.monotonic()
        if now >= self._due["peers"]:
            self._due["peers"] = now + REFRESH_SECONDS
            self._refresh_peers()
            self._disconnector.step(now=self._clock())
        if now >= self._due["gauges"]:
            self._due["gauges"] = now + GAUGE_SECONDS
            self._refresh_gauges()
        self._hear_disconnects()

    def _refresh_peers(self) -> None:
        with self._city.store.read() as conn:
            nases = fleet.nases(conn, self._city.store.keys)
            peers = [*nases, *self_test.clients(conn, self._city.store.keys)]
        if len(peers) != len(self._peers):
            for nas in nases:
                if len(nas.secret) < SECRET_LENGTH_ADVISED:
                    log.warning("%s: NAS %s has a secret of under 12 characters", self._city.key, nas.name)
        self._peers.replace(peers)
        self._metrics.clients.set(len(nases))

    def _refresh_gauges(self) -> None:
        with self._city.store.read() as conn:
            self._metrics.sessions.set(sessions.count_live(conn))
        for door in self._doors:
            port = door.intake.port.value
            self._metrics.cached.labels(port).set(len(door.intake))
            self._metrics.evicted.labels(port).inc(door.intake.take_evicted())

    def _hear_disconnects(self) -> None:
        for _ in range(BATCH_MAX):
            try:
                datagram, source = self._coa.recvfrom(wire.PACKET_BYTES_MAX + 1)
            except BlockingIOError:
                return
            except OSError:
                continue
            self._disconnector.heard(datagram, source[:2], now=self._clock())

    def _complain(self, message: str, *args: object, exc_info: bool = False) -> None:
        now = time.monotonic()
        last = self._complained.get(message)  # of its kind: a noisy NAS must not hide a fault
        if last is None or now >= last + COMPLAIN_SECONDS:
            self._complained[message] = now
            log.error(f"{self._city.key}: {message}", *args, exc_info=exc_info)


def _alive(work: Work, port: Port) -> bytes:
    """The answer to a Status-Server (RFC 5997 section 3)."""
    code = Code.ACCESS_ACCEPT if port is Port.AUTH else Code.ACCOUNTING_RESPONSE
    return wire.encode_reply(work.packet, code, [], work.peer.secret)


def _open_socket(listen: str, port: int) -> socket.socket:
    """A socket of its own: without SO_REUSEADDR a second daemon on the port is refused."""
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    try:
        opened.bind((listen, port))
    except OSError:
        opened.close()
        raise
    return opened


def _bind(key: str, listen: str, port: int) -> socket.socket:
    try:
        return _open_socket(listen, port)
    except OSError as error:
        raise ConfigError(
            f"{key}: cannot listen on UDP {listen}:{port} ({error.strerror}); does another RADIUS server run there?"
        ) from None


def _send(through: socket.socket, datagram: bytes, to: tuple[object, ...]) -> None:
    try:
        through.sendto(datagram, to)
    except OSError:  # the NAS asks again; UDP promises nothing
        log.debug("a reply could not be sent")
