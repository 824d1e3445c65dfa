"""What the portal counts, one registry a city. Names and labels: docs/metrics.md."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from hotspot.admission import Denial
from hotspot.plan import Way
from hotspot.ways import ASKED_FOR

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class PortalMetrics:
    """One city's counters. No label holds what a visitor typed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "kogge_portal_requests",
            "HTTP requests answered, by endpoint and status.",
            ["endpoint", "status"],
            registry=registry,
        )
        self.duration = Histogram(
            "kogge_portal_request_seconds",
            "Time to answer a request, by endpoint.",
            ["endpoint"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.turned_away = Counter(
            "kogge_portal_turned_away",
            "Requests that were turned away at once: the database is away, nothing moves, or too many log in.",
            ["reason"],
            registry=registry,
        )
        self.arrivals = Counter(
            "kogge_portal_arrivals",
            "Redirects from NASes, by what they said; `forged` failed verification, `unknown` named no NAS of ours.",
            ["result"],
            registry=registry,
        )
        self.logins = Counter(
            "kogge_portal_logins",
            "Residents who asked to get on, by way, result and reason of a refusal.",
            ["way", "result", "reason"],
            registry=registry,
        )
        self.codes = Counter(
            "kogge_portal_codes",
            "Codes asked for by e-mail or SMS: `wanted`, or the reason why none is sent.",
            ["way", "result"],
            registry=registry,
        )
        self.staff_logins = Counter(
            "kogge_portal_staff_logins", "Staff log-ins, by result.", ["result"], registry=registry
        )
        for refused in ("forged", "unknown", "malformed"):
            self.arrivals.labels(refused)
        for way in ASKED_FOR:
            self.logins.labels(way.value, "ticket", "")
            for denial in Denial:
                self.logins.labels(way.value, "refused", denial.value)
        for way in (Way.EMAIL, Way.SMS):
            for code_result in ("wanted", *(denial.value for denial in Denial)):
                self.codes.labels(way.value, code_result)
        for reason in ("away", "stuck", "busy"):
            self.turned_away.labels(reason)
        for result in ("success", "wrong", "limited"):
            self.staff_logins.labels(result)
