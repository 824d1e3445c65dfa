"""Accounting-Requests to sessions, a batch in one transaction: read, apply each (`radius.ledger`), commit; then reply.

A reply acknowledges what is durable, never less. Replay is harmless (`hotspot.session`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from hotspot.errors import WireError
from hotspot.session import Contact, extend
from radius import wire
from radius.authorize import Reply
from radius.intake import Work
from radius.ledger import Ledger
from radius.metrics import RadiusMetrics
from radius.record import Report, read_report
from radius.wire import Code
from service.cities import City
from store import accounting
from store.store import Connection

CONTACT_SAVED_EVERY = timedelta(seconds=5)
"""How stale the stored contact with a NAS may be."""


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
            ledger.enter_all()
            ledger.save()
            self._keep_contacts(conn, reports, now)
        self._count(ledger, reports)
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
        for nas_id in {report.nas_id for report in reports}:
            saved = self._saved_contacts.get(nas_id) or accounting.contacts(conn).get(nas_id)
            contact = extend(saved, interim_seconds=interim, now=now)
            if saved is None or contact.since != saved.since or contact.last - saved.last >= CONTACT_SAVED_EVERY:
                accounting.save_contact(conn, nas_id, contact)
                self._saved_contacts[nas_id] = contact

    def _count(self, ledger: Ledger, reports: Sequence[Report]) -> None:
        """After the commit: what is counted is stored."""
        kinds = Counter(report.kind.name.lower() for report in reports)
        ignored = Counter(report.kind.name.lower() for report in ledger.ignored)
        for kind, count in (kinds - ignored).items():
            self._metrics.acct.labels(kind).inc(count)
        if ledger.ignored:
            self._metrics.acct.labels("ignored").inc(len(ledger.ignored))


def _response(work: Work) -> bytes:
    return wire.seal(work.packet, Code.ACCOUNTING_RESPONSE, b"", work.peer.secret)
