"""Admission: who is heard, what is dropped and why, what is answered twice with the same bytes."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import replace

import pytest
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket

from radius.intake import CACHE_SECONDS, CANDIDATES_MAX, Drop, Intake, Port, Resend, Work
from radius.peers import Peers
from store.nases import Nas
from tests.support.packets import access_request, accounting_request, status_server

SECRET = b"a-secret-of-the-test"
NAS = Nas(
    id=1,
    name="gw",
    site_name="Markt",
    nas_identifier="gw-1",
    address="192.0.2.1",
    product="coovachilli",
    login_url="http://192.0.2.1:3990",
    coa_port=3799,
    require_message_authenticator="yes",
    message_authenticator_at=None,
    limit_proxy_state=True,
    octets_swapped=False,
    secret=SECRET,
    uam_secret=b"",
)
SOURCE = ("192.0.2.1", 40000)


def request(*, secret: bytes = SECRET, signed: bool = True, eap: bool = False) -> bytes:
    packet = AuthPacket(secret=secret, authenticator=os.urandom(16), id=7, dict=Dictionary())
    if signed:
        packet.add_message_authenticator()
    OrderedDict.__setitem__(packet, 1, [b"nemo"])
    if eap:
        OrderedDict.__setitem__(packet, 79, [b"\x02\x00\x00\x04"])
    return bytes(packet.RequestPacket())


def auth(nas: Nas = NAS, **options: int) -> Intake:
    return Intake(Port.AUTH, Peers([nas]), **options)


def test_a_sound_request_is_work() -> None:
    work = auth().admit(request(), SOURCE, 0)
    assert isinstance(work, Work)
    assert work.packet.identifier == 7 and work.peer.nas.name == "gw"


@pytest.mark.parametrize(
    ("datagram", "source", "reason"),
    [
        (request(), ("192.0.2.9", 40000), "unknown_client"),
        (request(secret=b"wrong"), SOURCE, "bad_message_authenticator"),
        (request(signed=False), SOURCE, "no_message_authenticator"),
        (b"\x01" * 30, SOURCE, "bad_length"),
        (b"\x02" + request()[1:], SOURCE, "wrong_code"),
    ],
    ids=["stranger", "wrong secret", "unsigned", "broken", "a reply"],
)
def test_silence_has_a_reason(datagram: bytes, source: tuple[str, int], reason: str) -> None:
    verdict = auth().admit(datagram, source, 0)
    assert isinstance(verdict, Drop)
    assert verdict.reason == reason


def test_a_nas_may_be_let_off_the_message_authenticator_but_not_with_eap() -> None:
    lenient = replace(NAS, require_message_authenticator="no")
    assert isinstance(auth(lenient).admit(request(signed=False), SOURCE, 0), Work)
    verdict = auth(lenient).admit(request(signed=False, eap=True), SOURCE, 0)
    assert isinstance(verdict, Drop)
    assert verdict.reason == "no_message_authenticator"


def test_accounting_needs_its_authenticator() -> None:
    packet = AcctPacket(secret=SECRET, id=9, dict=Dictionary())
    OrderedDict.__setitem__(packet, 44, [b"session"])
    raw = bytes(packet.RequestPacket())
    acct = Intake(Port.ACCT, Peers([NAS]))
    assert isinstance(acct.admit(raw, SOURCE, 0), Work)
    forged = acct.admit(raw[:-1] + b"X", SOURCE, 0)
    assert isinstance(forged, Drop)
    assert forged.reason == "bad_authenticator"


def test_a_duplicate_gets_the_same_bytes_until_the_cache_forgets() -> None:
    intake, datagram = auth(), request()
    work = intake.admit(datagram, SOURCE, 0)
    assert isinstance(work, Work)
    waiting = intake.admit(datagram, SOURCE, 1)
    assert isinstance(waiting, Drop)
    assert waiting.reason == "still_working"
    intake.finish(work, b"reply", 2)
    assert intake.admit(datagram, SOURCE, 3) == Resend(b"reply")
    assert isinstance(intake.admit(datagram, ("192.0.2.1", 40001), 3), Work)
    assert isinstance(intake.admit(datagram, SOURCE, 2 + CACHE_SECONDS), Work)


def test_what_could_not_be_answered_is_new_work_next_time() -> None:
    intake, datagram = auth(), request()
    work = intake.admit(datagram, SOURCE, 0)
    assert isinstance(work, Work)
    intake.forget(work)
    assert isinstance(intake.admit(datagram, SOURCE, 1), Work)


def test_the_cache_is_bounded_and_spoofed_packets_do_not_fill_it() -> None:
    intake = auth(cache_max=3)
    for _ in range(10):
        intake.admit(request(), SOURCE, 0)
    assert len(intake) == 3 and (intake.take_evicted(), intake.take_evicted()) == (7, 0)
    later = intake.admit(request(), SOURCE, CACHE_SECONDS)
    assert isinstance(later, Work) and len(intake) == 1 and intake.take_evicted() == 0
    quiet = auth()
    for _ in range(10):
        quiet.admit(request(secret=b"wrong"), SOURCE, 0)
    assert len(quiet) == 0


def test_an_ipv4_address_in_an_ipv6_coat_is_the_same_client() -> None:
    assert isinstance(auth().admit(request(), ("::ffff:192.0.2.1", 1), 0), Work)


# Behind one address -------------------------------------------------------------------------------------

NETWORK = "192.0.2.0/24"


def crowd(count: int) -> list[Nas]:
    """NASes in one network, each with its own identifier and secret."""
    return [
        replace(NAS, id=n, name=f"gw-{n}", nas_identifier=f"id-{n}", address=NETWORK, secret=f"the secret {n}".encode())
        for n in range(count)
    ]


def admitted_as(intake: Intake, datagram: bytes) -> int | str:
    """The NAS's id, or the reason of the silence."""
    verdict = intake.admit(datagram, SOURCE, 0)
    assert not isinstance(verdict, Resend)
    return verdict.peer.nas.id if isinstance(verdict, Work) else verdict.reason


