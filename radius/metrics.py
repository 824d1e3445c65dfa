"""What the RADIUS process counts, one registry a city. Names and labels: docs/metrics.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from hotspot.access import Reason
from store.outbox import FINAL, Kind, State

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class RadiusMetrics:
    """One city's counters. No label holds a name, an address or a MAC."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.auth = Counter(
            "kogge_radius_auth",
            "Access-Requests decided, by result and the reason of a refusal.",
            ["result", "reason"],
            registry=registry,
        )
        self.acct = Counter(
            "kogge_radius_acct",
            "Accounting records committed, by Acct-Status-Type.",
            ["type"],
            registry=registry,
        )
        self.dropped = Counter(
            "kogge_radius_dropped",
            "Packets met with silence, by port and reason.",
            ["port", "reason"],
            registry=registry,
        )
        self.duplicates = Counter(
            "kogge_radius_duplicates",
            "Retransmissions answered with the bytes of the first reply.",
            ["port"],
            registry=registry,
        )
        self.latency = Histogram(
            "kogge_radius_latency_seconds",
            "From receipt to reply, commit included.",
            ["port"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.batch = Histogram(
            "kogge_radius_batch_size",
            "Packets answered by one transaction.",
            ["port"],
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        self.orders = Counter(
            "kogge_radius_orders",
            "Disconnects and CoAs of the outbox, by what became of them.",
            ["kind", "result"],
            registry=registry,
        )
        self.orders_on_way = Gauge(
            "kogge_radius_orders_on_way", "Disconnect- and CoA-Requests that wait for an answer.", registry=registry
        )
        self.orders_held_back = Counter(
            "kogge_radius_orders_held_back",
            "Times that a NAS got no new request because as many as it may have were on their way to it.",
            registry=registry,
        )
        self.clients = Gauge("kogge_radius_clients", "Registered NASes.", registry=registry)
        self.sessions = Gauge("kogge_radius_sessions_open", "Sessions without an end.", registry=registry)
        self.site_sessions = Gauge(
            "kogge_radius_site_sessions_open",
            "Sessions without an end, by site.",
            ["site"],
            registry=registry,
        )
        self.nas_packets = Counter(
            "kogge_radius_nas_packets",
            "Packets let in, by the NAS's name; counted when they are written down, within half a minute.",
            ["nas"],
            registry=registry,
        )
        self._add_bounds(registry)
        self._begin_at_zero()

    def _add_bounds(self, registry: CollectorRegistry) -> None:
        """What tells how full it is, and when something was thrown away."""
        self.cached = Gauge(
            "kogge_radius_duplicate_cache_entries",
            "Requests remembered for retransmissions.",
            ["port"],
            registry=registry,
        )
        self.evicted = Counter(
            "kogge_radius_duplicate_cache_evictions",
            "Requests forgotten before their time because the cache was full.",
            ["port"],
            registry=registry,
        )
        self.receive_buffer = Gauge(
            "kogge_radius_receive_buffer_bytes",
            "Socket receive buffer that the kernel granted.",
            ["port"],
            registry=registry,
        )
        self.kernel_drops = Counter(
            "kogge_radius_kernel_drops",
            "Packets that the kernel threw away before we could read them.",
            ["port"],
            registry=registry,
        )
        self.limits = Counter(
            "kogge_radius_limits_reached",
            "Times that a bound on what RADIUS remembers or tries was reached.",
            ["limit"],
            registry=registry,
        )

    def set_nases(self, names: Collection[str]) -> None:
        """The registered NASes by name: one that has not spoken counts 0, one that is gone leaves the page."""
        _keep(self.nas_packets, "nas", names)

    def set_site_sessions(self, open_sessions: Mapping[str, int]) -> None:
        """Open sessions by the site's key, of every site."""
        _keep(self.site_sessions, "site", open_sessions)
        for site, count in open_sessions.items():
            self.site_sessions.labels(site).set(count)

    def _begin_at_zero(self) -> None:
        """Series exist before their first event, so that rate() sees the first one."""
        self.auth.labels("accept", "")
        for reason in Reason:
            self.auth.labels("reject", reason.value)
        for kind in ("start", "interim", "stop", "on", "off", "ignored"):
            self.acct.labels(kind)
        for port in ("auth", "acct"):
            self.duplicates.labels(port)
            self.evicted.labels(port)
            self.kernel_drops.labels(port)
            self.dropped.labels(port, "unknown_client")
        for limit in ("arrivals", "candidates", "sources"):
            self.limits.labels(limit)
        for order in Kind:
            for state in (State.ACKED, *FINAL):
                self.orders.labels(order.value, state.value)


def _keep(metric: Counter | Gauge, label: str, values: Collection[str]) -> None:
    """Series of exactly these values of the metric's one label."""
    known = {sample.labels[label] for family in metric.collect() for sample in family.samples}
    for gone in known - set(values):
        metric.remove(gone)
    for value in values:
        metric.labels(value)


class PortMetrics:
    """One port's share, bound once: a look-up by label costs as much as parsing a packet's header."""

    def __init__(self, metrics: RadiusMetrics, port: str) -> None:
        self.port = port
        self.duplicates = metrics.duplicates.labels(port)
        self.latency = metrics.latency.labels(port)
        self.batch = metrics.batch.labels(port)
        self.cached = metrics.cached.labels(port)
        self.evicted = metrics.evicted.labels(port)
        self.receive_buffer = metrics.receive_buffer.labels(port)
        self.kernel_drops = metrics.kernel_drops.labels(port)
        self._dropped = metrics.dropped

    def count_drops(self, drops: Mapping[str, int]) -> None:
        """Packets met with silence, by reason."""
        for reason, count in drops.items():
            self._dropped.labels(self.port, reason).inc(count)
