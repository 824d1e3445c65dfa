"""Standing texts: the terms of use and the help page. They need no hotspot and no visit."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from hotspot.terms import choose
from portal.captive.room import Guest, Room
from store import residents


@dataclass(frozen=True)
class Texts:
    """Pages that say what holds for everybody."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/terms")(self.terms)
        routes.get("/help")(self.help)

    def terms(self) -> AnyResponse:
        guest, speech = self.room.guest(), self.room.speech()
        with self.room.city.store.read() as conn:
            texts = residents.current_terms(conn)
        terms = choose(texts, speech.language, self.room.city.config.languages[0])
        return self.room.show("captive/terms.html", speech, terms=terms, guest=guest, kept=kept(guest))

    def help(self) -> AnyResponse:
        """By address, with or without a visit: whoever has one reads whom to ask at this place."""
        guest = self.room.guest()
        return self.room.show("captive/help.html", guest=guest, kept=kept(guest))


def kept(guest: Guest | None) -> dict[str, str]:
    """What links on a standing page must not lose."""
    return {"visit": guest.token} if guest is not None else {}
