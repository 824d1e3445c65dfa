"""Accounting-Requests to sessions, a batch in one transaction: load, apply each (pure), save, commit; then reply.

Replay is harmless: counters merge by maximum, a closed session is never reopened (`hotspot.session`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hotspot.errors import WireError
from hotspot.session import (
    Accounting,
    Contact,
    Record,
    apply,
    begin,
    close_estimated,
    continues,
    extend,
    join_gigawords,
)
from hotspot.values import NO_OCTETS, MacAddress, Octets, local_day, mac_spelling
from radius import wire
from radius.authorize import CLASS_PREFIX, Reply, station
from radius.intake import Work
from radius.metrics import RadiusMetrics
from radius.wire import TERMINATE_CAUSES, Attr, Code, Packet, StatusType
from service.cities import City
from store import access, accounting, outbox, residents
from store.accounting import LOST_CARRIER, Session, SessionKey
from store.store import Connection

NAS_REBOOT = "NAS-Reboot"
"""Terminate cause of sessions that an Accounting-On or -Off ends."""

MAC_USER_NAME = "mac:"
"""In `session.user_name`: the NAS used the device's MAC address, in the spelling that follows."""

CONTACT_SAVED_EVERY = timedelta(seconds=5)
"""How stale the stored contact with a NAS may be."""

TEXT_MAX = 128

_RECORDS = {StatusType.START: Record.START, StatusType.INTERIM: Record.INTERIM, StatusType.STOP: Record.STOP}


@dataclass(frozen=True, slots=True)
class Report:
    """One accounting record as read from the wire. `event` is None for an Accounting-On or -Off."""

    work: Work
    kind: StatusType
    at: datetime
    event: Accounting | None
    acct_session_id: str
    mac: MacAddress | None
    user_name: str
    grant_id: int | None
    ssid: str
    bssid: str
    framed_ip: str

    @property
    def key(self) -> SessionKey:
        return self.work.peer.nas.id, self.acct_session_id


class Accountant:
    """One city's accounting."""

    def __init__(self, city: City, metrics: RadiusMetrics) -> None:
        self._city = city
        self._metrics = metrics
        self._saved_contacts: dict[int, Contact] = {}

    def answer(self, works: Sequence[Work], *, now: datetime) -> list[Reply]:
        """Responses to all that can be read. What they acknowledge is durable when this returns."""
        reports = self._reports(works, now)
        if not reports:
            return []
        with self._city.store.write() as conn:
            ledger = Ledger(conn, self._city, reports, now=now)
            for report in reports:
                ledger.enter(report)
            ledger.save()
            self._keep_contacts(conn, reports, now)
        for report in reports:
            self._metrics.acct.labels("ignored" if report in ledger.ignored else report.kind.name.lower()).inc()
        return [(each.work, _response(each.work)) for each in reports]

    def _reports(self, works: Sequence[Work], now: datetime) -> list[Report]:
        reports = []
        for work in works:
            try:
                reports.append(read_report(work, now))
            except WireError as error:
                self._metrics.dropped.labels("acct", error.reason).inc()
        return reports

    def _keep_contacts(self, conn: Connection, reports: Iterable[Report], now: datetime) -> None:
        interim = self._city.config.radius.interim_seconds
        for nas_id in {report.work.peer.nas.id for report in reports}:
            saved = self._saved_contacts.get(nas_id) or accounting.contacts(conn).get(nas_id)
            contact = extend(saved, interim_seconds=interim, now=now)
            if saved is None or contact.since != saved.since or contact.last - saved.last >= CONTACT_SAVED_EVERY:
                accounting.save_contact(conn, nas_id, contact)
                self._saved_contacts[nas_id] = contact


