"""The mails about an account, in its holder's language: what happened, one link, and what to do if it was not you."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from service.speech import Speech
from service.speech import marked as _


class Occasion(Enum):
    """Why a mail is written: its subject, what it says before the link, and after it."""

    CONFIRM = (
        _("Confirm your Wi-Fi account"),
        _("Somebody, probably you, made an account for the free Wi-Fi of %(city)s with this e-mail address."),
        _("Open this link within a day to confirm it:"),
    )
    KNOWN = (
        _("You already have a Wi-Fi account"),
        _("Somebody, probably you, wanted to make an account for the free Wi-Fi of %(city)s. You already have one."),
        _("If you do not know its password any more, open this link within an hour to set a new one:"),
    )
    RESET = (
        _("A new password for your Wi-Fi account"),
        _("Somebody, probably you, asked for a new password for the free Wi-Fi of %(city)s."),
        _("Open this link within an hour to set it, or to delete the account:"),
    )


@dataclass(frozen=True, slots=True)
class Mail:
    """What the outbox is to send."""

    subject: str
    text: str


def write(occasion: Occasion, speech: Speech, *, city: str, link: str) -> Mail:
    """The mail as plain text."""
    subject, happened, step = occasion.value
    paragraphs = (
        speech.text(happened, city=city),
        f"{speech.text(step)}\n{link}",
        speech.text("If it was not you, you need not do anything."),
        city,
    )
    return Mail(f"{speech.text(subject)} – {city}", "\n\n".join(paragraphs) + "\n")
