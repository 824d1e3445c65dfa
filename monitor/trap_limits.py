"""How many notifications are looked at: a burst and a steady rate, for each source and for the city. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

SOURCE_BURST, SOURCE_PER_S = 20.0, 1.0
"""An access point that restarts says some ten things at once."""

CITY_BURST, CITY_PER_S = 200.0, 50.0
"""A power cut is some hundred access points at once. SNMPv3 costs 6 ms each: a third of a core at most."""

SOURCES_MAX = 65_536
"""Only addresses of known access points have a bucket; where they change that often, all begin anew."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class Limits:
    """Token buckets. Times in seconds of any clock that does not go back."""

    _sources: dict[str, _Bucket] = field(default_factory=dict)
    _city: _Bucket = field(default_factory=lambda: _Bucket(CITY_BURST, 0.0))

    def admit(self, source: str, *, now: float) -> bool:
        """Whether one more from there is looked at. A source beyond its limit does not use up the city's."""
        if source not in self._sources:
            if len(self._sources) >= SOURCES_MAX:
                self._sources.clear()
            self._sources[source] = _Bucket(SOURCE_BURST, now)
        return _take(self._sources[source], SOURCE_BURST, SOURCE_PER_S, now) and _take(
            self._city, CITY_BURST, CITY_PER_S, now
        )


def _take(bucket: _Bucket, burst: float, per_s: float, now: float) -> bool:
    bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * per_s)
    bucket.at = now
    if bucket.tokens < 1:
        return False
    bucket.tokens -= 1
    return True
