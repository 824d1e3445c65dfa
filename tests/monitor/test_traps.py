"""The ear for traps and informs: net-snmp's own senders over v2c and v3, and whoever lies, repeats or floods."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from hotspot.ap_events import ApEvent, Kind
from hotspot.fleet import PointKind
from monitor import ber
from monitor.notifications import COLD_START, LINK_DOWN, LINK_UP, TRAP_OID, Notification, notification
from monitor.oids import Oid
from monitor.poller import Settings
from monitor.profiles import Profiles
from monitor.session import Engine
from monitor.sockets import Sockets
from monitor.trap_limits import CITY_BURST, SOURCE_BURST, Limits
from monitor.traps import Result, Town, Traps
from store import ap_events
from store.fleet import AccessPoint, SnmpCredential
from store.store import Store
from tests.monitor.conftest import V2C, V3
from tests.monitor.liar import Liar
from tests.monitor.scene import Scene

WAIT_S = 20.0
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
HERE = "127.0.0.1"
COLD, DOWN = "1.3.6.1.6.3.1.1.5.1", "1.3.6.1.6.3.1.1.5.3"
JOINED = "1.3.6.1.4.1.14823.2.3.1.11.1.2.1"
"""Some controller's own word."""

IF_NAME = ("1.3.6.1.2.1.31.1.1.1.1.3", "s", "eth0")
FreePort = Callable[[int], int]


def point(number: int, credential: SnmpCredential, kind: PointKind = PointKind.ACCESS_POINT) -> AccessPoint:
    return AccessPoint(number, f"ap-{number}", "rathaus", HERE, 161, credential, kind)


@dataclass
class Ear:
    """A listener with a city around it that only remembers."""

    port: int
    points: list[AccessPoint]
    candidates: list[SnmpCredential] = field(default_factory=list)
    poked: list[int] = field(default_factory=list)
    events: list[ApEvent] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)

    def traps(self) -> Traps:
        town = Town(
            lambda address: [each for each in self.points if each.address == address],
            lambda _address: self.candidates,
            self.poked.append,
            self.events.append,
        )
        sockets = Sockets()
        count = lambda word: self.results.update([word])  # noqa: E731
        return Traps("rostock", f"{HERE}:{self.port}", town, sockets=sockets, count=count, clock=lambda: NOW)

    def listen(self, story: Callable[[], Coroutine[None, None, None]]) -> None:
        async def both() -> None:
            listening = asyncio.create_task(self.traps().run())
            await asyncio.sleep(0)
            try:
                await story()
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

        asyncio.run(both())

    async def until(self, word: str, count: int = 1) -> None:
        end = asyncio.get_running_loop().time() + WAIT_S
        while self.results[word] < count:
            assert asyncio.get_running_loop().time() < end, f"waited in vain for {word}: {dict(self.results)}"
            await asyncio.sleep(0.02)


@pytest.fixture
def ear(free_port: FreePort) -> Callable[..., Ear]:
    return lambda *points, **more: Ear(free_port(socket.SOCK_DGRAM), list(points), **more)


def options(credential: SnmpCredential, engine_id: str = "") -> list[str]:
    if credential.version == "v2c":
        return ["-v2c", "-c", credential.community]
    secrets = ["-a", "SHA-256", "-A", credential.auth_password, "-x", "AES", "-X", credential.priv_password]
    return ["-v3", "-l", "authPriv", "-u", credential.user, *secrets, *(["-e", engine_id] if engine_id else [])]


async def send(
    program: str,
    port: int,
    arguments: list[str],
    trap: str,
    *varbinds: tuple[str, str, str],
    home: Path,
    patience_s: int = 5,
) -> int:
    """Run net-snmp's `snmptrap` or `snmpinform`; its exit status."""
    command = [program, *arguments, "-r", "1", "-t", str(patience_s), f"udp:{HERE}:{port}", "", trap]
    command += [word for varbind in varbinds for word in varbind]
    env = {"PATH": "/usr/bin", "SNMP_PERSISTENT_DIR": str(home), "MIBS": "", "SNMPCONFPATH": str(home)}
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return await asyncio.wait_for(process.wait(), 60)


