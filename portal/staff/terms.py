"""The staff's pages of the terms of use: versions and what acceptances prove, drafts with preview and differences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.differences import Piece, differences
from hotspot.errors import InputError
from hotspot.terms import BODY_MAX, TITLE_MAX, Draft, Terms, as_file, digest, read_draft
from portal.captive.room import Room
from portal.forms import row_number
from portal.languages import NAMES
from portal.pages import speech_for
from portal.staff.guard import Guard
from portal.staff.views import staff_page
from service.speech import Speech
from service.speech import marked as _
from store import terms
from store.nases import Author

_FIRST_MISSING = _("The text in %(language)s is missing: it is what readers see who have none in their language.")
_CHANGED = _("Somebody changed a draft meanwhile. Please look at them again.")
_WRONG = _("A text has a title of 1 to %(title)s characters and a body of 1 to %(body)s.")


@dataclass(frozen=True)
class TermsPages:
    """What these views need, made once a city."""

    room: Room
    speeches: dict[str, Speech]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/terms")(self.terms)
        routes.get("/staff/terms/<int:version>")(self.terms_version)
        routes.get("/staff/terms/draft/<language>")(self.terms_draft)
        routes.post("/staff/terms/draft/<language>")(self.save_terms_draft)
        routes.post("/staff/terms/draft/<language>/discard")(self.discard_terms_draft)
        routes.post("/staff/terms/publish")(self.publish_terms)

    # Versions ---------------------------------------------------------------------------------------

    def terms(self) -> AnyResponse:
        """Every version, the drafts, and the button that publishes them."""
        return self._overview()

    def _overview(self, problem: str = "", status: int = 200, **values: object) -> Response:
        with self.room.city.store.read() as conn:
            proofs, drafts = terms.proofs(conn), terms.drafts(conn)
        languages = self.room.city.config.languages
        return self._page(
            "staff/terms.html",
            status=status,
            problem=self._said(problem, **values) if problem else "",
            proofs=proofs,
            drafts=drafts,
            languages=languages,
            without=[language for language in languages if language not in drafts],
            seen=_seen(drafts),
        )

    def terms_version(self, version: int) -> AnyResponse:
        """A version's texts, each with what changed since an earlier one."""
        with self.room.city.store.read() as conn:
            texts = terms.texts_of(conn, version)
            older = row_number(request.args.get("since", "")) or version - 1
            before = terms.texts_of(conn, older)
            latest = terms.current_version(conn)
        if not texts:
            abort(404)
        return self._page(
            "staff/terms_version.html",
            version=version,
            older=older if before else 0,
            latest=latest,
            shown={language: (text, digest(text).hex(), _since(before, text)) for language, text in texts.items()},
        )

    # Drafts -----------------------------------------------------------------------------------------

    def terms_draft(self, language: str) -> AnyResponse:
        """What was saved, or what holds now, to be changed; below it how it looks and what would change."""
        self._require(language)
        with self.room.city.store.read() as conn:
            current = terms.texts_of(conn, terms.current_version(conn)).get(language)
            draft = terms.drafts(conn).get(language)
        return self._draft_page(language, draft, current, typed=draft or current or Draft("", ""))

    def save_terms_draft(self, language: str) -> AnyResponse:
        self._require(language)
        title, body = request.form.get("title", ""), request.form.get("body", "")
        try:
            draft = read_draft(title, body)
        except InputError:
            problem = self._said(_WRONG, title=TITLE_MAX, body=BODY_MAX)
            return self._draft_page(language, None, None, typed=Draft(title, body), problem=problem)
        with self.room.city.store.write() as conn:
            terms.save_draft(conn, language, draft, staff_id=g.member.id, now=self.room.clock())
        return redirect(f"/staff/terms/draft/{language}#preview", 303)

    def discard_terms_draft(self, language: str) -> AnyResponse:
        self._require(language)
        with self.room.city.store.write() as conn:
            terms.discard_drafts(conn, language)
        return redirect("/staff/terms", 303)

    def publish_terms(self) -> AnyResponse:
        """The drafts that were seen become the next version, all of them at once."""
        languages, now = self.room.city.config.languages, self.room.clock()
        with self.room.city.store.write() as conn:
            drafts = {name: text for name, text in terms.drafts(conn).items() if name in languages}
            if _seen(drafts) == request.form.get("seen") and languages[0] in drafts:
                version = terms.publish(conn, drafts, author=Author(g.member.id), now=now)
                terms.discard_drafts(conn)
                return redirect(f"/staff/terms/{version}", 303)
        if languages[0] not in drafts:
            return self._overview(_FIRST_MISSING, 422, language=NAMES[languages[0]])
        return self._overview(_CHANGED, 409)

    def _draft_page(
        self, language: str, draft: Draft | None, current: Terms | None, *, typed: Draft | Terms, problem: str = ""
    ) -> Response:
        return self._page(
            "staff/terms_draft.html",
            status=422 if problem else 200,
            language=language,
            draft=draft,
            pieces=differences(as_file(current), as_file(draft)) if draft and current else [],
            typed=typed,
            title_max=TITLE_MAX,
            body_max=BODY_MAX,
            problem=problem,
        )

    # Shared -----------------------------------------------------------------------------------------

    def _require(self, language: str) -> None:
        if language not in self.room.city.config.languages:
            abort(404)

    def _said(self, sentence: str, **values: object) -> str:
        return speech_for(request, self.speeches).text(sentence, **values)

    def _page(self, template: str, *, status: int = 200, **values: object) -> Response:
        return staff_page(
            self.room.city, self.speeches, self.guard, template, status=status, language_names=NAMES, **values
        )


def _since(before: Mapping[str, Terms], text: Terms) -> list[Piece]:
    """What changed; nothing where the earlier version had no text in this language."""
    earlier = before.get(text.language)
    return differences(as_file(earlier), as_file(text)) if earlier is not None else []


def _seen(drafts: Mapping[str, Draft]) -> str:
    """Which drafts somebody looked at."""
    parts = [language.encode() + digest(text) for language, text in sorted(drafts.items())]
    return hashlib.sha256(b"".join(parts)).hexdigest()
