"""What openNDS's gateways say to the portal: who may get on, who did, who is gone; and who is not believed."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from hotspot.access import Accept
from monitor import housekeeping
from portal.captive import authorising
from portal.captive.handoff import fas
from portal.captive.handoff.protocol import Awaited
from store import awaited, nases, residents, schema
from store.nases import Nas
from tests.portal.hands import PHONE, Door
from tests.portal.test_authorising import admitted, newest

KEY = "faskey1234ofThisTest"
TOKEN = "21b55392"
HID = hashlib.sha256(TOKEN.encode()).hexdigest()
NAME = hashlib.sha256((HID + KEY).encode()).hexdigest()
GATEWAY = hashlib.sha256(b"opennds-gw%20Node%3a4a4efa086d19%20").hexdigest()


@pytest.fixture
def nas(door: Door) -> Nas:
    """The city's first NAS as an openNDS gateway, called from where the tests' client calls."""
    return become(door, "fas3")


def become(door: Door, handoff: str, address: str = "127.0.0.1") -> Nas:
    city = door.city
    with city.store.write() as conn:
        sealed = nases.seal_nas_secrets(city.store.keys, b"secret-secret-1", KEY.encode())
        values = {"product": "opennds", "handoff": handoff, "address": address, **sealed}
        conn.execute(update(schema.nas).values(login_url="http://10.77.0.1:2050", **values))
        conn.execute(update(schema.plan).values(session_minutes=10))
    return door.nas


def wait_for(door: Door, nas: Nas, name: str = NAME, *, proven: bool = True, **changes: Any) -> Accept:
    """A device that the portal let on, of which its gateway has not told yet."""
    now = door.clock()
    ticket = admitted(door.city, now=now).credential.name
    accept = authorising.by_ticket(door.city, nas, PHONE, ticket, proven=proven, now=now)
    assert isinstance(accept, Accept)
    due = Awaited(name, "", replace(accept, **changes), framed_ip="10.77.0.62", gateway=GATEWAY)
    authorising.await_word(door.city, nas, due, proven=proven, now=now)
    return due.accept


def send(door: Door, fields: dict[str, str], *, at: str = "") -> TestResponse:
    client = door.app.test_client(use_cookies=False)
    return client.post(f"/at/{at or door.nas.nas_identifier}", base_url=door.url, data=fields)


def call(
    door: Door, said: str, payload: str = "none", *, gateway: str = GATEWAY, at: str = "", **changes: str
) -> TestResponse:
    """As authmon's post-request.php calls."""
    sent = {"auth_get": said, "gatewayhash": gateway, "payload": base64.b64encode(payload.encode()).decode()}
    return send(door, sent | changes, at=at)


def report(door: Door, *words: str, key: str = KEY) -> TestResponse:
    """As our BinAuth script does."""
    payload = "/".join(words)
    signature = hashlib.sha256(f"{payload} {key}".encode()).hexdigest()
    return send(door, {"auth_get": "binauth", "payload": payload, "signature": signature})


def started(door: Door, mac: str = "02:00:5e:10:00:0a") -> TestResponse:
    return report(door, "client_auth", mac, "0", "0", "1795580687", "1795667087", TOKEN)


def open_sessions(door: Door) -> int:
    with door.city.store.read() as conn:
        return len(list(conn.execute(select(schema.session.c.id).where(schema.session.c.ended_at.is_(None)))))


# authmon ------------------------------------------------------------------------------------------------


def test_a_gateway_is_told_who_may_get_on_until_it_acknowledges(door: Door, nas: Nas) -> None:
    wait_for(door, nas, session_seconds=600, rate_down_bps=0, rate_up_bps=0, octets_left=None)
    wanted = f"* {NAME}%2010%200%200%200%200%20na"
    assert call(door, "view").text == wanted == call(door, "view").text
    assert open_sessions(door) == 0, "nothing begins before the gateway says so"
    assert call(door, "view", f"* {NAME}").text == "ack"
    assert call(door, "view").text == "*"
    view = newest(door.city)
    assert (view.ended_at, view.started_at) == (None, door.clock())


