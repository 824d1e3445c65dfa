"""The senders of a city's messages: a thread a kind, so that a dead mail server holds up no text message.

Each second a sender asks its outbox, sends what is due, and notes what became of it. It is the only one that talks to
gateways; pages only write rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from hotspot.retries import again_at
from monitor.instruments import Instruments
from monitor.rounds import Rounds
from service.cities import City
from service.mail import Postman
from service.sending import Failure, Gateway, Letter, Sending
from service.sms import Texter
from store import messages
from store.messages import Kind, Message

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
ROUND_MAX = 20
"""Messages of one round: one connection to a mail server."""


def gateways(city: City) -> dict[Kind, Gateway]:
    """What this city sends with, by kind; a kind without a gateway is absent."""
    config = city.config
    found: dict[Kind, Gateway] = {}
    if config.mail.host:
        found[Kind.EMAIL] = Postman(config.mail, config.name, config.contact.email)
    if config.sms.enabled:
        found[Kind.SMS] = Texter(config.sms)
    return found


class Sender(Rounds):
    """Sends one kind of a city's messages from `start` to `stop`."""

    def __init__(
        self, city: City, kind: Kind, gateway: Gateway, instruments: Instruments, clock: Callable[[], datetime]
    ) -> None:
        self._city, self._kind, self._gateway = city, kind, gateway
        self._instruments, self._clock = instruments, clock
        super().__init__(f"{kind.value}-{city.key}", f"{city.key}: {kind.value}", pause_s=LOOK_SECONDS)

    def round(self) -> None:
        self.step(now=self._clock())

    def step(self, *, now: datetime) -> int:
        """Send what is due, give up what came too late. Returns how many were sent."""
        with self._city.store.read() as conn:
            due = messages.is_due(conn, self._kind, now=now)
            queue = messages.queue(conn, self._kind)
        self._instruments.messages_waiting.labels(self._kind.value).set(queue.waiting)
        age = 0.0 if queue.oldest_at is None else (now - queue.oldest_at).total_seconds()
        self._instruments.messages_oldest_seconds.labels(self._kind.value).set(max(0.0, age))
        return self._round(now) if due else 0

    def _round(self, now: datetime) -> int:
        store = self._city.store
        with store.write() as conn:
            late = messages.give_up_expired(conn, self._kind, now=now)
            taken = messages.claim(conn, store.keys, self._kind, limit=ROUND_MAX, now=now)
        failures = self._send(taken)
        at = self._clock()
        tries = {each.id: _again_at(each, failures[each.id], at) for each in taken if each.id in failures}
        with store.write() as conn:
            messages.note_sent(conn, [each.id for each in taken if each.id not in failures], now=at)
            for id_, again in tries.items():
                messages.note_failed(conn, id_, failure=failures[id_].word, again_at=again, now=at)
        given_up = sum(again is None for again in tries.values())
        self._count(sent=len(taken) - len(tries), failed=len(tries) - given_up, given_up=given_up + late)
        for word in sorted({failure.word for failure in failures.values()}):
            log.warning("%s: %s was not sent: %s", self._city.key, self._kind.value, word)
        return len(taken) - len(tries)

    def _send(self, taken: Sequence[Message]) -> dict[int, Failure]:
        """Those that did not go, by id. What ends the round fails the rest at once: each would wait as long again."""
        failures: dict[int, Failure] = {}
        waiting = list(taken)
        try:
            with self._gateway.open() as sending:
                while waiting:
                    failure = _try(sending, waiting[0])
                    if failure is not None:
                        failures[waiting[0].id] = failure
                        if failure.ends_round:
                            raise failure
                    del waiting[0]
        except Failure as failure:
            failures |= {each.id: failure for each in waiting}
        return failures

    def _count(self, **results: int) -> None:
        for result, number in results.items():
            self._instruments.messages.labels(self._kind.value, result).inc(number)


def _try(sending: Sending, message: Message) -> Failure | None:
    try:
        sending.send(Letter(message.recipient, message.subject, message.text, message.created_at))
    except Failure as failure:
        return failure
    return None


def _again_at(message: Message, failure: Failure, at: datetime) -> datetime | None:
    return None if failure.final else again_at(message.attempts, expires_at=message.expires_at, now=at)
