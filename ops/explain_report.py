"""`kogge explain` as a helpdesk reads it: one screen of sentences for 80 columns. Made of values; it asks nobody."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from functools import singledispatch

from hotspot.access import Reason
from ops import explain_sentences as sentences
from ops.advice import DENIALS, REASONS, Advice
from ops.explain_facts import (
    DeviceStanding,
    Guessed,
    NothingKnown,
    Standing,
    StrangerStanding,
    VoucherStanding,
)
from ops.explain_sentences import Frame
from ops.words import span
from store.decisions import Decided

COLUMNS = 80
LABEL_COLUMNS = 10

UNNAMED = "NAS"
"""Where nobody knows which one it is."""

JOINED = "\N{NO-BREAK SPACE}"
"""A space at which no line is broken; it is printed as a plain one."""

Section = tuple[str, str]
"""A label, and what stands beside it, folded."""


def text(standing: Standing, frame: Frame) -> str:
    """The whole screen."""
    local = frame.now.astimezone(frame.zone)
    head, sections = _said(standing, frame)
    lines = [f"{frame.city}, {local:%Y-%m-%d %H:%M %Z}: {head[0]}", *_folded(head[1]), ""]
    for label, said in sections:
        lines += _folded(said, label=label)
    return "\n".join(lines)


@singledispatch
def _said(standing: Standing, frame: Frame) -> tuple[tuple[str, str], list[Section]]:
    """Who it is, the answer in a sentence, and the sections."""
    raise AssertionError(standing)


def _folded(said: str, label: str = "") -> list[str]:
    indent = " " * LABEL_COLUMNS if label else ""
    first = f"{label:{LABEL_COLUMNS - 1}} " if label else ""
    lines: list[str] = []
    for line in said.split("\n"):
        more = indent + ("  " if line.startswith(("→", "✗")) else "")
        lines += textwrap.wrap(
            line, COLUMNS, initial_indent=first, subsequent_indent=more, break_long_words=False, break_on_hyphens=False
        )
        first = indent
    return [line.replace(JOINED, " ") for line in lines]


# Devices ----------------------------------------------------------------------------------------------


@_said.register
def _device(standing: DeviceStanding, frame: Frame) -> tuple[tuple[str, str], list[Section]]:
    named = f" ({standing.mac})" if frame.show_devices and standing.mac else ""
    answer = (
        f"{sentences.online(standing, frame)} {sentences.prospect(standing.outlook)}{sentences.after_tap(standing)}"
    )
    head = (f"device {standing.number}{named}", answer)
    return head, list(_device_sections(standing, frame))


def _device_sections(standing: DeviceStanding, frame: Frame) -> Iterator[Section]:
    yield from _decisions(standing.decided, frame)
    if standing.session is not None:
        yield "Session", sentences.session(standing.session, standing.running, frame)
    if standing.air is not None and (air := sentences.air(standing.air, frame)):
        yield "Radio", air
    yield "Grant", sentences.grant(standing.grant, standing.plan, frame)
    if standing.quotas:
        yield "Left", sentences.quotas(standing.quotas)
    yield from _guesses(standing.guessed, frame)
    if standing.block is not None:
        yield "Blocked", sentences.block(standing.block, frame)
    yield "If asked", _outlook(standing, frame)


def _decisions(decided: Sequence[Decided], frame: Frame) -> Iterator[Section]:
    """The last one in full, those before it in a line each."""
    if not decided:
        yield "Decided", "Nothing stands in the log: its NAS has not asked this server about it lately."
        return
    last, *before = decided
    lines = [f"{frame.at(last.at)} {sentences.verdict(last)}, at {last.nas_name} ({last.site_name})"]
    if last.reason is not None:
        lines += _advice(_advice_of(last.reason), frame, last.nas_name)
    yield "Decided", "\n".join(lines)
    if before:
        lines = [f"{frame.at(each.at)} {sentences.verdict(each)}, at {each.nas_name}" for each in before]
        yield "Before", "\n".join(lines)


def _advice_of(reason: str) -> Advice | None:
    """None for a word of another version, which the log may still hold."""
    return REASONS.get(Reason(reason)) if reason in set(Reason) else None


def _advice(advice: Advice | None, frame: Frame, nas_name: str) -> list[str]:
    if advice is None:
        return []
    filled = advice.filled(city=frame.city, nas=nas_name)
    return [filled.meaning, f"→ {filled.step}"]


def _guesses(guessed: Sequence[Guessed], frame: Frame) -> Iterator[Section]:
    if guessed:
        yield "Guesses", "\n".join(sentences.guess(each, frame) for each in guessed)


def _outlook(standing: DeviceStanding, frame: Frame) -> str:
    """All checks in RADIUS's order: what agrees in one row, then what refuses; the first of those is what counts.

    What stands above of the last decision is not said again.
    """
    checks = standing.outlook.checks
    agreed = "  ".join(f"✓ {name}".replace(" ", JOINED) for name, reason in checks if reason is None)
    refused = [(name, reason) for name, reason in checks if reason is not None]
    told = standing.decided[0].reason if standing.decided else None
    nas = standing.place.nas_name if standing.place is not None else UNNAMED
    lines = [agreed] if agreed else []
    for name, reason in refused:
        said = _advice(REASONS[reason], frame, nas) if reason.value != told else ["See above."]
        lines.append(f"✗ {name}: {reason.value}. {said[0]}")
        if (name, reason) == refused[0]:
            lines += said[1:]
    return "\n".join(lines)


# Strangers --------------------------------------------------------------------------------------------


@_said.register
def _stranger(standing: StrangerStanding, frame: Frame) -> tuple[tuple[str, str], list[Section]]:
    answer = "Nobody has accepted the terms of use on it here, or that was too long ago: the resident opens the page."
    sections = [*_decisions(standing.decided, frame), *_guesses(standing.guessed, frame)]
    return ("a device that the city does not know", answer), sections


# Nothing ----------------------------------------------------------------------------------------------


@_said.register
def _nothing(standing: NothingKnown, frame: Frame) -> tuple[tuple[str, str], list[Section]]:
    """Where a helpdesk looks next."""
    if not standing.of_device:
        answer = "It is neither a voucher's code nor the user name of a log-in that is known here."
        step = (
            "→ Compare the code with the printed sheet: is it this city's? User names are kept for a day after their "
            "log-in; then ask for the MAC address."
        )
        return ("nothing known", answer), [("Next", step)]
    answer = "This device was never seen here, or longer ago than the log is kept."
    steps = [
        f"→ Does its NAS ask this server? See `kogge nas list {frame.city}` and `kogge radius test {frame.city}`.",
        "→ A phone has another MAC address in each network: compare with the one that it shows for this Wi-Fi.",
    ]
    silences = "\n".join(sentences.silence(each, frame) for each in standing.silences)
    return ("nothing known", answer), [("Next", "\n".join(steps)), *([("Not heard", silences)] if silences else [])]


# Vouchers ---------------------------------------------------------------------------------------------


@_said.register
def _voucher(standing: VoucherStanding, frame: Frame) -> tuple[tuple[str, str], list[Section]]:
    head = (f"voucher {standing.number} of batch “{standing.label}”", sentences.life(standing, frame))
    return head, list(_voucher_sections(standing, frame))


def _voucher_sections(standing: VoucherStanding, frame: Frame) -> Iterator[Section]:
    voucher, plan = standing.voucher, standing.voucher.plan
    yield "Plan", f"{plan.name}, for {span(voucher.valid_minutes * 60)}, on {plan.devices_max} devices at once"
    if standing.quotas:
        yield "Left", sentences.quotas(standing.quotas)
    if standing.denial is None:
        yield "New", "A further device that types it would be let on."
    else:
        advice = DENIALS[standing.denial].filled(city=frame.city, nas=UNNAMED)
        lines = [f"A further device would be refused: {standing.denial.value}. {advice.meaning}", f"→ {advice.step}"]
        yield "New", "\n".join(lines)
    yield "Devices", f"{standing.online} online, {len(standing.devices) + standing.devices_left_out} ever"
    yield from (_holder(device, frame) for device in standing.devices)
    if standing.devices_left_out:
        yield "", f"{standing.devices_left_out} older ones are not shown."


def _holder(device: DeviceStanding, frame: Frame) -> Section:
    """One of a voucher's devices in a line."""
    named = f"({device.mac}) " if frame.show_devices and device.mac else ""
    return (
        f"  {device.number}",
        f"{named}{sentences.online(device, frame)} Now it would be {sentences.outcome(device.outlook)}.",
    )
