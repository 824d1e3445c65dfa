"""The voucher desk's use case: read an order from a form, make a batch of codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.errors import InputError
from hotspot.plan import Way
from hotspot.vouchers import CODE_LENGTH, make_code
from portal.forms import line, row_number
from service.cities import City
from service.speech import marked as _
from store import audit, residents, vouchers

LABEL_MAX = 80
VALID_HOURS_MAX = 24 * 90
REDEEM_DAYS_MAX = 730


class OrderError(InputError):
    """An order that will not do. `sentence` is a message id of the catalogues, `values` go into its places."""

    def __init__(self, sentence: str, **values: int) -> None:
        super().__init__(sentence % values)
        self.sentence = sentence
        self.values = values


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """`valid_hours` run from a code's first use, which must be within `redeem_days`."""

    plan_id: int
    label: str
    count: int
    valid_hours: int
    redeem_days: int


def read_order(form: Mapping[str, str], batch_max: int) -> BatchOrder:
    """The form's fields. OrderError names the first that will not do."""
    label = line(form.get("label", ""), LABEL_MAX + 1)
    if not 1 <= len(label) <= LABEL_MAX:
        raise OrderError(_LABEL, most=LABEL_MAX)
    return BatchOrder(
        plan_id=row_number(form.get("plan", "")),
        label=label,
        count=_number(form, "count", 1, batch_max),
        valid_hours=_number(form, "valid_hours", 1, VALID_HOURS_MAX),
        redeem_days=_number(form, "redeem_days", 1, REDEEM_DAYS_MAX),
    )


_LABEL = _("Label: 1 to %(most)s characters, so that you find the batch again.")
_PLAN = _("Plan: choose one of the list.")
_NUMBERS = {
    "count": _("Codes: a number from %(least)s to %(most)s."),
    "valid_hours": _("Hours: a number from %(least)s to %(most)s."),
    "redeem_days": _("Days: a number from %(least)s to %(most)s."),
}


def _number(form: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = form.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise OrderError(_NUMBERS[name], least=least, most=most)
    return int(text)


def make_batch(
    city: City, order: BatchOrder, *, staff_id: int, now: datetime, random_octets: Callable[[int], bytes]
) -> int:
    """Store the batch and note it; returns its id. OrderError where this city has no such plan."""
    codes = {make_code(random_octets(CODE_LENGTH)) for _ in range(order.count)}
    while len(codes) < order.count:  # two equal among 2^50: make another
        codes.add(make_code(random_octets(CODE_LENGTH)))
    with city.store.write() as conn:
        if order.plan_id not in {plan.id for plan in residents.plans(conn, Way.VOUCHER)}:
            raise OrderError(_PLAN)
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
