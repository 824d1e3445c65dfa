"""One city's RADIUS without its sockets and threads: the real intake, policy, ledger and database, and a power cut.

What `radius.server.CityServer` does in a turn, with simulated time. A cut comes before a commit (the transaction is
rolled back) or between commit and reply (the replies and the duplicate caches are lost).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from radius.account import Accountant
from radius.authorize import Authorizer
from radius.intake import Drop, Intake, Port, Resend, Work
from radius.metrics import RadiusMetrics
from radius.peers import Peers
from service.cities import City
from store import nases
from store.store import Connection, Store
from tests.trials.timeline import Network, Timeline

CUT = 0.004
"""Share of the turns that end in a power cut."""

DOWN_SECONDS = (1.0, 25.0)

Source = tuple[str, int]
Committed = Callable[[Port, Sequence[tuple[Work, bytes]]], None]


class PowerCut(Exception):
    """The machine is off."""


class TrialStore(Store):
    """A real store whose next transaction may not reach its commit."""

    cut = False

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as conn:
            yield conn
            if self.cut:
                raise PowerCut


class Server:
    """Receives, answers in batches, dies now and then. `committed` is told what it has made durable, in order."""

    def __init__(
        self,
        city: City,
        timeline: Timeline,
        network: Network,
        chance: random.Random,
        *,
        turn_seconds: float,
        committed: Committed,
        back: Callable[[bytes, Source], None],
    ) -> None:
        self._city, self._timeline, self._network, self._chance = city, timeline, network, chance
        self._turn_seconds = turn_seconds
        self._committed, self._back = committed, back
        self._metrics = RadiusMetrics(city.registry)
        self.counts: Counter[str] = Counter()
        self._boot()

    def _boot(self) -> None:
        self._up = True
        with self._city.store.read() as conn:
            peers = Peers(nases.nases(conn, self._city.store.keys))
        auth = Authorizer(self._city, self._metrics, random_octets=self._chance.randbytes)
        acct = Accountant(self._city, self._metrics)
        self._intakes = {port: Intake(port, peers) for port in Port}
        self._answers = {Port.AUTH: auth.answer, Port.ACCT: acct.answer}
        self._waiting: dict[Port, list[Work]] = {port: [] for port in Port}

    def receive(self, port: Port, datagram: bytes, source: Source) -> None:
        if not self._up:
            self.counts["while down"] += 1
            return
        match self._intakes[port].admit(datagram, source, self._timeline.now):
            case Work() as work:
                if not self._waiting[port]:
                    self._timeline.after(self._chance.random() * self._turn_seconds, partial(self._turn, port))
                self._waiting[port].append(work)
            case Resend(reply):
                self.counts["resent"] += 1
                self._send(reply, source)
            case Drop(reason):
                self.counts[reason] += 1

    def _turn(self, port: Port) -> None:
        works, self._waiting[port] = self._waiting[port], []
        if not works:
            return  # a cut emptied the queue
        store, fate = self._city.store, self._chance.random() / CUT
        assert isinstance(store, TrialStore)
        store.cut = fate < 0.5
        try:
            replies = self._answers[port](works, now=self._timeline.clock)
        except PowerCut:
            self._die("cut before commit")
            return
        finally:
            store.cut = False
        self._committed(port, replies)
        if 0.5 <= fate < 1:
            self._die("cut before reply")
            return
        assert len(replies) == len(works), "a sound request got no reply"
        for work, reply in replies:
            self._intakes[port].finish(work, reply, self._timeline.now)
            self._send(reply, work.source)

    def _send(self, reply: bytes, source: Source) -> None:
        self._network.carry(partial(self._back, reply, source))

    def _die(self, when: str) -> None:
        self.counts[when] += 1
        self._up = False
        self._waiting = {port: [] for port in Port}
        self._timeline.after(self._chance.uniform(*DOWN_SECONDS), self._boot)
