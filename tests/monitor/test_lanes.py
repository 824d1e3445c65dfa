"""Places for polls: first come, first served; who takes long gives way; nobody's place is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from monitor.lanes import Lane, Lanes


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def test_a_place_goes_to_who_waits_longest_and_not_to_who_gave_up() -> None:
    async def story() -> None:
        lane, served = Lane(1), list[str]()

        async def go(name: str) -> None:
            await lane.enter()
            served.append(name)
            await asyncio.sleep(0)
            lane.leave()

        assert lane.take() and not lane.take()
        first, second, third = (asyncio.create_task(go(name)) for name in ("first", "second", "third"))
        await asyncio.sleep(0)
        assert lane.waiting == 3
        second.cancel()
        lane.leave()
        await asyncio.gather(first, second, third, return_exceptions=True)
        assert served == ["first", "third"] and lane.take()

    run(story())


def test_one_that_is_cancelled_when_its_turn_has_come_passes_it_on() -> None:
    async def story() -> None:
        lane = Lane(1)
        lane.take()
        waiting = asyncio.create_task(lane.enter())
        await asyncio.sleep(0)
        lane.leave()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert lane.take()

    run(story())


def test_a_slow_poll_gives_way_as_long_as_there_is_room() -> None:
    async def story() -> None:
        lanes = Lanes({"v2c": 1}, 1, give_way_s=0.01)
        end, inside = asyncio.Event(), list[int]()

        async def poll(number: int) -> None:
            async with lanes.poll("v2c"):
                inside.append(number)
                await end.wait()

        polls = [asyncio.create_task(poll(number)) for number in range(3)]
        while len(inside) < 2:  # the first went on in the other lane, the second has its place and no way to give
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert inside == [0, 1] and lanes.waiting == 1
        probing = asyncio.create_task(_probe(lanes))
        await asyncio.sleep(0.01)
        assert lanes.waiting == 2
        end.set()
        await asyncio.gather(*polls, probing)
        assert inside == [0, 1, 2] and lanes.waiting == 0
        async with lanes.poll("v2c"), lanes.probe():
            assert lanes.waiting == 0

    run(story())


async def _probe(lanes: Lanes) -> None:
    async with lanes.probe():
        pass
