"""`kogge explain`: it says what RADIUS would say, in words, and leaves nothing but a line in the audit log."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from hotspot.access import CHECKS, Accept, Reason, Refusal
from hotspot.admission import Denial
from hotspot.errors import ConfigError
from hotspot.fleet import ApHealth, ApReading, Band, PollFailure, RadioReading
from hotspot.values import MacAddress, MacSpelling, local_day
from hotspot.vouchers import show_code
from ops.advice import DENIALS, REASONS, Advice
from ops.explain import looked_up, note_look, parse_who
from ops.explain_document import document
from ops.explain_facts import DeviceStanding, Life, NothingKnown, Standing, StrangerStanding, VoucherStanding
from ops.explain_report import text
from ops.explain_sentences import CURED_BY_A_TAP, DISCONNECTS, LIVES, Frame
from ops.words import span
from radius.client import Client, access_request, pap
from radius.server import CityServer
from radius.wire import Attr
from service.cities import City, open_city
from store import access, audit, bssids, guesses, outbox, residents, vouchers
from store.access import Noted
from store.health import save_healths
from store.outbox import Change, Kind, State
from store.schema import (
    access_point,
    block,
    grant,
    nas,
    nas_arrival,
    plan,
    session,
    site,
    staff,
    terms,
    usage_daily,
    voucher,
    voucher_usage_daily,
)
from tests.ops.conftest import Kogge
from tests.radius.conftest import PHONE, SECRET, Issued, add_loopback_nas, issue_ticket
from tests.support.installation import Written
from tests.support.rows import MINUTE, add_device, add_session, all_rows, first_nas

CODE = "ABCDEFGHJK"
OTHER = MacAddress.parse("02-00-5E-10-00-0B")


def now_() -> datetime:
    return datetime.now(UTC)


def find(city: City, who: object, *, now: datetime | None = None) -> Standing:
    return looked_up(city, parse_who(str(who)), now=now or now_())


def device(city: City, who: object = PHONE, *, now: datetime | None = None) -> DeviceStanding:
    found = find(city, who, now=now)
    assert isinstance(found, DeviceStanding), found
    return found


def screen(city: City, who: object = PHONE, **frame: Any) -> str:
    """As it is read, whitespace aside."""
    found = find(city, who)
    said = text(found, Frame(city.key, city.zone, now_(), **frame))
    assert max(map(len, said.splitlines())) <= 80, said
    return " ".join(said.split())


def note(city: City, proof: str, reason: str | None, *, mac: MacAddress = PHONE, known: bool = True) -> None:
    """A decision, as RADIUS logs it."""
    with city.store.write() as conn:
        keys = city.store.keys
        device_id = residents.find_device(conn, keys, mac, now=now_()) if known else None
        hashed = None if known else keys.current_period(now_()).hash(mac)
        noted = Noted(first_nas(conn), device_id, None, proof, reason, hashed)
        access.note_decisions(conn, [noted], now=now_())


def change(city: City, table: Any, **values: object) -> None:
    with city.store.write() as conn:
        conn.execute(update(table).values(**values))


def member(city: City) -> int:
    """Somebody of the staff."""
    with city.store.write() as conn:
        row = insert(staff).values(login="anna", name="Anna", role="admin", created_at=now_()).returning(staff.c.id)
        return int(conn.execute(row).scalar_one())


def put(city: City, table: Any, **values: object) -> None:
    with city.store.write() as conn:
        conn.execute(insert(table).values(**values))


def use_today(city: City, issued: Issued, *, seconds: int = 0, octets: int = 0) -> None:
    day = local_day(now_(), city.zone)
    put(city, usage_daily, device_id=issued.device_id, day=day, seconds=seconds, octets_down=octets, octets_up=0)


def make_voucher(city: City, **batch: Any) -> int:
    """An unused one of a week, for the code CODE; returns its id."""
    with city.store.write() as conn:
        plan_id = next(each.id for each in residents.plans(conn) if each.way.value == "voucher")
    rules = {"valid_minutes": 7 * 24 * 60, "redeem_until": now_() + timedelta(days=30), "label": "Hotel Hanse"}
    by = member(city)
    with city.store.write() as conn:
        keys = city.store.keys
        vouchers.add_batch(conn, keys, [CODE], plan_id=plan_id, created_by=by, now=now_(), **(rules | batch))
        found = vouchers.look_up(conn, keys, CODE)
    assert found is not None
    return found.id


def redeem(city: City, mac: MacAddress = PHONE, **columns: object) -> Issued:
    """The device gets a grant of the voucher, as the page gives it."""
    with city.store.write() as conn:
        found = vouchers.find(conn, city.store.keys, CODE)
        assert found is not None
        vouchers.use(conn, found, now=now_())
    return issue_ticket(city, mac, plan_key=found.plan.key, voucher_id=found.id, remembered=True, **columns)


# As RADIUS decides ------------------------------------------------------------------------------------


@pytest.fixture
def radius(city: City) -> Iterator[City]:
    """The city with a NAS on loopback and its RADIUS server running."""
    add_loopback_nas(city)
    server = CityServer(city, clock=now_, random_octets=os.urandom)
    server.start()
    yield city
    server.stop()
    server.join(10)


def ask(city: City, user: str, password: str, mac: MacAddress = PHONE) -> None:
    """One Access-Request, as a NAS sends it."""
    settings, authenticator, secret = city.config.radius, os.urandom(16), SECRET.encode()
    attributes = [(Attr.USER_NAME, user.encode()), (Attr.CALLING_STATION_ID, str(mac).encode())]
    attributes += pap(password.encode(), authenticator, secret)
    with Client("127.0.0.1", (str(settings.listen), settings.auth_port), secret) as client:
        client.ask(access_request(1, authenticator, attributes, secret))


def remembered(city: City, **columns: Any) -> Issued:
    """A device that may come back by its MAC address, its ticket long redeemed."""
    issued = issue_ticket(city, **({"remembered": True, "minutes": 600} | columns))
    with city.store.write() as conn:
        residents.purge_tickets(conn, expired_before=now_() + timedelta(hours=1))
    return issued


def blocked(city: City, issued: Issued) -> None:
    put(city, block, device_id=issued.device_id, reason="spam", from_at=now_() - MINUTE, created_by=member(city))


SITUATIONS: dict[str, tuple[Reason | None, Callable[[City, Issued], object]]] = {
    "admitted": (None, lambda city, issued: None),
    "blocked": (Reason.BLOCKED, blocked),
    "closed": (Reason.CLOSED, lambda city, issued: change(city, site, opening_hours=closed_now(city))),
    "forgotten": (Reason.NOT_REMEMBERED, lambda city, issued: change(city, grant, remembered=False)),
    "new terms": (Reason.TERMS_CHANGED, lambda city, issued: new_terms(city)),
    "ended": (Reason.GRANT_ENDED, lambda city, issued: change(city, grant, ended_at=now_())),
    "expired": (Reason.GRANT_EXPIRED, lambda city, issued: change(city, grant, until_at=now_() - MINUTE)),
    "no time": (Reason.DAILY_TIME_USED, lambda city, issued: out_of_time(city, issued)),
    "no volume": (Reason.DAILY_VOLUME_USED, lambda city, issued: use_today(city, issued, octets=10**13)),
    "guessed": (Reason.TOO_MANY_GUESSES, lambda city, issued: guess(city, city.config.limits.voucher_guesses)),
}


def closed_now(city: City) -> str:
    """Hours of a day that is not today."""
    today = now_().astimezone(city.zone).weekday()
    return f"{('Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su')[(today + 3) % 7]} 10:00-11:00"


def new_terms(city: City) -> None:
    put(city, terms, version=9, language="de", title="Neu", body="Neu", published_at=now_())


def out_of_time(city: City, issued: Issued) -> None:
    change(city, plan, daily_minutes=30)
    use_today(city, issued, seconds=30 * 60)


def guess(city: City, times: int, *, at: datetime | None = None, apart: timedelta = timedelta()) -> None:
    """Wrong codes of the phone, as the page counts them."""
    with city.store.write() as conn:
        for number in range(times):
            bucket = guesses.bucket(city.store.keys, guesses.BY_DEVICE, str(PHONE))
            guesses.note(conn, bucket, now=(at or now_()) + number * apart)


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_would_happen_now_is_what_radius_then_does(name: str, radius: City) -> None:
    reason, bring_about = SITUATIONS[name]
    bring_about(radius, remembered(radius))
    add_session_for_the_place(radius)
    foretold = device(radius).outlook.decision
    ask(radius, str(PHONE), str(PHONE))
    found = device(radius)
    assert found.decided[0].reason == (None if reason is None else reason.value), "RADIUS did what was to be tested"
    assert foretold == Refusal(reason) if reason else isinstance(foretold, Accept)
    said = screen(radius)
    assert f"be refused: {reason.value}." in said if reason else "it would be admitted: " in said
    if reason:
        assert REASONS[reason].meaning in said, "the last decision says why"


def add_session_for_the_place(city: City) -> None:
    """Where the device was last, so that the site's hours are known before RADIUS has ever decided."""
    device_id = device(city).number
    add_session(city.store, device_id, started_at=now_() - timedelta(days=2), ended_at=now_() - timedelta(days=1))


