"""Sentences of `kogge explain`: one fact, one sentence, in words that a helpdesk can read out. Made of values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hotspot.access import Accept, Decision, Grant, Reason
from hotspot.plan import Counting, Plan, Way
from ops.advice import REASONS
from ops.ap_advice import CONTROLLER_SILENT, advice
from ops.ap_screen import state_of
from ops.explain_air import Air
from ops.explain_facts import DeviceStanding, Guessed, Life, Outlook, Quota, VoucherStanding
from ops.words import duration, moment, printable, span, volume
from store.ap_list import Point, State
from store.decisions import Decided
from store.sessions import SessionView
from store.standing import Block, Silence

DISCONNECTS = {
    "wanted": "RADIUS is to disconnect it",
    "sent": "a Disconnect-Request was sent, the NAS has not answered yet",
    "acked": "the NAS acknowledged the Disconnect-Request; it counts when the session's Stop arrives",
    "confirmed": "it was disconnected",
    "refused": "the NAS refused to disconnect it",
    "unanswered": "the NAS did not answer the Disconnect-Requests",
}
WAYS = {
    Way.TAP: "by a tap on the page",
    Way.VOUCHER: "by a voucher",
    Way.EMAIL: "by a code sent by e-mail",
    Way.SMS: "by a code sent by SMS",
    Way.ACCOUNT: "by an account",
    Way.OIDC: "by signing in at the provider",
    Way.GRACE: "to fetch a mail",
}
PROOFS = {
    "ticket": "log-in from the page",
    "mac": "MAC address",
    "wrong_password": "log-in from the page",
    "nothing": "no password",
}
"""With what a NAS asked, by the word of the log."""


CURED_BY_A_TAP = frozenset(
    {
        Reason.NO_CREDENTIALS,
        Reason.UNKNOWN_USER,
        Reason.WRONG_PASSWORD,
        Reason.WRONG_DEVICE,
        Reason.TICKET_EXPIRED,
        Reason.NOT_REMEMBERED,
        Reason.TERMS_CHANGED,
        Reason.GRANT_ENDED,
        Reason.GRANT_EXPIRED,
    }
)
"""A tap makes a new grant and a new log-in, so these are over with it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """In which city, and when. `show_devices`: MAC addresses are shown."""

    city: str
    zone: ZoneInfo
    now: datetime
    show_devices: bool = False

    def at(self, when: datetime) -> str:
        return moment(when, self.zone, now=self.now)


def online(standing: DeviceStanding, frame: Frame) -> str:
    session = standing.session
    point = standing.air.point if standing.air is not None else None
    down = point is not None and point.state is State.DOWN and point.since is not None
    radio = f" Its access point {printable(point.name)} is {_state(point, frame)}." if point and down else ""
    if session is None or session.ended_at is not None:
        return f"Not online.{radio}"
    return f"Online since {frame.at(session.started_at)} at {session.nas_name}.{radio}"


def prospect(outlook: Outlook) -> str:
    """The answer in a sentence."""
    how = "with the log-in that the page issued" if outlook.by_ticket else "by its MAC address"
    return f"If it asked now {how}, it would be {outcome(outlook)}."


def outcome(outlook: Outlook) -> str:
    if isinstance(outlook.decision, Accept):
        return f"admitted: {admitted(outlook.decision)}"
    return f"refused: {outlook.decision.reason.value}"


def after_tap(standing: DeviceStanding) -> str:
    """Whether the page helps where the device does not get on by itself; a voucher's device types its code there."""
    if isinstance(standing.outlook.decision, Accept) or (standing.grant and standing.grant.way is not Way.TAP):
        return ""
    left = [reason for _, reason in standing.outlook.checks if reason is not None and reason not in CURED_BY_A_TAP]
    return f" A tap on the page would not help: {left[0].value}." if left else " A tap on the page lets it on."


def admitted(accept: Accept) -> str:
    volume_left = "any volume" if accept.octets_left is None else volume(accept.octets_left)
    return f"{span(accept.session_seconds)}, {volume_left}"


def verdict(decided: Decided) -> str:
    """`MAC address: refused, daily_time_used`"""
    how = PROOFS.get(decided.proof, decided.proof)
    return f"{how}: admitted" if decided.reason is None else f"{how}: refused, {decided.reason}"


def session(session: SessionView, running: Decision | None, frame: Frame) -> str:
    used = f"{volume(session.octets.down)} received, {volume(session.octets.up)} sent"
    ssid = f", SSID {printable(session.ssid)}" if session.ssid else ""
    where = f"{session.nas_name} ({session.site_name}){ssid}"
    disconnect = f"\n{_disconnect(session)}." if session.disconnect else ""
    if session.ended_at is not None:
        estimated = " (estimated: its Stop never came)" if session.estimated else ""
        cause = f"{session.terminate_cause or 'its end'}{estimated}"
        return (
            f"ended {frame.at(session.ended_at)} by {cause}, after {duration(session.seconds)}; "
            f"at {where}; {used}{disconnect}"
        )
    lasted = duration(int((frame.now - session.started_at).total_seconds()))
    return (
        f"since {frame.at(session.started_at)} ({lasted}) at {where}; {used}; "
        f"last heard {frame.at(session.updated_at)}{disconnect}{_running(running)}{_planned(session, frame)}"
    )


