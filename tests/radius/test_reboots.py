"""What the simulation and the fuzzer found (docs/testing.md): NASes that reboot, counters that cannot be."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from hotspot.values import MacAddress
from radius import wire
from radius.account import Accountant
from radius.intake import Work
from radius.metrics import RadiusMetrics
from radius.peers import Peer
from radius.wire import Attr, Code, StatusType
from service.cities import City
from store import accounting, nases
from store.accounting import Session

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA, BERND = MacAddress(b"\x02\0\0\0\0\1"), MacAddress(b"\x02\0\0\0\0\2")


class Nas:
    """The city's first NAS, and its records."""

    def __init__(self, city: City) -> None:
        self._city = city
        with city.store.read() as conn:
            self._peer = Peer(nases.nases(conn, city.store.keys)[0])
        self._accountant = Accountant(city, RadiusMetrics(city.registry))

    def record(self, kind: StatusType, *attributes: wire.Attribute) -> Work:
        every = [wire.integer(Attr.ACCT_STATUS_TYPE, kind), *attributes]
        body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in every)
        head = bytes((Code.ACCOUNTING_REQUEST, 1)) + (wire.HEADER_BYTES + len(body)).to_bytes(2, "big")
        return Work(wire.parse(head + os.urandom(16) + body), self._peer, ("127.0.0.1", 1), 0.0)

    def of(self, kind: StatusType, session: str, mac: MacAddress, *attributes: wire.Attribute) -> Work:
        named = (Attr.ACCT_SESSION_ID, session.encode()), (Attr.CALLING_STATION_ID, str(mac).encode())
        return self.record(kind, *named, *attributes)

    def deliver(self, *records: Work, seconds: float) -> int:
        """How many of them are acknowledged; they come in one batch, so many seconds after noon."""
        return len(self._accountant.answer(records, now=NOON + timedelta(seconds=seconds)))

    def session(self, name: str) -> Session:
        """The newest of that Acct-Session-Id."""
        with self._city.store.read() as conn:
            key = (self._peer.nas.id, name)
            return accounting.load_many(conn, [key])[key]


def test_a_reused_id_is_not_the_old_devices_session_any_more(city: City) -> None:
    """Both devices start in one batch after the reboot: Anna's Start must not end Bernd's session."""
    nas = Nas(city)
    nas.deliver(nas.of(StatusType.START, "1", ANNA), seconds=0)
    nas.deliver(nas.of(StatusType.START, "1", BERND), nas.of(StatusType.START, "2", ANNA), seconds=600)
    assert nas.session("1").totals.ended_at is None
    assert nas.session("2").totals.ended_at is None


def test_a_late_accounting_on_ends_only_what_was_before_it(city: City) -> None:
    nas = Nas(city)
    on = wire.integer(Attr.EVENT_TIMESTAMP, int((NOON + timedelta(seconds=100)).timestamp()))
    nas.deliver(nas.of(StatusType.START, "1", ANNA), seconds=0)
    nas.deliver(nas.of(StatusType.START, "2", BERND), seconds=110)
    assert nas.deliver(nas.record(StatusType.ON, on), seconds=130) == 1
    assert nas.session("1").totals.terminate_cause == "NAS-Reboot"
    assert nas.session("2").totals.ended_at is None


def test_an_accounting_on_without_a_time_ends_all(city: City) -> None:
    nas = Nas(city)
    nas.deliver(nas.of(StatusType.START, "1", ANNA), seconds=0)
    nas.deliver(nas.record(StatusType.ON), seconds=1)
    assert nas.session("1").totals.terminate_cause == "NAS-Reboot"


def test_counters_that_no_session_has_do_not_take_the_batch_with_them(city: City) -> None:
    nas = Nas(city)
    most = wire.integer(Attr.ACCT_INPUT_OCTETS, 0xFFFFFFFF), wire.integer(Attr.ACCT_INPUT_GIGAWORDS, 0xFFFFFFFF)
    impossible = nas.of(StatusType.INTERIM, "1", ANNA, *most)
    assert nas.deliver(impossible, nas.of(StatusType.START, "2", BERND), seconds=0) == 1
    assert nas.session("2").totals.start_seen