def test_the_checks_are_radius_own_in_their_order(city: City) -> None:
    remembered(city)
    assert [name for name, _ in device(city).outlook.checks] == list(CHECKS)
    for name in CHECKS:
        assert f"✓ {name}" in screen(city)


def test_a_log_in_that_fails_for_many_reasons_shows_each(city: City) -> None:
    issued = remembered(city, remembered=False)
    blocked(city, issued)
    use_today(city, issued, octets=10**13)
    said = screen(city)
    for name, reason in (
        ("not blocked", "blocked"),
        ("remembered", "not_remembered"),
        ("daily limits", "daily_volume_used"),
    ):
        assert f"✗ {name}: {reason}. " in said
    assert "would be refused: blocked. A tap on the page would not help: blocked." in said


# What a device's screen tells -------------------------------------------------------------------------


def test_the_last_decision_comes_in_full_and_those_before_it_in_a_line(city: City) -> None:
    remembered(city)
    note(city, "ticket", None)
    note(city, "wrong_password", "wrong_password")
    note(city, "mac", "closed")
    said = screen(city)
    assert re.search(
        r"Decided \d\d:\d\d MAC address: refused, closed, at rostock-gateway \(Neuer Markt\) The site is closed "
        r"at this hour. → Nothing to mend",
        said,
    )
    assert re.search(r"Before \d\d:\d\d log-in from the page: refused, wrong_password, at rostock-gateway", said)
    assert re.search(r"\d\d:\d\d log-in from the page: admitted, at rostock-gateway", said)


