"""A real Prometheus and a real Alertmanager on the shipped files, hurried up, and a town for them to watch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.town import write_town
from service.cities import open_cities
from simulator import town
from simulator.runtime import TownRuntime, running
from tests.support.installation import Written

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120.0
"""How long anything may take on a machine that does much else."""


# Files ------------------------------------------------------------------------------------------------


def deploy_prometheus(folder: Path, written: Written, file: str, *, alertmanager: str = "") -> Path:
    """The shipped folder with the installation's tokens and listeners, its intervals and pauses cut to seconds.

    `file`: which configuration is for this installation.
    """
    shutil.copytree(ROOT / "deploy" / "prometheus", folder)
    (folder / "tokens").mkdir()
    for key in written.cities:
        token = written.installation.data_dir / key / "keys" / "metrics.token"
        (folder / "tokens" / f"{key}.token").write_text(token.read_text())
    config = _of_these_cities((folder / file).read_text(), list(written.cities))
    listens = (getattr(written.installation, name).metrics_listen for name in ("portal", "radius", "monitor"))
    for shipped, listen in zip(("127.0.0.1:9106", "127.0.0.1:9107", "127.0.0.1:9108"), listens, strict=True):
        config = config.replace(shipped, listen)
    config = config.replace("127.0.0.1:9093", alertmanager or "127.0.0.1:9")
    config = config.replace(": 30s", ": 1s").replace("scrape_timeout: 10s", "scrape_timeout: 1s")
    config = config.replace("    http_sd_configs:\n", "    scrape_interval: 1s\n    http_sd_configs:\n")
    config = config.replace("      - url: ", "      - refresh_interval: 1s\n        url: ")
    (folder / file).write_text(config)
    for rules in (folder / "rules").glob("*.yml"):
        rules.write_text(re.sub(r"for: \w+", "for: 2s", rules.read_text()))
    return folder


def _of_these_cities(config: str, keys: Sequence[str]) -> str:
    head, *jobs = config.split("  - job_name: kogge-")
    kept = [job for job in jobs if job.partition("\n")[0] in keys]
    return "  - job_name: kogge-".join([head, *kept])


def deploy_alertmanager(folder: Path, *, smtp: str) -> Path:
    """The shipped folder; mail goes to `smtp`, and at once."""
    shutil.copytree(ROOT / "deploy" / "alertmanager", folder)
    file = folder / "alertmanager.yml"
    config = file.read_text().replace("smtp_smarthost: 127.0.0.1:25 ", f"smtp_smarthost: {smtp} ")
    config = re.sub(r"group_wait: \w+", "group_wait: 1s", config)
    file.write_text(re.sub(r"group_interval: \w+", "group_interval: 2s", config))
    return folder


# Processes --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def prometheus(folder: Path, port: int, *, file: str = "prometheus.yml") -> Iterator[Callable[[str], list[Any]]]:
    """A Prometheus on that folder; asks it an instant query, and gives the rows of the answer."""
    command = ["prometheus", f"--config.file={folder / file}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]

    def ask(query: str) -> list[Any]:
        asked = urllib.parse.urlencode({"query": query})
        return list(get_json(f"http://127.0.0.1:{port}/api/v1/query?{asked}")["data"]["result"])

    with daemon(command, folder / "prometheus.log"):
        wait(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "Prometheus is not ready", folder / "prometheus.log")
        yield ask


@contextlib.contextmanager
def alertmanager(folder: Path, port: int) -> Iterator[str]:
    """An Alertmanager on that folder; its address."""
    command = ["prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}"]
    command += [f"--storage.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    command += ["--cluster.listen-address=", "--log.level=warn"]
    url = f"http://127.0.0.1:{port}"
    with daemon(command, folder / "alertmanager.log"):
        wait(lambda: answers(f"{url}/-/ready"), "Alertmanager is not ready", folder / "alertmanager.log")
        yield url


@contextlib.contextmanager
def daemon(command: Sequence[str], log: Path) -> Iterator[None]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.terminate()


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return int(response.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def wait(what: Callable[[], object], why: str, log: Path | None = None, *, seconds: float = PATIENCE_S) -> None:
    """Until `what` is true."""
    end = time.monotonic() + seconds
    while not what():
        said = log.read_text()[-2000:] if log is not None else ""
        assert time.monotonic() < end, f"{why} within {seconds:.0f} s\n{said}"
        time.sleep(0.3)


# The town -----------------------------------------------------------------------------------------------


class LivingTown:
    """A town on a loop and a thread of its own; no access point fails by itself."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runtime: TownRuntime

    def stop_access_point(self, city: str, name: str) -> None:
        self._do(self._runtime.agents[city, name].close())

    def start_access_point(self, city: str, name: str) -> None:
        self._do(self._runtime.agents[city, name].start())

    @contextlib.contextmanager
    def alive(self, written: Written, *, residents: bool) -> Iterator[LivingTown]:
        """Runs while the context lasts."""
        people = running(_town_of(written), residents=residents)
        self._thread.start()
        try:
            self._runtime = self._do(people.__aenter__())
            try:
                yield self
            finally:
                self._do(people.__aexit__(None, None, None))
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop.close()

    def _do(self, work: Awaitable[Any]) -> Any:
        async def done() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(30)


def _town_of(written: Written) -> town.Town:
    file = written.path / "TOWN.json"
    opened = open_cities(written.path)
    try:
        write_town(file, opened.cities)
    finally:
        for city in opened.cities:
            city.store.close()
    told: Mapping[str, Any] = json.loads(file.read_text())
    for each in told["cities"]:
        each["access_points"] = [point | {"fails": False} for point in each["access_points"]]
    file.write_text(json.dumps(told))
    return town.load(file)
