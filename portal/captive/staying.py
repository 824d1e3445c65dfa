"""Being online: the status page, staying longer, and leaving."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.access import Reason
from portal.captive import authorising, capport, wispr
from portal.captive.handoff.methods import log_off
from portal.captive.handoff.protocol import Admitted, Back, GoTo, Handing
from portal.captive.room import Guest, Room
from portal.captive.standing import Standing, State, standing_of
from portal.forms import row_number
from portal.tokens import Visit
from service.reasons import REASONS
from store import decisions, outbox, residents


@dataclass(frozen=True)
class Staying:
    """The routes of somebody who is online, or was."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/status")(self.status)
        routes.post("/extend")(self.extend)
        routes.post("/logout")(self.logout)

    def status(self) -> AnyResponse:
        """What RADIUS knows of this device's session; nothing to a browser that does not prove the device."""
        guest = self.room.guest()
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        city, speech, visit = self.room.city, self.room.speech(), guest.visit
        standing = self._standing(visit)
        proven = standing.state not in (State.WAITING, State.UNKNOWN)
        online = standing.state in (State.ONLINE, State.STARTING)
        refused = self._refusal(visit) if standing.state is State.WAITING else None
        return self.room.show(
            "captive/status.html",
            speech,
            kept={"visit": guest.token},
            standing=standing,
            refused=speech.text(REASONS[refused]) if refused is not None else "",
            token=guest.token,
            again=f"{request.path}?visit={guest.token}&lang={speech.language}",
            user_url=visit.user_url,
            walk_in=_way_in(guest),
            api=capport.path_of(city.store.keys, visit, now=self.room.clock()) if proven else "",
            for_machines=wispr.logged_in(guest.nas.login_url) if online and visit.signed else "",
        )

    def _standing(self, visit: Visit) -> Standing:
        if self.room.proven(visit):
            return standing_of(self.room.city, visit.mac, now=self.room.clock())
        return Standing(State.WAITING if visit.grant_id else State.UNKNOWN)

    def _refusal(self, visit: Visit) -> Reason | None:
        """Why RADIUS refused the ticket of this browser, which came from the device itself; None where it did not."""
        city = self.room.city
        with city.store.read() as conn:
            device_id = residents.find_device(conn, city.store.keys, visit.mac, now=self.room.clock())
            word = None if device_id is None else decisions.refusal_of_grant(conn, visit.grant_id, device_id)
        return None if word is None else Reason(word)

    def extend(self) -> AnyResponse:
        """Lengthen the session that runs; a form that was sent twice does it once."""
        guest = self.room.guest()
        if guest is None or not self.room.proven(guest.visit):
            return self.room.not_at_a_hotspot(400)
        city, now = self.room.city, self.room.clock()
        standing = standing_of(city, guest.visit.mac, now=now)
        if standing.can_extend and standing.view is not None:
            with city.store.write() as conn:
                done = outbox.extend(conn, standing.view.id, seen=row_number(request.form.get("seen", "")), now=now)
            self.room.metrics.extensions.labels("extended" if done else "repeated").inc()
        else:
            self.room.metrics.extensions.labels("refused").inc()
        return redirect(f"/status?visit={guest.token}&lang={self.room.speech().language}", 303)

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
        handing = Handing(
            guest.nas, visit.mac, Back(visit.back), visit.user_url, landing="", controllers=self.room.controllers
        )
        left = log_off(handing)
        if isinstance(left, Admitted):
            authorising.left(city, guest.nas, visit.mac, now=now)
        return redirect(left.url if isinstance(left, GoTo) else f"/status?visit={guest.token}", 303)


def _way_in(guest: Guest) -> str:
    """An address that the NAS answers with its portal: it catches http alone, never https (HANDOFF). Empty: none known.

    A log-in address to which forms are posted shows no page, and a controller's is not for residents.
    """
    wanted, nas = guest.visit.user_url, guest.nas
    return wanted if wanted.startswith("http:") else f"{nas.login_url}/" if nas.handoff == "uam" else ""
