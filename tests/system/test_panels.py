"""Every query of every dashboard, against a real Prometheus that watches a real installation with a living town."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_dashboards import DASHBOARDS, PANELS
from tests.monitor.test_certificates import tls_server
from tests.support.installation import change, write_installation
from tests.support.processes import service
from tests.support.tls import certify
from tests.support.watching import LivingTown, deploy_prometheus, prometheus, wait

pytestmark = [pytest.mark.system, pytest.mark.tool("prometheus"), pytest.mark.timeout(240)]

SERIES_SECONDS = 150.0

OTHER_DEVICES = """\
wifi_ap_temperature_celsius{site="rathaus",ap="rathaus-1"} 41
wifi_ap_noise_dbm{site="rathaus",ap="rathaus-1",radio="5g",band="5"} -96
wifi_ap_channel_width_hertz{site="rathaus",ap="rathaus-1",radio="5g",band="5"} 40000000
kogge_monitor_values_dropped_total{value="temperature"} 1
wifi_controller_up{site="rathaus",controller="wlc"} 1
wifi_controller_access_points{site="rathaus",controller="wlc",state="joined"} 12
wifi_controller_cpu_ratio{site="rathaus",controller="wlc"} 0.2
wifi_controller_memory_ratio{site="rathaus",controller="wlc"} 0.4
wifi_controller_uptime_seconds{site="rathaus",controller="wlc"} 86400
wifi_controller_clients{site="rathaus",controller="wlc"} 80
"""
"""What no device of the simulated town tells: it has UniFi access points, no controller, and nobody tells nonsense."""


@contextlib.contextmanager
def page_of_other_devices() -> Iterator[int]:
    """Serves it; the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = OTHER_DEVICES.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ask(
    tmp_path: Path, free_port: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], list[Any]]]:
    """Rostock with all its services and residents, and a Prometheus of its own with the shipped rules."""
    certified = certify(tmp_path / "tls", ["localhost"], days=60)
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.authority))
    with contextlib.ExitStack() as stack:
        tls = stack.enter_context(tls_server(certified))
        written = write_installation(tmp_path / "wifi", ["rostock"], monitor={"poll_interval_s": 5})
        written = change(written, "cities/rostock.toml", portal={"staff_url": f"https://localhost:{tls}"})
        written.initialise()
        for name in ("radius", "portal", "monitor"):
            stack.enter_context(service(written, name))
        stack.enter_context(LivingTown().alive(written, residents=True))
        folder = deploy_prometheus(tmp_path / "prometheus", written, "city.yml")
        others = stack.enter_context(page_of_other_devices())
        with (folder / "city.yml").open("a") as file:
            file.write("\n  - job_name: other-devices\n    static_configs:\n")
            file.write(f'      - {{targets: ["127.0.0.1:{others}"], labels: {{city: rostock}}}}\n')
        yield stack.enter_context(prometheus(folder, free_port(socket.SOCK_STREAM), file="city.yml"))


def filled(text: str) -> str:
    """A query as Grafana sends it with Rostock chosen, and all of the rest."""
    text = text.replace("$city", "rostock").replace("$__rate_interval", "30s")
    return re.sub(r"\$(site|ap|radio)\b", ".*", text)


def tells(rows: list[Any]) -> bool:
    """Whether there are series, and one of them has a number."""
    return any(row["value"][1] != "NaN" for row in rows)


def test_every_query_of_every_panel_and_variable_returns_series(ask: Callable[[str], list[Any]]) -> None:
    waiting = {
        f"{board['uid']}: {panel['title']}: {target['expr']}": filled(target["expr"])
        for board, panel in PANELS
        for target in panel["targets"]
    }
    assert len(waiting) > 80

    def all_answered() -> bool:
        for name in [name for name, query in waiting.items() if tells(ask(query))]:
            del waiting[name]
        return not waiting

    with contextlib.suppress(AssertionError):
        wait(all_answered, "", seconds=SERIES_SECONDS)
    assert list(waiting) == [], "no series"
    for variable in (each for board in DASHBOARDS for each in board["templating"]["list"] if "definition" in each):
        series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"]).groups()  # type: ignore[union-attr]
        assert any(row["metric"].get(label) for row in ask(filled(series))), variable["definition"]
