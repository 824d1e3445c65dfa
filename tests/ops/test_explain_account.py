"""`kogge explain` on a device that came with an account: why it does not get on, and not whose account it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hotspot.access import Reason, Refusal
from hotspot.plan import Way
from hotspot.values import MacAddress
from ops.explain import looked_up, parse_who
from ops.explain_facts import DeviceStanding
from ops.explain_report import text
from ops.explain_sentences import Frame
from service.cities import City
from store import accounts
from tests.radius.conftest import PHONE, issue_ticket
from tests.support.rows import add_plan, add_session

OTHER = MacAddress.parse("02-00-5E-10-00-77")


@pytest.mark.parametrize("remembered", [True, False])
def test_an_account_that_is_online_elsewhere(remembered: bool, city: City) -> None:
    """Whether the device is remembered or the newest grant stands in for that."""
    now = datetime.now(UTC)
    add_plan(city.store, Way.ACCOUNT, key="account", devices_max=1)
    with city.store.write() as conn:
        account_id = accounts.register(
            conn, city.store.keys, "hanna.lind@example.org", password_hash="-", language="de", now=now
        )
    other = issue_ticket(city, OTHER, plan_key="account", account_id=account_id)
    add_session(city.store, other.device_id, started_at=now, grant_id=other.grant_id)
    issue_ticket(city, PHONE, plan_key="account", account_id=account_id, remembered=remembered)
    found = looked_up(city, parse_who(str(PHONE)), now=now)
    assert isinstance(found, DeviceStanding)
    assert dict(found.outlook.checks)["devices at once"] is Reason.ACCOUNT_IN_USE
    assert found.outlook.decision == Refusal(Reason.ACCOUNT_IN_USE)
    said = " ".join(text(found, Frame(city.key, city.zone, now)).split())
    assert "by an account" in said and "As many devices are online with this account as its plan allows" in said
    assert "hanna" not in said
