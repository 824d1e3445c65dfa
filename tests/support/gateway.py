"""Debian's openNDS as a gateway of its own: a device on its one side, the Internet and the portal on the other.

Three network namespaces and two wires. The gateway runs dnsmasq (DHCP and DNS) and openNDS with their state in a /run
and a /var/lib/misc of their own; the device gets its address by DHCP. Nothing here leaves the namespaces. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import run
from tests.support.wired import eventually

LAN, WAN = "10.77.0", "10.78.0"
GATEWAY, UPSTREAM = f"{LAN}.1", f"{WAN}.1"
GATEWAY_PORT = 2050
INTERNET = "198.51.100.7"
"""A web server that every name leads to but the portal's (RFC 5737)."""

INTERNET_PAGE = "this is the Internet"
DEVICE = "02-00-5E-00-53-77"
GATEWAY_NAME = "opennds-gw"
_NUMBERS = count()

INTERNET_SERVER = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(PAGE)

http.server.ThreadingHTTPServer((ADDRESS, 80), Handler).serve_forever()
"""

LEASE_SCRIPT = """#!/bin/sh
# What a DHCP client's hook does, with the addresses that the server gave.
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr replace "$ip/24" dev "$interface" && ip route replace default via "$router"
"""

# Without a ruleset openNDS lets nothing through, before the log-in or after it.
OPENNDS = """
GatewayInterface lan
GatewayName {name}
GatewayPort {port}
MaxClients 20
{fas}
checkinterval 1
preauthidletimeout 30
authidletimeout 120
debuglevel 3
FirewallRuleSet authenticated-users {{
  FirewallRule allow all
}}
FirewallRuleSet preauthenticated-users {{
}}
FirewallRuleSet users-to-router {{
  FirewallRule allow udp port 53
  FirewallRule allow tcp port 53
  FirewallRule allow udp port 67
}}
"""


@dataclass
class Network:
    """The three namespaces. `processes` of a namespace see its own /etc/resolv.conf."""

    folder: Path
    stem: str
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def name(self, place: str) -> str:
        return f"{self.stem}-{place}"

    def command(self, place: str, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name(place), *words]

    def ask(self, place: str, *words: str, timeout: float = 20) -> str:
        """What a command prints in a namespace, whatever its status."""
        done = run(*self.command(place, *words), timeout=timeout)
        return done.stdout + done.stderr

    @contextlib.contextmanager
    def running(
        self, place: str, name: str, *words: str, environment: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A process of a namespace until the block ends; its output goes to `NAME.log`."""
        with (self.folder / f"{name}.log").open("ab") as out:
            process = subprocess.Popen(
                self.command(place, *words),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)

    def log(self, name: str) -> str:
        file = self.folder / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def fetch(self, url: str, *options: str, timeout: float = 10) -> str:
        """What the device's curl prints for an address."""
        return self.ask("device", "curl", "-s", "-m", str(timeout), *options, url, timeout=timeout + 10)


@contextlib.contextmanager
def network(folder: Path) -> Iterator[Network]:
    """Skips where it cannot be made, or fails where the tools were promised (CI, which is root)."""
    made = Network(folder, f"kogge-{os.getpid()}-{next(_NUMBERS)}")
    places = ("device", "gateway", "upstream")
    try:
        for place in places:
            done = run("ip", "netns", "add", made.name(place))
            if done.returncode != 0:
                give_up = pytest.fail if os.environ.get("KOGGE_REQUIRE_TOOLS") else pytest.skip
                give_up(f"network namespaces need root: {done.stderr.strip()}")
            _must("ip", "-n", made.name(place), "link", "set", "lo", "up")
        _lay_wires(made)
        resolver = Path("/etc/netns") / made.name("device")
        resolver.mkdir(parents=True, exist_ok=True)
        (resolver / "resolv.conf").write_text(f"nameserver {GATEWAY}\n")
        yield made
    finally:
        for place in places:
            run("ip", "netns", "del", made.name(place))
            shutil.rmtree(Path("/etc/netns") / made.name(place), ignore_errors=True)


def _lay_wires(made: Network) -> None:
    device, gateway, upstream = (made.name(place) for place in ("device", "gateway", "upstream"))
    _must("ip", "link", "add", "wlan", "netns", device, "type", "veth", "peer", "name", "lan", "netns", gateway)
    _must("ip", "link", "add", "wan", "netns", gateway, "type", "veth", "peer", "name", "net", "netns", upstream)
    _must("ip", "-n", device, "link", "set", "wlan", "address", DEVICE.replace("-", ":"))
    for place, words in (
        (device, ("link", "set", "wlan", "up")),
        (gateway, ("addr", "add", f"{GATEWAY}/24", "dev", "lan")),
        (gateway, ("addr", "add", f"{WAN}.2/24", "dev", "wan")),
        (gateway, ("link", "set", "lan", "up")),
        (gateway, ("link", "set", "wan", "up")),
        (gateway, ("route", "add", "default", "via", UPSTREAM)),
        (upstream, ("addr", "add", f"{UPSTREAM}/24", "dev", "net")),
        (upstream, ("link", "set", "net", "up")),
        (upstream, ("addr", "add", f"{INTERNET}/32", "dev", "lo")),
        (upstream, ("route", "add", f"{LAN}.0/24", "via", f"{WAN}.2")),
    ):
        _must("ip", "-n", place, *words)
    for place, port in (("device", "wlan"), ("gateway", "lan"), ("gateway", "wan"), ("upstream", "net")):
        _must(*made.command(place, "ethtool", "-K", port, "tx", "off"))  # user space forwards; no checksum is filled in
    _must(*made.command("gateway", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))


