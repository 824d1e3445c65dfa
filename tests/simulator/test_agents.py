"""Access points asked by Debian's own SNMP tools, over v2c and v3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from simulator.agents import VARBINDS_MAX, Agent
from simulator.life import Population

pytestmark = [pytest.mark.tool("snmpget"), pytest.mark.tool("snmpbulkwalk")]

V3 = "-v3 -u kogge -l authPriv -a SHA-256 -A auth-password -x AES -X priv-password"
V2C = "-v2c -c stralsund-read"
USER = {"version": "v3", "user": "kogge", "auth_password": "auth-password", "priv_password": "priv-password"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def open_agent(point: Any, clock: Clock) -> AsyncIterator[Agent]:
    agent = Agent(point, Population(7, "hst", [(point.ssids, point.fails)]), 0, clock=clock)
    await agent.start()
    try:
        yield agent
    finally:
        await agent.close()


async def ask(program: str, how: str, point: Any, *oids: str, patience: float = 5) -> tuple[int, list[str]]:
    """Exit code and output lines; one try, waiting so many seconds."""
    words = [program, *how.split(), "-On", "-Oe", "-r0", f"-t{patience}", f"{point.address}:{point.port}", *oids]
    process = await asyncio.create_subprocess_exec(*words, stdout=-1, stderr=-1, env={"MIBS": "", "HOME": "/"})
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode().splitlines()


@pytest.mark.parametrize(("how", "credential"), [(V2C, {}), (V3, USER)])
def test_the_whole_table_can_be_walked(how: str, credential: dict[str, Any], make_point: Callable[..., Any]) -> None:
    async def scenario() -> None:
        point = make_point(**credential)
        async with open_agent(point, Clock()) as agent:
            code, lines = await ask("snmpbulkwalk", how, point, ".1")
            told = dict(line.split(" = ", 1) for line in lines if " = " in line)
            assert code == 0 and len(told) > 250
            assert told[".1.3.6.1.2.1.1.1.0"] == 'STRING: "UAP-nanoHD 6.6.55"'
            assert told[".1.3.6.1.2.1.1.2.0"] == "OID: .1.3.6.1.4.1.41112"
            assert told[".1.3.6.1.2.1.1.5.0"] == 'STRING: "hafen-1"'
            assert told[".1.3.6.1.4.1.41112.1.6.1.2.1.6.1"] == 'STRING: "Stralsund-WLAN"'
            assert told[".1.3.6.1.4.1.41112.1.6.1.1.1.3.2"] == 'STRING: "na"'
            assert told[".1.3.6.1.2.1.31.1.1.1.6.2"].startswith("Counter64: ")
            assert told[".1.3.6.1.4.1.10002.1.1.1.1.1.0"].startswith("Gauge32: ")
            assert told[".1.3.6.1.2.1.25.3.3.1.2.196608"].startswith("INTEGER: ")
            assert agent.answered > len(told) // VARBINDS_MAX

    asyncio.run(scenario())


@pytest.mark.parametrize(("how", "credential"), [(V2C, {}), (V3, USER)])
def test_get_and_getnext(how: str, credential: dict[str, Any], make_point: Callable[..., Any]) -> None:
    async def scenario() -> None:
        point = make_point(**credential)
        async with open_agent(point, Clock()):
            _, lines = await ask("snmpget", how, point, ".1.3.6.1.2.1.1.5.0", ".1.3.6.1.2.1.1.5.1")
            assert lines[0].endswith('"hafen-1"') and "No Such Instance" in lines[1]
            _, lines = await ask("snmpgetnext", how, point, ".1.3.6.1.2.1.1.5", ".1.3.6.1.4.1.50000")
            assert lines[0].endswith('"hafen-1"') and "No more variables" in lines[1]

    asyncio.run(scenario())


def test_whoever_does_not_know_the_secret_learns_nothing(make_point: Callable[..., Any]) -> None:
    async def scenario() -> None:
        plain, secure = make_point(), make_point(**USER)
        async with open_agent(plain, Clock()), open_agent(secure, Clock()):
            for point, how in (
                (plain, "-v2c -c public"),
                (plain, "-v1 -c stralsund-read"),
                (plain, V3),
                (secure, V2C),
                (secure, V3.replace("-A auth", "-A wrong")),
                (secure, V3.replace("-X priv", "-X wrong")),
                (secure, V3.replace("kogge", "nobody")),
                (secure, "-v3 -u kogge -l noAuthNoPriv"),
                (secure, "-v3 -u kogge -l authNoPriv -a SHA-256 -A auth-password"),
            ):
                _, lines = await ask("snmpget", how, point, ".1.3.6.1.2.1.1.5.0", patience=0.3)
                assert not any("hafen-1" in line for line in lines), how
            code, _ = await ask("snmpget", V3, secure, ".1.3.6.1.2.1.1.5.0")
            assert code == 0, "and still answers those who do"

    asyncio.run(scenario())


def test_rubbish_is_met_with_silence(make_point: Callable[..., Any]) -> None:
    async def scenario() -> None:
        for point in (make_point(), make_point(**USER)):
            async with open_agent(point, Clock()) as agent:
                for octets in (b"", b"\x30", b"\x30\x80" + bytes(50), bytes(9000), b"\x30\x05\x02\x01\x03\x30\x00"):
                    agent.datagram_received(octets, ("127.0.0.1", 9))
                assert agent.answered == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(("how", "credential"), [(V2C, {}), (V3, USER)])
def test_counters_grow_and_a_failing_point_returns(
    how: str, credential: dict[str, Any], make_point: Callable[..., Any]
) -> None:
    counter = ".1.3.6.1.2.1.31.1.1.1.10.2"

    async def scenario() -> None:
        point, clock = make_point(fails=True, **credential), Clock()
        async with open_agent(point, clock) as agent:
            values, silent = [], 0
            for _ in range(10):
                code, lines = await ask("snmpget", how, point, counter, patience=0.5 if agent.silent else 5)
                silent += code != 0
                values += [int(line.rpartition(" ")[2]) for line in lines]
                clock.now += 30
            assert silent == 2, "60 of 300 seconds"
            assert values == sorted(set(values)) and len(values) == 8

    asyncio.run(scenario())


def test_a_taken_port_is_an_os_error(make_point: Callable[..., Any]) -> None:
    async def scenario() -> None:
        point = make_point()
        async with open_agent(point, Clock()):
            with pytest.raises(OSError, match="in use"):
                async with open_agent(point, Clock()):
                    pass

    asyncio.run(scenario())
