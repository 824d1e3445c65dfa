"""Being online: the status page, and leaving."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from portal.captive import authorising
from portal.captive.handoff.methods import log_off
from portal.captive.handoff.protocol import Admitted, Back, GoTo, Handing
from portal.captive.room import Guest, Room
from portal.captive.standing import NOWHERE, standing_of
from store import residents


@dataclass(frozen=True)
class Staying:
    """The routes of somebody who is online, or was."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/status")(self.status)
        routes.post("/logout")(self.logout)

    def status(self) -> AnyResponse:
        """What RADIUS knows of this device's session; nothing to a browser that does not prove the device."""
        guest = self.room.guest()
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        city, speech, visit = self.room.city, self.room.speech(), guest.visit
        proven = self.room.proven(visit)
        return self.room.show(
            "captive/status.html",
            speech,
            kept={"visit": guest.token},
            standing=standing_of(city, visit.mac, now=self.room.clock()) if proven else NOWHERE,
            proven=proven,
            token=guest.token,
            again=f"{request.path}?visit={guest.token}&lang={speech.language}",
            user_url=visit.user_url,
            walk_in=_way_in(guest),
        )

    def logout(self) -> AnyResponse:
        """End the grants (so the device is not remembered) and let the NAS end the session."""
        guest = self.room.guest()
        if guest is None or not self.room.proven(guest.visit):
            return self.room.not_at_a_hotspot(400)
        city, now, visit = self.room.city, self.room.clock(), guest.visit
        with city.store.write() as conn:
            device_id = residents.find_device(conn, city.store.keys, visit.mac, now=now)
            if device_id is not None:
                residents.end_grants(conn, device_id, now=now)
        handing = Handing(guest.nas, visit.mac, Back(visit.back), visit.user_url, landing="")
        left = log_off(handing)
        if isinstance(left, Admitted):
            authorising.left(city, guest.nas, visit.mac, now=now)
        return redirect(left.url if isinstance(left, GoTo) else f"/status?visit={guest.token}", 303)


def _way_in(guest: Guest) -> str:
    """An address that the NAS answers with its portal: it catches http alone, never https (HANDOFF)."""
    wanted = guest.visit.user_url
    return wanted if wanted.startswith("http:") else f"{guest.nas.login_url}/"
