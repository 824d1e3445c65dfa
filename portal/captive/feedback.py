"""Feedback: somebody writes to whoever runs the Wi-Fi here, by a form if the city sends e-mail (BITV, § 12b BGG).

It needs no visit. What is written goes to the message outbox and is wiped there once it was sent; nothing else is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.face import HelpContact
from hotspot.feedback import MESSAGE_MAX, WINDOW, Fault, Feedback, is_limited, read_feedback
from hotspot.guessing import range_of
from portal.address import client_address
from portal.captive.room import Guest, Room
from portal.captive.texts import kept
from service.speech import marked as _
from store import guesses, messages

SENT_WITHIN = timedelta(days=3)
"""How long a mail server may be away."""

ADDRESS_MAX = 300
TRAP = "website"
"""A field that people do not see and programs fill in."""

FAULTS = {
    Fault.EMPTY: _("Please write something."),
    Fault.LONG: _("Your message is too long. Please shorten it."),
    Fault.ADDRESS: _("That is not an e-mail address. Write it like name@example.org, or leave it empty."),
    Fault.LIMITED: _("Many messages came in just now. Please try again in a quarter of an hour, or write an e-mail."),
}


@dataclass(frozen=True)
class FeedbackPages:
    """The form, and what becomes of what was typed."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/feedback")(self.feedback)
        routes.post("/feedback")(self.send_feedback)

    def feedback(self) -> AnyResponse:
        return self._form(self.room.guest(), sent="sent" in request.args)

    def send_feedback(self) -> AnyResponse:
        """To the outbox; a program that fills in the trap is told the same."""
        guest, form = self.room.guest(), request.form
        found = read_feedback(form.get("message", ""), form.get("email", "")[:ADDRESS_MAX])
        if form.get(TRAP):
            result = "trapped"
        elif not self.room.city.config.mail.host:
            return self._form(guest)
        else:
            found = self._queued(guest, found) if isinstance(found, Feedback) else found
            result = found.value if isinstance(found, Fault) else "wanted"
        self.room.metrics.feedback.labels(result).inc()
        if isinstance(found, Fault) and result != "trapped":
            return self._form(guest, fault=found)
        carried = {"sent": "1", **kept(guest), "lang": self.room.speech().language}
        return redirect(f"/feedback?{urlencode(carried)}", 303)

    def _queued(self, guest: Guest | None, written: Feedback) -> Feedback | Fault:
        """Count and store it, in one transaction; or too much came in."""
        city, now = self.room.city, self.room.clock()
        address = client_address(request, city)
        keys = city.store.keys
        buckets = [
            guesses.bucket(keys, "feedback-range", range_of(address) if address is not None else ""),
            guesses.bucket(keys, "feedback-city", ""),
        ]
        speech = next(iter(self.room.speeches.values()))
        subject, text = speech.text(SUBJECT), self._text(guest, written)
        with city.store.write() as conn:
            if is_limited(*guesses.counts(conn, buckets, since=now - WINDOW)):
                return Fault.LIMITED
            for bucket in buckets:
                guesses.note(conn, bucket, now=now)
            messages.add(
                conn,
                keys,
                messages.Kind.EMAIL,
                recipient=self._contact(guest).email,
                subject=f"{subject} – {city.config.name}",
                text=text,
                expires_at=now + SENT_WITHIN,
                now=now,
            )
        return written

    def _text(self, guest: Guest | None, written: Feedback) -> str:
        """In the city's first language, but for what was written."""
        said = next(iter(self.room.speeches.values())).text
        about = {
            said("Place"): guest.nas.site_name if guest is not None else "–",
            said("Language"): self.room.speech().language,
            said("Answer to"): written.reply_to or said("no answer wanted"),
        }
        return "\n".join([written.message, "", "-- ", *(f"{name}: {value}" for name, value in about.items()), ""])

    def _contact(self, guest: Guest | None) -> HelpContact:
        face, _notices = self.room.faces.at(guest.nas.site_id if guest is not None else None)
        contact = self.room.city.config.contact
        return face.help or HelpContact(contact.operator, contact.email, contact.phone)

    def _form(self, guest: Guest | None, *, fault: Fault | None = None, sent: bool = False) -> AnyResponse:
        speech = self.room.speech()
        return self.room.show(
            "captive/feedback.html",
            speech,
            status=_STATUS.get(fault, 422) if fault is not None else 200,
            kept=kept(guest),
            by_form=bool(self.room.city.config.mail.host),
            sent=sent,
            fault=speech.text(FAULTS[fault]) if fault is not None else "",
            fault_at="email" if fault is Fault.ADDRESS else "message",
            typed=request.form,
            token=guest.token if guest is not None else "",
            trap=TRAP,
            most=MESSAGE_MAX,
        )


SUBJECT = _("Feedback on the Wi-Fi")
_STATUS = {Fault.LIMITED: 429}
