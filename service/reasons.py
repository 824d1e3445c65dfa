"""Why RADIUS refuses, in a person's words, and the form in which a NAS carries that to the portal.

Texts are message ids of the catalogues (`service.speech`); every reason has its sentence. RADIUS writes the form,
the portal reads it: `Your time is over. … [grant_expired]`, a sentence for a person and the word for us.
"""

from __future__ import annotations

from hotspot.access import Reason
from service.speech import marked as _

REASONS: dict[Reason, str] = {
    Reason.NO_CREDENTIALS: _("The hotspot asked without your log-in. Please try again."),
    Reason.UNKNOWN_USER: _("Your log-in has expired. Please try again."),
    Reason.WRONG_PASSWORD: _("The hotspot and the city did not agree. Please try again."),
    Reason.WRONG_DEVICE: _("The log-in was meant for another device. Please try again on this one."),
    Reason.TICKET_EXPIRED: _("That took too long. Please try again."),
    Reason.BLOCKED: _("This device is blocked here. Please ask the operator."),
    Reason.NOT_REMEMBERED: _("Please accept the terms of use once more."),
    Reason.TERMS_CHANGED: _("The terms of use have changed. Please read them again."),
    Reason.GRANT_ENDED: _("You have logged off. Please accept the terms of use to get on again."),
    Reason.GRANT_EXPIRED: _("Your time is over. Please accept the terms of use to get on again."),
    Reason.TOO_MANY_DEVICES: _("This code is in use on as many devices as it allows."),
    Reason.ACCOUNT_IN_USE: _("Your account is online on as many devices as it allows. Go offline on one of them."),
    Reason.DAILY_TIME_USED: _("Today's time is used up for this device. It begins anew at midnight."),
    Reason.DAILY_VOLUME_USED: _("Today's data volume is used up for this device. It begins anew at midnight."),
    Reason.CLOSED: _("The Wi-Fi is closed here at this hour. Please come back when it is open."),
    Reason.VOUCHER_USED_UP: _("The time of this code is used up. Please ask for a new one."),
    Reason.VOUCHER_DAILY_TIME_USED: _("Today's time of this code is used up. It begins anew at midnight."),
    Reason.VOUCHER_DAILY_VOLUME_USED: _("Today's data volume of this code is used up. It begins anew at midnight."),
    Reason.SESSION_OVER: _("Your session has reached its longest time. Please log in again."),
    Reason.TOO_MANY_GUESSES: _("Too many wrong log-ins. Please wait a quarter of an hour."),
}


MESSAGE_OCTETS_MAX = 253
"""A Reply-Message attribute's room (RFC 2865 section 5.18)."""


def message(sentence: str, reason: Reason) -> str:
    """The sentence, cut between characters where it is too long in UTF-8, and the reason word in brackets."""
    word = f" [{reason.value}]"
    return sentence.encode()[: MESSAGE_OCTETS_MAX - len(word)].decode(errors="ignore") + word


def reason_of(text: str) -> Reason | None:
    """The reason of a message, or of the bare word; None where a NAS cut it off or says something of its own."""
    word = text.strip().removesuffix("]").rpartition("[")[2]
    return Reason(word) if word in Reason.__members__.values() else None
