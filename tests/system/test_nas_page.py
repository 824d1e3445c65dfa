"""A NAS that is added in the staff page: real processes answer it within two seconds, its secret is readable nowhere,
and no other city's RADIUS knows it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from config.model import CityConfig
from portal.staff.login import hash_password
from service.cities import open_city
from store import staff
from tests.conftest import run
from tests.support.installation import Written, write_installation
from tests.support.processes import service

pytestmark = [pytest.mark.system, pytest.mark.tool("radclient"), pytest.mark.tool("curl")]

PASSWORD = "a password of the admin"
EFFECT_SECONDS = 2.0
GIVEN_SECRET = "Geheimnis-des-Herstellers-7"


@dataclass
class Town:
    """Two running cities; this machine is to become a NAS of Rostock."""

    written: Written
    folder: Path

    def city(self, key: str) -> CityConfig:
        return self.written.cities[key]

    def curl(self, path: str, **fields: str) -> str:
        """A staff page of Rostock, or the answer to its form."""
        url, jar = self.city("rostock").portal.staff_url, str(self.folder / "cookies")
        place = urlsplit(url)
        body = self.folder / "form"
        body.write_text(urlencode(fields))
        options = [
            "-si",
            "-H",
            "Accept-Language: en",
            "--resolve",
            f"{place.hostname}:{place.port}:127.0.0.1",
            "-b",
            jar,
            "-c",
            jar,
        ]
        return run("curl", *options, *(["--data", f"@{body}"] if fields else []), f"{url}{path}").stdout

    def log_in(self) -> None:
        assert " 303 " in self.curl("/staff/login", login="admin", password=PASSWORD).splitlines()[0]

    def send(self, path: str, **fields: str) -> str:
        """A form with the token of this session's pages."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.curl("/staff/nases"))
        assert token
        return self.curl(path, csrf=token[1], **fields)

    def answered(self, key: str, secret: str) -> bool:
        """Whether an Access-Request with that secret gets an answer that is made with it."""
        radius, file = self.city(key).radius, self.folder / "radclient-secret"
        file.write_text(secret)
        request = 'User-Name="nobody",User-Password="x",NAS-Identifier="radclient-gw",Message-Authenticator=0x00'
        command = ["radclient", "-x", "-r", "1", "-t", "0.3", "-S", str(file), f"127.0.0.1:{radius.auth_port}", "auth"]
        done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=20, check=False)
        return "Received Access-Reject" in done.stdout

    def await_answer(self, secret: str, *, wanted: bool) -> float:
        """Seconds until Rostock's RADIUS answers, or is silent; asked again and again for ten seconds."""
        began = time.monotonic()
        while time.monotonic() - began < 10:
            asked = time.monotonic()
            if self.answered("rostock", secret) is wanted:
                return asked - began
        raise AssertionError(f"no change in ten seconds: answered is {not wanted}")

    def await_words(self, nas_id: str, wanted: str, *, seconds: float = 10) -> None:
        """Until the NAS's page says it."""
        until = time.monotonic() + seconds
        while wanted not in (page := unescape(self.curl(f"/staff/nases/{nas_id}"))):
            assert time.monotonic() < until, page
            time.sleep(0.3)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("nas-page")
    written = write_installation(folder / "installation", ["rostock", "wismar"])
    written.initialise()
    now = datetime.now(UTC)
    city = open_city(written.installation, written.cities["rostock"], now=now)
    with city.store.write() as conn:
        staff.set_password(conn, staff.by_login(conn, "admin").id, hash_password(PASSWORD))  # type: ignore[union-attr]
    city.store.close()
    with service(written, "radius"), service(written, "portal"):
        town = Town(written, folder)
        town.log_in()
        yield town


def nas(**changes: str) -> dict[str, str]:
    return {
        "name": "radclient",
        "site": "stadthafen",
        "product": "standard",
        "address": "127.0.0.1",
        "nas_identifier": "radclient-gw",
    } | changes


