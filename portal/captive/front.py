"""The page on which a resident gets online: the terms, and each way in that the place offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response

from hotspot import wifi4eu
from hotspot.plan import Way
from portal.captive import wispr
from portal.captive.handoff.methods import asks_radius
from portal.captive.room import Guest, Room
from portal.policy import Needs, hash_source
from service.speech import Speech
from store.places import Place

TERMS_FOLDED_FROM = 1_500
"""Longer terms stand behind a fold, so that a phone shows the way in without scrolling past them."""

TERMS_LINKED_FROM = 4_000
"""Still longer ones have a page of their own: the first page has to fit into 14,336 octets."""


@dataclass(frozen=True)
class Trouble:
    """Why it did not work, in the reader's language; of which way in, and what stood in its fields."""

    sentence: str
    way: Way | None = None
    typed: Mapping[str, str] = field(default_factory=dict)


def front_page(
    room: Room,
    guest: Guest,
    speech: Speech | None = None,
    *,
    trouble: Trouble | None = None,
    status: int = 200,
    for_machines: str = "",
) -> Response:
    """The page for a guest. Each way in has a template of its own in `captive/ways/`.

    `for_machines`: what a smart client reads; where nothing is to be said, that it may log in.
    """
    speech = speech or room.speech()
    room.stands_at(guest.nas)
    return room.show(
        "captive/arrive.html",
        speech,
        status=status,
        path="/welcome",
        kept={"visit": guest.token},
        token=guest.token,
        nas=guest.nas,
        trouble=trouble,
        trouble_at=trouble.way.value if trouble is not None and trouble.way is not None else "",
        typed=trouble.typed if trouble is not None else {},
        for_machines=for_machines or _invitation(room, guest),
        **_offer(room, speech, guest.nas.site_ways),
        **_wifi4eu(room, speech),
    )


def _invitation(room: Room, guest: Guest) -> str:
    """To a smart client: where the NAS signs who comes and lets on by an address, as UAM does."""
    if not (guest.visit.signed and asks_radius(guest.nas)):
        return ""
    return wispr.invitation(
        f"{room.city.config.portal.url}/wispr?visit={guest.token}", guest.nas.login_url, guest.nas.site_name
    )


def front_preview(room: Room, place: Place, speech: Speech, *, path: str = "") -> Response:
    """The same page for the staff: nothing on it can be pressed; `path` is where its language switch leads."""
    return room.show(
        "captive/arrive.html",
        speech,
        path=path,
        face=place.face.over(room.faces.own),
        site_id=place.id,
        preview=True,
        for_machines="",
        token="",
        trouble=None,
        trouble_at="",
        typed={},
        **_offer(room, speech, place.ways),
    )


def _wifi4eu(room: Room, speech: Speech) -> dict[str, Any]:
    """The snippet of a city of the programme, and what the policy must let it do; nothing for all others."""
    section = room.city.config.face.wifi4eu
    if not section.enabled:
        return {}
    script = wifi4eu.script(section.network_identifier, speech.language, self_test=section.self_test)
    needs = Needs(scripts=(hash_source(script),), hosts=(f"https://{wifi4eu.HOST}",))
    return {"wifi4eu_script": script, "wifi4eu_url": wifi4eu.SCRIPT_URL, "needs": needs}


def _offer(room: Room, speech: Speech, ways: str) -> dict[str, Any]:
    """The terms, and the plan of each way in that a place offers."""
    plans = room.plans(ways)
    return {
        "terms": room.terms(speech.language),
        "terms_folded_from": TERMS_FOLDED_FROM,
        "terms_linked_from": TERMS_LINKED_FROM,
        "grace": plans.get(Way.GRACE),
        "plans": {way.value: plan for way, plan in plans.items() if way is not Way.GRACE},
    }
