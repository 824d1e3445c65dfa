"""`kogge radius test` against a real server, and against what stands there instead of one."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import click
import pytest
from sqlalchemy import delete, update

from config.load import load_installation
from hotspot.errors import ConfigError
from monitor.housekeeping import JOBS
from ops.cli import main
from ops.installation import initialise
from ops.radius_report import Place, Step, line, unanswered, verdict
from ops.radius_steps import STEPS, steps
from ops.radius_test import prepared
from radius.server import CityServer
from service.cities import City, open_city
from store import self_test
from store.schema import metadata, nas, plan, site, terms
from store.store import Store
from tests.conftest import NOW
from tests.ops.conftest import Kogge
from tests.support.cities import free_udp_port, make_city
from tests.support.installation import Written
from tests.support.processes import service
from tests.support.rows import all_rows

pytestmark = pytest.mark.timeout(240)

OF_THE_TEST = frozenset({"nas", "job_lease", "nas_arrival"})
"""Tables in which the test itself has a row: its client's, which no list shows, the lease that keeps out a second
test, and what RADIUS tells of its packets, maybe a moment later."""

TEST_TRACES = next(job for job in JOBS if job.name == "purge-test-traces")


def rows_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All that stands in a city's database, but for those two."""
    return all_rows(store, leave_out=OF_THE_TEST)


@contextmanager
def serving(city: City) -> Iterator[City]:
    """Its RADIUS server runs."""
    server = CityServer(city, clock=lambda: datetime.now(UTC), random_octets=os.urandom)
    server.start()
    yield city
    server.stop()
    server.join(10)


@pytest.fixture
def served(city: City) -> Iterator[City]:
    """The city with its RADIUS server running, on both databases."""
    with serving(city):
        yield city


def tried(city: City) -> list[Step]:
    with prepared(city, now=datetime.now(UTC), random_octets=os.urandom) as test:
        return list(steps(test))


def faults(done: list[Step]) -> dict[str, str]:
    return {step.name: f"{step.detail}: {step.hint}" for step in done if not step.ok}


# A sound server ---------------------------------------------------------------------------------------


def test_every_step_passes_and_nothing_is_left(served: City) -> None:
    before = rows_of(served.store)
    for _ in range(2):
        done = tried(served)
        assert not faults(done) and len(done) == len(STEPS)
    assert rows_of(served.store) == before
    timed = {step.name for step in done if step.seconds is not None}
    assert {"log-in with CHAP", "log-in with PAP", "accounting Stop"} <= timed


def test_over_ipv6(city_store: Store) -> None:
    place = {"listen": ip_address("::1"), "auth_port": free_udp_port("::1"), "acct_port": free_udp_port("::1")}
    with serving(make_city("rostock", city_store, now=NOW, radius=place)) as city:
        done = tried(city)
    assert not faults(done) and len(done) == len(STEPS)


@pytest.mark.parametrize("by_the_monitor", [False, True])
def test_what_a_killed_test_left_goes_with_the_next_one_or_by_the_monitor(served: City, by_the_monitor: bool) -> None:
    before = rows_of(served.store)
    killed = prepared(served, now=datetime.now(UTC), random_octets=os.urandom)
    walk = steps(killed.__enter__())
    for _ in range(10):
        assert next(walk).ok
    with served.store.write() as conn:  # its lease ran out: 120 s are over
        conn.execute(update(metadata.tables["job_lease"]).values(until_at=datetime.now(UTC)))
    assert rows_of(served.store) != before
    if by_the_monitor:
        with served.store.write() as conn:
            assert TEST_TRACES.work is not None and TEST_TRACES.work(served, conn, datetime.now(UTC))
        assert rows_of(served.store) == before
    assert not faults(tried(served))
    assert rows_of(served.store) == before


def test_wrong_passwords_lock_nothing(served: City) -> None:
    for _ in range(1 + served.config.limits.voucher_guesses):
        assert not faults(tried(served))
    assert rows_of(served.store)["guess"] == []


def test_it_passes_while_the_site_is_closed(served: City) -> None:
    with served.store.write() as conn:
        conn.execute(update(site).values(opening_hours="Mo 00:00-00:01"))
    assert not faults(tried(served))


