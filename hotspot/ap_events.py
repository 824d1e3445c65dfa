"""What happens to access points, as the event log keeps it: kinds and entries. Knows no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened."""

    UP = "up"
    DOWN = "down"
    REBOOT = "reboot"
    FIRMWARE = "firmware"
    CHANNEL = "channel"
    JOINED = "joined"
    """First seen behind its controller."""

    LINK_UP = "link_up"
    LINK_DOWN = "link_down"
    """As a trap says (IF-MIB linkUp, linkDown)."""

    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ApEvent:
    """One entry. `before` and `after` are what changed, such as two channels; empty where nothing did."""

    access_point_id: int
    at: datetime
    kind: Kind
    before: str = ""
    after: str = ""
    radio: str = ""
