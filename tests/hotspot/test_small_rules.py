"""Vouchers, tickets, terms, roles, plans, suppression, the month report."""

from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.credentials import chap_matches, pap_matches, ticket_name, ticket_password
from hotspot.errors import InputError, WireError
from hotspot.plan import Plan, Way
from hotspot.privacy import suppress
from hotspot.reports import DayCount, build_month
from hotspot.roles import Permission, Role, may
from hotspot.terms import Terms, choose
from hotspot.values import MacAddress, Month, Octets
from hotspot.vouchers import ALPHABET, make_code, parse_code, show_code

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PHONE = MacAddress.parse("02-00-00-00-00-11")
TODAY = date(2026, 12, 24)


@given(st.binary(min_size=10, max_size=10), st.sampled_from(["{}", " {} ", "{}-", "{} "]))
def test_a_code_is_read_however_it_is_typed(random_octets: bytes, frame: str) -> None:
    code = make_code(random_octets)
    assert parse_code(frame.format(show_code(code).lower())) == code


@pytest.mark.parametrize("text", ["", "ABCDE", "ABCDE-FGHJ1", "ABCDE-FGHJO", "ABCDE-FGHJK-L", "A" * 41, "ÄBCDEFGHJK"])
def test_what_cannot_be_a_code_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a voucher code"):
        parse_code(text)


def test_the_alphabet_has_no_ambiguous_character() -> None:
    assert len(set(ALPHABET)) == 32 and not set("01IO") & set(ALPHABET)


def test_a_tickets_password_is_sixteen_printable_characters_bound_to_its_use() -> None:
    name = ticket_name(bytes(range(12)))
    password = ticket_password(b"k" * 32, name=name, device=PHONE, expires_at=NOON)
    assert len(name) == len(password) == 16 and password.isascii() and password.isprintable()
    other = MacAddress.parse("02-00-00-00-00-12")
    variants = [
        ticket_password(key, name=who, device=mac, expires_at=when)
        for key, who, mac, when in product(
            (b"k" * 32, b"l" * 32), (name, name[::-1]), (PHONE, other), (NOON, NOON.replace(hour=13))
        )
    ]
    assert len(set(variants)) == len(variants)


def test_pap_and_chap_prove_the_password() -> None:
    # The vector that a real CoovaChilli accepted: k = MD5(challenge, uamsecret), CHAP id 0.
    k = bytes.fromhex("356614ea8e95c5f84bb2bebaf52665e5")
    response = bytes.fromhex("e00f6980f0041d79311a7e704a4cd5f1")
    assert chap_matches("ostsee1", chap_id=0, challenge=k, response=response)
    assert not chap_matches("ostsee2", chap_id=0, challenge=k, response=response)
    assert pap_matches("ostsee1", b"ostsee1") and not pap_matches("ostsee1", b"ostsee")


def _terms(version: int, language: str) -> Terms:
    return Terms(version * 10, version, language, "", "", NOON)


def test_terms_come_in_the_readers_language_and_the_newest_version() -> None:
    texts = [_terms(1, "en"), _terms(1, "de"), _terms(2, "de"), _terms(2, "en")]
    assert choose(texts, "en", "de") is texts[3]
    assert choose(texts, "pl", "de") is texts[2]
    assert choose([texts[1]], "pl", "sv") is texts[1]
    assert choose(texts, "de-simple", "en") is texts[2]


def test_roles_are_one_table() -> None:
    allowed = {(role, permission) for role in Role for permission in Permission if may(role, permission)}
    assert allowed == {(Role.ADMIN, permission) for permission in Permission} | {
        (Role.DESK, Permission.MANAGE_VOUCHERS),
        (Role.OFFICIAL, Permission.SEE_REPORTS),
    }


def test_a_plans_day_in_octets_and_seconds() -> None:
    plan = Plan(1, "p", "P", Way.TAP, 60, 10, 90, 500, 1, 1, 1, 0)
    assert (plan.daily_octets, plan.daily_seconds) == (500_000_000, 5400)


