"""Agents that lie, die, restart or are somebody else, polled by the real poller: what stands on the metrics page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pysnmp.proto.api import v2c

from monitor.profiles import Profiles
from monitor.session import Engine, SnmpError, Target
from monitor.snmp import Client
from store.fleet import SnmpCredential
from store.store import Store
from tests.monitor.conftest import SNMPD_CONF, V2C, V3, Agent, running, udp_port
from tests.monitor.liar import IF_NAME, RECEIVED, UPTIME, Liar, Question
from tests.monitor.scene import PATIENT, Scene

ENGINES = pytest.mark.parametrize("engine", list(Engine))


@pytest.fixture
def scene(city_store: Store, all_profiles: Profiles) -> Iterator[Scene]:
    scene = Scene(city_store, all_profiles)
    yield scene
    scene.close()


@pytest.fixture
def liar() -> Iterator[Liar]:
    with Liar() as agent:
        yield agent


# Lies -----------------------------------------------------------------------------------------------


def wrong_id(liar: Liar) -> None:
    liar.lie(lambda question: question.reply(liar.answer(question), number=question.number ^ 1))


def wrong_port(liar: Liar) -> None:
    liar.speak_elsewhere()


def in_circles(liar: Liar) -> None:
    """The first row, whatever comes after it is asked for."""

    def say(question: Question) -> bytes:
        if not question.is_bulk:
            return liar.truth(question)
        return question.reply([(oid, v2c.Integer32(1)) for oid in question.oids] * question.repetitions)

    liar.lie(say)


def a_huge_value(liar: Liar) -> None:
    liar.lie(lambda question: question.reply([(question.oids[0], v2c.OctetString(b"x" * 60_000))]))


def cut_off(liar: Liar) -> None:
    liar.lie(lambda question: liar.truth(question)[:-5])


def nonsense(liar: Liar) -> None:
    liar.lie(lambda _question: b"\x30\x84\xff\xff\xff\xff" + b"\x30\x80" * 500)


def dead(liar: Liar) -> None:
    liar.lie(lambda _question: None)


LIES = pytest.mark.parametrize(
    ("lie", "result", "ignored"),
    [
        (wrong_id, "timeout", "unasked"),
        (wrong_port, "timeout", "wrong_source"),
        (in_circles, "malformed", ""),
        (a_huge_value, "malformed", ""),
        (cut_off, "malformed", ""),
        (nonsense, "malformed", ""),
        (dead, "timeout", ""),
    ],
)


@ENGINES
@LIES
def test_a_lie_is_a_failed_poll_and_the_truth_afterwards_a_good_one(
    scene: Scene, liar: Liar, engine: Engine, lie: Callable[[Liar], None], result: str, ignored: str
) -> None:
    scene.add(liar.port, V2C)

    async def story() -> None:
        await scene.until(lambda: scene.up() == 1 and "wifi_ap_clients" in scene.measurements())
        lie(liar)
        await scene.until(lambda: scene.up() == 0 and scene.polls(result) >= 1)
        assert not scene.measurements()
        assert scene.read("wifi_ap_last_success_timestamp_seconds", ap="ap") is not None
        assert scene.read("wifi_ap_info", ap="ap") == 1
        liar.be_honest()
        await scene.until(lambda: scene.up() == 1 and scene.read("wifi_ap_clients", ap="ap") == 3)

    scene.run(engine, story)
    for other in {"malformed", "authentication", "unreachable", "internal"} - {result}:  # a slow machine times out
        assert scene.polls(other) == 0
    counted = scene.read("kogge_monitor_answers_ignored_total", reason=ignored) if ignored else None
    assert counted is None or (counted > 0) == (engine is Engine.FAST)  # a connected socket sees no stranger


@ENGINES
def test_an_endless_table_is_read_as_far_as_it_is_useful(scene: Scene, liar: Liar, engine: Engine) -> None:
    """Interfaces without end; everything else is as it should be."""
    scene.add(liar.port, V2C)
    liar.rows |= {(*IF_NAME, number): v2c.OctetString(f"eth{number}") for number in range(1, 4_000)}
    liar.rows |= {(1, 3, 6, 1, 2, 1, 2, 2, 1, 8, number): v2c.Integer32(1) for number in range(1, 4_000)}

    async def story() -> None:
        await scene.until(lambda: scene.polls("ok") >= 2 and scene.read("wifi_ap_clients", ap="ap") == 3)

    scene.run(engine, story, PATIENT)
    assert 2 <= scene.page().count("wifi_ap_interface_up{") <= 200
    assert scene.polls("malformed") == scene.polls("internal") == 0


@ENGINES
def test_a_counter_that_wraps_goes_on_and_one_that_restarts_begins_anew(
    scene: Scene, liar: Liar, engine: Engine
) -> None:
    scene.add(liar.port, V2C)
    liar.rows[RECEIVED] = v2c.Counter32(2**32 - 1_000)

    def received() -> float | None:
        return scene.read("wifi_ap_radio_receive_bytes_total", ap="ap")

    async def story() -> None:
        await scene.until(lambda: received() == 2**32 - 1_000)
        liar.rows[RECEIVED] = v2c.Counter32(500)
        await scene.until(lambda: received() == 2**32 + 500)
        liar.restart()
        liar.rows[RECEIVED] = v2c.Counter32(70)
        await scene.until(lambda: received() == 70)

    scene.run(engine, story)
    assert scene.polls("malformed") == scene.polls("internal") == 0


# A real agent ---------------------------------------------------------------------------------------


@contextmanager
def snmpd(port: int, folder: Path, *more: str) -> Iterator[Agent]:
    """Debian's snmpd; the folder keeps its engine's id and boots from one run to the next."""
    folder.mkdir(exist_ok=True)
    config, kept = folder / "agent.conf", folder / "snmpd.conf"
    kept.touch()
    values = {"user": V3.user, "auth": V3.auth_password, "priv": V3.priv_password, "community": V2C.community}
    config.write_text(SNMPD_CONF.format(port=port, **values) + "".join(f"{line}\n" for line in more))
    env = {"SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""}
    command = ("snmpd", "-f", "-Lo", "-C", "-c", f"{config},{kept}")
    with running(*command, port=port, env=env, log=folder / "snmpd.log") as agent:
        yield agent


WRONG = {
    "password": SnmpCredential("v3", user=V3.user, auth_password="wrong-secret", priv_password=V3.priv_password),
    "privacy": SnmpCredential("v3", user=V3.user, auth_password=V3.auth_password, priv_password="wrong-secret"),
    "user": SnmpCredential("v3", user="nobody", auth_password=V3.auth_password, priv_password=V3.priv_password),
}


@pytest.mark.tool("snmpd")
def test_over_v3_right_is_up_and_wrong_is_down_for_its_reason(scene: Scene, tmp_path: Path) -> None:
    with snmpd(udp_port(), tmp_path / "agent") as agent:
        scene.add(agent.port, V3, "right")
        for name, credential in WRONG.items():
            scene.add(agent.port, credential, name)

        async def story() -> None:
            await scene.until(lambda: scene.up("right") == 1)
            await scene.until(lambda: all(scene.up(name) == 0 for name in WRONG))
            # snmpd leaves unanswered what it cannot decrypt: that is a timeout
            await scene.until(lambda: scene.polls("ok") >= 3 and scene.polls("authentication") >= 2)

        scene.run(Engine.FAST, story, PATIENT)
    assert scene.polls("malformed") == scene.polls("internal") == 0


@pytest.mark.tool("snmpd")
@pytest.mark.parametrize("same_engine", [True, False], ids=["reboot", "another-engine"])
def test_over_v3_an_agent_that_restarts_or_is_replaced_costs_at_most_one_poll(
    scene: Scene, tmp_path: Path, same_engine: bool
) -> None:
    """Boots rise and time begins anew, or the engine's id is another: the poller learns it from the first refusal."""
    port = udp_port()
    scene.add(port, V3)
    losses: list[float] = []

    def lost() -> float:
        return sum(scene.polls(word) for word in ("authentication", "malformed", "timeout", "internal"))

    async def story() -> None:
        with snmpd(port, tmp_path / "first"):
            await scene.until(lambda: scene.polls("ok") >= 2)
        await scene.until(lambda: scene.up() == 0)
        before, good = lost(), scene.polls("ok")
        with snmpd(port, tmp_path / ("first" if same_engine else "second")):
            await scene.until(lambda: scene.polls("ok") > good)
        losses.append(lost() - before)

    scene.run(Engine.FAST, story, replace(PATIENT, interval_s=3.0))
    assert losses[0] <= 1


