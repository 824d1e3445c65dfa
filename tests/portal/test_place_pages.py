"""The staff's pages of places: what is typed is kept and shown, what will not do is named; previews store nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from hotspot.plan import Way
from hotspot.roles import Role
from store import audit, places, schema
from tests.portal.hands import Door, Phone, Seat, words

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0h9v9z' fill='#123456'/></svg>"
TYPED = {
    "name": "Stadthafen",
    "opening_hours": "Mo-Fr 08:00-18:00",
    "ways": ["voucher"],
    "shown_name": "Hafen-WLAN",
    "accent": "#8A1F4D",
    "help_name": "Hafenamt",
    "help_email": "hafen@rostock.example",
    "help_phone": "+49 381 1",
    "ssid": "Hafen",
    "welcome_de": "Moin!",
    "welcome_pl": "Witamy!",
}


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def send(admin: Seat, path: str, logo: bytes = b"", **changes: Any) -> TestResponse:
    fields = {**TYPED, **changes, "logo": (io.BytesIO(logo), "logo.svg")}
    return admin.send(path, fields)


def path_of(door: Door) -> str:
    return f"/staff/places/{door.nas.site_id}"


def stored(door: Door) -> places.Place:
    with door.city.store.read() as conn:
        found = places.place(conn, door.nas.site_id)
    assert found is not None
    return found


def test_what_is_typed_is_stored_and_shown(door: Door, admin: Seat, phone: Phone) -> None:
    phone.arrive()
    answer = send(admin, path_of(door), SVG)
    assert (answer.status_code, answer.location) == (303, f"{path_of(door)}?saved=1")
    place = stored(door)
    assert (place.name, place.opening_hours, place.ways) == ("Stadthafen", "Mo-Fr 08:00-18:00", "voucher")
    assert place.face.colours is not None and place.face.colours.accent == "#8a1f4d"
    assert place.face.welcome == {"de": "Moin!", "pl": "Witamy!"}
    page = phone.arrive(language="pl")
    assert "Hafen-WLAN" in words(page) and "Witamy!" in words(page) and "hafen@rostock.example" in words(page)
    assert 'id="voucher"' in page.text and 'id="accept"' not in page.text
    form_again = admin.get(path_of(door)).text
    assert 'value="Moin!"' in form_again and 'value="voucher" checked' in form_again
    with door.city.store.read() as conn:
        assert audit.entries(conn, limit=1)[0].action == "site.change"


def test_a_logo_stays_until_it_is_to_go(door: Door, admin: Seat) -> None:
    send(admin, path_of(door), SVG)
    send(admin, path_of(door))
    assert stored(door).face.logo is not None
    send(admin, path_of(door), no_logo="1")
    assert stored(door).face.logo is None


def test_what_is_empty_is_the_city_s(door: Door, admin: Seat, phone: Phone) -> None:
    empty = {name: "" for name in TYPED if name not in ("name", "ways")}
    send(admin, path_of(door), **empty, ways=[])
    assert stored(door).face == places.Face()
    assert "Freies WLAN Rostock" in words(phone.arrive())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "1 to 60 characters."),
        ({"opening_hours": "always"}, "Write it like Mo-Fr 08:00-18:00"),
        ({"ways": ["teleport"]}, "Choose from the list."),
        ({"shown_name": "x" * 61}, "At most 60 characters."),
        ({"accent": "blue"}, "A colour such as #0b5a8a."),
        ({"accent": "", "on_accent": "#ffffff"}, "The accent colour is missing"),
        (
            {"accent": "#4a90d9"},
            "#4a90d9 has a contrast of 3.0:1, less than 4.5:1. The nearest shade that is",
        ),
        ({"on_accent": "#8a1f4d"}, "#8a1f4d has a contrast of 1.0:1"),
        ({"ssid": "x" * 33}, "At most 32 octets"),
        ({"help_email": "nobody"}, "An e-mail address such as"),
        ({"help_name": ""}, "An e-mail address such as"),
        ({"welcome_de": "x" * 301}, "At most 300 characters."),
        ({"logo": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"}, "<script>"),
    ],
)
def test_what_will_not_do_is_named_and_nothing_is_stored(
    door: Door, admin: Seat, changes: dict[str, Any], said: str
) -> None:
    before = stored(door)
    answer = send(admin, path_of(door), **changes)
    assert answer.status_code == 422
    assert said in words(answer).replace("&lt;", "<")
    assert stored(door) == before


def test_a_preview_is_the_residents_page_and_changes_nothing(door: Door, admin: Seat) -> None:
    before = stored(door)
    page = send(admin, f"{path_of(door)}/preview", SVG, preview="pl", ways=[Way.TAP.value])
    assert page.status_code == 200
    assert '<html lang="pl"' in page.text and "Witamy!" in words(page) and "--sea:#8a1f4d" in page.text
    assert "<div inert>" in page.text and 'id="accept"' in page.text and 'id="voucher"' not in page.text
    assert stored(door) == before
    assert send(admin, f"{path_of(door)}/preview", accent="blue").status_code == 422
    saved = admin.get(f"{path_of(door)}/preview?lang=nds")
    assert '<html lang="nds"' in saved.text and "<div inert>" in saved.text


def test_a_place_that_is_none_is_not_there(door: Door, admin: Seat) -> None:
    for path in ("/staff/places/999", "/staff/places/999/preview", "/staff/places/999/poster"):
        assert admin.get(path).status_code == 404
    assert door.count(schema.site) > 0


def test_the_list_names_every_place(door: Door, admin: Seat) -> None:
    with door.city.store.read() as conn:
        names = [place.name for place in places.places(conn)]
    assert len(names) > 2 and all(name in words(admin.get("/staff/places")) for name in names)


# Poster -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["de", "en", "pl", "de-simple"])
def test_a_poster_has_its_codes_and_words(door: Door, admin: Seat, language: str) -> None:
    page = admin.get(f"{path_of(door)}/poster?lang={language}")
    assert page.status_code == 200 and f'<html lang="{language}"' in page.text
    assert page.text.count("<svg") == 2 and "Rostock-WLAN" in words(page) and door.url in words(page)
    assert page.text.count("<style>") == 2 and page.headers["Content-Security-Policy"].count("sha256-") == 4
