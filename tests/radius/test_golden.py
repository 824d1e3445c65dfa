"""The RFCs' own packets, and CoovaChilli's, read and answered: octets from outside this house."""

from __future__ import annotations

import hashlib

import pytest

from hotspot.credentials import chap_matches, pap_matches
from hotspot.errors import WireError
from radius import client, wire
from radius.wire import Attr, Code, Packet

SECRET = b"xyzzy5461"
"""Of all the examples of RFC 2865 and RFC 5997."""


def packet(text: str) -> bytes:
    return bytes.fromhex(text)


# RFC 2865 section 7 ---------------------------------------------------------------------------------------

TELNET = packet(  # 7.1: PAP
    "01000038 0f403f9473978057bd83d5cb98f4227a 01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee 0406c0a80110"
    "050600000003"
)
TELNET_ACCEPT = packet("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103")

FRAMED = packet(  # 7.2: CHAP
    "01010047 2aee86f08d0d55969ca5978e0d3367a2 0108666c6f707379 031316e97557c316185895f293ff634407727504"
    "06c0a80110 050600000014 060600000002 070600000001"
)
FRAMED_ACCEPT = packet(
    "02010038 15efbc7dab26cfa3dc34d9c03c8601a4 060600000002 070600000001 0806fffffffe 0a0600000002 0d0600000001"
    "0c06000005dc"
)

CARD = packet(  # 7.3: a challenge
    "01020039 f3a47a1f6a6d76710b947ab93041a039 01076d6f707379 0212336575737782 89b570885e15084825c5 0406c0a80110"
    "050600000007"
)
CARD_CHALLENGE = packet(
    "0b02004e 36f3c8764ae8c71157403c0c71ff9c45 12304368616c6c656e67652033323736393433302e2020456e74657220726573706f"
    "6e73652061742070726f6d70742e 180a3332373639343330"
)
CARD_ANSWER = packet(  # the RFC prints State's length as 10 for 0x0a (errata)
    "01030043 b122556d428a13d0d6253807c457ecf0 01076d6f707379 0212692c1f205fc081b919b95195f561a581 0406c0a80110"
    "050600000007 180a3332373639343330"
)
CARD_REJECT = packet("03030014 a42f4fca45916c4e09c8340f9e746aa0")

# RFC 5997 section 6 ---------------------------------------------------------------------------------------

PING_AUTH = packet("0cda0026 8a54f4686fb394c52866e302185d0623 50125a665e2e1e8411f3e243822097c84fa3")
PING_AUTH_ANSWER = packet("02da0014 ef0d552a4bf2d693ec2b6fe8b5411d66")
PING_ACCT = packet("0cb30026 925f6b66dd5fed571fcb1db7ad388260 5012e8d6eabda910875cd91fdade26367858")
PING_ACCT_ANSWER = packet("05b30014 0f6f92145f107e2f504e860a4860669c")

EXCHANGES = {
    "telnet": (TELNET, TELNET_ACCEPT),
    "framed": (FRAMED, FRAMED_ACCEPT),
    "card": (CARD, CARD_CHALLENGE),
    "card answered": (CARD_ANSWER, CARD_REJECT),
    "status of authentication": (PING_AUTH, PING_AUTH_ANSWER),
    "status of accounting": (PING_ACCT, PING_ACCT_ANSWER),
}


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_rfc_s_answer_proves_itself_and_we_say_the_same(exchange: str) -> None:
    """Octet by octet, but for the Message-Authenticator that we put first and these RFCs are too old to have."""
    asked, answered = EXCHANGES[exchange]
    request, answer = wire.parse(asked), wire.parse(answered)
    digest = hashlib.md5(answered[:4] + asked[4:20] + answered[20:] + SECRET).digest()
    assert digest == answer.authenticator
    ours = wire.encode_reply(request, Code(answer.code), answer.attributes, SECRET)
    assert ours[:2] == answered[:2]
    assert ours[20:22] == bytes((80, 18)), "signed, and first"
    assert ours[38:] == answered[20:]
    assert signature_ok(ours, asked) and authenticator_ok(ours, asked)


def authenticator_ok(reply: bytes, asked: bytes) -> bool:
    return hashlib.md5(reply[:4] + asked[4:20] + reply[20:] + SECRET).digest() == reply[4:20]


def signature_ok(reply: bytes, asked: bytes) -> bool:
    """HMAC-MD5 from its definition (RFC 2104): none of the library's, none of ours."""
    key = SECRET.ljust(64, b"\0")
    signed = reply[:4] + asked[4:20] + reply[20:22] + bytes(16) + reply[38:]
    inside = hashlib.md5(bytes(octet ^ 0x36 for octet in key) + signed).digest()
    return hashlib.md5(bytes(octet ^ 0x5C for octet in key) + inside).digest() == reply[22:38]