@pytest.mark.tool("snmpd")
@ENGINES
def test_an_agent_that_dies_and_returns(scene: Scene, tmp_path: Path, engine: Engine) -> None:
    port = udp_port()
    scene.add(port, V2C)

    async def story() -> None:
        for folder in ("first", "second"):
            with snmpd(port, tmp_path / folder):
                await scene.until(lambda: scene.up() == 1 and bool(scene.measurements()))
            await scene.until(lambda: scene.up() == 0)
            assert not scene.measurements()

    scene.run(engine, story, PATIENT)
    assert scene.polls("unreachable") >= 1 and scene.polls("malformed") == 0


@pytest.mark.tool("snmpd")
@pytest.mark.parametrize("same_engine", [True, False], ids=["reboot", "another-engine"])
def test_over_v3_a_restart_between_two_polls_costs_at_most_the_first(tmp_path: Path, same_engine: bool) -> None:
    """Nobody noticed that the agent was away: its engine's time, boots or id are simply not what we knew."""
    port = udp_port()

    async def ask(client: Client) -> bool:
        try:
            async with client.open(Target("127.0.0.1", port, V3, 2.0, 1)) as session:
                return bool(await session.get([UPTIME]))
        except SnmpError:
            return False

    async def story() -> list[bool]:
        client = Client()
        try:
            with snmpd(port, tmp_path / "first"):
                before = await ask(client)
            with snmpd(port, tmp_path / ("first" if same_engine else "second")):
                return [before, *[await ask(client) for _ in range(3)]]
        finally:
            await client.close()

    before, first, *later = asyncio.run(story())
    assert before and later == [True, True]
    assert first or not same_engine  # notInTimeWindow is answered at once; another engine's id takes a silence
