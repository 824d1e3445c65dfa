"""A closed loop of RADIUS requests: each in flight has a source port of its own, so identifiers never collide.

Nothing is computed while the clock runs but a recv, a look at code and identifier, and the next send; every
`PROVE_EVERY`th reply is proved by its Response Authenticator. Lost requests are sent again, as a NAS does.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.packets import is_genuine

IN_FLIGHT = 64
IDENTIFIERS = 256
PROVE_EVERY = 50
RETRY_SECONDS = 1.0
RETRIES_MAX = 10
POLL_SECONDS = 0.05
RECEIVE_BUFFER_BYTES = 1 << 20

Build = Callable[[int, int], bytes]
"""The n-th request with the identifier it must carry."""

Meter = Callable[[], float]
"""CPU seconds that what is measured has used so far."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Requests made before the clock runs. Request n goes out through slot n % IN_FLIGHT, in its turn."""

    requests: tuple[bytes, ...]
    secret: bytes | None  # None: nothing to prove, for the echo
    wanted_code: int

    @classmethod
    def make(cls, count: int, build: Build, *, secret: bytes, wanted_code: int) -> Supply:
        requests = tuple(build(n, n // IN_FLIGHT % IDENTIFIERS) for n in range(count))
        return cls(requests, secret, wanted_code)


class Untrustworthy(Exception):
    """A reply that is not what the measured server owes: then no figure is worth printing."""


@dataclass
class Tally:
    """What came of a run. `answered` are numbers of requests in the order of their replies; times in seconds."""

    answered: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    retransmitted: int = 0
    proved: int = 0

    @property
    def per_second(self) -> float:
        return len(self.answered) / self.seconds if self.seconds else 0.0

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a request."""
        return self.cpu_seconds / len(self.answered) * 1e6 if self.answered else 0.0

    def wait(self, share: float) -> float:
        """The wait that this share of the requests stayed within, seconds."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass
class _Slot:
    """One source port with at most one request under way."""

    socket: socket.socket
    turn: int
    sent_at: float = 0.0
    retries: int = 0


class Loop:
    """One run against one port. `stop` may be set from another thread; the run ends within `POLL_SECONDS`."""

    def __init__(self, supply: Supply, port: int, *, retry_seconds: float = RETRY_SECONDS) -> None:
        self._supply = supply
        self._to = ("127.0.0.1", port)
        self._retry_seconds = retry_seconds
        self.stop = threading.Event()

    def run(self, seconds: float, *, warm_seconds: float = 0.0, meter: Meter = lambda: 0.0) -> Tally:
        """Send for `warm_seconds` uncounted and then for `seconds`, or until the supply is used up.

        `meter` is read when counting begins and when it ends. Raises Untrustworthy for a reply of another code, or
        one that does not prove the secret.
        """
        with contextlib.ExitStack() as stack:
            poll = stack.enter_context(contextlib.closing(select.epoll()))
            slots: dict[int, _Slot] = {}
            for turn in range(min(IN_FLIGHT, len(self._supply.requests))):
                opened = stack.enter_context(contextlib.closing(self._open()))
                slots[opened.fileno()] = _Slot(opened, turn)
                poll.register(opened, select.EPOLLIN)
            return self._drive(poll, slots, seconds, warm_seconds, meter)

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        opened.connect(self._to)
        return opened

    def _drive(
        self, poll: select.epoll, slots: dict[int, _Slot], seconds: float, warm_seconds: float, meter: Meter
    ) -> Tally:
        used = meter()
        begun = looked = time.monotonic()
        counted_from, end = begun + warm_seconds, begun + warm_seconds + seconds
        tally = Tally()
        for slot in slots.values():
            self._send(slot, begun)
        while slots and (now := time.monotonic()) < end and not self.stop.is_set():
            if now >= counted_from and begun < counted_from:
                used, tally, begun = meter(), Tally(), time.monotonic()
            for descriptor, _ in poll.poll(POLL_SECONDS):
                if not self._take(slots[descriptor], tally):
                    del slots[descriptor]
                    poll.unregister(descriptor)
            if now - looked > POLL_SECONDS:
                looked = now
                self._send_again(slots, tally, now)
        tally.seconds = time.monotonic() - begun
        tally.cpu_seconds = meter() - used
        return tally

    def _take(self, slot: _Slot, tally: Tally) -> bool:
        """Read one reply and send the slot's next request; False when it has none."""
        try:
            reply = slot.socket.recv(4096)
        except OSError:  # the server is away (ICMP), or the retransmission's twin was read already
            return True
        request = self._supply.requests[slot.turn]
        if len(reply) < 20 or reply[1] != request[1]:
            return True  # the answer to a retransmission, late
        if reply[0] != self._supply.wanted_code:
            raise Untrustworthy(f"request {slot.turn} was answered with code {reply[0]}")
        now = time.monotonic()
        tally.answered.append(slot.turn)
        tally.waits.append(now - slot.sent_at)
        if slot.turn % PROVE_EVERY == 0:
            self._prove(reply, request, tally)
        slot.turn += IN_FLIGHT
        if slot.turn >= len(self._supply.requests):
            return False
        self._send(slot, now)
        return True

    def _prove(self, reply: bytes, request: bytes, tally: Tally) -> None:
        if self._supply.secret is None:
            return
        if not is_genuine(reply, request, self._supply.secret):
            raise Untrustworthy("a reply does not prove that the server knows the secret")
        tally.proved += 1

    def _send(self, slot: _Slot, now: float) -> None:
        slot.sent_at, slot.retries = now, 0
        with contextlib.suppress(OSError):  # refused or full: `_send_again` comes round
            slot.socket.send(self._supply.requests[slot.turn])

    def _send_again(self, slots: dict[int, _Slot], tally: Tally, now: float) -> None:
        for slot in slots.values():
            if now - slot.sent_at > self._retry_seconds * (slot.retries + 1) and slot.retries < RETRIES_MAX:
                slot.retries += 1
                tally.retransmitted += 1
                with contextlib.suppress(OSError):
                    slot.socket.send(self._supply.requests[slot.turn])
