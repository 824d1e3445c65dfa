"""What each reason word means to an operator, and what to do next: tables. Residents read other sentences.

`{city}` and `{nas}` stand for the city's key and the NAS's name.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotspot.access import Reason
from hotspot.admission import Denial


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, and the next step."""

    meaning: str
    step: str

    def filled(self, *, city: str, nas: str) -> Advice:
        """With the names in their places."""
        return Advice(*(said.format(city=city, nas=nas) for said in (self.meaning, self.step)))


_NEW_TICKET = "Nothing to mend: the resident opens the page again and taps, which makes a new log-in."
_MIDNIGHT = "It begins anew at midnight. The limits are the plan's."

REASONS: dict[Reason, Advice] = {
    Reason.NO_CREDENTIALS: Advice(
        "The hotspot asked without any password.",
        "Look at the NAS's set-up: it must send PAP or CHAP, or the MAC address as user name. "
        "See `kogge nas show {city} {nas}`.",
    ),
    Reason.UNKNOWN_USER: Advice(
        "The hotspot asked with a user name that no page has issued, or long ago.",
        "The resident opens the page again. If it goes on for many, the NAS asks the wrong city or repeats an old "
        "log-in: restart it.",
    ),
    Reason.WRONG_PASSWORD: Advice(
        "The user name exists, and its password was wrong.",
        "One alone may be a guess. If every log-in at {nas} fails so, its RADIUS or UAM secret is wrong: compare with "
        "`kogge nas show {city} {nas}`.",
    ),
    Reason.WRONG_DEVICE: Advice(
        "The log-in was made for another device than the one that used it.",
        "The resident taps on the device itself; a log-in cannot be carried from one to another. If it happens to "
        "many, the NAS sends a wrong Calling-Station-Id.",
    ),
    Reason.TICKET_EXPIRED: Advice("More than five minutes passed between the page and the log-in.", _NEW_TICKET),
    Reason.BLOCKED: Advice(
        "Staff have blocked this device.",
        "Only an admin can lift the block; who set it stands in the audit log on the staff pages.",
    ),
    Reason.NOT_REMEMBERED: Advice(
        "The device is not known as one that may come back by itself.",
        "Usual for a new device, after logging off, and when the time of coming back is over: the resident opens the "
        "page and taps.",
    ),
    Reason.TERMS_CHANGED: Advice(
        "The terms of use have a new version that this device has not accepted.",
        "The resident opens the page, reads them and taps.",
    ),
    Reason.GRANT_ENDED: Advice(
        "The admission was ended: the resident logged off, staff disconnected the device, or its voucher was revoked.",
        "The resident opens the page and taps, or types another code.",
    ),
    Reason.GRANT_EXPIRED: Advice(
        "The admission's time is over.", "The resident opens the page and taps, or types another code."
    ),
    Reason.TOO_MANY_DEVICES: Advice(
        "As many devices are online with this voucher as it allows.",
        "Log one of them off; see which with `kogge explain {city} CODE`. One that only left is online until two of "
        "its NAS's reports are missed.",
    ),
    Reason.ACCOUNT_IN_USE: Advice(
        "As many devices are online with this account as its plan allows.",
        "The resident goes offline on one of them. One that only left is online until two of its NAS's reports are "
        "missed.",
    ),
    Reason.DAILY_TIME_USED: Advice("The device has used up today's minutes.", _MIDNIGHT),
    Reason.DAILY_VOLUME_USED: Advice("The device has used up today's data volume.", _MIDNIGHT),
    Reason.CLOSED: Advice(
        "The site is closed at this hour.", "Nothing to mend; its opening hours are the site's setting."
    ),
    Reason.VOUCHER_USED_UP: Advice("The voucher's time online is used up.", "Give the resident a new voucher."),
    Reason.VOUCHER_DAILY_TIME_USED: Advice(
        "The voucher's devices together have used up today's minutes.", f"{_MIDNIGHT} Or give a new voucher."
    ),
    Reason.VOUCHER_DAILY_VOLUME_USED: Advice(
        "The voucher's devices together have used up today's data volume.", f"{_MIDNIGHT} Or give a new voucher."
    ),
    Reason.TOO_MANY_GUESSES: Advice(
        "Too many wrong codes or passwords came from this device, for this user name or through this NAS.",
        "It passes by itself; `Guesses` says when. If nobody guessed, a NAS with a wrong secret did: see "
        "`kogge nas show {city} {nas}`.",
    ),
    Reason.SESSION_OVER: Advice(
        "The session has reached the plan's longest time.",
        "The NAS should end it by itself; RADIUS disconnects it otherwise. The resident may log in again.",
    ),
}
"""Complete: a test holds it so."""

