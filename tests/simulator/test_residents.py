"""Residents in a hurry, against a portal with real forms and a RADIUS server; and the town as a process."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotspot.errors import ConfigError, WireError
from simulator.browser import Browser
from simulator.residents import USUAL, Habits, Residents
from simulator.runtime import running
from simulator.town import dump

HURRIED = Habits(
    stay_seconds=0.1,
    stay_bounds=(0.05, 0.2),
    away_seconds=0.05,
    away_bounds=(0.01, 0.1),
    next_seconds=0.05,
    read_seconds=(0.0, 0.01),
    wrong_code_share=0.3,
    arrival_seconds=0.2,
)


def test_residents_come_mistype_stay_leave_and_return(make_scene: Callable[..., Any], wire: Any) -> None:
    async def scenario() -> None:
        scene = make_scene()
        known: set[bytes] = set()

        def judge(told: dict[int, list[bytes]]) -> bytes | None:
            if told[6] == [wire.number(10)]:
                return b"" if told[31][0] in known else None
            known.add(told[31][0])
            return b"" if scene.responder.chap_holds(told) else None

        scene.responder.judge = judge
        async with scene, running(scene.town, residents=False) as town:
            people = Residents(town.nases["stralsund"], 5, random.Random(3), HURRIED)
            people.start()
            async with asyncio.timeout(30):
                while not all(people.seen[kind] for kind in ("online", "left", "logged_off", "returned", "wrong_code")):
                    await asyncio.sleep(0.05)
            await people.close()
            assert not [kind for kind in people.seen if kind.startswith("failed")]
            assert scene.portal.wrong_codes
        assert len(scene.responder.records(1)) == len(scene.responder.records(2)), "every session has its Stop"

    asyncio.run(scenario())


def test_a_portal_that_is_away_is_said_once(make_scene: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with scene, running(scene.town, residents=False) as town:
            await scene.portal.close()
            habits = replace(HURRIED, next_seconds=0.01)
            people = Residents(town.nases["stralsund"], 20, random.Random(3), habits)
            people.start()
            async with asyncio.timeout(10):
                while sum(people.seen.values()) < 20:
                    await asyncio.sleep(0.05)
            await people.close()

    asyncio.run(scenario())
    assert len([each for each in caplog.records if each.name == "simulator.residents"]) == 1


def test_a_redirect_loop_ends(make_scene: Callable[..., Any]) -> None:
    async def scenario() -> None:
        scene = make_scene()
        async with scene, running(scene.town, residents=False) as town:
            nas = town.nases["stralsund"]
            nas._portal_url = f"http://{scene.nas.listen}"
            with pytest.raises(WireError, match="too_many_redirects"):
                await Browser().get(f"http://{scene.nas.listen}/")

    asyncio.run(scenario())


def test_a_taken_port_is_named_and_nothing_stays_open(
    make_scene: Callable[..., Any], make_point: Callable[..., Any]
) -> None:
    async def scenario() -> None:
        scene = make_scene(points=(make_point(),))
        async with scene, running(scene.town, residents=False):
            with pytest.raises(ConfigError, match=r"access point hafen-1 cannot listen on 127\.0\.0\.1:\d+"):
                async with running(scene.town):
                    pass
            with pytest.raises(ConfigError, match=r"NAS Stralsund Hafen cannot listen on"):
                async with running(scene.town, agents=False):
                    pass

    asyncio.run(scenario())


def test_the_process_says_ready_and_ends_with_every_stop(
    make_scene: Callable[..., Any], make_point: Callable[..., Any], tmp_path: Path
) -> None:
    async def scenario() -> None:
        secure = make_point(name="hafen-2", version="v3", user="u", auth_password="a" * 8, priv_password="p" * 8)
        scene = make_scene(points=(make_point(), secure))
        path = tmp_path / "TOWN.json"
        dump(scene.town, path)
        words = (sys.executable, "-m", "simulator", str(path), "--no-residents")
        async with scene:
            process = await asyncio.create_subprocess_exec(*words, stderr=-1)
            try:
                await _use_and_end(process, scene, words)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        assert len(scene.responder.records(1)) == len(scene.responder.records(2)) == 1
        assert scene.responder.records(8)

    asyncio.run(scenario())


async def _use_and_end(process: asyncio.subprocess.Process, scene: Any, words: tuple[str, ...]) -> None:
    assert process.stderr is not None
    assert await asyncio.wait_for(process.stderr.readline(), 20) == b"simulator: ready\n"
    browser = Browser()
    form = (await browser.get(f"http://{scene.nas.listen}/walk-up")).form("accept")
    assert form is not None
    assert "res=success" in (await browser.submit(form, accept="yes")).url
    second = await asyncio.create_subprocess_exec(*words, stderr=-1)
    _, said = await second.communicate()
    assert second.returncode == 2 and said.count(b"\n") == 1 and b"cannot listen on" in said
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 15) == 0


def test_the_usual_habits_spread_arrivals_over_a_minute() -> None:
    assert USUAL.arrival_seconds == 60
