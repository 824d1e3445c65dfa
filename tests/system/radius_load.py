"""A RADIUS process of its own under load: an installation whose NAS is this machine, residents, and who kills what.

The load is the benchmark's own generator: it knows which records were acknowledged.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from bench import packets
from bench.load import Loop, Supply, Tally
from bench.ours import add_residents
from bench.packets import Resident, Status
from bench.servers import REPOSITORY, await_ready
from hotspot.access import TICKET_SECONDS, Ticket
from hotspot.credentials import ticket_name
from hotspot.plan import Way
from hotspot.values import MacAddress
from ops.supervisor import kogge
from service.cities import City, open_cities, open_city
from store import audit, nases, residents
from store.store import Connection, Store
from tests.support.installation import Written, write_installation
from tests.support.processes import http_get

SECRET = b"a-secret-of-the-load"
NAS = "load-gw-0001"
OCTETS_A_RECORD = 1_000
RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Record:
    """What one request of a supply said."""

    session: str
    status: Status
    octets: int


@dataclass(frozen=True)
class Load:
    """An installation with residents, and accounting for them that can be sent in any process state."""

    written: Written
    city: City
    residents: tuple[Resident, ...]
    log: Path

    @classmethod
    @contextlib.contextmanager
    def prepare(cls, folder: Path, *, residents: int, database: str = "") -> Iterator[Load]:
        """Wismar, initialised, with 127.0.0.1 as a NAS. The store stays open for the test to look into.

        `database`: the URL of an empty one; without it, SQLite.
        """
        written = write_installation(folder / "installation", ["wismar"], database={"url": database})
        written.initialise()
        city = open_city(written.installation, written.cities["wismar"], now=datetime.now(UTC))
        try:
            add_nas(city)
            made = add_residents(city.store, residents, now=datetime.now(UTC))
            yield cls(written, city, made, folder / "radius.log")
        finally:
            city.store.close()

    @property
    def auth_port(self) -> int:
        return self.city.config.radius.auth_port

    @property
    def acct_port(self) -> int:
        return self.city.config.radius.acct_port

    @contextlib.contextmanager
    def server(self, *prefix: str) -> Iterator[subprocess.Popen[bytes]]:
        """A RADIUS process that answers; killed on the way out unless it has ended. `prefix`: such as strace."""
        command = [*prefix, *kogge("radius", str(self.written.path))]
        with self.log.open("ab") as output:
            process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            for port in (self.auth_port, self.acct_port):
                await_ready(process, port, SECRET, self.log)
            yield process
        finally:
            process.kill()
            process.wait()

    def metrics(self) -> list[tuple[str, dict[str, str], float]]:
        """Every series of the running server, as Prometheus reads it: name, labels, value."""
        token = (self.written.installation.data_dir / "wismar" / "keys" / "metrics.token").read_text().strip()
        listen = str(self.written.installation.radius.metrics_listen)
        page = http_get(listen, "/cities/wismar/metrics", Authorization=f"Bearer {token}").body
        return [sample[:3] for family in text_string_to_metric_families(page) for sample in family.samples]

    def dropped(self, port: str, reason: str) -> float:
        """How many packets the running server met with silence for this reason."""
        wanted = {"port": port, "reason": reason}
        return sum(
            value for name, labels, value in self.metrics() if name.endswith("dropped_total") and labels == wanted
        )

    def accounting(self, records: Sequence[Record]) -> Supply:
        """Requests for these records; the n-th session belongs to the n-th resident."""
        numbers = {session: number for number, session in enumerate(dict.fromkeys(each.session for each in records))}

        def build(number: int, identifier: int) -> bytes:
            record = records[number]
            return self.record(record, numbers[record.session], identifier)

        return Supply.make(len(records), build, secret=SECRET, wanted_code=packets.ACCOUNTING_RESPONSE)

    def record(self, record: Record, resident: int, identifier: int) -> bytes:
        """The request of one record of this resident's."""
        who = self.residents[resident % len(self.residents)]
        return packets.accounting_request(identifier, SECRET, NAS, who, record.status, record.session, record.octets)

    def access(self, count: int) -> Supply:
        """Log-ins, each resident's in turn."""

        def build(number: int, identifier: int) -> bytes:
            who = self.residents[number % len(self.residents)]
            return packets.access_request(identifier, SECRET, NAS, who, number)

        return Supply.make(count, build, secret=SECRET, wanted_code=packets.ACCESS_ACCEPT)


