"""A city's access points and controllers as Prometheus families, written from the board at scrape time.

What stopped answering keeps `up 0`, its last success and its identity; its measurements leave the page at once. What
stands behind a controller that does not answer is unknown: it has not even `up`. Labels are few and of low
cardinality; never a client's or an access point's MAC address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from monitor.board import Board
from monitor.families import AP, FAMILIES, Family, Level
from monitor.labels import pairs
from monitor.sight import Look, Sight, look
from service.text_family import TextFamily

LINES_A_PIECE = 256
"""Lines written before another thread may have its turn: some 25 kB, a tenth of a millisecond."""

Rows = list[tuple[str, Any]]


class FleetCollector(Collector):
    """Registered on the city's own registry."""

    def __init__(self, city: str, board: Board) -> None:
        self._city = city
        self._board = board

    def collect(self) -> Iterable[Metric]:
        """All of one look at the board, however long the page takes to write."""
        return self._families(look(self._board.entries()))

    def describe(self) -> Iterable[Metric]:
        """The names alone, for the registry's check against twins."""
        return self._families(look(()))

    def _families(self, seen: Look) -> list[Metric]:
        rows = _Rows(seen)
        return [
            TextFamily(
                family.name,
                family.help,
                "counter" if family.counter else "gauge",
                lines=partial(_lines, family, self._city, rows),
                samples=partial(_samples, family, self._city, seen),
            )
            for family in FAMILIES
        ]


class _Rows:
    """Label strings and what the values come from, by level: made when the first family of a level is written."""

    def __init__(self, seen: Look) -> None:
        self._seen = seen
        self._level: Level | None = None
        self._rows: Rows = []

    def of(self, level: Level) -> Rows:
        """Two rows of a device with the same labels, such as two interfaces of one name, are one series: the last."""
        if level is not self._level:
            rows: Rows = []
            for sight in _places(self._seen, level):
                series, values = level.of(sight)
                if values:
                    rows.extend(dict(zip(series.texts, values, strict=True)).items())
            self._level, self._rows = level, rows
        return self._rows


def _places(seen: Look, level: Level) -> list[Sight]:
    return seen.access_points if level.place is AP else seen.controllers


def _sample_name(family: Family) -> str:
    return family.name + ("_total" if family.counter else "")


def _lines(family: Family, city: str, rows: _Rows) -> Iterator[str]:
    head = f"{_sample_name(family)}{{{pairs(['city'], [city])},"
    value = family.value
    all_rows = rows.of(family.level)
    for at in range(0, len(all_rows), LINES_A_PIECE):
        some = all_rows[at : at + LINES_A_PIECE]
        yield "".join([f"{head}{text} {number}\n" for text, of in some if (number := value(of)) is not None])


def _samples(family: Family, city: str, seen: Look) -> Iterator[Sample]:
    """The same as objects of prometheus-client, without a label string."""
    for sight in _places(seen, family.level):
        series, values = family.level.of(sight)
        names = (*family.level.place, *family.labels)
        for key, of in dict(zip(series.keys, values, strict=True) if values else ()).items():
            number = family.value(of)
            if number is not None:
                labels = dict(zip(names, (city, *sight.entry.labels.place, *key), strict=True))
                yield Sample(_sample_name(family), labels, number)


def register(registry: CollectorRegistry, city: str, board: Board) -> None:
    """Put the board onto the city's page."""
    registry.register(FleetCollector(city, board))
