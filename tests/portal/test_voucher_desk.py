"""Batches of voucher codes and their sheet: what may be ordered, what is stored, what is printed."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from hotspot.plan import Way
from hotspot.roles import Role
from hotspot.vouchers import ALPHABET, parse_code
from store import audit, residents, schema
from tests.portal.hands import NOW, Door, Phone, Seat, form, words

ORDER = {"label": "Bücherei, Sommer", "count": "12", "valid_hours": "48", "redeem_days": "90"}


@pytest.fixture
def desk(door: Door) -> Seat:
    return door.member(Role.DESK)


def order(seat: Seat, **changes: str):  # type: ignore[no-untyped-def]
    """The form as the page gives it, filled in."""
    with seat.door.city.store.read() as conn:
        (plan,) = residents.plans(conn, Way.VOUCHER)
    return seat.send("/staff/vouchers", ORDER | {"plan": str(plan.id)} | changes)


def codes_on(page_text: str) -> list[str]:
    return re.findall(r'<p class="code">([^<]+)</p>', page_text)


# A batch --------------------------------------------------------------------------------------------------


def test_a_batch_is_stored_printed_and_noted(door: Door, desk: Seat) -> None:
    answer = order(desk)
    assert (answer.status_code, answer.location) == (303, "/staff/vouchers/1")
    sheet = desk.get(answer.location)
    codes = codes_on(sheet.text)
    assert len(set(codes)) == 12
    for code in codes:
        assert re.fullmatch(f"[{ALPHABET}]{{5}}-[{ALPHABET}]{{5}}", code)
    for told in ("Bücherei, Sommer", "Gastkarte", "Hours from first use: 48", "Use by: 21 Feb 2027, 13:00"):
        assert told in words(sheet)
    with door.city.store.read() as conn:
        batch = conn.execute(schema.voucher_batch.select()).mappings().one()
        stored = conn.execute(schema.voucher.select()).mappings().all()
        entries = audit.entries(conn, limit=10)
    assert batch["valid_minutes"] == 48 * 60
    assert batch["redeem_until"] == NOW + timedelta(days=90)
    for row in stored:
        for code in codes:
            assert parse_code(code).encode() not in bytes(row["code_sealed"]) + bytes(row["code_hash"])
    noted = [(each.action, each.subject, each.login, each.detail) for each in entries]
    assert ("voucher.batch", "batch:1", "desk", {"count": 12}) in noted
    assert ("voucher.print", "batch:1", "desk", {}) in noted
    assert not any(parse_code(code) in str(noted) for code in codes)


def test_a_printed_code_admits(desk: Seat, phone: Phone) -> None:
    code = codes_on(desk.get(order(desk).location).text)[0]
    assert phone.try_code(code.lower()).status_code == 303
    listed = words(desk.get("/staff/vouchers"))
    assert "Bücherei, Sommer Gastkarte 12 1 " in listed, "one of twelve is used"


def test_the_sheet_is_the_same_when_printed_again(desk: Seat) -> None:
    sheet = order(desk).location
    assert codes_on(desk.get(sheet).text) == codes_on(desk.get(sheet).text)


def test_each_code_has_its_own_qr(desk: Seat) -> None:
    page = desk.get(order(desk, count="3").location).text
    drawn = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawn) == len(set(drawn)) == 3
    for svg in drawn:
        root = ElementTree.fromstring(svg)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        assert width == height == 29, "21 modules and a quiet zone of four on each side (ISO 18004)"
        assert "style" not in svg, "the policy forbids inline styles"


def test_a_batch_may_be_large(door: Door, desk: Seat) -> None:
    most = door.city.config.limits.voucher_batch_max
    answer = order(desk, count=str(most))
    assert answer.status_code == 303
    assert door.count(schema.voucher) == most
    assert len(set(codes_on(desk.get(answer.location).text))) == most


def test_the_newest_batch_is_listed_first(door: Door, desk: Seat) -> None:
    for label in ("batch A", "batch B"):
        order(desk, label=label)
        door.clock.forward(minutes=1)
    page = words(desk.get("/staff/vouchers"))
    assert 0 < page.index("batch B") < page.index("batch A")


# Orders that will not do ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label": ""}, "Label: 1 to 80 characters, so that you find the batch again."),
        ({"label": " \t"}, "Label: 1 to 80 characters, so that you find the batch again."),
        ({"label": "x" * 81}, "Label: 1 to 80 characters, so that you find the batch again."),
        ({"count": "0"}, "Codes: a number from 1 to 500."),
        ({"count": "501"}, "Codes: a number from 1 to 500."),
        ({"count": "-1"}, "Codes: a number from 1 to 500."),
        ({"count": "ten"}, "Codes: a number from 1 to 500."),
        ({"count": "1e2"}, "Codes: a number from 1 to 500."),
        ({"count": "٣"}, "Codes: a number from 1 to 500."),
        ({"count": "9" * 5_000}, "Codes: a number from 1 to 500."),
        ({"valid_hours": "0"}, "Hours: a number from 1 to 2160."),
        ({"valid_hours": "2161"}, "Hours: a number from 1 to 2160."),
        ({"valid_hours": ""}, "Hours: a number from 1 to 2160."),
        ({"redeem_days": "731"}, "Days: a number from 1 to 730."),
        ({"redeem_days": "1.5"}, "Days: a number from 1 to 730."),
        ({"plan": "999"}, "Plan: choose one of the list."),
        ({"plan": "x"}, "Plan: choose one of the list."),
        ({"plan": ""}, "Plan: choose one of the list."),
    ],
)
def test_a_bad_order_makes_nothing_and_says_why(door: Door, desk: Seat, changes: dict[str, str], sentence: str) -> None:
    page = order(desk, **({"count": "7"} | changes))
    assert page.status_code == 422
    assert sentence in words(page)
    again = form(page, "batch")
    for name, value in (ORDER | {"count": "7"} | changes).items():
        if name != "plan" and value.strip():
            assert again[name] == value, "what was typed is there to be corrected"
    assert door.count(schema.voucher_batch) == door.count(schema.voucher) == 0


def test_a_tap_s_plan_is_none_for_vouchers(door: Door, desk: Seat) -> None:
    with door.city.store.read() as conn:
        (tap,) = residents.plans(conn, Way.TAP)
    assert order(desk, plan=str(tap.id)).status_code == 422


def test_a_missing_field_is_a_bad_order(desk: Seat) -> None:
    assert desk.send("/staff/vouchers", {}).status_code == 422


def test_a_batch_of_nothing_is_no_page(desk: Seat) -> None:
    for number in (1, 999):
        assert desk.get(f"/staff/vouchers/{number}").status_code == 404
