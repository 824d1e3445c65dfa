"""Accept and Accept-Encoding as scrapers and browsers really send them, and as nobody should."""

from __future__ import annotations

import pytest

from service.negotiation import HEADER_CHARS_MAX, accepts_gzip, media_quality
from service.page import OPENMETRICS, PLAIN, Format, choose

PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
PROMETHEUS_WITHOUT_OPENMETRICS = "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        (PROMETHEUS_2_42, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        (PROMETHEUS_WITHOUT_OPENMETRICS, PLAIN),
        (FIREFOX, PLAIN),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text; version=0.0.1", PLAIN),
        ("application/openmetrics-text;q=0", PLAIN),
        ("application/openmetrics-text;q=0.4, text/plain;q=0.6", PLAIN),
        ("application/openmetrics-text;q=0.6, text/plain;q=0.4", OPENMETRICS),
        ("application/openmetrics-text, text/plain", PLAIN),
        ('APPLICATION/OpenMetrics-Text; Version="1.0.0"', OPENMETRICS),
        ("application/*, text/plain;q=0.9", OPENMETRICS),
        ("application/openmetrics-text;q=much, text/plain;q=0.1", PLAIN),
        ("application/openmetrics-text;q=2, text/plain;q=0.1", PLAIN),
        ("application/openmetrics-text;q=nan, text/plain;q=0.1", PLAIN),
        (";;=,,;q=,", PLAIN),
        ("x," * HEADER_CHARS_MAX + "application/openmetrics-text", PLAIN),
    ],
)
def test_the_format_is_the_one_liked_best(accept: str, chosen: Format) -> None:
    assert choose(accept) is chosen


def test_the_most_specific_range_counts() -> None:
    accept = "*/*;q=0.1, text/*;q=0.2, text/plain;q=0.3, text/plain;version=0.0.4;q=0.4"
    assert media_quality(accept, "text/plain", "0.0.4") == 0.4
    assert media_quality(accept, "text/plain", "1.0.0") == 0.3
    assert media_quality(accept, "text/html", "1") == 0.2
    assert media_quality(accept, "application/json", "1") == 0.1


@pytest.mark.parametrize(
    ("accept_encoding", "packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("gzip;q=", False),
        ("gzipped", False),
    ],
)
def test_gzip_only_for_those_who_want_it(accept_encoding: str, packed: bool) -> None:
    assert accepts_gzip(accept_encoding) is packed
