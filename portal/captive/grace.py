"""Grace: a few minutes online to read a mail, and what becomes of that session once its reader logs in."""

from __future__ import annotations

from datetime import timedelta

from hotspot.admission import Span
from hotspot.codes import DAY
from hotspot.plan import Way
from hotspot.products import PRODUCTS, Dynamic
from portal.captive.admission import Admission, Asking, Entitlement, RandomOctets, Wish, issue
from service.cities import City
from store import carrying, outbox, residents
from store.carrying import Running
from store.store import Connection


def give(asking: Asking, wish: Wish, *, random_octets: RandomOctets) -> Admission | None:
    """A grace grant, where the place has a plan for it; not for those who are online, nor too often a day."""
    plan = asking.plans.get(Way.GRACE)
    if plan is None or carrying.open_sessions(asking.conn, asking.device_id):
        return None
    had = residents.grants_since(asking.conn, asking.device_id, Way.GRACE, since=asking.now - DAY)
    if had >= asking.city.config.limits.grace_device_day:
        return None
    span = Span(asking.now + timedelta(minutes=plan.session_minutes), None)
    return issue(asking, wish, Entitlement(plan, span), random_octets=random_octets)


def going_on(asking: Asking) -> tuple[Running, ...]:
    """Grace sessions whose NASes take new limits go on; others are ended, for a log-in of their own to follow."""
    grace = _sessions(asking.conn, asking.device_id)
    fixed = [each for each in grace if PRODUCTS[each.product].dynamic is Dynamic.DISCONNECT]
    for each in fixed:
        outbox.want(asking.conn, outbox.Kind.DISCONNECT, each.session_id, reason=outbox.BY_NEW_GRANT, now=asking.now)
    able = [each for each in grace if PRODUCTS[each.product].dynamic is Dynamic.COA]
    return () if fixed else tuple(able)


def is_in_the_way(city: City, device_id: int) -> bool:
    """Whether a grace session that cannot go on still runs: its NAS takes no new log-in before it has ended it."""
    with city.store.read() as conn:
        grace = _sessions(conn, device_id)
    return any(PRODUCTS[each.product].dynamic is Dynamic.DISCONNECT for each in grace)


def _sessions(conn: Connection, device_id: int) -> list[Running]:
    return [each for each in carrying.open_sessions(conn, device_id) if each.way is Way.GRACE]
