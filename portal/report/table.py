"""A month as CSV, for a spreadsheet: one line a day, hidden figures empty."""

from __future__ import annotations

import csv
import io

from hotspot.reports import MonthReport

COLUMNS = ("day", "sessions", "device_days", "minutes", "megabytes_down", "megabytes_up")


def month_csv(report: MonthReport) -> str:
    """UTF-8 text with a header line (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for day in report.days:
        figures = (getattr(day, name) for name in COLUMNS[1:])
        writer.writerow([day.day.isoformat(), *("" if value is None else value for value in figures)])
    return out.getvalue()
