"""`kogge explain --json`: the same as the screen, for scripts. Made of values; it asks nobody.

Times are ISO 8601 in UTC, quantities integers (seconds, octets), reasons the words of the log and the metrics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from functools import singledispatch
from typing import Any

from hotspot.access import Accept, Decision, Grant
from hotspot.admission import Denial
from hotspot.plan import Plan
from ops.advice import DENIALS, REASONS, Advice
from ops.explain_air import Air
from ops.explain_facts import (
    DeviceStanding,
    Guessed,
    NothingKnown,
    Outlook,
    Quota,
    Standing,
    StrangerStanding,
    VoucherStanding,
)
from ops.explain_report import UNNAMED
from ops.explain_sentences import Frame
from ops.words import iso
from store.ap_list import Point
from store.decisions import Decided
from store.sessions import SessionView
from store.standing import Block

Document = dict[str, Any]


def document(standing: Standing, frame: Frame) -> Document:
    """`kind` is device, stranger, voucher or nothing; what else stands there depends on it."""
    return {"city": frame.city, "at": iso(frame.now)} | _of(standing, frame)


@singledispatch
def _of(standing: Standing, frame: Frame) -> Document:
    raise AssertionError(standing)


@_of.register
def _device(standing: DeviceStanding, frame: Frame) -> Document:
    shown = {"mac": str(standing.mac) if standing.mac else None} if frame.show_devices else {}
    return {
        "kind": "device",
        "device": standing.number,
        **shown,
        "decisions": _decisions(standing.decided),
        "session": None if standing.session is None else _session(standing.session, standing.running, frame),
        "grant": None if standing.grant is None else _grant(standing.grant, standing.plan),
        "quotas": _quotas(standing.quotas),
        "guesses": _guesses(standing.guessed),
        "block": None if standing.block is None else _block(standing.block),
        "radio": None if standing.air is None else _air(standing.air),
        "now": _outlook(standing.outlook, frame.city, standing.place.nas_name if standing.place else UNNAMED),
    }


def _air(found: Air) -> Document:
    """`access_point`: where the session is; without one, those that are down at its place."""
    return {
        "access_point": None if found.point is None else _point(found.point),
        "busy": [asdict(each) for each in found.busy],
        "down_at_site": [_point(each) for each in found.down],
    }


def _point(point: Point) -> Document:
    words = {"name": point.name, "site": point.site_key, "state": point.state.value, "failure": point.failure}
    return words | {"since": iso(point.since)}


@_of.register
def _stranger(standing: StrangerStanding, frame: Frame) -> Document:
    return {
        "kind": "stranger",
        "decisions": _decisions(standing.decided),
        "guesses": _guesses(standing.guessed),
    }


@_of.register
def _nothing(standing: NothingKnown, frame: Frame) -> Document:
    silences = [
        {"source": each.source, "nas_identifier": each.nas_identifier, "verdict": each.verdict, "at": iso(each.last_at)}
        for each in standing.silences
    ]
    return {"kind": "nothing", "not_heard": silences}


@_of.register
def _voucher(standing: VoucherStanding, frame: Frame) -> Document:
    voucher = standing.voucher
    return {
        "kind": "voucher",
        "voucher": standing.number,
        "batch": standing.label,
        "plan": voucher.plan.name,
        "state": standing.life.value,
        "valid_seconds": voucher.valid_minutes * 60,
        "seconds_used": voucher.seconds_used,
        "counts": voucher.plan.voucher_counts.value,
        "redeem_until": iso(voucher.redeem_until),
        "first_used_at": iso(voucher.first_used_at),
        "until_at": iso(voucher.until_at),
        "revoked_at": iso(voucher.revoked_at),
        "further_device": None if standing.denial is None else _further(standing.denial, frame.city),
        "quotas": _quotas(standing.quotas),
        "devices_online": standing.online,
        "devices": [_device(each, frame) for each in standing.devices],
        "devices_left_out": standing.devices_left_out,
    }


def _decisions(decided: Iterable[Decided]) -> list[Document]:
    return [
        {
            "at": iso(each.at),
            "nas": each.nas_name,
            "site": each.site_name,
            "proof": each.proof,
            "accepted": each.reason is None,
            "reason": each.reason,
        }
        for each in decided
    ]


def _session(session: SessionView, running: Decision | None, frame: Frame) -> Document:
    return {
        "id": session.id,
        "nas": session.nas_name,
        "site": session.site_key,
        "ssid": session.ssid,
        "started_at": iso(session.started_at),
        "heard_at": iso(session.updated_at),
        "ended_at": iso(session.ended_at),
        "seconds": session.seconds,
        "octets_down": session.octets.down,
        "octets_up": session.octets.up,
        "end_cause": session.terminate_cause,
        "end_estimated": session.estimated,
        "disconnect": session.disconnect,
        "disconnect_error_cause": session.error_cause,
        "may_last": None if running is None else _decision(running, frame.city, session.nas_name),
    }


def _grant(grant: Grant, plan: Plan | None) -> Document:
    return {
        "plan": None if plan is None else plan.name,
        "way": grant.way.value,
        "granted_at": iso(grant.granted_at),
        "until_at": iso(grant.until_at),
        "ended_at": iso(grant.ended_at),
        "remembered": grant.remembered,
        "remember_until": iso(grant.remember_until),
    }


def _quotas(quotas: Iterable[Quota]) -> list[Document]:
    return [{"of": each.name, "unit": each.unit, "left": each.left, "limit": each.of} for each in quotas]


def _guesses(guessed: Iterable[Guessed]) -> list[Document]:
    return [
        {"of": each.whose, "count": each.count, "limit": each.limit, "locked_until": iso(each.locked_until)}
        for each in guessed
    ]


def _block(block: Block) -> Document:
    return {"reason": block.reason, "from_at": iso(block.from_at), "until_at": iso(block.until_at)}


def _outlook(outlook: Outlook, city: str, nas: str) -> Document:
    return {
        "by": "ticket" if outlook.by_ticket else "mac",
        **_decision(outlook.decision, city, nas),
        "checks": [
            {"check": name, "reason": None if reason is None else reason.value} for name, reason in outlook.checks
        ],
    }


def _decision(decision: Decision, city: str, nas: str) -> Document:
    if isinstance(decision, Accept):
        return {"accepted": True, "seconds": decision.session_seconds, "octets": decision.octets_left}
    return {"accepted": False} | _refusal(decision.reason, REASONS[decision.reason].filled(city=city, nas=nas))


def _refusal(reason: StrEnum, advice: Advice) -> Document:
    return {"reason": reason.value, "meaning": advice.meaning, "next_step": advice.step}


def _further(denial: Denial, city: str) -> Document:
    return _refusal(denial, DENIALS[denial].filled(city=city, nas=UNNAMED))
