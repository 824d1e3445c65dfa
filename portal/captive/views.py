"""The residents' pages: each view parses, asks a use case, renders. No cookie, no JavaScript, one request a page."""

from __future__ import annotations

from flask import Blueprint

from portal.captive.arriving import Arriving
from portal.captive.code_step import CodeStep
from portal.captive.getting_on import GettingOn
from portal.captive.room import Room
from portal.captive.staying import Staying
from portal.captive.texts import Texts


def blueprint(room: Room) -> Blueprint:
    """All the routes; `portal.app` mounts them on the portal's host."""
    routes = Blueprint("captive", __name__)
    getting_on = GettingOn(room)
    for part in (Arriving(room), getting_on, CodeStep(room, getting_on), Staying(room), Texts(room)):
        part.mount(routes)
    return routes
