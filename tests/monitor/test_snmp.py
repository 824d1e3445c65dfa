"""The door to the wire: a real snmpd over v2c and v3, and peers that lie, stammer or keep silent."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from hotspot.fleet import PollFailure
from monitor.oids import Oid, Value, parse
from monitor.profiles import Profiles, Table
from monitor.session import DATAGRAM_BYTES_MAX, Engine, Session, SnmpError, Target, TooBigError
from monitor.snmp import Client
from monitor.walk import ROWS_MAX, Appetite, table_values
from store.fleet import SnmpCredential
from tests.monitor.conftest import V2C, V3, Agent

UPTIME = parse("1.3.6.1.2.1.1.3.0")
COLUMN = parse("1.3.6.1.2.1.31.1.1.1.1")
TABLE = Table("interfaces", {"name": COLUMN, "octets_in": parse("1.3.6.1.2.1.31.1.1.1.6")})
Peer = Callable[[Callable[[bytes], bytes | None]], Agent]


ENGINES = pytest.mark.parametrize("engine", list(Engine))
WAYS = pytest.mark.parametrize(
    ("credential", "engine"),
    [(V2C, Engine.FAST), (V2C, Engine.PYSNMP), (V3, Engine.PYSNMP)],
    ids=["v2c-fast", "v2c-pysnmp", "v3"],
)


def ask(target: Target, question: Callable[[Session], Awaitable[object]], engine: Engine = Engine.FAST) -> object:
    async def once() -> object:
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
    async def all_of_it(session: Session) -> dict[Oid, Value]:
        values = dict(await session.get(list(all_profiles.common.scalars.values())))
        for table in all_profiles.common.tables:
            values |= await table_values(session, table, Appetite())
        return values

    values = ask(snmpd.target(credential), all_of_it, engine)
    assert isinstance(values, dict)
    assert bytes(values[parse("1.3.6.1.2.1.1.1.0")]).startswith(b"Linux")
    assert values[parse("1.3.6.1.2.1.1.2.0")] == parse("1.3.6.1.4.1.8072.3.2.10")
    assert b"lo" in [value for oid, value in values.items() if oid[:-1] == COLUMN]


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


# Walks ----------------------------------------------------------------------------------------------


def walk(agent: Agent, appetite: Appetite | None = None) -> object:
    return ask(agent.target(V2C), lambda session: table_values(session, TABLE, appetite or Appetite()))


def asked_for(data: bytes) -> tuple[list[Oid], int]:
    message, _ = decoder.decode(data, asn1Spec=v2c.Message())
    pdu = v2c.apiMessage.get_pdu(message)
    oids = [tuple(name) for name, _ in v2c.apiBulkPDU.get_varbinds(pdu)]
    return oids, int(v2c.apiBulkPDU.get_max_repetitions(pdu))


def endless(data: bytes) -> bytes:
    oids, repetitions = asked_for(data)
    rows = [[(*oid, 1) if len(oid) == len(COLUMN) else (*oid[:-1], oid[-1] + 1) for oid in oids]]
    while len(rows) < repetitions:
        rows.append([(*oid[:-1], oid[-1] + 1) for oid in rows[-1]])
    return reply(data, [(oid, v2c.Integer32(1)) for row in rows for oid in row])


def test_a_table_without_end_is_cut_off(peer: Peer) -> None:
    values = walk(peer(endless))
    assert isinstance(values, dict) and len(values) == ROWS_MAX * len(TABLE.columns)


def test_an_agent_that_walks_in_circles_is_malformed(peer: Peer) -> None:
    agent = peer(lambda data: reply(data, [((*oid[: len(COLUMN)], 1), v2c.Integer32(1)) for oid in asked_for(data)[0]]))
    with pytest.raises(SnmpError, match="do not increase"):
        walk(agent)


def test_an_empty_answer_does_not_spin(peer: Peer) -> None:
    with pytest.raises(SnmpError, match="empty"):
        walk(peer(lambda data: reply(data, [])))


def test_too_big_halves_the_question_and_is_remembered(peer: Peer) -> None:
    asked: list[int] = []

    def small_stomach(data: bytes) -> bytes:
        _, repetitions = asked_for(data)
        asked.append(repetitions)
        return reply(data, [], status=1) if repetitions > 3 else endless(data)

    appetite = Appetite()
    walk(peer(small_stomach), appetite)
    assert asked[:3] == [8, 4, 2] and set(asked[2:]) == {2}
    assert appetite.varbinds // len(TABLE.columns) == 2


def test_an_agent_to_whom_one_row_is_too_big_fails(peer: Peer) -> None:
    with pytest.raises(TooBigError):
        walk(peer(lambda data: reply(data, [], status=1)))


def test_the_next_walk_asks_for_as_many_rows_as_there_were(peer: Peer) -> None:
    asked: list[int] = []

    def three_rows(data: bytes) -> bytes:
        oids, repetitions = asked_for(data)
        asked.append(repetitions)
        rows = [[(*oid[: len(COLUMN)], at) for oid in oids] for at in (1, 2, 3)]
        varbinds: list[tuple[Oid, object]] = [(oid, v2c.Integer32(1)) for row in rows for oid in row]
        past = [((*oid[: len(COLUMN) - 1], 99), v2c.EndOfMibView()) for oid in oids]
        return reply(data, (varbinds + past)[: repetitions * len(oids)])

    appetite = Appetite()
    agent = peer(three_rows)
    walk(agent, appetite)
    assert walk(agent, appetite) and asked == [8, 4]
