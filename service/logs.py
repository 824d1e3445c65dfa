"""Logging of a service: one line an event, as text for people or JSON for machines; control characters escaped."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


def _line(text: str) -> str:
    """The text on one line: what a peer sent must not forge log lines."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class TextFormatter(logging.Formatter):
    """`2026-11-23T10:00:00Z INFO radius.server: …`"""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line = f"{at:%Y-%m-%dT%H:%M:%SZ} {record.levelname} {record.name}: {_line(record.getMessage())}"
        if not record.exc_info:
            return line
        # An exception's text may hold what a peer sent: indented, none of its lines looks like a line of the log.
        return "\n".join([line, *(f"  {_line(each)}" for each in self.formatException(record.exc_info).splitlines())])


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        entry = {"at": at, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure(level: str, style: str) -> None:
    """Log to standard error. `style` is `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("alembic", "apscheduler"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
