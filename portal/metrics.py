"""What the portal counts, one registry a city. Names and labels: docs/metrics.md."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from hotspot.admission import Denial
from hotspot.feedback import Fault
from hotspot.plan import Way
from hotspot.ways import ASKED_FOR
from portal.captive.controllers import REASONS as CALL_FAILURES
from portal.captive.handoff.protocol import Admitted, Awaited, GoTo, HandOff, Submit
from portal.redirects import RESULTS

GATEWAY_CALLS = ("clear", "view", "list", "deauthed", "custom", "binauth", "other")
"""What a gateway may say (`portal.captive.gateways`)."""

HISTORY_SOURCES = ("store", "prometheus", "instead")

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
        self.gateway_calls = Counter(
            "kogge_portal_gateway_calls",
            "Calls of openNDS's gateways to the portal, by what they said and what became of it.",
            ["call", "result"],
            registry=registry,
        )
        self.histories = Counter(
            "kogge_portal_ap_histories",
            "Charts of an access point that were made, by where their figures came from; `instead`: from the store,"
            " because Prometheus did not answer.",
            ["source"],
            registry=registry,
        )
        for source in HISTORY_SOURCES:
            self.histories.labels(source)
        self.given_up = Counter(
            "kogge_portal_awaited_given_up",
            "Devices that a NAS was allowed to let on, forgotten before it told of them because too many waited.",
            registry=registry,
        )
        self.staff_logins = Counter(
            "kogge_portal_staff_logins", "Staff log-ins, by result.", ["result"], registry=registry
        )
        self._of_residents(registry)
        self._begin_at_zero()

    def _of_residents(self, registry: CollectorRegistry) -> None:
        """What became of those who asked for something."""
        self.logins = Counter(
            "kogge_portal_logins",
            "Residents who asked to get on, by way, result and reason of a refusal.",
            ["way", "result", "reason"],
            registry=registry,
        )
        self.handoffs = Counter(
            "kogge_portal_handoffs",
            "Residents handed over to a NAS, by result and reason of a failure.",
            ["result", "reason"],
            registry=registry,
        )
        self.codes = Counter(
            "kogge_portal_codes",
            "Codes asked for by e-mail or SMS: `wanted`, or the reason why none is sent.",
            ["way", "result"],
            registry=registry,
        )
        self.extensions = Counter(
            "kogge_portal_extensions",
            "Residents who asked for a longer session: extended, refused, or a form that was sent again.",
            ["result"],
            registry=registry,
        )
        self.capport = Counter(
            "kogge_portal_capport",
            "Questions to the captive portal API (RFC 8908), by how the device was known and what was said.",
            ["known_by", "captive"],
            registry=registry,
        )
        self.my_data = Counter(
            "kogge_portal_my_data",
            "Residents who asked for what is stored about them: seen, downloaded, deleted, or unproven.",
            ["result"],
            registry=registry,
        )
        self.feedback = Counter(
            "kogge_portal_feedback",
            "Messages that residents wrote to the city, by result.",
            ["result"],
            registry=registry,
        )

    def _begin_at_zero(self) -> None:
        """Every series that is known stands there before its first event, so that `rate()` sees it."""
        for result in ("extended", "refused", "repeated"):
            self.extensions.labels(result)
        for known_by in ("token", "address", "nothing"):
            for captive in ("true", "false"):
                self.capport.labels(known_by, captive)
        for result in ("seen", "downloaded", "deleted", "unproven"):
            self.my_data.labels(result)
        for result in ("wanted", "trapped", *(fault.value for fault in Fault)):
            self.feedback.labels(result)
        for refused in ("forged", "unknown", "malformed", "unreadable"):
            self.arrivals.labels(refused)
        for done in _DONE.values():
            self.handoffs.labels(done, "")
        for reason in (*CALL_FAILURES, "changed"):
            self.handoffs.labels("failed", reason)
        for call in GATEWAY_CALLS:
            for answered in ("ok", "not_believed", "malformed"):
                self.gateway_calls.labels(call, answered)
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

    def note_handoff(self, handed: HandOff | None) -> None:
        """`handed`: None where a visit began with another way than the NAS has now."""
        if isinstance(handed, GoTo | Awaited | Submit | Admitted):
            self.handoffs.labels(_DONE[type(handed)], "").inc()
        else:
            self.handoffs.labels("failed", handed.reason if handed is not None else "changed").inc()


_DONE: dict[type[HandOff], str] = {GoTo: "sent", Awaited: "sent", Submit: "asked", Admitted: "admitted"}
"""`sent`: the browser was sent to the NAS, `asked`: it got a form, `admitted`: the controller was told."""


class RedirectMetrics:
    """Of a city that has a redirect listener; the listener stands beside the city's pages, not in them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.redirected = Counter(
            "kogge_portal_redirected",
            "Connections to the redirect listener, by what became of them.",
            ["result"],
            registry=registry,
        )
        for result in RESULTS:
            self.redirected.labels(result)
