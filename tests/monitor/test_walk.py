"""Walks and plain GETs: forwards only, bounded, and in portions that the device stomachs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from hotspot.fleet import PollFailure
from monitor.oids import Oid, Value, Varbind, parse
from monitor.profile import Column, Instance, Table
from monitor.session import SnmpError, TooBigError
from monitor.walk import GROWTH_POLLS, VARBINDS_ASKED_MAX, Appetite, Walked, get, walk
from tests.monitor.pretended import Agent

NAME, OCTETS = parse("1.3.6.1.2.1.31.1.1.1.1"), parse("1.3.6.1.2.1.31.1.1.1.6")


def column(word: str, oid: Oid, instance: Instance | None = None) -> Column:
    return Column(word, oid, told=bool, convert=bool, instance=instance)


TABLE = Table("interfaces", (column("name", NAME), column("octets_in", OCTETS)))


class Liar(Agent):
    """Answers a GETBULK with whatever it is told to."""

    def __init__(self, answer: Callable[[Sequence[Oid], int], list[Varbind]]) -> None:
        super().__init__({})
        self._answer = answer

    async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
        self.asked.append(repetitions)
        return self._answer(oids, repetitions)


def walked(agent: Agent, table: Table = TABLE, appetite: Appetite | None = None) -> Walked:
    return asyncio.run(walk(agent, table, appetite or Appetite()))


def table(rows: int) -> dict[Oid, Value]:
    return {(*oid, row): row for oid in (NAME, OCTETS) for row in range(1, rows + 1)}


def test_a_table_is_rows_in_order_of_their_index() -> None:
    assert walked(Agent(table(3) | {(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 7, 1): 9})).rows == (
        ((1,), (1, 1)),
        ((2,), (2, 2)),
        ((3,), (3, 3)),
    )


def test_a_missing_cell_is_none() -> None:
    values = table(3)
    del values[(*NAME, 2)]
    assert walked(Agent(values)).rows == (((1,), (1, 1)), ((2,), (None, 2)), ((3,), (3, 3)))


@pytest.mark.parametrize(("rows", "cut"), [(127, False), (128, False), (129, True), (500, True)])
def test_a_table_is_cut_off_at_its_limit_and_says_so(rows: int, cut: bool) -> None:
    found = walked(Agent(table(rows)))
    assert len(found.rows) == min(rows, TABLE.rows_max) and found.cut is cut


def endless(oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
    rows = [[(*oid, 1) if len(oid) == len(NAME) else (*oid[:-1], oid[-1] + 1) for oid in oids]]
    while len(rows) < repetitions:
        rows.append([(*oid[:-1], oid[-1] + 1) for oid in rows[-1]])
    return [(oid, 1) for row in rows for oid in row]


def test_a_table_without_end_is_cut_off() -> None:
    agent = Liar(endless)
    found = walked(agent)
    assert found.cut and len(found.rows) == TABLE.rows_max and len(agent.asked) < TABLE.rows_max


def test_an_agent_that_walks_in_circles_is_malformed() -> None:
    with pytest.raises(SnmpError, match="do not increase"):
        walked(Liar(lambda oids, _: [((*oid[: len(NAME)], 1), 1) for oid in oids]))


def test_an_empty_answer_does_not_spin() -> None:
    with pytest.raises(SnmpError, match="empty"):
        walked(Liar(lambda _oids, _repetitions: []))


def test_an_answer_of_fewer_rows_than_asked_for_is_gone_on_from() -> None:
    class Short(Agent):
        async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
            return (await super().bulk(oids, repetitions))[:3]

    assert walked(Short(table(20))) == walked(Agent(table(20)))


def limit(most: int, error: Exception) -> Callable[[int], None]:
    def refuse(varbinds: int) -> None:
        if varbinds > most:
            raise error

    return refuse


TOO_BIG = TooBigError(PollFailure.MALFORMED, "too big")
SILENT = SnmpError(PollFailure.TIMEOUT, "no answer")


@pytest.mark.parametrize("error", [TOO_BIG, SILENT])
def test_too_much_halves_the_question_and_is_remembered(error: Exception) -> None:
    agent, appetite = Agent(table(20), limit(6, error)), Appetite()
    assert len(walked(agent, appetite=appetite).rows) == 20
    assert agent.asked[:3] == [8, 4, 2] and set(agent.asked[2:]) == {2}
    assert appetite.varbinds == 4


def test_an_agent_to_whom_one_row_is_too_big_fails() -> None:
    with pytest.raises(TooBigError):
        walked(Agent(table(1), limit(0, TOO_BIG)))


def test_the_next_walk_asks_for_as_many_rows_as_there_were() -> None:
    agent, appetite = Agent(table(3)), Appetite()
    walked(agent, appetite=appetite)
    walked(agent, appetite=appetite)
    assert agent.asked == [8, 4]


def test_named_instances_are_sorted_by_what_their_names_say() -> None:
    base = parse("1.3.6.1.4.1.8072.1.3.2.3.1.1")

    def named(name: str) -> Oid:
        return (*base, len(name), *name.encode())

    clients, noise = Instance(b"clients-", b""), Instance(b"noise-", b"")
    radios = Table("radios", (column("clients", base, clients), column("noise_dbm", base, noise)))
    agent = Agent({named("clients-wlan0"): 3, named("clients-wlan1"): 4, named("noise-wlan0"): -90, named("distro"): 1})
    found = walked(agent, radios)
    assert found.rows == (((5, *b"wlan0"), (3, -90)), ((5, *b"wlan1"), (4, None)))
    assert clients.index((5, *b"wlan0")) == named("clients-wlan0")[len(base) :]


# Plain GETs -----------------------------------------------------------------------------------------


def got(agent: Agent, oids: Sequence[Oid], appetite: Appetite | None = None) -> list[Value]:
    return asyncio.run(get(agent, oids, appetite or Appetite()))


OIDS = [(*NAME, row) for row in range(1, 251)]


def test_many_instances_take_few_questions() -> None:
    agent = Agent(table(250))
    assert got(agent, OIDS) == list(range(1, 251))
    assert agent.asked == [VARBINDS_ASKED_MAX, VARBINDS_ASKED_MAX, 50]


def test_an_instance_that_is_gone_is_none() -> None:
    assert got(Agent(table(1)), OIDS[:2]) == [1, None]


def test_too_many_instances_are_halved_and_that_is_remembered() -> None:
    agent, appetite = Agent(table(250), limit(30, TOO_BIG)), Appetite()
    assert got(agent, OIDS, appetite) == list(range(1, 251))
    assert agent.asked[:4] == [100, 50, 25, 25] and appetite.varbinds == 25


def test_a_silent_agent_is_asked_for_one_thing_before_it_is_asked_for_less() -> None:
    down = Agent(table(250), limit(0, SILENT))
    with pytest.raises(SnmpError, match="no answer"):
        got(down, OIDS)
    assert down.asked == [100, 1]
    slow = Agent(table(250), limit(60, SILENT))
    assert len(got(slow, OIDS)) == 250 and slow.asked[:3] == [100, 1, 50]


def test_silence_is_forgotten_after_a_while_and_too_big_is_not() -> None:
    lossy, small = Appetite(), Appetite()
    lossy.refused(100, SILENT)
    small.refused(100, TOO_BIG)
    small.refused(50, TOO_BIG)
    for _ in range(3 * GROWTH_POLLS):
        lossy.digested()
        small.digested()
    assert lossy.varbinds == VARBINDS_ASKED_MAX and small.varbinds == 49


def test_an_answer_to_other_objects_is_malformed() -> None:
    class Other(Agent):
        async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
            return [(oid, 1) for oid in reversed(oids)]

    with pytest.raises(SnmpError, match="other objects"):
        got(Other({}), OIDS[:2])
