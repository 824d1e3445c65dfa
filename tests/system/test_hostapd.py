"""hostapd as a real NAS: 802.1X log-in, accounting, and its dynamic authorization server's answers to our orders."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from hotspot.values import MacAddress
from monitor.housekeeping import JOBS, run
from monitor.instruments import Instruments
from ops.cli import main
from ops.supervisor import kogge
from radius.record import CLASS_PREFIX
from service.cities import City, open_city
from store import accounting, nases, outbox, residents, schema, sessions
from store.outbox import Kind, State
from store.sessions import SessionView
from tests.conftest import run as run_command
from tests.support.installation import Written, write_installation
from tests.support.rows import add_session
from tests.support.wired import DAS_PORT, SECRET, STATION, Namespace, eventually, hostapd, namespace, supplicant

pytestmark = [
    pytest.mark.system,
    *(pytest.mark.tool(name) for name in ("ip", "hostapd", "wpa_supplicant", "freeradius", "radclient", "curl")),
]


@dataclass
class Wired:
    """Kogge's RADIUS and hostapd beside each other, and a grant that the device at the wire's end has."""

    city: City
    written: Written
    inside: Namespace
    nas: subprocess.Popen[bytes]
    nas_id: int
    device_id: int
    grant_id: int

    def logs(self) -> str:
        return "\n".join(f"--- {name}\n{self.inside.log(name)[-1500:]}" for name in ("hostapd", "supplicant", "radius"))

    def has_spoken(self) -> bool:
        with self.city.store.read() as conn:
            return self.nas_id in accounting.contacts(conn)

    def open_session(self) -> SessionView:
        """The device's session, once hostapd has told of it."""
        found: list[SessionView] = []

        def look() -> bool:
            with self.city.store.read() as conn:
                found[:] = [v for v in sessions.live(conn, limit=9) if v.device_id == self.device_id]
            return bool(found)

        eventually(look, "no Accounting-Start came", self.logs)
        return found[0]

    def counted(self, kind: str) -> int:
        """Accounting records of that kind, by the running service's own count."""
        listen = self.written.installation.radius.metrics_listen
        token = f"Authorization: Bearer {self.city.store.keys.metrics_token}"
        page = run_command(
            *self.inside.command("curl", "-s", "-H", token, f"http://{listen}/cities/stralsund/metrics")
        ).stdout
        found = re.findall(rf'^kogge_radius_acct_total{{.*type="{kind}".*}} (\S+)$', page, re.MULTILINE)
        return int(float(found[0])) if found else 0

    def becomes(self, order_id: int, state: State) -> outbox.Order:
        """The order, once it has got that far."""
        found: list[outbox.Order] = []

        def look() -> bool:
            with self.city.store.read() as conn:
                order = outbox.by_id(conn, order_id)
            assert order is not None
            found[:] = [order]
            return order.state is state

        eventually(look, f"the order is not {state.value}", lambda: f"{found}\n{self.logs()}")
        return found[0]

    def view(self, session_id: int) -> SessionView:
        with self.city.store.read() as conn:
            found = sessions.by_id(conn, session_id)
        assert found is not None
        return found


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wired]:
    """All of it, from hostapd's Accounting-On on. One for each test: hostapd keeps a device's Acct-Session-Id."""
    written = write_installation(tmp_path / "installation", ["stralsund"])
    written.initialise()
    city = open_city(written.installation, written.cities["stralsund"], now=datetime.now(UTC))
    nas_id = add_hostapd(city)
    device_id, grant_id = add_grant(city)
    with namespace(tmp_path) as inside, inside.running("radius", *kogge("radius", str(written.path))):
        eventually(lambda: answers(city, inside), "Kogge's RADIUS does not answer", lambda: inside.log("radius"))
        class_ = CLASS_PREFIX + str(grant_id).encode()
        with hostapd(inside, acct_port=city.config.radius.acct_port, class_=class_) as process:
            scene = Wired(city, written, inside, process, nas_id, device_id, grant_id)
            eventually(scene.has_spoken, "no Accounting-On came", scene.logs)
            yield scene
    city.store.close()


def add_hostapd(city: City) -> int:
    with city.store.write() as conn:
        return nases.add_nas(
            conn,
            city.store.keys,
            secret=SECRET.encode(),
            uam_secret=b"none",
            site_id=1,
            name="hostapd",
            nas_identifier="hostapd-gw",
            address="127.0.0.1",
            product="hostapd",
            login_url="http://127.0.0.1:3990",
            coa_port=DAS_PORT,
            require_message_authenticator="yes",
            octets_swapped=False,
            created_at=datetime.now(UTC),
        )