def secret_on(page: str) -> str:
    found = re.search(r"RADIUS secret +(\S+)", unescape(page))
    assert found, page
    return found[1]


def readable_in(town: Town, secret: str) -> list[str]:
    """The installation's files, databases and logs among them, that have the secret's bytes."""
    files = [file for file in town.written.path.rglob("*") if file.is_file()]
    assert any(file.name == "kogge.db" for file in files), files
    assert any(file.name == "radius.log" for file in files) and any(file.name == "portal.log" for file in files)
    return [file.name for file in files if secret.encode() in file.read_bytes()]


def test_a_nas_added_in_the_staff_page_is_answered_and_its_secret_readable_nowhere(town: Town) -> None:
    assert not town.answered("rostock", GIVEN_SECRET), "this machine is nobody yet"
    page = town.send("/staff/nases/new", **nas())
    secret = secret_on(page)
    assert town.await_answer(secret, wanted=True) <= EFFECT_SECONDS
    assert not town.answered("rostock", GIVEN_SECRET), "with another secret there is silence"
    assert not town.answered("wismar", secret), "another city does not know it"

    nas_id = re.findall(r'href="/staff/nases/(\d+)">radclient<', town.curl("/staff/nases"))[0]
    town.send(f"/staff/nases/{nas_id}/change", **nas(secret=GIVEN_SECRET))
    assert town.await_answer(GIVEN_SECRET, wanted=True) <= EFFECT_SECONDS
    assert not town.answered("rostock", secret), "the old secret is worth nothing any more"
    assert GIVEN_SECRET in town.send(f"/staff/nases/{nas_id}/secrets")

    for each in (secret, GIVEN_SECRET):
        assert readable_in(town, each) == []
    assert secret not in town.curl("/staff/audit") and GIVEN_SECRET not in town.curl("/staff/audit")

    town.send(f"/staff/nases/{nas_id}/remove", yes="1")
    assert town.await_answer(GIVEN_SECRET, wanted=False) <= EFFECT_SECONDS


def test_a_nas_of_the_command_line_needs_no_restart_either(town: Town) -> None:
    words = ["--site", "stadthafen", "--product", "standard", "--address", "127.0.0.1"]
    at = ["--dir", str(town.written.path)]
    program = str(Path(sys.executable).parent / "kogge")
    added = run(program, "nas", "add", "rostock", "radclient", "--nas-identifier", "radclient-gw", *words, *at)
    assert added.returncode == 0, added.stderr
    secret = secret_on(added.stdout)
    assert town.await_answer(secret, wanted=True) <= EFFECT_SECONDS
    assert readable_in(town, secret) == []
    assert run(program, "nas", "remove", "rostock", "radclient", "--yes", *at).returncode == 0
    assert town.await_answer(secret, wanted=False) <= EFFECT_SECONDS


def test_the_page_says_what_arrived_and_takes_over_the_address(town: Town) -> None:
    """From an address that was mistyped, by one click, to a wrong secret, to an answer."""
    page = town.send("/staff/nases/new", **nas(name="mistyped", address="192.0.2.77"))
    secret = secret_on(page)
    nas_id = re.findall(r'href="/staff/nases/(\d+)">mistyped<', town.curl("/staff/nases"))[0]
    assert not town.answered("rostock", secret)
    town.await_words(nas_id, "use the address 127.0.0.1")
    town.send(f"/staff/nases/{nas_id}/adopt", field="address", value="127.0.0.1")
    town.await_answer(secret, wanted=True)
    town.await_words(nas_id, "Authentication works. No accounting has come in yet")
    assert not town.answered("rostock", GIVEN_SECRET)
    town.await_words(nas_id, "they are made with another RADIUS secret")
    assert town.answered("rostock", secret)
    town.await_words(
        nas_id, "Authentication works. No accounting has come in yet", seconds=60
    )  # well is told now and then
    town.send(f"/staff/nases/{nas_id}/remove", yes="1")