@given(st.lists(st.integers(0, 50), max_size=31), st.integers(2, 10))
def test_no_hidden_cell_can_be_computed_from_the_total(counts: list[int], smallest: int) -> None:
    shown = suppress(counts, smallest=smallest)
    hidden = [count for count, cell in zip(counts, shown, strict=True) if cell is None]
    assert all(cell is None or cell == 0 or cell >= smallest for cell in shown)
    assert all(cell is None or cell == count for cell, count in zip(shown, counts, strict=True))
    if len(hidden) == 1:  # then it is the only day with anybody at all, and there is nothing to hide it behind
        assert sum(1 for count in counts if count) == 1


def test_a_month_has_all_its_days_and_hides_small_groups() -> None:
    rows = [
        DayCount(date(2026, 11, 1), 30, 20, 36_000, Octets(2_500_000_000, 500_000_000)),
        DayCount(date(2026, 11, 2), 3, 2, 1_800, Octets(1_000_000, 0)),
        DayCount(date(2026, 11, 3), 12, 9, 1_800, Octets(1_000_000, 0)),
    ]
    report = build_month(rows, Month(2026, 11), today=TODAY, smallest_group=5)
    assert len(report.days) == 30 and (report.sessions, report.device_days, report.hours) == (45, 31, 11)
    assert [day.hidden for day in report.days[:4]] == [False, True, True, False]
    assert report.days[1].megabytes_down is None
    assert report.busiest is not None and report.busiest.day == date(2026, 11, 1)
    assert (report.gigabytes_down, report.gigabytes_up) == (2.5, 0.5)
    assert report.days[3].sessions == 0


def test_a_month_of_one_small_day_hides_its_totals_too() -> None:
    report = build_month(
        [DayCount(date(2026, 11, 2), 3, 2, 60, Octets(1, 1))], Month(2026, 11), today=TODAY, smallest_group=5
    )
    assert (report.device_days, report.sessions, report.gigabytes_down) == (None, None, None)


def test_an_empty_month_has_no_busiest_day() -> None:
    assert build_month([], Month(2026, 2), today=TODAY, smallest_group=5).busiest is None


def test_running_totals_do_not_tell_of_a_hidden_day() -> None:
    rows = [DayCount(date(2026, 11, n), 20, devices, 3600, Octets(10**9, 0)) for n, devices in ((1, 9), (2, 8), (3, 7))]
    before = build_month(rows, Month(2026, 11), today=date(2026, 11, 3), smallest_group=5)
    small = [*rows, DayCount(date(2026, 11, 4), 3, 2, 60, Octets(1, 1))]
    after = build_month(small, Month(2026, 11), today=date(2026, 11, 4), smallest_group=5)
    shown = [day.device_days for day in after.days if day.device_days is not None]
    assert (before.device_days, after.device_days, sum(shown)) == (24, 17, 17)  # the next smallest is hidden with it
    assert after.under_way and after.sessions == 40
    over = build_month(small, Month(2026, 11), today=TODAY, smallest_group=5)
    assert not over.under_way and over.device_days == 26


def test_sessions_without_a_counted_device_are_hidden_like_few() -> None:
    rows = [DayCount(date(2026, 11, 1), 3, 0, 0, Octets()), DayCount(date(2026, 11, 2), 9, 9, 60, Octets())]
    report = build_month(rows, Month(2026, 11), today=TODAY, smallest_group=5)
    assert report.days[0].sessions is None and report.days[1].hidden


def test_a_running_month_that_shows_nobody_has_no_totals() -> None:
    rows = [DayCount(date(2026, 11, 1), 3, 2, 60, Octets())]
    assert build_month(rows, Month(2026, 11), today=date(2026, 11, 2), smallest_group=5).sessions is None


def test_the_month_under_way_ends_today() -> None:
    report = build_month([], Month(2026, 11), today=date(2026, 11, 23), smallest_group=5)
    assert [report.days[0].day, report.days[-1].day] == [date(2026, 11, 1), date(2026, 11, 23)]


def test_a_wire_error_carries_its_reason() -> None:
    assert WireError("too_short").reason == "too_short"
