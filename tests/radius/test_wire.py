"""The codec: RFC vectors, pyrad as a second opinion, and every malformed packet a reason."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket, CoAPacket
from pyrad.packet import Packet as PyradPacket

from hotspot.errors import WireError
from radius import wire
from radius.wire import Attr, Code, DynamicCode

SECRET = b"xyzzy5461"

RFC2865_PAP = bytes.fromhex(  # RFC 2865 section 7.1: User Telnet to Specified Host
    "010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a80110050600000003"
)
RFC2865_ACCEPT = bytes.fromhex("0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103")


def test_rfc2865_example_reads_as_the_rfc_says() -> None:
    packet = wire.parse(RFC2865_PAP)
    assert (packet.code, packet.identifier, packet.text(Attr.USER_NAME)) == (1, 0, "nemo")
    assert packet.address(Attr.NAS_IP_ADDRESS) == "192.168.1.16"
    hidden = packet.octets(Attr.USER_PASSWORD)
    assert hidden is not None
    assert wire.decrypt_password(hidden, SECRET, packet.authenticator) == b"arctangent"


def test_rfc2865_reply_authenticator() -> None:
    """The RFC's Access-Accept, byte for byte, but for the Message-Authenticator that we put in front."""
    request = wire.parse(RFC2865_PAP)
    attributes = [(6, bytes.fromhex("00000001")), (15, bytes(4)), (14, bytes.fromhex("c0a80103"))]
    reply = wire.encode_reply(request, Code.ACCESS_ACCEPT, attributes, SECRET)
    assert reply[38:] == RFC2865_ACCEPT[20:]
    digest = hashlib.md5(RFC2865_ACCEPT[:4] + RFC2865_PAP[4:20] + RFC2865_ACCEPT[20:] + SECRET).digest()
    assert digest == RFC2865_ACCEPT[4:20]


@pytest.mark.parametrize("code", [Code.ACCESS_ACCEPT, Code.ACCESS_REJECT])
def test_access_replies_begin_with_a_message_authenticator(code: Code) -> None:
    request = wire.parse(RFC2865_PAP)
    reply = wire.encode_reply(request, code, [(Attr.REPLY_MESSAGE, b"hello")], SECRET)
    assert reply[20:22] == bytes((80, 18))
    unsigned = reply[:4] + request.authenticator + reply[20:22] + bytes(16) + reply[38:]
    assert hmac.digest(SECRET, unsigned, "md5") == reply[22:38]
    assert hashlib.md5(reply[:4] + request.authenticator + reply[20:] + SECRET).digest() == reply[4:20]


def test_proxy_states_come_back_in_order() -> None:
    asked = pyrad_request({1: [b"nemo"], 33: [b"one", b"two"]})
    reply = wire.parse(wire.encode_reply(wire.parse(asked), Code.ACCESS_REJECT, [], SECRET))
    assert [value for kind, value in reply.attributes if kind == Attr.PROXY_STATE] == [b"one", b"two"]


def pyrad_request(attributes: dict[int, list[bytes]]) -> bytes:
    packet = AuthPacket(secret=SECRET, authenticator=os.urandom(16), dict=Dictionary())
    packet.add_message_authenticator()
    for kind, values in attributes.items():
        OrderedDict.__setitem__(packet, kind, values)
    return bytes(packet.RequestPacket())


@given(st.lists(st.tuples(st.integers(1, 25), st.binary(min_size=1, max_size=60)), max_size=8))
def test_pyrad_reads_what_we_write_and_we_what_pyrad_writes(pairs: list[tuple[int, bytes]]) -> None:
    attributes: dict[int, list[bytes]] = {}
    for kind, value in pairs:
        attributes.setdefault(kind, []).append(value)
    request = wire.parse(pyrad_request(attributes))
    assert wire.message_authenticator_ok(request, SECRET) is True
    assert wire.message_authenticator_ok(request, b"another") is False
    ours = [(kind, value) for kind, value in request.attributes if kind != Attr.MESSAGE_AUTHENTICATOR]
    assert sorted(ours) == sorted((kind, value) for kind, values in attributes.items() for value in values)
    reply = wire.encode_reply(request, Code.ACCESS_ACCEPT, ours, SECRET)
    theirs = PyradPacket(packet=reply, dict=Dictionary())
    assert {kind: list(theirs.get(kind)) for kind in attributes} == attributes


def test_accounting_authenticator_as_pyrad_makes_it() -> None:
    packet = AcctPacket(secret=SECRET, dict=Dictionary())
    OrderedDict.__setitem__(packet, 44, [b"session"])
    raw = bytes(packet.RequestPacket())
    assert wire.accounting_authenticator_ok(wire.parse(raw), SECRET)
    assert not wire.accounting_authenticator_ok(wire.parse(raw), b"another")


