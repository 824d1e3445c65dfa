"""What RADIUS acknowledged survives: kill -9, the order of its system calls, a portal that writes beside it, SIGTERM.

A database that is away or full: `test_outages`.

kill -9 alone cannot tell synchronous=OFF from FULL, since the kernel keeps what was written; the order of fdatasync
and sendto can.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.load import Loop, Supply, Tally
from bench.packets import Status, is_genuine
from store import accounting, nases
from tests.conftest import DATABASES
from tests.support.postgresql import Postgres
from tests.system.radius_load import (
    SECRET,
    Load,
    Record,
    flat_out,
    kill_after,
    records_of,
    write_like_the_portal,
)

pytestmark = pytest.mark.system

KILLS_AFTER_S = (0.3, 0.8, 1.3, 0.55, 1.05)
"""When each round's process is killed: under load, at another moment of its batches each time."""

ACKNOWLEDGED_MIN = 100
"""A round that acknowledged fewer records than this proved nothing."""

TELLING_MIN = 3
"""Rounds that have to prove something: on a loaded machine the earliest kills may come too early."""

PORTAL_WRITES = 200
PORTAL_PAUSE_S = 0.01
PORTAL_P99_S = 0.1
"""The bar of docs/benchmarks.md for the portal's writes while accounting runs flat out."""


LOAD_PER_SECOND_MIN = 200
TRACED_RECORDS = 400
BURST_MAX = 2_000
"""Many batches: what is not under way at the signal waits in the kernel."""

OCTETS_A_QUEUED_PACKET = 1_536
"""What a small datagram takes of a socket's receive buffer, at most."""


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with Load.prepare(tmp_path, residents=500) as prepared:
        yield prepared


@pytest.fixture(params=DATABASES)
def load_on_each(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Load]:
    """On SQLite and on PostgreSQL."""
    with contextlib.ExitStack() as stack:
        url = ""
        if request.param == "postgresql":
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        yield stack.enter_context(Load.prepare(tmp_path, residents=500, database=url))


@pytest.fixture
def load_on_postgresql(postgres: Postgres, tmp_path: Path) -> Iterator[Load]:
    with postgres.database() as url, Load.prepare(tmp_path, residents=500, database=url) as prepared:
        yield prepared


# kill -9 ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_acknowledged_record_outlives_a_kill(load_on_each: Load) -> None:
    load = load_on_each
    promised: dict[str, Promise] = {}
    telling = 0
    for number, seconds in enumerate(KILLS_AFTER_S):
        records = records_of(f"round-{number}", sessions=500, interims=60)
        supply = load.accounting(records)
        with load.server() as process:
            assert_kept(load, promised)  # what earlier lives acknowledged, in the restarted server's database
            tally = _load_until_killed(load, supply, process, seconds)
        assert len(tally.answered) < len(records), "the kill has to come in the middle"
        telling += len(tally.answered) >= ACKNOWLEDGED_MIN
        promise(promised, (records[at] for at in tally.answered))
    with load.server():
        assert_kept(load, promised)
    assert telling >= TELLING_MIN, "most kills came before anything was under way"


def _load_until_killed(load: Load, supply: Supply, process: subprocess.Popen[bytes], seconds: float) -> Tally:
    loop = Loop(supply, load.acct_port)
    timer = kill_after(process, seconds, loop)
    tally = loop.run(30)
    timer.join()
    assert process.wait(10) == -signal.SIGKILL
    return tally


@dataclass
class Promise:
    """What was acknowledged of one session."""

    start: bool = False
    octets: int = 0


def promise(promised: dict[str, Promise], acknowledged: Iterable[Record]) -> None:
    for record in acknowledged:
        made = promised.setdefault(record.session, Promise())
        made.start |= record.status is Status.START
        made.octets = max(made.octets, record.octets)


