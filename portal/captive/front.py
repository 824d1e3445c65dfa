"""The page on which a resident gets online: the terms, and each way in that the place offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Response

from hotspot.plan import Way
from hotspot.terms import choose
from hotspot.ways import offered
from portal.captive.room import Guest, Room
from service.speech import Speech
from store import residents


@dataclass(frozen=True)
class Trouble:
    """Why it did not work, in the reader's language; of which way in, and what stood in its fields."""

    sentence: str
    way: Way | None = None
    typed: Mapping[str, str] = field(default_factory=dict)


def front_page(
    room: Room, guest: Guest, speech: Speech | None = None, *, trouble: Trouble | None = None, status: int = 200
) -> Response:
    """The page for a guest. Each way in has a template of its own in `captive/ways/`."""
    speech = speech or room.speech()
    with room.city.store.read() as conn:
        texts = residents.current_terms(conn)
        plans = offered(residents.plans(conn), guest.nas.site_ways, unready=room.city.config.unready)
    return room.show(
        "captive/arrive.html",
        speech,
        status=status,
        path="/welcome",
        kept={"visit": guest.token},
        token=guest.token,
        nas=guest.nas,
        terms=choose(texts, speech.language, room.city.config.languages[0]),
        plans={way.value: plan for way, plan in plans.items() if way is not Way.GRACE},
        trouble=trouble,
        trouble_at=trouble.way.value if trouble is not None and trouble.way is not None else "",
        grace=plans.get(Way.GRACE),
        typed=trouble.typed if trouble is not None else {},
    )
