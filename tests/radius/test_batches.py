"""Batches without sockets: decisions see the earlier ones of their batch; accounting survives loss and disorder."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from hotspot.access import Accept, Reason, decide_running
from hotspot.credentials import ticket_password
from hotspot.plan import Way
from hotspot.values import MacAddress, Octets
from radius import wire
from radius.account import Accountant
from radius.authorize import Authorizer
from radius.intake import Work
from radius.metrics import RadiusMetrics
from radius.peers import Peer
from radius.wire import Attr, Code, StatusType
from service.cities import City
from store import access, accounting, accounts, bulk, nases, sessions
from store.types import instant_of
from tests.radius.conftest import Issued, issue_ticket
from tests.support.rows import add_plan

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GIGA = 1 << 32
BATCH_SECONDS = 10.0
"""What comes within so long may be one batch, which counts as received when its last record came."""

LATE_SECONDS = 30.0
"""How late a record may come: a Start that comes again later than a minute is a NAS after a reboot."""


def mac_of(number: int) -> MacAddress:
    return MacAddress(bytes((2, 0, 0, 0, 0, number)))


def peer(city: City) -> Peer:
    with city.store.read() as conn:
        return Peer(nases.nases(conn, city.store.keys)[0])


def work(at: Peer, code: Code, attributes: list[wire.Attribute]) -> Work:
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    head = bytes((code, 1)) + (wire.HEADER_BYTES + len(body)).to_bytes(2, "big")
    return Work(wire.parse(head + os.urandom(16) + body), at, ("127.0.0.1", 1), 0.0)


def login(at: Peer, ticket: Issued, mac: MacAddress) -> Work:
    challenge = os.urandom(16)
    chap = b"\0" + wire._md5(b"\0" + ticket.password.encode() + challenge)
    return work(
        at,
        Code.ACCESS_REQUEST,
        [
            (Attr.USER_NAME, ticket.name.encode()),
            (Attr.CHAP_PASSWORD, chap),
            (Attr.CHAP_CHALLENGE, challenge),
            (Attr.CALLING_STATION_ID, str(mac).encode()),
        ],
    )


def authorizer(city: City) -> Authorizer:
    return Authorizer(city, RadiusMetrics(city.registry), random_octets=os.urandom)


def codes(replies: list[tuple[Work, bytes]]) -> list[int]:
    return [reply[0] for _, reply in replies]


@pytest.fixture
def voucher_id(city: City) -> int:
    """A voucher whose plan allows three devices at once."""
    with city.store.write() as conn:
        conn.execute(text("INSERT INTO staff (id, login, name, role, created_at) VALUES (1, 'd', 'd', 'desk', 0)"))
        conn.execute(
            text(
                "INSERT INTO voucher_batch (id, plan_id, label, valid_minutes, redeem_until, created_at, created_by)"
                " SELECT 1, id, 'b', 60, 0, 0, 1 FROM plan WHERE key = 'voucher'"
            )
        )
        conn.execute(text("INSERT INTO voucher (id, batch_id, code_hash, code_sealed) VALUES (1, 1, 'h', 's')"))
    return 1


def test_a_batch_admits_no_more_devices_than_the_voucher_allows(city: City, voucher_id: int) -> None:
    macs = [mac_of(number) for number in range(5)]
    tickets = [issue_ticket(city, mac, plan_key="voucher", voucher_id=voucher_id) for mac in macs]
    at, decide = peer(city), authorizer(city)
    now = datetime.now(UTC)
    replies = decide.answer([login(at, t, m) for t, m in zip(tickets, macs, strict=True)], now=now)
    assert codes(replies) == [2, 2, 2, 3, 3]
    later = now + timedelta(seconds=59)
    assert codes(decide.answer([login(at, tickets[4], macs[4])], now=later)) == [3]
    assert codes(decide.answer([login(at, tickets[0], macs[0])], now=later)) == [2]  # it is one of the three
    assert codes(decide.answer([login(at, tickets[4], macs[4])], now=later + timedelta(seconds=61))) == [2]


@pytest.fixture
def account_id(city: City) -> int:
    """An account; its plan allows two devices at once."""
    add_plan(city.store, Way.ACCOUNT, key="account", devices_max=2, remember_hours=24)
    with city.store.write() as conn:
        found = accounts.register(
            conn, city.store.keys, "a@example.org", password_hash="-", language="en", now=datetime.now(UTC)
        )
    assert found is not None
    return found


def test_a_batch_admits_no_more_devices_than_the_account_allows(city: City, account_id: int) -> None:
    """The third one reads why; a voucher of the same number is another holder."""
    macs = [mac_of(number) for number in range(3)]
    tickets = [issue_ticket(city, mac, plan_key="account", account_id=account_id, language="en") for mac in macs]
    at, decide, now = peer(city), authorizer(city), datetime.now(UTC)
    replies = decide.answer([login(at, t, m) for t, m in zip(tickets, macs, strict=True)], now=now)
    assert codes(replies) == [2, 2, 3]
    refused = replies[2][1]
    assert b"Your account is online on as many devices as it allows. " in refused and b"[account_in_use]" in refused
    later = now + timedelta(seconds=59)
    assert codes(decide.answer([login(at, tickets[2], macs[2])], now=later)) == [3]
    assert codes(decide.answer([login(at, tickets[0], macs[0])], now=later)) == [2]  # it is one of the two
    assert codes(decide.answer([login(at, tickets[2], macs[2])], now=later + timedelta(seconds=61))) == [2]


def test_a_voucher_and_an_account_of_the_same_number_are_two(city: City, account_id: int, voucher_id: int) -> None:
    assert account_id == voucher_id
    macs = [mac_of(number) for number in range(5)]
    tickets = [issue_ticket(city, mac, plan_key="voucher", voucher_id=voucher_id) for mac in macs[:3]]
    tickets += [issue_ticket(city, mac, plan_key="account", account_id=account_id) for mac in macs[3:]]
    at = peer(city)
    replies = authorizer(city).answer(
        [login(at, t, m) for t, m in zip(tickets, macs, strict=True)], now=datetime.now(UTC)
    )
    assert codes(replies) == [2] * 5


def test_a_batch_without_accounts_asks_nothing_about_them(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    send = bulk._send
    monkeypatch.setattr(bulk, "_send", lambda conn, text, arguments: sent.append(text) or send(conn, text, arguments))  # type: ignore[func-returns-value]
    ticket = issue_ticket(city, mac_of(1))
    assert codes(authorizer(city).answer([login(peer(city), ticket, mac_of(1))], now=datetime.now(UTC))) == [2]
    assert sent and not [each for each in sent if "AND g.account_id" in each or "AND g.voucher_id" in each]


def test_used_quotas_refuse(city: City) -> None:
    ticket, at, now = issue_ticket(city, mac_of(1)), peer(city), datetime.now(UTC)
    with city.store.write() as conn:
        day = now.astimezone(city.zone).date()
        accounting.add_usage(conn, {(ticket.device_id, day): (60, Octets(3_000_000_000, 0))})
    (reply,) = authorizer(city).answer([login(at, ticket, mac_of(1))], now=now)
    assert reply[1][0] == Code.ACCESS_REJECT and b"daily_volume_used" in reply[1]


def test_a_malformed_attribute_drops_its_request_alone(city: City) -> None:
    ticket, at = issue_ticket(city, mac_of(1)), peer(city)
    broken = work(at, Code.ACCESS_REQUEST, [(Attr.USER_NAME, b"\xff\xfe")])
    replies = authorizer(city).answer([broken, login(at, ticket, mac_of(1))], now=datetime.now(UTC))
    assert codes(replies) == [2]
    assert (
        city.registry.get_sample_value("kogge_radius_dropped_total", {"port": "auth", "reason": "bad_attribute"}) == 1
    )


# Accounting --------------------------------------------------------------------------------------------

Record = Callable[..., Work]


@pytest.fixture
def record(city: City) -> Record:
    at = peer(city)
    numbers = (Attr.ACCT_SESSION_TIME, Attr.ACCT_INPUT_OCTETS, Attr.ACCT_OUTPUT_OCTETS)

    def make(kind: StatusType, mac: MacAddress, name: str = "s-1", *, counts: tuple[int, int, int] = (0, 0, 0)) -> Work:
        """`counts`: seconds, octets to the device, octets from it (this NAS counts the client's view)."""
        attributes: list[wire.Attribute] = [wire.integer(Attr.ACCT_STATUS_TYPE, kind)]
        attributes += [(Attr.ACCT_SESSION_ID, name.encode()), (Attr.CALLING_STATION_ID, str(mac).encode())]
        attributes += [wire.integer(attr, value % GIGA) for attr, value in zip(numbers, counts, strict=True)]
        attributes += [
            wire.integer(Attr.ACCT_INPUT_GIGAWORDS, counts[1] // GIGA),
            wire.integer(Attr.ACCT_OUTPUT_GIGAWORDS, counts[2] // GIGA),
        ]
        return work(at, Code.ACCOUNTING_REQUEST, attributes)

    return make


def accountant(city: City) -> Accountant:
    return Accountant(city, RadiusMetrics(city.registry))


def test_a_whole_session_in_one_batch(city: City, record: Record) -> None:
    mac = mac_of(1)
    batch = [
        record(StatusType.START, mac),
        record(StatusType.INTERIM, mac, counts=(60, 5 * GIGA + 7, 11)),
        record(StatusType.STOP, mac, counts=(90, 6 * GIGA, 12)),
        record(StatusType.START, mac, "s-2"),
    ]
    assert len(accountant(city).answer(batch, now=NOON)) == 4
    with city.store.read() as conn:
        first, second = sessions.by_id(conn, 1), sessions.by_id(conn, 2)
        used = conn.execute(text("SELECT seconds, octets_down, octets_up FROM usage_daily")).all()
    assert first is not None and first.octets == Octets(6 * GIGA, 12) and not first.estimated
    assert second is not None and second.ended_at is None
    assert [tuple(row) for row in used] == [(90, 6 * GIGA, 12)]


def test_a_reused_session_id_is_another_session(city: City, record: Record) -> None:
    mac, books = mac_of(1), accountant(city)
    books.answer([record(StatusType.START, mac), record(StatusType.INTERIM, mac, counts=(600, 100, 100))], now=NOON)
    later = NOON + timedelta(hours=1)
    books.answer([record(StatusType.START, mac)], now=later)
    books.answer([record(StatusType.STOP, mac, counts=(10, 5, 5))], now=later + timedelta(seconds=10))
    with city.store.read() as conn:
        first, second = sessions.by_id(conn, 1), sessions.by_id(conn, 2)
    assert first is not None and first.estimated and first.terminate_cause == "NAS-Reboot"
    assert second is not None and second.octets == Octets(5, 5) and second.seconds == 10


def test_a_record_without_a_device_is_acknowledged_and_ignored(city: City, record: Record) -> None:
    nameless = work(
        peer(city),
        Code.ACCOUNTING_REQUEST,
        [wire.integer(Attr.ACCT_STATUS_TYPE, StatusType.START), (Attr.ACCT_SESSION_ID, b"x")],
    )
    assert len(accountant(city).answer([nameless], now=NOON)) == 1
    assert city.registry.get_sample_value("kogge_radius_acct_total", {"type": "ignored"}) == 1
    with city.store.read() as conn:
        assert sessions.by_id(conn, 1) is None


def test_a_class_of_another_devices_grant_is_not_believed(city: City, record: Record) -> None:
    theirs = issue_ticket(city, mac_of(9))
    start = record(StatusType.START, mac_of(1))
    forged = work(
        start.peer,
        Code.ACCOUNTING_REQUEST,
        [*start.packet.attributes, (Attr.CLASS, f"kogge:{theirs.grant_id}".encode())],
    )
    accountant(city).answer([forged], now=NOON)
    with city.store.read() as conn:
        assert conn.execute(text("SELECT grant_id FROM session")).scalars().all() == [None]


def test_stale_sessions_close_while_their_nas_is_heard(city: City, record: Record) -> None:
    books = accountant(city)
    books.answer([record(StatusType.START, mac_of(1), "gone"), record(StatusType.START, mac_of(2), "here")], now=NOON)
    for minute in range(1, 5):
        stays = record(StatusType.INTERIM, mac_of(2), "here", counts=(60 * minute, 1, 1))
        books.answer([stays], now=NOON + timedelta(minutes=minute))
    with city.store.write() as conn:
        closed = accounting.close_stale(conn, interim_seconds=60, now=NOON + timedelta(minutes=4))
        assert closed == 1
        gone = sessions.by_id(conn, 1)
        assert sessions.count_live(conn) == 1
    assert gone is not None and gone.estimated and gone.ended_at == NOON
    late_stop = record(StatusType.STOP, mac_of(1), "gone", counts=(200, 9, 9))
    books.answer([late_stop], now=NOON + timedelta(minutes=5))
    with city.store.read() as conn:
        gone = sessions.by_id(conn, 1)
    assert gone is not None and not gone.estimated and gone.octets == Octets(9, 9)


def test_our_own_outage_closes_nobody(city: City, record: Record) -> None:
    books = accountant(city)
    books.answer([record(StatusType.START, mac_of(1), "a"), record(StatusType.START, mac_of(2), "b")], now=NOON)
    back = NOON + timedelta(hours=2)
    restarted = accountant(City(city.config, city.store))
    restarted.answer([record(StatusType.INTERIM, mac_of(1), "a", counts=(7200, 1, 1))], now=back)
    with city.store.write() as conn:
        assert accounting.close_stale(conn, interim_seconds=60, now=back + timedelta(seconds=30)) == 0


@pytest.mark.parametrize("seed", range(12))
def test_loss_duplicates_and_disorder_leave_exact_totals(city: City, record: Record, seed: int) -> None:
    """A seeded town: every record is sent until acknowledged, some twice, in a shuffled order, in random batches."""
    dice = random.Random(seed)
    sent: list[tuple[Work, float]] = []
    totals: dict[str, tuple[int, int, int]] = {}
    for number in range(6):
        mac, name = mac_of(number), f"s-{number}"
        down, up, begin = 0, 0, dice.randint(0, 300)
        sent.append((record(StatusType.START, mac, name), begin))
        for step in range(1, dice.randint(2, 8)):
            down, up = down + dice.randint(0, 2 * GIGA), up + dice.randint(0, 10_000)
            sent.append((record(StatusType.INTERIM, mac, name, counts=(60 * step, down, up)), begin + 60 * step))
        last = (60 * step + 30, down + 5, up)
        sent.append((record(StatusType.STOP, mac, name, counts=last), begin + 60 * step + 30))
        totals[name] = last
    arrivals = [
        (at + dice.uniform(0, LATE_SECONDS), each) for each, at in sent for _ in range(1 + (dice.random() < 0.3))
    ]
    arrivals.sort(key=lambda pair: pair[0])
    books = accountant(city)
    while arrivals:
        together = [at for at, _ in arrivals if at <= arrivals[0][0] + BATCH_SECONDS]
        size = dice.randint(1, min(9, len(together)))
        batch, arrivals = arrivals[:size], arrivals[size:]
        books.answer([each for _, each in batch], now=NOON + timedelta(seconds=batch[-1][0]))
    with city.store.read() as conn:
        rows = conn.execute(
            text(
                "SELECT acct_session_id, seconds, segment_down + finished_down, segment_up + finished_up, ended_at"
                " FROM session"
            )
        ).all()
        used = conn.execute(text("SELECT sum(octets_down), sum(octets_up), sum(seconds) FROM usage_daily")).one()
    assert len(rows) == len(totals), f"seed {seed}"
    assert {row[0]: (row[1], row[2], row[3]) for row in rows} == totals, f"seed {seed}"
    assert all(row[4] is not None for row in rows), f"seed {seed}"
    sums = [sum(each[index] for each in totals.values()) for index in (1, 2, 0)]
    assert [int(value) for value in used] == sums, f"seed {seed}"


def wrong(at: Peer, ticket: Issued, mac: MacAddress) -> Work:
    return login(at, Issued(ticket.name, "guessed-guessed-", ticket.grant_id, ticket.device_id), mac)


def reasons(city: City) -> list[str | None]:
    with city.store.read() as conn:
        return list(conn.execute(text("SELECT reason FROM decision ORDER BY id")).scalars())


def test_guessing_locks_the_device_out_for_a_while_and_nobody_else(city: City) -> None:
    first, second = issue_ticket(city, mac_of(1)), issue_ticket(city, mac_of(2))
    at, decide = peer(city), authorizer(city)
    now = datetime.now(UTC)
    for _ in range(city.config.limits.voucher_guesses):
        decide.answer([wrong(at, first, mac_of(1))], now=now)
    assert codes(decide.answer([login(at, first, mac_of(1)), login(at, second, mac_of(2))], now=now)) == [3, 2]
    assert reasons(city)[-2:] == ["too_many_guesses", None]
    with city.store.read() as conn:
        count = conn.execute(text("SELECT count(*) FROM guess")).scalar_one()
    assert count == 4 * city.config.limits.voucher_guesses, "what comes while it is locked is not counted"
    later = now + timedelta(minutes=4)
    window = timedelta(minutes=city.config.limits.voucher_window_minutes)
    assert codes(decide.answer([login(at, first, mac_of(1))], now=later)) == [3]
    with city.store.write() as conn:
        conn.execute(text("UPDATE ticket SET expires_at = expires_at + 3600000000"))
    renewed = ticket_of(city, first, mac_of(1))
    assert codes(decide.answer([login(at, renewed, mac_of(1))], now=now + window)) == [2]


def ticket_of(city: City, issued: Issued, mac: MacAddress) -> Issued:
    """The ticket with the password of its present expiry."""
    with city.store.read() as conn:
        row = conn.execute(text("SELECT expires_at FROM ticket WHERE name = :name"), {"name": issued.name}).one()
    password = ticket_password(
        city.store.keys.derive("ticket"), name=issued.name, device=mac, expires_at=instant_of(row.expires_at)
    )
    return Issued(issued.name, password, issued.grant_id, issued.device_id)


def test_guessing_through_a_nas_silences_only_who_proves_nothing(city: City) -> None:
    ticket, at, decide = issue_ticket(city, mac_of(1)), peer(city), authorizer(city)
    now = datetime.now(UTC)
    strange = [wrong(at, Issued(f"nobody-{n}", "", 0, 0), mac_of(9)) for n in range(city.config.limits.nas_guesses)]
    decide.answer(strange, now=now)
    assert codes(decide.answer([strange[0], login(at, ticket, mac_of(1))], now=now)) == [3, 2]
    assert reasons(city)[-2:] == ["too_many_guesses", None]


def test_a_refused_stranger_can_be_found_again(city: City) -> None:
    at, now = peer(city), datetime.now(UTC)
    authorizer(city).answer([wrong(at, Issued("nobody", "", 0, 0), mac_of(9))], now=now)
    with city.store.read() as conn:
        found = conn.execute(text("SELECT device_id, station_hash FROM decision")).one()
    assert found.device_id is None
    assert bytes(found.station_hash) == city.store.keys.current_period(now).hash(mac_of(9))


def test_a_closed_site_admits_nobody(city: City) -> None:
    ticket, at = issue_ticket(city, mac_of(1)), peer(city)
    closed = Peer(replace(at.nas, opening_hours="Mo 03:00-03:01"))
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    (reply,) = authorizer(city).answer([login(closed, ticket, mac_of(1))], now=now)
    assert reply[1][0] == Code.ACCESS_REJECT and b"closed" in reply[1]


def test_a_chargeable_identity_is_given_to_whom_asks(city: City) -> None:
    ticket, at = issue_ticket(city, mac_of(1)), peer(city)
    plain = login(at, ticket, mac_of(1))
    asked = work(at, Code.ACCESS_REQUEST, [*plain.packet.attributes, (Attr.CHARGEABLE_USER_IDENTITY, b"\0")])
    first, second = authorizer(city).answer([plain, asked], now=datetime.now(UTC))
    assert wire.parse(first[1]).octets(Attr.CHARGEABLE_USER_IDENTITY) is None
    identity = wire.parse(second[1]).octets(Attr.CHARGEABLE_USER_IDENTITY)
    assert identity is not None and len(identity) == 32


def test_a_running_session_is_judged_by_what_is_left(city: City, record: Record, voucher_id: int) -> None:
    with city.store.write() as conn:
        conn.execute(text("UPDATE plan SET voucher_counts = 'use' WHERE key = 'voucher'"))
    ticket = issue_ticket(city, mac_of(1), plan_key="voucher", voucher_id=voucher_id, minutes=600)
    start = record(StatusType.START, mac_of(1))
    named = (Attr.CLASS, f"kogge:{ticket.grant_id}".encode())
    now = datetime.now(UTC)
    accountant(city).answer([work(start.peer, Code.ACCOUNTING_REQUEST, [*start.packet.attributes, named])], now=now)
    for minutes, left in ((20, 40 * 60), (60, Reason.VOUCHER_USED_UP)):
        later = now + timedelta(minutes=minutes)
        with city.store.read() as conn:
            (facts,) = access.gather_running(conn, [1], now=later, zone=city.zone).values()
        decision = decide_running(facts, now=later, zone=city.zone)
        assert (decision.session_seconds if isinstance(decision, Accept) else decision.reason) == left


def test_a_nas_is_locked_though_a_device_may_guess_more(city: City) -> None:
    limits = city.config.limits.model_copy(update={"nas_guesses": 10, "voucher_guesses": 100})
    small = replace(city, config=city.config.model_copy(update={"limits": limits}))
    at, decide, now = peer(small), authorizer(small), datetime.now(UTC)
    for _ in range(11):
        decide.answer([wrong(at, Issued("nobody", "", 0, 0), mac_of(9))], now=now)
    assert reasons(small) == ["unknown_user"] * 10 + ["too_many_guesses"]
