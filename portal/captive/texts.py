"""Standing texts: the terms of use and the help page. They need no hotspot and no visit."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort
from werkzeug.wrappers import Response as AnyResponse

from portal.captive.room import Guest, Room
from service.speech import marked as _


@dataclass(frozen=True)
class Texts:
    """Pages that say what holds for everybody."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/terms")(self.terms)
        routes.get("/help")(self.help)
        routes.get("/accessibility")(self.accessibility)

    def terms(self) -> AnyResponse:
        guest, speech = self.room.guest(), self.room.speech()
        terms = self.room.terms(speech.language)
        return self.room.show("captive/terms.html", speech, terms=terms, guest=guest, kept=kept(guest))

    def help(self) -> AnyResponse:
        """By address, with or without a visit: whoever has one reads whom to ask at this place."""
        guest = self.room.guest()
        return self.room.show("captive/help.html", guest=guest, kept=kept(guest))

    def accessibility(self) -> AnyResponse:
        """The statement that public bodies owe (Directive (EU) 2016/2102, article 7); only where it is configured."""
        if self.room.city.config.accessibility is None:
            abort(404)
        return self.room.show("captive/accessibility.html", conformance=CONFORMANCE, method=METHOD)


CONFORMANCE = {
    "full": _("These pages meet all requirements."),
    "partial": _("These pages meet most of the requirements. What they do not meet stands below."),
    "none": _("These pages do not meet the requirements yet. What is missing stands below."),
}

METHOD = {
    "self": _("We looked ourselves: with a test program on every page and in every language, and by hand."),
    "external": _("Somebody from outside looked for us."),
}


def kept(guest: Guest | None) -> dict[str, str]:
    """What links on a standing page must not lose."""
    return {"visit": guest.token} if guest is not None else {}