def test_a_reason_word_of_another_version_is_no_fault(city: City) -> None:
    remembered(city)
    note(city, "mac", "of_the_future")
    assert "MAC address: refused, of_the_future" in screen(city)


def test_a_running_session_and_what_it_may_last(city: City) -> None:
    issued = remembered(city)
    add_session(
        city.store, issued.device_id, started_at=now_() - 10 * MINUTE, updated_at=now_() - MINUTE, ssid="Rostock-WLAN",
        grant_id=issued.grant_id, segment_down=12_300_000, segment_up=900_000,
    )  # fmt: skip
    said = screen(city)
    assert "Online since" in said and "at rostock-gateway (Neuer Markt), SSID Rostock-WLAN" in said
    assert "(10 min)" in said and "12.3 MB received, 900.0 kB sent; last heard" in said
    assert re.search(r"It may last for another 3:\d\d h", said), "the plan's four hours, less ten minutes"
    change(city, grant, ended_at=now_())
    assert "It is to end: grant_ended." in screen(city)


@pytest.mark.parametrize("state", State)
def test_the_state_of_a_disconnect(state: State, city: City) -> None:
    issued = remembered(city)
    id_ = add_session(city.store, issued.device_id, started_at=now_() - 10 * MINUTE, grant_id=issued.grant_id)
    with city.store.write() as conn:
        order = outbox.want_disconnect(conn, session_id=id_, requested_by=None, now=now_())
        cause = 503 if state is State.REFUSED else None
        outbox.record(conn, [Change(order, Kind.DISCONNECT, state, 1, cause)], now=now_())
    said = DISCONNECTS[state.value]
    assert f"{said[0].upper()}{said[1:]}" in screen(city)
    assert ("(Error-Cause 503)" in screen(city)) is (state is State.REFUSED)