class Ledger:
    """The sessions that one batch touches. It lives as long as the transaction."""

    def __init__(self, conn: Connection, city: City, reports: Sequence[Report], *, now: datetime) -> None:
        self._conn = conn
        self._keys = city.store.keys
        self._zone: ZoneInfo = city.zone
        self._now = now
        self.ignored: list[Report] = []
        sessions = [each for each in reports if each.event is not None]
        macs = {each.mac for each in sessions if each.mac is not None}
        self._devices = residents.find_devices(conn, self._keys, macs, now=now)
        self._grants = accounting.grant_devices(conn, {each.grant_id for each in sessions if each.grant_id})
        self._tickets = accounting.grants_of_tickets(conn, {e.user_name for e in sessions if not e.grant_id})
        self._before = accounting.load_many(conn, {each.key for each in sessions})
        starting = {each.mac for each in sessions if each.kind is StatusType.START}
        for each in accounting.open_of_devices(conn, {id_ for mac, id_ in self._devices.items() if mac in starting}):
            self._before.setdefault((each.nas_id, each.acct_session_id), each)
        self._sessions: dict[SessionKey, Session] = {}
        self._of_device: dict[int, set[SessionKey]] = {}
        for key, each in self._before.items():
            self._put(key, each)
        self._displaced: list[Session] = []
        self._started: set[int] = set()
        self._usage: dict[tuple[int, date], tuple[int, Octets]] = {}

    def enter(self, report: Report) -> None:
        """Apply one record, in the order of arrival."""
        if report.event is None:
            self._end_all_of(report.work.peer.nas.id)
            return
        session = self._session_for(report, report.event)
        if session is None:
            self.ignored.append(report)
            return
        if report.kind is StatusType.START:
            self._end_others(session)
        changed = replace(session, totals=apply(session.totals, report.event))
        self._count_usage(session, changed)
        self._put(report.key, changed)
        if report.kind is StatusType.START and changed.grant_id is not None:
            self._started.add(changed.grant_id)

    def _session_for(self, report: Report, event: Accounting) -> Session | None:
        known = self._sessions.get(report.key)
        if known is not None and continues(known.totals, event):
            return known
        device_id = self._device_id(report)
        if device_id is None:
            return None
        if known is not None:  # the NAS began to count its Acct-Session-Ids anew
            self._displaced.append(replace(known, totals=close_estimated(known.totals, cause=NAS_REBOOT)))
        totals = begin(event)
        return Session(
            id=None,
            device_id=device_id,
            grant_id=self._grant_id(report, device_id),
            nas_id=report.work.peer.nas.id,
            acct_session_id=report.acct_session_id,
            user_name=report.user_name,
            ssid=report.ssid,
            bssid=report.bssid,
            framed_ip=report.framed_ip,
            local_day=local_day(totals.started_at, self._zone),
            totals=totals,
        )

    def _device_id(self, report: Report) -> int | None:
        if report.mac is None:
            return None
        if report.mac not in self._devices:  # a NAS admitted it without us: its session counts all the same
            self._devices[report.mac] = residents.note_device(self._conn, self._keys, report.mac, now=self._now)
        return self._devices[report.mac]

    def _grant_id(self, report: Report, device_id: int) -> int | None:
        if report.grant_id is None:
            return self._tickets.get(report.user_name)
        return report.grant_id if self._grants.get(report.grant_id) == device_id else None

    def _put(self, key: SessionKey, session: Session) -> None:
        self._sessions[key] = session
        self._of_device.setdefault(session.device_id, set()).add(key)

    def _end(self, key: SessionKey, cause: str) -> None:
        session = self._sessions[key]
        if session.totals.ended_at is None:
            self._sessions[key] = replace(session, totals=close_estimated(session.totals, cause=cause))

    def _end_others(self, session: Session) -> None:
        """A new Start ends the device's older sessions in this city: their Stops got lost."""
        own = (session.nas_id, session.acct_session_id)
        for key in self._of_device.get(session.device_id, set()) - {own}:
            if self._sessions[key].totals.started_at <= session.totals.started_at:
                self._end(key, LOST_CARRIER)

    def _end_all_of(self, nas_id: int) -> None:
        """Accounting-On/Off: all sessions of that NAS, and only of that NAS, are over."""
        for each in accounting.open_of_nas(self._conn, nas_id):
            key = (nas_id, each.acct_session_id)
            if key not in self._sessions:
                self._before[key] = each
                self._put(key, each)
        for key in [key for key in self._sessions if key[0] == nas_id]:
            self._end(key, NAS_REBOOT)

    def _count_usage(self, before: Session, after: Session) -> None:
        key = after.device_id, local_day(self._now, self._zone)
        seconds, octets = self._usage.get(key, (0, NO_OCTETS))
        self._usage[key] = (
            seconds + after.totals.seconds - before.totals.seconds,
            octets + (after.totals.octets - before.totals.octets),
        )

    def save(self) -> None:
        """Write what changed."""
        changed = [each for key, each in self._sessions.items() if self._before.get(key) is not each]
        accounting.save_many(self._conn, [*self._displaced, *changed])
        accounting.add_usage(self._conn, self._usage)
        if self._started:
            access.remember(self._conn, self._started)
        ended = [each.id for each in changed if each.id is not None and each.totals.ended_at is not None]
        if ended:
            outbox.confirm(self._conn, ended, now=self._now)


