"""Debian's openNDS as a real gateway, at each level of FAS that it has: from DHCP to online, and off it again in time.

A device is redirected, walks the page with curl and with Chromium, gets online, and is stopped when its time is over.

openNDS is set up by what `kogge nas show` prints, our BinAuth script included. Level 4 came with openNDS 10, which
Debian does not have: tests/portal/test_fas.py holds its formats.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import sync_playwright
from sqlalchemy import select, update
from sqlalchemy.engine import RowMapping

from hotspot.values import MacAddress
from ops.supervisor import kogge
from service.cities import City, open_city
from service.snippets import snippet
from simulator.browser import Page
from store import nases, residents, schema
from tests.conftest import run
from tests.support.gateway import (
    GATEWAY,
    GATEWAY_PORT,
    INTERNET_PAGE,
    UPSTREAM,
    WAN,
    Network,
    gateway,
    internet,
    lease,
    network,
)
from tests.support.installation import Written, change, write_installation
from tests.support.wired import eventually

TOOLS = ("ip", "opennds", "dnsmasq", "iptables-legacy", "ethtool", "udhcpc", "php", "nginx", "curl", "chromium")
pytestmark = [pytest.mark.system, pytest.mark.timeout(300), *(pytest.mark.tool(name) for name in TOOLS)]

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "opennds"
HTTP, HTTPS = "portal.stralsund.example", "portal.rostock.example"
PORT = 8080
CITY_OF = {1: "stralsund", 2: "stralsund", 3: "rostock"}
"""Levels 1 and 2 send people to http, level 3 to https: a city's portal has one address."""

KEYS = {1: "faskey1234ofThisTest0001", 2: "faskey1234ofThisTest0002", 3: "faskey1234ofThisTest0003"}
MINUTE_AND_CHECKS = timedelta(seconds=60 + 30)

NGINX = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address}:443 ssl;
    ssl_certificate {folder}/portal.pem;
    ssl_certificate_key {folder}/portal.key;
    location / {{
      proxy_pass http://{address}:{port};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;
    }}
  }}
}}
"""


@dataclass
class World:
    """One gateway with a device behind it and the portal in front."""

    level: int
    city: City
    nas_id: int
    net: Network
    address: str

    @property
    def device(self) -> MacAddress:
        return device_of(self.level)

    def walk(self, *options: str, url: str = "http://www.example.org/wanted") -> Page:
        """What a browser without cookies and JavaScript comes to, by curl."""
        trust = ("--cacert", str(self.net.folder / "ca.pem"))
        said = self.net.fetch(url, "-L", *trust, "-w", "\n%{http_code} %{url_effective}", *options)
        body, _, told = said.rpartition("\n")
        status, _, where = told.partition(" ")
        return Page(int(status), where, body, ())

    def is_online(self) -> bool:
        return INTERNET_PAGE in self.net.fetch("http://www.example.org/", timeout=5)

    def sessions(self) -> list[RowMapping]:
        with self.city.store.read() as conn:
            device_id = residents.find_device(conn, self.city.store.keys, self.device, now=datetime.now(UTC))
            query = select(schema.session).where(schema.session.c.device_id == (device_id or 0))
            return list(conn.execute(query.order_by(schema.session.c.id)).mappings())

    def newest(self) -> RowMapping:
        return self.sessions()[-1]

    def logs(self) -> str:
        return "\n".join(f"--- {name}\n{self.net.log(name)[-2500:]}" for name in ("portal", "dnsmasq", "opennds"))


def device_of(level: int) -> MacAddress:
    return MacAddress(bytes((2, 0, 0x5E, 0, 0x53, level)))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Two cities whose people tap for a minute."""
    made = write_installation(tmp_path_factory.mktemp("opennds") / "installation", ["stralsund", "rostock"])
    made = change(made, "kogge.toml", portal={"listen": f"{UPSTREAM}:{PORT}"})
    for key, url in (("stralsund", f"http://{HTTP}:{PORT}"), ("rostock", f"https://{HTTPS}")):
        urls = {"url": url, "staff_url": url.replace("portal", "staff")}
        made = change(made, f"cities/{key}.toml", portal={**urls, "trusted_proxies": [UPSTREAM]})
    made.initialise()
    return made


