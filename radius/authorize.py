"""Access-Requests to replies, a batch at a time: read the proofs, gather once, decide (pure), log, reply.

Decisions see the earlier ones of their batch. No password hashing: a ticket's password is an HMAC, recomputed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.access import PENDING_SECONDS, Accept, DayUse, Decision, Facts, Grant, Proof, Refusal, Ticket, decide
from hotspot.credentials import chap_matches, pap_matches, ticket_name, ticket_password
from hotspot.errors import WireError
from hotspot.values import MacAddress, local_day, mac_spelling
from radius import dialect, wire
from radius.intake import Work
from radius.metrics import RadiusMetrics
from radius.record import CLASS_PREFIX, station
from radius.wire import Attr, Attribute, Code
from service.cities import City
from store import access
from store.access import Known, Noted

RandomOctets = Callable[[int], bytes]
Reply = tuple[Work, bytes]


@dataclass(frozen=True, slots=True)
class Ask:
    """What one Access-Request claims."""

    work: Work
    name: str
    mac: MacAddress | None
    by_mac: bool


class Authorizer:
    """One city's decisions."""

    def __init__(self, city: City, metrics: RadiusMetrics, *, random_octets: RandomOctets) -> None:
        self._city = city
        self._metrics = metrics
        self._random_octets = random_octets
        self._ticket_key = city.store.keys.derive("ticket")

    def answer(self, works: Sequence[Work], *, now: datetime) -> list[Reply]:
        """Replies to all that can be read; the decisions are logged and committed when this returns."""
        asks = self._asks(works)
        known = self._gather(asks, now)
        replies: list[Reply] = []
        noted: list[Noted] = []
        for ask in asks:
            facts = self._facts(ask, known)
            decision = decide(facts, now=now, zone=self._city.zone)
            if isinstance(decision, Accept) and facts.grant is not None and facts.grant.voucher_id is not None:
                known.online.setdefault(facts.grant.voucher_id, set()).add(decision.device_id)
            noted.append(_noted(ask, facts, decision))
            replies.append((ask.work, self._reply(ask, decision)))
        if noted:
            with self._city.store.write() as conn:
                access.note_decisions(conn, noted, now=now)
        for each in noted:
            self._metrics.auth.labels("reject" if each.reason else "accept", each.reason or "").inc()
        return replies

    def _asks(self, works: Sequence[Work]) -> list[Ask]:
        asks = []
        for work in works:
            try:
                asks.append(read_ask(work))
            except WireError as error:
                self._metrics.dropped.labels("auth", error.reason).inc()
        return asks

    def _gather(self, asks: Sequence[Ask], now: datetime) -> Known:
        store = self._city.store
        with store.read() as conn:
            return access.gather(
                conn,
                store.keys,
                names={ask.name for ask in asks if not ask.by_mac},
                macs={ask.mac for ask in asks if ask.mac is not None},
                today=local_day(now, self._city.zone),
                pending_since=now - timedelta(seconds=PENDING_SECONDS),
                now=now,
            )

    def _facts(self, ask: Ask, known: Known) -> Facts:
        device_id = known.devices.get(ask.mac) if ask.mac is not None else None
        ticket = None if ask.by_mac else known.tickets.get(ask.name)
        grant = _grant_of(known, ticket, device_id)
        others = known.online.get(grant.voucher_id, set()) if grant is not None and grant.voucher_id else set()
        return Facts(
            proof=self._proof(ask, ticket, device_id),
            device_id=device_id,
            ticket=ticket,
            grant=grant,
            plan=known.plans.get(grant.plan_id) if grant is not None else None,
            blocked=device_id in known.blocked,
            used_today=known.used_today.get(device_id, DayUse()) if device_id is not None else DayUse(),
            terms_version=known.terms_version,
            other_devices_online=len(others - {device_id}),
        )

    def _proof(self, ask: Ask, ticket: Ticket | None, device_id: int | None) -> Proof:
        if ask.by_mac:
            return Proof.MAC
        packet = ask.work.packet
        if packet.octets(Attr.USER_PASSWORD) is None and packet.octets(Attr.CHAP_PASSWORD) is None:
            return Proof.NOTHING
        if ticket is None or ask.mac is None or ticket.device_id != device_id:
            return Proof.TICKET  # `decide` refuses by what is missing: the ticket, or the right device
        password = ticket_password(self._ticket_key, name=ticket.name, device=ask.mac, expires_at=ticket.expires_at)
        return Proof.TICKET if _password_matches(ask.work, password) else Proof.WRONG_PASSWORD

    def _reply(self, ask: Ask, decision: Decision) -> bytes:
        packet, peer = ask.work.packet, ask.work.peer
        if isinstance(decision, Refusal):
            # The reason word, which the NAS hands to the portal: the page says it in a person's words.
            attributes: list[Attribute] = [(Attr.REPLY_MESSAGE, decision.reason.value.encode())]
            return wire.encode_reply(packet, Code.ACCESS_REJECT, attributes, peer.secret)
        attributes = dialect.say(peer.nas.product, decision)
        attributes.append(wire.integer(Attr.ACCT_INTERIM_INTERVAL, self._city.config.radius.interim_seconds))
        attributes.append((Attr.CLASS, CLASS_PREFIX + str(decision.grant_id).encode()))
        if ask.by_mac:  # an opaque name of its own for the session, so that a Disconnect hits only it
            attributes.append((Attr.USER_NAME, ticket_name(self._random_octets(12)).encode()))
        return wire.encode_reply(packet, Code.ACCESS_ACCEPT, attributes, peer.secret)


def read_ask(work: Work) -> Ask:
    """The claims of an Access-Request. WireError where an attribute is malformed.

    MAC authentication comes with Service-Type 10 (Call-Check) on many NASes and 2 (Framed) on CoovaChilli, so it is
    told by a User-Name that is the Calling-Station-Id's address in any spelling.
    """
    name = work.packet.text(Attr.USER_NAME) or ""
    mac = station(work.packet.text(Attr.CALLING_STATION_ID))
    by_mac = mac is not None and mac_spelling(name) is not None and MacAddress.parse(name) == mac
    return Ask(work, name, mac, by_mac)


def _password_matches(work: Work, password: str) -> bool:
    packet = work.packet
    chap = packet.octets(Attr.CHAP_PASSWORD)
    if chap is not None:
        challenge = packet.octets(Attr.CHAP_CHALLENGE) or packet.authenticator
        return len(chap) == 17 and chap_matches(password, chap_id=chap[0], challenge=challenge, response=chap[1:])
    hidden = packet.octets(Attr.USER_PASSWORD) or b""
    try:
        return pap_matches(password, wire.decrypt_password(hidden, work.peer.secret, packet.authenticator))
    except WireError:
        return False


def _grant_of(known: Known, ticket: Ticket | None, device_id: int | None) -> Grant | None:
    if ticket is not None:
        return known.grants.get(ticket.grant_id)
    return known.remembered.get(device_id) if device_id is not None else None


def _noted(ask: Ask, facts: Facts, decision: Decision) -> Noted:
    return Noted(
        nas_id=ask.work.peer.nas.id,
        device_id=facts.device_id,
        grant_id=facts.grant.id if facts.grant is not None else None,
        proof=facts.proof.value,
        reason=decision.reason.value if isinstance(decision, Refusal) else None,
    )