DENIALS: dict[Denial, Advice] = {
    Denial.NOT_OFFERED: Advice(
        "Its place does not offer this way in, or the city has no plan for it.",
        "Add a plan, or let the place offer it.",
    ),
    Denial.TERMS_CHANGED: REASONS[Reason.TERMS_CHANGED],
    Denial.BLOCKED: REASONS[Reason.BLOCKED],
    Denial.BAD_CODE: Advice("That cannot be a code.", "Compare with the printed sheet."),
    Denial.UNKNOWN_CODE: Advice("The city has no such code.", "Compare with the printed sheet; is it this city's?"),
    Denial.CODE_REVOKED: Advice("The voucher was revoked.", "Give the resident a new one."),
    Denial.CODE_EXPIRED: Advice("It was not redeemed in time.", "Give the resident a new one."),
    Denial.CODE_USED_UP: Advice("Its time is over.", "Give the resident a new one."),
    Denial.TOO_MANY_DEVICES: Advice(
        "As many devices hold it as it allows.", "One of them logs off on its status page, or staff disconnect it."
    ),
    Denial.TOO_MANY_GUESSES: REASONS[Reason.TOO_MANY_GUESSES],
    Denial.BAD_EMAIL: Advice("That is not an e-mail address.", "The resident types it again."),
    Denial.BAD_NUMBER: Advice("That is not a telephone number.", "The resident types it again, with its area code."),
    Denial.NUMBER_NOT_SERVED: Advice(
        "The number begins with none of the city's `sms.prefixes`.",
        "Another way in, or allow the prefix; text messages abroad and to service numbers can be dear.",
    ),
    Denial.CODE_TOO_SOON: Advice(
        "A code was sent a moment ago, to this device or to this address.",
        "Wait. If messages come late, see the metric kogge_messages_oldest_seconds.",
    ),
    Denial.TOO_MANY_CODES: Advice(
        "The device or the address has had its codes of 24 hours.",
        "Wait, give a voucher, or raise the limit in the city's file.",
    ),
    Denial.SENDING_FULL: Advice(
        "The city has sent as many text messages in 24 hours as `sms.city_day` allows.",
        "If it was no feast day, somebody plays with the form: see the metric kogge_portal_codes_total.",
    ),
    Denial.NOT_SIX_DIGITS: Advice("That cannot be a code: it has six digits.", "Compare with the message."),
    Denial.WRONG_CODE: Advice(
        "The device has another code than that.", "Compare with the newest message; each code is one device's."
    ),
    Denial.CODE_OVER: Advice(
        "The device has no code that is still good: too old, or guessed at too often.", "Ask for a new one."
    ),
    Denial.WRONG_LOGIN: Advice(
        "No account has this address and password.",
        "The resident checks both, or asks for a new password on the page; an account that was not used for long is "
        "deleted.",
    ),
    Denial.NOT_CONFIRMED: Advice(
        "The link in the mail was not opened yet.", "The resident opens it, or registers again: that sends another."
    ),
    Denial.PROVIDER_AWAY: Advice(
        "The OpenID Connect provider did not answer, or not as one does.",
        "Look for `sign-in` in the portal's log; the issuer stands in the city's file under [oidc].",
    ),
    Denial.PROVIDER_REFUSED: Advice(
        "The resident broke the sign-in off, or what came back could not be verified.",
        "One alone is usual. If it happens to all, look for `sign-in` in the portal's log: a wrong client secret, a "
        "redirect address that the provider does not know, or a clock that is wrong.",
    ),
    Denial.NOT_ENTITLED: Advice(
        "The provider knows the resident, but the claims that [oidc.claims] asks for are not there.",
        "Compare [oidc.claims] in the city's file with what the provider sends.",
    ),
}
"""What the page says to a code, in an operator's words; complete too."""
