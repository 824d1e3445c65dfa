"""Where the charts' figures come from: the Prometheus that the city names, while it answers, else what we keep."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.ap_curves import Curves, curves
from portal.staff import prometheus_history
from portal.staff.ap_charts import grid_of
from portal.staff.prometheus_history import AwayError
from service.cities import City
from store import ap_history
from store.ap_list import Point

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class History:
    """Curves, and where they come from: `store`, `prometheus`, or `instead`: the store, for a silent Prometheus."""

    curves: Curves
    source: str


def history(city: City, point: Point, days: int, *, now: datetime) -> History:
    """The last days of an access point."""
    interval = timedelta(seconds=city.config.monitor.poll_interval_s)
    grid = grid_of(days, now=now, interval=interval)
    asked = bool(city.config.monitor.prometheus_url)
    if asked:
        try:
            return History(prometheus_history.ask(city.config, point.name, grid, interval=interval), "prometheus")
        except AwayError as error:
            log.warning("%s: the history of %s comes from the store: %s", city.key, point.name, error)
    with city.store.read() as conn:
        points = ap_history.points(conn, point.id, since=grid.since, until=grid.until)
    return History(curves(points, grid), "instead" if asked else "store")
