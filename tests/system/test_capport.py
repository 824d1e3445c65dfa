"""A device finds the captive portal API by DHCP and follows it online: option 114, API, portal, and true seconds left.

A real dnsmasq hands out what `kogge capport` printed, a real udhcpc takes it, nginx speaks TLS with a test authority's
certificate; portal, RADIUS and the simulated NAS are processes of their own. All of it in two network namespaces.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from config.load import load_installation
from hotspot.access import Accept, decide_running
from ops.town import write_town
from service.cities import open_city
from store import access, accounting
from tests.conftest import run
from tests.portal.test_capport import TYPES
from tests.support.installation import Written, write_installation
from tests.support.netns import another, entered
from tests.support.processes import service
from tests.support.tls import Certified, certify
from tests.support.wired import Namespace, eventually, namespace

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(200),
    *(pytest.mark.tool(name) for name in ("dnsmasq", "udhcpc", "nginx", "ip")),
]

NAME = "wlan.rostock.example"
LINK = f"10.{zlib.crc32(b'rostock-gateway') % 254 + 1}.0"
"""The simulated NAS gives its first device .2 of this network, and so does dnsmasq."""
GATEWAY, DEVICE = f"{LINK}.1", f"{LINK}.2"
NAS = f"http://{GATEWAY}:3990"
SESSION_SECONDS = 240 * 60
ROOT = Path(__file__).parents[2]

DHCP_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface"
env > {file}
"""

NGINX = """
{user}daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  {paths}
  access_log off;
  server {{
    listen {gateway}:443 ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass http://{portal};
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


@dataclass(frozen=True)
class Street:
    """Everything but the device, running in this thread's namespace; `phone` runs a command in the device's."""

    written: Written
    certified: Certified
    phone: list[str]
    inside: Namespace


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    phone_name = f"kogge-phone-{os.getpid()}"
    with namespace(tmp_path) as inside, another(phone_name, resolver=GATEWAY) as phone, entered(inside.name):
        for words in (
            ("link", "set", "station", "netns", phone_name),
            ("address", "add", f"{GATEWAY}/24", "dev", "port"),
        ):
            subprocess.run(["ip", *words], check=True, timeout=20)
        for words in (("link", "set", "lo", "up"), ("link", "set", "station", "up")):
            subprocess.run([*phone, "ip", *words], check=True, timeout=20)
        written = _installation(tmp_path / "kogge")
        certified = certify(tmp_path / "tls", [NAME])
        with (
            service(written, "radius"),
            service(written, "portal"),
            _simulator(written),
            _dnsmasq(written, inside),
            _nginx(written, certified, inside),
        ):
            yield Street(written, certified, phone, inside)


def _installation(folder: Path) -> Written:
    """Rostock behind TLS; its gateway on the link; whoever taps may stay once more."""
    portal = {
        "url": f"https://{NAME}",
        "trusted_proxies": ["127.0.0.1/32"],
        "unnatted_networks": [f"{LINK}.0/24"],
    }
    written = write_installation(folder, ["rostock"], portal=portal)
    seed = written.cities["rostock"].seed
    file = folder / "cities" / "rostock.toml"
    text = file.read_text()
    (nas,) = seed.nases
    text = text.replace(f'"{nas.login_url}"', f'"{NAS}"').replace(
        f'address = "{nas.address}"', f'address = "{GATEWAY}"'
    )
    text = text.replace(f"session_minutes = {SESSION_SECONDS // 60}\n", "extensions_max = 1\nsession_minutes = 240\n")
    file.write_text(text)
    written.initialise()
    loaded = load_installation(folder)
    assert not loaded.problems, loaded.problems
    return Written(folder, loaded.installation, {"rostock": loaded.cities[0]})


@contextlib.contextmanager
def _simulator(written: Written) -> Iterator[None]:
    city = open_city(written.installation, written.cities["rostock"], now=datetime.now(UTC))
    write_town(written.path / "TOWN.json", [city])
    city.store.close()
    log = written.path / "simulator.log"
    command = [sys.executable, "-m", "simulator", str(written.path / "TOWN.json"), "--no-residents"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        eventually(lambda: "ready" in log.read_text(), "the simulator is not ready", log.read_text)
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def _dnsmasq(written: Written, inside: Namespace) -> Iterator[None]:
    """DHCP and DNS of the link, with the lines that `kogge capport` prints for it."""
    said = run(sys.executable, "-m", "ops.cli", "capport", "rostock", "--json", "--dir", str(written.path))
    assert said.returncode == 0, said.stderr
    lines = next(each["lines"] for each in json.loads(said.stdout)["servers"] if each["server"] == "dnsmasq")
    lines += [
        "interface=port",
        "bind-interfaces",
        f"dhcp-range={DEVICE},{DEVICE},1h",
        f"dhcp-leasefile={inside.folder}/leases",
        f"address=/{NAME}/{GATEWAY}",
        "pid-file=",
        "no-resolv",
        "no-hosts",
        "user=root",
        "log-dhcp",
    ]
    file = inside.folder / "dnsmasq.conf"
    file.write_text("\n".join(lines) + "\n")
    with inside.running("dnsmasq", "dnsmasq", "--keep-in-foreground", "--log-facility=-", "-C", str(file)):
        eventually(lambda: "DHCP, IP range" in inside.log("dnsmasq"), "dnsmasq", lambda: inside.log("dnsmasq"))
        yield


@contextlib.contextmanager
def _nginx(written: Written, certified: Certified, inside: Namespace) -> Iterator[None]:
    folder = inside.folder
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    file = folder / "nginx.conf"
    file.write_text(
        NGINX.format(
            user="user root;\n",
            folder=folder,
            paths=" ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds),
            gateway=GATEWAY,
            portal=written.installation.portal.listen,
            certificate=certified.certificate,
            key=certified.key,
        )
    )
    with inside.running("nginx", "nginx", "-p", str(folder), "-e", "stderr", "-c", str(file)):
        yield


# The device -----------------------------------------------------------------------------------------------


def api_by_dhcp(street: Street) -> str:
    """What the device's DHCP client was told in option 114; it has its address afterwards."""
    told, script = street.inside.folder / "dhcp-env", street.inside.folder / "dhcp-script"
    script.write_text(DHCP_SCRIPT.format(file=told))
    script.chmod(0o755)
    done = run(*street.phone, "udhcpc", "-i", "station", "-f", "-q", "-n", "-O", "114", "-s", str(script), timeout=60)
    assert done.returncode == 0, done.stderr + street.inside.log("dnsmasq")
    env = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
    assert env["ip"] == DEVICE
    return bytes.fromhex(env["opt114"]).decode()