def test_an_ended_session_with_its_cause(city: City) -> None:
    issued = remembered(city)
    add_session(
        city.store, issued.device_id, started_at=now_() - 40 * MINUTE, ended_at=now_() - 10 * MINUTE, seconds=1800,
        terminate_cause="Lost-Carrier", estimated=True,
    )  # fmt: skip
    assert "by Lost-Carrier (estimated: its Stop never came), after 30 min" in screen(city)
    assert screen(city).startswith("rostock, ") and " Not online. " in screen(city)


def test_what_is_left_of_the_day(city: City) -> None:
    issued = remembered(city)
    change(city, plan, daily_minutes=120, daily_megabytes=3000)
    use_today(city, issued, seconds=95 * 60, octets=100_000_000)
    assert "Left today: 25 min of 2:00 h, 2.9 GB of 3.0 GB" in screen(city)


def test_a_grant_in_words(city: City) -> None:
    issued = remembered(city)
    assert "by a tap on the page" in screen(city) and "comes back by itself until" in screen(city)
    with city.store.write() as conn:
        residents.end_grants(conn, issued.device_id, now=now_())
    assert "(logged off, disconnected or revoked)" in screen(city)
    assert "A tap on the page lets it on." in screen(city)
    add_device(city.store, str(OTHER), now=now_())
    assert "Grant none: nobody has accepted the terms on it" in screen(city, OTHER)


def test_a_fresh_ticket_is_what_is_judged(city: City) -> None:
    issued = issue_ticket(city)
    assert "If it asked now with the log-in that the page issued, it would be admitted" in screen(city)
    assert device(city, issued.name).number == device(city).number == issued.device_id
    later = now_() + timedelta(minutes=6)
    assert device(city, issued.name, now=later).outlook.decision == Refusal(Reason.TICKET_EXPIRED)
    assert device(city, PHONE, now=later).outlook.decision == Refusal(Reason.NOT_REMEMBERED)


def test_who_is_known_by_a_running_sessions_user_name(city: City) -> None:
    """MAC authentication gives each session a name of its own, which the NAS shows."""
    issued = remembered(city)
    id_ = add_session(city.store, issued.device_id, started_at=now_() - MINUTE, user_name="opaque-0123456789")
    assert device(city, "opaque-0123456789").number == issued.device_id
    with city.store.write() as conn:
        conn.execute(update(session).where(session.c.id == id_).values(ended_at=now_()))
    assert find(city, "opaque-0123456789") == NothingKnown(of_device=False)


@pytest.mark.parametrize("spelling", MacSpelling)
def test_any_spelling_of_a_mac_address(spelling: MacSpelling, city: City) -> None:
    issued = remembered(city)
    assert device(city, PHONE.spelled(spelling)).number == issued.device_id


def test_a_lock_out_ends_when_it_is_said_to(city: City) -> None:
    remembered(city)
    start, limit = now_() - 14 * MINUTE, city.config.limits.voucher_guesses
    guess(city, limit - 1, at=start, apart=timedelta(seconds=1))
    (only,) = device(city).guessed
    assert (only.whose, only.count, only.locked_until) == ("this device", limit - 1, None)
    assert f"{limit - 1} wrong codes or passwords of this device; {limit} lock it out" in screen(city)
    guess(city, 2, at=start + MINUTE, apart=timedelta(seconds=1))
    (only,) = device(city).guessed
    until = only.locked_until
    assert until is not None and until == start + timedelta(minutes=15, seconds=1), "one may go, not two"
    before, after = (device(city, now=until + timedelta(seconds=s)) for s in (-1, 0))
    assert before.outlook.decision == Refusal(Reason.TOO_MANY_GUESSES)
    assert isinstance(after.outlook.decision, Accept)
    assert "locked out until" in screen(city)


