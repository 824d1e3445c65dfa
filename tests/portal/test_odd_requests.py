"""Numbers that no database holds, addresses that look like hosts, links of pages that stand on two hosts."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, select

from hotspot.roles import Role
from store import schema
from tests.portal.hands import Door, Phone, words

HUGE = [str(2**63), "9" * 40]


# Numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["0", str(2**63 - 1), *HUGE])
def test_a_number_of_nothing_is_no_page(door: Door, number: str) -> None:
    admin = door.member(Role.ADMIN)
    assert admin.get(f"/staff/vouchers/{number}").status_code == 404
    assert admin.send(f"/staff/sessions/{number}/disconnect").status_code == 404


def test_a_list_from_anywhere_is_a_page(door: Door) -> None:
    admin = door.member(Role.ADMIN)
    for path in ("/staff/sessions", "/staff/audit"):
        for first in ("-1", "x", "", "1e3", *HUGE):
            assert admin.get(f"{path}?from={first}").status_code == 200, (path, first)


# Addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/%0d%0aevil", "/https://evil.example"])
def test_no_link_of_an_error_page_leads_away(phone: Phone, path: str) -> None:
    """A path that begins with two slashes (or what a browser takes for them) is a host where it stands in a link."""
    page = phone.client.get("/", base_url=phone.door.url, environ_overrides={"PATH_INFO": path, "REQUEST_URI": path})
    assert page.status_code in (308, 404)
    assert "evil" not in "".join(links(page.text))
    assert (page.location or phone.door.url).startswith(phone.door.url)


def test_every_link_of_an_error_page_leads_somewhere(door: Door, phone: Phone) -> None:
    """Also on the staff's host, where the residents' help and terms are no pages."""
    for browser in (door.seat(), phone):
        found = links(browser.get("/nowhere", language="de").text)
        assert len(found) == len(door.city.config.languages) + 4
        for link in found:
            switch = link.startswith("?")
            reader = phone if link.startswith(door.url) else browser
            answer = reader.get(f"/nowhere{link}" if switch else link.removeprefix(door.url))
            assert answer.status_code == (404 if switch else 200), link


def test_an_error_page_is_there_in_the_other_language(phone: Phone) -> None:
    german = phone.get("/nowhere?lang=de", language="en")
    assert "Diese Seite gibt es nicht." in words(german)


def links(html: str) -> list[str]:
    """But those that open another program."""
    return re.findall(r'<a href="(?!mailto:|tel:)([^"]*)"', html)


# A city with more plans than most -----------------------------------------------------------------------


def test_the_page_names_the_plan_that_a_tap_grants(door: Door, phone: Phone) -> None:
    """Two plans by tap: which is granted and how long the page says it lasts must not be two."""
    with door.city.store.write() as conn:
        (tap,) = conn.execute(select(schema.plan).where(schema.plan.c.way == "tap")).mappings()
        short = {**tap, "id": 99, "key": "short", "name": "Zwischendurch", "session_minutes": 30}
        conn.execute(insert(schema.plan).values(**short))
    assert "Up to 4 hours at a time." in words(phone.arrive())
    phone.accept()
    with door.city.store.read() as conn:
        assert conn.execute(select(schema.grant.c.plan_id)).scalar_one() == tap["id"]


# Languages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accepted", ["EN", "En-us,DE;q=0.1", "DE"])
def test_a_browser_that_shouts_is_answered(phone: Phone, accepted: str) -> None:
    page = phone.get("/help", language=accepted)
    assert page.status_code == 200
    assert f'<html lang="{accepted[:2].lower()}" dir="ltr">' in page.text
