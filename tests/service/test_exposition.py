"""The metrics listener, asked over HTTP: a city's page behind that city's token and nothing else."""

from __future__ import annotations

import gzip
import http.client
import socket
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from hotspot.errors import ConfigError
from service.exposition import MetricsListener, Target, bind
from service.text_family import TextFamily
from tests.support.processes import Answer, http_get

TOKENS = {"rostock": "a" * 64, "wismar": "b" * 64}


def registry_of(key: str) -> CollectorRegistry:
    """A page of over 1,000 bytes that tells whose it is."""
    registry = CollectorRegistry()
    counter = Counter("kogge_example", "Something counted.", ["city", "number"], registry=registry)
    for number in range(40):
        counter.labels(key, str(number)).inc(number)
    return registry


@pytest.fixture
def health() -> list[bool]:
    """What the process says of itself; the test may change it."""
    return [True]


@pytest.fixture
def listen(health: list[bool]) -> Iterator[str]:
    targets = {key: Target(registry_of(key), token) for key, token in TOKENS.items()}
    listener = MetricsListener(bind("127.0.0.1:0"), targets, lambda: health[0])
    yield f"127.0.0.1:{listener.port}"
    listener.close()


def bearer(listen: str, path: str, token: str) -> Answer:
    return http_get(listen, path, Authorization=f"Bearer {token}")


def test_a_city_is_read_with_its_own_token(listen: str) -> None:
    for key, token in TOKENS.items():
        answer = bearer(listen, f"/cities/{key}/metrics", token)
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        samples = [sample for family in text_string_to_metric_families(answer.body) for sample in family.samples]
        assert len(samples) == 40 and {sample.labels["city"] for sample in samples} == {key}


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/cities/rostock/metrics", None),
        ("/cities/rostock/metrics", ""),
        ("/cities/rostock/metrics", "Bearer "),
        ("/cities/rostock/metrics", f"Bearer {TOKENS['wismar']}"),
        ("/cities/rostock/metrics", f"Bearer {TOKENS['rostock']}x"),
        ("/cities/rostock/metrics", f"Basic {TOKENS['rostock']}"),
        ("/cities/rostock/metrics", "Bearer \xe4\xf6\xfc"),
        ("/cities/kiel/metrics", f"Bearer {TOKENS['rostock']}"),
        ("/cities/kiel/metrics", "Bearer none"),
        ("/cities//metrics", "Bearer none"),
        ("/cities/rostock", f"Bearer {TOKENS['rostock']}"),
        ("/cities/rostock/metrics/", f"Bearer {TOKENS['rostock']}"),
        ("/cities/../cities/rostock/metrics", f"Bearer {TOKENS['rostock']}"),
        ("/metrics", f"Bearer {TOKENS['rostock']}"),
        ("/", "Bearer none"),
    ],
)
def test_whatever_is_wrong_looks_the_same(listen: str, path: str, header: str | None) -> None:
    answer = http_get(listen, path, **({} if header is None else {"Authorization": header}))
    assert (answer.status, answer.body) == (401, "wrong or missing token\n")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_page_is_packed_for_those_who_ask(listen: str) -> None:
    address, _, port = listen.rpartition(":")
    connection = http.client.HTTPConnection(address, int(port), timeout=5)
    headers = {"Authorization": f"Bearer {TOKENS['rostock']}", "Accept-Encoding": "gzip"}
    connection.request("GET", "/cities/rostock/metrics", headers=headers)
    response = connection.getresponse()
    packed = response.read()
    connection.close()
    assert response.headers["Content-Encoding"] == "gzip"
    plain = bearer(listen, "/cities/rostock/metrics", TOKENS["rostock"])
    assert gzip.decompress(packed).decode() == plain.body and len(packed) < len(plain.body)
    assert "content-encoding" not in plain.headers


def exchange(listen: str, request: str) -> tuple[str, bytes]:
    """Head and body of an answer as they come over the wire, until the server hangs up."""
    address, _, port = listen.rpartition(":")
    with socket.create_connection((address, int(port)), timeout=5) as client:
        client.sendall(request.encode())
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode(), body


@pytest.mark.parametrize(("version", "chunked"), [("1.1", True), ("1.0", False)])
def test_a_page_is_written_while_it_is_made(listen: str, version: str, chunked: bool) -> None:
    wanted = bearer(listen, "/cities/rostock/metrics", TOKENS["rostock"]).body.encode()
    request = (
        f"GET /cities/rostock/metrics HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {TOKENS['rostock']}\r\n\r\n"
    )
    head, body = exchange(listen, request)
    assert ("Transfer-Encoding: chunked" in head) is chunked and "Content-Length" not in head
    assert body.endswith(b"\r\n0\r\n\r\n") is chunked
    assert (body == wanted) is not chunked and wanted[-100:] in body


def test_the_format_is_negotiated(listen: str) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    answer = http_get(listen, "/cities/rostock/metrics", Authorization=f"Bearer {TOKENS['rostock']}", Accept=accept)
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    samples = [sample for family in parse_openmetrics(answer.body) for sample in family.samples]
    assert len(samples) == 40


class Faulty(Collector):
    """Fails once its first lines are written."""

    def collect(self) -> Iterator[Metric]:
        yield TextFamily("kogge_faulty", "Fails.", "gauge", lines=self._lines, samples=list)

    @staticmethod
    def _lines() -> Iterator[str]:
        yield "kogge_faulty 1\n" * 1_000
        raise OSError("the rest cannot be had")


def test_a_fault_in_the_middle_is_no_whole_page() -> None:
    """Prometheus then takes the scrape for failed, and none of it for the truth."""
    registry = CollectorRegistry()
    registry.register(Faulty())
    listener = MetricsListener(bind("127.0.0.1:0"), {"rostock": Target(registry, TOKENS["rostock"])})
    try:
        with pytest.raises(http.client.IncompleteRead):
            bearer(f"127.0.0.1:{listener.port}", "/cities/rostock/metrics", TOKENS["rostock"])
    finally:
        listener.close()


def test_health_needs_no_token(listen: str, health: list[bool]) -> None:
    assert http_get(listen, "/healthz").status == 200
    health[0] = False
    assert http_get(listen, "/healthz").status == 503


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_can_only_be_read(listen: str, method: str) -> None:
    address, _, port = listen.rpartition(":")
    connection = http.client.HTTPConnection(address, int(port), timeout=5)
    connection.request(method, "/cities/rostock/metrics", headers={"Authorization": f"Bearer {TOKENS['rostock']}"})
    assert connection.getresponse().status == 501
    connection.close()


def test_the_server_names_neither_itself_nor_python(listen: str) -> None:
    assert "python" not in http_get(listen, "/healthz").headers["server"].lower()


def test_a_port_that_is_taken_is_the_operators_fault() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"metrics_listen {listen}: cannot listen there"):
            MetricsListener(bind(listen), {})


def test_the_port_is_free_when_it_is_closed() -> None:
    first = MetricsListener(bind("127.0.0.1:0"), {})
    first.close()
    second = MetricsListener(bind(f"127.0.0.1:{first.port}"), {})
    second.close()
