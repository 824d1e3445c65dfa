"""`kogge explain`: why somebody cannot get on, in one screen. It changes nothing; that somebody looked is noted."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from hotspot.errors import ConfigError, InputError
from hotspot.values import MacAddress
from hotspot.vouchers import parse_code
from ops.command import at, city_key, city_of, plainly
from ops.explain_document import document
from ops.explain_facts import (
    DeviceStanding,
    Look,
    Standing,
    VoucherStanding,
    device_of_mac,
    device_of_user,
    voucher_of_code,
)
from ops.explain_report import paragraphs, text, unknown_device, unknown_name
from ops.explain_sentences import Frame
from service.cities import City
from store import audit

Value = TypeVar("Value")

NOTHING_KNOWN = 1
"""Exit status; 0 where something was found, 2 for the operator's error."""

NAME_MAX = 64
"""Longest user name that is looked for; a ticket's has 16 characters."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, taken apart: any of the three, tried in this order."""

    mac: MacAddress | None
    name: str
    code: str | None


@click.command("explain")
@city_key
@click.argument("who", metavar="WHO")
@click.option("--show-devices", is_flag=True, help="Show MAC addresses beside the devices' numbers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for scripts.")
@at
def command(city: str, who: str, show_devices: bool, as_json: bool, folder: Path) -> None:
    """Why can't this person get on? One screen of answers.

    WHO is a device's MAC address in any spelling, a voucher's code, or the user name of a log-in. Tells what was
    decided last and why, the session, what is left, and which check would refuse now. That you looked is noted in the
    audit log, without the address or code. Exit status 0 where something is known, 1 where nothing is.

    \b
    kogge explain rostock 02-00-5E-10-00-0A
    kogge explain rostock ABCDE-FGHJK
    """
    with plainly():
        wanted = parse_who(who)
        with city_of(folder, city) as opened:
            frame = Frame(str(opened.key), opened.zone, datetime.now(UTC), show_devices)
            found = looked_up(opened, wanted, now=frame.now)
            note_look(opened, found, now=frame.now, show_devices=show_devices)
        click.echo(_said(found, wanted, frame, as_json=as_json))
        if found is None:
            sys.exit(NOTHING_KNOWN)


def parse_who(who: str) -> Wanted:
    """ConfigError where it can be neither of the three."""
    name = who.strip()
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise ConfigError("WHO is a MAC address (02-00-5E-10-00-0A), a voucher's code (ABCDE-FGHJK) or a user name")
    return Wanted(_or_none(MacAddress.parse, name), name, _or_none(parse_code, name))


def _or_none(parse: Callable[[str], Value], said: str) -> Value | None:
    try:
        return parse(said)
    except InputError:
        return None


def looked_up(city: City, wanted: Wanted, *, now: datetime) -> Standing | None:
    """One consistent read. None where nothing is known."""
    with city.store.read() as conn:
        look = Look(city, conn, now)
        if wanted.mac is not None:
            return device_of_mac(look, wanted.mac)
        of_code = None if wanted.code is None else voucher_of_code(look, wanted.code)
        return of_code or device_of_user(look, wanted.name)


def note_look(city: City, found: Standing | None, *, now: datetime, show_devices: bool) -> None:
    """Looking somebody up leaves a trace: which device or voucher by its number, and which user of this machine."""
    with city.store.write() as conn:
        audit.add(conn, now=now, action="explain", subject=subject_of(found), user=os_user(), addresses=show_devices)


def subject_of(found: Standing | None) -> str:
    match found:
        case DeviceStanding():
            return f"device {found.number}"
        case VoucherStanding():
            return f"voucher {found.number}"
        case _:
            return "an unknown device" if found is not None else "nothing known"


def os_user() -> str:
    """The account of this process, and who became it by sudo."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's account without a name
        name = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    return f"{name} (sudo: {before})" if before else name


def _said(found: Standing | None, wanted: Wanted, frame: Frame, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(document(found, frame), indent=2, ensure_ascii=False)
    if found is None:
        return paragraphs(unknown_device(frame.city) if wanted.mac is not None else unknown_name(frame.city))
    return text(found, frame)
