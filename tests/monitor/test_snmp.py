"""The door to the wire: a real snmpd over v2c and v3, and peers that lie, stammer or keep silent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from hotspot.fleet import PollFailure
from monitor.oids import Oid, Value, parse
from monitor.profiles import Profiles
from monitor.session import DATAGRAM_BYTES_MAX, Engine, Session, SnmpError, Target
from monitor.snmp import Client
from monitor.walk import Appetite, Walked, walk
from store.fleet import SnmpCredential
from tests.monitor.conftest import V2C, V3, Agent

UPTIME = parse("1.3.6.1.2.1.1.3.0")
Peer = Callable[[Callable[[bytes], bytes | None]], Agent]


ENGINES = pytest.mark.parametrize("engine", list(Engine))
WAYS = pytest.mark.parametrize(
    ("credential", "engine"),
    [(V2C, Engine.FAST), (V2C, Engine.PYSNMP), (V3, Engine.PYSNMP)],
    ids=["v2c-fast", "v2c-pysnmp", "v3"],
)


def ask(target: Target, question: Callable[[Session], Awaitable[Any]], engine: Engine = Engine.FAST) -> Any:
    async def once() -> Any:
        client = Client(engine)
        try:
            async with client.open(target) as session:
                return await question(session)
        finally:
            await client.close()

    return asyncio.run(once())


def failure(target: Target, engine: Engine = Engine.FAST) -> PollFailure:
    with pytest.raises(SnmpError) as failed:
        ask(target, lambda session: session.get([UPTIME]), engine)
    return failed.value.failure


def reply(request: bytes, varbinds: list[tuple[Oid, object]], status: int = 0, **crooked: object) -> bytes:
    """A response to the request, right but for what `crooked` names."""
    message, _ = decoder.decode(request, asn1Spec=v2c.Message())
    asked = v2c.apiMessage.get_pdu(message)
    pdu = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, crooked.get("request_id", v2c.apiPDU.get_request_id(asked)))
    v2c.apiPDU.set_error_status(pdu, status)
    v2c.apiPDU.set_varbinds(pdu, varbinds)
    answer = v2c.Message()
    v2c.apiMessage.set_defaults(answer)
    v2c.apiMessage.set_community(answer, crooked.get("community", V2C.community))
    v2c.apiMessage.set_pdu(answer, pdu)
    return bytes(encoder.encode(answer))


# A real agent ---------------------------------------------------------------------------------------


@pytest.mark.tool("snmpd")
@WAYS
def test_snmpd_answers_get_and_bulk(
    snmpd: Agent, credential: SnmpCredential, engine: Engine, all_profiles: Profiles
) -> None:
    interfaces = all_profiles.common.table("interfaces")
    assert interfaces is not None

    async def all_of_it(session: Session) -> tuple[dict[Oid, Value], Walked]:
        values = dict(await session.get([each.oid for each in all_profiles.common.scalars]))
        return values, await walk(session, interfaces, Appetite())

    values, walked = ask(snmpd.target(credential), all_of_it, engine)
    assert values[parse("1.3.6.1.2.1.1.1.0")].startswith(b"Linux")
    assert values[parse("1.3.6.1.2.1.1.2.0")] == parse("1.3.6.1.4.1.8072.3.2.10")
    assert b"lo" in [value for _, cells in walked.rows for value in cells]


@pytest.mark.tool("snmpd")
def test_many_polls_with_one_engine(snmpd: Agent) -> None:
    async def polls() -> list[int]:
        client = Client()

        async def one() -> int:
            async with client.open(snmpd.target(V3, retries=1)) as session:
                return len(await session.get([UPTIME]))

        try:
            await one()
            return await asyncio.gather(*(one() for _ in range(40)))
        finally:
            await client.close()

    assert asyncio.run(polls()) == [1] * 40


@pytest.mark.tool("snmpd")
@pytest.mark.parametrize("impatience_s", [0.0, 0.001, 0.01])
def test_a_first_question_that_is_given_up_does_not_spoil_the_next(snmpd: Agent, impatience_s: float) -> None:
    async def twice() -> int:
        client = Client()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(impatience_s), client.open(snmpd.target(V3)) as session:
                    await session.get([UPTIME])
            async with client.open(snmpd.target(V3, retries=2)) as session:
                return len(await session.get([UPTIME]))
        finally:
            await client.close()

    assert asyncio.run(twice()) == 1


@pytest.mark.tool("snmpd")
@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (SnmpCredential("v2c", community="wrong"), PollFailure.TIMEOUT),
        (
            SnmpCredential("v3", user="nobody", auth_password="x" * 12, priv_password="y" * 12),
            PollFailure.AUTHENTICATION,
        ),
        (SnmpCredential("v3", V3.community, V3.user, "wrong-secret", V3.priv_password), PollFailure.AUTHENTICATION),
    ],
    ids=["community", "user", "password"],
)
def test_snmpd_refuses_a_stranger(snmpd: Agent, credential: SnmpCredential, expected: PollFailure) -> None:
    assert failure(snmpd.target(credential, timeout_s=0.5)) is expected


# No agent -------------------------------------------------------------------------------------------


@ENGINES
def test_where_nobody_listens_is_known_at_once(engine: Engine, free_port: Callable[[int], int]) -> None:
    target = Target("127.0.0.1", free_port(socket.SOCK_DGRAM), V2C, 5.0, 3)
    assert failure(target, engine) is PollFailure.UNREACHABLE


@ENGINES
@pytest.mark.parametrize("address", ["not-an-address", "240.0.0.1", "::ffff:0:0:1"])
def test_an_address_that_nothing_leads_to_is_unreachable(engine: Engine, address: str) -> None:
    assert failure(Target(address, 161, V2C, 0.2, 0), engine) in (PollFailure.UNREACHABLE, PollFailure.TIMEOUT)


@WAYS
def test_silence_is_a_timeout_after_the_retries(peer: Peer, credential: SnmpCredential, engine: Engine) -> None:
    heard: list[bytes] = []
    agent = peer(lambda data: heard.append(data))
    assert failure(agent.target(credential, timeout_s=0.2, retries=1), engine) is PollFailure.TIMEOUT
    assert len(heard) == 2


@ENGINES
def test_a_lost_answer_is_asked_for_again(peer: Peer, engine: Engine) -> None:
    answers = iter([None, 42])

    def once_deaf(data: bytes) -> bytes | None:
        value = next(answers)
        return None if value is None else reply(data, [(UPTIME, v2c.TimeTicks(value))])

    target = peer(once_deaf).target(V2C, timeout_s=0.2, retries=1)
    got = ask(target, lambda session: session.get([UPTIME]), engine)
    assert got == [(UPTIME, 42)]


# Liars ----------------------------------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize(
    "lie",
    [
        lambda data: b"",
        lambda data: b"\x30\x82\xff\xff",
        lambda data: b"\x30" * 2_000,
        lambda data: data,  # our own question
        lambda data: reply(data, [(UPTIME, v2c.TimeTicks(1))]) + b"trailing",
        lambda data: reply(data, [(UPTIME, v2c.TimeTicks(1))], community="other"),
        lambda data: reply(data, [], status=5),
        lambda data: reply(data, [(UPTIME, v2c.TimeTicks(1))] * 500),
        lambda data: reply(data, [(UPTIME, v2c.OctetString(b"x" * DATAGRAM_BYTES_MAX))]),
    ],
    ids=["empty", "length", "nested", "echo", "trailing", "community", "error", "varbinds", "size"],
)
def test_a_crooked_answer_is_malformed(peer: Peer, engine: Engine, lie: Callable[[bytes], bytes]) -> None:
    assert failure(peer(lie).target(V2C, timeout_s=1.0), engine) is PollFailure.MALFORMED


@ENGINES
def test_an_answer_to_another_question_is_not_taken(peer: Peer, engine: Engine) -> None:
    agent = peer(lambda data: reply(data, [(UPTIME, v2c.TimeTicks(1))], request_id=7))
    assert failure(agent.target(V2C, timeout_s=0.2), engine) is PollFailure.TIMEOUT


@pytest.mark.parametrize("junk", [b"", b"\x30\x03\x02\x01\x03", b"\x30" * 500, bytes(range(256))])
def test_junk_over_v3_is_a_timeout(peer: Peer, junk: bytes) -> None:
    assert failure(peer(lambda _: junk).target(V3, timeout_s=0.3)) is PollFailure.TIMEOUT


@ENGINES
def test_an_agent_that_forbids_is_an_authentication_failure(peer: Peer, engine: Engine) -> None:
    assert failure(peer(lambda data: reply(data, [], status=16)).target(V2C), engine) is PollFailure.AUTHENTICATION
