"""When the certificates of the portal's and the staff's host end: seen as a browser sees them, by a TLS handshake.

The proxy that holds them is not ours, so its files are not read. What a browser would not accept is no end of a
certificate but a result of its own.
"""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterable
from datetime import datetime
from urllib.parse import urlsplit

from config.model import CityConfig
from monitor.instruments import CERTIFICATE_RESULTS, Instruments
from service.cities import City
from store.store import Connection

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0
"""For the connection, and for the handshake: with two hosts the city's other jobs wait 20 s at most."""

HTTPS = 443
OK, EXPIRED, UNTRUSTED, UNREACHABLE = CERTIFICATE_RESULTS
_HAS_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL."""


def look(city: City, instruments: Instruments, _now: datetime) -> Callable[[City, Connection, datetime], int]:
    """Look at each host; there is nothing to write."""
    for host, port in hosts(city.config):
        result, expiry = seen(host, port)
        if expiry is not None:
            instruments.certificate_expiry.labels(host).set(expiry)
        for each in CERTIFICATE_RESULTS:
            instruments.certificate_checks.labels(host, each).inc(each == result)
        if result != OK:
            log.warning("%s: the certificate of %s port %d: %s", city.key, host, port, result)
    return _nothing


def hosts(config: CityConfig) -> list[tuple[str, int]]:
    """Host names and ports that the city's file calls https, each once."""
    urls: Iterable[str] = (config.portal.url, config.portal.staff_url)
    parts = [urlsplit(url) for url in urls if url.startswith("https:")]
    return list(dict.fromkeys((each.hostname or "", each.port or HTTPS) for each in parts))


def seen(host: str, port: int) -> tuple[str, float | None]:
    """One of `CERTIFICATE_RESULTS`, and the Unix time at which a sound certificate ends."""
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_S) as connection,
            context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            certificate = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return (EXPIRED if error.verify_code == _HAS_EXPIRED else UNTRUSTED), None
    except (OSError, ValueError):  # ValueError: a name that cannot be asked for
        return UNREACHABLE, None
    return OK, float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))


def _nothing(_city: City, _conn: Connection, _now: datetime) -> int:
    return 0
