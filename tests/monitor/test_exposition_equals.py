"""Our text of the board, and prometheus-client's rendering of the same samples: parsed, they are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_plain
from prometheus_client.registry import Collector

from hotspot.fleet import ApReading, Band, InterfaceReading, PointKind, PollFailure, RadioReading, SsidReading, assess
from hotspot.values import Octets
from monitor import metrics
from monitor.board import Board
from monitor.families import FAMILIES
from service import page
from store.fleet import AccessPoint, SnmpCredential

NOW = datetime(2026, 11, 23, 12, 30, 15, 250_000, tzinfo=UTC)
CITY = "rostock"
COMMUNITY = SnmpCredential("v2c", community="x")

AWKWARD = st.sampled_from(
    ["", '"', "\\", "\n", '\\"', "\\n", 'a\\\n"b', "ü", "日本", "🛜", "}", '",x="', " # ", "\u2028", "\x00", "\t"]
)
NAMES = AWKWARD | st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
COUNTS = st.none() | st.integers(0, 2**64 - 1)
RATIOS = st.none() | st.floats(0, 1)
FLOATS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
LEVELS = st.none() | st.integers(-120, 40)
OCTETS = st.none() | st.builds(Octets, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))

RADIOS = st.builds(
    RadioReading,
    NAMES,
    st.none() | st.sampled_from(Band),
    LEVELS,
    COUNTS,
    RATIOS,
    LEVELS,
    OCTETS,
    st.none() | st.sampled_from([20, 40, 80, 160]),
    LEVELS,
    COUNTS,
    COUNTS,
    COUNTS,
)
READINGS = st.builds(
    ApReading,
    at=st.just(NOW),
    model=NAMES,
    firmware=NAMES,
    serial=NAMES,
    uptime_seconds=FLOATS,
    cpu_ratio=RATIOS,
    memory_ratio=RATIOS,
    temperature_celsius=FLOATS,
    clients_told=st.none() | st.integers(0, 4096),
    radios=st.lists(RADIOS, max_size=3).map(tuple),
    ssids=st.lists(st.builds(SsidReading, NAMES, COUNTS, OCTETS), max_size=3).map(tuple),
    interfaces=st.lists(st.builds(InterfaceReading, NAMES, st.booleans(), COUNTS, COUNTS, COUNTS), max_size=3).map(
        tuple
    ),
)
OUTCOMES = st.lists(
    st.tuples(
        NAMES,
        NAMES,
        st.sampled_from([PointKind.ACCESS_POINT, PointKind.CONTROLLER]),
        READINGS | st.just(PollFailure.LOST),
    ),
    max_size=3,
    unique_by=lambda each: each[:2],
)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Objects(Collector):
    """The samples of our families as prometheus-client's own families."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        labels = {family.name: (*family.level.place, *family.labels) for family in FAMILIES}
        for family in self._registry.collect():
            kind = CounterMetricFamily if family.type == "counter" else GaugeMetricFamily
            made = kind(family.name, family.documentation, labels=labels[family.name])
            for sample in family.samples:
                made.add_metric([sample.labels[name] for name in labels[family.name]], sample.value)
            yield made


def board_of(outcomes: Iterable[tuple[str, str, PointKind, ApReading | PollFailure]]) -> CollectorRegistry:
    registry, board = CollectorRegistry(auto_describe=True), Board()
    metrics.register(registry, CITY, board)
    for number, (name, site, kind, outcome) in enumerate(outcomes):
        point = AccessPoint(number, name, site, "127.0.0.1", 161, COMMUNITY, kind)
        board.put(point, assess(None, outcome, now=NOW), 0.125)
    return registry


def parsed(families: Iterable[Metric]) -> tuple[dict[str, tuple[str, str]], Samples]:
    """What each family is, and all samples as the 64-bit floats that they are to Prometheus; twins would be fewer."""
    found = list(families)
    samples = [sample for family in found for sample in family.samples]
    by_name = {(sample.name, frozenset(sample.labels.items())): float(sample.value) for sample in samples}
    assert len(by_name) == len(samples)
    return {family.name: (family.type, family.documentation) for family in found}, by_name


@pytest.mark.parametrize(
    ("chosen", "parse"),
    [(page.PLAIN, parse_plain), (page.OPENMETRICS, parse_openmetrics)],
    ids=["plain", "openmetrics"],
)
@settings(max_examples=60, deadline=None)
@given(OUTCOMES)
def test_both_renderings_are_the_same_samples(
    chosen: page.Format,
    parse: type,
    outcomes: list[tuple[str, str, PointKind, ApReading | PollFailure]],
) -> None:
    registry = board_of(outcomes)
    theirs = CollectorRegistry()
    theirs.register(Objects(registry))
    ours = "".join(page.pieces(registry, chosen))
    assert parsed(parse(ours)) == parsed(parse(chosen.render(theirs).decode()))


def test_the_page_is_one_with_prometheus_clients_part() -> None:
    """In both formats: families of both parts, the end of OpenMetrics once and last, and no `_created`."""
    reading = ApReading(at=NOW, interfaces=(InterfaceReading("eth0", True, 1, 2, 3),))
    registry = board_of([("rathaus-1", "rathaus", PointKind.ACCESS_POINT, reading)])
    counted = Counter("kogge_example_total", "Something counted.", ["result"], registry=registry)
    counted.labels("ok").inc()
    plain, open_metrics = ("".join(page.pieces(registry, each)) for each in (page.PLAIN, page.OPENMETRICS))
    assert "# TYPE wifi_ap_interface_receive_bytes_total counter\n" in plain and "# EOF" not in plain
    assert "# TYPE wifi_ap_interface_receive_bytes counter\n" in open_metrics
    assert open_metrics.endswith("\n# EOF\n") and open_metrics.count("# EOF") == 1
    for text in (plain, open_metrics):
        assert 'kogge_example_total{result="ok"} 1.0\n' in text
        assert (
            'wifi_ap_interface_receive_bytes_total{city="rostock",site="rathaus",ap="rathaus-1",interface="eth0"} 1\n'
            in text
        )
    assert parsed(parse_plain(plain))[1] == parsed(parse_openmetrics(open_metrics))[1]