def test_a_locked_nas_bars_only_who_proves_nothing(city: City) -> None:
    remembered(city)
    note(city, "mac", None)
    with city.store.write() as conn:
        bucket = guesses.bucket(city.store.keys, guesses.BY_NAS, city.config.seed.nases[0].nas_identifier)
        for _ in range(city.config.limits.nas_guesses):
            guesses.note(conn, bucket, now=now_())
    found = device(city)
    assert [each.whose for each in found.guessed if each.locked_until] == ["its NAS"]
    assert isinstance(found.outlook.decision, Accept)


def test_a_block_has_its_reason_and_end(city: City) -> None:
    blocked(city, remembered(city))
    assert "until staff lift it: spam" in screen(city)
    change(city, block, until_at=now_() + timedelta(hours=2))
    assert re.search(r"until (\d\d-\d\d )?\d\d:\d\d: spam", screen(city))


# Devices that the city does not know ------------------------------------------------------------------


def test_a_stranger_that_radius_refused_is_found_by_its_hash(radius: City) -> None:
    assert isinstance(find(radius, PHONE), NothingKnown)
    ask(radius, str(PHONE), str(PHONE))
    found = find(radius, PHONE)
    assert isinstance(found, StrangerStanding) and [each.reason for each in found.decided] == ["not_remembered"]
    said = screen(radius)
    assert "a device that the city does not know" in said and "at test-nas" in said
    assert isinstance(find(radius, OTHER), NothingKnown)


def test_what_was_decided_before_a_device_was_known_is_told_too(city: City) -> None:
    note(city, "mac", "not_remembered", known=False)
    remembered(city)
    note(city, "ticket", None)
    assert [each.reason for each in device(city).decided] == [None, "not_remembered"]


def test_guesses_of_a_stranger_are_told(city: City) -> None:
    guess(city, 3)
    found = find(city, PHONE)
    assert isinstance(found, StrangerStanding) and found.guessed[0].count == 3


def test_where_to_look_where_nothing_is_known(city: City) -> None:
    assert "→ Does its NAS ask this server? See `kogge nas list rostock`" in screen(city)
    assert "→ Compare the code with the printed sheet" in screen(city, CODE)


def test_who_was_not_heard_lately_is_told_where_nothing_is_known(city: City) -> None:
    own = {"port": "auth", "packets": 3, "first_at": now_() - 60 * MINUTE, "last_at": now_() - MINUTE}
    with city.store.read() as conn:
        nas_id = first_nas(conn)
    rows = [
        {"source": "192.0.2.7", "nas_identifier": "gateway\x1b[2J", "verdict": "unknown_client"},
        {"source": "192.0.2.8", "nas_identifier": "", "verdict": "bad_authenticator", "nas_id": nas_id},
        {"source": "192.0.2.9", "nas_identifier": "", "verdict": "ok", "nas_id": nas_id},
        {"source": "192.0.2.10", "nas_identifier": "", "verdict": "unknown_client", "last_at": now_() - 1500 * MINUTE},
    ]
    for row in rows:
        put(city, nas_arrival, **(own | row))
    said = screen(city)
    assert re.search(r"192\.0\.2\.7, which says it is “gateway\\x1b\[2J”: unknown_client, last ", said)
    assert "192.0.2.8: bad_authenticator, last" in said and "192.0.2.9" not in said and "192.0.2.10" not in said
    with city.store.write() as conn:
        conn.execute(update(nas).where(nas.c.id == nas_id).values(removed_at=now_()))
    assert "192.0.2.8" not in screen(city) and "192.0.2.7" in screen(city)


def test_an_ssid_cannot_write_on_the_terminal(city: City) -> None:
    issued = remembered(city)
    add_session(city.store, issued.device_id, started_at=now_() - MINUTE, ssid="evil\x1b[31m\nBlocked   no")
    assert "SSID evil\\x1b[31m\\nBlocked no;" in screen(city)


