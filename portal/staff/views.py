"""The staff's pages. Who may open which stands in `guard.GUARDS`; what they do stands in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.errors import InputError
from hotspot.plan import Way
from hotspot.roles import Permission, may
from hotspot.vouchers import show_code
from portal.address import client_address
from portal.captive.admission import RandomOctets
from portal.forms import line, row_number
from portal.metrics import PortalMetrics
from portal.pages import page, speech_for, switches
from portal.passwords import PASSWORD_MAX
from portal.staff import login as logins
from portal.staff import voucher_desk
from portal.staff.guard import COOKIE, Guard
from portal.staff.login import Outcome
from portal.staff.qr import qr_svg
from portal.staff.voucher_desk import OrderError
from service.cities import City
from service.speech import Speech
from service.speech import marked as _
from store import audit, outbox, residents, sessions, staff, vouchers

ENDED_SHOWN = timedelta(hours=1)
"""How long ended sessions stay on the sessions page."""

MENU: tuple[tuple[str, str, Permission], ...] = (
    ("/staff/sessions", _("Sessions"), Permission.SEE_SESSIONS),
    ("/staff/access-points", _("Access points"), Permission.SEE_ACCESS_POINTS),
    ("/staff/nases", _("NASes"), Permission.MANAGE_NASES),
    ("/staff/vouchers", _("Vouchers"), Permission.MANAGE_VOUCHERS),
    ("/staff/places", _("Places"), Permission.MANAGE_PLACES),
    ("/staff/terms", _("Terms of use"), Permission.MANAGE_TERMS),
    ("/staff/notices", _("Notices"), Permission.MANAGE_NOTICES),
    ("/report", _("Report"), Permission.SEE_REPORTS),
    ("/staff/audit", _("Audit log"), Permission.SEE_AUDIT),
)


@dataclass(frozen=True)
class Staff:
    """What the staff's views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    metrics: PortalMetrics
    clock: Callable[[], datetime]
    random_octets: RandomOctets
    guard: Guard

    def blueprint(self) -> Blueprint:
        """The routes; `portal.app` mounts them on the staff's host."""
        routes = Blueprint("staff", __name__)
        routes.before_request(self.guard.check)
        routes.get("/staff")(self.home)
        routes.get("/staff/login")(self.login)
        routes.post("/staff/login")(self.log_in)
        routes.post("/staff/logout")(self.log_out)
        routes.get("/staff/invite/<token>")(self.invitation)
        routes.post("/staff/invite/<token>")(self.accept_invitation)
        routes.get("/staff/sessions")(self.sessions)
        routes.post("/staff/sessions/<int:session_id>/disconnect")(self.disconnect)
        routes.get("/staff/vouchers")(self.vouchers)
        routes.post("/staff/vouchers")(self.make_vouchers)
        routes.get("/staff/vouchers/<int:batch_id>")(self.voucher_sheet)
        routes.get("/staff/audit")(self.audit)
        return routes

    # Log-in -----------------------------------------------------------------------------------------

    def home(self) -> AnyResponse:
        """The first page that the member's role may open."""
        return redirect(next(href for href, _, permission in MENU if may(g.member.role, permission)), 303)

    def login(self) -> AnyResponse:
        return self._page("staff/login.html", problem=None)

    def log_in(self) -> AnyResponse:
        result = logins.log_in(
            self.city,
            login=line(request.form.get("login", ""), 80),
            password=request.form.get("password", ""),
            address=str(client_address(request, self.city) or ""),
            now=self.clock(),
            random_octets=self.random_octets,
        )
        self.metrics.staff_logins.labels(result.outcome.value).inc()
        if result.outcome is Outcome.SUCCESS:
            return self._with_cookie(redirect("/staff", 303), result.token)
        problem, status = _LOGIN_PROBLEMS[result.outcome]
        return self._page("staff/login.html", status=status, problem=self._speech().text(problem))

    def log_out(self) -> AnyResponse:
        with self.city.store.write() as conn:
            staff.close_session(conn, request.cookies.get(COOKIE, ""))
            audit.add(conn, now=self.clock(), action="staff.logout", subject=g.member.login, staff_id=g.member.id)
        response = redirect("/staff/login", 303)
        response.delete_cookie(COOKIE, path="/")
        return response

    def _with_cookie(self, response: AnyResponse, token: str) -> AnyResponse:
        response.set_cookie(
            COOKIE,
            token,
            max_age=self.city.config.limits.staff_session_minutes * 60,
            httponly=True,
            samesite="Lax",
            secure=self.city.config.portal.staff_url.startswith("https:"),
            path="/",
        )
        return response

    def invitation(self, token: str) -> AnyResponse:
        """The one-time link: a form for the first password."""
        with self.city.store.read() as conn:
            member = staff.invited(conn, token, now=self.clock())
        if member is None:
            abort(404)
        return self._page("staff/invitation.html", invited=member, problem=None, shortest=logins.PASSWORD_MIN)

    def accept_invitation(self, token: str) -> AnyResponse:
        now = self.clock()
        with self.city.store.read() as conn:
            member = staff.invited(conn, token, now=now)
        if member is None:
            abort(404)
        try:
            hashed = logins.hash_password(request.form.get("password", ""))
        except InputError:
            shortest, longest = logins.PASSWORD_MIN, PASSWORD_MAX
            problem = self._speech().text("A password has %(n)s to %(most)s characters.", n=shortest, most=longest)
            return self._page("staff/invitation.html", status=422, invited=member, problem=problem, shortest=shortest)
        with self.city.store.write() as conn:
            if not staff.use_invite(conn, token, now=now):
                abort(404)
            staff.set_password(conn, member.id, hashed)
            audit.add(conn, now=now, action="staff.password", subject=member.login, staff_id=member.id)
        return redirect("/staff/login", 303)

    # Sessions ----------------------------------------------------------------------------------------

    def sessions(self) -> AnyResponse:
        """Who is online, and what ended within the hour, with the state of each disconnect."""
        rows, now = self.city.config.limits.page_rows, self.clock()
        first = row_number(request.args.get("from", ""))
        with self.city.store.read() as conn:
            live = sessions.live(conn, limit=rows, offset=first)
            count = sessions.count_live(conn)
            ended = sessions.recently_ended(conn, since=now - ENDED_SHOWN, limit=rows)
        return self._page(
            "staff/sessions.html",
            live=live,
            count=count,
            ended=ended,
            first=first,
            rows=rows,
            states=DISCONNECT_STATES,
        )

    def disconnect(self, session_id: int) -> AnyResponse:
        """Ask RADIUS to end the session, and end the device's grants, so that it does not come back by itself."""
        now = self.clock()
        with self.city.store.write() as conn:
            view = sessions.by_id(conn, session_id)
            if view is None:
                abort(404)
            if view.ended_at is None:
                outbox.want_disconnect(conn, session_id=session_id, requested_by=g.member.id, now=now)
                residents.end_grants(conn, view.device_id, now=now)
                subject = f"session:{session_id}"
                audit.add(conn, now=now, action="session.disconnect", subject=subject, staff_id=g.member.id)
        return redirect("/staff/sessions", 303)

    # Vouchers --------------------------------------------------------------------------------------------

    def vouchers(self) -> AnyResponse:
        return self._voucher_page()

    def make_vouchers(self) -> AnyResponse:
        """A batch of fresh codes; the sheet to print comes next."""
        try:
            order = voucher_desk.read_order(request.form, self.city.config.limits.voucher_batch_max)
            batch_id = voucher_desk.make_batch(
                self.city, order, staff_id=g.member.id, now=self.clock(), random_octets=self.random_octets
            )
        except OrderError as error:
            return self._voucher_page(status=422, problem=self._speech().text(error.sentence, **error.values))
        return redirect(f"/staff/vouchers/{batch_id}", 303)

    def _voucher_page(self, *, status: int = 200, problem: str | None = None) -> AnyResponse:
        limits = self.city.config.limits
        with self.city.store.read() as conn:
            batches = vouchers.batches(conn, limit=limits.page_rows)
            plans = residents.plans(conn, Way.VOUCHER)
        return self._page(
            "staff/vouchers.html",
            status=status,
            batches=batches,
            plans=plans,
            most=limits.voucher_batch_max,
            problem=problem,
            typed=request.form,
        )

    def voucher_sheet(self, batch_id: int) -> AnyResponse:
        """The codes to print, each with its QR for a phone's camera to copy."""
        with self.city.store.write() as conn:
            batch = vouchers.batch(conn, batch_id)
            if batch is None:
                abort(404)
            codes = vouchers.codes_of(conn, self.city.store.keys, batch_id)
            subject = f"batch:{batch_id}"
            audit.add(conn, now=self.clock(), action="voucher.print", subject=subject, staff_id=g.member.id)
        tickets = [(show_code(code), qr_svg(show_code(code))) for code in codes]
        return self._page("staff/voucher_sheet.html", batch=batch, tickets=tickets)

    # Audit ------------------------------------------------------------------------------------------------

    def audit(self) -> AnyResponse:
        rows = self.city.config.limits.page_rows
        first = row_number(request.args.get("from", ""))
        with self.city.store.read() as conn:
            entries = audit.entries(conn, limit=rows, offset=first)
        return self._page("staff/audit.html", entries=entries, first=first, rows=rows)

    # Shared -----------------------------------------------------------------------------------------------

    def _speech(self) -> Speech:
        return speech_for(request, self.speeches)

    def _page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        return staff_page(self.city, self.speeches, self.guard, template, status=status, **values)


