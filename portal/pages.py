"""What every page shares: its language, its headers, its template. No page sets a cookie but the staff's log-in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, Request, Response, render_template
from werkzeug.exceptions import HTTPException

from hotspot.face import Face
from portal.languages import NAMES, choose
from portal.markdown import rendered
from portal.policy import NO_NEEDS, Needs, Page, face_style, hash_source
from service.speech import Speech

HSTS_SECONDS = 365 * 24 * 3600

_STATIC = Path(__file__).parent / "static"
_RESIDENTS_STYLE = (_STATIC / "residents.css").read_text()
_STAFF_STYLE = _RESIDENTS_STYLE + (_STATIC / "staff.css").read_text()
_STAFF_TEMPLATES = ("staff/", "report/")

_STYLE_SOURCES = f"{hash_source(_RESIDENTS_STYLE)} {hash_source(_STAFF_STYLE)}"
NO_FACE = Face()


@dataclass(frozen=True)
class Switch:
    """One entry of the language switch."""

    language: str
    name: str
    href: str
    current: bool


def speech_for(request: Request, speeches: dict[str, Speech]) -> Speech:
    """The language of this request's page."""
    accepted = [language for language, _ in request.accept_languages]
    return speeches[choose(_asked(request), accepted, list(speeches))]


def _asked(request: Request) -> str | None:
    """The switch's language: from the address, else from the form, which may be one that nobody can read."""
    try:
        return request.args.get("lang") or request.form.get("lang")
    except HTTPException:  # a form beyond the limits; its error page is looking for a language now
        return None


def switches(path: str, speech: Speech, speeches: dict[str, Speech], **kept: str) -> list[Switch]:
    """Links to a page in each language; `kept` is what the address must not lose."""
    return [
        Switch(
            language, NAMES[language], f"{path}?{urlencode({**kept, 'lang': language})}", language == speech.language
        )
        for language in speeches
    ]


def page(
    template: str, speech: Speech, *, status: int = 200, face: Face = NO_FACE, needs: Needs = NO_NEEDS, **values: Any
) -> Page:
    """A rendered page with its place's face, and with no more style than its kind of page needs."""
    style = _STAFF_STYLE if template.startswith(_STAFF_TEMPLATES) else _RESIDENTS_STYLE
    colours = face_style(face.colours)
    html = render_template(
        template, speech=speech, _=speech.text, style=style, face=face, face_style=colours, rendered=rendered, **values
    )
    made = Page(html, status)
    made.needs = replace(needs, styles=(*needs.styles, hash_source(colours))) if colours else needs
    return made


def origin(url: str) -> str:
    """Scheme, host and port: what a Content-Security-Policy names."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def guard_response(
    response: Response, form_targets: tuple[str, ...], *, referrer: str = "no-referrer", secure: bool = False
) -> Response:
    """Headers of every page. Chromium applies `form-action` to redirects too, so the NASes stand in it (HANDOFF).

    `referrer` "same-origin" is for pages whose forms prove their origin: under "no-referrer" browsers send them with
    `Origin: null` (Fetch, "append a request Origin header"). `secure`: the host is reached over TLS, which browsers
    shall remember (RFC 6797 section 7.2: never said over plain HTTP); they heed the opener policy of such hosts alone.
    """
    needs = response.needs if isinstance(response, Page) else NO_NEEDS
    policy = (
        f"default-src 'none'; style-src {' '.join((_STYLE_SOURCES, *needs.styles))}; "
        f"img-src {' '.join(('data:', *needs.hosts))}; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {' '.join(form_targets)}"
    )
    if needs.scripts:
        scripts, talks_to = (*needs.scripts, *needs.hosts), (*needs.hosts, *needs.talks_to)
        policy += f"; script-src {' '.join(scripts)}; connect-src {' '.join(talks_to)}"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = referrer
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if secure:
        response.headers["Strict-Transport-Security"] = f"max-age={HSTS_SECONDS}"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def add_filters(app: Flask) -> None:
    """Templates write moments and numbers through the page's Speech; nothing else is global."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