def assert_kept(load: Load, promised: dict[str, Promise]) -> None:
    """The database holds at least what was acknowledged; more is fine, since a reply may have been lost."""
    with load.city.store.read() as conn:
        nas_id = next(nas.id for nas in nases.nases(conn, load.city.store.keys) if nas.name == "load-gateway")
        stored = accounting.load_many(conn, [(nas_id, session) for session in promised])
    missing = [session for session in promised if (nas_id, session) not in stored]
    assert not missing, f"{len(missing)} acknowledged sessions are gone, such as {missing[0]}"
    for session, made in promised.items():
        totals = stored[nas_id, session].totals
        assert totals.start_seen or not made.start, f"{session}: its acknowledged Start is gone"
        assert min(totals.octets.down, totals.octets.up) >= made.octets, f"{session}: acknowledged octets are gone"


# The order of system calls ------------------------------------------------------------------------------


@pytest.mark.tool("strace")
def test_no_record_is_acknowledged_before_the_log_is_on_the_disk(load: Load, tmp_path: Path) -> None:
    steps = _traced_steps(load, tmp_path, WAL_SYNCED, "fdatasync,fsync,recvfrom,sendto")
    assert unproven_replies(steps) == 0
    assert steps.count("sync") < TRACED_RECORDS, "a batch shares its commit"


@pytest.mark.tool("strace")
def test_no_record_is_acknowledged_before_postgresql_has_committed(load_on_postgresql: Load, tmp_path: Path) -> None:
    """PostgreSQL says COMMIT once its own log is on the disk, as long as nobody told it not to wait."""
    with load_on_postgresql.city.store.read() as conn:
        assert conn.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    steps = _traced_steps(load_on_postgresql, tmp_path, COMMIT_CONFIRMED, "recvfrom,sendto")
    assert unproven_replies(steps) == 0
    assert steps.count("sync") < TRACED_RECORDS, "a batch shares its commit"


