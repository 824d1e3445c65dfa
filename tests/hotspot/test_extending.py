"""Lengthening a session: what it brings, and what no extension stretches."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.access import DayUse, seconds_left
from hotspot.extending import seconds_gained
from tests.hotspot.test_access import BERLIN, BY_TICKET, GRANT, NOON, PLAN

THRICE = replace(PLAN, session_minutes=60, daily_minutes=0, extensions_max=2)
RUNNING = replace(BY_TICKET, ticket=None, plan=THRICE, seconds_wanted=1, seconds_online=3_000)


@pytest.mark.parametrize(
    ("changes", "gained"),
    [
        ({}, 3_600),
        ({"extensions": 1}, 3_600),
        ({"extensions": 2}, 0),
        ({"extensions": 3}, 0),  # the plan was cut since
        ({"plan": PLAN}, 0),  # a plan without extensions
        ({"plan": None}, 0),
        ({"seconds_online": 3_600}, 0),  # over: it cannot be brought back
        ({"blocked": True}, 0),
        ({"grant": replace(GRANT, until_at=NOON + timedelta(seconds=600))}, 0),
        ({"grant": replace(GRANT, until_at=NOON + timedelta(seconds=1_200))}, 600),
        ({"plan": replace(THRICE, daily_minutes=180), "used_today": DayUse(10_190)}, 0),  # ten seconds are no gift
        ({"seconds_open": 1_000}, 400),
    ],
)
def test_an_extension_adds_a_session_within_all_other_limits(changes: dict[str, Any], gained: int) -> None:
    assert seconds_gained(replace(RUNNING, **changes), now=NOON, zone=BERLIN) == gained


@given(
    online=st.integers(0, 20_000),
    extensions=st.integers(0, 4),
    used=st.integers(0, 20_000),
    ahead=st.integers(1, 90_000),
    open_for=st.none() | st.integers(0, 20_000),
)
def test_what_is_promised_is_what_is_left_afterwards(
    online: int, extensions: int, used: int, ahead: int, open_for: int | None
) -> None:
    facts = replace(
        RUNNING,
        plan=replace(THRICE, daily_minutes=300),
        grant=replace(GRANT, until_at=NOON + timedelta(seconds=ahead)),
        seconds_online=online,
        extensions=extensions,
        used_today=DayUse(used),
        seconds_open=open_for,
    )
    gained = seconds_gained(facts, now=NOON, zone=BERLIN)
    assert 0 <= gained <= 3_600
    if gained:
        before = seconds_left(facts, now=NOON, zone=BERLIN)
        after = seconds_left(replace(facts, extensions=extensions + 1), now=NOON, zone=BERLIN)
        assert after == before + gained <= ahead
