"""One poll from the command line: with the monitor's own engine, and with every question noted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from hotspot.errors import ConfigError
from hotspot.fleet import ApReading, PointKind, PollFailure
from monitor import pace, profiles
from monitor.oids import Oid, Varbind
from monitor.poll import Device, poll
from monitor.session import Engine, Session, SnmpError, Target
from monitor.snmp import Client
from ops.ap_advice import FAILURES
from ops.ap_detail import health, lines, tables
from ops.ap_words import named, now_
from ops.sessions import terminal
from service.cities import City
from store import points
from store.points import Point

MEMBERS_SHOWN = 50
"""Access points of a controller that are listed; `--json` has them all."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question and what came back: values, or the reason in `failure`."""

    kind: str
    objects: int
    first: Oid
    values: int
    seconds: float
    failure: str = ""


@dataclass(slots=True)
class Outcome:
    """What a poll came to. `failure` is None where `reading` is not."""

    point: Point
    version: str
    profile: str = ""
    reading: ApReading | None = None
    failure: PollFailure | None = None
    detail: str = ""
    seconds: float = 0.0
    questions: list[Question] = field(default_factory=list)


class _Noting:
    """A session that notes what is asked."""

    def __init__(self, session: Session, questions: list[Question]) -> None:
        self._session, self._questions = session, questions

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        return await self._note("get", oids, self._session.get(oids))

    async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
        return await self._note(f"bulk ×{repetitions}", oids, self._session.bulk(oids, repetitions))

    async def _note(self, kind: str, oids: Sequence[Oid], asking: Awaitable[list[Varbind]]) -> list[Varbind]:
        began, values, failure = time.monotonic(), 0, ""
        try:
            answer = await asking
            values = sum(value is not None for _, value in answer)
            return answer
        except SnmpError as error:
            failure = error.failure.value
            raise
        finally:
            seconds = time.monotonic() - began
            self._questions.append(Question(kind, len(oids), oids[0] if oids else (), values, seconds, failure))


class _NotingClient(Client):
    def __init__(self, engine: Engine, questions: list[Question]) -> None:
        super().__init__(engine)
        self._questions = questions

    @asynccontextmanager
    async def open(self, target: Target) -> AsyncIterator[Session]:
        async with super().open(target) as session:
            yield _Noting(session, self._questions)


def poll_now(city: City, name: str, *, engine: Engine, trace: bool, as_json: bool) -> bool:
    """Ask, show, and say whether it answered. ConfigError where it cannot be asked at all."""
    with city.store.read() as conn:
        point = named(conn, city, name)
        if point.kind is PointKind.MEMBER:
            raise ConfigError(f"{name} is behind a controller, which tells of it: poll that instead")
        credential = points.credential_of(conn, city.store.keys, point.id)
    monitor = city.config.monitor
    target = Target(point.address, point.port, credential, monitor.timeout_s, monitor.retries)
    deadline_s = pace.deadline(monitor.poll_interval_s, monitor.timeout_s, monitor.retries)
    outcome = asyncio.run(ask(Outcome(point, credential.version), target, engine, deadline_s))
    if as_json:
        click.echo(json.dumps(_document(city, outcome), indent=2, ensure_ascii=False, default=str))
    else:
        terminal().print(_screen(outcome, trace=trace))
    return outcome.reading is not None


async def ask(outcome: Outcome, target: Target, engine: Engine, deadline_s: float) -> Outcome:
    """The outcome, filled in."""
    client, device, loaded = _NotingClient(engine, outcome.questions), Device(), profiles.load()
    began = time.monotonic()
    try:
        async with asyncio.timeout(deadline_s):
            outcome.reading = await poll(client, target, device, loaded, now=now_())
    except SnmpError as error:
        outcome.failure, outcome.detail = error.failure, str(error).partition(": ")[2]
    except TimeoutError:
        outcome.failure, outcome.detail = PollFailure.TIMEOUT, f"not done within {deadline_s:.0f} s"
    finally:
        await client.close()
    outcome.seconds = time.monotonic() - began
    outcome.profile = device.profile.name if device.profile else ""
    return outcome


# Shown --------------------------------------------------------------------------------------------------


def _screen(outcome: Outcome, *, trace: bool) -> Group:
    point = outcome.point
    head = Text(f"{point.name}, {point.address} port {point.port} over SNMP {outcome.version}: ")
    parts: list[RenderableType] = [head]
    if outcome.failure is not None:
        head.append(f"{outcome.failure.value} ({outcome.detail})", style="bold red")
        parts.append(Text(FAILURES[outcome.failure]))
    else:
        head.append("it answers", style="green")
    parts.append(Text(_effort(outcome)))
    if trace:
        parts += [Text(_traced(each)) for each in outcome.questions]
    if outcome.reading is not None:
        parts += _told(outcome, outcome.reading)
    return Group(*parts)


def _effort(outcome: Outcome) -> str:
    values = sum(each.values for each in outcome.questions)
    return f"{len(outcome.questions)} questions, {values} values, {outcome.seconds:.3f} s"


def _traced(each: Question) -> str:
    told = each.failure or f"{each.values} values"
    return (
        f"  {each.kind:10} {each.objects} from {'.'.join(map(str, each.first))}: {told}, {1000 * each.seconds:.1f} ms"
    )


def _told(outcome: Outcome, reading: ApReading) -> list[RenderableType]:
    plain = as_plain(reading)
    said = [
        ("Profile", outcome.profile),
        ("Calls itself", reading.system_name),
        ("Model", reading.model),
        ("Firmware", reading.firmware),
        ("Serial number", reading.serial),
        *health(plain),
        ("Not believed", ", ".join(reading.dropped)),
    ]
    parts: list[RenderableType] = [Text(), lines((label, value) for label, value in said if value), *tables(plain)]
    if reading.members:
        up = sum(each.up for each in reading.members)
        parts += [Text(), Text(f"Access points behind it: {up} up of {len(reading.members)}", style="bold")]
        parts += [_member(each.up, each.reading) for each in reading.members[:MEMBERS_SHOWN]]
        left_out = len(reading.members) - MEMBERS_SHOWN
        parts += [Text(f"  {left_out} more are not shown.")] if left_out > 0 else []
    return parts


def _member(up: bool, reading: ApReading) -> Text:
    line = Text("  ")
    line.append("up   " if up else "down ", style="green" if up else "bold red")
    clients = "" if reading.clients is None else f", {reading.clients} clients"
    return line.append(f"{reading.system_name} {reading.model}{clients}")


def as_plain(reading: ApReading) -> dict[str, Any]:
    """A reading as `access_point_health.reading` keeps it."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(reading) | {"clients": reading.clients}, default=str))
    return plain


def _document(city: City, outcome: Outcome) -> dict[str, Any]:
    failure = outcome.failure
    return {
        "city": city.key,
        "name": outcome.point.name,
        "address": outcome.point.address,
        "port": outcome.point.port,
        "snmp_version": outcome.version,
        "answers": failure is None,
        "failure": failure.value if failure else None,
        "detail": outcome.detail,
        "next_step": FAILURES[failure] if failure else None,
        "profile": outcome.profile or None,
        "seconds": round(outcome.seconds, 4),
        "questions": [asdict(each) | {"first": ".".join(map(str, each.first))} for each in outcome.questions],
        "reading": None if outcome.reading is None else as_plain(outcome.reading),
    }
