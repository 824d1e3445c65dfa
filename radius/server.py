"""The shell: one city's sockets, drained into batches on one thread. No policy and no octet is known here.

While a batch commits, packets wait in the kernel; the next turn takes them all. So a batch grows with the load, and
the commit's cost is shared by as many as came.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hotspot.errors import ConfigError
from radius import wire
from radius.account import Accountant
from radius.authorize import Authorizer, RandomOctets, Reply
from radius.dynamic import Dynamic
from radius.intake import Drop, Intake, Port, Resend, Source, Work
from radius.metrics import PortMetrics, RadiusMetrics
from radius.peers import Peers
from radius.roster import REFRESH_SECONDS, Roster
from radius.tally import Tally
from radius.wire import Code
from service import kernel
from service.cities import City
from store import arrivals, self_test, sessions
from store.arrivals import OK, Arrival
from store.store import Unavailable

log = logging.getLogger(__name__)

BATCH_MAX = 256
"""Packets that one transaction answers."""

RECEIVE_BUFFER_BYTES = 4 << 20
"""The kernel's default of 208 kB kept 166 packets of a burst of 5,000 (RADIUS.md)."""

YIELD_SECONDS = 0.002
"""Least time from a commit to the next write where a database has one writer: the portal's get their turn in it. It is
not lost: replies are sent in it, and the next batch is received, judged and gathered."""

TURN_SECONDS = 0.25
"""Longest wait for a packet; then the outbox and the list of clients are looked at."""

DRAIN_SECONDS = 5.0
"""How long a server that ends goes on with what the kernel holds for it: NASes under load keep sending."""

ARRIVALS_SECONDS = 1.0
"""How often it is written down what came in, if anything is to be told."""

GAUGE_SECONDS = 5.0

COMPLAIN_SECONDS = 10.0
"""A lasting fault is logged this often, not for each packet."""

_DOES_NOT_VERIFY = "sends packets that do not verify; give it the RADIUS secret that it has in this city's list"

ADVICE = {
    "bad_message_authenticator": _DOES_NOT_VERIFY,
    "bad_authenticator": _DOES_NOT_VERIFY,
    "no_message_authenticator": "sends no Message-Authenticator; switch it on there, "
    "or set require_message_authenticator to auto or no (not with EAP)",
    "proxy_state": "sends Proxy-State and no Message-Authenticator; switch that on there or at its proxy, "
    "or set limit_proxy_state to no",
}
"""Which silence is logged, with what to do: sentences that begin with the NAS."""

Clock = Callable[[], datetime]
Answer = Callable[[Sequence[Work], datetime], list[Reply]]


@dataclass(frozen=True)
class Door:
    """A socket with what judges and answers its packets."""

    socket: socket.socket
    intake: Intake
    answer: Answer
    metrics: PortMetrics