@pytest.mark.parametrize(
    ("asked", "name", "password"),
    [(TELNET, "nemo", b"arctangent"), (CARD, "mopsy", b"challenge"), (CARD_ANSWER, "mopsy", b"99101462")],
)
def test_pap_passwords_of_the_rfc(asked: bytes, name: str, password: bytes) -> None:
    request = wire.parse(asked)
    hidden = request.octets(Attr.USER_PASSWORD)
    assert request.text(Attr.USER_NAME) == name and hidden is not None
    clear = wire.decrypt_password(hidden, SECRET, request.authenticator)
    assert clear == password and pap_matches(password.decode(), clear)
    assert client.pap(password, request.authenticator, SECRET) == [(Attr.USER_PASSWORD, hidden)]


def test_the_chap_password_of_the_rfc() -> None:
    """Without a CHAP-Challenge the Request Authenticator is the challenge (section 5.40)."""
    request = wire.parse(FRAMED)
    chap = request.octets(Attr.CHAP_PASSWORD)
    assert chap is not None and chap[0] == 0x16
    assert chap_matches("arctangent", chap_id=chap[0], challenge=request.authenticator, response=chap[1:])
    assert not chap_matches("arctangens", chap_id=chap[0], challenge=request.authenticator, response=chap[1:])


def test_what_the_rfc_says_stands_in_the_packets() -> None:
    framed, challenge = wire.parse(FRAMED), wire.parse(CARD_CHALLENGE)
    assert (framed.code, framed.identifier, framed.text(Attr.USER_NAME)) == (1, 1, "flopsy")
    assert (framed.address(Attr.NAS_IP_ADDRESS), framed.integer(Attr.SERVICE_TYPE)) == ("192.168.1.16", 2)
    assert challenge.text(Attr.REPLY_MESSAGE) == "Challenge 32769430.  Enter response at prompt."
    assert challenge.octets(Attr.STATE) == wire.parse(CARD_ANSWER).octets(Attr.STATE) == b"32769430"


@pytest.mark.parametrize("asked", [PING_AUTH, PING_ACCT])
def test_a_status_server_of_the_rfc_is_signed(asked: bytes) -> None:
    assert wire.message_authenticator_ok(wire.parse(asked), SECRET) is True
    assert wire.message_authenticator_ok(wire.parse(asked), b"another") is False


# CoovaChilli ----------------------------------------------------------------------------------------------

CHALLENGE = bytes.fromhex("8eb4738aeed6ce069e3d2e143fd08398")
K = bytes.fromhex("356614ea8e95c5f84bb2bebaf52665e5")
RESPONSE = bytes.fromhex("e00f6980f0041d79311a7e704a4cd5f1")
"""HANDOFF: what the real daemon took, with the UAM secret `uamsecret1` and the password `ostsee1`."""

CHILLI_LOGIN = packet(  # an Access-Request as CoovaChilli makes it of them: CHAP id 0, the challenge is k
    "01110095 00112233445566778899aabbccddeeff 5012c095f6b62adde14948442ff5980cf9f0 010a7265736964656e74"
    "031300e00f6980f0041d79311a7e704a4cd5f1 3c12356614ea8e95c5f84bb2bebaf52665e5"
    "1f1330322d30302d30302d30302d30302d3131 2013737472616c73756e642d61702d30303031 060600000001"
    "2c14313739353431323333343030303030303031"
)


def test_coovachilli_s_challenge() -> None:
    assert hashlib.md5(CHALLENGE + b"uamsecret1").digest() == K
    assert hashlib.md5(b"\0ostsee1" + K).digest() == RESPONSE


def test_coovachilli_s_log_in() -> None:
    request = wire.parse(CHILLI_LOGIN)
    assert wire.message_authenticator_ok(request, SECRET) is True
    chap, challenge = request.octets(Attr.CHAP_PASSWORD), request.octets(Attr.CHAP_CHALLENGE)
    assert chap == b"\0" + RESPONSE and challenge == K
    assert chap_matches("ostsee1", chap_id=0, challenge=K, response=RESPONSE)
    assert (request.text(Attr.CALLING_STATION_ID), request.integer(Attr.SERVICE_TYPE)) == ("02-00-00-00-00-11", 1)


# Tampering ------------------------------------------------------------------------------------------------


def flipped(data: bytes) -> list[bytes]:
    return [data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :] for at in range(len(data))]


def believed(datagram: bytes) -> Packet | None:
    """The packet if it is whole and signed."""
    try:
        request = wire.parse(datagram)
    except WireError:
        return None
    return request if wire.message_authenticator_ok(request, SECRET) else None


@pytest.mark.parametrize("asked", [PING_AUTH, PING_ACCT, CHILLI_LOGIN])
def test_no_octet_of_a_signed_request_can_be_changed(asked: bytes) -> None:
    assert believed(asked) is not None
    assert not [at for at, changed in enumerate(flipped(asked)) if believed(changed) is not None]


def test_no_octet_of_an_accounting_request_can_be_changed() -> None:
    asked = client.accounting_request(5, [(Attr.ACCT_STATUS_TYPE, bytes((0, 0, 0, 1)))], SECRET)
    assert wire.accounting_authenticator_ok(wire.parse(asked), SECRET)
    for changed in flipped(asked):
        try:
            request = wire.parse(changed)
        except WireError:
            continue
        assert not wire.accounting_authenticator_ok(request, SECRET)