ENGINE_ID = "0x80001f8804aabbccdd"


@pytest.mark.tool("snmptrap")
@pytest.mark.parametrize("credential", [V2C, V3], ids=["v2c", "v3"])
def test_a_trap_of_net_snmp_brings_a_poll(ear: Callable[..., Ear], credential: SnmpCredential, tmp_path: Path) -> None:
    heard = ear(point(7, credential))

    async def story() -> None:
        await send("snmptrap", heard.port, options(credential, ENGINE_ID), COLD, home=tmp_path)
        await heard.until(Result.TAKEN)
        await send("snmptrap", heard.port, options(credential, ENGINE_ID), DOWN, IF_NAME, home=tmp_path)
        await heard.until(Result.TAKEN, 2)

    heard.listen(story)
    assert heard.poked == [7, 7]
    assert heard.events == [ApEvent(7, NOW, Kind.LINK_DOWN, after="eth0")]
    assert set(heard.results) == {Result.TAKEN}


@pytest.mark.tool("snmpinform")
@pytest.mark.parametrize("credential", [V2C, V3], ids=["v2c", "v3"])
def test_an_inform_of_net_snmp_is_acknowledged(
    ear: Callable[..., Ear], credential: SnmpCredential, tmp_path: Path
) -> None:
    heard = ear(point(7, credential))
    status: list[int] = []

    async def story() -> None:
        status.append(await send("snmpinform", heard.port, options(credential), DOWN, IF_NAME, home=tmp_path))

    heard.listen(story)
    assert status == [0]
    assert heard.poked == [7] and [event.after for event in heard.events] == ["eth0"]
    assert heard.results[Result.TAKEN] == 1 and heard.results[Result.WRONG_CREDENTIAL] == 0


@pytest.mark.tool("snmpinform")
@pytest.mark.parametrize(
    "credential",
    [
        SnmpCredential("v2c", community="guessed"),
        SnmpCredential("v3", user="nobody", auth_password="x" * 12, priv_password="y" * 12),
        SnmpCredential("v3", user=V3.user, auth_password="wrong-secret", priv_password=V3.priv_password),
        SnmpCredential("v3", user=V3.user, auth_password=V3.auth_password, priv_password="wrong-secret"),
    ],
    ids=["community", "user", "password", "privacy"],
)
@pytest.mark.parametrize("program", ["snmptrap", "snmpinform"])
def test_who_has_not_the_credential_is_counted_and_not_believed(
    ear: Callable[..., Ear], program: str, credential: SnmpCredential, tmp_path: Path
) -> None:
    heard = ear(point(1, V2C), point(2, V3))
    status: list[int] = []

    async def story() -> None:
        engine_id = ENGINE_ID if program == "snmptrap" else ""
        arguments = options(credential, engine_id)
        status.append(await send(program, heard.port, arguments, COLD, home=tmp_path, patience_s=1))
        await heard.until(Result.WRONG_CREDENTIAL)

    heard.listen(story)
    assert not heard.poked and not heard.events and heard.results[Result.TAKEN] == 0
    assert (status == [0]) == (program == "snmptrap")  # a trap is never answered, an inform only once it is taken


@pytest.mark.tool("snmptrap")
def test_a_user_s_name_alone_opens_nothing(ear: Callable[..., Ear], tmp_path: Path) -> None:
    heard = ear(point(2, V3))
    bare = ["-v3", "-l", "noAuthNoPriv", "-u", V3.user, "-e", ENGINE_ID]
    half = ["-v3", "-l", "authNoPriv", "-u", V3.user, "-a", "SHA-256", "-A", V3.auth_password, "-e", ENGINE_ID]

    async def story() -> None:
        for number, level in enumerate((bare, half), 1):
            await send("snmptrap", heard.port, level, COLD, home=tmp_path)
            await heard.until(Result.WRONG_CREDENTIAL, number)

    heard.listen(story)
    assert not heard.poked