# Vouchers ---------------------------------------------------------------------------------------------


def of_code(city: City) -> VoucherStanding:
    found = find(city, show_code(CODE).lower())
    assert isinstance(found, VoucherStanding)
    return found


@pytest.mark.parametrize(
    ("life", "columns", "denial"),
    [
        (Life.UNUSED, {}, None),
        (Life.IN_USE, {"first_used_at": -60, "until_at": 60}, None),
        (Life.OVER, {"first_used_at": -60, "until_at": -1}, Denial.CODE_USED_UP),
        (Life.REVOKED, {"revoked_at": -1}, Denial.CODE_REVOKED),
    ],
)
def test_the_life_of_a_voucher(life: Life, columns: dict[str, int], denial: Denial | None, city: City) -> None:
    make_voucher(city)
    for name, minutes in columns.items():
        change(city, voucher, **{name: now_() + minutes * MINUTE})
    found = of_code(city)
    assert (found.life, found.denial) == (life, denial)
    assert LIVES[life].split("{")[0] in screen(city, CODE)


def test_a_voucher_that_nobody_redeemed_in_time(city: City) -> None:
    make_voucher(city, redeem_until=now_() - MINUTE)
    assert (of_code(city).life, of_code(city).denial) == (Life.EXPIRED, Denial.CODE_EXPIRED)


def test_a_voucher_by_use_is_over_when_its_time_is_used(city: City) -> None:
    id_ = make_voucher(city, valid_minutes=60)
    change(city, plan, voucher_counts="use", voucher_daily_minutes=120, voucher_daily_megabytes=1000)
    redeem(city)
    day = local_day(now_(), city.zone)
    put(city, voucher_usage_daily, voucher_id=id_, day=day, seconds=2400, octets_down=10**8, octets_up=0)
    said = screen(city, CODE)
    assert "In use since" in said and "the time that its devices are online counts" in said
    assert "the voucher: 20 min of 1:00 h" in said
    assert "the voucher's day: 1:20 h of 2:00 h, 900.0 MB of 1.0 GB" in said
    assert "the voucher: 20 min of 1:00 h" in screen(city), "its device's screen tells it too"
    change(city, voucher_usage_daily, seconds=3580)
    assert (of_code(city).life, of_code(city).denial) == (Life.OVER, Denial.CODE_USED_UP)
    (holder,) = of_code(city).devices
    assert dict(holder.outlook.checks)["voucher"] is Reason.VOUCHER_USED_UP


def test_its_devices_go_by_number_unless_they_are_asked_for(city: City) -> None:
    make_voucher(city)
    change(city, plan, devices_max=1)
    first, second = redeem(city), redeem(city, OTHER)
    add_session(city.store, second.device_id, started_at=now_() - MINUTE, grant_id=second.grant_id)
    said = screen(city, CODE)
    assert "Devices 1 online, 2 ever" in said and "too_many_devices" in said
    assert f" {first.device_id} Not online." in said and f" {second.device_id} Online since" in said
    shown = screen(city, CODE, show_devices=True)
    for mac in (PHONE, OTHER):
        assert str(mac) not in said and str(mac) in shown
        assert (
            str(mac).encode() not in json.dumps(document(of_code(city), Frame("rostock", city.zone, now_()))).encode()
        )
    decisions = {each.number: each.outlook.decision for each in of_code(city).devices}
    assert isinstance(decisions[second.device_id], Accept)


def test_a_forgotten_device_of_a_voucher_is_judged_with_its_voucher(city: City) -> None:
    id_ = make_voucher(city)
    redeem(city)
    change(city, grant, remembered=False)
    with city.store.write() as conn:
        residents.purge_tickets(conn, expired_before=now_() + timedelta(hours=1))
    change(city, voucher, revoked_at=now_())
    checks = dict(device(city).outlook.checks)
    assert checks["remembered"] is Reason.NOT_REMEMBERED and checks["voucher"] is Reason.GRANT_ENDED
    assert of_code(city).number == id_


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(90, "1 min"), (172_799, "47:59 h"), (172_800, "2 days"), (604_799, "6 days 23 h"), (-5, "0 s")],
)
def test_a_long_time_is_said_in_days(seconds: int, said: str) -> None:
    assert span(seconds) == said


