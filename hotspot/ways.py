"""Which ways in a place offers: those that the city has a plan for, unless the place names its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hotspot.errors import InputError
from hotspot.plan import Plan, Way

ASKED_FOR = tuple(way for way in Way if way is not Way.GRACE)
"""The ways that a page shows, in its order."""


def offered(plans: Iterable[Plan], chosen: str, *, unready: Collection[Way] = ()) -> dict[Way, Plan]:
    """The plan of each way in, in the page's order. `chosen`: the place's own ways by their words; empty: all.

    `unready`: ways that the city has no means for, such as SMS without a gateway. Of several plans for a way the
    first is granted; a grace plan is there wherever a mail must be fetched.
    """
    first: dict[Way, Plan] = {}
    for plan in plans:
        first.setdefault(plan.way, plan)
    wanted = (set(chosen.split()) or {way.value for way in ASKED_FOR}) - {way.value for way in unready}
    if wanted & {Way.EMAIL.value, Way.ACCOUNT.value}:
        wanted.add(Way.GRACE.value)
    return {way: first[way] for way in Way if way in first and way.value in wanted}


def read_ways(text: str) -> str:
    """A place's ways as stored, from words separated by spaces or commas; empty: all. InputError names a wrong one."""
    words = text.replace(",", " ").lower().split()
    known = [way.value for way in ASKED_FOR]
    for word in words:
        if word not in known:
            raise InputError(f"there is no way in {word!r}; there are {', '.join(known)}")
    return " ".join(way for way in known if way in words)
