"""What proves a device: a signed redirect, or the very ticket that RADIUS accepted; never a browser's mere word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hotspot.access import Reason
from hotspot.values import MacAddress
from portal import tokens
from portal.captive import proof
from portal.tokens import Visit
from service.reasons import REASONS
from store import access, schema
from tests.portal.hands import NOW, PHONE, Door, Phone, words
from tests.portal.online import end, go_online, radius_accepts

OTHER = MacAddress.parse("02-00-5E-10-00-0B")
CLAIM = Visit(1, PHONE, arrived_at=NOW)
"""An unsigned redirect said this MAC address."""


def token(door: Door, visit: Visit) -> str:
    return tokens.issue(door.city.store.keys, visit, now=door.clock())


def heading(door: Door, phone: Phone, visit: Visit) -> str:
    page = phone.status(token(door, visit))
    return page.text.partition('<h1 id="')[2].partition('"')[0]


def test_a_claim_sees_a_neutral_page(door: Door, phone: Phone) -> None:
    go_online(door, phone)
    visit = token(door, CLAIM)
    page = phone.status(visit)
    assert heading(door, phone, CLAIM) == "unknown"
    assert "Neuer Markt" not in page.text and "my-data" not in page.text and "capport" not in page.text
    assert f"/welcome?visit={visit}" in page.text


def test_a_claim_with_a_ticket_waits_until_radius_accepts_it(door: Door, phone: Phone) -> None:
    phone.accept()
    waiting = replace(CLAIM, grant_id=1)
    assert heading(door, phone, waiting) == "waiting"
    radius_accepts(door)
    assert heading(door, phone, waiting) == "starting"


def test_a_refused_ticket_says_why(door: Door, phone: Phone) -> None:
    phone.accept()
    waiting = replace(CLAIM, grant_id=1)
    with door.city.store.write() as conn:
        noted = access.Noted(door.nas.id, 1, 1, "ticket", Reason.DAILY_VOLUME_USED.value)
        access.note_decisions(conn, [noted], now=door.clock())
    assert REASONS[Reason.DAILY_VOLUME_USED] in words(phone.status(token(door, waiting)))
    other = replace(waiting, mac=OTHER)
    assert REASONS[Reason.DAILY_VOLUME_USED] not in words(phone.status(token(door, other)))


def test_another_device_s_accepted_ticket_proves_nothing(door: Door, phone: Phone) -> None:
    """SQLite gives the number of a deleted grant to the next one, whoever's it is."""
    phone.accept()
    radius_accepts(door)
    assert not proof.proven(door.city, Visit(1, OTHER, grant_id=1), now=NOW)
    door.phone(OTHER).accept()
    assert not proof.proven(door.city, Visit(1, OTHER, grant_id=1), now=NOW)
    assert not proof.proven(door.city, Visit(1, OTHER, grant_id=2), now=NOW)
    assert proof.proven(door.city, Visit(1, PHONE, grant_id=1), now=NOW)


def test_what_cannot_be_undone_wants_a_fresh_proof(door: Door, phone: Phone) -> None:
    def fresh(now: datetime, **changes: object) -> bool:
        return proof.fresh(door.city, replace(CLAIM, **changes), now=now)  # type: ignore[arg-type]

    session_id = go_online(door, phone)
    hour, late = NOW + timedelta(hours=1), NOW + timedelta(hours=1, seconds=1)
    assert fresh(hour, signed=True) and not fresh(late, signed=True)
    assert not fresh(NOW) and not fresh(NOW, signed=True, arrived_at=None)
    assert fresh(late, grant_id=1), "the session that runs was admitted with this browser's ticket"
    assert not fresh(late, grant_id=1, mac=OTHER)
    end(door, session_id, late)
    assert not fresh(late, grant_id=1) and fresh(hour, grant_id=1)


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/my-data"), ("get", "/my-data.json"), ("get", "/my-data/delete"), ("post", "/my-data/delete")],
)
@pytest.mark.parametrize("grant_id", [0, 1, 2, 999])
def test_my_data_is_for_nobody_who_proves_nothing(
    door: Door, phone: Phone, method: str, path: str, grant_id: int
) -> None:
    go_online(door, phone)
    claimed = replace(CLAIM, grant_id=grant_id, mac=PHONE if grant_id != 1 else OTHER)
    visit = token(door, claimed)
    answer = phone.get(f"{path}?visit={visit}") if method == "get" else phone.send(path, {"visit": visit})
    assert answer.status_code == 403
    assert "Neuer Markt" not in answer.text and str(PHONE) not in answer.text
    assert door.count(schema.acceptance) == 1
    assert door.sample("kogge_portal_my_data_total", result="unproven") == 1
