"""Standing texts: the terms of use and the help page. They need no hotspot and no visit."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from hotspot.terms import choose
from portal.captive.room import Room
from store import residents


@dataclass(frozen=True)
class Texts:
    """Pages that say what holds for everybody."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/terms")(self.terms)
        routes.get("/help")(self.help)

    def terms(self) -> AnyResponse:
        speech = self.room.speech()
        with self.room.city.store.read() as conn:
            texts = residents.current_terms(conn)
        terms = choose(texts, speech.language, self.room.city.config.languages[0])
        return self.room.show("captive/terms.html", speech, terms=terms)

    def help(self) -> AnyResponse:
        return self.room.show("captive/help.html")
