"""From the portal to the staff page by others' programs: curl gets the ticket, radclient redeems it and accounts."""

from __future__ import annotations

import hashlib
import html
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from config.load import FILE_NAME
from hotspot.roles import Role
from ops.supervisor import kogge
from portal.staff.login import hash_password
from service.cities import City, open_city
from store import nases, staff
from tests.conftest import run
from tests.support.installation import Written, write_installation
from tests.support.processes import service

pytestmark = [
    pytest.mark.system,
    pytest.mark.tool("radclient"),
    pytest.mark.tool("curl"),
]

MAC = "02-00-5E-00-53-01"
SECRET = b"a-secret-of-this-test"
UAM_SECRET = b"a-uam-secret"
CHALLENGE = bytes(range(16))
PASSWORD = "a password of the admin"


@dataclass
class Town:
    """One running city, this machine registered as a NAS."""

    city: City
    written: Written
    cookies: Path

    @property
    def portal(self) -> str:
        return self.city.config.portal.url

    def curl(self, url: str, *options: str) -> str:
        """The response with its headers."""
        host = urlsplit(url).hostname or ""
        port = urlsplit(url).port
        return run("curl", "-si", "--resolve", f"{host}:{port}:127.0.0.1", *options, url).stdout

    def radclient(self, kind: str, *lines: str) -> str:
        radius = self.city.config.radius
        port = radius.acct_port if kind == "acct" else radius.auth_port
        done = run("radclient", "-x", "-r", "1", f"127.0.0.1:{port}", kind, SECRET.decode(), text=",".join(lines))
        return done.stdout

    def redirect(self) -> str:
        """The address to which the NAS sends the resident, signed."""
        query = urlencode(
            {
                "res": "notyet",
                "uamip": "127.0.0.1",
                "uamport": "3990",
                "challenge": CHALLENGE.hex(),
                "called": "02-00-5E-00-53-FF",
                "mac": MAC,
                "ip": "10.1.0.2",
                "nasid": "radclient-gw",
                "userurl": "http://example.org/",
            }
        )
        url = f"{self.portal}/?{query}"
        return f"{url}&md={hashlib.md5(url.encode() + UAM_SECRET).hexdigest().upper()}"

    def staff_page(self, path: str) -> str:
        """As the admin sees it, after logging in by curl."""
        url, jar = self.city.config.portal.staff_url, str(self.cookies)
        if not self.cookies.exists():
            form = ("--data-urlencode", "login=admin", "--data-urlencode", f"password={PASSWORD}")
            assert "303" in self.curl(f"{url}/staff/login", "-c", jar, *form).splitlines()[0]
        return self.curl(f"{url}{path}", "-b", jar, "-H", "Accept-Language: en")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("radclient")
    written = write_installation(folder / "installation", ["stralsund"])
    written.initialise()
    city = open_city(written.installation, written.cities["stralsund"], now=datetime.now(UTC))
    with city.store.write() as conn:
        nases.add_nas(
            conn,
            city.store.keys,
            secret=SECRET,
            uam_secret=UAM_SECRET,
            site_id=1,
            name="radclient",
            nas_identifier="radclient-gw",
            address="127.0.0.1",
            product="coovachilli",
            login_url="http://127.0.0.1:3990",
            coa_port=3799,
            require_message_authenticator="yes",
            octets_swapped=False,
            created_at=datetime.now(UTC),
        )
        member = staff.by_login(conn, "admin")
        assert member is not None and member.role is Role.ADMIN
        staff.set_password(conn, member.id, hash_password(PASSWORD))
    with service(written, "radius"), service(written, "portal"):
        yield Town(city, written, folder / "cookies")
    city.store.close()


def accept(town: Town) -> dict[str, str]:
    """Walk through the portal by curl: the log-in address's query, as the NAS gets it."""
    page = town.curl(town.redirect())
    assert "200 OK" in page.splitlines()[0]
    fields = dict(re.findall(r'name="(visit|terms)" value="([^"]*)"', page))
    form = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={html.unescape(value)}")]
    answer = town.curl(f"{town.portal}/accept", *form)
    assert "303" in answer.splitlines()[0]
    location = next(line for line in answer.splitlines() if line.lower().startswith("location:"))
    url = urlsplit(location.partition(":")[2].strip())
    assert f"{url.scheme}://{url.netloc}{url.path}" == "http://127.0.0.1:3990/logon"
    return {name: values[0] for name, values in parse_qs(url.query).items()}


