"""The status page and going offline: what RADIUS and accounting know of a device, shown to nobody but its visit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from hotspot.access import PENDING_SECONDS
from hotspot.values import MacAddress, Octets
from portal.captive.standing import State
from store import outbox, schema
from tests.portal.hands import NOW, WANTED, Door, Phone, add_session, words
from tests.portal.online import radius_accepts


@pytest.fixture
def online(door: Door, phone: Phone) -> int:
    """The phone is online since NOW, ten minutes ago; the session's id."""
    phone.accept()
    grant_id = radius_accepts(door)
    session_id = add_session(door.city, grant_id=grant_id, octets=Octets(down=1_234_500_000, up=5_600_000))
    door.clock.forward(minutes=10)
    return session_id


def heading(page_text: str) -> str:
    return next(each for each in State if f'<h1 id="{each}">' in page_text)


def test_a_device_that_never_came_is_offline(phone: Phone) -> None:
    page = phone.status()
    assert page.status_code == 200
    assert heading(page.text) == "offline"
    assert "Your last connection" not in page.text


def test_a_tap_that_radius_has_not_seen_is_offline(phone: Phone) -> None:
    phone.accept()
    assert heading(phone.status().text) == "offline"


def test_between_the_accept_and_the_start(door: Door, phone: Phone) -> None:
    phone.accept()
    radius_accepts(door)
    assert heading(phone.status().text) == "starting"
    door.clock.forward(seconds=PENDING_SECONDS)
    assert heading(phone.status().text) == "starting"
    door.clock.forward(seconds=1)
    assert heading(phone.status().text) == "offline"


def test_an_old_session_does_not_hide_the_next_start(door: Door, phone: Phone) -> None:
    add_session(door.city, started_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1))
    phone.accept()
    radius_accepts(door)
    assert heading(phone.status().text) == "starting"


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        ("en", ["13:00", "3 hours 50 minutes", "1.76 GB", "1.23 GB", "5.6 MB", "Neuer Markt", "You are online"]),
        ("de", ["13:00", "3 Stunden 50 Minuten", "1,76 GB", "1,23 GB", "5,6 MB", "Neuer Markt", "Sie sind online"]),
    ],
)
def test_online_says_since_when_how_much_and_what_is_left(
    phone: Phone, online: int, language: str, facts: list[str]
) -> None:
    page = phone.status(language=language)
    assert heading(page.text) == "online"
    for fact in facts:
        assert fact in words(page)
    assert f'href="{WANTED.replace("&", "&amp;")}"' in page.text


def test_the_day_s_volume_does_not_make_time(door: Door, phone: Phone, online: int) -> None:
    door.clock.forward(hours=5)
    assert "0 minutes" in words(phone.status())


def test_a_disconnect_under_way_is_told(door: Door, phone: Phone, online: int) -> None:
    assert "Your connection is being ended." not in phone.status().text
    with door.city.store.write() as conn:
        outbox.want_disconnect(conn, session_id=online, requested_by=None, now=door.clock())
    assert "Your connection is being ended." in phone.status().text


def test_an_ended_session_says_when_and_how_long(door: Door, phone: Phone) -> None:
    add_session(door.city, started_at=NOW, ended_at=NOW + timedelta(minutes=65), seconds=3_900)
    door.clock.forward(hours=2)
    page = phone.status()
    assert heading(page.text) == "offline"
    assert "Your last connection ended at 14:05. It lasted 1 hour 5 minutes." in words(page)
    assert "Get online again" in page.text


def test_the_way_back_in_passes_the_nas(door: Door, phone: Phone) -> None:
    """A wish for an https page would not be caught by the NAS, and the button would lead nowhere."""
    for wish, way in (
        ("https://example.org/", f"{door.nas.login_url}/"),
        ("http://example.org/", "http://example.org/"),
    ):
        page = phone.get(phone.arrive(res="logoff", challenge=None, userurl=wish).location)
        assert f'<a class="button" href="{way}">' in page.text


def test_another_device_sees_nothing_of_it(door: Door, online: int) -> None:
    other = door.phone(MacAddress.parse("02-00-5E-10-00-0B"))
    page = other.status()
    assert heading(page.text) == "offline"
    assert "GB" not in words(page)


def test_the_language_switch_keeps_the_status(phone: Phone, online: int) -> None:
    token = phone.token()
    page = phone.get(f"/status?visit={token}&lang=de")
    assert "Sie sind online" in page.text
    assert f"visit={token}" in page.text


# Going offline -------------------------------------------------------------------------------------------


def test_going_offline_ends_the_grants_and_asks_the_nas(door: Door, phone: Phone, online: int) -> None:
    phone.accept()
    with door.city.store.write() as conn:
        conn.execute(update(schema.grant).values(remembered=True))
    answer = phone.send("/logout", {"visit": phone.token()})
    assert (answer.status_code, answer.location) == (303, f"{door.nas.login_url}/logoff")
    with door.city.store.read() as conn:
        grants = list(conn.execute(schema.grant.select()).mappings())
    assert len(grants) == 2
    for grant in grants:
        assert grant["ended_at"] == door.clock()
        assert not grant["remembered"], "who logs out is not let in again without the page"


def test_going_offline_leaves_other_devices_alone(door: Door, phone: Phone) -> None:
    other = door.phone(MacAddress.parse("02-00-5E-10-00-0B"))
    other.accept()
    phone.accept()
    phone.send("/logout", {"visit": phone.token()})
    with door.city.store.read() as conn:
        ended = [row.ended_at for row in conn.execute(schema.grant.select().order_by(schema.grant.c.id))]
    assert ended == [None, door.clock()]


def test_an_unknown_device_may_go_offline_too(door: Door, phone: Phone) -> None:
    answer = phone.send("/logout", {"visit": phone.token()})
    assert answer.location == f"{door.nas.login_url}/logoff"
    assert door.count(schema.device) == 0


def test_after_going_offline_a_start_on_its_way_is_not_promised(door: Door, phone: Phone) -> None:
    phone.accept()
    radius_accepts(door)
    phone.send("/logout", {"visit": phone.token()})
    assert heading(phone.status().text) == "offline"
