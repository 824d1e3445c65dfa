"""The shipped nginx and Caddy files before two portal processes, over TLS: who is believed, and what TLS brings."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from config.load import load_installation
from hotspot.roles import Role
from portal.staff.guard import COOKIE
from portal.staff.login import hash_password
from service.cities import open_cities
from store import staff
from tests.conftest import miss
from tests.support.installation import Written, write_installation
from tests.support.processes import Answer, http_get, service
from tests.support.tls import Certified, certify

pytestmark = pytest.mark.system

DEPLOY = Path(__file__).parents[2] / "deploy"
NAMES = {
    "rostock": ("wlan.rostock.example", "staff.wlan.rostock.example"),
    "wismar": ("wlan.wismar.example", "staff.wlan.wismar.example"),
}
SHIPPED_NAMES = "wlan.rostock.example{separator}staff.wlan.rostock.example"
PROXY = "127.0.0.1"
READY_SECONDS = 30.0
ATTEMPTS = 3

FreePort = Callable[..., int]


@dataclass(frozen=True)
class Front:
    """The proxy, over TLS."""

    port: int
    certified: Certified

    def ask(
        self,
        name: str,
        path: str,
        *,
        client: str = "127.0.0.5",
        form: Mapping[str, str] | None = None,
        **headers: str,
    ) -> Answer:
        """One request of a client with this address on loopback."""
        context = ssl.create_default_context(cafile=str(self.certified.authority))
        with socket.create_connection((PROXY, self.port), 20, source_address=(client, 0)) as plain:
            connection = http.client.HTTPConnection(name)
            connection.sock = context.wrap_socket(plain, server_hostname=name)
            body = None if form is None else urlencode(form)
            sent = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
            sent |= {each.replace("_", "-"): value for each, value in headers.items()}
            connection.request("GET" if body is None else "POST", path, body, sent)
            response = connection.getresponse()
            found = {each.lower(): value for each, value in response.getheaders()}
            answer = Answer(response.status, found, response.read().decode())
            connection.close()
            return answer

    def log_in(self, key: str, login: str, client: str, **headers: str) -> int:
        name = NAMES[key][1]
        return self.ask(name, "/staff/login", client=client, form={"login": login, "password": "x"}, **headers).status


# The portal's processes ---------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Rostock believes the proxy, Wismar nobody. Three wrong passwords from one address are too many."""
    made = write_installation(tmp_path / "kogge", list(NAMES), limits={"login_attempts": ATTEMPTS})
    for key, (name, staff_name) in NAMES.items():
        file = made.path / "cities" / f"{key}.toml"
        settings = made.cities[key].portal
        text = file.read_text().replace(settings.staff_url, f"https://{staff_name}")
        text = text.replace(settings.url, f"https://{name}")
        if key == "rostock":
            text = text.replace("trusted_proxies = []", f'trusted_proxies = ["{PROXY}/32"]')
        file.write_text(text)
    made.initialise()
    return made


@pytest.fixture
def second(written: Written, tmp_path: Path, free_port: FreePort) -> Written:
    """Another process's folder: listeners of its own, the same cities and data."""
    folder = tmp_path / "second"
    folder.mkdir()
    text = (written.path / "kogge.toml").read_text()
    for old in (written.installation.portal.listen, written.installation.portal.metrics_listen):
        text = text.replace(old, f"127.0.0.1:{free_port()}")
    text = text.replace('"data"', f'"{written.path}/data"').replace('"cities"', f'"{written.path}/cities"')
    (folder / "kogge.toml").write_text(text)
    return Written(folder, load_installation(folder).installation, written.cities)


# The proxies --------------------------------------------------------------------------------------------


def adapted(file: Path, changes: Mapping[str, str]) -> str:
    """A shipped file with what an operator changes; everything named must be there."""
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, f"{file.name}: {old}"
        text = text.replace(old, new)
    return text


def nginx(folder: Path, ports: tuple[int, int], certified: Certified, upstreams: list[str]) -> list[str]:
    names = " ".join(name for pair in NAMES.values() for name in pair)
    site = adapted(
        DEPLOY / "nginx" / "kogge.conf",
        {
            SHIPPED_NAMES.format(separator=" "): names,
            "listen 443": f"listen {PROXY}:{ports[0]}",
            "    listen [::]:443 ssl http2;\n": "",
            "listen 80": f"listen {PROXY}:{ports[1]}",
            "    listen [::]:80;\n": "",
            "/etc/ssl/kogge/fullchain.pem": str(certified.certificate),
            "/etc/ssl/kogge/key.pem": str(certified.key),
            "127.0.0.1:8080": upstreams[0],
            "# server 127.0.0.1:8081": f"server {upstreams[1]}",
        },
    )
    (folder / "kogge.conf").write_text(site)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\n{paths}include {folder}/kogge.conf;\n}}\n"
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(main)]