@pytest.fixture(scope="module")
def cities(written: Written) -> Iterator[dict[str, City]]:
    now = datetime.now(UTC)
    opened = {key: open_city(written.installation, config, now=now) for key, config in written.cities.items()}
    for city in opened.values():
        with city.store.write() as conn:
            conn.execute(update(schema.plan).values(session_minutes=1, remember_hours=0))
    yield opened
    for city in opened.values():
        city.store.close()


@dataclass(frozen=True)
class Outing:
    """A device that tapped its way on: whether it was online before, where it landed, what its page said then."""

    world: World
    online_before: bool
    landed: Page
    status: Page


@pytest.fixture(scope="module")
def outings(
    written: Written, cities: dict[str, City], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[int, Outing]]:
    """Each level's, all at once: their minutes pass together."""
    with contextlib.ExitStack() as stack:
        worlds = [
            stack.enter_context(world_of(level, cities[key], written, tmp_path_factory.mktemp(f"level{level}")))
            for level, key in CITY_OF.items()
        ]
        yield {world.level: go_out(world) for world in worlds}


def go_out(world: World) -> Outing:
    """From the redirect to the Internet."""
    before, landed = world.is_online(), tap(world)
    eventually(world.is_online, "it does not get online", world.logs)
    eventually(world.sessions, "nobody told of the session", world.logs)
    return Outing(world, before, landed, world.walk(url=landed.url))


@contextlib.contextmanager
def world_of(level: int, city: City, written: Written, folder: Path) -> Iterator[World]:
    nas_id = add_opennds(city, level)
    with city.store.read() as conn:
        nas = nases.by_id(conn, city.store.keys, nas_id)
    assert nas is not None
    make_certificate(folder)
    options, script = printed(snippet(city.config, nas).config)
    binauth = folder / "binauth.sh"
    binauth.write_text(script)
    binauth.chmod(0o755)
    fas = options | {"fasremoteip": UPSTREAM, "binauth": str(binauth)}
    poll = fas.pop(
        "nat_traversal_poll_interval"
    )  # Debian's daemon takes it for a mistake; authmon finds it in a comment
    assert poll == "5"
    fas["#nat_traversal_poll_interval"] = "1"
    trust = dict.fromkeys(("SSL_CERT_FILE", "CURL_CA_BUNDLE"), str(folder / "ca.pem"))  # PHP's and curl's
    nginx = folder / "nginx.conf"
    nginx.write_text(NGINX.format(folder=folder, address=UPSTREAM, port=PORT))
    with (
        network(folder, device_of(level)) as net,
        internet(net),
        net.running("upstream", "portal", *kogge("portal", str(written.path))),
        net.running("upstream", "nginx", "nginx", "-c", str(nginx)),
        gateway(net, fas=fas, names=dict.fromkeys((HTTP, HTTPS), UPSTREAM), environment=trust),
        lease(net) as address,
    ):
        made = World(level, city, nas_id, net, address)
        eventually(lambda: made.walk(url=f"{city.config.portal.url}/help").status == 200, "no portal", made.logs)
        yield made


def add_opennds(city: City, level: int) -> int:
    with city.store.write() as conn:
        return nases.add_nas(
            conn,
            city.store.keys,
            secret=b"it-speaks-no-radius",
            uam_secret=KEYS[level].encode(),
            site_id=1,
            name=f"opennds-{level}",
            nas_identifier=f"opennds-{level}",
            address=f"{WAN}.2",
            product="opennds",
            handoff=f"fas{level}",
            login_url=f"http://{GATEWAY}:{GATEWAY_PORT}",
            coa_port=3799,
            require_message_authenticator="yes",
            octets_swapped=False,
            created_at=datetime.now(UTC),
        )


