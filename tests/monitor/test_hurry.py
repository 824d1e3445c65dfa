"""Sleeps that can be cut short: once, not too often, and never for good."""

from __future__ import annotations

import asyncio

from monitor.hurry import Hurry


async def slept(hurry: Hurry, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await hurry.sleep(1, began + seconds)
    return loop.time() - began


def test_who_is_called_wakes_and_who_is_not_sleeps_on() -> None:
    async def story() -> tuple[float, float]:
        hurry = Hurry(pause_s=0.0)
        asyncio.get_running_loop().call_later(0.05, hurry.poke, 1)
        return await slept(hurry, 60.0), await slept(hurry, 0.1)

    called, quiet = asyncio.run(story())
    assert called < 30.0 and quiet >= 0.09


def test_a_call_during_the_poll_is_heard_after_the_pause() -> None:
    async def story() -> float:
        hurry = Hurry(pause_s=0.2)
        await slept(hurry, 0.0)
        for _ in range(100):
            hurry.poke(1)
        return await slept(hurry, 60.0)

    assert 0.15 <= asyncio.run(story()) < 30.0


def test_a_call_never_makes_a_poll_later_than_its_time() -> None:
    async def story() -> float:
        hurry = Hurry(pause_s=60.0)
        await slept(hurry, 0.0)
        hurry.poke(1)
        return await slept(hurry, 0.1)

    assert asyncio.run(story()) < 30.0


def test_time_that_has_passed_is_no_sleep() -> None:
    async def story() -> float:
        return await slept(Hurry(), -1.0)

    assert asyncio.run(story()) < 5.0


def test_an_unknown_one_cannot_be_called() -> None:
    hurry = Hurry()
    hurry.poke(5)
    hurry.forget(5)