def test_several_acknowledgements_come_in_one_line(door: Door, nas: Nas) -> None:
    wait_for(door, nas)
    wait_for(door, nas, "cd" * 32)
    assert call(door, "view", f"* {'cd' * 32} {NAME}").text == "ack"
    assert call(door, "view").text == "*"


def test_acknowledging_whom_nobody_awaits_begins_nothing(door: Door, nas: Nas) -> None:
    assert call(door, "view", "* " + "ef" * 32).text == "ack"
    assert open_sessions(door) == 0


def test_list_is_view_that_nobody_acknowledges(door: Door, nas: Nas) -> None:
    wait_for(door, nas)
    assert call(door, "list").text.startswith(f"* {NAME}")
    assert call(door, "list").text == "*" and open_sessions(door) == 1


def test_a_list_has_1024_characters_and_the_others_come_next(door: Door, nas: Nas) -> None:
    for number in range(15):
        wait_for(door, nas, f"{number:064x}")
    told: set[str] = set()
    for _ in range(2):
        answer = call(door, "view").text
        assert len(answer) <= 2 + 1_024
        told |= {word[:64] for word in answer.split()[1:]}
        door.clock.forward(seconds=5)
    assert len(told) == 15


def test_who_has_waited_too_long_is_not_listed_any_more(door: Door, nas: Nas) -> None:
    wait_for(door, nas)
    door.clock.now += awaited.LISTED_FOR
    assert call(door, "view").text == "*"


def test_a_gateway_that_starts_anew_forgets_its_own_clients(door: Door, nas: Nas) -> None:
    wait_for(door, nas)
    assert call(door, "clear", gateway="00" * 32).status_code == 200
    assert call(door, "clear").text == "ack"
    assert call(door, "view").text != "*", "who tapped in the seconds between its start and its call is its client"
    door.clock.now += awaited.BEGUN_BEFORE + timedelta(seconds=1)
    assert call(door, "clear").text == "ack"
    assert call(door, "view").text == "*"


def test_another_gateway_of_the_nas_is_told_of_its_own_alone(door: Door, nas: Nas) -> None:
    wait_for(door, nas)
    assert call(door, "view", gateway="00" * 32).text == "*"
    assert call(door, "view", gateway="").text == "*"


def test_version_10_asks_by_get(door: Door, nas: Nas) -> None:
    wait_for(door, nas)
    query = f"auth_get=view&gatewayhash={GATEWAY}&payload={base64.b64encode(b'none').decode()}"
    client = door.app.test_client(use_cookies=False)
    assert NAME in client.get(f"/at/{nas.nas_identifier}?{query}", base_url=door.url).text


def test_its_own_script_tells_of_an_end(door: Door, nas: Nas) -> None:
    wait_for(door, nas)
    call(door, "view", f"* {NAME}")
    door.clock.forward(minutes=3)
    said = (
        f"method=idle_deauth, clientmac=02:00:5e:10:00:0a, bytes_incoming=900, bytes_outgoing=100, "
        f"session_start=1, session_end=2, token={TOKEN}, custom=none"
    )
    assert call(door, "deauthed", said).text == "ack"
    view = newest(door.city)
    assert (view.terminate_cause, view.seconds, view.estimated) == ("Idle-Timeout", 180, False)
    assert (view.octets.down, view.octets.up) == (900, 100)


def test_a_stranger_is_not_told_who_waits(door: Door) -> None:
    nas = become(door, "fas3", address="192.0.2.7")
    wait_for(door, nas)
    for said in ("view", "list", "clear", "deauthed"):
        assert (call(door, said).status_code, call(door, said).text) == (403, "")
    assert door.sample("kogge_portal_gateway_calls_total", call="view", result="not_believed") == 2


def test_only_opennds_has_such_calls(door: Door) -> None:
    assert call(door, "view").status_code == 403
    become(door, "fas3")
    assert call(door, "view", at="nobody").status_code == 403


