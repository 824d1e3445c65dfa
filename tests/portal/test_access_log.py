"""The access log: a line a request, with nothing in it that is somebody's."""

from __future__ import annotations

import logging
import re

import pytest
from werkzeug.test import Client

from hotspot.values import MacAddress
from portal.__main__ import build
from service.cities import City
from tests.portal.hands import PHONE, Door, Phone

LINE = re.compile(r"rostock (GET|POST) \S+ \d{3} \d+ms (\d+|-)")


@pytest.fixture
def city(quick_city: City) -> City:
    return quick_city


@pytest.fixture
def logged(door: Door) -> Client:
    same = City(door.city.config, door.city.store)  # a registry of its own
    return Client(build([same], "", access_log=True))


def test_a_line_a_request(logged: Client, door: Door, phone: Phone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "portal.access")
    token, headers = phone.token(), {"X-Forwarded-For": "198.51.100.7"}
    for path in (phone.redirect(), f"/status?visit={token}", "/nowhere?secret=1", "/staff/invite/top-secret"):
        logged.get(path, base_url=door.url, headers=headers)
    logged.get("/staff/invite/top-secret", base_url=door.staff_url, headers=headers)
    logged.post("/accept", base_url=door.url, data={"visit": token}, headers=headers)
    lines = [record.getMessage() for record in caplog.records if record.name == "portal.access"]
    assert [line.split()[1:4] for line in lines] == [
        ["GET", "/", "200"],
        ["GET", "/status", "400"],  # by the clock on the wall the visit is long over
        ["GET", "-", "404"],
        ["GET", "-", "404"],
        ["GET", "/staff/invite/<token>", "404"],
        ["POST", "/accept", "400"],
    ], "and on the residents' host the staff's page is no page"
    for line in lines:
        assert LINE.fullmatch(line), line
        for secret in (token, "secret", str(PHONE), PHONE.octets.hex(), "198.51.100.7", "127.0.0.1", "?"):
            assert secret not in line


def test_without_being_asked_nothing_is_logged(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    phone = door.phone(MacAddress.parse("02-00-5E-10-00-0C"))
    phone.accept()
    assert not [record for record in caplog.records if record.name == "portal.access"]
