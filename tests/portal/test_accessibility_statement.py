"""The accessibility statement: what the law asks for and only the operator knows, in the reader's language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.model import Accessibility
from service.cities import City
from tests.portal.hands import Clock, Door, Phone, words


def test_the_statement_says_what_the_operator_knows(phone: Phone) -> None:
    page = phone.get("/accessibility", language="en")
    stated = phone.door.city.config.accessibility
    assert stated is not None
    for fact in (stated.law, *stated.exceptions, stated.enforcement_body, "25 Nov 2026", "42 days"):
        assert fact in words(page)
    assert "These pages meet most of the requirements." in words(page)
    assert f'<a class="tap" href="{stated.enforcement_url}">' in page.text
    assert f"mailto:{phone.door.city.config.contact.email}" in page.text


def test_what_the_operator_wrote_is_marked_as_the_city_s_language(phone: Phone) -> None:
    assert '<ul lang="de">' in phone.get("/accessibility", language="pl").text


@pytest.mark.parametrize("path", ["/help", "/terms", "/", "/nowhere"])
def test_every_page_leads_there_in_its_language(phone: Phone, path: str) -> None:
    assert 'href="/accessibility?lang=sv"' in phone.get(path, language="sv").text.replace(phone.door.url, "")


@pytest.mark.parametrize(
    ("conformance", "exceptions", "sentence"),
    [
        ("full", (), "These pages meet all requirements."),
        ("none", ("Everything.",), "These pages do not meet the requirements yet."),
    ],
)
def test_the_statement_is_as_good_as_the_pages(
    quick_city: City, conformance: str, exceptions: tuple[str, ...], sentence: str
) -> None:
    stated = quick_city.config.accessibility
    assert stated is not None
    changed = stated.model_copy(update={"conformance": conformance, "exceptions": exceptions, "method": "external"})
    page = phone_of(quick_city, changed).get("/accessibility", language="en")
    assert sentence in words(page) and "Somebody from outside looked for us." in words(page)
    assert ("What is not accessible" in words(page)) is bool(exceptions)


def test_without_a_statement_there_is_neither_page_nor_link(quick_city: City) -> None:
    phone = phone_of(quick_city, None)
    assert phone.get("/accessibility").status_code == 404
    assert "/accessibility" not in phone.get("/help").text


def phone_of(city: City, accessibility: Accessibility | None) -> Phone:
    config = city.config.model_copy(update={"accessibility": accessibility})
    return Door(replace(city, config=config), Clock(), "").phone()
