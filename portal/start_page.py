"""The page that lists an installation's cities: the demo's front door, on `portal.start_page_host`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Flask, Response, request

from config.model import LANGUAGES
from portal.pages import guard_response, page, speech_for
from service.cities import City
from service.speech import speeches
from store import nases


@dataclass(frozen=True, slots=True)
class Entry:
    """What the page shows of a city: only what stands on its own pages too."""

    key: str
    name: str
    portal: str
    staff: str
    walk_up: str


def entry_of(city: City) -> Entry:
    """`walk_up` is the oldest NAS's own address, where the demo's NAS lets a person be a resident."""
    with city.store.read() as conn:
        known = sorted(nases.nases(conn, city.store.keys), key=lambda nas: nas.id)
    walk_up = next((f"{nas.login_url}/walk-up" for nas in known if nas.login_url), "")
    settings = city.config.portal
    return Entry(city.key, city.config.name, settings.url, settings.staff_url, walk_up)


def create_start_page(cities: Sequence[City]) -> Flask:
    """An app that knows names and addresses, and holds no city."""
    entries = [entry_of(city) for city in sorted(cities, key=lambda city: city.key)]
    texts = speeches(LANGUAGES, ZoneInfo("UTC"))
    app = Flask(__name__, static_folder=None)

    def start() -> Response:
        return guard_response(page("start.html", speech_for(request, texts), cities=entries), ("'self'",))

    app.get("/")(start)
    return app
