"""The senders: what is due goes out within a second, what fails is tried again, what is over is forgotten."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hotspot.retries import PAUSES
from monitor.housekeeping import JOBS, run
from monitor.instruments import Instruments
from monitor.messages import ROUND_MAX, Sender, gateways
from service.cities import City
from service.mail import Postman
from service.sending import Failure, Letter
from service.sms import Texter
from store import messages, schema
from store.messages import CLAIM, Kind, State
from tests.conftest import NOW

SOON = NOW + timedelta(minutes=15)


@dataclass
class Gateway:
    """Takes letters, unless told to fail: `failures` by recipient; `closed` where it does not open at all."""

    taken: list[Letter] = field(default_factory=list)
    failures: dict[str, Failure] = field(default_factory=dict)
    closed: Failure | None = None
    opened: int = 0
    tried: int = 0

    @contextmanager
    def open(self) -> Iterator[Gateway]:
        self.opened += 1
        if self.closed is not None:
            raise self.closed
        yield self

    def send(self, letter: Letter) -> None:
        self.tried += 1
        if letter.recipient in self.failures:
            raise self.failures[letter.recipient]
        self.taken.append(letter)


@dataclass
class Desk:
    """One sender with a gateway and a clock that the test moves."""

    city: City
    gateway: Gateway = field(default_factory=Gateway)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.sender = Sender(self.city, Kind.EMAIL, self.gateway, Instruments(self.city.registry), lambda: self.now)

    def want(self, recipient: str = "a@example.org", *, kind: Kind = Kind.EMAIL, until: datetime = SOON) -> int:
        store = self.city.store
        with store.write() as conn:
            told: dict[str, Any] = {"recipient": recipient, "subject": "S", "text": "T"}
            return messages.add(conn, store.keys, kind, **told, expires_at=until, now=self.now)

    def step(self, after: timedelta = timedelta(0)) -> int:
        self.now += after
        return self.sender.step(now=self.now)

    def row(self, id_: int) -> dict[str, Any]:
        with self.city.store.read() as conn:
            return dict(conn.execute(select(schema.message).where(schema.message.c.id == id_)).mappings().one())

    def counted(self, result: str) -> float:
        labels = {"kind": "email", "result": result}
        return self.city.registry.get_sample_value("kogge_messages_total", labels) or 0.0


@pytest.fixture
def desk(city: City) -> Desk:
    return Desk(city)


def test_what_is_due_is_sent_once_and_forgotten(desk: Desk) -> None:
    id_ = desk.want()
    assert (desk.step(), desk.step()) == (1, 0)
    assert desk.gateway.taken == [Letter("a@example.org", "S", "T", NOW)]
    row = desk.row(id_)
    assert (row["state"], row["attempts"], row["recipient_sealed"], row["content_sealed"]) == ("sent", 1, None, None)
    assert desk.counted("sent") == 1
    assert desk.gateway.opened == 1, "nothing due, no connection"


def test_what_waits_is_unreadable_without_the_city_s_key(desk: Desk) -> None:
    row = desk.row(desk.want("secret-address@example.org"))
    assert b"secret-address" not in row["recipient_sealed"] and b"T" not in row["content_sealed"][20:-16].strip(b"T")
    assert "secret" not in repr(row)


def test_a_failure_is_tried_again_after_growing_pauses(desk: Desk) -> None:
    id_ = desk.want()
    desk.gateway.closed = Failure("no_connection")
    for attempt, pause in enumerate(PAUSES[:3], start=1):
        assert desk.step() == 0
        row = desk.row(id_)
        assert (row["attempts"], row["next_at"], row["failure"]) == (attempt, desk.now + pause, "no_connection")
        desk.step(pause - timedelta(seconds=1))
        assert desk.row(id_)["attempts"] == attempt, "not before its time"
        desk.now += timedelta(seconds=1)
    desk.gateway.closed = None
    assert desk.step() == 1
    assert (desk.counted("failed"), desk.counted("sent"), desk.counted("given_up")) == (3, 1, 0)


def test_a_refusal_for_good_ends_it_and_wipes_it(desk: Desk) -> None:
    id_ = desk.want()
    desk.gateway.failures["a@example.org"] = Failure("recipient_550", final=True)
    desk.step()
    row = desk.row(id_)
    assert (row["state"], row["failure"], row["recipient_sealed"]) == ("failed", "recipient_550", None)
    assert desk.counted("given_up") == 1


def test_one_bad_letter_holds_up_no_other(desk: Desk) -> None:
    desk.want("bad@example.org")
    desk.want("good@example.org")
    desk.gateway.failures["bad@example.org"] = Failure("smtp_451")
    assert desk.step() == 1
    assert [letter.recipient for letter in desk.gateway.taken] == ["good@example.org"]


def test_a_lost_connection_ends_the_round(desk: Desk) -> None:
    ids = [desk.want(f"{number}@example.org") for number in range(4)]
    desk.gateway.failures["1@example.org"] = Failure("connection_lost", ends_round=True)
    assert desk.step() == 1
    assert desk.gateway.tried == 2
    assert [desk.row(id_)["state"] for id_ in ids] == ["sent", "wanted", "wanted", "wanted"]


def test_what_comes_too_late_is_given_up_unsent(desk: Desk) -> None:
    id_ = desk.want(until=NOW + timedelta(seconds=5))
    desk.gateway.closed = Failure("no_connection")
    desk.step()
    desk.gateway.closed = None
    assert desk.step(timedelta(seconds=5)) == 0
    row = desk.row(id_)
    why = "no_connection"  # what the gateway did is more than that its time was over
    assert (row["state"], row["failure"], row["content_sealed"]) == ("failed", why, None)
    assert not desk.gateway.taken


def test_what_nobody_tried_in_time_says_so(desk: Desk) -> None:
    id_ = desk.want(until=NOW + timedelta(seconds=5))
    assert desk.step(timedelta(seconds=5)) == 0
    row = desk.row(id_)
    assert (row["state"], row["failure"], row["content_sealed"]) == ("failed", messages.EXPIRED, None)
    assert not desk.gateway.taken


def test_two_senders_send_a_letter_once(desk: Desk, city: City) -> None:
    desk.want()
    store = city.store
    with store.write() as conn:
        assert len(messages.claim(conn, store.keys, Kind.EMAIL, limit=5, now=desk.now)) == 1
    assert desk.step() == 0, "it is another's"
    assert desk.step(CLAIM) == 1, "who died with it in hand is not waited for longer"


def test_a_round_has_a_bound_and_the_oldest_come_first(desk: Desk) -> None:
    for number in range(ROUND_MAX + 1):
        desk.want(f"{number}@example.org")
    assert (desk.step(), desk.step()) == (ROUND_MAX, 1)
    assert desk.gateway.taken[0].recipient == "0@example.org"


def test_the_queue_s_length_and_age_are_shown(desk: Desk) -> None:
    desk.want()
    desk.want(kind=Kind.SMS)
    desk.gateway.closed = Failure("no_connection")
    desk.step()
    desk.step(timedelta(seconds=1))
    registry, labels = desk.city.registry, {"kind": "email"}
    assert registry.get_sample_value("kogge_messages_waiting", labels) == 1
    assert registry.get_sample_value("kogge_messages_oldest_seconds", labels) == 1


def test_housekeeping_forgets_what_nobody_sends_and_deletes_what_is_old(desk: Desk, city: City) -> None:
    kept, orphan = desk.want(), desk.want("+4915123456789", kind=Kind.SMS)
    assert desk.step() == 1
    job = next(job for job in JOBS if job.name == "purge-messages")
    assert run(job, city, Instruments(city.registry.__class__()), holder="a", now=SOON) == 1
    with city.store.read() as conn:
        assert messages.fate(conn, orphan) == messages.Fate(State.FAILED, 0, messages.EXPIRED)
    later = SOON + timedelta(days=1, seconds=1)
    assert run(job, city, Instruments(city.registry.__class__()), holder="a", now=later) == 2
    with city.store.read() as conn:
        assert messages.fate(conn, kept) is None


def test_a_city_s_file_decides_what_it_sends_with(city: City) -> None:
    assert gateways(city) == {}
    mail = city.config.mail.model_copy(update={"host": "127.0.0.1", "sender": "a@example.org"})
    sms = city.config.sms.model_copy(update={"enabled": True})
    both = replace(city, config=city.config.model_copy(update={"mail": mail, "sms": sms}))
    assert {kind: type(each) for kind, each in gateways(both).items()} == {Kind.EMAIL: Postman, Kind.SMS: Texter}


def test_a_running_sender_needs_about_a_second(city: City) -> None:
    gateway = Gateway()
    sender = Sender(city, Kind.EMAIL, gateway, Instruments(city.registry), lambda: datetime.now(UTC))
    sender.start()
    store, now = city.store, datetime.now(UTC)
    with store.write() as conn:
        until = now + timedelta(minutes=1)
        messages.add(conn, store.keys, Kind.EMAIL, recipient="a@example.org", text="T", expires_at=until, now=now)
    end = time.monotonic() + 10
    while not gateway.taken and time.monotonic() < end:
        time.sleep(0.02)
    sender.stop()
    sender.join(10)
    assert len(gateway.taken) == 1