# The tables -------------------------------------------------------------------------------------------


def test_every_word_has_its_advice() -> None:
    assert set(REASONS) == set(Reason) and set(DENIALS) == set(Denial)
    assert set(LIVES) == set(Life) and set(DISCONNECTS) == {state.value for state in State}
    assert set(Reason) >= CURED_BY_A_TAP


@pytest.mark.parametrize("advice", [*REASONS.values(), *DENIALS.values()])
def test_advice_is_whole_sentences(advice: Advice) -> None:
    filled = advice.filled(city="rostock", nas="rostock-gateway")
    for said in (filled.meaning, filled.step):
        assert said[0].isupper() and said.endswith((".", "?")) and not set("{}") & set(said)


# The command ------------------------------------------------------------------------------------------


@pytest.fixture
def lively(made: Written) -> Iterator[City]:
    """An installation whose Rostock knows the phone."""
    city = open_city(made.installation, made.cities["rostock"], now=now_())
    remembered(city)
    note(city, "mac", "daily_time_used")
    yield city
    city.store.close()


def test_it_writes_one_audit_row_and_nothing_else(lively: City, made: Written, kogge: Kogge) -> None:
    make_voucher(lively)
    known = (str(PHONE), CODE, "opaque", str(OTHER))
    before = all_rows(lively.store, leave_out=frozenset({"audit"}))
    for who in known:
        kogge("explain", "rostock", who, "--dir", made.path)
        kogge("explain", "rostock", who, "--json", "--show-devices", "--dir", made.path)
    assert all_rows(lively.store, leave_out=frozenset({"audit"})) == before
    with lively.store.read() as conn:
        entries = [entry for entry in audit.entries(conn, limit=100) if entry.action == "explain"]
    assert len(entries) == 2 * len(known)
    assert {entry.subject for entry in entries} == {"device 1", "voucher 1", "nothing known"}
    assert {entry.detail["addresses"] for entry in entries} == {True, False}
    for entry in entries:
        assert entry.login is None and entry.detail["user"]
        said = f"{entry.subject} {entry.detail}".upper()
        assert str(PHONE) not in said and CODE not in said, "who was looked up stands there by number"


def test_a_look_that_cannot_be_noted_shows_nothing(lively: City, made: Written, kogge: Kogge) -> None:
    with lively.store.write() as conn:
        conn.exec_driver_sql("ALTER TABLE audit RENAME TO audit_away")
    result = kogge("explain", "rostock", PHONE, "--dir", made.path)
    assert result.exit_code == 2 and result.stdout == ""


@pytest.mark.parametrize(
    ("who", "status", "said"),
    [
        (str(PHONE), 0, "rostock, "),
        (str(OTHER), 1, "This device was never seen here"),
        ("ABCDE-FGHJL", 1, "neither a voucher's code nor the user"),
        ("nobody", 1, "neither a voucher's code nor the user"),
    ],
)
def test_exit_status(who: str, status: int, said: str, lively: City, made: Written, kogge: Kogge) -> None:
    result = kogge("explain", "rostock", who, "--dir", made.path)
    assert result.exit_code == status and result.stderr == "" and said in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kiel", str(PHONE)), "no city 'kiel' here"),
        (("rostock", ""), "WHO is a MAC address"),
        (("rostock", "x" * 65), "WHO is a MAC address"),
        (("rostock", "a\nb"), "WHO is a MAC address"),
        (("rostock",), "Missing argument 'WHO'"),
    ],
)
def test_the_operators_error(words: tuple[str, ...], said: str, made: Written, kogge: Kogge) -> None:
    result = kogge("explain", *words, "--dir", made.path)
    assert result.exit_code == 2 and said in result.stderr and result.stdout == ""


def test_another_city_knows_nothing_of_it(lively: City, made: Written, kogge: Kogge) -> None:
    assert kogge("explain", "wismar", PHONE, "--dir", made.path).exit_code == 1