def seconds_by_radius(street: Street) -> int:
    """What RADIUS would say now of the one session that runs."""
    city = open_city(street.written.installation, street.written.cities["rostock"], now=datetime.now(UTC))
    now = datetime.now(UTC)
    with city.store.read() as conn:
        (session_id,) = accounting.open_with_grant(conn, now=now)
        facts = access.gather_running(conn, [session_id], now=now, zone=city.zone)[session_id]
    city.store.close()
    decision = decide_running(facts, now=now, zone=city.zone)
    assert isinstance(decision, Accept)
    return decision.session_seconds


def require_sound(said: dict[str, Any]) -> None:
    """Keys and types of RFC 8908 section 5."""
    assert {key: type(value) for key, value in said.items()} == {key: TYPES[key] for key in said}
    assert all(value.startswith(f"https://{NAME}/") for key, value in said.items() if key.endswith("-url"))


def test_a_device_follows_option_114_to_true_seconds_left(street: Street) -> None:
    api = api_by_dhcp(street)
    assert api == f"https://{NAME}/capport"
    client = [sys.executable, "-m", "tests.system.capport_client", api, str(street.certified.authority), NAS]
    began = time.monotonic()
    done = subprocess.run([*street.phone, *client], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr + (street.written.path / "portal.log").read_text()[-3000:]
    took = time.monotonic() - began
    seen = json.loads(done.stdout)
    for name in ("at first", "online", "extended", "at last"):
        require_sound(seen[name])

    assert seen["at first"]["captive"] is True
    assert seen["at first"]["user-portal-url"] == f"https://{NAME}/to/rostock-gw-0001"
    assert "seconds-remaining" not in seen["at first"]

    online, nas = seen["online"], seen["nas"]
    assert online["captive"] is False and online["can-extend-session"] is True
    assert SESSION_SECONDS - took <= online["seconds-remaining"] <= SESSION_SECONDS
    assert abs(online["seconds-remaining"] - nas) <= took, "the API, RADIUS and the NAS say the same"
    assert 0 < online["bytes-remaining"] <= 3_000_000_000

    extended = seen["extended"]
    assert 2 * SESSION_SECONDS - took <= extended["seconds-remaining"] <= 2 * SESSION_SECONDS
    assert extended["can-extend-session"] is False, "the plan allows one"
    assert abs(seen["nas extended"] - extended["seconds-remaining"]) <= took, "the NAS was told by a CoA"
    assert seen["at last"]["captive"] is True


def test_a_second_device_is_not_told_of_the_first(street: Street) -> None:
    """Another address of the same network is captive, whatever the first one's session says."""
    api = api_by_dhcp(street)
    client = [sys.executable, "-m", "tests.system.capport_client", api, str(street.certified.authority), "stay"]
    done = subprocess.run([*street.phone, *client], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert abs(json.loads(done.stdout)["online"]["seconds-remaining"] - seconds_by_radius(street)) <= 5
    for words in (("address", "flush", "dev", "station"), ("address", "add", f"{LINK}.77/24", "dev", "station")):
        subprocess.run([*street.phone, "ip", *words], check=True, timeout=20)
    done = subprocess.run(
        [*street.phone, *client[:-1], "ask"], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert json.loads(done.stdout)["captive"] is True, done.stderr