@pytest.mark.tool("snmptrap")
@pytest.mark.parametrize("candidate", [V2C, V3], ids=["v2c", "v3"])
def test_a_candidate_of_the_network_is_believed_from_a_known_address(
    ear: Callable[..., Ear], candidate: SnmpCredential, tmp_path: Path
) -> None:
    heard = ear(point(3, SnmpCredential("v2c", community="its-own")), candidates=[candidate])

    async def story() -> None:
        await send("snmptrap", heard.port, options(candidate, ENGINE_ID), COLD, home=tmp_path)
        await heard.until(Result.TAKEN)

    heard.listen(story)
    assert heard.poked == [3]


# By hand ---------------------------------------------------------------------------------------------


def octets(trap: Oid | None = COLD_START, community: bytes = V2C.community.encode(), kind: int = ber.TRAP) -> bytes:
    pdu = v2c.InformRequestPDU() if kind == ber.INFORM else v2c.TrapPDU()
    v2c.apiPDU.set_defaults(pdu)
    rows = [((1, 3, 6, 1, 2, 1, 1, 3, 0), v2c.TimeTicks(5))]
    v2c.apiPDU.set_varbinds(pdu, rows + ([(TRAP_OID, v2c.ObjectIdentifier(trap))] if trap else []))
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def hear(ear: Ear, *datagrams: bytes, source: str = HERE) -> list[Result]:
    async def all_of_them() -> list[Result]:
        traps = ear.traps()
        return [traps.hear(datagram, (source, 4711)) for datagram in datagrams]

    return asyncio.run(all_of_them())


def test_an_unknown_address_is_not_read(ear: Callable[..., Ear]) -> None:
    assert hear(ear(point(1, V2C)), octets(), b"", source="127.0.0.9") == [Result.UNKNOWN_SOURCE] * 2


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x30" * 500,
        octets()[:-1],
        octets() + b"x",
        octets(trap=None),
        ber.request(ber.GET, V2C.community.encode(), [TRAP_OID], ber.REQUEST_ID_MIN),
        octets().replace(b"\x02\x01\x01", b"\x02\x01\x00", 1),
        octets() + bytes(20_000),
        b"\x30\x03\x02\x01\x03",
    ],
    ids=["empty", "nested", "cut", "trailing", "no name", "a question", "v1", "long", "v3"],
)
def test_what_is_no_notification_is_malformed(ear: Callable[..., Ear], datagram: bytes) -> None:
    heard = ear(point(1, V2C))
    assert hear(heard, datagram) == [Result.MALFORMED]
    assert not heard.poked


@given(st.binary(max_size=300))
def test_no_octets_raise(data: bytes) -> None:
    found = hear(Ear(0, [point(1, V2C), point(2, V3)]), data, octets()[:30] + data)
    assert set(found) <= {Result.MALFORMED, Result.WRONG_CREDENTIAL}


def test_a_controller_s_own_words_bring_a_poll_an_access_point_s_do_not(ear: Callable[..., Ear]) -> None:
    own = tuple(map(int, JOINED.split(".")))
    heard = ear(point(1, V2C), point(2, V2C, PointKind.CONTROLLER))
    assert hear(heard, octets(own)) == [Result.TAKEN]
    assert heard.poked == [2]


def test_of_several_behind_one_address_all_are_polled_and_nobody_s_link_is_guessed(ear: Callable[..., Ear]) -> None:
    heard = ear(point(1, V2C), point(2, V2C), point(3, SnmpCredential("v2c", community="other")))
    assert hear(heard, octets(LINK_UP)) == [Result.TAKEN]
    assert heard.poked == [1, 2] and not heard.events


def test_one_source_is_held_back_and_another_is_not(ear: Callable[..., Ear]) -> None:
    heard = ear(point(1, V2C), AccessPoint(2, "ap-2", "rathaus", "127.0.0.2", 161, V2C))

    async def story() -> list[Result]:
        traps = heard.traps()
        found = [traps.hear(octets(), (HERE, 1)) for _ in range(int(SOURCE_BURST) + 5)]
        return [*found, traps.hear(octets(), ("127.0.0.2", 1))]

    found = asyncio.run(story())
    assert found[: int(SOURCE_BURST)] == [Result.TAKEN] * int(SOURCE_BURST)
    assert found[-2:] == [Result.TOO_MANY, Result.TAKEN]


