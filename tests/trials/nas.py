"""NASes as real ones behave: each retries in its own way, some lose their memory, none waits for the one before.

A request sent again is the same octets, unless Acct-Delay-Time changed: then it is a new packet with an identifier of
its own (RFC 2866 section 5.2, RFC 5080 section 2.2.1).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from tests.trials import packets
from tests.trials.packets import Attribute, number
from tests.trials.stay import Record, Stay
from tests.trials.timeline import Network, Timeline

ACCESS_TRIES = 5
ACCOUNTING_SECONDS_MAX = 2 * 3600.0
"""A NAS goes on with a record for so long: 20 % loss and a crashed server must not outlast it."""

SAME_BYTES_TRIES = 3
BOOT_SECONDS = (65.0, 150.0)
"""Longer than anything lives in the network, and than `hotspot.session.SAME_START_SECONDS`."""

SETTLE_SECONDS = 45.0
"""From the Accounting-On's acknowledgement to the first log-in at a NAS without Event-Timestamp: a copy of its
Accounting-On that the network kept would end the new sessions."""


class Retry(Enum):
    """What a record looks like when it is sent again."""

    SAME_BYTES = "same octets, always"
    DELAY_TIME = "a new packet with its Acct-Delay-Time, each time"
    BOTH = "the same octets some times, then a new packet with its Acct-Delay-Time"


@dataclass(frozen=True)
class Model:
    """What kind of NAS it is."""

    product: str
    retry: Retry
    event_timestamp: bool
    returns_class: bool
    octets_swapped: bool


MODELS = (
    Model("coovachilli", Retry.BOTH, event_timestamp=False, returns_class=True, octets_swapped=True),
    Model("hostapd", Retry.DELAY_TIME, event_timestamp=True, returns_class=True, octets_swapped=False),
    Model("mikrotik", Retry.DELAY_TIME, event_timestamp=False, returns_class=False, octets_swapped=False),
    Model("unifi", Retry.SAME_BYTES, event_timestamp=True, returns_class=True, octets_swapped=False),
)


@dataclass(frozen=True, slots=True)
class On:
    """An Accounting-On: the NAS knows nothing of what was before."""

    nas: str
    at: float


Send = Callable[[bytes, tuple[str, int]], None]
Build = Callable[[int, int], bytes]
"""Octets from an identifier and the seconds since the record was made."""


@dataclass(eq=False)
class Request:
    """One question and what was sent for it; each has a source port of its own, as of a socket."""

    build: Build
    retry: Retry
    tries_max: int
    asked: float
    answered: Callable[[bytes], None]
    given_up: Callable[[], None]
    stay: Stay | None = None
    sent: dict[int, bytes] = field(default_factory=dict)
    latest: bytes = b""
    tries: int = 0


class Nas:
    """One NAS of one city."""

    def __init__(
        self, name: str, address: str, secret: bytes, model: Model, timeline: Timeline, chance: random.Random
    ) -> None:
        self.name, self.address, self.secret, self.model = name, address, secret, model
        self._timeline, self._chance = timeline, chance
        self.network: Network | None = None
        self.deliver: dict[str, Send] = {}
        self.open = True
        """Whether it takes residents; not while it boots."""
        self.records: dict[bytes, Record | On] = {}
        """Every Accounting-Request it ever sent, by its octets."""
        self._requests: dict[int, Request] = {}
        self._ports = 0
        self._identifier = chance.randrange(256)
        self._sessions = 0
        self.reboots = 0

    def next_session_id(self) -> str:
        """Counted from 1 since the last boot, so that reboots give the same ones again."""
        self._sessions += 1
        return f"{self._sessions:08x}"

    # Asking ---------------------------------------------------------------------------------------------

    def ask_access(
        self, attributes: Sequence[Attribute], password: str | None, use: Callable[[bytes | None], None]
    ) -> None:
        """Log in; `use` gets the reply, or None where nobody answered. `password` None: by MAC address."""
        authenticator = self._chance.randbytes(16)
        proof: list[Attribute] = []
        if password is not None:
            by_chap = self._chance.random() < 0.5
            proof = (
                packets.chap(password, self._chance.randrange(256), self._chance.randbytes(16))
                if by_chap
                else packets.pap(password, self.secret, authenticator)
            )
        every = [(32, self.name.encode()), *attributes, *proof]

        def build(identifier: int, _delay: int) -> bytes:
            return packets.access_request(identifier, authenticator, every, self.secret)

        self._ask("auth", Request(build, Retry.SAME_BYTES, ACCESS_TRIES, self._timeline.now, use, lambda: use(None)))

    def report(self, status: int, attributes: Sequence[Attribute], record: Record | None) -> None:
        """Deliver a record, however long it takes. None: an Accounting-On."""
        every = [(32, self.name.encode()), number(40, status), *attributes]
        asked = self._timeline.now
        if self.model.event_timestamp:
            every.append(number(55, int(self._timeline.clock.timestamp())))

        def build(identifier: int, delay: int) -> bytes:
            delays = [] if self.model.retry is Retry.SAME_BYTES else [number(41, delay)]
            octets = packets.accounting_request(identifier, [*every, *delays], self.secret)
            self.records[octets] = record or On(self.name, asked)
            return octets

        def lost() -> None:
            raise AssertionError(f"{self.name}: a record was not acknowledged within {ACCOUNTING_SECONDS_MAX} s")

        def acknowledged(_reply: bytes) -> None:
            if record is None:
                self._booted()
            elif status == packets.STOP:
                record.stay.stopped = True

        stay = None if record is None else record.stay
        self._ask("acct", Request(build, self.model.retry, 0, asked, acknowledged, lost, stay))

    def _ask(self, port: str, request: Request) -> None:
        self._ports += 1
        number_ = 1024 + self._ports % 60_000
        self._requests[number_] = request
        self._try(port, number_, request)

    def _try(self, port: str, number_: int, request: Request) -> None:
        if self._requests.get(number_) is not request:
            return
        waited = self._timeline.now - request.asked
        if (request.tries_max and request.tries >= request.tries_max) or waited > ACCOUNTING_SECONDS_MAX:
            del self._requests[number_]
            request.given_up()
            return
        request.tries += 1
        if request.stay is not None:
            request.stay.sent_at = self._timeline.now
        if request.tries == 1 or self._is_new_packet(request):
            self._identifier = (self._identifier + 1) % 256
            request.latest = request.build(self._identifier, int(waited))
            request.sent[self._identifier] = request.latest
        assert self.network is not None
        self.network.carry(partial(self.deliver[port], request.latest, (self.address, number_)))
        self._timeline.after(3 + 5 * self._chance.random(), partial(self._try, port, number_, request))

    @staticmethod
    def _is_new_packet(request: Request) -> bool:
        if request.retry is Retry.BOTH:
            return request.tries > SAME_BYTES_TRIES
        return request.retry is Retry.DELAY_TIME

    def is_asking(self, stay: Stay) -> bool:
        """Whether a record of the stay still wants its acknowledgement."""
        return any(request.stay is stay for request in self._requests.values())

    def hear(self, reply: bytes, number_: int) -> None:
        """A datagram from the server."""
        request = self._requests.get(number_)
        if request is None or reply[1] not in request.sent:
            return  # answered before, or of before a reboot
        assert packets.is_genuine(reply, request.sent[reply[1]], self.secret), "a reply does not prove the secret"
        del self._requests[number_]
        request.answered(reply)

    # Losing its memory -----------------------------------------------------------------------------------

    def reboot(self) -> None:
        """Power off: what it knew and had not delivered is gone; some time later it says Accounting-On."""
        self.open = False
        self.reboots += 1
        self._requests.clear()
        self._sessions = 0
        self._timeline.after(self._chance.uniform(*BOOT_SECONDS), self._boot)

    def _boot(self) -> None:
        self.report(packets.ON, [], None)
        self.open = self.model.event_timestamp

    def _booted(self) -> None:
        if not self.open:
            self._timeline.after(SETTLE_SECONDS, self._settle)

    def _settle(self) -> None:
        self.open = True