def _traced_steps(load: Load, folder: Path, synced: re.Pattern[str], calls: str) -> list[str]:
    """The steps of a server that has acknowledged `TRACED_RECORDS`."""
    trace = folder / "trace"
    # -D: strace is the server's child, not its parent, so the process that we start and end is the server.
    strace = ("strace", "-D", "-f", "--seccomp-bpf", "-yy", "-e", f"trace={calls}", "-o", str(trace))
    with load.server(*strace) as process:
        supply = load.accounting(records_of("traced", sessions=100, interims=3))
        tally = Loop(supply, load.acct_port, retry_seconds=60).run(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert len(tally.answered) == len(supply.requests) == TRACED_RECORDS
    steps = list(read_trace(_finished(trace), load.acct_port, synced))
    assert steps.count("reply") == TRACED_RECORDS
    return steps


def _finished(trace: Path) -> list[str]:
    """The trace once strace has written all of it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        lines = trace.read_text().splitlines()
        if lines and "+++ exited with 0 +++" in lines[-1]:
            return lines
        time.sleep(0.05)
    raise AssertionError("strace did not finish its trace")


WAL_SYNCED = re.compile(r"(fdatasync|fsync)\(\d+<.*-wal>\) += 0$")
COMMIT_CONFIRMED = re.compile(r'recvfrom\(\d+<TCP:.*"C\\0\\0\\0\\vCOMMIT\\0')
"""PostgreSQL's CommandComplete (its message C of 11 octets)."""


def read_trace(lines: Sequence[str], acct_port: int, synced: re.Pattern[str]) -> Iterator[str]:
    """`request` received, `sync` returned, `reply` begun: in the order of the one thread that does all three.

    An Accounting-Response has 20 octets; the Status-Server's answer, which acknowledges nothing, has more.
    """
    acct = rf"<UDP:\[127\.0\.0\.1:{acct_port}\]>"
    received = re.compile(rf"recvfrom\(\d+{acct}.* = \d+$")
    replied = re.compile(rf'sendto\(\d+{acct}, ".*", 20, ')
    for line in map(_whole, lines, _unfinished(lines)):
        for name, pattern in (("request", received), ("sync", synced), ("reply", replied)):
            if pattern.search(line):
                yield name


def _unfinished(lines: Sequence[str]) -> Iterator[str]:
    """For each line the beginning of the call that it resumes, "" where it resumes none: threads interleave."""
    begun: dict[str, str] = {}
    for line in lines:
        thread = line.partition(" ")[0]
        yield begun.pop(thread, "") if " resumed>" in line else ""
        if line.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>").rstrip()


def _whole(line: str, beginning: str) -> str:
    return beginning + line.partition(" resumed>")[2] if beginning else line


def unproven_replies(steps: Sequence[str]) -> int:
    """Replies with no sync between the last request before them and themselves."""
    synced, unproven = False, 0
    for step in steps:
        if step == "reply":
            unproven += not synced
        else:
            synced = step == "sync"
    return unproven


def test_a_trace_that_acknowledges_too_early_is_seen() -> None:
    socket_of = "7<UDP:[127.0.0.1:1813]>"
    request = f'20 recvfrom({socket_of}, "\\4", 4097, 0, {{}}, [16]) = 120'
    reply = f'20 sendto({socket_of}, "\\5", 20, 0, {{}}, 16) = 20'
    sync = [
        "20 fdatasync(9</x/kogge.db-wal> <unfinished ...>",
        "21 sendto(3<TCP:[]>",
        "20 <... fdatasync resumed>) = 0",
    ]
    sound = [request, request, *sync, reply, reply, request, *sync, reply]
    early = [request, *sync, reply, request, reply, *sync]
    assert list(read_trace(sound, 1813, WAL_SYNCED)).count("sync") == 2
    assert unproven_replies(list(read_trace(sound, 1813, WAL_SYNCED))) == 0
    assert unproven_replies(list(read_trace(early, 1813, WAL_SYNCED))) == 1


# The portal beside it -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_portal_writes_while_accounting_runs_flat_out(load: Load) -> None:
    spawn = multiprocessing.get_context("spawn")
    with load.server(), ProcessPoolExecutor(1, mp_context=spawn) as portal:
        portal.submit(write_like_the_portal, load.written.path, 0, 0).result()  # started, everything imported
        p99_s = _portal_p99_s(load, portal, "busy")
    assert p99_s < PORTAL_P99_S, f"at the 99th percentile a write of the portal took {p99_s * 1000:.0f} ms"


def _portal_p99_s(load: Load, portal: ProcessPoolExecutor, name: str) -> float:
    """Of the portal's writes beside a load that is one."""
    supply = load.accounting(records_of(name, sessions=500, interims=100))
    with flat_out(load, supply, seconds=60) as tallies:
        writes = portal.submit(write_like_the_portal, load.written.path, PORTAL_WRITES, PORTAL_PAUSE_S)
        waits = sorted(writes.result())
    rate = tallies[0].per_second
    assert rate > LOAD_PER_SECOND_MIN, f"only {rate:.0f} records a second: that is no load"
    assert len(tallies[0].answered) < len(supply.requests), "the load ended before the portal did"
    return waits[int(0.99 * len(waits))]


# SIGTERM ------------------------------------------------------------------------------------------------


def test_sigterm_answers_what_was_received(load: Load) -> None:
    burst = min(BURST_MAX, _receive_buffer_octets() // OCTETS_A_QUEUED_PACKET)
    supply = load.accounting(records_of("burst", sessions=burst, interims=0))
    with load.server() as process, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nas:
        nas.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        nas.connect(("127.0.0.1", load.acct_port))
        for request in supply.requests:
            nas.send(request)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        nas.setblocking(False)
        replies = list(_all_of(nas))
    by_identifier: dict[int, list[bytes]] = {}
    for request in supply.requests:
        by_identifier.setdefault(request[1], []).append(request)
    genuine = sum(any(is_genuine(reply, each, SECRET) for each in by_identifier[reply[1]]) for reply in replies)
    assert genuine == len(replies) == burst


def _receive_buffer_octets() -> int:
    """What the kernel really gives to a socket that asks for 4 MB, as the server does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        return probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def _all_of(opened: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield opened.recv(4096)
        except BlockingIOError:
            return
