"""The voucher desk's use case: read an order from a form, make a batch of codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.errors import InputError
from hotspot.plan import Way
from hotspot.vouchers import CODE_LENGTH, make_code
from service.cities import City
from store import audit, residents, vouchers

LABEL_MAX = 80
VALID_HOURS_MAX = 24 * 90
REDEEM_DAYS_MAX = 730


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """`valid_hours` run from a code's first use, which must be within `redeem_days`."""

    plan_id: int
    label: str
    count: int
    valid_hours: int
    redeem_days: int


def read_order(form: Mapping[str, str], batch_max: int) -> BatchOrder:
    """The form's fields. InputError names the first that will not do."""
    label = form.get("label", "").strip()
    if not 1 <= len(label) <= LABEL_MAX:
        raise InputError(f"Label: 1 to {LABEL_MAX} characters, so that you find the batch again.")
    return BatchOrder(
        plan_id=_number(form, "plan", 1, 2**31),
        label=label,
        count=_number(form, "count", 1, batch_max),
        valid_hours=_number(form, "valid_hours", 1, VALID_HOURS_MAX),
        redeem_days=_number(form, "redeem_days", 1, REDEEM_DAYS_MAX),
    )


_NAMES = {"plan": "Plan", "count": "Codes", "valid_hours": "Hours", "redeem_days": "Days"}


def _number(form: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = form.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise InputError(f"{_NAMES[name]}: a number from {least} to {most}.")
    return int(text)


def make_batch(
    city: City, order: BatchOrder, *, staff_id: int, now: datetime, random_octets: Callable[[int], bytes]
) -> int:
    """Store the batch and note it; returns its id. InputError where this city has no such plan."""
    codes = {make_code(random_octets(CODE_LENGTH)) for _ in range(order.count)}
    while len(codes) < order.count:  # two equal among 2^50: make another
        codes.add(make_code(random_octets(CODE_LENGTH)))
    with city.store.write() as conn:
        if order.plan_id not in {plan.id for plan in residents.plans(conn, Way.VOUCHER)}:
            raise InputError("Plan: choose one of the list.")
        batch_id = vouchers.add_batch(
            conn,
            city.store.keys,
            sorted(codes),
            plan_id=order.plan_id,
            label=order.label,
            valid_minutes=order.valid_hours * 60,
            redeem_until=now + timedelta(days=order.redeem_days),
            created_by=staff_id,
            now=now,
        )
        subject, count = f"batch:{batch_id}", order.count
        audit.add(conn, now=now, action="voucher.batch", subject=subject, staff_id=staff_id, count=count)
    return batch_id