def staff_page(
    city: City, texts: dict[str, Speech], guard: Guard, template: str, *, status: int = 200, **values: Any
) -> Response:
    """A page of the staff's frame: menu by role, log-out, language switch."""
    speech, member = speech_for(request, texts), g.get("member")
    menu = [
        (href, speech.text(name), request.path.startswith(href))
        for href, name, permission in MENU
        if member and may(member.role, permission)
    ]
    return page(
        template,
        speech,
        status=status,
        city=city.config,
        member=member,
        menu=menu,
        csrf=guard.csrf() if member else "",
        wide=member is not None,
        switches=switches(request.path, speech, texts) if request.method == "GET" else [],
        **values,
    )


_LOGIN_PROBLEMS = {
    Outcome.WRONG: (_("User name or password is wrong."), 401),
    Outcome.LIMITED: (_("Too many attempts. Please wait a quarter of an hour."), 429),
}

DISCONNECT_STATES = {
    "wanted": _("Disconnect: wanted"),
    "sent": _("Disconnect: sent"),
    "acked": _("Disconnect: acknowledged, waiting for the Stop"),
    "confirmed": _("Disconnect: confirmed"),
    "refused": _("Disconnect: refused by the NAS"),
    "unanswered": _("Disconnect: no answer from the NAS"),
}
