"""The metrics pages of portal and RADIUS, as promtool reads them."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from portal.metrics import PortalMetrics
from radius.metrics import RadiusMetrics
from tests.conftest import run


@pytest.mark.tool("promtool")
@pytest.mark.parametrize("kind", [PortalMetrics, RadiusMetrics])
def test_promtool_finds_nothing_to_say(kind: type[PortalMetrics] | type[RadiusMetrics]) -> None:
    registry = CollectorRegistry(auto_describe=True)
    kind(registry)
    done = run("promtool", "check", "metrics", text=generate_latest(registry).decode())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("kind", [PortalMetrics, RadiusMetrics])
def test_series_stand_at_zero_before_their_first_event(kind: type[PortalMetrics] | type[RadiusMetrics]) -> None:
    registry = CollectorRegistry(auto_describe=True)
    kind(registry)
    page = generate_latest(registry).decode()
    assert "_created" not in page
    counters = [line for line in page.splitlines() if "_total" in line and not line.startswith("#")]
    assert counters and all(line.endswith(" 0.0") for line in counters)
