"""Write Grafana's dashboards from the one description in dashboards.toml: `make dashboards`.

Only what differs between panels stands in the description; places, numbers and what all panels have in common are
made here. The same description gives the same octets. Standard library only.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DESCRIPTION = HERE / "dashboards.toml"
FOLDER = HERE / "dashboards"

COLUMNS = 24
SCHEMA_VERSION = 39
"""Of Grafana 10.4; newer ones read it too."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

Json = dict[str, Any]

HEIGHTS = {"stat": 4, "bargauge": 7, "table": 8, "timeseries": 8, "state-timeline": 6}
"""Rows of the grid by kind of panel."""

INSTANT = {"stat", "bargauge", "table"}
"""Kinds that show the latest value only."""

_REDUCED = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
OPTIONS: Mapping[str, Json] = {
    "stat": {**_REDUCED, "colorMode": "value", "graphMode": "none", "textMode": "auto", "justifyMode": "auto"},
    "bargauge": {**_REDUCED, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True},
    "table": {"showHeader": True, "cellHeight": "sm"},
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "state-timeline": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
        "mergeValues": True,
        "showValue": "never",
        "rowHeight": 0.8,
    },
}


def dashboards() -> dict[str, str]:
    """The dashboards' files as JSON, by name."""
    described = tomllib.loads(DESCRIPTION.read_text())
    made = (_dashboard(each, described["thresholds"]) for each in described["dashboard"])
    return {f"{each['uid']}.json": json.dumps(each, indent=2, ensure_ascii=False) + "\n" for each in made}


def _dashboard(described: Json, thresholds: Json) -> Json:
    return {
        "id": None,
        "uid": described["uid"],
        "title": described["title"],
        "description": described["description"],
        "tags": ["kogge"],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "timezone": "browser",
        "refresh": "1m",
        "time": {"from": described.get("from", "now-24h"), "to": "now"},
        "annotations": {"list": []},
        "links": [{"type": "dashboards", "title": "Kogge", "tags": ["kogge"], "asDropdown": True, "includeVars": True}],
        "templating": {"list": [_datasource_variable(), *map(_variable, described.get("variable", []))]},
        "panels": list(_panels(described["row"], thresholds)),
    }


def _datasource_variable() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}


def _variable(described: Json) -> Json:
    many = bool(described.get("many", False))
    return {
        "name": described["name"],
        "label": described["label"],
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": described["query"], "refId": described["name"]},
        "definition": described["query"],
        "refresh": 2,
        "sort": 1,
        "multi": many,
        "includeAll": many,
        **({"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}} if many else {}),
    }


def _panels(rows: list[Json], thresholds: Json) -> Iterator[Json]:
    """Rows one below the other; in a row from left to right, on the next line where one does not fit."""
    number, top = 1, 0
    for row in rows:
        yield _heading(row["title"], number, top)
        number, top = number + 1, top + 1
        left = deepest = 0
        for described in row["panel"]:
            width, height = int(described.get("width", 8)), HEIGHTS[described["kind"]]
            if left + width > COLUMNS:
                left, top, deepest = 0, top + deepest, 0
            place = {"x": left, "y": top, "w": width, "h": height}
            yield _panel(described, thresholds, number) | {"gridPos": place}
            number, left, deepest = number + 1, left + width, max(deepest, height)
        top += deepest


def _heading(title: str, number: int, top: int) -> Json:
    place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": place}


def _panel(described: Json, thresholds: Json, number: int) -> Json:
    kind = described["kind"]
    return {
        "id": number,
        "type": kind,
        "title": described["title"],
        "description": described["description"],
        "datasource": DATASOURCE,
        "targets": [_target(kind, place, *query) for place, query in enumerate(described["queries"])],
        "fieldConfig": {"defaults": _defaults(described, thresholds), "overrides": []},
        "options": OPTIONS[kind],
        **({"transformations": _as_rows(described)} if kind == "table" else {}),
    }


def _target(kind: str, place: int, expr: str, legend: str) -> Json:
    instant = kind in INSTANT
    return {
        "refId": chr(ord("A") + place),
        "datasource": DATASOURCE,
        "expr": expr,
        "legendFormat": legend,
        "instant": instant,
        "range": not instant,
        "format": "table" if kind == "table" else "time_series",
    }


def _defaults(described: Json, thresholds: Json) -> Json:
    steps = thresholds[described.get("thresholds", "none")]
    first, *others = [{"color": color, "value": value} for color, value in steps]
    defaults: Json = {
        "unit": described["unit"],
        "color": {"mode": "palette-classic" if len(steps) == 1 and described["kind"] == "timeseries" else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [first | {"value": None}, *others]},
    }
    defaults |= {bound: described[bound] for bound in ("min", "max") if bound in described}
    if described["kind"] == "timeseries":
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False}
    return defaults


def _as_rows(described: Json) -> list[Json]:
    """A table without what Prometheus adds of its own."""
    hidden = dict.fromkeys(("Time", "__name__", "instance", "job", "service", *described.get("hide", [])), True)
    return [{"id": "organize", "options": {"excludeByName": hidden, "renameByName": {"Value": described["value"]}}}]


def main() -> None:
    """Write the files, and remove those of dashboards that are described no more."""
    FOLDER.mkdir(exist_ok=True)
    made = dashboards()
    for file in FOLDER.glob("*.json"):
        if file.name not in made:
            file.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
