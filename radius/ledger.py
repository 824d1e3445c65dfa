"""The sessions that one batch of accounting records touches: loaded at once, changed record by record, saved at once.

It lives as long as the transaction. What a record does to a session's figures is `hotspot.session`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from hotspot.session import Accounting, Totals, apply, begin, close_estimated, continues
from hotspot.values import Octets, local_day
from radius.record import Opening, Report, read_framed_ipv6, read_opening
from radius.wire import StatusType
from service.cities import City
from store import access, accounting, outbox, residents
from store.accounting import LOST_CARRIER, Holder, Session, SessionKey
from store.bulk import together
from store.store import Connection

NAS_REBOOT = "NAS-Reboot"
"""Terminate cause of sessions that an Accounting-On or -Off ends."""

Entry = tuple[Report, Opening | None]
Use = dict[tuple[int, date], tuple[int, Octets]]


class Ledger:
    """One batch. `enter_all` applies its records in the order of arrival, `save` writes what changed."""

    def __init__(self, conn: Connection, city: City, reports: Sequence[Report], *, now: datetime) -> None:
        self._conn = conn
        self._keys = city.store.keys
        self._zone = city.zone
        self._now = now
        self._today = local_day(now, city.zone)
        self.ignored: list[Report] = []
        self._sessions: dict[SessionKey, Session] = {}
        self._of_device: dict[int, set[SessionKey]] = {}
        self._displaced: list[tuple[None, Session]] = []
        self._started: set[int] = set()
        self._used_by_devices: Use = {}
        self._used_by_vouchers: Use = {}
        self._before = accounting.load_many(conn, {each.key for each in reports if each.event is not None})
        self._entries = [self._entry(report) for report in reports]
        openings = [opening for _, opening in self._entries if opening is not None]
        nameless = {o.user_name for o in openings if not o.grant_id and o.user_name}
        with together(conn):
            devices = residents.ask_devices(conn, self._keys, {o.mac for o in openings if o.mac}, now=now)
            holders = accounting.ask_holders(conn, {o.grant_id for o in openings if o.grant_id})
            of_tickets = accounting.ask_holders_of_tickets(conn, nameless)
            self._devices, self._holders, self._ticket_holders = devices(), holders(), of_tickets()
        self._load_others()

    def _entry(self, report: Report) -> Entry:
        """Only a record that may begin a session is asked what it says of it."""
        may_begin = report.kind is StatusType.START or (report.event is not None and report.key not in self._before)
        return report, read_opening(report.work.packet) if may_begin else None

    def _load_others(self) -> None:
        """Open sessions of the devices that start one: their Stops may have got lost."""
        starting = {o.mac for report, o in self._entries if o is not None and report.kind is StatusType.START}
        ids = {id_ for mac, id_ in self._devices.items() if mac in starting}
        for each in accounting.open_of_devices(self._conn, ids):
            self._before.setdefault((each.nas_id, each.acct_session_id), each)
        for key, each in self._before.items():
            self._put(key, each)

    def enter_all(self) -> None:
        """Apply the records in the order of arrival."""
        for report, opening in self._entries:
            if report.event is None:
                self._end_all_of(report.nas_id, report.at)
            else:
                self._enter(report, report.event, opening)

    def _enter(self, report: Report, event: Accounting, opening: Opening | None) -> None:
        known = self._sessions.get(report.key)
        if known is None or not continues(known.totals, event):
            known = self._begin(report, event, opening, displaced=known)
        if known is None:
            self.ignored.append(report)
            return
        starts = report.kind is StatusType.START
        if starts:
            self._end_others(known)
        changed = _with_totals(known, apply(known.totals, event))
        if not changed.framed_ipv6:
            changed = _with_late_ipv6(changed, report)
        self._count_usage(known, changed)
        self._sessions[report.key] = changed
        if starts and changed.grant_id is not None:
            self._started.add(changed.grant_id)

    def _begin(
        self, report: Report, event: Accounting, opening: Opening | None, *, displaced: Session | None
    ) -> Session | None:
        """A session that is heard of for the first time; None where nobody can tell whose it is."""
        assert opening is not None, "a record without a session was asked for its opening"
        device_id = self._device_id(opening)
        if device_id is None:
            return None
        if displaced is not None:  # the NAS began to count its Acct-Session-Ids anew
            ended = _with_totals(displaced, close_estimated(displaced.totals, cause=NAS_REBOOT))
            self._displaced.append((None, ended))
            self._of_device[displaced.device_id].discard(report.key)  # the key is another device's from now on
        holder = self._holder(opening, device_id)
        totals = begin(event)
        session = Session(
            id=None,
            device_id=device_id,
            grant_id=holder.grant_id if holder else None,
            nas_id=report.nas_id,
            acct_session_id=report.key[1],
            user_name=opening.user_name,
            ssid=opening.ssid,
            bssid=opening.bssid,
            framed_ip=opening.framed_ip,
            local_day=local_day(totals.started_at, self._zone),
            totals=totals,
            framed_ipv6=opening.framed_ipv6,
            nas_address=report.work.source[0],
            voucher_id=holder.voucher_id if holder else None,
        )
        self._put(report.key, session)
        return session

    def _device_id(self, opening: Opening) -> int | None:
        if opening.mac is None:
            return None
        if opening.mac not in self._devices:  # a NAS admitted it without us: its session counts all the same
            self._devices[opening.mac] = residents.note_device(self._conn, self._keys, opening.mac, now=self._now)
        return self._devices[opening.mac]

    def _holder(self, opening: Opening, device_id: int) -> Holder | None:
        if opening.grant_id is None:
            return self._ticket_holders.get(opening.user_name)
        holder = self._holders.get(opening.grant_id)
        return holder if holder is not None and holder.device_id == device_id else None

    def _put(self, key: SessionKey, session: Session) -> None:
        self._sessions[key] = session
        self._of_device.setdefault(session.device_id, set()).add(key)

    def _end(self, key: SessionKey, cause: str) -> None:
        session = self._sessions[key]
        if session.totals.ended_at is None:
            self._sessions[key] = _with_totals(session, close_estimated(session.totals, cause=cause))

    def _end_others(self, session: Session) -> None:
        """A new Start ends the device's older sessions in this city: their Stops got lost."""
        own = (session.nas_id, session.acct_session_id)
        for key in self._of_device.get(session.device_id, set()) - {own}:
            if self._sessions[key].totals.started_at <= session.totals.started_at:
                self._end(key, LOST_CARRIER)

    def _end_all_of(self, nas_id: int, at: datetime) -> None:
        """Accounting-On/Off: all sessions of that NAS, and only of that NAS, are over.

        Those that began later go on: the network may have kept a copy of it, or its NAS was not answered for a while.
        """
        for each in accounting.open_of_nas(self._conn, nas_id):
            key = (nas_id, each.acct_session_id)
            if key not in self._sessions:
                self._before[key] = each
                self._put(key, each)
        for key, each in list(self._sessions.items()):
            if key[0] == nas_id and each.totals.started_at <= at:
                self._end(key, NAS_REBOOT)

    def _count_usage(self, before: Session, after: Session) -> None:
        """What the record added counts on today, for the device and for its voucher."""
        seconds = after.totals.seconds - before.totals.seconds
        octets = after.totals.octets - before.totals.octets
        if seconds or octets.down or octets.up:
            _add(self._used_by_devices, (after.device_id, self._today), seconds, octets)
            if after.voucher_id is not None:
                _add(self._used_by_vouchers, (after.voucher_id, self._today), seconds, octets)

    def save(self) -> None:
        """Write what changed."""
        pairs = [(self._before.get(key), each) for key, each in self._sessions.items()]
        changed = [(before, after) for before, after in pairs if before is not after]
        with together(self._conn):
            accounting.save_many(self._conn, [*self._displaced, *changed])
            accounting.add_usage(self._conn, self._used_by_devices)
            accounting.add_voucher_usage(self._conn, self._used_by_vouchers)
            access.remember(self._conn, self._started)
        outbox.confirm(self._conn, _ended(after for _, after in changed), now=self._now)


def _ended(sessions: Iterable[Session]) -> list[int]:
    return [each.id for each in sessions if each.id is not None and each.totals.ended_at is not None]


def _add(use: Use, key: tuple[int, date], seconds: int, octets: Octets) -> None:
    before = use.get(key)
    use[key] = (seconds, octets) if before is None else (before[0] + seconds, before[1] + octets)


def _with_late_ipv6(session: Session, report: Report) -> Session:
    """IPv6 addresses of a device that had none yet: it makes its own after the Start, and some NASes tell it later."""
    told = read_framed_ipv6(report.work.packet)
    return replace(session, framed_ipv6=told) if told else session


def _with_totals(session: Session, totals: Totals) -> Session:
    """`dataclasses.replace` takes five times as long, and every record comes by here."""
    return Session(
        session.id,
        session.device_id,
        session.grant_id,
        session.nas_id,
        session.acct_session_id,
        session.user_name,
        session.ssid,
        session.bssid,
        session.framed_ip,
        session.local_day,
        totals,
        session.framed_ipv6,
        session.nas_address,
        session.voucher_id,
        session.planned_end_at,
    )
