"""Admission: who is heard, what is dropped and why, what is answered twice with the same bytes."""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import replace

import pytest
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket

from radius.intake import CACHE_SECONDS, Drop, Intake, Port, Resend, Work
from radius.peers import Peers, plain_address
from store.nases import Nas

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
    assert plain_address("::ffff:192.0.2.1") == "192.0.2.1"
    assert isinstance(auth().admit(request(), ("::ffff:192.0.2.1", 1), 0), Work)