def test_the_document_for_scripts(lively: City, made: Written, kogge: Kogge) -> None:
    said = json.loads(kogge("explain", "rostock", PHONE, "--json", "--dir", made.path).stdout)
    assert set(said) == {
        "city", "at", "kind", "device", "decisions", "session", "grant", "quotas", "guesses", "block", "radio", "now",
    }  # fmt: skip
    assert said["kind"] == "device" and said["decisions"][0]["reason"] == "daily_time_used"
    assert said["now"]["accepted"] is True and [each["check"] for each in said["now"]["checks"]] == list(CHECKS)
    assert "mac" not in said
    nothing = json.loads(kogge("explain", "rostock", OTHER, "--json", "--dir", made.path).stdout)
    assert nothing["kind"] == "nothing"
    make_voucher(lively)
    redeem(lively)
    code = json.loads(kogge("explain", "rostock", CODE, "--json", "--show-devices", "--dir", made.path).stdout)
    assert (code["kind"], code["state"], code["devices"][0]["mac"]) == ("voucher", "in_use", str(PHONE))


BSSID = MacAddress.parse("02-00-5E-20-00-01")


def heard(city: City, name: str, result: ApReading | PollFailure) -> None:
    """What the last poll of an access point found."""
    up = isinstance(result, ApReading)
    reading, failure = (result, None) if isinstance(result, ApReading) else (None, result)
    with city.store.write() as conn:
        point_id = conn.execute(select(access_point.c.id).where(access_point.c.name == name)).scalar_one()
        save_healths(conn, {point_id: ApHealth(up, now_(), now_(), now_(), failure, reading)})
        bssids.note(conn, {point_id: [BSSID]}, now=now_())


def test_the_access_point_of_a_session_is_told(city: City) -> None:
    device_id = add_device(city.store, str(PHONE), now=now_())
    add_session(city.store, device_id, started_at=now_(), bssid="02:00:5e:20:00:01")
    busy = RadioReading("ng", Band.GHZ_2_4, 6, utilisation_ratio=0.92)
    idle = RadioReading("na", Band.GHZ_5, 36, utilisation_ratio=0.1)
    heard(city, "stadthafen-1", ApReading(now_(), radios=(busy, idle)))
    said = screen(city)
    assert "Radio stadthafen-1 (Stadthafen), up since " in said
    assert "Its channel 6 (2.4 GHz) is busy 92 %: everybody on it waits." in said and "channel 36" not in said
    heard(city, "stadthafen-1", PollFailure.TIMEOUT)
    said = screen(city)
    assert "Its access point stadthafen-1 is down since " in said and ": timeout." in said
    assert "→ It did not answer in time." in said
    found = document(find(city, PHONE), Frame(city.key, city.zone, now_()))["radio"]
    assert found["access_point"]["name"] == "stadthafen-1" and found["access_point"]["failure"] == "timeout"


def test_where_nobody_knows_the_access_point_those_of_the_place_that_are_down_are_told(city: City) -> None:
    device_id = add_device(city.store, str(PHONE), now=now_())
    add_session(city.store, device_id, started_at=now_())
    assert "Radio" not in screen(city)
    heard(city, "neuer-markt-2", PollFailure.UNREACHABLE)
    heard(city, "stadthafen-1", PollFailure.UNREACHABLE)
    said = screen(city)
    assert "Of the 2 access points at Neuer Markt are down: neuer-markt-2 down since " in said
    assert "stadthafen-1" not in said


def test_on_postgresql_looking_reads_only(city: City) -> None:
    """`look_up` takes no lock: on PostgreSQL a read is a read-only transaction, and would refuse one."""
    make_voucher(city)
    note_look(city, of_code(city), now=now_(), show_devices=False)
    with city.store.read() as conn:
        assert audit.entries(conn, limit=1)[0].subject == "voucher 1"


def test_who_is_cleaned_of_blanks() -> None:
    assert parse_who(f"  {PHONE} ").mac == PHONE
    with pytest.raises(ConfigError):
        parse_who("   ")
