"""A running server under fuzzed packets: sound ones in between must be answered, its counters must add up."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import packets
from bench.packets import Status
from tests.fuzz.mutation import ACCOUNTING_REQUEST, STATUS_SERVER, Mutator, corpus
from tests.system.radius_load import NAS, SECRET, Asker, Load, Record

BURST = 64
"""Fuzzed packets between two sound ones. Their replies pace us: nothing is lost in a socket buffer."""

ANSWER_SECONDS = 60.0
"""A sound packet is sent again for so long; generous, for a loaded machine."""

FUZZED_RESIDENTS = 100
"""The first residents' packets are mutated, the others' are sound: wrong guesses lock a resident out."""

SOURCES = (*("127.0.0.1",) * 10, "127.9.9.9")
"""Sockets of the NAS, and one of an address that no NAS has."""

STATUS = bytes((STATUS_SERVER,))

RSS_GROWTH_MAX_BYTES = 192 << 20
"""Two full duplicate caches, SQLite's page caches, and what Python keeps."""

FLAT_BYTES = 16 << 20
"""What the last third of a long run may take beyond the middle one: by then the caches are full."""

LONG_SECONDS = 300.0

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARNING|ERROR) [a-z.]+: ")
_PROVES_NOTHING = "Traceback", "a fault in a turn"


@dataclass
class Result:
    """What a campaign did. Sizes in bytes."""

    seed: int
    sent: int = 0
    answered: int = 0
    sound: int = 0
    rss: list[int] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        first, most, last = (size >> 20 for size in (self.rss[0], max(self.rss), self.rss[-1]))
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.dropped.most_common())
        return (
            f"seed {self.seed}: {self.sent:,} packets sent, {self.answered:,} answered, "
            f"of them {self.sound:,} sound ones, all answered\n"
            f"RSS in MB: {first} at the begin, {most} at most, {last} at the end\n"
            f"silence: {reasons}"
        )


class Campaign:
    """Fuzzes one server for some seconds. AssertionError says what broke; `recent` holds what was sent last."""

    def __init__(self, load: Load, process: subprocess.Popen[bytes], seed: int) -> None:
        self._load, self._process = load, process
        bases = [*corpus(), *_sound_bases(load)]
        self._mutator = Mutator(seed, bases, SECRET)
        self._ports = (load.auth_port, load.acct_port)
        self._sound = itertools.count(FUZZED_RESIDENTS)
        self.result = Result(seed)
        self.recent: list[bytes] = []

    def run(self, seconds: float) -> Result:
        result, deadline = self.result, time.monotonic() + seconds
        before = self._received()
        result.rss.append(_rss(self._process))
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(contextlib.closing(each)) for each in self._sockets()]
            while time.monotonic() < deadline:
                self._burst(sockets)
                self._ask_soundly()
                result.answered += sum(_drain(each) for each in sockets)
                result.rss.append(_rss(self._process))
            time.sleep(0.5)
            result.answered += sum(_drain(each) for each in sockets)
        self._judge(self._received() - before, seconds)
        return result

    def _sockets(self) -> Iterator[socket.socket]:
        """From each source in turn, to the port of log-ins and to that of accounting."""
        for source, port in itertools.product(SOURCES, self._ports):
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            opened.bind((source, 0))
            opened.connect(("127.0.0.1", port))
            yield opened

    def _burst(self, sockets: list[socket.socket]) -> None:
        """Each packet to the port of its code, one in eight to the other."""
        self.recent = [self._mutator.next() for _ in range(BURST)]
        for number, packet in enumerate(self.recent):
            accounting = packet[:1] == bytes((ACCOUNTING_REQUEST,)) or (packet[:1] == STATUS and number % 2 == 1)
            port = accounting ^ (number % 8 == 0)
            sockets[2 * (number % len(SOURCES)) + port].send(packet)
        self.result.sent += BURST

    def _ask_soundly(self) -> None:
        """A log-in, a record and a Status-Server of a resident whom nobody fuzzed."""
        number = next(self._sound)
        residents = self._load.residents[FUZZED_RESIDENTS:]
        who = residents[number % len(residents)]
        record = Record(f"sound-{number}", Status.START, 0)
        accesses = [packets.access_request(0, SECRET, NAS, who, number), packets.status_server(1, SECRET)]
        records = [self._load.record(record, number % len(residents) + FUZZED_RESIDENTS, 0)]
        for requests, port in zip((accesses, records), self._ports, strict=True):
            with contextlib.closing(Asker(requests, port)) as asker:
                assert len(asker.ask(ANSWER_SECONDS)) == len(requests), "a sound packet was not answered"
                self.result.sent += asker.sent
                self.result.answered += len(requests) + asker.repeated
            self.result.sound += len(requests)

    # What the server says of it ---------------------------------------------------------------------------

    def _received(self) -> Counter[str]:
        """What the server counted, by what became of it."""
        found: Counter[str] = Counter()
        for name, labels, value in self._load.metrics():
            if name == "kogge_radius_dropped_total":
                found[f"dropped {labels['reason']}"] += int(value)
            elif name in ("kogge_radius_duplicates_total", "kogge_radius_latency_seconds_count"):
                found["replied"] += int(value)
        return found

    def _judge(self, counted: Counter[str], seconds: float) -> None:
        result = self.result
        result.dropped = Counter(
            {k.removeprefix("dropped "): v for k, v in counted.items() if k.startswith("dropped ")}
        )
        assert counted.total() == result.sent, f"{result.sent} packets were sent, {counted.total()} are counted"
        assert counted["replied"] == result.answered, f"{counted['replied']} replies sent, {result.answered} received"
        assert not result.dropped["fault"] and not result.dropped["database"]
        log = self._load.log.read_text()
        assert not any(word in log for word in _PROVES_NOTHING), log[-3000:]
        assert all(LOG_LINE.match(line) for line in log.splitlines()), "a packet wrote a line of the log"
        _judge_memory(result.rss, seconds)


def _judge_memory(rss: list[int], seconds: float) -> None:
    growth = max(rss) - rss[0]
    assert growth < RSS_GROWTH_MAX_BYTES, f"the server grew by {growth >> 20} MB"
    if seconds >= LONG_SECONDS:
        third = len(rss) // 3
        more = max(rss[2 * third :]) - max(rss[third : 2 * third])
        assert more < FLAT_BYTES, f"the server still grows: by {more >> 20} MB in the last third"


def _sound_bases(load: Load) -> list[bytes]:
    """What real residents' NASes send, to be mutated: it comes as far as a decision or a session."""
    accesses = [
        packets.access_request(0, SECRET, NAS, who, n) for n, who in enumerate(load.residents[:FUZZED_RESIDENTS])
    ]
    statuses = (Status.START, Status.INTERIM, Status.STOP)
    records = [
        load.record(Record(f"fuzzed-{n % 20}", statuses[n % 3], 1000 * n), n, 0) for n in range(FUZZED_RESIDENTS)
    ]
    return accesses + records


def _drain(opened: socket.socket) -> int:
    heard = 0
    with contextlib.suppress(BlockingIOError):
        while opened.recv(8192):
            heard += 1
    return heard


def _rss(process: subprocess.Popen[bytes]) -> int:
    assert process.poll() is None, "the server has ended"
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * 4096