def add_grant(city: City) -> tuple[int, int]:
    """The device that will log in and its grant, for an hour."""
    now = datetime.now(UTC)
    with city.store.write() as conn:
        device_id = residents.note_device(conn, city.store.keys, MacAddress.parse(STATION), now=now)
        plan = next(each for each in residents.plans(conn) if each.key == "tap")
        grant_id = residents.add_grant(
            conn,
            device_id=device_id,
            plan_id=plan.id,
            terms_id=residents.current_terms(conn)[0].id,
            way=plan.way.value,
            granted_at=now,
            until_at=now + timedelta(hours=1),
        )
    return device_id, grant_id


def answers(city: City, inside: Namespace) -> bool:
    """Whether Status-Server is answered on the accounting port (RFC 5997)."""
    server = f"127.0.0.1:{city.config.radius.acct_port}"
    words = inside.command("radclient", "-x", "-r", "1", "-t", "1", server, "status", SECRET)
    return "Received Accounting-Response" in run_command(*words, text="Message-Authenticator=0x00").stdout


def test_hostapd_acknowledges_a_disconnect_and_its_stop_confirms_it(wired: Wired) -> None:
    with supplicant(wired.inside):
        online = wired.open_session()
        assert online.plan_name is not None, "hostapd returned the Class, which names the grant"
        with wired.city.store.write() as conn:
            now = datetime.now(UTC)
            order_id = outbox.want_disconnect(conn, session_id=online.id, requested_by=None, now=now)
        order = wired.becomes(order_id, State.CONFIRMED)
    ended = wired.view(online.id)
    assert order.attempts == 1 and order.error_cause is None
    assert ended.ended_at is not None and not ended.estimated, "a true Stop"


def test_the_command_shows_what_hostapd_does(wired: Wired) -> None:
    with supplicant(wired.inside):
        online = wired.open_session()
        words = ["stralsund", str(online.id), "--dir", str(wired.written.path)]
        told = CliRunner().invoke(main, ["radius", "disconnect", *words], catch_exceptions=False)
    assert told.exit_code == 0 and told.output.splitlines()[-1] == "disconnect confirmed", told.output
    again = CliRunner().invoke(main, ["radius", "disconnect", *words], catch_exceptions=False)
    assert again.exit_code == 2 and "ended at" in again.output


def test_a_session_whose_grant_is_over_is_ended_by_the_job(wired: Wired) -> None:
    job = next(job for job in JOBS if job.name == "end-spent-sessions")
    instruments = Instruments(wired.city.registry)
    with supplicant(wired.inside):
        online = wired.open_session()
        now = datetime.now(UTC)
        assert run(job, wired.city, instruments, holder="test", now=now) == 0
        with wired.city.store.write() as conn:
            conn.execute(update(schema.grant).where(schema.grant.c.id == wired.grant_id).values(until_at=now))
        assert run(job, wired.city, instruments, holder="test", now=datetime.now(UTC)) == 1
        with wired.city.store.read() as conn:
            query = select(schema.outbox.c.id).where(schema.outbox.c.session_id == online.id)
            order_id = conn.execute(query).scalar_one()
        assert wired.becomes(order_id, State.CONFIRMED).reason == "grant_expired"


def test_hostapd_refuses_a_session_that_it_does_not_know(wired: Wired) -> None:
    now = datetime.now(UTC)
    strangers = add_session(
        wired.city.store,
        wired.device_id,
        started_at=now,
        nas_id=wired.nas_id,
        acct_session_id="0123456789ABCDEF",
        framed_ip="10.1.0.2",
    )
    with wired.city.store.write() as conn:
        order_id = outbox.want(conn, Kind.DISCONNECT, strangers, reason="staff", now=now)
    order = wired.becomes(order_id, State.REFUSED)
    assert (order.error_cause, order.attempts) == (503, 1), "a NAK that says why, to a request that it could read"
    words = ["stralsund", str(strangers), "--dir", str(wired.written.path)]
    told = CliRunner().invoke(main, ["radius", "coa", *words], catch_exceptions=False)
    assert told.exit_code == 1 and "404 Invalid Request (the session has no grant" in told.output


def test_hostapd_tells_of_its_start_and_its_end(wired: Wired) -> None:
    with supplicant(wired.inside):
        online = wired.open_session()
        wired.nas.terminate()
        eventually(lambda: wired.view(online.id).ended_at, "its last Stop did not come", wired.logs)
    eventually(lambda: wired.counted("off"), "no Accounting-Off came", wired.logs)
    assert wired.counted("on") == wired.counted("start") == wired.counted("stop") == 1
