"""Log lines: one an event, whatever a peer sent."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator

import pytest

from service import logs

FORGED = "bob\n2026-11-23T12:00:00Z INFO radius.server: accepted eve"
NASTY = [FORGED, "bob\r\nINFO", "\x1b[2Jclear", "a\x00b", "a\u2028b", "a\x85b", "\u202eesrever"]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [A-Z]+ [\w.]+: ")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """`configure` is made for a whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def written(style: str, monkeypatch: pytest.MonkeyPatch, *, level: str = "info") -> io.StringIO:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    logs.configure(level, style)
    return out


@pytest.mark.parametrize("sent", NASTY)
def test_what_a_peer_sent_stays_on_its_line(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = written("text", monkeypatch)
    logging.getLogger("radius.server").warning("refused %s", sent)
    text = out.getvalue()
    assert len(text.splitlines()) == 1 and LINE.match(text)
    assert text.rstrip("\n").isprintable()


def test_german_names_are_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    out = written("text", monkeypatch)
    logging.getLogger("portal").info("Lübeck, Größe: %s", "ß")
    assert out.getvalue().endswith(" INFO portal: Lübeck, Größe: ß\n")


def raise_and_log(message: str) -> None:
    try:
        raise ValueError(message)
    except ValueError:
        logging.getLogger("monitor").exception("failed")


@pytest.mark.parametrize("sent", NASTY)
def test_an_exceptions_text_forges_no_line_either(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = written("text", monkeypatch)
    raise_and_log(sent)
    first, *others = out.getvalue().splitlines()
    assert first.endswith("ERROR monitor: failed") and len(others) >= 3
    assert all(line.startswith("  ") and line.isprintable() for line in others)


@pytest.mark.parametrize("sent", NASTY)
def test_json_is_one_object_a_line(sent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = written("json", monkeypatch)
    logging.getLogger("portal").warning("refused %s", sent)
    raise_and_log(sent)
    lines = out.getvalue().split("\n")
    assert lines[-1] == "" and len(lines) == 3
    event, failure = (json.loads(line) for line in lines[:2])
    assert event["message"] == f"refused {sent}" and event["level"] == "WARNING" and event["logger"] == "portal"
    assert event["at"].endswith("+00:00") and "ValueError" in failure["traceback"]


def test_levels_are_obeyed_and_chatty_libraries_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    out = written("text", monkeypatch, level="warning")
    logging.getLogger("portal").info("unheard")
    assert out.getvalue() == ""
    out = written("text", monkeypatch)
    logging.getLogger("apscheduler.executors").info("ran a job")
    logging.getLogger("portal").info("heard")
    assert out.getvalue().count("\n") == 1
