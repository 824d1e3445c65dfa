"""What becomes of a poll: health, board, events, history, and the access points behind a controller.

Judges by `hotspot`, keeps in `monitor.pending`, shows on the board. Asks nobody over the network.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from hotspot.ap_events import ApEvent, Kind, changes
from hotspot.errors import InputError
from hotspot.fleet import ApHealth, ApReading, Member, PollFailure, assess
from monitor.board import Board, Identity
from monitor.instruments import Instruments
from monitor.pending import Pending
from monitor.records import Known, Records
from monitor.storm import Storm
from store.fleet import AccessPoint
from store.members import MemberPoint
from store.store import Unavailable

log = logging.getLogger(__name__)

MEMBERS_MAX = 10_000
"""Access points behind one controller; further ones are not taken, and counted."""

AT_ONCE = 200
"""Access points behind a controller that are judged in one turn of the loop: a few milliseconds."""


class Findings:
    """One city's. Belongs to the poller's loop."""

    def __init__(
        self,
        city: str,
        *,
        records: Records,
        pending: Pending,
        board: Board,
        instruments: Instruments,
        clock: Callable[[], datetime],
    ) -> None:
        self._city = city
        self._records = records
        self._pending = pending
        self._board = board
        self._count = instruments
        self._clock = clock
        self._storm = Storm()
        self._last: dict[int, ApReading] = {}
        self._members: dict[int, dict[str, MemberPoint]] = {}

    # Who there is -----------------------------------------------------------------------------------------

    def add(self, point: AccessPoint | MemberPoint, known: Known) -> None:
        """One that is new here, with what an earlier process found out; of a changed one the board knows more."""
        if self._board.health(point.id) is not None:
            return
        health, identity = known.get(point.id, (None, Identity()))
        self._board.add(point, health, identity)
        if health is not None and health.last_success_at is not None and point.id not in self._last:
            self._last[point.id] = ApReading(at=health.last_success_at, firmware=identity.firmware)

    def remove(self, point_id: int) -> None:
        """One that is polled no more."""
        self._board.remove(point_id)
        self._pending.forget(point_id)
        self._last.pop(point_id, None)

    def behind(self, members: Iterable[MemberPoint], known: Known) -> None:
        """All that stand behind controllers, as the store has them now."""
        before = {each.id: each for points in self._members.values() for each in points.values()}
        self._members = {}
        for each in members:
            self._members.setdefault(each.controller_id, {})[each.member_key] = each
            if before.pop(each.id, None) is None:
                self.add(each, known)
        for point_id in before:
            self.remove(point_id)

    # What was found ---------------------------------------------------------------------------------------

    def judge(
        self,
        point: AccessPoint | MemberPoint,
        result: ApReading | PollFailure,
        seconds: float | None = None,
        profile: str = "",
    ) -> ApHealth:
        """One access point's outcome, told by itself or by its controller."""
        previous = self._board.health(point.id)
        health = assess(previous, result, now=self._clock())
        self.happened(changes(point.id, previous, health, self._last.get(point.id)))
        if health.reading is not None:
            self._last[point.id] = health.reading
            for word in health.reading.dropped:
                self._count.values_dropped.labels(word).inc()
        self._board.put(point, health, seconds)
        self._pending.note(point.id, health, profile)
        return health

    async def judge_members(self, controller: AccessPoint, told: Iterable[Member], profile: str = "") -> None:
        """All that stand behind a controller, from its complete table: who is missing there is lost.

        One that was never seen connected is not taken: a table may list what was bought and never put up, or what the
        staff has retired.
        """
        table = self._bounded(told)
        await self._join(controller, table)
        known = list(self._members.get(controller.id, {}).items())
        for start in range(0, len(known), AT_ONCE):
            for key, point in known[start : start + AT_ONCE]:
                member = table.get(key)
                result = member.reading if member is not None and member.up else PollFailure.LOST
                self.judge(point, result, profile=profile)
            await asyncio.sleep(0)

    def _bounded(self, told: Iterable[Member]) -> dict[str, Member]:
        table: dict[str, Member] = {}
        for member in told:
            if member.key in table or len(table) < MEMBERS_MAX:
                table[member.key] = member
            else:
                self._count.members_refused.inc()
        return table

    async def _join(self, controller: AccessPoint, table: dict[str, Member]) -> None:
        """Rows for those that are seen for the first time."""
        here = self._members.setdefault(controller.id, {})
        names = {key: each.reading.system_name for key, each in table.items() if each.up and key not in here}
        names = dict(list(names.items())[: max(0, MEMBERS_MAX - len(here))])
        if not names:
            return
        try:
            made = await self._records.add_members(controller.id, names)
        except (*Unavailable, InputError) as error:
            self._count.store_failures.labels("save").inc()
            log.warning("%s: %s: new access points wait: %s", self._city, controller.name, type(error).__name__)
            return
        now = self._clock()
        for point in made:
            here[point.member_key] = point
            self._board.add(point, None, Identity())
        self.happened([ApEvent(point.id, now, Kind.JOINED) for point in made])
        log.info("%s: %s: %d new access points behind it", self._city, controller.name, len(made))

    def happened(self, events: Iterable[ApEvent]) -> None:
        """Entries for the log; those that an access point makes too many of are only counted."""
        now = self._clock()
        kept = []
        for event in events:
            admitted = self._storm.admits(event, now)
            (self._count.events if admitted else self._count.events_withheld).labels(event.kind.value).inc()
            if admitted:
                kept.append(event)
        if kept:
            self._pending.happened(kept)
