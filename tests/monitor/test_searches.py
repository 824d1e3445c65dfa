"""Searches that the staff asked for: done by whoever has the lease, followed on the page, begun anew when left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network

import pytest
from prometheus_client import CollectorRegistry

from hotspot.discovery import Failure, Network
from monitor.discovery import CANDIDATES_MAX
from monitor.instruments import Instruments
from monitor.profiles import Profiles
from monitor.searches import Searcher
from service.cities import City
from store import discoveries, snmp_credentials
from store.discoveries import Discovery, Find
from store.fleet import SnmpCredential
from store.nases import COMMAND_LINE
from tests.monitor.conftest import V2C, V3
from tests.monitor.test_discovery import agents as agents
from tests.monitor.test_discovery import network as network
from tests.monitor.test_discovery import silent as silent

WAIT_S = 60.0
WRONG = SnmpCredential("v2c", community="not-this-one")


def now_() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def searching(city: City, network: IPv4Network) -> City:
    """The city, allowed to look in the test's own network."""
    quick = {"discover_networks": (network,), "timeout_s": 2.0, "retries": 0}
    return replace(
        city, config=city.config.model_copy(update={"monitor": city.config.monitor.model_copy(update=quick)})
    )


@pytest.fixture
def searcher(searching: City, all_profiles: Profiles) -> Callable[[], Searcher]:
    return lambda: Searcher(searching, all_profiles, Instruments(CollectorRegistry()), now_, holder="this")


def keep(city: City, network: Network, *credentials: SnmpCredential) -> None:
    with city.store.write() as conn:
        for number, each in enumerate(credentials):
            name = f"credential {number}"
            snmp_credentials.add(conn, city.store.keys, name, network, each, author=COMMAND_LINE, now=now_())


def ask(city: City, network: Network, port: int) -> int:
    with city.store.write() as conn:
        return discoveries.request(conn, network, port=port, author=COMMAND_LINE, now=now_())


def latest(city: City) -> tuple[Discovery, list[Find]]:
    with city.store.read() as conn:
        found = discoveries.latest(conn)
        assert found is not None
        return found, discoveries.finds(conn, found.id)


def until(city: City, true: Callable[[Discovery], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if true(latest(city)[0]):
            return
        time.sleep(0.05)
    raise AssertionError(latest(city)[0])


@pytest.mark.tool("snmpd")
def test_what_was_asked_for_is_searched_and_can_be_taken(
    searching: City, searcher: Callable[[], Searcher], network: IPv4Network, agents: int
) -> None:
    keep(searching, network, WRONG, V2C)
    assert not searcher().step(), "nobody has asked"
    ask(searching, network, agents)
    assert searcher().step()
    search, finds = latest(searching)
    assert search.ended_at is not None and search.failure is None
    assert (search.total, search.answered) == (12, 2)
    assert {each.found.address for each in finds} == {str(network[2]), str(network[5])}
    with searching.store.read() as conn:
        assert {each.known for each in discoveries.finds(conn, search.id)} == {None}
    assert not searcher().step(), "it is done"


@pytest.mark.tool("snmpd")
def test_a_search_that_is_left_is_begun_anew(
    searching: City, searcher: Callable[[], Searcher], network: IPv4Network, agents: int
) -> None:
    slow = searching.config.monitor.model_copy(update={"timeout_s": 30.0})
    object.__setattr__(searching.config, "monitor", slow)
    keep(searching, network, V2C)
    ask(searching, network, agents)
    first = searcher()
    first.start()
    until(searching, lambda search: search.answered == 2)
    first.stop()
    first.join(WAIT_S)
    search, finds = latest(searching)
    assert search.ended_at is None and finds == [], "half of it is nowhere"
    object.__setattr__(searching.config, "monitor", slow.model_copy(update={"timeout_s": 2.0}))
    assert searcher().step()
    search, finds = latest(searching)
    assert search.ended_at is not None and len(finds) == 2


@pytest.mark.tool("snmpd")
def test_the_staff_ends_a_search_and_keeps_what_it_found(
    searching: City, searcher: Callable[[], Searcher], network: IPv4Network, agents: int
) -> None:
    slow = searching.config.monitor.model_copy(update={"timeout_s": 30.0})
    object.__setattr__(searching.config, "monitor", slow)
    keep(searching, network, V2C)
    asked = ask(searching, network, agents)
    running = threading.Thread(target=searcher().step)
    running.start()
    until(searching, lambda search: search.answered == 2)
    with searching.store.write() as conn:
        assert discoveries.end(conn, asked, now=now_(), failure=Failure.ENDED)
    running.join(WAIT_S)
    search, finds = latest(searching)
    assert search.failure is Failure.ENDED and len(finds) == 2


def test_a_search_that_another_process_does_is_left_alone(
    searching: City, all_profiles: Profiles, network: IPv4Network
) -> None:
    late: list[datetime] = [now_()]
    keep(searching, network, V2C)
    ask(searching, network, 9)
    mine, other = (
        Searcher(searching, all_profiles, Instruments(CollectorRegistry()), lambda: late[0], holder=holder)
        for holder in ("mine", "other")
    )
    assert other._take_lease()
    assert not mine.step()
    late[0] += timedelta(minutes=1)
    assert mine.step(), "the other has died"


@pytest.mark.parametrize(
    ("credentials", "allowed", "why"),
    [
        ([], True, Failure.NO_CREDENTIAL),
        ([V3] * (CANDIDATES_MAX + 1), True, Failure.TOO_MANY_CREDENTIALS),
        ([V3], False, Failure.NOT_ALLOWED),
    ],
)
def test_why_a_search_cannot_be_is_kept(
    searching: City,
    searcher: Callable[[], Searcher],
    network: IPv4Network,
    credentials: list[SnmpCredential],
    allowed: bool,
    why: Failure,
) -> None:
    if not allowed:
        none = searching.config.monitor.model_copy(update={"discover_networks": ()})
        object.__setattr__(searching.config, "monitor", none)
    keep(searching, network, *credentials)
    ask(searching, network, 161)
    assert searcher().step()
    assert latest(searching)[0].failure is why
