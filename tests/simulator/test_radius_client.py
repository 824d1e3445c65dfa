"""The RADIUS client believes only what verifies; the codec's framing is checked octet by octet."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hotspot.errors import WireError
from simulator.radius_client import Chap, Code, Codec, Pap, RadiusClient

PAIRS = [("User-Name", "u"), ("NAS-Identifier", "n")]
CHAP = Chap(bytes(range(16)), b"0x" + bytes(14))


def test_an_access_request_begins_with_its_message_authenticator(wire: Any) -> None:
    sent = Codec(wire.secret).access_request(7, PAIRS, CHAP)
    told = wire.split(sent.octets)
    assert sent.octets[:2] == b"\x01\x07" and sent.octets[20:22] == b"\x50\x12"
    assert told[3] == [b"\0" + CHAP.response] and told[60] == [CHAP.challenge]


def test_a_password_is_hidden(wire: Any) -> None:
    sent = Codec(wire.secret).access_request(7, PAIRS, Pap(b"ostsee1"))
    assert b"ostsee1" not in sent.octets and len(wire.split(sent.octets)[2][0]) == 16


def test_a_reply_that_verifies_is_read(wire: Any) -> None:
    codec = Codec(wire.secret)
    sent = codec.access_request(7, PAIRS, CHAP)
    attributes = wire.attribute(27, wire.number(60)) + wire.vendor(14122, 7, wire.number(9)) + wire.attribute(25, b"0x")
    reply = codec.reply(sent, wire.sign_reply(2, sent.octets, attributes))
    assert reply.code is Code.ACCESS_ACCEPT
    assert reply.attributes["Session-Timeout"] == (60,) and reply.attributes["Class"] == (b"0x",)
    assert reply.attributes["WISPr-Bandwidth-Max-Up"] == (9,)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda wire, sent: wire.sign_reply(2, sent, b"", secret="wrong"), "bad_authenticator"),
        (lambda wire, sent: wire.sign_reply(2, sent, b"", with_ma=False), "bad_authenticator"),
        (lambda wire, sent: wire.sign_reply(2, sent, wire.attribute(33, b"injected")), "bad_authenticator"),
        (lambda wire, sent: wire.sign_reply(5, sent, b""), "unexpected_code"),
        (lambda wire, sent: wire.sign_reply(2, sent, b"\x1b\x32\x00"), "bad_attribute_length"),
        (lambda wire, sent: wire.sign_reply(2, sent, b"\x1b\x00"), "bad_attribute_length"),
        (lambda wire, sent: wire.sign_reply(2, sent, b"\x1b\x03\x00"), "malformed_attribute"),
        (lambda wire, sent: b"\x02\x07\x00\x14", "short"),
        (lambda wire, sent: b"\x02\x07\xff\xff" + bytes(16), "bad_length"),
    ],
)
def test_what_does_not_verify_is_no_reply(spoil: Callable[[Any, bytes], bytes], reason: str, wire: Any) -> None:
    codec = Codec(wire.secret)
    sent = codec.access_request(7, PAIRS, CHAP)
    with pytest.raises(WireError) as error:
        codec.reply(sent, spoil(wire, sent.octets))
    assert error.value.reason == reason


def test_a_forged_reply_is_passed_over_and_the_true_one_taken(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene = make_scene()
        forgers: Iterator[str] = iter(("wrong", wire.secret))

        def reply(code: int, request: bytes, attributes: bytes) -> bytes:
            octets: bytes = wire.sign_reply(code, request, attributes, secret=next(forgers))
            return octets

        scene.responder.reply, scene.responder.judge = reply, lambda told: b""
        async with scene:
            server = (scene.nas.radius_host, scene.nas.auth_port)
            client = await RadiusClient.connect(Codec(wire.secret), server, "127.0.0.1")
            answer = await client.access(PAIRS, CHAP, (0.1, 1.0))
            client.close()
            await asyncio.sleep(0)
        assert answer.code is Code.ACCESS_ACCEPT and client.ignored == {"bad_authenticator": 1}
        assert len(scene.responder.raw) == 2

    asyncio.run(scenario())


def test_three_hundred_questions_at_once_share_the_identifiers(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with scene:
            server = (scene.nas.radius_host, scene.nas.acct_port)
            client = await RadiusClient.connect(Codec(wire.secret), server, "127.0.0.1")
            pairs = [[("Acct-Status-Type", 1), ("Acct-Session-Id", str(number))] for number in range(300)]
            replies = await asyncio.gather(*(client.account(each, (0.3, 1.0, 2.0, 2.0)) for each in pairs))
            client.close()
            await asyncio.sleep(0)
        assert {reply.code for reply in replies} == {Code.ACCOUNTING_RESPONSE}
        assert {each[44][0] for each in scene.responder.accounting} == {str(n).encode() for n in range(300)}

    asyncio.run(scenario())


def test_nobody_listening_is_a_timeout(wire: Any) -> None:
    async def scenario() -> None:
        port = wire.free_port(socket.SOCK_DGRAM)
        client = await RadiusClient.connect(Codec(wire.secret), ("127.0.0.1", port), "127.0.0.1")
        with pytest.raises(TimeoutError):
            await client.account(PAIRS, (0.05, 0.05))
        client.close()
        await asyncio.sleep(0)

    asyncio.run(scenario())
