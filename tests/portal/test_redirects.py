"""The redirect listener: every probe of every system, and whatever else comes, is led to the portal or hung up on."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import ExitStack, suppress

import pytest
from prometheus_client import CollectorRegistry

from portal import redirects
from portal.metrics import RedirectMetrics
from portal.redirects import CONNECTIONS_MAX, REQUEST_MAX, Redirection, answer, bind, serve

PORTAL = "https://wlan.rostock.example/"

PROBES = (
    ("captive.apple.com", "/hotspot-detect.html", "CaptiveNetworkSupport-481 wispr"),
    ("www.apple.com", "/library/test/success.html", "CaptiveNetworkSupport-355"),
    ("connectivitycheck.gstatic.com", "/generate_204", "Dalvik/2.1.0 (Linux; U; Android 14)"),
    ("clients3.google.com", "/generate_204", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"),
    ("connectivitycheck.platform.hicloud.com", "/generate_204", "Dalvik/2.1.0"),
    ("www.msftconnecttest.com", "/connecttest.txt", "Microsoft NCSI"),
    ("www.msftconnecttest.com", "/redirect", "Mozilla/5.0"),
    ("www.msftncsi.com", "/ncsi.txt", "Microsoft NCSI"),
    ("detectportal.firefox.com", "/canonical.html", "Mozilla/5.0 Firefox/140"),
    ("detectportal.firefox.com", "/success.txt?ipv4", "Mozilla/5.0 Firefox/140"),
    ("network-test.debian.org", "/nm", "NetworkManager/1.50"),
    ("nmcheck.gnome.org", "/check_network_status.txt", "NetworkManager/1.42"),
    ("192.0.2.9:8080", "/any/path?a=b", "curl/8"),
)
"""Host, path and user agent of what devices really ask."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Listening:
    """A listener with its counter."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.port = free_port()
        counter = RedirectMetrics(self.registry).redirected
        serve([Redirection(f"127.0.0.1:{self.port}", PORTAL, counter)])

    def count(self, result: str) -> float:
        return self.registry.get_sample_value("kogge_portal_redirected_total", {"result": result}) or 0.0

    def until(self, result: str, wanted: float) -> None:
        end = time.monotonic() + 10
        while self.count(result) < wanted:
            assert time.monotonic() < end, f"{result}: {self.count(result)}"
            time.sleep(0.02)

    def raw(self, octets: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture(scope="module")
def listening() -> Listening:
    return Listening()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(("host", "path", "agent"), PROBES)
def test_every_probe_is_led_to_the_portal(listening: Listening, host: str, path: str, agent: str, method: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", listening.port, timeout=10)
    connection.request(method, path, headers={"Host": host, "User-Agent": agent})
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    assert (reply.status, reply.headers["Location"], reply.headers["Cache-Control"]) == (302, PORTAL, "no-store")
    assert bool(body) is (method != "HEAD")
    for text in (b"Success", b"Microsoft", b"NetworkManager is online"):
        assert text not in body, "nothing fakes a vendor's success text"


def test_no_host_and_http_1_0_will_do(listening: Listening) -> None:
    assert listening.raw(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 302 Found\r\n")


@pytest.mark.parametrize(
    "octets",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"G@T / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x",
        b"",
        b"GET / HTTP/1.1\r\nX: " + b"a" * (REQUEST_MAX + 10) + b"\r\n\r\n",
    ],
    ids=range(8),
)
def test_what_is_no_request_is_hung_up_on(listening: Listening, octets: bytes) -> None:
    before = listening.count("malformed")
    with suppress(ConnectionError):
        assert listening.raw(octets) == b""
    listening.until("malformed", before + 1)


def test_a_slow_one_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redirects, "REQUEST_SECONDS", 0.2)
    own = Listening()
    with socket.create_connection(("127.0.0.1", own.port), 10) as connection:
        connection.sendall(b"GET / HT")
        assert connection.recv(10) == b""
    own.until("slow", 1)


def test_more_than_it_holds_are_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redirects, "CONNECTIONS_MAX", 3)
    own = Listening()
    with ExitStack() as opened:
        for _ in range(3):
            opened.enter_context(socket.create_connection(("127.0.0.1", own.port), 10))
        end = time.monotonic() + 10
        while own.count("full") == 0:
            assert time.monotonic() < end
            with suppress(OSError):  # hung up before, while or after we spoke
                own.raw(b"GET / HTTP/1.1\r\n\r\n")
    assert CONNECTIONS_MAX == 256
    own.until("malformed", 3)
    assert own.raw(b"GET / HTTP/1.1\r\n\r\n"), "and then there is room again"


def test_an_address_that_cannot_be_had_is_named_and_the_others_stand(caplog: pytest.LogCaptureFixture) -> None:
    own = Listening()
    counter = RedirectMetrics(CollectorRegistry()).redirected
    serve([Redirection("192.0.2.1:80", PORTAL, counter)])
    assert "portal.redirect_listen 192.0.2.1:80" in caplog.text
    assert own.raw(b"GET / HTTP/1.1\r\n\r\n")


def test_the_next_worker_listens_beside_this_one() -> None:
    own = Listening()
    with bind(Redirection(f"127.0.0.1:{own.port}", PORTAL, RedirectMetrics(CollectorRegistry()).redirected)):
        pass
    with bind(Redirection("[::1]:0", PORTAL, RedirectMetrics(CollectorRegistry()).redirected)) as six:
        assert six.family is socket.AF_INET6


def test_an_address_is_escaped() -> None:
    assert b'href="https://x/?a&amp;b"' in answer("https://x/?a&b")
