"""What came in since the last time it was written down: bounded, whatever floods in. Pure; the server writes.

What is wrong is due at once; that all is well with a NAS is due the first time, and then now and then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from hotspot.errors import WireError
from radius import wire
from radius.intake import Drop, Port, Source, Work
from radius.peers import plain_address
from store.arrivals import ARRIVALS_MAX, OK, Arrival

KEYS_MAX = 4_096
"""Different arrivals waiting to be written; further ones are not told of."""

FRESH_MAX = 64
"""Packets a second that are read, or remembered under a new heading, to tell what is wrong: a flood is not told of."""

FRESH_OF_SOURCE_MAX = 4
"""How many of them one address may take: a loud stranger does not hide a quiet one."""

OK_EVERY = timedelta(seconds=30)
"""How often it is written that a NAS is well."""

IDENTIFIER_MAX = 64
"""Characters kept of a claimed NAS-Identifier."""

UNTOLD = frozenset({"still_working"})
"""Silence that is nobody's fault."""


class _Key(NamedTuple):
    """`nas_id`: a NAS that takes another's place, name and address is another one, and its first `ok` is news."""

    source: str
    port: str
    nas_identifier: str
    verdict: str
    nas_id: int | None


class _Seen:
    __slots__ = ("first_at", "last_at", "packets")

    def __init__(self, at: datetime) -> None:
        self.packets = 0
        self.first_at = self.last_at = at


class Tally:
    """One city's arrivals. `due` gives what is to be written, `written` takes it out: a failed write loses nothing."""

    def __init__(self) -> None:
        self._seen: dict[_Key, _Seen] = {}
        self._given: list[_Key] = []
        self._ok_at: dict[_Key, datetime] = {}
        self._fresh: Counter[str] = Counter()
        self._fresh_count = 0
        self._untold = 0

    def admitted(self, port: Port, works: Iterable[Work], at: datetime) -> None:
        """These were let in."""
        counted = Counter([(work.source[0], work.peer) for work in works])
        for (source, peer), packets in counted.items():
            self._note(_Key(source, port.value, peer.nas.nas_identifier, OK, peer.nas.id), packets, at)

    def dropped(self, port: Port, datagram: bytes, source: Source, drop: Drop, at: datetime) -> None:
        """This was met with silence."""
        reason, peer = drop
        if reason in UNTOLD:
            return
        named = (peer.nas.nas_identifier, reason, peer.nas.id) if peer else ("", reason, None)
        key = _Key(source[0], port.value, *named)
        if peer is None or key not in self._seen:
            if not self._may_be_fresh(source[0]):
                self._untold += 1
                return
            if peer is None:
                key = key._replace(nas_identifier=claimed_identifier(datagram))
        self._note(key, 1, at)

    def _may_be_fresh(self, source: str) -> bool:
        if self._fresh_count >= FRESH_MAX or self._fresh[source] >= FRESH_OF_SOURCE_MAX:
            return False
        self._fresh[source] += 1
        self._fresh_count += 1
        return True

    def _note(self, key: _Key, packets: int, at: datetime) -> None:
        seen = self._seen.get(key)
        if seen is None:
            if len(self._seen) >= KEYS_MAX:
                self._untold += packets
                return
            seen = self._seen[key] = _Seen(at)
        seen.packets += packets
        seen.last_at = at

    def due(self, now: datetime) -> list[Arrival]:
        """What to write now, at most `ARRIVALS_MAX`. To be called once a second, which begins a new second."""
        self._fresh.clear()
        self._fresh_count = 0
        self._ok_at = {key: at for key, at in self._ok_at.items() if timedelta(0) <= now - at < OK_EVERY}
        waiting = [key for key in self._seen if key not in self._ok_at]
        waiting.sort(key=lambda key: key.verdict == OK)  # what is wrong comes first
        self._given = waiting[:ARRIVALS_MAX]
        return [self._arrival(key) for key in self._given]

    def _arrival(self, key: _Key) -> Arrival:
        seen = self._seen[key]
        at = plain_address(key.source)
        return Arrival(at, *key[1:], seen.packets, seen.first_at, seen.last_at)

    def written(self, now: datetime) -> None:
        """What `due` gave last is in the database."""
        for key in self._given:
            del self._seen[key]
            if key.verdict == OK:
                self._ok_at[key] = now
        self._given = []

    def take_untold(self) -> int:
        """Packets since the last call that no arrival tells of, because a limit was reached."""
        taken, self._untold = self._untold, 0
        return taken


def claimed_identifier(datagram: bytes) -> str:
    """The NAS-Identifier a packet claims, fit to be stored and shown; empty where it has none or cannot be read."""
    try:
        claimed = wire.parse(datagram).octets(wire.Attr.NAS_IDENTIFIER) or b""
    except WireError:
        return ""
    text = claimed.decode(errors="replace")[:IDENTIFIER_MAX]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