# Reading a record ------------------------------------------------------------------------------------


def read_report(work: Work, now: datetime) -> Report:
    """One Accounting-Request. WireError where it is malformed or of a type that nobody defined."""
    packet = work.packet
    kind = _status_type(packet)
    acct_session_id = _text(packet, Attr.ACCT_SESSION_ID)
    if kind in _RECORDS and not acct_session_id:
        raise WireError("no_acct_session_id")
    mac = station(packet.text(Attr.CALLING_STATION_ID))
    bssid, _, ssid = _text(packet, Attr.CALLED_STATION_ID).partition(":")
    return Report(
        work=work,
        kind=kind,
        at=now,
        event=_event(packet, kind, now, swapped=work.peer.nas.octets_swapped) if kind in _RECORDS else None,
        acct_session_id=acct_session_id,
        mac=mac,
        user_name=_opaque(_text(packet, Attr.USER_NAME), mac),
        grant_id=_grant_of_class(packet.octets(Attr.CLASS)),
        ssid=ssid,
        bssid=bssid,
        framed_ip=packet.address(Attr.FRAMED_IP_ADDRESS) or "",
    )


def _status_type(packet: Packet) -> StatusType:
    try:
        return StatusType(packet.integer(Attr.ACCT_STATUS_TYPE) or 0)
    except ValueError:
        raise WireError("bad_status_type") from None


def _event(packet: Packet, kind: StatusType, now: datetime, *, swapped: bool) -> Accounting:
    """RFC 2866 counts from the NAS's view: input is what the device sent. CoovaChilli counts the other way round."""
    received = _count(packet, Attr.ACCT_INPUT_OCTETS, Attr.ACCT_INPUT_GIGAWORDS)
    sent = _count(packet, Attr.ACCT_OUTPUT_OCTETS, Attr.ACCT_OUTPUT_GIGAWORDS)
    cause = packet.integer(Attr.ACCT_TERMINATE_CAUSE)
    return Accounting(
        record=_RECORDS[kind],
        at=now,
        delay_seconds=packet.integer(Attr.ACCT_DELAY_TIME) or 0,
        session_seconds=packet.integer(Attr.ACCT_SESSION_TIME) or 0,
        counters=Octets(down=received, up=sent) if swapped else Octets(down=sent, up=received),
        terminate_cause=TERMINATE_CAUSES.get(cause, f"Unknown-{cause}") if cause is not None else None,
    )


def _count(packet: Packet, octets: Attr, gigawords: Attr) -> int:
    return join_gigawords(packet.integer(octets) or 0, packet.integer(gigawords) or 0)


def _text(packet: Packet, kind: Attr) -> str:
    return (packet.text(kind) or "")[:TEXT_MAX].replace("\0", "")


def _opaque(user_name: str, mac: MacAddress | None) -> str:
    """The User-Name as stored: a MAC address gives way to a marker of how the NAS spells it."""
    spelling = mac_spelling(user_name)
    if spelling is not None and mac is not None and MacAddress.parse(user_name) == mac:
        return MAC_USER_NAME + spelling.value
    return "" if spelling is not None else user_name


def _grant_of_class(value: bytes | None) -> int | None:
    digits = (value or b"").removeprefix(CLASS_PREFIX)
    own = value is not None and value.startswith(CLASS_PREFIX) and digits.isdigit() and len(digits) < 19
    return int(digits) if own else None


def _response(work: Work) -> bytes:
    return wire.encode_reply(work.packet, Code.ACCOUNTING_RESPONSE, [], work.peer.secret)
