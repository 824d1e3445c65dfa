"""What somebody writes to those who run the Wi-Fi: how long it may be, and how much of it comes from one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from hotspot.addresses import parse_email
from hotspot.errors import InputError

MESSAGE_MAX = 2_000

WINDOW = timedelta(minutes=15)
RANGE_MAX = 5
"""Messages from one address range in the window: a library behind one address writes less."""

CITY_MAX = 40
"""Messages to a city in the window, so that nobody floods its mailbox from many places."""


class Fault(StrEnum):
    """Why a message is not taken."""

    EMPTY = "empty"
    LONG = "long"
    ADDRESS = "address"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Feedback:
    """`reply_to` is empty where no answer is wanted."""

    message: str
    reply_to: str


def read_feedback(message: str, reply_to: str) -> Feedback | Fault:
    """The message with its lines, without other control characters; or why it is none."""
    lines = message.replace("\r\n", "\n").replace("\r", "\n")
    said = "".join(each for each in lines if each == "\n" or each.isprintable()).strip()
    if not said:
        return Fault.EMPTY
    if len(said) > MESSAGE_MAX:
        return Fault.LONG
    if not reply_to.strip():
        return Feedback(said, "")
    try:
        return Feedback(said, parse_email(reply_to))
    except InputError:
        return Fault.ADDRESS


def is_limited(from_range: int, to_city: int) -> bool:
    """Whether so many in the window are enough."""
    return from_range >= RANGE_MAX or to_city >= CITY_MAX
