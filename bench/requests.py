"""What is asked of a RADIUS server, made before the clock runs: the same sequence in every run and for every server."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from bench import packets
from bench.load import IN_FLIGHT, Supply
from bench.ours import NAS
from bench.packets import Resident, Status

START_EVERY = 4
"""One record in so many is a Start; the others are interims of sessions that began a while ago."""

BEGUN_BEFORE = 2 * IN_FLIGHT
"""An interim's session began at least so many Starts earlier, so that its Start is not still in flight."""

OCTETS_A_RECORD = 1_000


def access_supply(residents: Sequence[Resident], secret: bytes, count: int) -> Supply:
    """Every resident redeems the ticket in turn, and again; no two requests are alike."""

    def build(number: int, identifier: int) -> bytes:
        return packets.access_request(identifier, secret, NAS, residents[number % len(residents)], number)

    return Supply.make(count, build, secret=secret, wanted_code=packets.ACCESS_ACCEPT)


def accounting_supply(residents: Sequence[Resident], secret: bytes, count: int, *, prefix: str = "bench") -> Supply:
    """Residents' sessions begin one after the other; in between, those that have begun report more and more octets.

    `prefix`: of their Acct-Session-Ids; another one makes new sessions of the same residents.
    """
    steps = list(session_steps(len(residents), count))

    def build(number: int, identifier: int) -> bytes:
        who, status = steps[number]
        session, octets = f"{prefix}-{who:08d}", number * OCTETS_A_RECORD
        return packets.accounting_request(identifier, secret, NAS, residents[who], status, session, octets)

    return Supply.make(count, build, secret=secret, wanted_code=packets.ACCOUNTING_RESPONSE)


def session_steps(devices: int, count: int) -> Iterator[tuple[int, Status]]:
    """Whose record comes when: the same sequence in every run."""
    chance, begun = random.Random(2026), 0
    for number in range(count):
        if begun < devices and (begun < 2 * BEGUN_BEFORE or number % START_EVERY == 0):
            yield begun, Status.START
            begun += 1
        else:
            yield chance.randrange(max(1, begun - BEGUN_BEFORE)), Status.INTERIM
