"""Where a city's metrics stand, as Prometheus's http_sd reads it: `/cities/<key>/targets`, one group a service.

https://prometheus.io/docs/prometheus/latest/http_sd/: status 200, `application/json`, a list of `targets` and `labels`.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping

from config.model import Installation

SERVICES = ("portal", "radius", "monitor")


def listens(installation: Installation) -> dict[str, str]:
    """The metrics listener of each service, as the installation's file names it."""
    return {service: str(getattr(installation, service).metrics_listen) for service in SERVICES}


def document(key: str, listening: Mapping[str, str], reached_at: str) -> bytes:
    """The city's targets as JSON. `reached_at`: our address that was asked, for a listener on all addresses."""
    groups = [
        {
            "targets": [_address(listen, reached_at)],
            "labels": {"city": key, "service": service, "__metrics_path__": f"/cities/{key}/metrics"},
        }
        for service, listen in listening.items()
    ]
    return json.dumps(groups).encode()


def _address(listen: str, reached_at: str) -> str:
    host, _, port = listen.rpartition(":")
    if not _is_wildcard(host.strip("[]")):
        return listen
    reached = ipaddress.ip_address(reached_at.partition("%")[0])
    seen = (reached.ipv4_mapped if reached.version == 6 else None) or reached
    return f"[{seen}]:{port}" if seen.version == 6 else f"{seen}:{port}"


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:  # a name
        return False
