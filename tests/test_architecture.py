"""The walls of the house: import contracts, third parties in their one room, files and functions of a readable size."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("bench", "config", "hotspot", "monitor", "ops", "portal", "radius", "service", "simulator", "store")

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

PROTECTED = {
    "pyrad": {"radius/wire.py", "simulator/radius_client.py"},
    "pysnmp": {"monitor/snmp.py", "monitor/trap_users.py", "simulator/agents.py"},
    "sqlalchemy": {"store/", "bench/history.py"},  # a history is filled in without indexes, which are then made again
    "alembic": {"store/"},
    "pydantic": {"config/"},
    "apscheduler": {"monitor/schedule.py"},
    "flask": {"portal/"},
    "gunicorn": {"portal/__main__.py"},
    "cryptography": {"store/keys.py", "portal/captive/handoff/rijndael.py"},
    "aiosmtpd": {"simulator/mailbox.py"},
    "argon2": {"portal/passwords.py"},
    "authlib": {"portal/captive/id_token.py"},
    "joserfc": {"portal/captive/id_token.py"},
    "segno": {"portal/staff/qr.py"},
    "markdown_it": {"portal/markdown.py"},
}
"""Third parties and the files (or rooms) that may import them: one place knows each library's ways."""

GROUND_FLOOR_FORBIDS = {"logging", "asyncio", "random", "secrets", "os", "socket", "time", "subprocess", "threading"}
"""hotspot/ means things; it does not do them."""


def sources(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


@cache
def imports(path: Path) -> frozenset[str]:
    """Top-level names of what a file imports, read once for all the questions about it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = (alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names)
    parts = (node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level)
    return frozenset(name.partition(".")[0] for name in (*plain, *parts))


def test_the_import_contracts_hold() -> None:
    command = str(Path(sys.executable).parent / "lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", PROTECTED)
def test_a_third_party_stays_in_its_room(library: str) -> None:
    allowed = PROTECTED[library]
    users = {str(path.relative_to(ROOT)) for path in sources(*ROOMS) if library in imports(path)}
    strangers = {user for user in users if not any(user == place or user.startswith(place) for place in allowed)}
    assert not strangers
    assert users, f"nobody imports {library}: is this table still true?"


def test_the_ground_floor_does_no_io() -> None:
    found = {(path.name, name) for path in sources("hotspot") for name in imports(path)}
    assert not {pair for pair in found if pair[1] in GROUND_FLOOR_FORBIDS}


@pytest.mark.parametrize("room", ROOMS)
def test_files_and_functions_stay_readable(room: str) -> None:
    long = []
    for path in sources(room):
        if "migrations/versions" in str(path):  # a migration is a list of tables, written once
            continue
        text = path.read_text()
        if text.count("\n") > FILE_LINES_MAX:
            long.append(f"{path.name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{path.name}: {node.name}: {lines} lines")
    assert not long


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_says_what_it_is_for(room: str) -> None:
    silent = [path.name for path in sources(room) if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent


@pytest.mark.parametrize("room", ROOMS)
def test_no_import_hides_in_a_function(room: str) -> None:
    hidden = [
        f"{path.name}: {function.name}"
        for path in sources(room)
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not hidden


def test_no_room_is_called_utils() -> None:
    assert not [path for path in sources(*ROOMS) if path.stem in ("utils", "helpers", "common", "misc")]


def test_sql_stands_in_the_store_only() -> None:
    words = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM")
    rooms = [room for room in ROOMS if room not in ("store", "bench")]  # bench fills FreeRADIUS's own tables
    found = [
        f"{path.relative_to(ROOT)}: {node.value[:40]!r}"
        for path in sources(*rooms)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(words)
    ]
    assert not found