def test_the_city_has_a_limit_of_its_own() -> None:
    limits = Limits()
    admitted = [limits.admit(f"10.0.{number // 200}.{number % 200}", now=100.0) for number in range(400)]
    assert sum(admitted) == CITY_BURST
    assert not limits.admit("10.9.9.9", now=100.0)
    assert limits.admit("10.9.9.9", now=101.0)


@pytest.mark.parametrize(
    ("varbinds", "expected"),
    [
        ([], None),
        ([(TRAP_OID, 5)], None),
        ([(TRAP_OID, LINK_DOWN), ((1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 4), 4)], Notification(LINK_DOWN, "interface 4")),
        (
            [(TRAP_OID, LINK_UP), ((1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 4), b"eth\x1b[2J1\xff"), ((1, 3), 1)],
            Notification(LINK_UP, "eth[2J1�"),
        ),
        ([(TRAP_OID, COLD_START)], Notification(COLD_START)),
    ],
)
def test_what_a_notification_says(varbinds: list[tuple[Oid, object]], expected: Notification | None) -> None:
    assert notification(varbinds) == expected  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_named_and_does_not_end_the_city(
    ear: Callable[..., Ear], caplog: pytest.LogCaptureFixture
) -> None:
    heard = ear(point(1, V2C))

    async def story() -> None:
        await asyncio.sleep(0.1)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HERE, heard.port))
        heard.listen(story)
    assert "monitor.trap_listen" in caplog.text and "in use" in caplog.text


# The whole monitor -----------------------------------------------------------------------------------

SELDOM = Settings(interval_s=3600.0, timeout_s=0.5, retries=1, max_in_flight=8, refresh_s=0.1, flush_s=0.05)


@pytest.mark.tool("snmptrap")
@pytest.mark.parametrize("credential", [V2C, V3], ids=["v2c", "v3"])
def test_a_trap_is_followed_by_a_poll_an_event_and_a_figure_on_the_page(
    city_store: Store, all_profiles: Profiles, free_port: FreePort, tmp_path: Path, credential: SnmpCredential
) -> None:
    """Polled once an hour, and at once when it calls. A stranger's community brings nothing."""
    port = free_port(socket.SOCK_DGRAM)
    stranger = SnmpCredential("v2c", community="guessed")

    def counted(result: str) -> float:
        return scene.read("kogge_monitor_traps_total", result=result) or 0.0

    async def story() -> None:
        await scene.until(lambda: scene.page() != "")
        while not counted("wrong_credential"):  # until the listener is there and knows the access point
            await send("snmptrap", port, options(stranger), COLD, home=tmp_path)
            await asyncio.sleep(0.2)
        assert scene.up() is None and sum(scene.by_word("kogge_monitor_polls_total", "result").values()) == 0
        await send("snmptrap", port, options(credential, ENGINE_ID), DOWN, IF_NAME, home=tmp_path)
        await scene.until(lambda: scene.up() is not None)
        await scene.until(lambda: bool(links(scene.store)))

    with contextlib.closing(Scene(city_store, all_profiles)) as scene, Liar() as agent:
        point_id = scene.add(agent.port, credential)
        scene.run(Engine.FAST, story, SELDOM, trap_listen=f"{HERE}:{port}")
        assert counted("taken") == 1
        assert [(event.access_point_id, event.kind, event.after) for event in links(scene.store)] == [
            (point_id, Kind.LINK_DOWN, "eth0")
        ]
        if credential is V2C:  # the agent speaks no SNMPv3: the health is what the poll found, not what the trap said
            assert scene.up() == 1


def links(store: Store) -> list[ApEvent]:
    with store.read() as conn:
        found = ap_events.recent(conn, since=datetime(2020, 1, 1, tzinfo=UTC), limit=10)
    return [event for event in found if event.kind in (Kind.LINK_UP, Kind.LINK_DOWN)]
