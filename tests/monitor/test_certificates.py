"""The certificates of a city's own hosts, looked at by a real handshake with a real server."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from monitor import certificates
from monitor.housekeeping import JOBS, run
from monitor.instruments import CERTIFICATE_RESULTS, Instruments
from service.cities import City
from tests.conftest import NOW
from tests.support.cities import city_config
from tests.support.tls import Certified, certify


@contextlib.contextmanager
def tls_server(certified: Certified) -> Iterator[int]:
    """Shakes hands with whoever comes; the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_shake_hands, args=(listener, certified.context()), daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits there
        listener.close()


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Certified]:
    """A certificate for these names, of an authority that this machine trusts meanwhile."""

    def make(*names: str, days: int = 1) -> Certified:
        certified = certify(tmp_path / "tls", names, days=days)
        monkeypatch.setenv("SSL_CERT_FILE", str(certified.authority))
        return certified

    return make


def test_a_sound_certificate_tells_its_end(trusted: Callable[..., Certified]) -> None:
    certified = trusted("localhost", days=30)
    with tls_server(certified) as port:
        result, expiry = certificates.seen("localhost", port)
    assert result == "ok" and expiry is not None
    assert expiry == pytest.approx(certified.ends_at.timestamp(), abs=1)


def test_an_expired_one_is_told_as_such(trusted: Callable[..., Certified]) -> None:
    with tls_server(trusted("localhost", days=0)) as port:
        assert certificates.seen("localhost", port) == ("expired", None)


def test_another_name_and_an_unknown_authority_are_untrusted(trusted: Callable[..., Certified], tmp_path: Path) -> None:
    with tls_server(trusted("wlan.example")) as port:
        assert certificates.seen("localhost", port) == ("untrusted", None)
    with tls_server(certify(tmp_path / "stranger", ["localhost"])) as port:
        assert certificates.seen("localhost", port) == ("untrusted", None)


def test_nobody_there_and_no_tls_are_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert certificates.seen("localhost", mute.getsockname()[1]) == ("unreachable", None)
        nobody = mute.getsockname()[1]
    assert certificates.seen("localhost", nobody) == ("unreachable", None)
    assert certificates.seen("x" * 64, 443) == ("unreachable", None)


def test_only_hosts_that_are_https_are_looked_at_each_once() -> None:
    def hosts(url: str, staff_url: str) -> list[tuple[str, int]]:
        return certificates.hosts(city_config("rostock", portal={"url": url, "staff_url": staff_url}))

    assert hosts("http://wlan.example", "http://wlan.example:8080") == []
    assert hosts("https://wlan.example", "https://wlan.example") == [("wlan.example", 443)]
    assert hosts("https://wlan.example:8443", "https://staff.example") == [
        ("wlan.example", 8443),
        ("staff.example", 443),
    ]


def test_the_job_shows_both_hosts_and_keeps_the_end_through_an_outage(
    trusted: Callable[..., Certified], city: City
) -> None:
    job = next(job for job in JOBS if job.name == "look-at-certificates")
    registry = CollectorRegistry()
    instruments = Instruments(registry)
    certified = trusted("localhost")
    with tls_server(certified) as port:
        url = f"https://localhost:{port}"
        config = city.config.model_copy(
            update={"portal": city.config.portal.model_copy(update={"url": url, "staff_url": url})}
        )
        looked_at = City(config, city.store, registry)
        assert run(job, looked_at, instruments, holder="a", now=NOW) == 0
    run(job, looked_at, instruments, holder="a", now=NOW + timedelta(hours=1))
    checks = {
        result: registry.get_sample_value(
            "kogge_portal_certificate_checks_total", {"host": "localhost", "result": result}
        )
        for result in CERTIFICATE_RESULTS
    }
    assert checks == {"ok": 1, "expired": 0, "untrusted": 0, "unreachable": 1}
    ends = registry.get_sample_value("kogge_portal_certificate_expiry_timestamp_seconds", {"host": "localhost"})
    assert ends == pytest.approx(certified.ends_at.timestamp(), abs=1)
