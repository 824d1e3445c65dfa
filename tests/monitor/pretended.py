"""An agent without a wire: the questions of a poll are answered from a plain mapping."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from monitor.oids import Oid, Value, Varbind
from monitor.session import Target


class Agent:
    """A session with an agent that has these values; `refuse` may raise for a question of so many varbinds."""

    def __init__(self, values: Mapping[Oid, Value], refuse: Callable[[int], None] = lambda _varbinds: None) -> None:
        self.become(values)
        self._refuse = refuse
        self.asked: list[int] = []
        self.gets = self.bulks = 0

    def become(self, values: Mapping[Oid, Value]) -> None:
        self._values = sorted(values.items())
        self._by_oid = dict(values)

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        self.asked.append(len(oids))
        self.gets += 1
        self._refuse(len(oids))
        return [(oid, self._by_oid.get(oid)) for oid in oids]

    async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
        self.asked.append(repetitions)
        self.bulks += 1
        self._refuse(repetitions * len(oids))
        columns = [self._after(oid, repetitions) for oid in oids]
        return [row for rows in zip(*columns, strict=True) for row in rows]

    def _after(self, oid: Oid, count: int) -> list[Varbind]:
        at = bisect_right(self._values, oid, key=lambda each: each[0])
        found: list[Varbind] = self._values[at : at + count]
        end: Varbind = (found[-1][0] if found else oid, None)
        return found + [end] * (count - len(found))


class Client:
    """Opens that agent, whatever the target."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    @asynccontextmanager
    async def open(self, target: Target) -> AsyncIterator[Agent]:
        yield self.agent