@pytest.mark.parametrize("fields", [{"auth_get": "eval"}, {"payload": "%%%"}, {"payload": "A" * 9_000}])
def test_what_makes_no_sense_is_refused(door: Door, nas: Nas, fields: dict[str, str]) -> None:
    assert send(door, {"auth_get": "view", "gatewayhash": GATEWAY, "payload": "bm9uZQ=="} | fields).status_code == 400


# BinAuth ------------------------------------------------------------------------------------------------


def test_our_script_tells_of_start_and_end(door: Door) -> None:
    nas = become(door, "fas1")
    wait_for(door, nas, proven=False)
    assert started(door).text == "ack"
    assert newest(door.city).ended_at is None
    door.clock.forward(minutes=2)
    ended = report(door, "timeout_deauth", "02:00:5e:10:00:0a", "3505", "17", "1", "2", TOKEN)
    assert ended.text == "ack"
    view = newest(door.city)
    assert (view.terminate_cause, view.seconds) == ("Session-Timeout", 120)
    assert (view.octets.down, view.octets.up) == (3505, 17)


def test_the_gateways_word_for_the_device_proves_it(door: Door) -> None:
    """Level 1: the redirect was a mere claim; the browser that was given the grant now speaks for its device."""
    nas = become(door, "fas1")
    accept = wait_for(door, nas, proven=False)
    with door.city.store.read() as conn:
        assert not residents.was_accepted(conn, accept.grant_id, accept.device_id)
    started(door)
    with door.city.store.read() as conn:
        assert residents.was_accepted(conn, accept.grant_id, accept.device_id)


def test_a_claim_for_another_device_begins_no_session(door: Door) -> None:
    nas = become(door, "fas1")
    wait_for(door, nas, proven=False)
    assert started(door, mac="02:00:5e:99:99:99").status_code == 200
    assert open_sessions(door) == 0


def test_who_deleted_everything_meanwhile_gets_no_session(door: Door) -> None:
    nas = become(door, "fas1")
    wait_for(door, nas, proven=False)
    with door.city.store.write() as conn:
        for table in (schema.ticket, schema.decision, schema.acceptance, schema.grant, schema.device):
            conn.execute(table.delete())
    assert started(door).status_code == 200 and open_sessions(door) == 0


def test_a_report_needs_no_address_but_the_key(door: Door) -> None:
    nas = become(door, "fas1", address="192.0.2.7")
    wait_for(door, nas, proven=False)
    words = ("client_auth", "02:00:5e:10:00:0a", "0", "0", "1", "2", TOKEN)
    assert report(door, *words, key="another").status_code == 403
    assert report(door, *words).status_code == 200 and open_sessions(door) == 1
    assert report(door, *words).status_code == 200 and open_sessions(door) == 1, "twice told is once told"


@pytest.mark.parametrize(
    "words",
    [
        ("client_auth",),
        ("client_auth", "no-mac", "0", "0", "1", "2", TOKEN),
        ("timeout_deauth", "02:00:5e:10:00:0a", "-1", "0", "1", "2", TOKEN),
        ("timeout_deauth", "02:00:5e:10:00:0a", "9" * 30, "0", "1", "2", TOKEN),
    ],
)
def test_a_signed_report_that_makes_no_sense_is_refused(door: Door, words: tuple[str, ...]) -> None:
    become(door, "fas1")
    assert report(door, *words).status_code == 400


# What is kept -------------------------------------------------------------------------------------------


def test_too_many_make_room_and_nobody_waits_for_ever(door: Door, nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaited, "EACH_NAS_MAX", 2)
    for number in range(4):
        wait_for(door, nas, f"{number:064x}")
        door.clock.forward(seconds=1)
    assert door.count(schema.awaited) == 2
    late = door.clock.now + awaited.KEPT + timedelta(seconds=1)
    with door.city.store.write() as conn:
        assert awaited.purge(conn, now=late) == 2
    assert "purge-awaited" in {job.name for job in housekeeping.JOBS}


def test_the_signed_limits_are_for_one_client() -> None:
    accept = Accept(1, 1, 60, 0, 0, 0, None)
    other = fas.signed_limits(accept, PHONE, "00" * 32, KEY.encode())
    assert fas.signed_limits(accept, PHONE, HID, KEY.encode()) != other