def access_request(ticket: dict[str, str]) -> list[str]:
    """What a NAS asks for that log-in: CHAP id 0 over k = md5(challenge, UAM secret)."""
    k = hashlib.md5(CHALLENGE + UAM_SECRET).hexdigest()
    return [
        f'User-Name="{ticket["username"]}"',
        f"CHAP-Password=0x00{ticket['response']}",
        f"CHAP-Challenge=0x{k}",
        f'Calling-Station-Id="{MAC}"',
        'NAS-Identifier="radclient-gw"',
        "Service-Type=Login-User",
        "Message-Authenticator=0x00",
    ]


def test_radclient_redeems_what_curl_was_given_and_the_staff_page_counts_it(town: Town) -> None:
    ticket = accept(town)
    accepted = town.radclient("auth", *access_request(ticket))
    assert "Received Access-Accept" in accepted
    wrong = town.radclient("auth", *access_request(ticket | {"response": "00" * 16}))
    assert "Received Access-Reject" in wrong and "wrong_password" in wrong
    unknown = town.radclient("auth", *access_request(ticket | {"username": "nobody"}))
    assert "Received Access-Reject" in unknown

    session = [
        f'User-Name="{ticket["username"]}"',
        'Acct-Session-Id="radclient-1"',
        f'Calling-Station-Id="{MAC}"',
        f"Class={re.findall(r'Class = (0x[0-9a-f]+)', accepted)[-1]}",
    ]
    counters = ["Acct-Session-Time=60", "Acct-Input-Octets=1000000", "Acct-Output-Octets=25000000"]
    assert "Received Accounting-Response" in town.radclient("acct", "Acct-Status-Type=Start", *session)
    assert "Received Accounting-Response" in town.radclient(
        "acct", "Acct-Status-Type=Interim-Update", *session, *counters
    )
    live = town.staff_page("/staff/sessions")
    row = re.findall(r'<tr id="session-1">.*?</tr>', live, re.DOTALL)[0]
    assert "25.0 MB" in row.replace("25 MB", "25.0 MB") and "1" in row and "Kostenlos" in row

    last = ["Acct-Session-Time=90", "Acct-Input-Octets=1500000", "Acct-Output-Octets=47100000"]
    stop = ["Acct-Status-Type=Stop", "Acct-Terminate-Cause=User-Request"]
    assert "Received Accounting-Response" in town.radclient("acct", *stop, *session, *last)
    ended = town.staff_page("/staff/sessions").partition('id="ended"')[2]
    row = re.findall(r'<tr id="session-1">.*?</tr>', ended, re.DOTALL)[0]
    assert "47.1 MB" in row and "1.5 MB" in row and "User-Request" in row


def test_every_city_page_is_small(town: Town) -> None:
    """Under 14 KB over the wire, headers included: one round trip."""
    for path in (town.redirect(), f"{town.portal}/help", f"{town.portal}/terms"):
        assert len(town.curl(path).encode()) < 14 * 1024


def test_status_server_is_answered_on_both_ports(town: Town) -> None:
    """RFC 5997 section 3: as each port answers."""
    radius = town.city.config.radius
    for port, answer in ((radius.auth_port, "Access-Accept"), (radius.acct_port, "Accounting-Response")):
        words = ("radclient", "-x", "-r", "1", f"127.0.0.1:{port}", "status", SECRET.decode())
        assert f"Received {answer}" in run(*words, text="Message-Authenticator=0x00").stdout


def test_a_second_daemon_is_refused_with_a_sentence(town: Town, tmp_path: Path) -> None:
    """With the same ports and metrics of its own, so that nothing but RADIUS stands in its way."""
    second = tmp_path / "installation"
    shutil.copytree(town.written.path, second)
    listen = town.written.installation.radius.metrics_listen
    file = second / FILE_NAME
    file.write_text(file.read_text().replace(listen, f"127.0.0.1:{free_tcp_port()}"))
    done = run(*kogge("radius", str(second)))
    assert done.returncode == 2
    assert "does another RADIUS server run there?" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