@dataclass
class Asker:
    """A NAS that sends requests again until they are answered; each request has an identifier of its own."""

    requests: Sequence[bytes]
    port: int

    def __post_init__(self) -> None:
        assert len({request[1] for request in self.requests}) == len(self.requests)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(RETRY_SECONDS)
        self._socket.connect(("127.0.0.1", self.port))
        self.answered: set[int] = set()
        self.sent = self.repeated = 0
        """Datagrams sent, and replies to requests that were answered before."""

    def close(self) -> None:
        self._socket.close()

    def ask(self, seconds: float) -> set[int]:
        """Which requests are answered by now, by number; gives up after these seconds."""
        deadline = time.monotonic() + seconds
        while len(self.answered) < len(self.requests) and time.monotonic() < deadline:
            for number, request in enumerate(self.requests):
                if number not in self.answered:
                    self._send(request)
            self._hear()
        return self.answered

    def _send(self, request: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.send(request)
            self.sent += 1

    def _hear(self) -> None:
        deadline = time.monotonic() + RETRY_SECONDS
        while len(self.answered) < len(self.requests) and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                reply = self._socket.recv(4096)
                number = next(n for n, request in enumerate(self.requests) if request[1] == reply[1])
                assert packets.is_genuine(reply, self.requests[number], SECRET)
                self.repeated += number in self.answered
                self.answered.add(number)


def add_nas(city: City) -> None:
    """Register 127.0.0.1, from where the generator speaks; it counts as RFC 2866 says."""
    with city.store.write() as conn:
        nases.add_nas(
            conn,
            city.store.keys,
            secret=SECRET,
            uam_secret=b"a-secret-of-the-portal",
            site_id=1,
            name="load-gateway",
            nas_identifier=NAS,
            address="127.0.0.1",
            product="coovachilli",
            login_url="http://127.0.0.1:3990",
            coa_port=3799,
            require_message_authenticator="yes",
            octets_swapped=False,
            created_at=datetime.now(UTC),
        )


def records_of(name: str, *, sessions: int, interims: int) -> list[Record]:
    """Starts of so many sessions, then rounds of interims with growing counters."""
    names = [f"{name}-{number:05d}" for number in range(sessions)]
    starts = [Record(each, Status.START, 0) for each in names]
    later = [Record(each, Status.INTERIM, turn * OCTETS_A_RECORD) for turn in range(1, interims + 1) for each in names]
    return starts + later


def write_like_the_portal(folder: Path, count: int, pause_s: float) -> list[float]:
    """Acceptances of new devices, each in one transaction as the portal makes it; how long each took, seconds.

    To be run in a process of its own: it opens the installation as a service does.
    """
    opened = open_cities(folder)
    store = opened.cities[0].store
    try:
        return [_timed_acceptance(store, number, pause_s) for number in range(count)]
    finally:
        store.close()


def _timed_acceptance(store: Store, number: int, pause_s: float) -> float:
    time.sleep(pause_s)
    begun = time.perf_counter()
    with store.write() as conn:
        _accept(conn, store, MacAddress(bytes((2, 0, 1)) + number.to_bytes(3, "big")), datetime.now(UTC))
    return time.perf_counter() - begun


def _accept(conn: Connection, store: Store, mac: MacAddress, now: datetime) -> None:
    device_id = residents.note_device(conn, store.keys, mac, now=now)
    plan, terms = residents.plans(conn, Way.TAP)[0], residents.current_terms(conn)[0]
    residents.record_acceptance(conn, device_id=device_id, seen=terms, now=now)
    until = now + timedelta(minutes=plan.session_minutes)
    grant_id = residents.add_grant(
        conn,
        device_id=device_id,
        plan_id=plan.id,
        terms_id=terms.id,
        way=plan.way.value,
        granted_at=now,
        until_at=until,
    )
    name = ticket_name(os.urandom(12))
    residents.add_ticket(conn, Ticket(name, grant_id, device_id, now, now + timedelta(seconds=TICKET_SECONDS)))
    audit.add(conn, now=now, action="resident.accept", subject=str(device_id))


def kill_after(process: subprocess.Popen[bytes], seconds: float, loop: Loop) -> threading.Timer:
    """SIGKILL the process while the loop runs, and end the loop a moment later."""

    def strike() -> None:
        process.send_signal(signal.SIGKILL)
        loop.stop.set()

    timer = threading.Timer(seconds, strike)
    timer.start()
    return timer


@contextlib.contextmanager
def flat_out(load: Load, supply: Supply, seconds: float) -> Iterator[list[Tally]]:
    """Accounting as fast as it goes, on a thread; its tally stands in the list afterwards."""
    loop, found = Loop(supply, load.acct_port), list[Tally]()
    thread = threading.Thread(target=lambda: found.append(loop.run(seconds)))
    thread.start()
    try:
        yield found
    finally:
        loop.stop.set()
        thread.join()