def test_two_tests_at_once_are_refused(city: City) -> None:
    now = datetime.now(UTC)
    with prepared(city, now=now, random_octets=os.urandom), pytest.raises(ConfigError, match="another test"):
        tried(city)


@pytest.mark.parametrize(("table", "said"), [(plan, "no plan"), (terms, "no terms")])
def test_a_city_that_admits_nobody_cannot_be_tested(table: object, said: str, city: City) -> None:
    with city.store.write() as conn:
        conn.execute(delete(table))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"rostock has {said} yet"):
        tried(city)
    assert self_test_may_begin(city), "the lease is free again"


def self_test_may_begin(city: City) -> bool:
    with city.store.write() as conn:
        return self_test.begin(conn, holder="another", now=datetime.now(UTC))


# Servers that are not sound ---------------------------------------------------------------------------


def test_a_server_that_believes_unsigned_requests_is_named(served: City) -> None:
    assert not faults(tried(served))
    with served.store.write() as conn:
        own = nas.c.nas_identifier == self_test.IDENTIFIER
        conn.execute(update(nas).where(own).values(require_message_authenticator="no"))
    until = time.monotonic() + 20
    while "no Message-Authenticator" not in (found := faults(tried(served))):
        assert time.monotonic() < until
    assert set(found) == {"no Message-Authenticator"} and "BlastRADIUS" in found["no Message-Authenticator"]


def test_a_server_that_does_not_see_what_we_wrote_is_named(served: City) -> None:
    own_tickets = metadata.tables["ticket"]
    with prepared(served, now=datetime.now(UTC), random_octets=os.urandom) as test:
        with served.store.write() as conn:
            conn.execute(delete(own_tickets))
        found = faults(list(steps(test)))
    assert "unknown_user" in found["log-in with CHAP"] and "another installation" in found["log-in with CHAP"]
    assert "the session in the database" not in found, "accounting goes by the device"


