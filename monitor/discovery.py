"""Looking for access points in a network: every address asked with every candidate credential, at a bounded rate.

A pass over the addresses a candidate, because SNMPv2c meets a wrong community with silence: only that candidate's
time-out tells. What is found stays with the `Search` when it is cancelled. Writes nothing and decides nothing: the
command line (`ops.ap_discovery`) and the monitor process (`monitor.searches`) do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hotspot.discovery import Address, Found, Network, questions
from hotspot.errors import InputError
from hotspot.fleet import ApReading, PointKind, PollFailure
from monitor.poll import Device, poll, probe
from monitor.profiles import Profiles
from monitor.session import SnmpError, Target
from monitor.snmp import Client
from store.fleet import SnmpCredential
from store.snmp_credentials import Candidate

log = logging.getLogger(__name__)

PACKETS_PER_SECOND = 200
"""Probes a second, repetitions included: a /20 takes 41 s a credential, 50 s where all are silent for 1 s twice."""

IN_FLIGHT_MAX = 200
"""Probes that wait for an answer at once: each may hold a socket."""

CANDIDATES_MAX = 10
"""Credentials that one search tries."""

READING_SECONDS_MAX = 30.0
"""What a device that answered may take to tell what it is: a controller lists all its access points."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and how to look. `timeout_s` seconds an attempt, `retries` attempts after the first."""

    network: Network
    port: int
    candidates: Sequence[Candidate]
    timeout_s: float
    retries: int
    in_flight: int = IN_FLIGHT_MAX
    packets_per_second: float = PACKETS_PER_SECOND

    def questions(self) -> list[tuple[int, Address]]:
        return list(questions(self.network, [each.network for each in self.candidates]))


def candidates_for(network: Network, known: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those of `known` that may open something in `network`. InputError where they are too many."""
    fitting = tuple(
        each for each in known if each.network.version == network.version and each.network.overlaps(network)
    )
    if len(fitting) > CANDIDATES_MAX:
        raise InputError(f"{len(fitting)} credentials are for {network}; one search tries at most {CANDIDATES_MAX}")
    return fitting


@dataclass(frozen=True, slots=True)
class Hit:
    """A device that answered, and what it answered to."""

    found: Found
    credential: SnmpCredential


@dataclass(slots=True)
class Search:
    """One search, as far as it is. `refused`: addresses that speak SNMP and took none of the credentials, and why."""

    plan: Plan
    asked: int = 0
    hits: list[Hit] = field(default_factory=list)
    refused: dict[str, PollFailure] = field(default_factory=dict)
    _closed: set[str] = field(default_factory=set)

    async def run(self, client: Client, profiles: Profiles, *, clock: Callable[[], datetime]) -> None:
        """Until everything was asked, or cancelled."""
        slots, pace = asyncio.Semaphore(self._in_flight), _Pace(self.plan.packets_per_second)
        passes: dict[int, list[Address]] = {}
        for place, address in self.plan.questions():
            passes.setdefault(place, []).append(address)
        for place, addresses in passes.items():
            async with asyncio.TaskGroup() as group:
                for address in addresses:
                    if str(address) not in self._closed:
                        await pace.turn(self.plan.retries + 1)
                        await slots.acquire()
                        group.create_task(self._ask(client, profiles, self._target(address, place), slots, clock))
                    else:
                        self.asked += 1

    @property
    def _in_flight(self) -> int:
        return min(self.plan.in_flight, IN_FLIGHT_MAX)

    def _target(self, address: Address, place: int) -> Target:
        plan = self.plan
        return Target(str(address), plan.port, plan.candidates[place].credential, plan.timeout_s, plan.retries)

    async def _ask(
        self,
        client: Client,
        profiles: Profiles,
        target: Target,
        slots: asyncio.Semaphore,
        clock: Callable[[], datetime],
    ) -> None:
        try:
            await probe(client, target, profiles)
        except SnmpError as error:
            self._note_failure(target, error.failure)
        except Exception:  # ours to mend; the other addresses go on
            log.exception("a fault in asking %s", target.address)
        else:
            self._closed.add(target.address)
            self.refused.pop(target.address, None)
            self.hits.append(Hit(await identify(client, target, profiles, now=clock()), target.credential))
        finally:
            slots.release()
        self.asked += 1

    def _note_failure(self, target: Target, failure: PollFailure) -> None:
        """Where nobody listens, no other credential helps. Silence tells nothing."""
        if failure is PollFailure.UNREACHABLE:
            self._closed.add(target.address)
        elif failure is not PollFailure.TIMEOUT:
            self.refused[target.address] = failure


async def identify(client: Client, target: Target, profiles: Profiles, *, now: datetime) -> Found:
    """What a device that answers is. One that breaks off is found all the same: an admin will look at it."""
    device, reading = Device(), ApReading(at=now)
    try:
        async with asyncio.timeout(READING_SECONDS_MAX):
            reading = await poll(client, target, device, profiles, now=now)
    except (SnmpError, TimeoutError) as error:
        log.info("%s answers, but cannot be read: %s", target.address, error)
    except Exception:
        log.exception("a fault in reading %s", target.address)
    profile = device.profile or profiles.common
    return Found(
        address=target.address,
        port=target.port,
        kind=PointKind.CONTROLLER if profile.controller else PointKind.ACCESS_POINT,
        profile=profile.name,
        system_name=reading.system_name,
        model=reading.model,
        firmware=reading.firmware,
        serial=reading.serial,
        bssids=reading.bssids,
    )


class _Pace:
    """So many packets a second, evenly; what was missed is not caught up on."""

    def __init__(self, packets_per_second: float) -> None:
        self._packet_s = 1 / packets_per_second
        self._due = 0.0

    async def turn(self, packets: int) -> None:
        now = asyncio.get_running_loop().time()
        due, self._due = self._due, max(self._due, now) + packets * self._packet_s
        if due > now:
            await asyncio.sleep(due - now)
