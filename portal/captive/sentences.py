"""Reason words in a person's words. Texts are message ids of the catalogues; every reason has its sentence."""

from __future__ import annotations

from hotspot.access import Reason
from hotspot.admission import Denial


def _(text: str) -> str:
    """Marks a text for the catalogue; `Speech.text` translates it where it is shown."""
    return text


DENIALS: dict[Denial, str] = {
    Denial.NO_TAP: _("At this place you need a voucher code."),
    Denial.TERMS_CHANGED: _("The terms of use have changed. Please read them again."),
    Denial.BLOCKED: _("This device is blocked here. Please ask the operator."),
    Denial.BAD_CODE: _("That is not a voucher code. A code has ten letters and digits."),
    Denial.UNKNOWN_CODE: _("We do not know this code. Please compare it with your voucher."),
    Denial.CODE_REVOKED: _("This code was withdrawn. Please ask where you got it."),
    Denial.CODE_EXPIRED: _("This code had to be used earlier. Please ask for a new one."),
    Denial.CODE_USED_UP: _("The time of this code is used up. Please ask for a new one."),
    Denial.TOO_MANY_DEVICES: _("This code is in use on as many devices as it allows."),
    Denial.TOO_MANY_GUESSES: _("Too many wrong codes. Please wait a quarter of an hour."),
}

REASONS: dict[Reason, str] = {
    Reason.NO_CREDENTIALS: _("The hotspot asked without your log-in. Please try again."),
    Reason.UNKNOWN_USER: _("Your log-in has expired. Please try again."),
    Reason.WRONG_PASSWORD: _("The hotspot and the city did not agree. Please try again."),
    Reason.WRONG_DEVICE: _("The log-in was meant for another device. Please try again on this one."),
    Reason.TICKET_EXPIRED: _("That took too long. Please try again."),
    Reason.BLOCKED: DENIALS[Denial.BLOCKED],
    Reason.NOT_REMEMBERED: _("Please accept the terms of use once more."),
    Reason.TERMS_CHANGED: DENIALS[Denial.TERMS_CHANGED],
    Reason.GRANT_ENDED: _("You have logged off. Please accept the terms of use to get on again."),
    Reason.GRANT_EXPIRED: _("Your time is over. Please accept the terms of use to get on again."),
    Reason.TOO_MANY_DEVICES: DENIALS[Denial.TOO_MANY_DEVICES],
    Reason.DAILY_TIME_USED: _("Today's time is used up for this device. It begins anew at midnight."),
    Reason.DAILY_VOLUME_USED: _("Today's data volume is used up for this device. It begins anew at midnight."),
    Reason.CLOSED: _("The Wi-Fi is closed here at this hour. Please come back when it is open."),
    Reason.VOUCHER_USED_UP: DENIALS[Denial.CODE_USED_UP],
    Reason.VOUCHER_DAILY_TIME_USED: _("Today's time of this code is used up. It begins anew at midnight."),
    Reason.VOUCHER_DAILY_VOLUME_USED: _("Today's data volume of this code is used up. It begins anew at midnight."),
    Reason.SESSION_OVER: _("Your session has reached its longest time. Please log in again."),
    Reason.TOO_MANY_GUESSES: _("Too many wrong log-ins. Please wait a quarter of an hour."),
}

HOTSPOT_TIMEOUT = _("The hotspot got no answer in time. Please try again in a moment.")
HOTSPOT_REFUSED = _("The hotspot did not let you on. Please try again.")


def of_failure(reason: str, reply: str) -> str:
    """The sentence for a log-in that came back failed: RADIUS's reason word in `reply`, else the NAS's `reason`."""
    if reply in Reason.__members__.values():
        return REASONS[Reason(reply)]
    return HOTSPOT_TIMEOUT if reason == "timeout" else HOTSPOT_REFUSED
