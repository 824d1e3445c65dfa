"""The residents' pages: each view parses, asks a use case, renders. No cookie, no JavaScript, one request a page."""

from __future__ import annotations

from typing import Protocol

from flask import Blueprint

from portal.captive.account_pages import AccountPages
from portal.captive.arriving import Arriving
from portal.captive.capport import Capport
from portal.captive.code_step import CodeStep
from portal.captive.feedback import FeedbackPages
from portal.captive.getting_on import GettingOn
from portal.captive.my_data import MyData
from portal.captive.oidc import SignIn
from portal.captive.provider import Provider
from portal.captive.room import Room
from portal.captive.smart_clients import SmartClients
from portal.captive.staying import Staying
from portal.captive.texts import Texts


class Part(Protocol):
    """Pages that belong together."""

    def mount(self, routes: Blueprint, /) -> None: ...


def blueprint(room: Room) -> Blueprint:
    """All the routes; `portal.app` mounts them on the portal's host."""
    routes = Blueprint("captive", __name__)
    getting_on = GettingOn(room)
    account_pages = AccountPages(room, getting_on)
    parts: list[Part] = [
        Arriving(room, getting_on),
        getting_on,
        CodeStep(room, getting_on),
        account_pages,
        SmartClients(room, getting_on, account_pages.accounts),
        Staying(room),
        Capport(room),
        MyData(room),
        Texts(room),
        FeedbackPages(room),
    ]
    if room.city.config.oidc is not None:
        parts.append(SignIn(room, getting_on, Provider(room.city.config.oidc)))
    for part in parts:
        part.mount(routes)
    return routes
