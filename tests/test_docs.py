"""The documents tell the truth: every key, command and metric stands in them, none that does not exist, and what
they tell to type can be typed.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from config.model import CityConfig, Installation, fields_of
from monitor import metrics
from monitor.board import Board
from monitor.instruments import Instruments
from ops.cli import SERVICES, main
from ops.service_group import ServiceGroup
from portal.metrics import PortalMetrics, RedirectMetrics
from radius.metrics import RadiusMetrics
from tests.conftest import run
from tests.support.installation import to_toml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GUIDES = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("quickstart", "commands", "configuration", "operations")),
    ROOT / "deploy" / "systemd" / "README.md",
]
NOT_OURS = {"var", "build", "artefacts"}
"""Folders that the tree may hold beside the sources."""


def documents() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    for folder in sorted(ROOT.iterdir()):
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in NOT_OURS:
            yield from folder.rglob("*.md")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Reading Markdown -------------------------------------------------------------------------------------


def prose(text: str) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def shell_lines(text: str) -> list[str]:
    """The lines of all `sh` blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def inline_code(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(text))


def chapter(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its rank."""
    rank = heading.split(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(rank)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def rows(text: str) -> Iterator[list[str]]:
    """Cells of the table rows whose first cell is code."""
    for line in prose(text).splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


# Configuration ----------------------------------------------------------------------------------------

CONFIGURATION = (DOCS / "configuration.md").read_text()
CITY_FILE = chapter(CONFIGURATION, "## A city's file") + chapter(CONFIGURATION, "## The seed")
FILES = {
    "kogge.toml": (Installation, chapter(CONFIGURATION, "## kogge.toml")),
    "a city's file": (CityConfig, CITY_FILE),
}


@dataclass(frozen=True)
class Key:
    """A documented key; `bounds` as it stands in the table."""

    default: str
    bounds: str


def documented_keys(text: str) -> dict[str, Key]:
    table = list(rows(text))
    assert len(table) == len({cells[0] for cells in table}), "a key is described twice"
    return {cells[0].strip("`"): Key(cells[2].strip("`"), cells[3]) for cells in table}


@pytest.mark.parametrize("file", FILES)
def test_every_key_of_the_files_is_described_and_no_other(file: str) -> None:
    model, text = FILES[file]
    assert set(documented_keys(text)) == set(fields_of(model))


def as_in_toml(default: Any) -> str:
    if default is None:
        return "none"
    if isinstance(default, Path):
        default = str(default)
    return to_toml({"x": default}).removeprefix("x = ") if not repr(default).startswith("Pydantic") else "required"


@pytest.mark.parametrize("file", FILES)
def test_the_described_defaults_are_true(file: str) -> None:
    model, text = FILES[file]
    said = {key: described.default for key, described in documented_keys(text).items()}
    assert said == {key: as_in_toml(default) for key, default in fields_of(model).items()}


@pytest.mark.parametrize("file", FILES)
def test_the_described_bounds_are_true(file: str) -> None:
    model, text = FILES[file]
    keys = documented_keys(text)
    wrong = {key: want for key, want in numbers_of(model).items() if want not in keys[key].bounds}
    assert not wrong


def numbers_of(model: type[BaseModel]) -> dict[str, str]:
    """Each bounded number's range, as the table writes it."""
    schema = model.model_json_schema()
    return dict(_numbers(schema, schema, ""))


def _numbers(schema: Mapping[str, Any], node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in node.get("properties", {}).items():
        for kind in _kinds(schema, field):
            yield from _numbers(schema, kind, f"{prefix}{name}.")
            if "minimum" in kind and "maximum" in kind:
                yield f"{prefix}{name}", f"{_plain(kind['minimum'])} to {_plain(kind['maximum'])}"


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _kinds(schema: Mapping[str, Any], field: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in (field, field.get("items", {}), *field.get("anyOf", []), *field.get("allOf", [])):
        reference = each.get("$ref", "")
        yield schema["$defs"][reference.rpartition("/")[2]] if reference else each


# Commands ---------------------------------------------------------------------------------------------

COMMANDS = (DOCS / "commands.md").read_text()


def tree(command: click.Command, path: str = "kogge") -> Iterator[tuple[str, click.Command]]:
    """Every command below `command` by its full name, groups included."""
    for name, inner in getattr(command, "commands", {}).items():
        yield f"{path} {name}", inner
        yield from tree(inner, f"{path} {name}")


TREE = dict(tree(main))


def test_every_command_has_its_chapter_and_no_other() -> None:
    assert set(re.findall(r"^### `(kogge .+)`$", COMMANDS, re.MULTILINE)) == set(TREE)


@pytest.mark.parametrize("name", TREE)
def test_every_argument_and_option_is_described_and_no_other(name: str) -> None:
    params = [param for param in TREE[name].params if "--help" not in param.opts]
    wanted = {param.opts[0] if isinstance(param, click.Option) else bare(param) for param in params}
    described = rows(chapter(COMMANDS, f"### `{name}`"))
    assert {cells[0].strip("`").split(" ")[0] for cells in described} == wanted


def bare(argument: click.Parameter) -> str:
    """`DIR` for an argument whose help shows `[DIR]`."""
    context = click.Context(main)
    return argument.make_metavar(context).strip("[]")


@pytest.mark.parametrize("path", GUIDES, ids=name_of)
def test_what_the_guides_tell_to_type_can_be_typed(path: Path) -> None:
    for words in kogge_lines(path.read_text()):
        parse(main, "kogge", words)


@pytest.mark.parametrize("path", GUIDES, ids=name_of)
def test_the_guides_mention_no_command_that_does_not_exist(path: Path) -> None:
    for code in inline_code(path.read_text()):
        words = code.removeprefix(".venv/bin/").split()
        if words[:1] == ["kogge"] and len(words) > 1 and re.fullmatch("[a-z-]+", words[1]):
            assert words[1].startswith("-") or f"kogge {words[1]}" in TREE, code
            options = [word for word in words if word.startswith("--")]
            group = " ".join(words[:3]) if " ".join(words[:3]) in TREE else " ".join(words[:2])
            known = [opt for param in (*main.params, *getattr(TREE.get(group), "params", [])) for opt in param.opts]
            assert not set(options) - {*known, "--help", "--version"}, code


def kogge_lines(text: str) -> list[list[str]]:
    """The arguments of every `kogge` in an `sh` block."""
    found = (re.search(r"(?:^|\$\(|/bin/)kogge ([^)|;&]*)", line) for line in shell_lines(text))
    return [shlex.split(match[1]) for match in found if match]


def parse(command: click.Command, name: str, words: list[str], parent: click.Context | None = None) -> None:
    """As click would; raises UsageError where a word is wrong. Nothing is run."""
    serves = isinstance(command, ServiceGroup) and (not words or words[0] not in command.commands)
    if serves or not isinstance(command, click.Group):
        command.make_context(name, list(words), parent)
        return
    inner = command.get_command(click.Context(command), words[0])
    assert inner is not None, f"no command {name} {words[0]}"
    # With its settings: click keeps the help option that a command was first asked with.
    context = click.Context(command, parent, info_name=name, **command.context_settings)
    parse(inner, f"{name} {words[0]}", words[1:], context)


def test_the_units_start_services_that_exist() -> None:
    units = {path.name: path.read_text() for path in (ROOT / "deploy" / "systemd").iterdir()}
    started = re.findall(r"^ExecStart=\S+/kogge (.+)$", units["kogge@.service"], re.MULTILINE)
    services = re.findall(r"kogge@(\w+)\.service", units["kogge.target"])
    assert len(started) == 1
    for service in services:
        parse(main, "kogge", shlex.split(started[0].replace("%i", service)))
    assert set(services) == set(SERVICES)


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in documents():
        text = path.read_text()
        lines = [code for code in (*shell_lines(text), *inline_code(text)) if code.startswith("make ")]
        named = {word for line in lines for word in line.split()[1:] if "=" not in word}
        assert not named - targets, f"{name_of(path)}: make {named - targets}"


# Metrics ----------------------------------------------------------------------------------------------

METRICS = (DOCS / "metrics.md").read_text()
OF_THE_AP = set(metrics.AP)


@pytest.fixture
def registry() -> CollectorRegistry:
    """All that one city exports, on one page."""
    registry = CollectorRegistry(auto_describe=True)
    for kind in (PortalMetrics, RedirectMetrics, RadiusMetrics, Instruments):
        kind(registry)
    metrics.register(registry, "rostock", Board())
    return registry


def test_every_metric_is_described_with_its_type_and_no_other(registry: CollectorRegistry) -> None:
    exported = {each.name + ("_total" if each.type == "counter" else ""): each.type for each in registry.collect()}
    described = {cells[0].strip("`"): cells[1] for cells in rows(METRICS) if re.match("`(kogge|wifi)_", cells[0])}
    assert described == exported


def test_the_labels_of_each_metric_are_described(registry: CollectorRegistry) -> None:
    described = {cells[0].strip("`"): set(re.findall("`(.+?)`", cells[2])) for cells in rows(METRICS)}
    for family in metrics.FAMILIES:
        assert described[family.name + ("_total" if family.counter else "")] == set(family.labels), family.name
    for holder in (PortalMetrics, RedirectMetrics, RadiusMetrics, Instruments):
        for metric in vars(holder(CollectorRegistry())).values():
            name = metric._name + ("_total" if metric._type == "counter" else "")
            assert described[name] == set(metric._labelnames), name


def test_every_result_and_reason_is_described(registry: CollectorRegistry) -> None:
    series = (sample for family in registry.collect() for sample in family.samples)
    values = {value for sample in series for label, value in sample.labels.items() if label not in {*OF_THE_AP, "le"}}
    assert not {value for value in values if value and f"`{value}`" not in METRICS}


def test_every_reason_to_drop_a_packet_is_described() -> None:
    sources = "".join(file.read_text() for file in (ROOT / "radius").glob("*.py"))
    reasons = set(re.findall(r'(?:WireError|Drop)\("(\w+)"', sources)) | set(re.findall(r'return "(\w+)"', sources))
    assert not {reason for reason in reasons if f"`{reason}`" not in METRICS}


# Files and links ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(documents()), ids=name_of)
def test_files_that_are_named_exist(path: Path) -> None:
    folders = "|".join(each.name for each in ROOT.iterdir() if each.is_dir() and each.name not in NOT_OURS)
    named = [code for code in inline_code(path.read_text()) if re.fullmatch(rf"({folders})/[\w./-]*", code)]
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("path", sorted(documents()), ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    text = prose(path.read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    inside = [target for target in targets if not re.match("[a-z]+:", target)]
    assert not [target for target in inside if not leads_somewhere(path, target)]


def leads_somewhere(path: Path, target: str) -> bool:
    place, _, heading = target.partition("#")
    file = path.parent / place if place else path
    return file.exists() and (not heading or heading in headings(file))


def headings(file: Path) -> set[str]:
    """Their anchors, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(file.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# What the guides tell to type, typed ------------------------------------------------------------------

SERVES = {"run", "demo", *SERVICES}
"""They do not end by themselves; tests/system runs them."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and we stand in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", [ROOT / "README.md", DOCS / "quickstart.md"], ids=name_of)
def test_the_steps_to_a_real_installation_work(path: Path, folder: Path) -> None:
    typed = [words for words in kogge_lines(path.read_text()) if "my-wifi" in words and words[0] not in SERVES]
    assert typed[0][:1] == ["init"]
    for words in typed:
        bring_the_city(words, folder / "my-wifi")
        assert kogge(*words)


@pytest.mark.usefixtures("folder")
def test_the_short_commands_of_the_readme_work() -> None:
    kogge("init", "my-wifi", "--city", "rostock")
    at = ("--dir", "my-wifi")
    assert "rostock-gateway" in kogge("nas", "list", "rostock", *at)
    assert "RADIUS secret:" in kogge("nas", "show", "rostock", "rostock-gateway", *at)
    assert "warnemuende-2" in kogge("ap", "list", "rostock", *at)
    assert "SHA-256" in kogge("ap", "show", "rostock", "warnemuende-2", *at)
    assert "/staff/invite/" in kogge("staff", "invite", "rostock", "hanna", "--role", "desk", *at)
    assert re.fullmatch("[0-9a-f]{64}\n", kogge("metrics-token", "rostock", *at))
    assert "rostock" in kogge("migrate", "my-wifi")


def test_the_installed_program_is_the_one_that_is_described(tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "kogge")
    done = run(program, "check", str(ROOT / "config"))
    assert (done.returncode, done.stderr) == (0, "")
    wrong = run(program, "check", str(tmp_path))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "kogge.toml" in wrong.stderr


def bring_the_city(words: list[str], installation: Path) -> None:
    """What the reader does by hand: put a city's file into the installation."""
    if "--city" in words and (installation / "cities").exists():
        file = f"{words[words.index('--city') + 1]}.toml"
        shutil.copyfile(ROOT / "config" / "cities" / file, installation / "cities" / file)


def kogge(*words: str) -> str:
    """What the command prints. It must succeed and complain of nothing."""
    done = CliRunner().invoke(main, list(words), prog_name="kogge", catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, ""), words
    return done.stdout
