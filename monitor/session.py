"""What a poll asks of an agent and how that fails; `monitor.snmp` does it over the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hotspot.fleet import PollFailure
from monitor.oids import Oid, Varbind
from store.fleet import SnmpCredential

DATAGRAM_BYTES_MAX = 16_384
"""A longer reply is refused: our largest questions are answered in less than half of it."""

REPLY_VARBINDS_MAX = 400
"""More varbinds than any question of ours asks for."""

TOO_BIG, AUTHORIZATION_ERROR = 1, 16
"""Error-status values of RFC 3416 section 3."""


class Engine(StrEnum):
    """What asks over SNMPv2c; SNMPv3 always goes through pysnmp."""

    FAST = "fast"
    PYSNMP = "pysnmp"


class SnmpError(Exception):
    """Why a question got no usable answer. The text is for the log and holds nothing secret."""

    def __init__(self, failure: PollFailure, detail: str) -> None:
        super().__init__(f"{failure.value}: {detail}")
        self.failure = failure


class TooBigError(SnmpError):
    """The agent cannot put the answer into one message: ask for less."""


def refusal(status: int) -> SnmpError:
    """What an error-status other than 0 means."""
    if status == TOO_BIG:
        return TooBigError(PollFailure.MALFORMED, "the agent says tooBig")
    failure = PollFailure.AUTHENTICATION if status == AUTHORIZATION_ERROR else PollFailure.MALFORMED
    return SnmpError(failure, f"the agent answers with error status {status}")


@dataclass(frozen=True, slots=True)
class Target:
    """An agent and how long to wait: `timeout_s` seconds an attempt, `retries` attempts after the first."""

    address: str
    port: int
    credential: SnmpCredential
    timeout_s: float
    retries: int


class Session(Protocol):
    """Questions to one agent, one at a time. Both raise SnmpError."""

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        """The objects' values, in order; None where the agent has no such object."""

    async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
        """Up to `repetitions` successors of each, row by row (RFC 3416 section 4.2.3); None where the view ends."""
