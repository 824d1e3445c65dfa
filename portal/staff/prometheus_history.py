"""An access point's history from the city's own Prometheus: one range query, bounded in seconds and octets.

A Prometheus that is away or says something else is an `AwayError`: then the charts are made of what the store keeps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request

from config.model import CityConfig
from config.secrets import read_secret
from hotspot.ap_curves import BLIND, DOWN, Curves, Topic, settled, told_of
from hotspot.charts import Grid, Values
from hotspot.errors import ConfigError
from portal import fetching

TIMEOUT_S = 3.0
"""For the answer as a whole: a page waits no longer before it uses the store's."""

ANSWER_MAX = 4_000_000
"""Octets of an answer; one of 20 radios and 288 steps has 400,000."""

RATE_POLLS = 4
"""A rate looks back so many polls at least, as Prometheus advises."""

_UP = "up"

_QUERIES: Mapping[str, str] = {
    _UP: "max_over_time(wifi_ap_up{at}[{step}])",
    f"{Topic.CLIENTS}": "avg_over_time(wifi_ap_clients{at}[{step}])",
    f"{Topic.CLIENTS}/": "avg_over_time(wifi_ap_associated_clients{at}[{step}])",
    f"{Topic.UTILISATION}": "avg_over_time(wifi_ap_utilisation_ratio{at}[{step}])",
    f"{Topic.THROUGHPUT}/down": "8 * sum(rate(wifi_ap_radio_transmit_bytes_total{at}[{rate}]))",
    f"{Topic.THROUGHPUT}/up": "8 * sum(rate(wifi_ap_radio_receive_bytes_total{at}[{rate}]))",
    f"{Topic.LOAD}/cpu": "avg_over_time(wifi_ap_cpu_ratio{at}[{step}])",
    f"{Topic.LOAD}/memory": "avg_over_time(wifi_ap_memory_ratio{at}[{step}])",
}
"""By topic and, after a slash, the curve's name; without a slash it is the radio's."""


class AwayError(Exception):
    """No history can be had from there. The message says why."""


def ask(config: CityConfig, name: str, grid: Grid, *, interval: timedelta) -> Curves:
    """The curves of the access point of that name. AwayError where they cannot be had."""
    step = int(grid.step.total_seconds())
    rate = max(step, int(RATE_POLLS * interval.total_seconds()))
    # Prometheus looks back from each moment: the end of a step is where its values are read.
    moments = {"start": (grid.since + grid.step).timestamp(), "end": grid.until.timestamp(), "step": step}
    query = _query(str(config.key), name, step=f"{step}s", rate=f"{rate}s")
    return _curves(_fetch(config, urlencode({"query": query, **moments})), grid)


def _query(city: str, name: str, **spans: str) -> str:
    """All in one, told apart by a label of our own."""
    at = f"{{city={_quoted(city)},ap={_quoted(name)}}}"
    parts = []
    for topic, written in _QUERIES.items():
        for place, text in {"at": at, **spans}.items():
            written = written.replace(f"{{{place}}}", text)
        parts.append(f'label_replace({written},"topic","{topic}","","")')
    return " or ".join(parts)


def _quoted(text: str) -> str:
    """A string of PromQL, which has the escapes of Go."""
    return json.dumps(text, ensure_ascii=False)


def _fetch(config: CityConfig, query: str) -> list[Any]:
    settings = config.monitor
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        if settings.prometheus_token_file is not None:
            headers["Authorization"] = f"Bearer {read_secret(settings.prometheus_token_file)}"
        request = Request(f"{settings.prometheus_url}/api/v1/query_range", query.encode(), headers)
        answer = fetching.fetch(request, seconds=TIMEOUT_S, octets_max=ANSWER_MAX)
        return list(json.loads(answer)["data"]["result"])
    except (*fetching.FAULTS, ConfigError, KeyError, TypeError) as error:
        raise AwayError(f"{settings.prometheus_url}: {type(error).__name__}: {error}") from None


def _curves(series: list[Any], grid: Grid) -> Curves:
    up: Values = (None,) * grid.count
    topics: dict[Topic, dict[str, Values]] = {topic: {} for topic in Topic}
    try:
        for each in series:
            labels, values = each["metric"], _values(each["values"], grid)
            topic, slash, curve = str(labels["topic"]).partition("/")
            if topic == _UP:
                up = values
            else:
                topics[Topic(topic)][curve if slash else str(labels["radio"])] = values
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise AwayError(f"its answer is no table of series ({error!r})") from None
    states = settled([BLIND if value is None else "" if value else DOWN for value in up])
    told = {topic: told_of(dict(sorted(found.items()))) for topic, found in topics.items()}
    return Curves(grid, states, {topic: found for topic, found in told.items() if found})


def _values(pairs: list[Any], grid: Grid) -> Values:
    found: list[float | None] = [None] * grid.count
    for at, text in pairs:
        index = round((float(at) - grid.since.timestamp()) / grid.step.total_seconds()) - 1
        value = float(text)
        if 0 <= index < grid.count and math.isfinite(value):
            found[index] = value
    return tuple(found)
