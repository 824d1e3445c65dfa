"""Who may do what: one table. A staff member has one role in one city."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"
    DESK = "desk"
    OFFICIAL = "official"


class Permission(StrEnum):
    """What a page or an action asks for."""

    SEE_SESSIONS = "see_sessions"
    END_SESSIONS = "end_sessions"
    SEE_ACCESS_POINTS = "see_access_points"
    MANAGE_ACCESS_POINTS = "manage_access_points"
    MANAGE_NASES = "manage_nases"
    MANAGE_VOUCHERS = "manage_vouchers"
    MANAGE_PLACES = "manage_places"
    MANAGE_TERMS = "manage_terms"
    MANAGE_NOTICES = "manage_notices"
    SEE_REPORTS = "see_reports"
    SEE_AUDIT = "see_audit"


_ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.DESK: frozenset({Permission.MANAGE_VOUCHERS}),
    Role.OFFICIAL: frozenset({Permission.SEE_REPORTS}),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether that role has that permission."""
    return permission in _ALLOWED[role]