def test_two_message_authenticators_are_wrong() -> None:
    good = pyrad_request({1: [b"nemo"]})
    twice = good[:2] + (len(good) + 18).to_bytes(2, "big") + good[4:] + bytes((80, 18)) + bytes(16)
    assert wire.message_authenticator_ok(wire.parse(twice), SECRET) is False


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "too_short"),
        (RFC2865_PAP[:19], "too_short"),
        (RFC2865_PAP[:2] + b"\x00\x13" + RFC2865_PAP[4:], "bad_length"),
        (RFC2865_PAP[:2] + b"\x00\xff" + RFC2865_PAP[4:], "bad_length"),
        (bytes((1, 0)) + (5080).to_bytes(2, "big") + bytes(5076), "bad_length"),
        (bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 50)), "attribute_overrun"),
        (bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 1)), "attribute_overrun"),
        (bytes((1, 0, 0, 21)) + bytes(16) + bytes((1,)), "attribute_overrun"),
        (bytes((1, 0)) + (20 + 402).to_bytes(2, "big") + bytes(16) + bytes((1, 2)) * 201, "too_many_attributes"),
        (bytes((1, 0)) + (20 + 33).to_bytes(2, "big") + bytes(16) + bytes((33, 3, 7)) * 11, "too_many_proxy_states"),
    ],
)
def test_malformed_framing_has_a_reason(datagram: bytes, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.parse(datagram)
    assert caught.value.reason == reason


@given(st.binary(max_size=200))
def test_no_datagram_raises_anything_else(datagram: bytes) -> None:
    try:
        packet = wire.parse(datagram)
    except WireError:
        return
    wire.message_authenticator_ok(packet, SECRET)
    wire.accounting_authenticator_ok(packet, SECRET)
    for read in (packet.text, packet.integer, packet.address):
        for kind in Attr:
            with contextlib.suppress(WireError):
                read(kind)


def test_padding_after_the_packet_is_ignored() -> None:
    assert wire.parse(RFC2865_PAP + b"\0" * 12) == wire.parse(RFC2865_PAP)


ASKED = [(Attr.USER_NAME, b"abc"), (Attr.ACCT_SESSION_ID, b"s1"), (Attr.EVENT_TIMESTAMP, bytes(4))]


@pytest.mark.parametrize("code", DynamicCode)
@pytest.mark.parametrize("signed", [True, False])
def test_a_dynamic_request_and_its_answers(code: DynamicCode, signed: bool) -> None:
    request = wire.encode_dynamic(code, 7, ASKED, SECRET, signed=signed)
    asked = CoAPacket(packet=request, secret=SECRET, dict=Dictionary())
    assert (asked.code, asked.id) == (code, 7) and asked.VerifyCoARequest()
    assert request == wire.encode_dynamic(code, 7, ASKED, SECRET, signed=signed)
    assert request[20] == (80 if signed else 1), "a Message-Authenticator stands first"
    for answers, cause in ((1, None), (2, 503)):
        answer = asked.CreateReply()
        answer.code = code + answers
        if cause:
            OrderedDict.__setitem__(answer, 101, [cause.to_bytes(4, "big")])
        said = wire.decode_dynamic_reply(bytes(answer.ReplyPacket()), request, SECRET)
        assert (said.acknowledged, said.error_cause) == (cause is None, cause)
    with pytest.raises(WireError, match="bad_authenticator"):
        wire.decode_dynamic_reply(bytes(answer.ReplyPacket()), request, b"another")
    with pytest.raises(WireError, match="not_an_answer"):
        wire.decode_dynamic_reply(RFC2865_PAP, request, SECRET)


def test_a_dynamic_request_is_signed_as_rfc_5176_says() -> None:
    """Section 3.3: the hash takes request authenticator and Message-Authenticator as zeros."""
    request = wire.encode_dynamic(DynamicCode.COA, 9, ASKED, SECRET, signed=True)
    zeroed = request[:4] + bytes(16) + b"\x50\x12" + bytes(16) + request[38:]
    assert request[22:38] == hmac.new(SECRET, zeroed, "md5").digest()
    assert request[4:20] == hashlib.md5(request[:4] + bytes(16) + request[20:] + SECRET).digest()


def _signed_answer(request: bytes, flaw: int) -> bytes:
    """An ACK with a Message-Authenticator, one of its octets changed by `flaw`."""
    head = bytes((request[0] + 1, request[1], 0, 38))
    digest = bytearray(hmac.new(SECRET, head + request[4:20] + b"\x50\x12" + bytes(16), "md5").digest())
    digest[0] ^= flaw
    body = b"\x50\x12" + bytes(digest)
    return head + hashlib.md5(head + request[4:20] + body + SECRET).digest() + body


def test_an_answer_with_a_wrong_message_authenticator_is_none() -> None:
    request = wire.encode_dynamic(DynamicCode.DISCONNECT, 9, ASKED, SECRET, signed=True)
    assert wire.decode_dynamic_reply(_signed_answer(request, 0), request, SECRET).acknowledged
    with pytest.raises(WireError, match="bad_message_authenticator"):
        wire.decode_dynamic_reply(_signed_answer(request, 1), request, SECRET)


def test_what_is_beyond_the_longest_packet_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="4,096"):
        wire.encode_dynamic(DynamicCode.COA, 1, [(Attr.CLASS, bytes(253))] * 17, SECRET, signed=False)
