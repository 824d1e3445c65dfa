"""The NAS's side of `kogge radius test`, with pyrad as the second opinion on every octet."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket

from hotspot.errors import WireError
from radius import client, wire
from radius.client import Client
from radius.wire import Attr, Code

SECRET = b"a-secret-of-the-test"
AUTHENTICATOR = bytes(range(16))
KNOWN = Dictionary(str(Path(__file__).parents[2] / "simulator" / "dictionary"))


def as_pyrad(request: bytes) -> AuthPacket:
    return AuthPacket(secret=SECRET, dict=KNOWN, packet=request)


@pytest.mark.parametrize("length", [1, 15, 16, 17, 32, 128])
def test_pap_is_what_pyrad_reads(length: int) -> None:
    password = os.urandom(length).replace(b"\0", b"x")
    ((kind, hidden),) = client.pap(password, AUTHENTICATOR, SECRET)
    assert kind == Attr.USER_PASSWORD
    assert AuthPacket(secret=SECRET, authenticator=AUTHENTICATOR, dict=KNOWN).PwCrypt(password) == hidden
    assert wire.decrypt_password(hidden, SECRET, AUTHENTICATOR) == password


def test_chap_is_what_pyrad_verifies() -> None:
    request = client.access_request(1, AUTHENTICATOR, client.chap(b"secret-word", 7, b"c" * 16), SECRET)
    assert as_pyrad(request).VerifyChapPasswd("secret-word")
    assert not as_pyrad(request).VerifyChapPasswd("another")


def test_a_signature_is_what_pyrad_verifies_and_comes_first() -> None:
    request = client.access_request(1, AUTHENTICATOR, [(Attr.USER_NAME, b"somebody")], SECRET)
    assert as_pyrad(request).verify_message_authenticator()
    assert request[20:22] == bytes((Attr.MESSAGE_AUTHENTICATOR, 18))
    tampered = request[:-1] + b"x"
    assert not as_pyrad(tampered).verify_message_authenticator()


def test_an_accounting_request_is_what_pyrad_verifies() -> None:
    request = client.accounting_request(1, [(Attr.ACCT_SESSION_ID, b"s-1")], SECRET)
    assert AcctPacket(secret=SECRET, dict=KNOWN, packet=request).VerifyAcctRequest()


def test_an_unsigned_request_has_no_message_authenticator() -> None:
    request = client.unsigned_access_request(1, AUTHENTICATOR, [(Attr.USER_NAME, b"somebody")])
    assert wire.parse(request).signature_at == 0


# Replies ----------------------------------------------------------------------------------------------

REQUEST = client.access_request(9, AUTHENTICATOR, [(Attr.USER_NAME, b"somebody")], SECRET)


def reply(code: Code = Code.ACCESS_ACCEPT, secret: bytes = SECRET) -> bytes:
    return wire.encode_reply(wire.parse(REQUEST), code, [(Attr.CLASS, b"kogge:1")], secret)


def test_a_true_reply_is_taken() -> None:
    packet = client.verified(reply(), REQUEST, SECRET)
    assert packet.octets(Attr.CLASS) == b"kogge:1" and client.signed_first(packet)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: reply(secret=b"another-secret-of-all"), "bad_authenticator"),
        (lambda: reply(Code.ACCOUNTING_RESPONSE), "not_an_answer"),
        (lambda: reply()[:1] + b"\x0a" + reply()[2:], "not_an_answer"),
        (lambda: reply()[:-1] + b"2", "bad_authenticator"),
        (lambda: reply()[:19], "too_short"),
    ],
)
def test_anything_else_is_refused(change: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(WireError) as raised:
        client.verified(change(), REQUEST, SECRET)
    assert raised.value.reason == reason


def test_a_reply_signed_last_is_told() -> None:
    """As older servers sign: a collision may stand in front of it (CVE-2024-3596)."""
    first = wire.parse(reply())
    body = first.raw[20:]
    turned = wire.parse(first.raw[:20] + body[18:] + body[:18])
    assert not client.signed_first(turned)
    unsigned = wire.parse(bytes((2, 9, 0, 20)) + bytes(16))
    assert not client.signed_first(unsigned)


def test_a_wrong_reply_before_the_true_one_does_not_matter() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        with Client("127.0.0.1", server.getsockname(), SECRET) as asking:
            source = asking._socket.getsockname()
            server.sendto(reply(secret=b"another-secret-of-all"), source)
            server.sendto(reply(), source)
            answer = asking.ask(REQUEST, (5.0,))
    assert (answer.packet.code, answer.attempt) == (Code.ACCESS_ACCEPT, 1)


def test_the_same_octets_go_out_again_until_one_is_answered() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        with Client("127.0.0.1", server.getsockname(), SECRET) as asking, pytest.raises(TimeoutError):
            asking.ask(REQUEST, (0.05, 0.05, 0.05))
        server.settimeout(5)
        assert [server.recv(4096) for _ in range(3)] == [REQUEST] * 3
