"""`[monitor]`: how a city's access points are polled and found."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, IPvAnyNetwork

from config.section import Number, OptionalListen, Section


class Monitor(Section):
    poll_interval_s: Annotated[int, Field(strict=True, ge=5, le=3600)] = 60
    timeout_s: Annotated[Number, Field(gt=0, le=30)] = 2.0
    retries: Annotated[int, Field(strict=True, ge=0, le=5)] = 1
    max_in_flight: Annotated[int, Field(strict=True, ge=1, le=2000)] = 200
    discover_networks: tuple[IPvAnyNetwork, ...] = ()
    trap_listen: OptionalListen = ""
