"""Each alert has its severity, its words, its page in docs/runbooks and its tests; each name in a rule exists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.cli import main
from tests.test_docs import inline_code, parse

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
METRICS = (ROOT / "docs" / "metrics.md").read_text()
DESCRIBED = set(re.findall(r"^\| `(\w+)` \|", METRICS, re.MULTILINE))

RULES = "".join(file.read_text() for file in sorted((SHIPPED / "rules").glob("*.yml")))
TESTS = "".join(file.read_text() for file in sorted((SHIPPED / "tests").glob("*.yml")))


@dataclass(frozen=True)
class Alert:
    """One alert of the rules."""

    name: str
    text: str

    def said(self, key: str) -> str:
        found = re.search(rf'^ +{key}: "?(.*?)"?$', self.text, re.MULTILINE)
        return found[1] if found else ""


RECORDED = set(re.findall(r"- record: (\S+)", RULES))

ALERTS = [Alert(name, text) for name, text in re.findall(r"- alert: (\w+)\n(.*?)(?=\n\n|\Z)", RULES, re.DOTALL)]


def named_metrics(text: str) -> set[str]:
    """Names of ours in PromQL, without a histogram's suffixes and without what a rule records."""
    names = set(re.findall(r"(?<![\w:])(?:wifi|kogge)_[a-z0-9_]+(?![\w:])", text))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def recorded_names(text: str) -> set[str]:
    """Names of recorded series in PromQL."""
    return set(re.findall(r"\b(?:ap|city|city_site|city_nas|alliance):\w+:\w+\b", text))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_how_bad_what_and_where_to_read_on(alert: Alert) -> None:
    assert re.search(r"labels: \{severity: (critical|warning|info)[,}]", alert.text)
    assert alert.said("summary").startswith("{{ $labels.city }}: ")
    assert len(alert.said("description")) > 20
    assert alert.said("runbook_url") == f"https://kogge.example/docs/runbooks/{alert.name}.md"


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    assert sorted(page.stem for page in RUNBOOKS.glob("*.md")) == sorted({alert.name for alert in ALERTS})
    assert len({alert.name for alert in ALERTS}) == len(ALERTS) == RULES.count("- alert:")


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_says_what_it_means_what_to_look_at_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert re.fullmatch(rf"# {page.stem}\n\n.+\n\n## Look at\n\n(- .+\n)+\n## Do\n\n(- .+\n)+", text)
    for words in (code.split() for code in inline_code(text) if code.startswith("kogge ")):
        parse(main, "kogge", [{"ROLE": "desk", "DIR": "."}.get(word, word) for word in words[1:]])


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_is_seen_to_fire_and_not_to_fire(alert: Alert) -> None:
    assert re.search(rf"alertname: {alert.name}\n +exp_alerts:", TESTS), "it fires"
    assert re.search(rf"alertname: {alert.name}(}}|\n(?! +exp_alerts))", TESTS), "it does not"


def test_rules_name_only_metrics_and_records_that_exist() -> None:
    assert named_metrics(RULES) - DESCRIBED == set()
    assert recorded_names(RULES) - RECORDED == set()
