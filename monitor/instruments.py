"""What the monitor counts about itself, per city: polls, their duration and lag, store failures, jobs, messages."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hotspot.ap_events import Kind as EventKind
from hotspot.discovery import Failure as SearchFailure
from hotspot.fleet import PollFailure
from monitor.sockets import Ignored
from monitor.traps import Result as TrapResult
from store.messages import Kind

OK, INTERNAL = "ok", "internal"
RESULTS = (OK, *(failure.value for failure in PollFailure), INTERNAL)
STORE_OPERATIONS = ("list", "save", "lease")
SPENT_STATES = ("ordered", "deferred", "waiting", "given_up")
CERTIFICATE_RESULTS = ("ok", "expired", "untrusted", "unreachable")
JOB_RESULTS = ("done", "elsewhere", "failed")
SEARCHED = "done"
SEARCH_RESULTS = (SEARCHED, *(failure.value for failure in SearchFailure))
MESSAGE_RESULTS = ("sent", "failed", "given_up")

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Instruments:
    """One city's own, on that city's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count_polls(registry)
        self._count_findings(registry)
        self._count_datagrams(registry)
        self._count_jobs(registry)
        self._count_messages(registry)

    def _count_polls(self, registry: CollectorRegistry) -> None:
        self.polls = Counter(
            "kogge_monitor_polls_total", "Polls of access points by result.", ["result"], registry=registry
        )
        self.poll_seconds = Histogram(
            "kogge_monitor_poll_duration_seconds",
            "Duration of polls that were answered.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.lag_seconds = Histogram(
            "kogge_monitor_poll_lag_seconds",
            "How long after its time a poll began.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.running = Gauge("kogge_monitor_running", "Whether the city's poller runs.", registry=registry)
        self.in_flight = Gauge("kogge_monitor_polls_in_flight", "Polls that wait for an answer.", registry=registry)
        self.pending = Gauge(
            "kogge_monitor_health_writes_pending", "Access points whose health is not stored yet.", registry=registry
        )
        self.store_failures = Counter(
            "kogge_monitor_store_failures_total",
            "Times that the city's database was away for the poller.",
            ["operation"],
            registry=registry,
        )
        self.queue = Gauge("kogge_monitor_queue", "Polls that are due and wait for a place.", registry=registry)
        self.standby = Gauge(
            "kogge_monitor_standby", "Whether another monitor polls this city and this one waits.", registry=registry
        )
        for result in RESULTS:
            self.polls.labels(result)
        for operation in STORE_OPERATIONS:
            self.store_failures.labels(operation)

    def _count_findings(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "kogge_monitor_events_total", "Entries of the event log by kind.", ["kind"], registry=registry
        )
        self.events_withheld = Counter(
            "kogge_monitor_events_withheld_total",
            "Entries of the event log that were not kept, because an access point made too many.",
            ["kind"],
            registry=registry,
        )
        self.lost = Counter(
            "kogge_monitor_findings_lost_total",
            "Events and stretches of history that were not kept, because the database was away for too long.",
            registry=registry,
        )
        self.values_dropped = Counter(
            "kogge_monitor_values_dropped_total",
            "Values that a device told and nobody believed, by the profile's word.",
            ["value"],
            registry=registry,
        )
        self.members_refused = Counter(
            "kogge_monitor_members_refused_total",
            "Access points that a controller told of and that were not taken, because there were too many.",
            registry=registry,
        )
        self.credentials_adopted = Counter(
            "kogge_monitor_credentials_adopted_total",
            "Access points that answered to a credential of their network and not to their own.",
            registry=registry,
        )
        for kind in EventKind:
            self.events.labels(kind.value)
            self.events_withheld.labels(kind.value)

    def _count_datagrams(self, registry: CollectorRegistry) -> None:
        self.traps = Counter(
            "kogge_monitor_traps_total", "Traps and informs by what became of them.", ["result"], registry=registry
        )
        self.socket_drops = Counter(
            "kogge_monitor_socket_drops_total",
            "Datagrams that the kernel threw away before the monitor read them.",
            registry=registry,
        )
        self.answers_ignored = Counter(
            "kogge_monitor_answers_ignored_total",
            "Datagrams that answered no open question, by reason.",
            ["reason"],
            registry=registry,
        )
        for taken in TrapResult:
            self.traps.labels(taken.value)
        for reason in Ignored:
            self.answers_ignored.labels(reason.value)

    def _count_jobs(self, registry: CollectorRegistry) -> None:
        self.jobs = Counter(
            # The label cannot be called `job`: that is Prometheus's own.
            "kogge_monitor_jobs_total",
            "Runs of scheduled jobs by result.",
            ["task", "result"],
            registry=registry,
        )
        self.job_rows = Counter(
            "kogge_monitor_job_rows_total", "Rows that scheduled jobs closed or deleted.", ["task"], registry=registry
        )
        self.spent_sessions = Gauge(
            "kogge_monitor_spent_sessions",
            "Open sessions that policy would end, by what is done about them.",
            ["state"],
            registry=registry,
        )
        self.certificate_expiry = Gauge(
            "kogge_portal_certificate_expiry_timestamp_seconds",
            "Unix time at which the certificate of one of the city's own hosts ends, as last seen.",
            ["host"],
            registry=registry,
        )
        self.certificate_checks = Counter(
            "kogge_portal_certificate_checks_total",
            "Looks at the certificates of the city's own hosts by result.",
            ["host", "result"],
            registry=registry,
        )
        self.searches = Counter(
            "kogge_monitor_searches_total",
            "Searches for access points that came to an end, by result.",
            ["result"],
            registry=registry,
        )
        for result in SEARCH_RESULTS:
            self.searches.labels(result)
        for state in SPENT_STATES:
            self.spent_sessions.labels(state)

    def _count_messages(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "kogge_messages_total",
            "Attempts to send a message by kind and result; a message that failed is tried again.",
            ["kind", "result"],
            registry=registry,
        )
        self.messages_waiting = Gauge(
            "kogge_messages_waiting", "Messages that are to be sent, by kind.", ["kind"], registry=registry
        )
        self.messages_oldest_seconds = Gauge(
            "kogge_messages_oldest_seconds",
            "Age of the oldest message that waits, by kind; 0 where none does.",
            ["kind"],
            registry=registry,
        )
        for kind in Kind:
            self.messages_waiting.labels(kind.value)
            self.messages_oldest_seconds.labels(kind.value)
            for outcome in MESSAGE_RESULTS:
                self.messages.labels(kind.value, outcome)
