"""A NAS that others wrote, in a network namespace of its own: hostapd on a wired port, wpa_supplicant at its other end.

hostapd asks FreeRADIUS for 802.1X (EAP-MD5), which also hands out the Class of a grant, and accounts to Kogge, whose
Disconnect-Requests its dynamic authorization server takes. Nothing here leaves the namespace. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

SECRET = "a-secret-of-this-test"
STATION = "02-00-5E-00-53-01"
IDENTITY, PASSWORD = "resident", "a-password"
DAS_PORT = 3799
EAP_PORT = 1812
READY_SECONDS = 30.0
_NUMBERS = count()

HOSTAPD = """
interface=port
driver=wired
logger_stdout=-1
logger_stdout_level=1
ieee8021x=1
use_pae_group_addr=1
own_ip_addr=127.0.0.1
nas_identifier=hostapd-gw
auth_server_addr=127.0.0.1
auth_server_port={eap}
auth_server_shared_secret={secret}
acct_server_addr=127.0.0.1
acct_server_port={acct}
acct_server_shared_secret={secret}
radius_acct_interim_interval=60
radius_das_port={das}
radius_das_client=127.0.0.1 {secret}
radius_das_require_event_timestamp=1
radius_das_require_message_authenticator=1
"""

SUPPLICANT = """
ap_scan=0
network={{
  key_mgmt=IEEE8021X
  eap=MD5
  identity="{identity}"
  password="{password}"
  eapol_flags=0
}}
"""

FREERADIUS = """
name = freeradius
confdir = {folder}
raddbdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
correct_escapes = true
max_requests = 1024
log {{ destination = stdout }}
security {{ allow_core_dumps = no }}
modules {{
  eap {{
    default_eap_type = md5
    md5 {{ }}
  }}
}}
client nas {{
  ipaddr = 127.0.0.1
  secret = {secret}
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {eap}
  }}
  authorize {{
    update control {{
      &Cleartext-Password := "{password}"
    }}
    eap {{
      ok = return
    }}
  }}
  authenticate {{
    eap
  }}
  post-auth {{
    update reply {{
      &Class := 0x{grant}
    }}
  }}
}}
"""


@dataclass
class Namespace:
    """A network namespace with loopback and a wire from `port` to `station`."""

    name: str
    folder: Path

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    @contextlib.contextmanager
    def running(self, name: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of the namespace until the block ends; its output goes to `NAME.log`."""
        with (self.folder / f"{name}.log").open("ab") as out:
            process = subprocess.Popen(self.command(*words), stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")


@contextlib.contextmanager
def namespace(folder: Path) -> Iterator[Namespace]:
    """Skips where it cannot be made, or fails where the tools were promised (CI, which is root)."""
    made = Namespace(f"kogge-{os.getpid()}-{next(_NUMBERS)}", folder)
    done = subprocess.run(["ip", "netns", "add", made.name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        give_up = pytest.fail if os.environ.get("KOGGE_REQUIRE_TOOLS") else pytest.skip
        give_up(f"network namespaces need root: {done.stderr.strip()}")
    try:
        for words in (
            ("link", "set", "lo", "up"),
            ("link", "add", "port", "type", "veth", "peer", "name", "station"),
            ("link", "set", "station", "address", STATION.replace("-", ":")),
            ("link", "set", "port", "up"),
            ("link", "set", "station", "up"),
        ):
            subprocess.run(["ip", "-n", made.name, *words], check=True, timeout=20)
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], check=True, timeout=20)


@contextlib.contextmanager
def hostapd(inside: Namespace, *, acct_port: int, class_: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """hostapd and the FreeRADIUS that it asks. `class_`: what every Access-Accept hands out."""
    values = {"secret": SECRET, "eap": EAP_PORT, "acct": acct_port, "das": DAS_PORT, "password": PASSWORD}
    raddb = inside.folder / "freeradius"
    raddb.mkdir(exist_ok=True)
    (raddb / "radiusd.conf").write_text(FREERADIUS.format(folder=raddb, grant=class_.hex(), **values))
    (raddb / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
    file = inside.folder / "hostapd.conf"
    file.write_text(HOSTAPD.format(**values))
    with (
        inside.running("freeradius", "freeradius", "-X", "-d", str(raddb)),
        inside.running("hostapd", "hostapd", str(file)) as process,
    ):
        eventually(lambda: "AP-ENABLED" in inside.log("hostapd"), "hostapd is not ready", lambda: inside.log("hostapd"))
        eventually(
            lambda: "Ready to process requests" in inside.log("freeradius"),
            "FreeRADIUS is not ready",
            lambda: inside.log("freeradius"),
        )
        yield process


@contextlib.contextmanager
def supplicant(inside: Namespace) -> Iterator[subprocess.Popen[bytes]]:
    """A device that logs in at the wire's other end and stays until the block ends."""
    file = inside.folder / "supplicant.conf"
    file.write_text(SUPPLICANT.format(identity=IDENTITY, password=PASSWORD))
    words: Sequence[str] = ("wpa_supplicant", "-D", "wired", "-i", "station", "-c", str(file))
    with inside.running("supplicant", *words) as process:
        yield process


def eventually(holds: Callable[[], object], otherwise: str, told: Callable[[], str] = str) -> None:
    """Wait until it holds; AssertionError after 30 s, with what was told meanwhile."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"{otherwise}\n{told()[-3000:]}")
