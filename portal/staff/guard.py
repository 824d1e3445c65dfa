"""Who may open which staff page: one table, checked before every request. A page that is not in it stops the start.

A log-in session is a random token in a cookie, stored as a hash in this city's database; another city's token is
unknown here, so it gets exactly what no token gets.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime

from flask import Flask, abort, g, redirect, request
from werkzeug.wrappers import Response

from hotspot.roles import Permission, may
from portal.pages import origin
from service.cities import City
from store import audit, staff
from store.staff import Member

COOKIE = "kogge_staff"
TOKEN_MAX = 100

PUBLIC = None
"""For pages that need no log-in."""

ANY_ROLE = "any role"

GUARDS: dict[str, Permission | str | None] = {
    "staff.login": PUBLIC,
    "staff.log_in": PUBLIC,
    "staff.invitation": PUBLIC,
    "staff.accept_invitation": PUBLIC,
    "staff.home": ANY_ROLE,
    "staff.log_out": ANY_ROLE,
    "staff.sessions": Permission.SEE_SESSIONS,
    "staff.disconnect": Permission.END_SESSIONS,
    "staff.live_script": Permission.SEE_ACCESS_POINTS,
    "staff.access_points": Permission.SEE_ACCESS_POINTS,
    "staff.access_point_map": Permission.SEE_ACCESS_POINTS,
    "staff.access_point": Permission.SEE_ACCESS_POINTS,
    "staff.new_point": Permission.MANAGE_ACCESS_POINTS,
    "staff.add_point": Permission.MANAGE_ACCESS_POINTS,
    "staff.change_point_form": Permission.MANAGE_ACCESS_POINTS,
    "staff.change_point": Permission.MANAGE_ACCESS_POINTS,
    "staff.retire_form": Permission.MANAGE_ACCESS_POINTS,
    "staff.retire_point": Permission.MANAGE_ACCESS_POINTS,
    "staff.point_files": Permission.MANAGE_ACCESS_POINTS,
    "staff.import_points": Permission.MANAGE_ACCESS_POINTS,
    "staff.export_points": Permission.MANAGE_ACCESS_POINTS,
    "staff.discovery": Permission.MANAGE_ACCESS_POINTS,
    "staff.discover": Permission.MANAGE_ACCESS_POINTS,
    "staff.end_discovery": Permission.MANAGE_ACCESS_POINTS,
    "staff.take_finds": Permission.MANAGE_ACCESS_POINTS,
    "staff.credentials": Permission.MANAGE_ACCESS_POINTS,
    "staff.keep_credential": Permission.MANAGE_ACCESS_POINTS,
    "staff.remove_credential": Permission.MANAGE_ACCESS_POINTS,
    "staff.nases": Permission.MANAGE_NASES,
    "staff.new_nas": Permission.MANAGE_NASES,
    "staff.add_nas": Permission.MANAGE_NASES,
    "staff.nas": Permission.MANAGE_NASES,
    "staff.show_secrets": Permission.MANAGE_NASES,
    "staff.adopt": Permission.MANAGE_NASES,
    "staff.change_form": Permission.MANAGE_NASES,
    "staff.change_nas": Permission.MANAGE_NASES,
    "staff.remove_form": Permission.MANAGE_NASES,
    "staff.remove_nas": Permission.MANAGE_NASES,
    "staff.vouchers": Permission.MANAGE_VOUCHERS,
    "staff.make_vouchers": Permission.MANAGE_VOUCHERS,
    "staff.voucher_sheet": Permission.MANAGE_VOUCHERS,
    "staff.places": Permission.MANAGE_PLACES,
    "staff.place": Permission.MANAGE_PLACES,
    "staff.change_place": Permission.MANAGE_PLACES,
    "staff.preview": Permission.MANAGE_PLACES,
    "staff.preview_typed": Permission.MANAGE_PLACES,
    "staff.poster": Permission.MANAGE_PLACES,
    "staff.terms": Permission.MANAGE_TERMS,
    "staff.terms_version": Permission.MANAGE_TERMS,
    "staff.terms_draft": Permission.MANAGE_TERMS,
    "staff.save_terms_draft": Permission.MANAGE_TERMS,
    "staff.discard_terms_draft": Permission.MANAGE_TERMS,
    "staff.publish_terms": Permission.MANAGE_TERMS,
    "staff.notices": Permission.MANAGE_NOTICES,
    "staff.add_notice": Permission.MANAGE_NOTICES,
    "staff.end_notice": Permission.MANAGE_NOTICES,
    "staff.audit": Permission.SEE_AUDIT,
    "report.home": Permission.SEE_REPORTS,
    "report.month": Permission.SEE_REPORTS,
    "report.month_csv": Permission.SEE_REPORTS,
}


class Guard:
    """One city's door."""

    def __init__(self, city: City, clock: Callable[[], datetime]) -> None:
        self._city = city
        self._clock = clock

    def require_complete(self, app: Flask) -> None:
        """Every staff and report route stands in the table; called once at the start."""
        endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
        guarded = {name for name in endpoints if name.startswith(("staff.", "report."))}
        assert guarded == set(GUARDS), f"routes and guards differ: {guarded ^ set(GUARDS)}"

    def check(self) -> Response | None:
        """Before each staff request: None lets it through."""
        permission = GUARDS[request.endpoint or ""]
        g.member = member = self._member()
        if request.method == "POST":
            self._check_form(member)
        if permission is PUBLIC:
            return None
        if member is None:
            return redirect("/staff/login", 303)
        if isinstance(permission, Permission) and not may(member.role, permission):
            self._note_refusal(member, request.endpoint or "")
            abort(403)
        return None

    def _member(self) -> Member | None:
        token = request.cookies.get(COOKIE, "")
        if not token or len(token) > TOKEN_MAX:
            return None
        with self._city.store.read() as conn:
            return staff.of_session(conn, token, now=self._clock())

    def _check_form(self, member: Member | None) -> None:
        """Against forged forms: our own origin, and the session's own token in the form."""
        sent_from = request.headers.get("Origin")
        if sent_from is not None and sent_from != origin(self._city.config.portal.staff_url):
            abort(400)
        if member is not None and not hmac.compare_digest(request.form.get("csrf", "").encode(), self.csrf().encode()):
            abort(400)

    def csrf(self) -> str:
        """The token that a form of this session carries."""
        cookie = request.cookies.get(COOKIE, "").encode()
        return self._city.store.keys.keyed_hash("csrf", cookie).hex()

    def _note_refusal(self, member: Member, endpoint: str) -> None:
        with self._city.store.write() as conn:
            audit.add(conn, now=self._clock(), action="refused", subject=endpoint, staff_id=member.id)