def caddy(folder: Path, ports: tuple[int, int], certified: Certified, upstreams: list[str]) -> list[str]:
    sites = ", ".join(f"{name}:{ports[0]}" for pair in NAMES.values() for name in pair)
    site = adapted(
        DEPLOY / "caddy" / "Caddyfile",
        {
            SHIPPED_NAMES.format(separator=", ") + " {": f"{sites} {{\n\ttls {certified.certificate} {certified.key}",
            "reverse_proxy 127.0.0.1:8080": f"reverse_proxy {' '.join(upstreams)}",
        },
    )
    options = f"{{\n\tadmin off\n\tauto_https off\n\tdefault_bind {PROXY}\n\tstorage file_system {folder}\n}}\n"
    file = folder / "Caddyfile"
    file.write_text(options + site)
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


PROXIES = {"nginx": nginx, "caddy": caddy}


@contextlib.contextmanager
def running(command: list[str], folder: Path, front: Front) -> Iterator[Front]:
    log = folder / "proxy.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {"HOME": str(folder)})
    try:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError):
                if front.ask(NAMES["rostock"][0], "/help").status == 200:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"{command[0]} does not answer:\n{log.read_text()[-2000:]}")
        yield front
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(READY_SECONDS)


@pytest.fixture(params=PROXIES)
def front(
    request: pytest.FixtureRequest, written: Written, second: Written, tmp_path: Path, free_port: FreePort
) -> Iterator[Front]:
    if shutil.which(request.param) is None:
        miss(f"needs {request.param}")
    folder, ports = tmp_path / request.param, (free_port(), free_port())
    folder.mkdir()
    certified = certify(tmp_path / "tls", [name for pair in NAMES.values() for name in pair])
    upstreams = [each.installation.portal.listen for each in (written, second)]
    command = PROXIES[request.param](folder, ports, certified, upstreams)
    ready = Front(ports[0], certified)
    with service(written, "portal"), service(second, "portal"), running(command, folder, ready):
        yield ready


# What it is for -----------------------------------------------------------------------------------------


def test_a_portal_behind_tls(front: Front, written: Written, second: Written) -> None:
    name, staff_name = NAMES["rostock"]
    page = front.ask(name, "/help", Accept_Language="de")
    assert page.status == 200
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert "Hanse- und Universitätsstadt Rostock" in page.body
    assert front.ask(staff_name, "/staff/login").status == 200
    assert [front.ask(name, path).status for path in ("/healthz", "/readyz")] == [404, 404]
    _both_processes_serve(front, written, second)
    _the_proxy_alone_is_believed(front, written)
    _the_cookie_is_secure(front, written)


def _both_processes_serve(front: Front, *processes: Written) -> None:
    for _ in range(40):
        assert front.ask(NAMES["wismar"][0], "/help").status == 200
    for each in processes:
        token = (each.installation.data_dir / "wismar" / "keys" / "metrics.token").read_text().strip()
        page = http_get(
            each.installation.portal.metrics_listen, "/cities/wismar/metrics", Authorization=f"Bearer {token}"
        )
        served = [line for line in page.body.splitlines() if 'endpoint="captive.help"' in line and "requests" in line]
        assert served, f"{each.path.name}: no page of forty"


def _the_proxy_alone_is_believed(front: Front, written: Written) -> None:
    """Three wrong log-ins, each of another name: only their address is the same."""
    for number in range(ATTEMPTS):
        assert front.log_in("rostock", f"a{number}", "127.0.0.5", X_Forwarded_For=f"198.51.100.{number}") == 401
        assert front.log_in("wismar", f"a{number}", "127.0.0.5") == 401
    assert front.log_in("rostock", "b", "127.0.0.5", X_Forwarded_For="198.51.100.77") == 429, "one client, one address"
    assert front.log_in("rostock", "b", "127.0.0.6") == 401, "another client is another address"
    assert front.log_in("wismar", "b", "127.0.0.6") == 429, "Wismar believes no proxy: all are the proxy"
    listen = written.installation.portal.listen
    said = {"Host": NAMES["rostock"][1], "X-Forwarded-For": "127.0.0.5"}
    direct = http.client.HTTPConnection(*listen.split(":"), timeout=20, source_address=("127.0.0.7", 0))
    headers = said | {"Content-Type": "application/x-www-form-urlencoded"}
    direct.request("POST", "/staff/login", urlencode({"login": "b", "password": "x"}), headers)
    assert direct.getresponse().status == 401, "who is no proxy of Rostock's speaks for nobody"
    direct.close()


def _the_cookie_is_secure(front: Front, written: Written) -> None:
    password, now = "a password of this test", datetime.now(UTC)
    (rostock,) = open_cities(written.path, ["rostock"]).cities
    with rostock.store.write() as conn:
        hashed = hash_password(password)
        staff.add(conn, login="eve", name="Eve", role=Role.ADMIN, now=now, password_hash=hashed)
    rostock.store.close()
    form = {"login": "eve", "password": password}
    answer = front.ask(NAMES["rostock"][1], "/staff/login", client="127.0.0.8", form=form)
    assert answer.status == 303
    cookie = answer.headers["set-cookie"].split("; ")
    assert cookie[0].startswith(f"{COOKIE}=")
    assert "Secure" in cookie