def _planned(session: SessionView, frame: Frame) -> str:
    """Of a session that the portal let on by itself."""
    if session.planned_end_at is None:
        return ""
    return f"\nThe portal let it on, its NAS ends it at {frame.at(session.planned_end_at)} and takes no Disconnect."


def _running(running: Decision | None) -> str:
    if running is None:
        return "\nNobody knows which grant it has, so no limit ends it."
    if isinstance(running, Accept):
        return f"\nIt may last for another {admitted(running)}."
    return f"\nIt is to end: {running.reason.value}. {REASONS[running.reason].meaning}"


def _disconnect(session: SessionView) -> str:
    said = DISCONNECTS.get(session.disconnect or "", session.disconnect or "")
    cause = f" (Error-Cause {session.error_cause})" if session.error_cause else ""
    return f"{said[0].upper()}{said[1:]}{cause}"


def grant(grant: Grant | None, plan: Plan | None, frame: Frame) -> str:
    if grant is None:
        return "none: nobody has accepted the terms on it, or that was too long ago"
    name = plan.name if plan is not None else f"plan {grant.plan_id}"
    parts = [f"{name}, {WAYS[grant.way]}, {frame.at(grant.granted_at)}"]
    if grant.ended_at is not None:
        parts.append(f"ended {frame.at(grant.ended_at)} (logged off, disconnected or revoked)")
    else:
        parts.append(f"until {frame.at(grant.until_at)}{' (over)' if frame.now >= grant.until_at else ''}")
    if grant.remembered and grant.remember_until is not None:
        parts.append(f"comes back by itself until {frame.at(grant.remember_until)}")
    return "; ".join(parts)


def quotas(quotas: Iterable[Quota]) -> str:
    """Limits of the same thing in one line."""
    by_name: dict[str, list[str]] = {}
    for each in quotas:
        shown = span if each.unit == "seconds" else volume
        by_name.setdefault(each.name, []).append(f"{shown(each.left)} of {shown(each.of)}")
    return "\n".join(f"{name}: {', '.join(said)}" for name, said in by_name.items())


def guess(each: Guessed, frame: Frame) -> str:
    counted = f"{each.count} wrong codes or passwords of {each.whose}"
    if each.locked_until is None:
        return f"{counted}; {each.limit} lock it out"
    return f"{counted}: locked out until {frame.at(each.locked_until)}"


def block(block: Block, frame: Frame) -> str:
    until = "until staff lift it" if block.until_at is None else f"until {frame.at(block.until_at)}"
    return f"since {frame.at(block.from_at)}, {until}: {block.reason}"


def silence(each: Silence, frame: Frame) -> str:
    """`192.0.2.7, which says it is “gateway-7”: unknown_client, last 02:10`"""
    claimed = f", which says it is “{printable(each.nas_identifier)}”" if each.nas_identifier else ""
    return f"{each.source}{claimed}: {each.verdict}, last {frame.at(each.last_at)}"


def air(found: Air, frame: Frame) -> str:
    """Where the device is or was, and whether the air there is the reason. Empty where there is nothing to say."""
    if found.point is None:
        return _of_place(found, frame)
    point = found.point
    lines = [f"{printable(point.name)} ({point.site_name}), {_state(point, frame)}"]
    if point.state is State.DOWN:
        lines.append(f"→ {advice(point.failure)}")
    if point.controller_silent:
        lines.append(f"→ {CONTROLLER_SILENT}")
    for each in found.busy:
        channel = "" if each.channel is None else f" {each.channel}"
        band = f" ({each.band} GHz)" if each.band else ""
        lines.append(f"Its channel{channel}{band} is busy {100 * each.ratio:.0f} %: everybody on it waits.")
    return "\n".join(lines)


def _state(point: Point, frame: Frame) -> str:
    """`down since 18:02: timeout`"""
    if point.state is State.UNKNOWN or point.since is None:
        return state_of(point)
    word, _, why = state_of(point).partition(": ")
    return f"{word} since {frame.at(point.since)}{f': {why}' if why else ''}"


def _of_place(found: Air, frame: Frame) -> str:
    if not found.down:
        return ""
    named = ", ".join(f"{printable(each.name)} {_state(each, frame)}" for each in found.down)
    return f"Of the {found.total} access points at {found.down[0].site_name} are down: {named}"


LIVES = {
    Life.UNUSED: "Unused, and good for a first log-in until {redeem_until}.",
    Life.EXPIRED: "Expired: nobody used it until {redeem_until}.",
    Life.IN_USE: "In use since {first_used_at}, until {until_at}; {counts}.",
    Life.OVER: "Over: it was in use since {first_used_at}, until {until_at}; {counts}.",
    Life.REVOKED: "Revoked {revoked_at}.",
}
COUNTS = {Counting.CLOCK: "the clock counts", Counting.USE: "the time that its devices are online counts"}


def life(standing: VoucherStanding, frame: Frame) -> str:
    voucher = standing.voucher
    times = ("redeem_until", "first_used_at", "until_at", "revoked_at")
    said = {name: frame.at(when) for name in times if (when := getattr(voucher, name)) is not None}
    return LIVES[standing.life].format(**said, counts=COUNTS[voucher.plan.voucher_counts])