def make_certificate(folder: Path) -> None:
    """The portal's, of a CA of its own that is itself."""
    words = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ["-keyout", str(folder / "portal.key"), "-out", str(folder / "portal.pem")]
    done = run("openssl", *words, "-subj", f"/CN={HTTPS}", "-addext", f"subjectAltName=DNS:{HTTPS}", *files)
    assert done.returncode == 0, done.stderr
    shutil.copy(folder / "portal.pem", folder / "ca.pem")


def printed(config: str) -> tuple[dict[str, str], str]:
    """The options and the BinAuth script of what `kogge nas show` prints."""
    options, _, script = config.partition("#!/bin/sh\n")
    lines = (shlex.split(line, comments=True) for line in options.splitlines())
    return {words[1]: words[2] for words in lines if words[:1] == ["option"]}, f"#!/bin/sh\n{script}"


# Getting on -----------------------------------------------------------------------------------------------


def tap(world: World) -> Page:
    """From any page to the terms, and on with them; the page that curl ends at."""
    page = world.walk()
    form = page.form("accept")
    assert form is not None, f"{page}\n{world.logs()}"
    assert page.url.startswith(world.city.config.portal.url)
    fields = [word for name, value in (*form.fields, *form.choices) for word in ("--data-urlencode", f"{name}={value}")]
    return world.walk(*fields, url=form.action)


@pytest.mark.parametrize("level", CITY_OF)
def test_a_device_gets_online_with_one_tap_until_its_time_is_over(outings: dict[int, Outing], level: int) -> None:
    outing = outings[level]
    world, landed = outing.world, outing.landed
    assert not outing.online_before
    assert landed.status == 200 and "/status?visit=" in landed.url, landed
    assert 'id="online"' in outing.status.body, outing.status
    row = world.sessions()[0]
    assert (row["nas_id"], row["framed_ip"]) == (world.nas_id, world.address)
    assert timedelta(seconds=55) < row["planned_end_at"] - row["started_at"] <= timedelta(seconds=60)
    ended = await_end(world)
    assert (ended["terminate_cause"], ended["estimated"]) == ("Session-Timeout", False)
    assert timedelta(seconds=55) < ended["ended_at"] - ended["started_at"] < MINUTE_AND_CHECKS
    assert ended["segment_down"] > 0
    with world.city.store.read() as conn:
        seconds = residents.used_on(conn, ended["device_id"], ended["local_day"])[0]
    assert seconds >= ended["seconds"] >= 55
    assert not world.is_online()


def await_end(world: World) -> RowMapping:
    """The first session's row, once its gateway told of its end."""

    def told() -> bool:
        return world.sessions()[0]["ended_at"] is not None

    planned: datetime = world.sessions()[0]["planned_end_at"]
    while datetime.now(UTC) < planned and not told():
        world.is_online()  # openNDS counts nothing of who is silent
        time.sleep(0.5)
    eventually(told, "its end was not told", world.logs)
    return world.sessions()[0]


def test_a_person_with_chromium_gets_online_and_leaves(outings: dict[int, Outing]) -> None:
    world = outings[2].world
    await_end(world)
    before = len(world.sessions())
    launcher = world.net.folder / "chromium"
    inside = shlex.join(world.net.command("device", shutil.which("chromium") or "chromium"))
    launcher.write_text(f'#!/bin/sh\nexec {inside} "$@"\n')
    launcher.chmod(0o755)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=launcher, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640}).new_page()
        page.set_default_timeout(15_000)
        page.goto("http://www.example.org/wanted")
        assert page.locator("#accept").count() == 1, page.content()
        page.click("#accept button")
        page.wait_for_url(f"{world.city.config.portal.url}/status?*")
        keep(page, "online")
        eventually(lambda: len(world.sessions()) > before, "nobody told of the session", world.logs)
        status = page.url
        page.goto("http://www.example.org/")
        assert INTERNET_PAGE in page.content()
        page.goto(status)
        page.click("#leave button")
        eventually(lambda: world.newest()["ended_at"] is not None, "its end was not told", world.logs)
        browser.close()
    assert (world.newest()["terminate_cause"], world.newest()["estimated"]) == ("User-Request", False)
    assert not world.is_online()


def keep(page: BrowserPage, name: str) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}-320.png", full_page=True)