@pytest.mark.parametrize("make", [access_request, accounting_request], ids=["auth", "acct"])
def test_the_secret_tells_who_of_several_it_is(make: type) -> None:
    port = Port.AUTH if make is access_request else Port.ACCT
    intake = Intake(port, Peers(crowd(3)))
    for number in range(3):
        assert admitted_as(intake, make(f"the secret {number}".encode())) == number
    verdict = intake.admit(make(b"nobody's secret"), SOURCE, 0)
    assert isinstance(verdict, Drop)
    assert verdict.reason.startswith("bad_") and verdict.peer is None  # it may have been any of them


def test_the_identifier_leaves_one_secret_to_try() -> None:
    intake = Intake(Port.AUTH, Peers(crowd(20)))
    assert admitted_as(intake, access_request(b"the secret 17", (32, b"id-17"))) == 17
    verdict = intake.admit(access_request(b"the secret 16", (32, b"id-17")), SOURCE, 0)
    assert isinstance(verdict, Drop)
    assert verdict.reason == "bad_message_authenticator"
    assert verdict.peer is not None and verdict.peer.nas.id == 17


def test_only_so_many_secrets_are_tried_and_that_is_counted() -> None:
    intake = Intake(Port.AUTH, Peers(crowd(CANDIDATES_MAX + 1)))
    last = CANDIDATES_MAX - 1
    assert admitted_as(intake, access_request(f"the secret {last}".encode())) == last
    assert intake.take_untried() == 0
    beyond = access_request(f"the secret {CANDIDATES_MAX}".encode())
    assert admitted_as(intake, beyond) == "bad_message_authenticator"
    assert (intake.take_untried(), intake.take_untried()) == (1, 0)


# Message-Authenticator and Proxy-State ------------------------------------------------------------------


def test_auto_requires_it_from_the_first_on_and_says_so() -> None:
    peers = Peers([replace(NAS, require_message_authenticator="auto")])
    intake = Intake(Port.AUTH, peers)
    assert admitted_as(intake, access_request(SECRET, signed=False)) == 1
    assert admitted_as(intake, access_request(b"wrong")) == "bad_message_authenticator"
    assert admitted_as(intake, status_server(SECRET)) == 1  # these are always signed and tell nothing
    assert admitted_as(intake, access_request(SECRET, signed=False)) == 1 and peers.learned == set()
    assert admitted_as(intake, access_request(SECRET)) == 1
    assert peers.learned == {1}
    assert admitted_as(intake, access_request(SECRET, signed=False)) == "no_message_authenticator"


@pytest.mark.parametrize(
    ("setting", "limited", "signed", "expected"),
    [
        ("no", True, False, "proxy_state"),
        ("auto", True, False, "proxy_state"),
        ("no", False, False, 1),
        ("no", True, True, 1),
        ("yes", True, True, 1),
        ("yes", False, False, "no_message_authenticator"),
    ],
)
def test_proxy_state_needs_a_message_authenticator_where_it_is_limited(
    setting: str, limited: bool, signed: bool, expected: int | str
) -> None:
    nas = replace(NAS, require_message_authenticator=setting, limit_proxy_state=limited)
    assert admitted_as(auth(nas), access_request(SECRET, (33, b"proxy"), signed=signed)) == expected


def test_accounting_may_carry_proxy_state() -> None:
    assert admitted_as(Intake(Port.ACCT, Peers([NAS])), accounting_request(SECRET, (33, b"proxy"))) == 1
