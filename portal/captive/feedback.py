"""Feedback: a resident writes to whoever runs the Wi-Fi here. It needs no visit (BITV 2.0, § 12b BGG and its like)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from portal.captive.room import Room
from portal.captive.texts import kept


@dataclass(frozen=True)
class Feedback:
    """The page that says how to reach the city."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/feedback")(self.feedback)

    def feedback(self) -> AnyResponse:
        guest = self.room.guest()
        return self.room.show("captive/feedback.html", kept=kept(guest))
