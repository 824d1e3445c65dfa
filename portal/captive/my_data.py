"""What is stored about a device, shown to whoever proves it: read, taken along, deleted (docs/privacy.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.forgetting import cut
from hotspot.products import PRODUCTS, Dynamic
from portal.captive import proof
from portal.captive.room import Guest, Room
from portal.pages import origin
from service.reasons import REASONS
from store import audit, forgetting, my_data, outbox, residents, sessions
from store.forgetting import Forgotten
from store.my_data import EXPORT_ROWS_MAX, Kind
from store.store import Connection

SHOWN_ROWS = 20
"""Rows of each kind on the page; the download has all."""

STEPS_MAX = 200
"""Steps of one deletion, each of `store.forgetting.DAYS_MAX` days; housekeeping goes on after them."""


@dataclass(frozen=True)
class MyData:
    """The pages of a device's own data."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/my-data")(self.my_data)
        routes.get("/my-data.json")(self.my_data_file)
        routes.get("/my-data/delete")(self.ask_delete)
        routes.post("/my-data/delete")(self.delete_my_data)

    def my_data(self) -> AnyResponse:
        guest = self._proven()
        if guest is None:
            return self._unproven()
        self.room.metrics.my_data.labels("seen").inc()
        kinds, said = self._collect(guest, SHOWN_ROWS), self.room.speech().text
        reasons = {reason.value: said(sentence) for reason, sentence in REASONS.items()}
        return self._show("captive/my_data.html", guest, kinds=kinds, shown=SHOWN_ROWS, reasons=reasons)

    def my_data_file(self) -> AnyResponse:
        """Everything in one JSON file (GDPR Art. 20); times are UTC."""
        guest = self._proven()
        if guest is None:
            return self._unproven()
        self.room.metrics.my_data.labels("downloaded").inc()
        kinds = self._collect(guest, EXPORT_ROWS_MAX)
        content: dict[str, Any] = {
            "city": self.room.city.config.name,
            "written_at": self.room.clock(),
            "mac_address": str(guest.visit.mac),
            "wrong_guesses": self._wrong_guesses(guest),
            "kept_days": self._kept_days(),
            **{name: kind.rows for name, kind in kinds.items()},
            "left_out": {name: kind.count - len(kind.rows) for name, kind in kinds.items()},
        }
        response = Response(json.dumps(content, default=_plain, ensure_ascii=False, indent=1))
        response.mimetype = "application/json"
        response.headers["Content-Disposition"] = f'attachment; filename="my-data-{self.room.city.key}.json"'
        return response

    def _collect(self, guest: Guest, limit: int) -> dict[str, Kind]:
        city = self.room.city
        with city.store.read() as conn:
            device_id = residents.find_device(conn, city.store.keys, guest.visit.mac, now=self.room.clock())
            return {} if device_id is None else my_data.collect(conn, device_id, limit=limit)

    def _wrong_guesses(self, guest: Guest) -> int:
        city = self.room.city
        since = self.room.clock() - timedelta(minutes=city.config.limits.voucher_window_minutes)
        with city.store.read() as conn:
            return my_data.wrong_guesses(conn, city.store.keys, str(guest.visit.mac), since=since)

    def _kept_days(self) -> dict[str, int]:
        limits = self.room.city.config.limits
        return {
            "sessions": limits.session_days,
            "decisions": limits.decision_log_days,
            "accounts": limits.account_days,
        }

    # Deleting -------------------------------------------------------------------------------------------

    def ask_delete(self) -> AnyResponse:
        """What will go, what stays and why, and one button."""
        guest = self._proven()
        if guest is None:
            return self._unproven()
        now = self.room.clock()
        return self._show(
            "captive/my_data_delete.html",
            guest,
            fresh=proof.fresh(self.room.city, guest.visit, now=now),
            anew=f"{origin(guest.nas.login_url)}/" if guest.nas.login_url else "",
        )

    def delete_my_data(self) -> AnyResponse:
        guest = self._proven()
        if guest is None:
            return self._unproven()
        if not proof.fresh(self.room.city, guest.visit, now=self.room.clock()):
            return self.ask_delete()
        steps = self._forget(guest)
        self.room.metrics.my_data.labels("deleted").inc()
        return self._show(
            "captive/my_data_deleted.html",
            guest,
            waits=bool(steps) and steps[-1].waits,
            online=self._is_online(guest),
            ends=PRODUCTS[guest.nas.product].dynamic is not Dynamic.NOTHING,
        )

    def _forget(self, guest: Guest) -> list[Forgotten]:
        """In steps, each a transaction of its own; the session that runs is ended, and goes when it has."""
        room, city, now = self.room, self.room.city, self.room.clock()
        with city.store.read() as conn:
            device_id = residents.find_device(conn, city.store.keys, guest.visit.mac, now=now)
        wish, steps = cut(now, now=now, zone=city.zone), list[Forgotten]()
        while device_id is not None and len(steps) < STEPS_MAX and (not steps or steps[-1].more):
            with city.store.write() as conn:
                if not steps:
                    _disconnect(conn, device_id, now)
                done = forgetting.forget(
                    conn, device_id, wish, now=now, zone=city.zone, random_octets=room.random_octets
                )
                steps.append(done)
                if not done.more:
                    _note(conn, steps, now)
        return steps

    def _is_online(self, guest: Guest) -> bool:
        city = self.room.city
        with city.store.read() as conn:
            device_id = residents.find_device(conn, city.store.keys, guest.visit.mac, now=self.room.clock())
            view = None if device_id is None else sessions.latest_of_device(conn, device_id)
        return view is not None and view.ended_at is None

    # Pages ----------------------------------------------------------------------------------------------

    def _proven(self) -> Guest | None:
        guest = self.room.guest()
        return guest if guest is not None and self.room.proven(guest.visit) else None

    def _unproven(self) -> Response:
        """The same to no visit, to a foreign one, and to one that proves nothing."""
        self.room.metrics.my_data.labels("unproven").inc()
        said = self.room.speech().text
        return self.room.show(
            "captive/message.html",
            status=403,
            heading=said("What is stored about me"),
            sentences=[
                said("We show this only to the device itself. Connect to the city's Wi-Fi and go online."),
                said("Then follow the link on the page that says that you are online."),
            ],
        )

    def _show(self, template: str, guest: Guest, **values: Any) -> Response:
        limits = self.room.city.config.limits
        return self.room.show(
            template,
            path="/my-data/delete" if request.path.endswith("/delete") else "/my-data",
            kept={"visit": guest.token},
            token=guest.token,
            limits=limits,
            guesses=self._wrong_guesses(guest),
            **values,
        )


def _disconnect(conn: Connection, device_id: int, now: datetime) -> None:
    view = sessions.latest_of_device(conn, device_id)
    if view is not None and view.ended_at is None:
        outbox.want(conn, outbox.Kind.DISCONNECT, view.id, reason=outbox.BY_RESIDENT, now=now)


def _note(conn: Connection, steps: list[Forgotten], now: datetime) -> None:
    """That it was done, and how much; not whose it was."""
    count = {"sessions": sum(step.sessions for step in steps), "days": sum(step.days for step in steps)}
    audit.add(conn, now=now, action="my_data.deleted", subject="a resident's device", **count)


def _plain(value: object) -> str:
    assert isinstance(value, date), f"{value!r} has no form in the file"  # a datetime is a date, too
    return value.isoformat()
