"""The fast path's shared sockets: many questions at a time, each with its own answer or its own failure."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from hotspot.fleet import PollFailure
from monitor import ber
from monitor.oids import Varbind
from monitor.session import SnmpError, Target
from monitor.snmp import Client
from monitor.sockets import Ignored, Sockets, canonical
from tests.monitor.conftest import V2C, Agent
from tests.monitor.liar import UPTIME, Liar, Question

Peer = Callable[[Callable[[bytes], bytes | None]], Agent]


class Counted(Sockets):
    """Sockets whose figures can be looked at."""

    def __init__(self) -> None:
        self.drops, self.strays = 0, Counter[Ignored]()
        super().__init__(self._lose, lambda why: self.strays.update([why]))

    def _lose(self, count: int) -> None:
        self.drops += count


async def ask(client: Client, target: Target) -> list[Varbind]:
    async with client.open(target) as session:
        return await session.get([UPTIME])


def with_client(story: Callable[[Client], Coroutine[Any, Any, Any]], sockets: Sockets | None = None) -> Any:
    async def whole() -> Any:
        client = Client(sockets=sockets)
        try:
            return await story(client)
        finally:
            await client.close()

    return asyncio.run(whole())


@pytest.fixture
def liar() -> Iterator[Liar]:
    with Liar() as agent:
        yield agent


def target(liar: Liar, timeout_s: float = 5.0, retries: int = 0) -> Target:
    return Agent(liar.port).target(V2C, timeout_s, retries)


def test_hundreds_in_flight_each_get_their_own_answer(liar: Liar) -> None:
    async def story(client: Client) -> list[list[Varbind]]:
        return await asyncio.gather(*(ask(client, target(liar, 60.0)) for _ in range(400)))

    sockets = Counted()
    answers = with_client(story, sockets)
    assert len(answers) == 400 and {oid for [(oid, _)] in answers} == {UPTIME}
    assert not sockets.drops and not sockets.strays


def test_where_nobody_listens_fails_alone(liar: Liar, free_port: Callable[[int], int]) -> None:
    """ICMP errors of one agent come over the socket that the others use."""
    closed = Target("127.0.0.1", free_port(socket.SOCK_DGRAM), V2C, 60.0, 0)

    async def story(client: Client) -> list[Any]:
        questions = [ask(client, closed if number % 2 else target(liar, 60.0)) for number in range(60)]
        return await asyncio.gather(*questions, return_exceptions=True)

    for number, outcome in enumerate(with_client(story)):
        if number % 2:
            assert isinstance(outcome, SnmpError) and outcome.failure is PollFailure.UNREACHABLE
        else:
            assert [oid for oid, _ in outcome] == [UPTIME]


def test_what_others_say_first_does_not_count(liar: Liar) -> None:
    """A guess at the id, the right answer from a wrong port, then the truth, then the truth again."""

    def say(question: Question) -> bytes:
        client = ("127.0.0.1", port_of(sockets))
        liar.other_mouth.sendto(liar.truth(question), client)
        liar.other_mouth.sendto(b"junk", client)
        liar._ear.sendto(question.reply([], number=question.number ^ 1), client)
        return liar.truth(question)

    async def story(client: Client) -> list[Varbind]:
        answer = await ask(client, target(liar))
        await asyncio.sleep(0.1)
        return answer

    sockets = Counted()
    liar.lie(say)
    assert [oid for oid, _ in with_client(story, sockets)] == [UPTIME]
    assert sockets.strays == {Ignored.WRONG_SOURCE: 1, Ignored.CROOKED: 1, Ignored.UNASKED: 1}


def port_of(sockets: Sockets) -> int:
    (door,) = sockets._drops
    return int(door.getsockname()[1])


def test_a_late_answer_is_ignored_and_counted(liar: Liar) -> None:
    late = threading.Event()

    def say(question: Question) -> bytes:
        late.wait(10)
        return liar.truth(question)

    async def story(client: Client) -> None:
        with pytest.raises(SnmpError) as failed:
            await ask(client, target(liar, 0.1))
        assert failed.value.failure is PollFailure.TIMEOUT
        late.set()
        end = time.monotonic() + 20
        while not sockets.strays and time.monotonic() < end:
            await ask(client, target(liar, 20.0))

    sockets = Counted()
    liar.lie(say)
    with_client(story, sockets)
    assert sockets.strays == {Ignored.UNASKED: 1}


def test_ids_take_four_octets_and_do_not_follow_each_other(peer: Peer) -> None:
    seen: list[int] = []
    agent = peer(lambda data: seen.append(ber.message(data).request_id))

    async def story(client: Client) -> None:
        target = agent.target(V2C, timeout_s=0.2)
        await asyncio.gather(*(ask(client, target) for _ in range(100)), return_exceptions=True)

    with_client(story)
    assert len(set(seen)) == 100 and all(ber.REQUEST_ID_MIN <= number <= ber.REQUEST_ID_MAX for number in seen)
    assert len({later - earlier for earlier, later in itertools.pairwise(seen)}) > 90


def test_ipv6_on_a_socket_of_its_own() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as here:
        here.bind(("::1", 0))
        here.settimeout(20)
        port = here.getsockname()[1]

        def answer() -> None:
            for _ in range(2):
                octets, source = here.recvfrom(65_535)
                here.sendto(Question(octets).reply([]), source)

        thread = threading.Thread(target=answer)
        thread.start()

        async def story(client: Client) -> list[list[Varbind]]:
            return [await ask(client, Target(text, port, V2C, 20.0, 0)) for text in ("::1", "0:0:0:0:0:0:0:1")]

        assert with_client(story) == [[], []]
        thread.join()


def test_what_the_kernel_throws_away_is_counted(liar: Liar) -> None:
    """The loop does not read while an agent sends more than the buffer holds."""

    def flood(question: Question) -> bytes:
        answer, client = liar.truth(question) + bytes(8_000), ("127.0.0.1", port_of(sockets))
        for _ in range(3_000):
            liar._ear.sendto(answer, client)
        done.set()
        return answer

    async def story(client: Client) -> None:
        asking = asyncio.create_task(ask(client, target(liar)))
        await asyncio.sleep(0)
        done.wait(30)
        await asyncio.gather(asking, return_exceptions=True)
        sockets.look()

    sockets, done = Counted(), threading.Event()
    liar.lie(flood)
    with_client(story, sockets)
    assert 0 < sockets.drops <= 3_001


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.0.0.1", "127.0.0.1"), ("0:0::1", "::1"), ("::ffff:10.1.2.3", "10.1.2.3"), ("ap.example", ""), ("", "")],
)
def test_addresses_as_the_kernel_writes_them(address: str, expected: str) -> None:
    assert canonical(address) == expected
