"""The tally: what is due when, what a failed write leaves, and every bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from radius.intake import Drop, Port, Work
from radius.peers import Peer
from radius.tally import FRESH_MAX, FRESH_OF_SOURCE_MAX, IDENTIFIER_MAX, KEYS_MAX, OK_EVERY, Tally, claimed_identifier
from radius.wire import parse
from store.arrivals import ARRIVALS_MAX, Arrival
from tests.radius.test_intake import NAS, SECRET, SOURCE
from tests.support.packets import access_request

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PEER = Peer(NAS)
PACKET = access_request(SECRET)
STRANGE = Drop("unknown_client")


def ok(tally: Tally, at: datetime, *, source: str = SOURCE[0], peer: Peer = PEER) -> None:
    tally.admitted(Port.AUTH, [Work(parse(PACKET), peer, (source, 1), 0.0)], at)


def write(tally: Tally, at: datetime) -> list[Arrival]:
    due = tally.due(at)
    tally.written(at)
    return due


def test_a_working_nas_is_due_at_once_and_then_in_sums() -> None:
    tally = Tally()
    ok(tally, NOON)
    assert [each.packets for each in write(tally, NOON)] == [1]
    for number in range(1, 29):
        ok(tally, NOON + number * SECOND)
        assert write(tally, NOON + number * SECOND) == []
    (later,) = write(tally, NOON + OK_EVERY)
    assert (later.packets, later.first_at, later.last_at) == (28, NOON + SECOND, NOON + 28 * SECOND)
    assert write(tally, NOON + 2 * OK_EVERY) == []  # it has been silent since


def test_a_nas_in_anothers_place_is_due_at_once() -> None:
    tally = Tally()
    ok(tally, NOON)
    write(tally, NOON)
    ok(tally, NOON + SECOND, peer=Peer(replace(NAS, id=NAS.id + 1)))
    assert [each.nas_id for each in write(tally, NOON + SECOND)] == [NAS.id + 1]


def test_what_is_wrong_is_due_every_time_and_a_failed_write_loses_nothing() -> None:
    tally, drop = Tally(), Drop("bad_message_authenticator", PEER)
    for number in range(3):
        at = NOON + number * SECOND
        tally.dropped(Port.ACCT, PACKET, SOURCE, drop, at)
        assert len(tally.due(at)) == 1  # and the database is away
    (written,) = write(tally, at)
    assert written == Arrival("192.0.2.1", "acct", "gw-1", "bad_message_authenticator", 1, 3, NOON, at)
    assert write(tally, at) == []


def test_a_retransmission_is_nobodys_fault() -> None:
    tally = Tally()
    tally.dropped(Port.AUTH, PACKET, SOURCE, Drop("still_working", PEER), NOON)
    assert write(tally, NOON) == [] and tally.take_untold() == 0


def test_a_loud_stranger_hides_no_quiet_one() -> None:
    tally = Tally()
    for _ in range(1_000):
        tally.dropped(Port.AUTH, PACKET, ("198.51.100.1", 1), STRANGE, NOON)
    tally.dropped(Port.AUTH, PACKET, ("::ffff:198.51.100.2", 1), STRANGE, NOON)
    assert {each.source: each.packets for each in write(tally, NOON)} == {
        "198.51.100.1": FRESH_OF_SOURCE_MAX,
        "198.51.100.2": 1,
    }
    assert tally.take_untold() == 1_000 - FRESH_OF_SOURCE_MAX


@pytest.mark.parametrize("drop", [STRANGE, Drop("bad_authenticator", PEER)], ids=["strangers", "in a NAS's network"])
def test_a_flood_is_bounded_by_the_second_and_while_nothing_can_be_written(drop: Drop) -> None:
    tally = Tally()
    for second in range(100):
        for number in range(100):
            tally.dropped(Port.AUTH, PACKET, (f"10.0.{second}.{number}", 1), drop, NOON + second * SECOND)
        assert len(tally.due(NOON)) <= ARRIVALS_MAX
        assert len(tally._seen) == min(KEYS_MAX, (second + 1) * FRESH_MAX)
    assert tally.take_untold() == 100 * 100 - KEYS_MAX
    for number in range(100):  # a known trouble is still counted
        tally.dropped(Port.AUTH, PACKET, ("10.0.0.1", 1), drop, NOON + number * SECOND)
    assert len(tally._seen) == KEYS_MAX


def test_trouble_is_written_before_good_news() -> None:
    tally = Tally()
    for number in range(ARRIVALS_MAX):
        ok(tally, NOON, peer=Peer(replace(NAS, id=number, nas_identifier=str(number))))
    tally.dropped(Port.AUTH, PACKET, SOURCE, Drop("proxy_state", PEER), NOON)
    first, rest = write(tally, NOON), write(tally, NOON + SECOND)
    assert (len(first), first[0].verdict, len(rest)) == (ARRIVALS_MAX, "proxy_state", 1)


LOST = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("claimed", "said"),
    [
        (b"gw-1", "gw-1"),
        ("Café".encode(), "Café"),
        (b"", ""),
        (b"a\n\x1b\x00\xffb", f"a{LOST * 4}b"),
        ("\u202eabc".encode(), f"{LOST}abc"),
        (b"x" * 200, "x" * IDENTIFIER_MAX),
    ],
)
def test_a_claimed_identifier_is_fit_to_be_stored_and_shown(claimed: bytes, said: str) -> None:
    assert claimed_identifier(access_request(SECRET, (32, claimed))) == said


def test_a_packet_may_claim_nothing() -> None:
    assert claimed_identifier(access_request(SECRET)) == claimed_identifier(b"noise") == ""
