"""Access-Requests to replies, a batch at a time: read the proofs, gather once, decide (pure), log, reply.

Decisions see the earlier ones of their batch. No password hashing: a ticket's password is an HMAC, recomputed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from hotspot.access import PENDING_SECONDS, Accept, Decision, Facts, Proof, Reason, Refusal, Ticket, decide
from hotspot.credentials import chap_matches, pap_matches, ticket_name, ticket_password
from hotspot.errors import WireError
from hotspot.facts import UNLOCKED, Known, Lock, facts_of
from hotspot.values import MacAddress, local_day, mac_spelling
from radius import dialect, wire
from radius.intake import Work
from radius.metrics import RadiusMetrics
from radius.record import CLASS_PREFIX, station
from radius.reply_message import ReplyMessages
from radius.wire import Attr, Attribute, Code
from service.cities import City
from store import access, guesses
from store.access import Noted, Window
from store.store import Connection

RandomOctets = Callable[[int], bytes]
Reply = tuple[Work, bytes]

REPLY_BODIES_MAX = 4_096
"""Limits of an Accept that are kept encoded: residents of one plan are told the same, but for what they used."""

CUI_OCTETS = 16


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
        self._zone = city.zone
        self._metrics = metrics
        self._random_octets = random_octets
        self._messages = ReplyMessages(city.config.languages)
        self._ticket_key = city.store.keys.derive("ticket")
        self._city_bucket = guesses.bucket(city.store.keys, guesses.BY_CITY, "")

    def answer(self, works: Sequence[Work], *, now: datetime) -> list[Reply]:
        """Replies to all that can be read; the decisions are logged and committed when this returns."""
        asks = self._asks(works)
        if not asks:
            return []
        known = self._gather(asks, now)
        judged = [(ask, *self._judge(ask, known, now)) for ask in asks]
        with self._city.store.write() as conn:
            access.note_decisions(conn, [self._noted(*each, now) for each in judged], now=now)
            self._note_guesses(conn, judged, now)
        for _, _, decision in judged:
            reason = decision.reason.value if isinstance(decision, Refusal) else ""
            self._metrics.auth.labels("reject" if reason else "accept", reason).inc()
        return [(ask.work, self._reply(ask, facts, decision, now)) for ask, facts, decision in judged]

    def _asks(self, works: Sequence[Work]) -> list[Ask]:
        asks = []
        for work in works:
            try:
                asks.append(read_ask(work))
            except WireError as error:
                self._metrics.dropped.labels("auth", error.reason).inc()
        return asks

    def _gather(self, asks: Sequence[Ask], now: datetime) -> Known:
        store, limits = self._city.store, self._city.config.limits
        with store.read() as conn:
            return access.gather(
                conn,
                store.keys,
                names={ask.name for ask in asks if not ask.by_mac},
                macs={ask.mac for ask in asks if ask.mac is not None},
                remembered={ask.mac for ask in asks if ask.by_mac and ask.mac is not None},
                today=local_day(now, self._zone),
                pending_since=now - timedelta(seconds=PENDING_SECONDS),
                guesses=Window(
                    now - timedelta(minutes=limits.voucher_window_minutes),
                    min(limits.voucher_guesses, limits.nas_guesses),
                ),
                now=now,
            )

    def _judge(self, ask: Ask, known: Known, now: datetime) -> tuple[Facts, Decision]:
        """The decision about one request; the next ones of its batch see that its device is online."""
        device_id = known.devices.get(ask.mac) if ask.mac is not None else None
        ticket = None if ask.by_mac else known.tickets.get(ask.name)
        facts = facts_of(
            known,
            proof=self._proof(ask, ticket, device_id),
            device_id=device_id,
            ticket=ticket,
            opening_hours=ask.work.peer.nas.opening_hours,
            lock=self._lock(ask, known) if known.guesses else UNLOCKED,
            now=now,
            zone=self._zone,
        )
        decision = decide(facts, now=now, zone=self._zone)
        holder = facts.grant.holder if facts.grant is not None else None
        if holder is not None and isinstance(decision, Accept):
            known.online.setdefault(holder, set()).add(decision.device_id)
        return facts, decision

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

    # Guessing ---------------------------------------------------------------------------------------

    def _lock(self, ask: Ask, known: Known) -> Lock:
        limits, found = self._city.config.limits, known.guesses
        by_device, by_user, by_nas = (found.get(bucket, 0) for bucket in self._buckets(ask))
        return Lock(max(by_device, by_user) >= limits.voucher_guesses, by_nas >= limits.nas_guesses)

    def _buckets(self, ask: Ask) -> tuple[bytes, bytes, bytes]:
        keys, nas = self._city.store.keys, ask.work.peer.nas
        return (
            guesses.bucket(keys, guesses.BY_DEVICE, str(ask.mac)),
            guesses.bucket(keys, guesses.BY_USER, ask.name),
            guesses.bucket(keys, guesses.BY_NAS, nas.nas_identifier),
        )

    def _note_guesses(self, conn: Connection, judged: Sequence[tuple[Ask, Facts, Decision]], now: datetime) -> None:
        """A wrong password counts against device, user name, NAS and city; an unknown name against the NAS alone.

        A NAS that repeats a log-in whose ticket is long gone must not lock its resident out of the portal.
        """
        for ask, _, decision in judged:
            reason = decision.reason if isinstance(decision, Refusal) else None
            if reason is Reason.WRONG_PASSWORD:
                for bucket in (*self._buckets(ask), self._city_bucket):
                    guesses.note(conn, bucket, now=now)
            elif reason is Reason.UNKNOWN_USER:
                guesses.note(conn, self._buckets(ask)[2], now=now)

    # Log and reply ------------------------------------------------------------------------------------

    def _noted(self, ask: Ask, facts: Facts, decision: Decision, now: datetime) -> Noted:
        stranger = facts.device_id is None and ask.mac is not None
        return Noted(
            ask.work.peer.nas.id,
            facts.device_id,
            facts.grant.id if facts.grant is not None else None,
            facts.proof.value,
            decision.reason.value if isinstance(decision, Refusal) else None,
            self._city.store.keys.current_period(now).hash(ask.mac) if stranger and ask.mac is not None else None,
        )

    def _reply(self, ask: Ask, facts: Facts, decision: Decision, now: datetime) -> bytes:
        packet, peer = ask.work.packet, ask.work.peer
        if isinstance(decision, Refusal):
            language = facts.grant.language if facts.grant is not None else ""
            said: list[Attribute] = [(Attr.REPLY_MESSAGE, self._messages.of(decision.reason, language))]
            return wire.encode_reply(packet, Code.ACCESS_REJECT, said, peer.secret)
        said = [(Attr.CLASS, CLASS_PREFIX + str(decision.grant_id).encode())]
        if ask.by_mac:  # an opaque name of its own for the session, so that a Disconnect hits only it
            said.append((Attr.USER_NAME, ticket_name(self._random_octets(12)).encode()))
        if wire.asks_identity(packet):
            said.append((Attr.CHARGEABLE_USER_IDENTITY, self._chargeable_identity(decision.device_id, now)))
        body = _limits(peer.nas.product, self._city.config.radius.interim_seconds, *_said_limits(decision))
        return wire.seal(packet, Code.ACCESS_ACCEPT, body + wire.encode_attributes(said), peer.secret)

    def _chargeable_identity(self, device_id: int, now: datetime) -> bytes:
        """Who is charged, to whom may ask: the same for a device during a month, and nobody's name (RFC 4372)."""
        month = f"{now.astimezone(self._zone):%Y-%m}"
        return self._city.store.keys.keyed_hash("cui", f"{device_id}/{month}".encode())[:CUI_OCTETS].hex().encode()


def _said_limits(accept: Accept) -> tuple[int, int, int, int, int | None, int]:
    return (
        accept.session_seconds,
        accept.idle_seconds,
        accept.rate_down_bps,
        accept.rate_up_bps,
        accept.octets_left,
        accept.vlan_id,
    )


@lru_cache(maxsize=REPLY_BODIES_MAX)
def _limits(product: str, interim_seconds: int, *limits: int | None) -> bytes:
    """What an Accept of these limits says in the product's words, encoded: the same bytes for many residents."""
    accept = Accept(0, 0, *limits)  # type: ignore[arg-type]  # as `_said_limits` took them apart
    return wire.encode_attributes(
        [*dialect.say(product, accept), wire.integer(Attr.ACCT_INTERIM_INTERVAL, interim_seconds)]
    )


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
