"""A NAS between a RADIUS server and a portal: every way a session begins and ends, as seen on the wire."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hotspot.values import MacAddress, Octets
from simulator import uam
from simulator.browser import Browser, Page
from simulator.nas import Nas, Patience

GIGABYTE = 1_000_000_000


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def open_nas(
    scene: Any, clock: Callable[[], float] = time.monotonic, waits: tuple[float, ...] = (1.0, 2.0)
) -> AsyncIterator[Nas]:
    nas = Nas(scene.nas, scene.portal_url, random.Random(1), clock=clock, patience=Patience(waits, waits, 0.05))
    async with scene:
        await nas.start()
        try:
            yield nas
        finally:
            await nas.close()


def told(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


async def accept(browser: Browser, scene: Any) -> tuple[MacAddress, Page]:
    """Walk up, accept the terms, be handed over: the way a person goes."""
    page = await browser.get(f"http://{scene.nas.listen}/walk-up")
    form = page.form("accept")
    assert form is not None and form.choices == (("accept", "yes"),)
    page = await browser.submit(form, accept="yes")
    return MacAddress.parse(browser.cookies[scene.nas.listen]["device"]), page


def test_a_resident_comes_online_and_logs_off(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene = make_scene()
        limits = wire.attribute(27, wire.number(3600)) + wire.attribute(25, b"\x00class") + wire.attribute(25, b"two")
        scene.responder.judge = lambda told: limits if scene.responder.chap_holds(told) else None
        async with open_nas(scene) as nas:
            browser = Browser()
            mac, page = await accept(browser, scene)
            assert told(page)["res"] == "success" and "Sie sind online" in page.body
            assert told(page)["timeleft"] == "3600" and told(page)["nasid"] == scene.nas.nas_identifier
            asked = scene.responder.access[0]
            assert asked[31] == [str(mac).encode()] and asked[32] == [b"stralsund-ap-0001"]
            assert asked[30][0].endswith(b":Stralsund-WLAN") and asked[6] == [wire.number(1)]
            assert asked[61] == [wire.number(19)] and asked[4] == [bytes((127, 0, 0, 1))] and asked[8][0][0] == 10
            (start,) = await scene.responder.wait_for(1)
            assert start[25] == [b"\x00class", b"two"] and start[44] == asked[44] and start[1] == asked[1]
            page = await browser.get(f"http://{scene.nas.listen}/internet")
            assert page.status == 200 and '<h1 id="online">' in page.body and str(mac) in page.body
            page = await browser.get(f"http://{scene.nas.listen}/logoff")
            assert told(page)["res"] == "logoff" and nas.online == 0
            (stop,) = await scene.responder.wait_for(2)
            assert stop[49] == [wire.number(1)] and stop[43] == [wire.number(1_500_000)]
        assert scene.responder.records(7) and scene.responder.records(8)

    asyncio.run(scenario())


def test_a_stranger_is_sent_to_the_portal_whatever_he_asks_for(make_scene: Callable[..., Any]) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with open_nas(scene):
            browser = Browser()
            for path in ("/internet", "/logon?username=x&response=y", "/logoff", "/walk-up"):
                page = await browser.get(f"http://{scene.nas.listen}{path}")
                assert page.url.startswith(scene.portal_url)
            assert told(page)["userurl"] == f"http://{scene.nas.listen}/internet"
            assert (await browser.get(f"http://{scene.nas.listen}/walk-up?mac=nonsense")).status == 400
            assert (await browser.get(f"http://{scene.nas.listen}/favicon.ico")).status == 404

    asyncio.run(scenario())


def test_a_refusal_brings_the_reply_message_and_a_fresh_challenge(make_scene: Callable[..., Any]) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with open_nas(scene):
            browser = Browser()
            page = await browser.get(f"http://{scene.nas.listen}/walk-up")
            before = told(page)["challenge"]
            page = await browser.get(f"http://{scene.nas.listen}/logon?username=u&response={'00' * 16}")
            after = told(page)
            assert (after["res"], after["reason"], after["reply"]) == ("failed", "reject", "no, thank you")
            assert after["challenge"] != before
            page = await browser.get(f"http://{scene.nas.listen}/logon?username=u&response=zz")
            assert told(page)["reason"] == "other"

    asyncio.run(scenario())


def test_pap_reaches_radius_as_the_password(make_scene: Callable[..., Any]) -> None:
    async def scenario() -> None:
        scene = make_scene()
        scene.responder.judge = lambda told: b"" if 2 in told and 3 not in told else None
        async with open_nas(scene):
            browser = Browser()
            page = await browser.get(f"http://{scene.nas.listen}/walk-up")
            key = uam.challenge_key(bytes.fromhex(told(page)["challenge"]), scene.nas.uam_secret)
            hidden = uam.pap_hidden("ostsee1", key).hex()
            page = await browser.get(f"http://{scene.nas.listen}/logon?username=u&password={hidden}")
            assert told(page)["res"] == "success"
            page = await browser.get(f"http://{scene.nas.listen}/logon?username=u&password={hidden}")
            assert told(page)["res"] == "already"

    asyncio.run(scenario())


def test_a_silent_server_is_a_timeout(make_scene: Callable[..., Any]) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with open_nas(scene, waits=(0.05, 0.05)):
            await scene.responder.wait_for(7)
            browser = Browser()
            await browser.get(f"http://{scene.nas.listen}/walk-up")
            scene.responder.silent = 2
            page = await browser.get(f"http://{scene.nas.listen}/logon?username=u&response={'00' * 16}")
            assert (told(page)["res"], told(page)["reason"]) == ("failed", "timeout")
            first, again = scene.responder.raw[-2:]
            assert first == again, "a retransmission is the same octets"

    asyncio.run(scenario())


def test_a_known_device_is_let_in_by_its_address(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene = make_scene()
        mac = MacAddress.parse("02-00-5E-10-00-0A")
        scene.responder.judge = lambda told: b"" if told[6] == [wire.number(10)] else None
        async with open_nas(scene) as nas:
            arrival = await nas.walk_up(mac)
            assert arrival.online and arrival.location == f"http://{scene.nas.listen}/internet"
            assert scene.responder.access[0][1] == [b"02-00-5E-10-00-0A"] and 2 in scene.responder.access[0]
            await scene.responder.wait_for(1)
            assert (await nas.walk_up()).online is False

    asyncio.run(scenario())


@pytest.mark.parametrize("swapped", [False, True])
def test_counters_have_gigawords_and_the_meaning_of_the_nas(
    swapped: bool, make_scene: Callable[..., Any], wire: Any
) -> None:
    async def scenario() -> None:
        scene, clock = make_scene(octets_swapped=swapped), Clock()
        async with open_nas(scene, clock) as nas:
            browser = Browser()
            mac, _ = await accept(browser, scene)
            nas.flow(mac, GIGABYTE, 1000)
            clock.now += 10
            await browser.get(f"http://{scene.nas.listen}/logoff")
            (stop,) = await scene.responder.wait_for(2)
            gigawords, rest = divmod(10 * GIGABYTE, 1 << 32)
            down, up, words = (42, 43, 52) if swapped else (43, 42, 53)
            assert stop[down] == [wire.number(rest)] and stop[words] == [wire.number(gigawords)]
            assert stop[up] == [wire.number(10_000)] and (53 if swapped else 52) not in stop
            assert stop[46] == [wire.number(10)]

    asyncio.run(scenario())


def test_limits_end_a_session_with_the_right_cause(make_scene: Callable[..., Any], wire: Any) -> None:
    session, idle = wire.attribute(27, wire.number(60)), wire.attribute(28, wire.number(30))
    quota = wire.vendor(14559, 2, wire.number(1000))
    rate = wire.vendor(14122, 8, wire.number(8000))

    async def scenario(limits: bytes, flow: tuple[int, int], seconds: int, cause: int, octets: int) -> None:
        scene, clock = make_scene(), Clock()
        scene.responder.judge = lambda told: limits
        async with open_nas(scene, clock) as nas:
            mac, _ = await accept(Browser(), scene)
            nas.flow(mac, *flow)
            clock.now += seconds - 1
            nas.tick()
            assert nas.online == 1
            clock.now += 1
            nas.tick()
            assert nas.online == 0
            (stop,) = await scene.responder.wait_for(2)
            assert stop[49] == [wire.number(cause)] and stop[43] == [wire.number(octets)]

    asyncio.run(scenario(session + idle, (1, 1), 60, 5, 60))
    asyncio.run(scenario(session + idle, (0, 0), 30, 4, 0))
    asyncio.run(scenario(quota, (100, 1), 10, 5, 1000))
    asyncio.run(scenario(session + rate, (10**9, 1), 60, 5, 60_000))


def test_interim_updates_come_at_the_interval_radius_asked_for(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene, clock = make_scene(), Clock()
        scene.responder.judge = lambda told: wire.attribute(85, wire.number(20))
        async with open_nas(scene, clock) as nas:
            mac, _ = await accept(Browser(), scene)
            nas.flow(mac, 10, 5)
            for _ in range(60):
                clock.now += 1
                nas.tick()
            interims = await scene.responder.wait_for(3, 3)
            assert [each[46] for each in interims] == [[wire.number(seconds)] for seconds in (20, 40, 60)]
            assert [each[43] for each in interims] == [[wire.number(octets)] for octets in (200, 400, 600)]

    asyncio.run(scenario())


class Asker(asyncio.DatagramProtocol):
    """Sends a dynamic request and waits for the answer, or for silence."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answers.put_nowait(data)

    async def ask(self, nas: Any, octets: bytes, patience: float = 0.3) -> bytes | None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, remote_addr=(nas.address, nas.coa_port)
        )
        try:
            transport.sendto(octets)
            transport.sendto(octets)
            first = await asyncio.wait_for(self.answers.get(), patience)
            assert first == await asyncio.wait_for(self.answers.get(), patience), "a duplicate gets the same octets"
            return first
        except TimeoutError:
            return None
        finally:
            transport.close()


