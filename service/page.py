"""A registry's page as text, piece by piece: Prometheus's text format or OpenMetrics, as the scraper likes it best.

Pieces are some ten kilobytes long, so that a page of six hundred thousand series never exists as a whole, and other
threads get their turn between two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics

from service.negotiation import media_quality
from service.text_family import TextFamily

EOF = "# EOF\n"


@dataclass(frozen=True, slots=True)
class Format:
    """`render` is prometheus-client's. `counter`: what a counter's family is called beyond its name; `end`: the last
    line.
    """

    media_type: str
    version: str
    content_type: str
    render: Callable[[Any], bytes]
    counter: str
    end: str


PLAIN = Format("text/plain", "0.0.4", CONTENT_TYPE_PLAIN_0_0_4, generate_latest, "_total", "")
OPENMETRICS = Format(
    "application/openmetrics-text", "1.0.0", openmetrics.CONTENT_TYPE_LATEST, openmetrics.generate_latest, "", EOF
)


def choose(accept: str) -> Format:
    """By an Accept header; whoever asks for neither, or for both alike, gets the text format."""
    wanted = {
        offer: media_quality(accept, offer.media_type, offer.version)  # Prometheus weighs several versions of each
        for offer in (PLAIN, OPENMETRICS)
    }
    return OPENMETRICS if wanted[OPENMETRICS] > wanted[PLAIN] else PLAIN


def pieces(registry: CollectorRegistry, chosen: Format) -> Iterator[str]:
    """The page, in pieces. Raises what a collector raises."""
    families = list(registry.collect())
    ordinary = [family for family in families if not isinstance(family, TextFamily)]
    yield chosen.render(_Collected(ordinary)).decode().removesuffix(EOF)
    for family in families:
        if not isinstance(family, TextFamily):
            continue
        name = family.name + (chosen.counter if family.type == "counter" else "")
        yield f"# HELP {name} {family.documentation}\n# TYPE {name} {family.type}\n"
        yield from family.lines()
    yield chosen.end


class _Collected:
    """What prometheus-client renders: anything that can be collected."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
