"""Residents of a trial: they come, get a ticket or come back by MAC address, stay, leave; NASes reboot under them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from hotspot.admission import Denial
from hotspot.values import MacAddress, MacSpelling, Octets
from portal.captive.admission import Admission as Admitted
from portal.captive.admission import Wish, admit, by_tap
from radius.intake import Port, Work
from tests.trials import packets
from tests.trials.nas import Nas, On
from tests.trials.oracle import Admission, Oracle
from tests.trials.packets import Attribute, number
from tests.trials.stay import Record, Stay
from tests.trials.timeline import Timeline
from tests.trials.town import INTERIM_SECONDS, TAP, Town, redeem

VISITS_A_STAY_MAX = 3
"""So many refused ones are borne with before a trial has fewer stays than it was asked for."""

STAY_SECONDS = 600.0
"""On average, unless the Session-Timeout comes before."""

COMES_BACK_BY_MAC = 0.6
GIVES_UP_VOUCHER = 0.5
ODD_JOB_SECONDS = 400.0
"""Longest time until the next visit; PATIENCE_SECONDS after a refusal."""

PATIENCE_SECONDS = 2400.0
RESETS_COUNTERS = 0.1
REBOOTS = 1 / 50
"""Reboots a stay."""

QUIET_SECONDS = 40.0
"""Before a NAS resets counters nothing of the stay may be in the network: what would arrive later would be counted
as new (`hotspot.session`: any order gives the same totals unless a NAS resets counters)."""

SPELLINGS = tuple(MacSpelling)


@dataclass(eq=False)
class Resident:
    """One device. The same MAC address lives in every city of the trial."""

    mac: MacAddress
    code: str | None
    may_return: bool = False
    """Whether an Accept by ticket was followed by a stay: the device may be remembered."""


@dataclass(eq=False)
class Live:
    """A stay that goes on, and what its NAS remembers of it."""

    stay: Stay
    nas: Nas
    ends: float
    identity: list[Attribute]
    resets: bool
    reboot: int = field(init=False)

    def __post_init__(self) -> None:
        self.reboot = self.nas.reboots

    @property
    def gone(self) -> bool:
        return self.nas.reboots != self.reboot


class Life:
    """One city's residents at its NASes."""

    def __init__(self, town: Town, oracle: Oracle, timeline: Timeline, chance: random.Random, *, stays: int) -> None:
        self._town, self._oracle, self._timeline, self._chance = town, oracle, timeline, chance
        self._wanted, self._visits_left = stays, stays * VISITS_A_STAY_MAX
        self._tickets: dict[str, Admission] = {}
        self._first_use: dict[str, float] = {}
        self.counts: Counter[str] = Counter()

    def begin(self, residents: Sequence[Resident]) -> None:
        for resident in residents:
            self._timeline.after(self._chance.random() * 600, partial(self._visit, resident))
        for _ in range(round(self._chance.random() * 2 * self._wanted * REBOOTS)):
            self._timeline.after(self._chance.random() * 3 * 3600, self._reboot_one)

    def _reboot_one(self) -> None:
        nas = self._chance.choice(self._town.nases)
        if nas.open:
            self.counts["reboots"] += 1
            nas.reboot()

    # Getting on -----------------------------------------------------------------------------------------

    def _visit(self, resident: Resident) -> None:
        if len(self._oracle.stays) >= self._wanted or self._visits_left <= 0:
            return
        self._visits_left -= 1
        nas = self._chance.choice(self._town.nases)
        if not nas.open:
            self._later(resident)
        elif resident.may_return and self._chance.random() < COMES_BACK_BY_MAC:
            self._by_mac(resident, nas)
        else:
            self._by_ticket(resident, nas)

    def _later(self, resident: Resident, longest: float = ODD_JOB_SECONDS) -> None:
        self._timeline.after(self._chance.uniform(30, longest), partial(self._visit, resident))

    def _by_mac(self, resident: Resident, nas: Nas) -> None:
        spelling = self._chance.choice(SPELLINGS)
        identity: list[Attribute] = [(1, resident.mac.spelled(spelling).encode()), self._station(resident, nas)]
        request = [*identity, number(6, 10), (2, bytes(16))]

        def answered(reply: bytes | None) -> None:
            if reply is not None and reply[0] == packets.ACCESS_REJECT and nas.open:
                self._by_ticket(resident, nas)
            else:
                self._answered(resident, nas, identity, reply)

        nas.ask_access(request, None, answered)

    def _by_ticket(self, resident: Resident, nas: Nas) -> None:
        code = resident.code if self._chance.random() < 0.7 else None
        now, randbytes = self._timeline.clock, self._chance.randbytes
        if code is None:
            wish = Wish(resident.mac, self._town.terms_id, "en")
            found = admit(self._town.city, wish, by_tap, now=now, random_octets=randbytes)
        else:
            found = redeem(self._town, resident.mac, code, now=now, random_octets=randbytes)
        if isinstance(found, Denial):
            self.counts[f"portal: {found.value}"] += 1
            if found is Denial.CODE_USED_UP:
                resident.code = None
            self._later(resident)
            return
        ticket = found.credential if isinstance(found, Admitted) else found
        self._tickets[ticket.name] = self._admission(resident, code)
        identity = [(1, ticket.name.encode()), self._station(resident, nas)]
        nas.ask_access(identity, ticket.password, partial(self._answered, resident, nas, identity))

    def _admission(self, resident: Resident, code: str | None) -> Admission:
        """By the rules of docs and of the plan, not by what the portal stored."""
        now = self._timeline.now
        if code is None:
            until = now + max(TAP.session_seconds, TAP.remember_seconds)
            return Admission(TAP, resident.mac, None, until, now + TAP.remember_seconds)
        terms = self._town.vouchers[code]
        until = float("inf") if terms.by_use else self._first_use.setdefault(code, now) + terms.voucher_seconds
        return Admission(terms, resident.mac, code, until, min(until, now + terms.remember_seconds))

    @staticmethod
    def _station(resident: Resident, nas: Nas) -> Attribute:
        colons = nas.model.product == "mikrotik"
        return 31, resident.mac.spelled(MacSpelling.COLON_UPPER if colons else MacSpelling.HYPHEN_UPPER).encode()

    def check(self, port: Port, replies: Sequence[tuple[Work, bytes]]) -> None:
        """The server has committed these."""
        for work, reply in replies:
            if port is Port.ACCT:
                self._oracle.commit(self._record_of(work))
            elif reply[0] == packets.ACCESS_ACCEPT:
                self._check_accept(work, dict(packets.attributes_of(reply)))
            else:
                self.counts["rejects"] += 1

    def _record_of(self, work: Work) -> Record | On:
        nas = next(nas for nas in self._town.nases if nas.address == work.source[0])
        return nas.records[work.packet.raw]

    def _check_accept(self, work: Work, said: dict[int, bytes]) -> None:
        asked = dict(packets.attributes_of(work.packet.raw))
        mac, name = MacAddress.parse(asked[31].decode()), asked[1].decode()
        grant_id = _grant_of(said)
        if name in self._tickets:
            self._oracle.grants[grant_id] = self._tickets[name]
            self.counts["accepts by ticket"] += 1
        else:
            self.counts["accepts by MAC"] += 1
        timeout = int.from_bytes(said[27], "big")
        self._oracle.accept(mac, grant_id, timeout, by_mac=name not in self._tickets)

    def _answered(self, resident: Resident, nas: Nas, identity: list[Attribute], reply: bytes | None) -> None:
        if reply is None or reply[0] != packets.ACCESS_ACCEPT or not nas.open:
            refused = reply is not None and reply[0] == packets.ACCESS_REJECT
            if refused and self._chance.random() < GIVES_UP_VOUCHER:
                resident.code = None
            self._later(resident, PATIENCE_SECONDS if refused else ODD_JOB_SECONDS)
            return
        said = dict(packets.attributes_of(reply))
        name = said.get(1, identity[0][1])
        resident.may_return = True
        self._begin_stay(resident, nas, [(1, name), identity[1]], said)

    # Being on -------------------------------------------------------------------------------------------

    def _begin_stay(self, resident: Resident, nas: Nas, identity: list[Attribute], said: dict[int, bytes]) -> None:
        now, chance = self._timeline.now, self._chance
        grant_id = _grant_of(said)
        user_name = identity[0][1].decode()
        told = nas.model.returns_class or user_name in self._tickets  # a NAS owes us the Class: RFC 2865 section 5.25
        voucher = self._oracle.grants[grant_id].voucher if told else None
        stay = Stay(nas.name, nas.next_session_id(), resident.mac, grant_id if told else None, voucher, now)
        if nas.model.returns_class:
            identity = [*identity, (25, said[25])]
        timeout = int.from_bytes(said[27], "big")
        wanted = timeout if chance.random() < 0.15 else max(61.0, chance.expovariate(1 / STAY_SECONDS))
        live = Live(stay, nas, now + min(timeout, wanted), identity, chance.random() < RESETS_COUNTERS)
        self._oracle.begin(stay)
        self._report(live, packets.START)
        self._next(resident, live)

    def _next(self, resident: Resident, live: Live) -> None:
        wait = min(INTERIM_SECONDS, max(0.0, live.ends - self._timeline.now))
        self._timeline.after(wait, partial(self._go_on, resident, live))

    def _go_on(self, resident: Resident, live: Live) -> None:
        if live.gone:
            self._later(resident)
            return
        self._count(live)
        if self._timeline.now < live.ends:
            self._report(live, packets.INTERIM)
            self._next(resident, live)
            return
        self._report(live, packets.STOP)
        self._later(resident)

    def _count(self, live: Live) -> None:
        """What went through since the last look, and now and then from 0 again."""
        stay, chance = live.stay, self._chance
        stay.seconds = int(self._timeline.now - stay.began)
        segment = stay.segments[-1]
        if live.resets and self._is_quiet(live) and segment.total > 1_000_000:
            live.resets = False
            stay.segments.append(Octets(segment.down // 50, segment.up // 50))
            self.counts["resets"] += 1
        elif len(stay.segments) > 1:  # slowly: counters that overtook the old ones would not show the reset
            before = stay.segments[-2]
            stay.segments[-1] += Octets(chance.randrange(before.down // 50 + 1), chance.randrange(before.up // 50 + 1))
        else:
            much = 1 << chance.choice((12, 20, 26, 33))
            stay.segments[-1] += Octets(chance.randrange(much), chance.randrange(much // 4))

    def _is_quiet(self, live: Live) -> bool:
        return not live.nas.is_asking(live.stay) and self._timeline.now - live.stay.sent_at > QUIET_SECONDS

    def _report(self, live: Live, status: int) -> None:
        stay, swapped = live.stay, live.nas.model.octets_swapped
        counted = stay.segments[-1]
        record = Record(stay, status, stay.seconds, len(stay.segments) - 1, counted)
        attributes = [*live.identity, (44, stay.acct_session_id.encode())]
        if status != packets.START:
            into, out = (counted.down, counted.up) if swapped else (counted.up, counted.down)
            attributes += [number(46, stay.seconds), *_gigawords(42, 52, into), *_gigawords(43, 53, out)]
        live.nas.report(status, attributes, record)


def _gigawords(octets_kind: int, gigawords_kind: int, value: int) -> list[Attribute]:
    """RFC 2869 section 5.1: the Gigawords only where there are some."""
    high, low = divmod(value, packets.GIGAWORD)
    return [number(octets_kind, low), *([number(gigawords_kind, high)] if high else [])]


def _grant_of(said: dict[int, bytes]) -> int:
    return int(said[25].removeprefix(b"kogge:"))
