"""`[monitor]`: how a city's access points are polled and found."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

from config.section import HOST, Number, OptionalListen, Section


def _prometheus(text: str) -> str:
    """The root of its HTTP API, with a path where it stands behind a proxy."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.port != 0  # `port` raises beyond 65535
    except ValueError:
        sound = False
    if not sound or not HOST.fullmatch(parts.hostname or "") or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not an address such as `http://127.0.0.1:9090`")
    return text.rstrip("/")


def _on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Monitor(Section):
    poll_interval_s: Annotated[int, Field(strict=True, ge=5, le=3600)] = 60
    timeout_s: Annotated[Number, Field(gt=0, le=30)] = 2.0
    retries: Annotated[int, Field(strict=True, ge=0, le=5)] = 1
    max_in_flight: Annotated[int, Field(strict=True, ge=1, le=2000)] = 200
    discover_networks: tuple[IPvAnyNetwork, ...] = ()
    trap_listen: OptionalListen = ""
    prometheus_url: Annotated[str, AfterValidator(_prometheus)] = ""
    prometheus_token_file: Path | None = None

    @model_validator(mode="after")
    def _token_kept_secret(self) -> Monitor:
        if self.prometheus_token_file is not None:
            if not self.prometheus_url:
                raise ValueError("prometheus_token_file is of no use without prometheus_url")
            if not self.prometheus_url.startswith("https:") and not _on_this_machine(self.prometheus_url):
                raise ValueError(f"the token would go to {self.prometheus_url} in the clear; use https")
        return self
