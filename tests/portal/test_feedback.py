"""Feedback: anybody's message becomes an e-mail to the city, within limits; without e-mail there is a telephone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from hotspot.face import Face, HelpContact
from hotspot.feedback import CITY_MAX, MESSAGE_MAX, RANGE_MAX, WINDOW
from service.cities import City
from store import messages, places, schema
from store.messages import Kind, Message
from tests.portal.hands import NOW, Door, Phone, form, words


@pytest.fixture
def city(city: City) -> City:
    """The city sends e-mail."""
    mail = city.config.mail.model_copy(update={"host": "127.0.0.1", "sender": "wlan@rostock.example"})
    object.__setattr__(city, "config", city.config.model_copy(update={"mail": mail}))
    return city


def write(phone: Phone, message: str = "Der Knopf ist zu klein.", *, address: str = "", **fields: str) -> TestResponse:
    preset = form(phone.get("/feedback"), "feedback")
    typed = preset | {"message": message, **fields}
    environ = {"REMOTE_ADDR": address or "192.0.2.7"}
    return phone.client.post("/feedback", base_url=phone.door.url, data=typed, environ_overrides=environ)


def outbox(door: Door) -> list[Message]:
    with door.city.store.write() as conn:
        return messages.claim(conn, door.city.store.keys, Kind.EMAIL, limit=100, now=door.clock())


def test_a_message_becomes_an_e_mail_to_the_city(door: Door, phone: Phone) -> None:
    answer = write(phone, "Der Knopf\r\nist zu klein.", email="erika@Example.org")
    assert (answer.status_code, answer.location) == (303, "/feedback?sent=1&lang=en")
    assert "Thank you. Your message is on its way." in words(phone.get(answer.location))
    (mail,) = outbox(door)
    assert mail.recipient == door.city.config.contact.email
    assert mail.subject == f"Rückmeldung zum WLAN – {door.city.config.name}"
    assert mail.text.startswith("Der Knopf\nist zu klein.\n") and "Antwort an: erika@example.org" in mail.text
    assert door.sample("kogge_portal_feedback_total", result="wanted") == 1


def test_a_place_s_own_help_gets_it_and_reads_where(door: Door, phone: Phone) -> None:
    writer = door.add_member("painter")
    with door.city.store.write() as conn:
        place = places.place(conn, door.nas.site_id)
        assert place is not None
        face = Face(help=HelpContact("Hafenamt", "hafen@rostock.example"))
        places.change(conn, replace(place, face=face), staff_id=writer, now=NOW)
    answer = write(phone, visit=form(phone.arrive(), "accept")["visit"])
    assert "visit=" in answer.location
    (mail,) = outbox(door)
    assert mail.recipient == "hafen@rostock.example" and f"Ort: {place.name}" in mail.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"message": " \r\n"}, "Please write something."),
        ({"message": "x" * (MESSAGE_MAX + 1)}, "Your message is too long."),
        ({"email": "nobody"}, "That is not an e-mail address."),
        ({"email": "a@b.de\r\nBcc: c@d.de"}, "That is not an e-mail address."),
    ],
)
def test_what_will_not_do_is_said_and_stays_in_the_form(
    door: Door, phone: Phone, fields: dict[str, str], said: str
) -> None:
    answer = write(phone, **({"message": "Bitte"} | fields))
    assert answer.status_code == 422 and said in words(answer) and 'aria-invalid="true"' in answer.text
    assert door.count(schema.message) == 0


def test_a_program_that_fills_in_everything_is_told_the_same(door: Door, phone: Phone) -> None:
    answer = write(phone, website="http://spam.example")
    assert answer.status_code == 303 and "sent=1" in answer.location
    assert door.count(schema.message) == 0
    assert door.sample("kogge_portal_feedback_total", result="trapped") == 1


def test_one_address_range_writes_so_often_and_others_still_may(door: Door, phone: Phone) -> None:
    for number in range(RANGE_MAX):
        assert write(phone, address=f"192.0.2.{number + 1}").status_code == 303
    limited = write(phone, "Noch eins", address="192.0.2.99")
    assert limited.status_code == 429 and "Many messages came in just now." in words(limited)
    assert "Noch eins" in limited.text and "mailto:" in limited.text
    assert write(phone, address="198.51.100.1").status_code == 303
    door.clock.forward(seconds=WINDOW.total_seconds() + 1)
    assert write(phone, address="192.0.2.99").status_code == 303


def test_a_city_gets_so_many_from_everywhere(door: Door, phone: Phone) -> None:
    sent = [write(phone, address=f"198.18.{number}.1").status_code for number in range(CITY_MAX + 1)]
    assert sent == [303] * CITY_MAX + [429]


def test_without_e_mail_there_is_no_form(door: Door, phone: Phone) -> None:
    mail = door.city.config.mail.model_copy(update={"host": ""})
    object.__setattr__(door.city, "config", door.city.config.model_copy(update={"mail": mail}))
    page = phone.get("/feedback")
    assert "<form" not in page.text
    assert f"mailto:{door.city.config.contact.email}" in page.text and "tel:+49381000000" in page.text
    assert phone.send("/feedback", {"message": "x"}).status_code == 200
    assert door.count(schema.message) == 0
