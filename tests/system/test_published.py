"""What a city's own Prometheus gives out through nginx: the published figures, whatever is asked for."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.watching import ROOT, answers, daemon, prometheus, wait

pytestmark = [pytest.mark.system, pytest.mark.tool("prometheus"), pytest.mark.tool("nginx")]

NGINX = """\
{user}daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 32; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location = /alive {{ return 200; }}
        include {folder}/publish.conf;
    }}
}}
"""

RULES = """\
groups:
  - name: figures
    interval: 1s
    rules:
      - {record: "alliance:sites:count", expr: vector(3), labels: {city: rostock}}
      - {record: "alliance:lie:count", expr: vector(9), labels: {city: wismar}}
      - {record: "city:secret:sum", expr: vector(7), labels: {city: rostock}}
"""


@pytest.fixture
def published(tmp_path: Path, free_port: Callable[[int], int]) -> Iterator[str]:
    """The address of the page, before a Prometheus that knows a figure to publish and one that is nobody's."""
    inner, outer = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "prometheus.yml").write_text("global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n")
    hashed = subprocess.run(["openssl", "passwd", "-5", "secret"], capture_output=True, text=True, check=True).stdout
    (tmp_path / "htpasswd").write_text(f"alliance:{hashed}")
    shipped = (ROOT / "deploy" / "prometheus" / "publish.conf").read_text()
    here = shipped.replace("127.0.0.1:9090", f"127.0.0.1:{inner}")
    (tmp_path / "publish.conf").write_text(
        here.replace("/etc/nginx/kogge-published.htpasswd", str(tmp_path / "htpasswd"))
    )
    user = "user root;\n" if os.geteuid() == 0 else ""  # its workers shall read our folder
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=outer, user=user))
    nginx = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    with prometheus(tmp_path, inner) as ask, daemon(nginx, tmp_path / "nginx.log"):
        wait(lambda: answers(f"http://127.0.0.1:{outer}/alive"), "nginx is not ready", tmp_path / "nginx.log")
        wait(lambda: ask("alliance:sites:count") and ask("city:secret:sum"), "nothing was recorded")
        yield f"http://127.0.0.1:{outer}/published"


def get(url: str, password: str = "secret") -> tuple[int, str]:
    who = b64encode(f"alliance:{password}".encode()).decode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers={"Authorization": f"Basic {who}"}), timeout=10
        ) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


@pytest.mark.parametrize("asked", ["", "?match[]=city:secret:sum", "?match[]={__name__=~%22.%2B%22}"])
def test_the_published_figures_are_given_out_and_nothing_else(published: str, asked: str) -> None:
    status, page = get(published + asked)
    assert status == 200 and 'alliance:sites:count{city="rostock"' in page
    assert "secret" not in page
    assert get(published + asked, password="wrong")[0] == 401


def test_the_alliance_reads_it_and_calls_the_city_what_it_asked(
    published: str, tmp_path: Path, free_port: Callable[[int], int]
) -> None:
    """The shipped alliance.yml with Rostock's job alone; Rostock says that it is Wismar."""
    head, *jobs = (ROOT / "deploy" / "prometheus" / "alliance.yml").read_text().split("  - job_name: published-")
    config = f"{head}  - job_name: published-{next(job for job in jobs if job.startswith('rostock'))}"
    for shipped, here in (
        ("metrics.rostock.example", published.split("/")[2]),
        ("scheme: https", "scheme: http"),
        ("scrape_interval: 1m", "scrape_interval: 1s"),
        ("scrape_timeout: 10s", "scrape_timeout: 1s"),
    ):
        assert shipped in config
        config = config.replace(shipped, here)
    folder = tmp_path / "alliance"
    (folder / "passwords").mkdir(parents=True)
    (folder / "passwords" / "rostock").write_text("secret\n")
    (folder / "alliance.yml").write_text(config)
    with prometheus(folder, free_port(socket.SOCK_STREAM), file="alliance.yml") as ask:
        wait(lambda: ask("alliance:lie:count"), "nothing came over", folder / "prometheus.log")
        rows = ask('{__name__=~"alliance:.+|city:.+"}')
    found = {(row["metric"]["__name__"], row["metric"]["city"]) for row in rows}
    assert found == {("alliance:sites:count", "rostock"), ("alliance:lie:count", "rostock")}
    assert not any(name.startswith("exported_") for row in rows for name in row["metric"])