class CityServer(threading.Thread):
    """One city's RADIUS. `start()` it, `stop()` it, `join()` it; sockets are bound when the constructor returns."""

    def __init__(self, city: City, *, clock: Clock, random_octets: RandomOctets) -> None:
        super().__init__(name=f"radius-{city.key}", daemon=True)
        self._city = city
        self._clock = clock
        self._metrics = RadiusMetrics(city.registry)
        self._peers = Peers()
        self._roster = Roster(city, self._peers, self._metrics)
        self._tally = Tally()
        self._stopping = threading.Event()
        self._committed = 0.0
        self._yield_seconds = YIELD_SECONDS if city.store.one_writer else 0.0
        self._due = {"peers": 0.0, "gauges": 0.0, "arrivals": 0.0}
        self._quiet_until: dict[str, float] = {}
        self._kernel_drops = dict.fromkeys(Port, 0)
        settings = city.config.radius
        auth = Authorizer(city, self._metrics, random_octets=random_octets)
        acct = Accountant(city, self._metrics)
        self._doors: list[Door] = []
        try:
            self._open_door(Port.AUTH, settings.auth_port, lambda works, now: auth.answer(works, now=now))
            self._open_door(Port.ACCT, settings.acct_port, lambda works, now: acct.answer(works, now=now))
        except ConfigError:
            for door in self._doors:
                door.socket.close()
            raise
        self._coa = _open_socket(str(settings.listen), 0)
        self._dynamic = Dynamic(city, self._metrics, send=self._coa.sendto)

    def _open_door(self, port: Port, number: int, answer: Answer) -> None:
        bound = _bind(self._city.key, str(self._city.config.radius.listen), number)
        metrics = PortMetrics(self._metrics, port.value)
        metrics.receive_buffer.set(kernel.receive_buffer_bytes(bound))
        self._doors.append(Door(bound, Intake(port, self._peers), answer, metrics))

    def stop(self) -> None:
        """Answer what has been received, then end."""
        self._stopping.set()

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (*(door.socket for door in self._doors), self._coa):
                selector.register(each, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select(TURN_SECONDS)
                self._try(self._turn)
            deadline = time.monotonic() + DRAIN_SECONDS
            while selector.select(0) and time.monotonic() < deadline:
                self._try(self._turn)
        self._try(self._write_arrivals)
        for each in (*(door.socket for door in self._doors), self._coa):
            each.close()

    def _turn(self) -> None:
        self._errands()
        for door in self._doors:
            self._serve(door)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Unavailable as error:
            self._complain("database", "the database is away: %s", str(error.__cause__ or error).splitlines()[0])
            time.sleep(TURN_SECONDS)
        except Exception:  # ours to mend; the city's RADIUS goes on
            self._complain("fault", "a fault in a turn", exc_info=True)
            time.sleep(TURN_SECONDS)

    # Packets ----------------------------------------------------------------------------------------

    def _serve(self, door: Door) -> None:
        works = self._receive(door, BATCH_MAX)
        if not works:
            return
        pause = self._committed + self._yield_seconds - time.monotonic()
        if pause > 0:
            time.sleep(pause)
            works += self._receive(door, BATCH_MAX - len(works))
        pings = [work for work in works if work.packet.code == Code.STATUS_SERVER]
        asked = [work for work in works if work.packet.code != Code.STATUS_SERVER] if pings else works
        try:
            replies = self._answer(door, asked)
        except Unavailable:
            door.metrics.count_drops({"database": len(works)})
            for work in works:  # no reply: the NAS retries, and then it is new work
                door.intake.forget(work)
            raise
        self._committed = time.monotonic()
        replies += [(work, _alive(work, door.intake.port)) for work in pings]
        self._reply(door, works, replies)
        door.metrics.batch.observe(len(works))

    def _answer(self, door: Door, works: Sequence[Work]) -> list[Reply]:
        """What a fault of ours breaks is tried again in halves: one request that we cannot bear costs one reply."""
        try:
            return door.answer(works, self._clock())
        except Unavailable:
            raise
        except Exception:
            if len(works) <= 1:
                self._complain("fault", "a fault in answering a request", exc_info=True)
                door.metrics.count_drops({"fault": len(works)})
                return []
        half = len(works) // 2
        return [*self._answer(door, works[:half]), *self._answer(door, works[half:])]

    def _receive(self, door: Door, most: int) -> list[Work]:
        works: list[Work] = []
        drops: Counter[str] = Counter()
        admit, receive, now = door.intake.admit, door.socket.recvfrom, time.monotonic
        for _ in range(most):  # bounded by datagrams, so that a flood of bad ones cannot keep us here
            try:
                datagram, source = receive(wire.PACKET_BYTES_MAX + 1)
            except BlockingIOError:
                break
            except OSError:  # an ICMP error of an earlier reply
                continue
            match admit(datagram, source[:2], now()):
                case Work() as work:
                    works.append(work)
                case Resend(reply):
                    door.metrics.duplicates.inc()
                    _send(door.socket, reply, source)
                case Drop() as drop:
                    drops[drop.reason] += 1
                    self._note_drop(door, datagram, source, drop)
        door.metrics.count_drops(drops)
        if works:
            self._tally.admitted(door.intake.port, works, self._clock())
        return works

    def _note_drop(self, door: Door, datagram: bytes, source: Source, drop: Drop) -> None:
        port = door.intake.port
        self._tally.dropped(port, datagram, source[:2], drop, self._clock())
        ours = drop.peer is not None and drop.peer.nas.nas_identifier == self_test.IDENTIFIER  # it asks so on purpose
        if drop.reason in ADVICE and not ours:
            who = f"NAS {drop.peer.nas.name}" if drop.peer else "a NAS"
            self._complain("packet", "%s (%s, %s port) %s", who, source[0], port.value, ADVICE[drop.reason])

    def _reply(self, door: Door, works: Sequence[Work], replies: Sequence[Reply]) -> None:
        now = time.monotonic()
        observe, finish = door.metrics.latency.observe, door.intake.finish
        for work, reply in replies:
            finish(work, reply, now)
            _send(door.socket, reply, work.source)
            observe(now - work.received)
        if len(replies) < len(works):
            answered = {id(work) for work, _ in replies}
            for work in works:
                if id(work) not in answered:
                    door.intake.forget(work)

    # Errands ----------------------------------------------------------------------------------------

    def _errands(self) -> None:
        now = time.monotonic()
        if now >= self._due["peers"]:
            self._due["peers"] = now + REFRESH_SECONDS
            self._roster.refresh()
            self._dynamic.step(now=self._clock())
        if now >= self._due["gauges"]:
            self._due["gauges"] = now + GAUGE_SECONDS
            self._refresh_gauges()
        if now >= self._due["arrivals"]:
            self._due["arrivals"] = now + ARRIVALS_SECONDS
            self._write_arrivals()
        self._hear_answers()

    def _write_arrivals(self) -> None:
        """What came in, and which NASes turned out to sign: one small transaction, and none where nothing is new."""
        now = self._clock()
        told, learned = self._tally.due(now), set(self._peers.learned)
        if told or learned:
            with self._city.store.write() as conn:
                arrivals.note_many(conn, told)
                arrivals.learn_message_authenticator(conn, learned, now=now)
            self._committed = time.monotonic()
            self._tally.written(now)
            self._count_by_nas(told)
            self._peers.learned -= learned

    def _count_by_nas(self, told: Sequence[Arrival]) -> None:
        for arrival in told:
            name = self._roster.name_of(arrival.nas_id) if arrival.verdict == OK else None
            if name is not None:
                self._metrics.nas_packets.labels(name).inc(arrival.packets)

    def _refresh_gauges(self) -> None:
        for door in self._doors:
            port, metrics = door.intake.port, door.metrics
            metrics.cached.set(len(door.intake))
            metrics.evicted.inc(door.intake.take_evicted())
            drops = kernel.drops(door.socket)
            metrics.kernel_drops.inc((drops - self._kernel_drops[port]) % kernel.COUNTS)
            self._kernel_drops[port] = drops
            self._metrics.limits.labels("candidates").inc(door.intake.take_untried())
        self._metrics.limits.labels("sources").inc(self._peers.take_emptied())
        self._metrics.limits.labels("arrivals").inc(self._tally.take_untold())
        with self._city.store.read() as conn:
            by_site = sessions.count_live_by_site(conn)
        self._metrics.sessions.set(sum(by_site.values()))
        self._metrics.set_site_sessions(by_site)

    def _hear_answers(self) -> None:
        heard: list[tuple[bytes, tuple[str, int]]] = []
        for _ in range(BATCH_MAX):
            try:
                datagram, source = self._coa.recvfrom(wire.PACKET_BYTES_MAX + 1)
            except BlockingIOError:
                break
            except OSError:
                continue
            heard.append((datagram, source[:2]))
        self._dynamic.hear(heard, now=self._clock())

    def _complain(self, kind: str, message: str, *args: object, exc_info: bool = False) -> None:
        now = time.monotonic()
        if now >= self._quiet_until.get(kind, 0.0):
            self._quiet_until[kind] = now + COMPLAIN_SECONDS
            log.error(f"{self._city.key}: {message}", *args, exc_info=exc_info)


def _alive(work: Work, port: Port) -> bytes:
    """The answer to a Status-Server (RFC 5997 section 3)."""
    code = Code.ACCESS_ACCEPT if port is Port.AUTH else Code.ACCOUNTING_RESPONSE
    return wire.encode_reply(work.packet, code, [], work.peer.secret)


def _open_socket(listen: str, port: int) -> socket.socket:
    """A socket of its own: without SO_REUSEADDR a second daemon on the port is refused."""
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    try:
        opened.bind((listen, port))
    except OSError:
        opened.close()
        raise
    return opened


def _bind(key: str, listen: str, port: int) -> socket.socket:
    try:
        return _open_socket(listen, port)
    except OSError as error:
        raise ConfigError(
            f"{key}: cannot listen on UDP {listen}:{port} ({error.strerror}); does another RADIUS server run there?"
        ) from None


def _send(through: socket.socket, datagram: bytes, to: tuple[object, ...]) -> None:
    try:
        through.sendto(datagram, to)
    except OSError:  # the NAS asks again; UDP promises nothing
        log.debug("a reply could not be sent")