@contextmanager
def listening(host: str, port: int, reply: bytes | None) -> Iterator[None]:
    """Something that is no RADIUS server of ours: silent, or with one answer to everything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind((host, port))
        door.settimeout(0.1)
        ending = threading.Event()

        def serve() -> None:
            while not ending.is_set():
                try:
                    request, source = door.recvfrom(4096)
                except TimeoutError:
                    continue
                if reply is not None:
                    door.sendto(reply[:1] + request[1:2] + reply[2:], source)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        ending.set()
        thread.join()


ACCEPT_OF_A_STRANGER = b"\x02\x00\x00\x14" + bytes(16)


@pytest.mark.parametrize(
    ("reply", "said"), [(None, "no answer"), (ACCEPT_OF_A_STRANGER, "a wrong answer (bad_authenticator)")]
)
def test_what_listens_there_instead_is_told_apart(reply: bytes | None, said: str, city: City) -> None:
    with listening(str(city.config.radius.listen), city.config.radius.auth_port, reply):
        done = tried(city)
    assert [(step.ok, step.detail) for step in done] == [(False, said)], "the rest is not tried"
    assert "this" in done[0].hint and "installation" in done[0].hint
    assert verdict(done, len(STEPS)).startswith("1 of 15 steps failed, 14 were not tried.")


def test_nothing_listens(city: City) -> None:
    before = rows_of(city.store)
    done = tried(city)
    assert [(step.ok, step.detail) for step in done] == [(False, "refused")]
    assert "Is `kogge radius` running" in done[0].hint
    assert rows_of(city.store) == before


def test_an_address_of_another_machine_is_named() -> None:
    place = Place("rostock", "192.0.2.1", 1812, 1813, "127.254.0.1")
    step = unanswered("Status-Server", OSError(22, "Invalid argument"), place, 1812)
    assert "`radius.listen`" in step.hint and not step.answered


def test_a_line_fits_80_columns() -> None:
    for name in [each.name for each in STEPS]:
        shown = line(Step(name, True, 123.4567, "Access-Accept (transmission 2)"))
        assert len(shown) <= 90 and "✓" in shown
    assert max(map(len, line(unanswered("x", TimeoutError(), Place("a", "b", 1, 2, "c"), 1)).splitlines())) <= 80


# The command ------------------------------------------------------------------------------------------


def test_the_command_against_a_running_service(made: Written, kogge: Kogge) -> None:
    down = kogge("radius", "test", "rostock", "--dir", made.path)
    assert down.exit_code == 1 and "✗ Status-Server, authentication port" in down.stdout
    with service(made, "radius", "--city", "rostock"):
        up = kogge("radius", "test", "rostock", "--dir", made.path)
        assert up.exit_code == 0, up.stdout
        assert up.stdout.count("✓") == len(STEPS) and "✗" not in up.stdout and " ms " in up.stdout
        said = json.loads(kogge("radius", "test", "rostock", "--json", "--dir", made.path).stdout)
        assert said["ok"] and len(said["steps"]) == said["planned"] == len(STEPS)
        assert said["steps"][3] == said["steps"][3] | {"name": "log-in with CHAP", "ok": True, "hint": ""}
        listed = kogge("nas", "list", "rostock", "--dir", made.path).stdout
        assert self_test.IDENTIFIER not in listed and self_test.source_address("127.0.0.1") not in listed
        stranger = kogge("radius", "test", "wismar", "--dir", made.path)
        assert stranger.exit_code == 1 and "with this city" in " ".join(stranger.stdout.split())


def test_a_service_of_another_installation_keeps_silent(made: Written, tmp_path: Path, kogge: Kogge) -> None:
    """The same files and ports, other keys and another database: a copy that somebody forgot."""
    other = tmp_path / "copy"
    shutil.copytree(made.path, other, ignore=shutil.ignore_patterns(made.installation.data_dir.name))
    initialise(other, ["rostock"], now=datetime.now(UTC), say=lambda _: None)
    assert load_installation(other).installation.data_dir != made.installation.data_dir
    with service(made, "radius", "--city", "rostock"):
        assert kogge("radius", "test", "rostock", "--dir", made.path).exit_code == 0
        result = kogge("radius", "test", "rostock", "--dir", other)
    assert result.exit_code == 1
    assert "no answer" in result.stdout and "of this installation" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("kiel",), "no city 'kiel' here; there are rostock, wismar"),
        ((), "Missing argument 'CITY'"),
    ],
)
def test_what_cannot_be_tested_is_status_2(words: tuple[str, ...], said: str, made: Written, kogge: Kogge) -> None:
    result = kogge("radius", "test", *words, "--dir", made.path)
    assert result.exit_code == 2 and said in result.stderr and result.stdout == ""


def test_a_second_test_is_told_to_wait(made: Written, kogge: Kogge) -> None:
    city = open_city(made.installation, made.cities["rostock"], now=datetime.now(UTC))
    with prepared(city, now=datetime.now(UTC), random_octets=os.urandom):
        result = kogge("radius", "test", "rostock", "--dir", made.path)
    city.store.close()
    assert result.exit_code == 2 and "another test is under way; wait 120 s" in result.stderr


# `kogge radius` is a service and a group ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "folder", "only"),
    [
        ([], ".", ()),
        (["my-wifi"], "my-wifi", ()),
        (["my-wifi", "--city", "rostock"], "my-wifi", ("rostock",)),
        (["--city", "rostock", "my-wifi"], "my-wifi", ("rostock",)),
        (["./test"], "test", ()),
    ],
)
def test_without_a_subcommand_it_serves(words: list[str], folder: str, only: tuple[str, ...]) -> None:
    program = click.Context(main, **main.context_settings)  # click keeps the help option that it was first asked with
    context = main.commands["radius"].make_context("radius", list(words), program)
    assert (context.params["folder"], context.params["only"]) == (Path(folder), only)
    assert not context.args


@pytest.mark.parametrize("words", [["my-wifi", "test"], ["tset", "rostock"], ["my-wifi", "test", "rostock"]])
def test_what_is_neither_is_refused(words: list[str], kogge: Kogge) -> None:
    result = kogge("radius", *words)
    assert result.exit_code == 2 and "unexpected extra argument" in result.stderr
