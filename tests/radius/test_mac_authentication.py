"""A remembered device comes back by its MAC address, however its NAS writes that and with whatever password."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from hotspot.terms import Draft
from hotspot.values import MacSpelling
from radius import client
from radius.wire import Attr, Attribute, Code
from service.cities import City
from store import terms
from store.nases import COMMAND_LINE
from tests.radius.conftest import PHONE, SECRET, issue_ticket

CALL_CHECK, FRAMED, LOGIN = 10, 2, 1
"""Service-Type: many NASes, CoovaChilli, some that make no difference (RFC 2865 section 5.6; HANDOFF)."""


class Nas:
    """Asks the running server as a NAS does."""

    def __init__(self, city: City) -> None:
        self._settings = city.config.radius
        self._asked = 0
        self.authenticator = os.urandom(16)

    def ask(self, attributes: list[Attribute], proof: list[Attribute]) -> Code:
        self._asked += 1
        said = [(Attr.CALLING_STATION_ID, str(PHONE).encode()), *attributes, *proof]
        request = client.access_request(self._asked, self.authenticator, said, SECRET.encode())
        with client.Client("127.0.0.1", ("127.0.0.1", self._settings.auth_port), SECRET.encode()) as asking:
            return Code(asking.ask(request).packet.code)

    def start(self, session: str, user_name: str) -> None:
        said = [(Attr.ACCT_STATUS_TYPE, bytes((0, 0, 0, 1))), (Attr.ACCT_SESSION_ID, session.encode())]
        said += [(Attr.USER_NAME, user_name.encode()), (Attr.CALLING_STATION_ID, str(PHONE).encode())]
        request = client.accounting_request(1, said, SECRET.encode())
        with client.Client("127.0.0.1", ("127.0.0.1", self._settings.acct_port), SECRET.encode()) as asking:
            asking.ask(request)

    def pap(self, password: str) -> list[Attribute]:
        return client.pap(password.encode(), self.authenticator, SECRET.encode())


def named(name: str, service: int) -> list[Attribute]:
    return [(Attr.USER_NAME, name.encode()), (Attr.SERVICE_TYPE, service.to_bytes(4, "big"))]


@pytest.fixture
def nas(radius: City) -> Nas:
    """One whose device was let on with a ticket and began a session: the city remembers it."""
    asking = Nas(radius)
    ticket = issue_ticket(radius)
    assert asking.ask(named(ticket.name, LOGIN), asking.pap(ticket.password)) is Code.ACCESS_ACCEPT
    asking.start("first", ticket.name)
    return asking


def test_however_the_nas_writes_it(nas: Nas) -> None:
    for spelling in MacSpelling:
        name = PHONE.spelled(spelling)
        assert nas.ask(named(name, CALL_CHECK), nas.pap(name)) is Code.ACCESS_ACCEPT, spelling


def test_whatever_the_nas_takes_for_a_password(nas: Nas) -> None:
    """The secret vouches for the request, and it is the NAS that saw the address: a password adds nothing."""
    name = PHONE.spelled(MacSpelling.PLAIN_LOWER)
    proofs = {
        "none": [],
        "the address": nas.pap(name),
        "the shared secret": nas.pap(SECRET),
        "CHAP of the address": client.chap(name.encode(), 7, os.urandom(16)),
    }
    for service in (CALL_CHECK, FRAMED, LOGIN):
        for said, proof in proofs.items():
            assert nas.ask(named(name, service), proof) is Code.ACCESS_ACCEPT, (service, said)


@pytest.mark.parametrize("name", ["02-00-5E-10-00-0B", "02:00-5E:10-00:0a", "resident", ""])
def test_another_name_with_the_device_s_address_proves_nothing(nas: Nas, name: str) -> None:
    said = named(name, CALL_CHECK) if name else [(Attr.SERVICE_TYPE, CALL_CHECK.to_bytes(4, "big"))]
    assert nas.ask(said, nas.pap(str(PHONE))) is Code.ACCESS_REJECT


def test_new_terms_bring_the_page_back(nas: Nas, radius: City) -> None:
    """A device that is remembered has accepted other terms than those that hold now."""
    name = PHONE.spelled(MacSpelling.PLAIN_LOWER)
    assert nas.ask(named(name, CALL_CHECK), []) is Code.ACCESS_ACCEPT
    with radius.store.write() as conn:
        texts = {"de": Draft("Nutzungsbedingungen", "Ganz neu.")}
        assert terms.publish(conn, texts, author=COMMAND_LINE, now=datetime.now(UTC)) == 2
    assert nas.ask(named(name, CALL_CHECK), []) is Code.ACCESS_REJECT
    ticket = issue_ticket(radius)  # the terms that hold now, accepted on the page
    assert nas.ask(named(ticket.name, LOGIN), nas.pap(ticket.password)) is Code.ACCESS_ACCEPT
