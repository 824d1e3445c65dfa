"""What the residents' pages say of a denial and of a log-in that failed. Texts are message ids of the catalogues."""

from __future__ import annotations

from hotspot.access import Reason
from hotspot.accounts import Flaw
from hotspot.admission import Denial
from service.reasons import REASONS, reason_of
from service.speech import marked as _

DENIALS: dict[Denial, str] = {
    Denial.NOT_OFFERED: _("This way of getting online is not offered at this place."),
    Denial.TERMS_CHANGED: REASONS[Reason.TERMS_CHANGED],
    Denial.BLOCKED: REASONS[Reason.BLOCKED],
    Denial.BAD_CODE: _("That is not a voucher code. A code has ten letters and digits."),
    Denial.UNKNOWN_CODE: _("We do not know this code. Please compare it with your voucher."),
    Denial.CODE_REVOKED: _("This code was withdrawn. Please ask where you got it."),
    Denial.CODE_EXPIRED: _("This code had to be used earlier. Please ask for a new one."),
    Denial.CODE_USED_UP: REASONS[Reason.VOUCHER_USED_UP],
    Denial.TOO_MANY_DEVICES: REASONS[Reason.TOO_MANY_DEVICES],
    Denial.TOO_MANY_GUESSES: _("Too many wrong codes. Please wait a quarter of an hour."),
    Denial.BAD_EMAIL: _("That is not an e-mail address. It looks like name@example.org."),
    Denial.BAD_NUMBER: _("That is not a telephone number. Please write it with its area code."),
    Denial.NUMBER_NOT_SERVED: _("We cannot send a text message to this number. Please take a mobile number."),
    Denial.CODE_TOO_SOON: _("A code is on its way already. Please wait a few minutes before you ask for another."),
    Denial.TOO_MANY_CODES: _("You have had as many codes as we send in a day. Please try again tomorrow."),
    Denial.SENDING_FULL: _("We cannot send any more text messages today. Please take another way."),
    Denial.NOT_SIX_DIGITS: _("That is not a code. A code has six digits."),
    Denial.WRONG_CODE: _("This code is wrong. Please compare it with your message."),
    Denial.CODE_OVER: _("This code is not good any more. Please ask for a new one."),
    Denial.WRONG_LOGIN: _("We know no account with this e-mail address and password. Please check both."),
    Denial.NOT_CONFIRMED: _("Your account is not confirmed yet. Please open the link in our e-mail first."),
    Denial.PROVIDER_AWAY: _(
        "The sign-in service does not answer. Please try again in a moment, or choose another way."
    ),
    Denial.PROVIDER_REFUSED: _("The sign-in did not work. Please try again, or choose another way."),
    Denial.NOT_ENTITLED: _("You are signed in, but your account there does not include this Wi-Fi."),
}

FLAWS: dict[Flaw, str] = {
    Flaw.ADDRESS: _("That is not an e-mail address."),
    Flaw.TOO_SHORT: _("The password needs at least 10 characters."),
    Flaw.TOO_LONG: _("The password can have 200 characters at most."),
    Flaw.TOO_COMMON: _("This password is too easy to guess. Please take another, such as four words."),
}

TERMS_ON_THE_PAGE = _("Please open any web page first and accept the terms of use there.")
ONCE_MORE = _("The hotspot ends the short connection first. Please log in once more in a few seconds.")
HOTSPOT_TIMEOUT = _("The hotspot got no answer in time. Please try again in a moment.")
HOTSPOT_REFUSED = _("The hotspot did not let you on. Please try again.")
HOTSPOT_AWAY = _("The hotspot's controller does not answer. Please try again in a few minutes, or tell us: see Help.")
HOTSPOT_BUSY = _("Many people are getting online at this hotspot. Please try again in a moment.")
HOTSPOT_MISCONFIGURED = _("This hotspot and the city do not understand each other. Please tell us: see Help.")

FAILURES: dict[str, str] = {
    "reject": HOTSPOT_REFUSED,
    "refused": HOTSPOT_REFUSED,
    "timeout": HOTSPOT_TIMEOUT,
    "slow": HOTSPOT_AWAY,
    "away": HOTSPOT_AWAY,
    "busy": HOTSPOT_BUSY,
    "full": _("This hotspot has no room for another device. Please try again in a few minutes."),
    "in_use": _("The hotspot still knows your last connection. Please wait a minute and try again."),
    "excluded": _("The hotspot has shut this device out for a while. Please wait a few minutes and try again."),
    "challenge": _("This page was open for too long. Please try again."),
    "unknown_device": _("The hotspot does not see this device. Please connect to the Wi-Fi again, then try once more."),
    "not_configured": HOTSPOT_MISCONFIGURED,
    "certificate": HOTSPOT_MISCONFIGURED,
    "garbled": HOTSPOT_MISCONFIGURED,
    "unauthorized": HOTSPOT_MISCONFIGURED,
    "unknown_site": HOTSPOT_MISCONFIGURED,
}
"""By the reason of a log-in that came back failed, or of a call to a controller that did."""


def of_failure(reason: str, reply: str) -> str:
    """What to say of a log-in that failed: RADIUS's message in `reply`, else by the NAS's or controller's reason."""
    why = reason_of(reply)
    return REASONS[why] if why is not None else FAILURES.get(reason, HOTSPOT_REFUSED)