def test_a_disconnect_ends_the_session_it_names(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with open_nas(scene) as nas:
            mac, _ = await accept(Browser(), scene)
            session = nas.session(mac)
            assert session is not None
            user, right = wire.attribute(1, session.user_name.encode()), wire.attribute(44, session.id.encode())
            unknown = await Asker().ask(scene.nas, wire.sign_request(40, 1, user + wire.attribute(44, b"another")))
            assert unknown is not None and unknown[0] == 42 and wire.split(unknown)[101] == [wire.number(503)]
            elsewhere = wire.sign_request(40, 2, user + right + wire.attribute(32, b"rostock"))
            answer = await Asker().ask(scene.nas, elsewhere)
            assert answer is not None and wire.split(answer)[101] == [wire.number(403)]
            for silent in (
                wire.sign_request(40, 3, user + right, secret="wrong"),
                wire.sign_request(40, 4, right),
                wire.sign_request(40, 5, user + right + wire.attribute(55, wire.number(1))),
                b"\x28\x06\x00\x14",
            ):
                assert await Asker().ask(scene.nas, silent) is None
            assert nas.online == 1
            answer = await Asker().ask(scene.nas, wire.sign_request(40, 6, user + right))
            assert answer is not None and answer[0] == 41 and nas.online == 0
            (stop,) = await scene.responder.wait_for(2)
            assert stop[49] == [wire.number(6)]

    asyncio.run(scenario())


def test_a_coa_replaces_every_limit(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene = make_scene()
        scene.responder.judge = lambda told: wire.attribute(28, wire.number(30)) + wire.attribute(27, wire.number(60))
        async with open_nas(scene) as nas:
            mac, _ = await accept(Browser(), scene)
            session = nas.session(mac)
            assert session is not None and session.limits.idle_seconds == 30
            named = wire.attribute(1, session.user_name.encode()) + wire.attribute(44, session.id.encode())
            request = wire.sign_request(43, 9, named + wire.attribute(27, wire.number(90)))
            answer = await Asker().ask(scene.nas, request)
            assert answer is not None and answer[0] == 44
            assert (session.limits.session_seconds, session.limits.idle_seconds) == (90, 0)

    asyncio.run(scenario())


def test_accounting_waits_for_a_server_that_is_away_and_keeps_its_order(make_scene: Callable[..., Any]) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with open_nas(scene, waits=(0.05, 0.05)):
            await scene.responder.wait_for(7)
            scene.responder.judge = lambda told: b""
            await accept(Browser(), scene)
            scene.responder.silent = 5
        kinds = [each[40][0][3] for each in scene.responder.accounting]
        assert kinds == [7, 1, 2, 8]
        assert scene.responder.records(2)[0][49] == [b"\0\0\0\x07"]

    asyncio.run(scenario())


def test_a_taken_port_leaves_nothing_open(make_scene: Callable[..., Any]) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with open_nas(scene):
            second = Nas(scene.nas, scene.portal_url, random.Random(2))
            with pytest.raises(OSError, match="address already in use"):
                await second.start()

    asyncio.run(scenario())


def test_a_burst_counts_like_a_flow() -> None:
    from simulator.session import Flow

    flow = Flow(since=0.0)
    flow.change(100, 10, now=5.0)
    flow.add(Octets(7, 3), now=15.0)
    assert flow.at(20.0) == Octets(1507, 153)
