"""What every answer carries, whatever it is: headers, hosts, pages for what went wrong."""

from __future__ import annotations

import pytest

from hotspot.roles import Role
from portal.pages import origin
from service.cities import City
from tests.portal.hands import Door, Phone


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


def test_forms_of_the_staff_may_prove_their_origin(door: Door) -> None:
    """Under `no-referrer` browsers send a form with `Origin: null`, and the log-in would be refused."""
    assert door.seat().get("/staff/login").headers["Referrer-Policy"] == "same-origin"
