"""What must happen in a city though nobody asks: closing stale sessions, deleting what retention says.

The job list is a table. A job runs in one transaction with its lease, so that two schedulers on one city run it once
an interval, and a job that fails gives its lease back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
