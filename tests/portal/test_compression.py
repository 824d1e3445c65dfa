"""Residents' pages in gzip for whoever takes it; nothing in gzip for whoever brings a cookie."""

from __future__ import annotations

import gzip

import pytest
from werkzeug.test import TestResponse

from hotspot.roles import Role
from tests.portal.hands import Door, Phone


def plain(page: TestResponse) -> bytes:
    return gzip.decompress(page.data) if page.headers.get("Content-Encoding") == "gzip" else page.data


@pytest.mark.parametrize("path", ["/help", "/terms", "/", "/nowhere"])
def test_a_page_is_smaller_and_the_same(phone: Phone, path: str) -> None:
    small = phone.client.get(path, base_url=phone.door.url, headers={"Accept-Encoding": "gzip, deflate, br"})
    large = phone.client.get(path, base_url=phone.door.url)
    assert small.headers["Content-Encoding"] == "gzip"
    assert plain(small) == large.data
    assert len(small.data) * 2 < len(large.data)
    assert int(small.headers["Content-Length"]) == len(small.data)
    assert "Accept-Encoding" in small.headers["Vary"] and "Accept-Encoding" in large.headers["Vary"]


@pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "deflate, gzip; q=0.0"])
def test_who_does_not_take_gzip_gets_none(phone: Phone, accepted: str) -> None:
    page = phone.client.get("/help", base_url=phone.door.url, headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in page.headers and b"<html" in page.data


def test_a_page_behind_a_cookie_is_never_compressed(door: Door) -> None:
    """Its length would tell what stands on it, to a page of somebody else's that makes the browser ask (BREACH)."""
    client, headers = door.member(Role.ADMIN).client, {"Accept-Encoding": "gzip"}
    page = client.get("/staff/sessions", base_url=door.staff_url, headers=headers)
    assert page.status_code == 200 and "Content-Encoding" not in page.headers


def test_the_first_page_fits_into_one_flight_in_every_language(phone: Phone) -> None:
    """Ten segments of 1,460 octets (RFC 6928), headers included."""
    for language in phone.door.city.config.languages:
        headers = {"Accept-Language": language, "Accept-Encoding": "gzip"}
        page = phone.client.get(phone.redirect(), base_url=phone.door.url, headers=headers)
        assert f'lang="{language}"' in plain(page).decode()
        assert len(str(page.headers)) + len(page.data) < 14_336, language
