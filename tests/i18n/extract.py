"""Every text that people read, found where it is said: in templates, in Python, in a few tables of data.

A text is a resident's unless it is said in the staff's places alone, so that a new page's texts are residents' until
somebody says otherwise. Staff's texts exist in the staff's languages, residents' in all.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]

STAFF_PLACES = (
    "portal/staff/",
    "portal/report/",
    "portal/templates/staff/",
    "portal/templates/report/",
    "service/snippets/",
    "hotspot/nas.py",
    "hotspot/ap_entry.py",
    "hotspot/diagnosis.py",
)
"""What residents never see."""

SPEAKERS = ("_", "said", "text")
"""What translates or marks a text in Python: `_("…")`, `said("…")`, `speech.text("…")`."""

TABLES = {"hotspot/nas.py": "SENTENCES", "hotspot/ap_entry.py": "SENTENCES", "hotspot/diagnosis.py": "FINDINGS"}
"""Tables of texts in a room that cannot mark them: every string in them that is no key."""

PLACE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Said:
    """A text where it is used, with the names of the values that it is given there (None: somewhere else)."""

    text: str
    given: frozenset[str] | None
    where: str

    @property
    def to_staff(self) -> bool:
        return self.where.startswith(STAFF_PLACES)


class NoText(Exception):
    """Something is to be translated that no catalogue can have. The message says where."""


def everything() -> list[Said]:
    """In a stable order: by room, file and line."""
    return [*in_templates(), *in_calls(), *in_tables(), *in_snippets()]


def texts_for(language: str, staff_languages: tuple[str, ...]) -> list[str]:
    """The texts that this language must have, each once, in the order in which they are said."""
    wanted = (said for said in everything() if language in staff_languages or not said.to_staff)
    return list(dict.fromkeys(said.text for said in wanted))


def in_templates() -> Iterator[Said]:
    for path in sorted((ROOT / "portal" / "templates").rglob("*.html")):
        for call in Environment().parse(path.read_text()).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                where, text = f"{path.relative_to(ROOT)}:{call.lineno}", call.args[0]
                if isinstance(text, nodes.Const):
                    yield Said(text.value, frozenset(pair.key for pair in call.kwargs), where)
                elif isinstance(text, nodes.Concat | nodes.Add | nodes.Filter | nodes.CondExpr):
                    raise NoText(f"{where}: a text is put together inside _(); translate its parts")


def in_calls() -> Iterator[Said]:
    for room in ("portal", "service"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and _speaks(call.func) and call.args:
                    yield from of_call(call, f"{path.relative_to(ROOT)}:{call.lineno}")


def _speaks(func: ast.expr) -> bool:
    return getattr(func, "id", getattr(func, "attr", "")) in SPEAKERS


def of_call(call: ast.Call, where: str) -> Iterator[Said]:
    text, marked = call.args[0], getattr(call.func, "id", "") == "_"  # it gets its values where it is shown
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        yield Said(text.value, None if marked else frozenset(pair.arg or "" for pair in call.keywords), where)
    elif isinstance(text, ast.JoinedStr | ast.BinOp | ast.IfExp):
        raise NoText(f"{where}: a text is put together inside {ast.unparse(call.func)}(); translate its parts")


def in_tables() -> Iterator[Said]:
    for name, table in TABLES.items():
        for node in ast.parse((ROOT / name).read_text()).body:
            if table in {getattr(target, "id", "") for target in _targets(node)}:
                yield from (Said(text, None, f"{name}:{line}") for text, line in _strings(node.value))


def _targets(node: ast.stmt) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []


def _strings(table: ast.Dict) -> Iterator[tuple[str, int]]:
    for value in table.values:
        for node in ast.walk(value):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value, node.lineno


def in_snippets() -> Iterator[Said]:
    """Where a NAS's configuration goes: data of the products."""
    for file in sorted((ROOT / "service" / "snippets").glob("*.toml")):
        yield Said(tomllib.loads(file.read_text())["where"], None, f"{file.relative_to(ROOT)}:1")