def _must(*words: str) -> None:
    done = run(*words, timeout=20)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


@contextlib.contextmanager
def internet(made: Network) -> Iterator[None]:
    """The web server that only somebody who is online reaches."""
    program = INTERNET_SERVER.replace("PAGE", repr(INTERNET_PAGE.encode())).replace("ADDRESS", repr(INTERNET))
    with made.running("upstream", "internet", sys.executable, "-c", program):
        yield


@contextlib.contextmanager
def gateway(
    made: Network,
    *,
    fas: Mapping[str, str],
    names: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """dnsmasq and openNDS. `fas` are lines of its configuration, `names` hosts with an address of their own."""
    state = made.folder / "gateway"
    for name in ("misc", "bin"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "misc" / "dnsmasq.leases").touch()
    for tool in ("iptables", "iptables-save", "iptables-restore", "ip6tables"):
        link = state / "bin" / tool  # nft-backed iptables fails in openNDS 9: "CHAIN_ADD failed"
        if not link.exists():
            link.symlink_to(f"/usr/sbin/{tool.replace('tables', 'tables-legacy', 1)}")
    idle = state / "bin" / "systemctl"  # by which openNDS would restart the machine's own dnsmasq
    if not idle.exists():
        idle.symlink_to("/bin/true")
    lines = "\n".join(f"{key} {value}" for key, value in fas.items())
    (state / "opennds.conf").write_text(OPENNDS.format(name=GATEWAY_NAME, port=GATEWAY_PORT, fas=lines))
    addresses = [f"--address=/{host}/{address}" for host, address in names.items()]
    dnsmasq = ("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--no-resolv", "--no-hosts")
    leases = (
        f"--dhcp-range={LAN}.10,{LAN}.99,1h",
        f"--dhcp-leasefile={state}/misc/dnsmasq.leases",
        "--dhcp-authoritative",
    )
    port = (
        "--interface=lan",
        "--bind-interfaces",
        "--except-interface=lo",
        "--log-facility=-",
        f"--pid-file={state}/pid",
    )
    with (
        made.running("gateway", "dnsmasq", *dnsmasq, *leases, *port, f"--address=/#/{INTERNET}", *addresses),
        opennds(made, state, environment or {}),
    ):
        yield


@contextlib.contextmanager
def opennds(made: Network, state: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """The daemon in a mount namespace with a /run of its own, which is where it keeps its state."""
    start = f"""
        mount -t tmpfs tmpfs /run && mount --bind {state}/misc /var/lib/misc || exit 1
        mount --bind {state}/opennds.conf /etc/opennds/opennds.conf || exit 1
        exec opennds -f -d 3 -c /etc/opennds/opennds.conf
    """
    path = f"{state}/bin:{os.environ['PATH']}"
    with made.running("gateway", "opennds", "sh", "-c", start, environment={"PATH": path, **environment}) as process:
        eventually(
            lambda: "token" in ndsctl(process) or "client" in ndsctl(process),
            "openNDS is not ready",
            lambda: made.log("opennds"),
        )
        try:
            yield
        finally:
            ndsctl(process, "stop")


def ndsctl(process: subprocess.Popen[bytes], *words: str) -> str:
    """openNDS's own command, beside the daemon."""
    inside = ("nsenter", "-t", str(process.pid), "-m", "-n")
    return run(*inside, "ndsctl", *(words or ("json",)), timeout=20).stdout


@contextlib.contextmanager
def lease(made: Network) -> Iterator[str]:
    """The device's address, by DHCP."""
    script = made.folder / "lease.sh"
    script.write_text(LEASE_SCRIPT)
    script.chmod(0o755)
    with made.running("device", "dhcp", "udhcpc", "-f", "-i", "wlan", "-s", str(script), "-t", "20", "-T", "1"):
        eventually(lambda: address_of(made), "no lease came", lambda: made.log("dhcp") + made.log("dnsmasq"))
        yield address_of(made)


def address_of(made: Network) -> str:
    shown = made.ask("device", "ip", "-4", "-o", "addr", "show", "dev", "wlan").split()
    return shown[shown.index("inet") + 1].partition("/")[0] if "inet" in shown else ""
