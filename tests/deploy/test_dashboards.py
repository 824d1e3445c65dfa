"""Grafana's dashboards: up to date with their description, and held to the rules of the trade. Grafana is in no
Debian release, so nothing of it runs here; tests/system/test_panels.py runs each query.
"""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana import generate
from tests.conftest import run
from tests.deploy.test_alerts import DESCRIBED, RECORDED, named_metrics, recorded_names

ROOT = Path(__file__).parents[2]
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
DASHBOARDS: list[dict[str, Any]] = [json.loads(file.read_text()) for file in sorted(generate.FOLDER.glob("*.json"))]
PANELS = [(board, panel) for board in DASHBOARDS for panel in board["panels"] if panel["type"] != "row"]
TARGETS = [(panel, target) for _, panel in PANELS for target in panel["targets"]]

UNITS = {
    *("none", "short", "percentunit", "bool_on_off", "s", "celsius", "dBm", "hertz", "Bps"),
    *("cps", "reqps", "pps"),
}
"""Grafana's names of units (its `valueFormats/categories`) that are used here."""

every_board = pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board["uid"])
every_panel = pytest.mark.parametrize(
    ("board", "panel"), PANELS, ids=[f"{board['uid']}-{panel['id']}" for board, panel in PANELS]
)


def test_the_committed_files_are_what_the_description_says() -> None:
    committed = {file.name: file.read_text() for file in generate.FOLDER.iterdir()}
    assert committed == generate.dashboards(), "run `make dashboards`"


def test_each_dashboard_is_one_for_good() -> None:
    uids, titles = ([board[key] for board in DASHBOARDS] for key in ("uid", "title"))
    assert uids == ["kogge-alliance", "kogge-ap", "kogge-city", "kogge-radius-portal"]
    assert len(set(titles)) == len(titles)


@every_board
def test_a_dashboard_can_be_provisioned(board: dict[str, Any]) -> None:
    assert board["id"] is None and len(board["uid"]) <= 40
    assert board["editable"] is False and board["tags"] == ["kogge"] and len(board["description"]) > 40
    source, *others = board["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert others and all(each["datasource"]["uid"] == "${datasource}" for each in others)
    assert all(each["label"] and each["refresh"] == 2 for each in others), "values are looked up anew"


@every_board
def test_variables_are_used_and_what_is_used_is_a_variable(board: dict[str, Any]) -> None:
    defined = [each["name"] for each in board["templating"]["list"]]
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board["panels"]))) - {"__rate_interval"}
    assert used == set(defined) and len(set(defined)) == len(defined)
    for place, variable in enumerate(board["templating"]["list"]):
        earlier = set(defined[:place])
        assert set(re.findall(r"\$(\w+)", str(variable.get("definition", "")))) <= earlier


@every_board
def test_panels_lie_on_the_grid_and_not_on_one_another(board: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(each["x"] >= 0 and each["x"] + each["w"] <= 24 and each["h"] > 0 for each in places)
    assert not [pair for pair in combinations(places, 2) if _overlap(*pair)]
    numbers = [panel["id"] for panel in board["panels"]]
    titles = [panel["title"] for panel in board["panels"] if panel["type"] != "row"]
    assert len(set(numbers)) == len(numbers) and len(set(titles)) == len(titles)


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


@every_panel
def test_a_panel_says_what_it_shows(board: dict[str, Any], panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert len(panel["description"]) > 20 and panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert defaults["unit"] in UNITS
    steps = [step["value"] for step in defaults["thresholds"]["steps"]]
    assert steps[0] is None and steps[1:] == sorted(steps[1:])
    if defaults["unit"] == "percentunit" and panel["type"] != "stat":
        assert (defaults["min"], defaults["max"]) == (0, 1)


@every_panel
def test_a_query_asks_for_one_city_with_names_that_exist(board: dict[str, Any], panel: dict[str, Any]) -> None:
    assert [target["refId"] for target in panel["targets"]] == list("ABCDEFGH")[: len(panel["targets"])]
    for target in panel["targets"]:
        expr = target["expr"]
        assert target["datasource"]["uid"] == "${datasource}"
        assert target["instant"] != target["range"] and target["instant"] == (panel["type"] in generate.INSTANT)
        assert target["legendFormat"] or panel["type"] == "table"
        assert named_metrics(expr) - DESCRIBED == set() and recorded_names(expr) - RECORDED == set()
        selectors = re.findall(r"[\w:]+\{(.*?)\}", expr)
        assert selectors and all(re.search(r'city=~?"\$city"', each) for each in selectors)
        assert not re.search(r"_total\{[^}]*\}(?!\[)", expr), "a counter is of use by its rate only"
        for function, window in re.findall(r"(rate|increase)\([^()]*\[(.+?)\]", expr):
            assert window == "$__rate_interval" if function == "rate" else window == "1h"


@every_board
def test_the_alliance_sees_what_is_published_and_nothing_else(board: dict[str, Any]) -> None:
    if board["uid"] == "kogge-alliance":
        asked = json.dumps([board["panels"], board["templating"]])
        assert not named_metrics(asked) and all(name.startswith("alliance:") for name in recorded_names(asked))


@pytest.mark.tool("promtool")
def test_promtool_reads_every_query(tmp_path: Path) -> None:
    rules = ["groups:", "- name: panels", "  rules:"]
    for number, (_, target) in enumerate(TARGETS):
        expr = json.dumps(target["expr"].replace("$__rate_interval", "5m"))
        rules += [f"  - record: panel:query{number}", f"    expr: {expr}"]
    file = tmp_path / "rules.yml"
    file.write_text("\n".join(rules) + "\n")
    checked = run("promtool", "check", "rules", str(file))
    assert checked.returncode == 0 and f"{len(TARGETS)} rules found" in checked.stdout, checked.stderr


def test_what_is_provisioned_cannot_be_changed_in_the_browser() -> None:
    (source,) = (PROVISIONING / "datasources").glob("*.yml")
    (provider,) = (PROVISIONING / "dashboards").glob("*.yml")
    assert "editable: false" in source.read_text() and "timeInterval: 30s" in source.read_text()
    assert "allowUiUpdates: false" in provider.read_text() and "disableDeletion: true" in provider.read_text()
    assert "scrape_interval: 30s" in (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
