"""How a place shows itself: a face of its own, notices, what the policy allows for it; also while all else fails."""

from __future__ import annotations

import gzip
import random
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hotspot import wifi4eu
from hotspot.colours import complete
from hotspot.face import Face, HelpContact
from hotspot.logo import LOGO_BYTES_MAX, PNG, Logo, read_logo
from hotspot.terms import Draft
from portal.captive import front
from portal.captive.faces import KEPT_FOR, Faces
from service.cities import City
from service.snippets import garden_hosts
from store import notices, places, schema, terms
from store.nases import COMMAND_LINE
from store.store import Store
from tests.portal.hands import NOW, Door, Phone, form, words

LOGO = read_logo(b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0h9v9z'/></svg>")
HARBOUR = Face("Hafen", LOGO, complete("#8a1f4d"), {"en": "Ahoy!"}, HelpContact("Harbour master", "h@hafen.example"))
NETWORK = "123e4567-e89b-12d3-a456-426655440000"


def tell(door: Door, texts: dict[str, str], site_id: int | None = None, hours: float | None = None) -> None:
    until = door.clock() + timedelta(hours=hours) if hours else None
    with door.city.store.write() as conn:
        notices.add(conn, texts, site_id=site_id, from_at=NOW, until_at=until, author=COMMAND_LINE, now=door.clock())


# Faces --------------------------------------------------------------------------------------------------


@pytest.fixture
def harbour(door: Door) -> Door:
    """The place of the city's NAS, with a face of its own."""
    staff_id = door.add_member("painter")
    with door.city.store.write() as conn:
        place = places.place(conn, door.nas.site_id)
        assert place is not None
        places.change(conn, replace(place, face=HARBOUR), staff_id=staff_id, now=NOW)
    return door


def test_a_place_shows_its_own_face(harbour: Door, phone: Phone) -> None:
    page = phone.arrive()
    assert "Hafen" in words(page) and "Ahoy!" in words(page) and "Harbour master" in words(page)
    assert f'src="{LOGO.data_uri}"' in page.text
    assert "--sea:#8a1f4d" in page.text


def test_every_page_of_a_visit_has_the_place_s_face(harbour: Door, phone: Phone) -> None:
    visit = form(phone.arrive(), "accept")["visit"]
    for path in ("/welcome", "/status", "/help", "/terms", "/feedback"):
        assert "Hafen" in words(phone.get(f"{path}?visit={visit}")), path
        assert f"visit={visit}" in phone.get(f"{path}?visit={visit}").text.partition("<footer>")[2]
    for path in ("/help", "/terms", "/feedback", "/"):
        assert "Freies WLAN Rostock" in words(phone.get(path)), "without a visit it is the city's"


def test_a_welcome_in_another_language_is_not_shown(harbour: Door, phone: Phone) -> None:
    assert "Ahoy!" not in words(phone.arrive(language="pl"))


def test_a_change_shows_within_seconds(door: Door, phone: Phone) -> None:
    assert "Störung" not in words(phone.arrive())
    tell(door, {"de": "Störung am Hafen"})
    door.clock.forward(seconds=KEPT_FOR.total_seconds() + 1)
    assert "Störung am Hafen" in words(phone.arrive())


def test_what_is_typed_is_text(door: Door, phone: Phone) -> None:
    tell(door, {"de": "<script>alert(1)</script>"})
    page = phone.arrive()
    assert "<script" not in page.text and "&lt;script&gt;" in page.text


# Notices ------------------------------------------------------------------------------------------------


def test_notices_stand_on_top_of_the_pages_in_their_time(door: Door, phone: Phone) -> None:
    tell(door, {"de": "Störung", "en": "Outage"}, hours=1)
    for path in ("/help", "/terms", "/status?visit=" + phone.token()):
        main = phone.get(path).text.partition("<main>")[2]
        assert main.index("Outage") < main.index("<h1"), path
        assert 'role="status"' in main.partition("Outage")[0]
    assert 'lang="de"><strong>' in phone.get("/help", language="pl").text, "said in the city's language, and marked"
    door.clock.forward(hours=1)
    assert "Outage" not in words(phone.get("/help"))


def test_a_place_s_notice_is_for_who_stands_there(door: Door, phone: Phone) -> None:
    tell(door, {"de": "Nur hier"}, site_id=door.nas.site_id)
    tell(door, {"de": "Nur dort"}, site_id=door.nas.site_id + 1)
    assert "Nur hier" in words(phone.arrive()) and "Nur dort" not in words(phone.arrive())
    assert "Nur hier" not in words(phone.get("/help"))


# The policy ---------------------------------------------------------------------------------------------


def with_wifi4eu(door: Door, *, self_test: bool = False) -> Door:
    section = door.city.config.face.wifi4eu.model_copy(
        update={"enabled": True, "network_identifier": NETWORK, "self_test": self_test}
    )
    face = door.city.config.face.model_copy(update={"wifi4eu": section})
    config = door.city.config.model_copy(update={"face": face})
    return Door(City(config, door.city.store), door.clock, door.password_hash)


def test_without_the_programme_no_page_knows_another_host(door: Door, phone: Phone) -> None:
    page = phone.arrive()
    assert wifi4eu.HOST not in page.text + page.headers["Content-Security-Policy"]
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert wifi4eu.HOST not in garden_hosts(door.city.config, door.nas)


@pytest.mark.parametrize("self_test", [False, True])
def test_the_programme_s_snippet_is_on_the_first_page_alone(door: Door, self_test: bool) -> None:
    member = with_wifi4eu(door, self_test=self_test)
    phone = member.phone()
    page, policy = phone.arrive(language="pl"), phone.arrive(language="pl").headers["Content-Security-Policy"]
    (script,) = re.findall("<script>(.*?)</script>", page.text, re.DOTALL)
    assert script == wifi4eu.script(NETWORK, "pl", self_test=self_test)
    assert f'<script src="https://{wifi4eu.HOST}/wifi4eu.min.js"></script>' in page.text
    assert 'id="wifi4eubanner"' in page.text
    assert re.search(rf"script-src 'sha256-[^']+' https://{wifi4eu.HOST};", policy)
    assert f"connect-src https://{wifi4eu.HOST}" in policy and "unsafe" not in policy
    for path in ("/help", "/terms", "/status?visit=" + form(page, "accept")["visit"]):
        other = phone.get(path)
        assert "<script" not in other.text and "script-src" not in other.headers["Content-Security-Policy"]
    assert wifi4eu.HOST in garden_hosts(member.city.config, member.nas)


# The database is away -----------------------------------------------------------------------------------


def test_help_is_there_without_the_database(door: Door, tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'gone' / 'kogge.db'}", door.city.store.keys)
    page = Door(City(door.city.config, store), door.clock, door.password_hash).phone().get("/help")
    assert page.status_code == 200
    assert "Freies WLAN Rostock" in words(page) and door.city.config.contact.email in words(page)


def test_the_last_known_face_and_notices_stay(harbour: Door, tmp_path: Path) -> None:
    tell(harbour, {"de": "Störung"})
    site_id = harbour.nas.site_id
    city = City(harbour.city.config, harbour.city.store)
    faces = Faces(city, harbour.clock)
    assert faces.at(site_id)[0].name == "Hafen"
    away = Store.open(f"sqlite:///{tmp_path / 'gone' / 'kogge.db'}", harbour.city.store.keys)
    object.__setattr__(city, "store", away)
    harbour.clock.forward(seconds=10)
    face, current = faces.at(site_id)
    assert face.name == "Hafen" and [notice.texts["de"] for notice in current] == ["Störung"]


# Weight -------------------------------------------------------------------------------------------------


def test_the_largest_face_with_the_longest_terms_still_fits_into_one_round_trip(harbour: Door, phone: Phone) -> None:
    """A logo that nothing compresses, terms as long as the first page shows, three notices, the widest letters."""
    chance = random.Random(17)
    largest = Logo(PNG, chance.randbytes(LOGO_BYTES_MAX))
    letters = [chr(code) for code in range(ord("а"), ord("я"))]
    vocabulary = ["".join(chance.choices(letters, k=chance.randint(3, 12))) for _ in range(400)]
    text = " ".join(chance.choices(vocabulary, k=1_000))
    with harbour.city.store.write() as conn:
        place = places.place(conn, harbour.nas.site_id)
        assert place is not None
        member = conn.execute(select(schema.staff.c.id)).scalars().first()
        places.change(conn, replace(place, face=replace(HARBOUR, logo=largest)), staff_id=member or 0, now=NOW)
        longest = {"de": Draft("Умови", text[: front.TERMS_LINKED_FROM])}
        terms.publish(conn, longest, author=COMMAND_LINE, now=NOW)
    for _ in range(3):
        tell(harbour, {"de": text[:200]})
    page = phone.get(phone.redirect(), language="uk", headers={"Accept-Encoding": "gzip"})
    assert text[:60] in gzip.decompress(page.data).decode() and largest.data_uri in gzip.decompress(page.data).decode()
    assert len(page.data) + sum(len(f"{name}: {value}\r\n") for name, value in page.headers) < 14_336
