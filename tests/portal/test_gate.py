"""The gate before a city's pages: a share of the threads, patience while things move, none once they stand still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from portal import gate
from portal.dispatch import Environ, StartResponse
from portal.gate import Gate, share
from portal.metrics import PortalMetrics

GENEROUS_SECONDS = 10.0


def fault(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return [b"fault"]


class House:
    """An application whose rooms stay shut until they are opened."""

    def __init__(self, places: int, *, is_away: Callable[[], bool] = lambda: False) -> None:
        self.opened = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.registry = CollectorRegistry()
        turned_away = PortalMetrics(self.registry).turned_away
        self.gate = Gate(self._serve, fault, turned_away, places=places, is_away=is_away)
        self.answers: list[bytes] = []
        self.visitors: list[threading.Thread] = []

    def _serve(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.entered.release()
        assert self.opened.acquire(timeout=GENEROUS_SECONDS)
        if environ.get("fails"):
            raise ValueError
        return [b"page"]

    def visit(self, **environ: Any) -> None:
        visitor = threading.Thread(target=lambda: self.answers.extend(self.ask(**environ)))
        visitor.start()
        self.visitors.append(visitor)

    def ask(self, **environ: Any) -> Iterable[bytes]:
        try:
            return self.gate(environ, lambda *_: None)
        except ValueError:
            return [b"failed"]

    def turned_away(self, reason: str) -> float | None:
        return self.registry.get_sample_value("kogge_portal_turned_away_total", {"reason": reason})

    def join(self) -> None:
        for _ in self.visitors:
            self.opened.release()
        for visitor in self.visitors:
            visitor.join(GENEROUS_SECONDS)


@pytest.fixture
def house() -> Iterator[House]:
    built = House(2)
    yield built
    built.join()


def fill(house: House) -> None:
    for _ in range(2):
        house.visit()
        assert house.entered.acquire(timeout=GENEROUS_SECONDS)


def test_who_comes_while_things_move_waits_for_a_place(house: House) -> None:
    fill(house)
    house.visit()
    house.opened.release()
    assert house.entered.acquire(timeout=GENEROUS_SECONDS)
    house.join()
    assert house.answers == [b"page"] * 3
    assert house.turned_away("stuck") == 0


def test_once_nothing_moves_everybody_is_turned_away_at_once(house: House) -> None:
    fill(house)
    began = time.monotonic()
    assert house.ask() == [b"fault"]
    assert time.monotonic() - began >= gate.PATIENCE_SECONDS * 0.9, "the first one finds out"
    began = time.monotonic()
    assert [house.ask() for _ in range(100)] == [[b"fault"]] * 100
    assert time.monotonic() - began < gate.PATIENCE_SECONDS, "no thread waits any more"
    assert house.turned_away("stuck") == 101


def test_when_it_moves_again_the_gate_is_open_again(house: House) -> None:
    fill(house)
    assert house.ask() == [b"fault"]
    house.join()
    house.opened.release()
    assert house.ask() == [b"page"]


def test_a_page_that_fails_leaves_its_place(house: House) -> None:
    for _ in range(5):
        house.opened.release()
        assert house.ask(fails=True) == [b"failed"]
    house.opened.release()
    assert house.ask() == [b"page"]


def test_a_city_whose_database_is_away_takes_no_place() -> None:
    away = House(2, is_away=lambda: True)
    assert [away.ask() for _ in range(5)] == [[b"fault"]] * 5
    assert (away.turned_away("away"), away.turned_away("stuck")) == (5, 0)


@pytest.mark.parametrize(("threads", "cities", "places"), [(8, 1, 8), (8, 4, 4), (1, 4, 1), (3, 2, 1), (64, 2, 32)])
def test_a_city_s_share_of_the_threads(threads: int, cities: int, places: int) -> None:
    assert share(threads, cities) == places
