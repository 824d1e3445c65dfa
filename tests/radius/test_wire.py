"""The codec: pyrad as a second opinion on every packet that both accept, and every malformed packet a reason."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket, CoAPacket, PacketError
from pyrad.packet import Packet as PyradPacket

from hotspot.errors import WireError
from radius import wire
from radius.wire import Attr, Attribute, Code, DynamicCode, Packet

SECRET = b"xyzzy5461"

RFC2865_PAP = bytes.fromhex(  # RFC 2865 section 7.1: User Telnet to Specified Host
    "010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a80110050600000003"
)

# Packets to try ------------------------------------------------------------------------------------------

VALUES = st.binary(max_size=253)
ATTRIBUTES = st.lists(st.tuples(st.integers(0, 255), VALUES), max_size=14)
ASKERS = st.binary(min_size=16, max_size=16)
HEADERS = st.tuples(st.sampled_from([1, 2, 3, 4, 5, 11, 12, 40, 99]), st.integers(0, 255), ASKERS)
LIKELY = st.builds(
    lambda size, rest: bytes((1, 7)) + (20 + size).to_bytes(2, "big") + bytes(16) + rest,
    st.integers(-3, 120),
    st.binary(max_size=120),
)
"""With a length that is about right, so that it is the attributes that are malformed."""


def packed(header: tuple[int, int, bytes], attributes: Sequence[Attribute]) -> bytes:
    code, identifier, authenticator = header
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    return bytes((code, identifier)) + (20 + len(body)).to_bytes(2, "big") + authenticator + body


def parsed(datagram: bytes) -> Packet | None:
    try:
        return wire.parse(datagram)
    except WireError:
        return None


def oracle(kind: type[PyradPacket], datagram: bytes) -> PyradPacket | None:
    """pyrad's reading of it, vendors' attributes kept as they are; None where it does not take it."""
    try:
        return kind(packet=datagram, secret=SECRET)
    except PacketError:
        return None


# Both codecs ---------------------------------------------------------------------------------------------


@given(st.builds(packed, HEADERS, ATTRIBUTES) | LIKELY | st.binary(max_size=60))
def test_what_both_accept_both_read_alike(datagram: bytes) -> None:
    """pyrad takes what overruns its packet; the other way round it takes all that we do."""
    ours, theirs = parsed(datagram), oracle(PyradPacket, datagram)
    if ours is None:
        return
    assert theirs is not None
    assert (ours.code, ours.identifier, ours.authenticator) == (theirs.code, theirs.id, theirs.authenticator)
    grouped: dict[int, list[bytes]] = {}
    for kind, value in ours.attributes:
        grouped.setdefault(kind, []).append(value)
    assert grouped == {kind: list(OrderedDict.__getitem__(theirs, kind)) for kind in OrderedDict.keys(theirs)}
    assert ours.first == {kind: values[0] for kind, values in grouped.items()}
    assert all(ours.every(kind) == values for kind, values in grouped.items())


@given(st.builds(packed, HEADERS, ATTRIBUTES) | LIKELY)
@example(packed((1, 1, bytes(16)), [(1, bytes(253)), (1, bytes(253)), (2, b"")]))
def test_encoding_is_the_inverse_of_parsing(datagram: bytes) -> None:
    """Every octet of what is accepted belongs to an attribute, and to one only."""
    packet = parsed(datagram)
    if packet is not None:
        assert wire.encode_attributes(packet.attributes) == packet.raw[20:]
        assert packet.raw == datagram[: len(packet.raw)] and len(packet.raw) == datagram[2] << 8 | datagram[3]


@given(HEADERS, ATTRIBUTES)
@example((1, 1, bytes(16)), [(7, bytes(253))])
def test_parsing_is_the_inverse_of_encoding(header: tuple[int, int, bytes], said: list[Attribute]) -> None:
    packet = parsed(packed(header, said))
    assert packet is not None
    assert list(packet.attributes) == said
    assert all(packet.octets(kind) == next(value for each, value in said if each == kind) for kind, _ in said)


@given(HEADERS, ATTRIBUTES, st.integers(0, 14), st.sampled_from(["right", "wrong", "short"]))
def test_message_authenticators_are_judged_alike(
    header: tuple[int, int, bytes], said: list[Attribute], at: int, how: str
) -> None:
    """Wherever it stands. pyrad cannot judge replies without their request, nor two of them."""
    said = [pair for pair in said if pair[0] != 80]
    before, after = said[:at], said[at:]
    datagram = packed(header, [*before, (80, bytes(15 if how == "short" else 16)), *after])
    place = len(packed(header, before))
    if how == "right":
        vector = header[2] if header[0] in (1, 12) else bytes(16)
        mac = hmac.digest(SECRET, datagram[:4] + vector + datagram[20:], "md5")
        datagram = datagram[: place + 2] + mac + datagram[place + 18 :]
    ours = parsed(datagram)
    assert ours is not None
    assert wire.message_authenticator_ok(ours, SECRET) is (how == "right")
    if header[0] in (1, 4, 12, 40) and how != "short":
        theirs = oracle({1: AuthPacket, 4: AcctPacket, 12: AuthPacket, 40: CoAPacket}[header[0]], datagram)
        assert theirs is not None and theirs.verify_message_authenticator() is (how == "right")


EXCHANGES: list[tuple[int, type[AuthPacket | AcctPacket], int]] = [
    (1, AuthPacket, 2),
    (1, AuthPacket, 3),
    (1, AuthPacket, 11),
    (4, AcctPacket, 5),
    (12, AuthPacket, 2),
    (12, AcctPacket, 5),
]


@pytest.mark.parametrize(("asked", "kind", "answered"), EXCHANGES)
@given(said=ATTRIBUTES, states=st.lists(VALUES, max_size=wire.PROXY_STATES_MAX), asker=ASKERS)
def test_replies_are_octet_by_octet_those_of_pyrad(
    asked: int,
    kind: type[AuthPacket | AcctPacket],
    answered: int,
    said: list[Attribute],
    states: list[bytes],
    asker: bytes,
) -> None:
    """Signed and not. pyrad keeps attributes of a type together, and copies Proxy-States by itself."""
    said = sorted(pair for pair in said if pair[0] not in (33, 80))
    datagram = packed((asked, 9, asker), [(33, state) for state in states])
    theirs = kind(packet=datagram, secret=SECRET).CreateReply()
    theirs.code = answered
    for each, value in said:
        theirs.setdefault(each, []).append(value)
    if states:
        theirs.move_to_end(33)
    if asked != 4:
        theirs.add_message_authenticator()
        theirs.move_to_end(80, last=False)
    assert wire.encode_reply(wire.parse(datagram), Code(answered), said, SECRET) == theirs.ReplyPacket()


@given(st.binary(max_size=144), ASKERS, st.binary(min_size=1, max_size=90))
@example(bytes(128), bytes(16), SECRET)
def test_passwords_are_read_alike(hidden: bytes, asker: bytes, secret: bytes) -> None:
    theirs = AuthPacket(secret=secret, authenticator=asker)
    try:
        clear = wire.decrypt_password(hidden, secret, asker)
    except WireError:
        assert not hidden or len(hidden) % 16 or len(hidden) > 128
        return
    assert theirs.PwDecrypt(hidden) == clear.decode(errors="ignore")


@pytest.mark.parametrize("size", [0, 1, 15, 17, 129, 144])
def test_a_hidden_password_has_whole_blocks_and_at_most_eight(size: int) -> None:
    with pytest.raises(WireError, match="bad_attribute"):
        wire.decrypt_password(bytes(size), SECRET, bytes(16))


@given(st.binary(max_size=128).filter(lambda clear: not clear.endswith(b"\0")), ASKERS)
def test_a_password_hidden_by_pyrad_is_read(clear: bytes, asker: bytes) -> None:
    hidden = AuthPacket(secret=SECRET, authenticator=asker).PwCrypt(clear)
    assert wire.decrypt_password(hidden, SECRET, asker) == clear


@given(st.binary(max_size=200), st.binary(max_size=300))
@example(bytes(range(63)), b"")
@example(bytes(range(64)), b"")
@example(bytes(range(65)), b"")
def test_hmac_of_half_done_hashes_is_the_library_s(secret: bytes, data: bytes) -> None:
    assert wire._hmac(secret, data) == hmac.digest(secret, data, "md5")


# Replies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE])
@pytest.mark.parametrize("said", [[], [(Attr.REPLY_MESSAGE, b"hello"), (Attr.CLASS, b"c")]])
def test_access_replies_begin_with_a_message_authenticator(code: Code, said: list[Attribute]) -> None:
    request = wire.parse(packed((1, 3, bytes(range(16))), [(1, b"nemo"), (33, b"one"), (33, b"two")]))
    reply = wire.encode_reply(request, code, said, SECRET)
    assert reply[20:22] == bytes((80, 18))
    unsigned = reply[:4] + request.authenticator + reply[20:22] + bytes(16) + reply[38:]
    assert hmac.digest(SECRET, unsigned, "md5") == reply[22:38]
    assert hashlib.md5(reply[:4] + request.authenticator + reply[20:] + SECRET).digest() == reply[4:20]
    assert reply[38:] == wire.encode_attributes(said) + b"\x21\x05one\x21\x05two"


def test_proxy_states_come_back_once_in_order_and_with_nothing_between() -> None:
    states = [b"one", b"", b"two", b"one", b"x" * 253]
    mixed: list[Attribute] = [(1, b"nemo"), (33, states[0]), (4, bytes(4)), *((33, state) for state in states[1:])]
    for asked, code in ((1, Code.ACCESS_ACCEPT), (1, Code.ACCESS_REJECT), (4, Code.ACCOUNTING_RESPONSE)):
        request = wire.parse(packed((asked, 1, bytes(16)), mixed))
        reply = wire.encode_reply(request, code, [(Attr.CLASS, b"kogge:1")], SECRET)
        assert [value for kind, value in wire.parse(reply).attributes if kind == Attr.PROXY_STATE] == states
        assert reply.endswith(wire.encode_attributes([(33, state) for state in states]))


def test_encoded_attributes_may_be_used_again() -> None:
    """The hot path keeps the octets of what it says often."""
    said: list[Attribute] = [wire.integer(Attr.SESSION_TIMEOUT, 60), wire.vendor_text(14988, 8, "1/2")]
    body = wire.encode_attributes(said)
    for identifier in range(3):
        request = wire.parse(packed((1, identifier, os.urandom(16)), [(33, b"state")]))
        sealed = wire.seal(request, Code.ACCESS_ACCEPT, body, SECRET)
        assert sealed == wire.encode_reply(request, Code.ACCESS_ACCEPT, said, SECRET)


def test_a_response_to_accounting_is_unsigned_and_to_a_status_server_signed() -> None:
    for code, signed in ((4, False), (12, True)):
        request = wire.parse(packed((code, 1, bytes(16)), []))
        assert bool(wire.parse(wire.encode_reply(request, Code.ACCOUNTING_RESPONSE, [], SECRET)).signature_at) is signed


def test_who_asks_for_a_chargeable_user_identity() -> None:
    """RFC 4372 section 2.2: by sending one, a NUL or what was said the last time."""
    for said, asks in (([], False), ([(89, b"\0")], True), ([(89, b"k7f3")], True), ([(1, b"\0")], False)):
        assert wire.asks_identity(wire.parse(packed((1, 1, bytes(16)), said))) is asks


# Framing and forms ---------------------------------------------------------------------------------------


def test_accounting_authenticator_as_pyrad_makes_it() -> None:
    packet = AcctPacket(secret=SECRET, dict=Dictionary())
    OrderedDict.__setitem__(packet, 44, [b"session"])
    raw = bytes(packet.RequestPacket())
    assert wire.accounting_authenticator_ok(wire.parse(raw), SECRET)
    assert not wire.accounting_authenticator_ok(wire.parse(raw), b"another")


@pytest.mark.parametrize("second", [bytes(16), b""])
def test_two_message_authenticators_are_wrong(second: bytes) -> None:
    """Even where the first signs all of it."""
    datagram = packed((1, 1, bytes(16)), [(80, bytes(16)), (1, b"nemo"), (80, second)])
    signed = datagram[:22] + hmac.digest(SECRET, datagram, "md5") + datagram[38:]
    assert wire.message_authenticator_ok(wire.parse(signed), SECRET) is False


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "too_short"),
        (RFC2865_PAP[:19], "too_short"),
        (RFC2865_PAP[:2] + b"\x00\x13" + RFC2865_PAP[4:], "bad_length"),
        (RFC2865_PAP[:2] + b"\x00\xff" + RFC2865_PAP[4:], "bad_length"),
        (bytes((1, 0)) + (5080).to_bytes(2, "big") + bytes(5076), "bad_length"),
        (bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 50)), "attribute_overrun"),
        (bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 3)), "attribute_overrun"),
        (bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 3, 7)), "attribute_overrun"),
        (bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 1)), "attribute_overrun"),
        (bytes((1, 0, 0, 22)) + bytes(16) + bytes((1, 0)), "attribute_overrun"),
        (bytes((1, 0, 0, 24)) + bytes(16) + bytes((1, 1, 3, 9)), "attribute_overrun"),
        (bytes((1, 0, 0, 21)) + bytes(16) + bytes((1,)), "attribute_overrun"),
        (bytes((1, 0)) + (20 + 402).to_bytes(2, "big") + bytes(16) + bytes((1, 2)) * 201, "too_many_attributes"),
        (bytes((1, 0)) + (20 + 33).to_bytes(2, "big") + bytes(16) + bytes((33, 3, 7)) * 11, "too_many_proxy_states"),
    ],
)
def test_malformed_framing_has_a_reason(datagram: bytes, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.parse(datagram)
    assert caught.value.reason == reason


@given(st.binary(max_size=200) | LIKELY | st.builds(packed, HEADERS, ATTRIBUTES))
def test_no_datagram_raises_anything_but_a_wire_error(datagram: bytes) -> None:
    packet = parsed(datagram)
    if packet is None:
        return
    assert wire.message_authenticator_ok(packet, SECRET) in (None, False)
    assert wire.accounting_authenticator_ok(packet, SECRET) is False
    for kind in {*Attr, *packet.first}:
        value = packet.octets(kind) or b""
        for read in (packet.text, packet.integer, packet.address, packet.every):
            with contextlib.suppress(WireError):
                read(kind)
        for form in (wire.ipv6_address, wire.ipv6_prefix):
            with contextlib.suppress(WireError):
                form(value)
        with contextlib.suppress(WireError):
            wire.decrypt_password(value, SECRET, packet.authenticator)


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Attr.USER_NAME, b"\xff", Packet.text),
        (Attr.SESSION_TIMEOUT, b"\0\0\0", Packet.integer),
        (Attr.SESSION_TIMEOUT, b"", Packet.integer),
        (Attr.NAS_IP_ADDRESS, bytes(16), Packet.address),
    ],
)
def test_a_value_of_another_form_is_a_wire_error(
    kind: Attr, value: bytes, read: Callable[[Packet, int], object]
) -> None:
    packet = wire.parse(packed((1, 1, bytes(16)), [(kind, value)]))
    with pytest.raises(WireError, match="bad_attribute"):
        read(packet, kind)
    assert read(packet, Attr.CLASS) is None


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
