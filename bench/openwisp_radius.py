"""The peer: openwisp-radius (Django) in an environment of its own, on SQLite as ours, one gunicorn worker and threads.

It has no portal page of its own. Its *page* is its HTML log-in page; a *log-in* is what a portal and FreeRADIUS ask of
it for one resident: the token for name and password, then the authorisation with that token.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.servers import Cores, NotReady, free_ports, last_lines, pinned
from bench.web import Dialogue, Wrong, get, post, run

REQUIREMENTS = ("openwisp-radius==1.3.3", "gunicorn")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kogge-bench" / "openwisp-radius-1.3.3"
SOURCES = Path(__file__).parent / "openwisp"
TOKEN = "bench" * 6 + "xy"
USERS = 500
THREADS = 8
SETUP_SECONDS = 400.0
READY_SECONDS = 60.0
HOST = "bench.city.example"


@dataclass(frozen=True, slots=True)
class Peer:
    """A running openwisp-radius."""

    port: int
    organization: str

    def page(self, _: int) -> Dialogue:
        """Its HTML log-in page."""
        answer = yield get(HOST, "/accounts/login/")
        return answer.status == 200 and b"csrfmiddlewaretoken" in answer.body

    def log_in(self, number: int) -> Dialogue:
        """The token, then the authorisation that FreeRADIUS asks for."""
        name = f"bench{number % USERS}"
        path = "/api/v1/radius/organization/bench/account/token/"
        answer = yield post(HOST, path, urlencode({"username": name, "password": "bench-password"}))
        if answer.status != 200:
            return False
        body = urlencode({"username": name, "password": json.loads(answer.body)["radius_user_token"]})
        bearer = f"Authorization: Bearer {self.organization} {TOKEN}"
        answer = yield post(HOST, "/api/v1/freeradius/authorize/", body, bearer)
        return answer.status == 200 and json.loads(answer.body).get("control:Auth-Type") == "Accept"


@contextlib.contextmanager
def running(folder: Path, cores: Cores) -> Iterator[Peer]:
    """Installed where it is not yet, seeded, started on the server's core. NotReady where any of it does not work."""
    python = _installed() / "bin" / "python"
    folder.mkdir()
    for name in ("settings", "urls", "seed"):
        (folder / f"{name}.py").write_text((SOURCES / f"{name}.txt").read_text())
    log, environment = folder / "peer.log", _environment(folder)
    _run([str(python), "-m", "django", "migrate", "-v0"], folder, environment)
    seeded = _run([str(python), "seed.py", TOKEN, str(USERS)], folder, environment)
    port = free_ports(1)[0]
    peer = Peer(port, seeded.split()[-1])
    command = [str(python), "-m", "gunicorn", "--chdir", str(folder), "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "1", "--threads", str(THREADS), "--log-level", "warning", "--no-control-socket"]
    with pinned(["env", *(f"{key}={value}" for key, value in environment.items()), *command, _APP], cores, log):
        _await_ready(peer, log)
        yield peer


_APP = "django.core.wsgi:get_wsgi_application()"


def _environment(folder: Path) -> dict[str, str]:
    return {
        "BENCH_DATABASE": str(folder / "db.sqlite3"),
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": str(folder),
        "CELERY_BROKER_URL": "memory://",  # no broker to wait for
    }


def _installed() -> Path:
    """The environment, made once and kept in the user's cache."""
    if not (CACHE / "ready").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(CACHE)], CACHE, {})
        pip = [str(CACHE / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *REQUIREMENTS], CACHE, {})
        (CACHE / "ready").touch()
    return CACHE


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SETUP_SECONDS,
        check=False,
    )
    if done.returncode:
        raise NotReady(f"openwisp-radius: {command[1:4]} failed:\n{done.stderr[-1_000:]}")
    return done.stdout


def _await_ready(peer: Peer, log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        try:
            run(peer.port, peer.log_in, 0.1, browsers=1)
        except (OSError, Wrong):
            time.sleep(0.2)
        else:
            return
    raise NotReady(f"openwisp-radius does not answer:\n{last_lines(log)}")
