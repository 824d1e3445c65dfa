"""One resident's stay at one NAS: what the NAS counted (the truth), and what of it a server has committed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hotspot.values import NO_OCTETS, MacAddress, Octets


@dataclass(frozen=True, slots=True)
class Record:
    """One accounting record as its NAS means it. `segment` counts the NAS's counter resets."""

    stay: Stay
    status: int
    seconds: int
    segment: int
    octets: Octets


@dataclass(eq=False, slots=True)
class Stay:
    """From an Accept to the last octet. Times in the timeline's seconds."""

    nas: str
    acct_session_id: str
    mac: MacAddress
    grant_id: int | None  # None where the NAS gives the server nothing to know it by
    voucher: str | None
    began: float
    seconds: int = 0
    segments: list[Octets] = field(default_factory=lambda: [NO_OCTETS])
    sent_at: float = 0.0  # when its NAS last sent anything of it
    stopped: bool = False  # its Stop was acknowledged; not where a reboot came before
    committed: dict[int, Octets] = field(default_factory=dict)
    committed_seconds: int = 0
    heard: bool = False
    over: bool = False  # as far as the server was told: by a Stop, the device's next Start, an Accounting-On

    @property
    def octets(self) -> Octets:
        return sum(self.segments, NO_OCTETS)

    @property
    def committed_octets(self) -> Octets:
        return sum(self.committed.values(), NO_OCTETS)

    def commit(self, record: Record) -> tuple[int, Octets]:
        """A record of this stay is in the database; the seconds and octets that it added."""
        before_seconds, before = self.committed_seconds, self.committed.get(record.segment, NO_OCTETS)
        after = Octets(max(before.down, record.octets.down), max(before.up, record.octets.up))
        self.committed[record.segment] = after
        self.committed_seconds = max(before_seconds, record.seconds)
        self.heard = True
        return self.committed_seconds - before_seconds, after - before
