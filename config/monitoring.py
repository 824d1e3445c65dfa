"""`[monitor]`: how a city's access points are polled and found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

from config.section import Number, OptionalListen, Section, is_this_machine, web_address


def _prometheus(text: str) -> str:
    """The root of its HTTP API, with a path where it stands behind a proxy."""
    return web_address(text, such_as="http://127.0.0.1:9090") if text else ""


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
            to = urlsplit(self.prometheus_url)
            if to.scheme != "https" and not is_this_machine(to.hostname or ""):
                raise ValueError(f"the token would go to {self.prometheus_url} in the clear; use https")
        return self
