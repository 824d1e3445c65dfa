"""A browser without JavaScript: HTTP/1.1 over asyncio, cookies by origin, redirects, and the forms of a page.

Hosts that end in .localhost are this machine (RFC 6761 section 6.3); nothing else is resolved specially.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from hotspot.errors import WireError

REDIRECTS_MAX = 8
ANSWER_MAX = 512 * 1024
"""Octets of an answer; a portal's page is far below."""

ANSWER_SECONDS = 15.0
LANGUAGES = "de-DE,de;q=0.9,en;q=0.5"
AGENT = "Mozilla/5.0 (Linux; Android 14) simulated-resident"


@dataclass(frozen=True, slots=True)
class Form:
    """A form as its page gave it: hidden and preset fields, and the names of its buttons and boxes."""

    id: str
    method: str
    action: str
    fields: tuple[tuple[str, str], ...]
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Where a walk ended. `trail` are all addresses it went through, the last one included."""

    status: int
    url: str
    body: str
    trail: tuple[str, ...]

    def form(self, id: str) -> Form | None:
        """The form with this id, its action made absolute."""
        reader = _FormReader(self.url)
        reader.feed(self.body)
        reader.close()
        return next((form for form in reader.forms if form.id == id), None)


class _FormReader(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._base = base
        self._open: dict[str, str] | None = None
        self._fields: list[tuple[str, str]] = []
        self._choices: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open, self._fields, self._choices = told, [], []
        elif tag in ("input", "button") and self._open is not None and told.get("name"):
            kind = told.get("type", "text" if tag == "input" else "submit").lower()
            pressed = kind in ("checkbox", "radio", "submit")
            pair = (told["name"], told.get("value", "on" if kind == "checkbox" else ""))
            (self._choices if pressed else self._fields).append(pair)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open is not None:
            action = urljoin(self._base, self._open.get("action", ""))
            method = self._open.get("method", "get").lower()
            fields, choices = tuple(self._fields), tuple(self._choices)
            self.forms.append(Form(self._open.get("id", ""), method, action, fields, choices))
            self._open = None


@dataclass(slots=True)
class Browser:
    """One device's browser. Its cookies live as long as it does."""

    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    async def get(self, url: str) -> Page:
        """Open an address and follow its redirects. WireError, OSError or TimeoutError where that fails."""
        return await self._walk("GET", url, "")

    async def submit(self, form: Form, **filled: str) -> Page:
        """Send a form with these fields filled in or pressed."""
        values = {name: value for name, value in form.fields if name not in filled}
        body = urlencode([*values.items(), *filled.items()])
        if form.method == "post":
            return await self._walk("POST", form.action, body)
        return await self._walk("GET", f"{form.action.partition('?')[0]}?{body}", "")

    async def _walk(self, method: str, url: str, body: str) -> Page:
        trail: list[str] = []
        while len(trail) <= REDIRECTS_MAX:
            trail.append(url)
            async with asyncio.timeout(ANSWER_SECONDS):
                status, headers, text = await self._ask(method, url, body)
            location = next((value for name, value in headers if name == "location"), None)
            if status not in (301, 302, 303, 307, 308) or location is None:
                return Page(status, url, text, tuple(trail))
            url = urljoin(url, location)
            if status in (301, 302, 303):
                method, body = "GET", ""
        raise WireError("too_many_redirects")

    async def _ask(self, method: str, url: str, body: str) -> tuple[int, list[tuple[str, str]], str]:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise WireError("not_http")
        host = "127.0.0.1" if parts.hostname.endswith("localhost") else parts.hostname
        reader, writer = await asyncio.open_connection(host, parts.port or 80)
        try:
            writer.write(self._request(method, url, body))
            raw = await _read_all(reader)
        finally:
            writer.close()
        status, headers, text = _split(raw)
        self._keep_cookies(parts.netloc, headers)
        return status, headers, text

    def _request(self, method: str, url: str, body: str) -> bytes:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", f"User-Agent: {AGENT}"]
        headers += ["Accept: text/html", f"Accept-Language: {LANGUAGES}", "Connection: close"]
        cookies = self.cookies.get(parts.netloc)
        if cookies:
            headers.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()))
        if method == "POST":
            headers += [f"Origin: http://{parts.netloc}", "Content-Type: application/x-www-form-urlencoded"]
            headers.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join(headers).encode() + b"\r\n\r\n" + body.encode()

    def _keep_cookies(self, origin: str, headers: list[tuple[str, str]]) -> None:
        for name, value in headers:
            if name == "set-cookie":
                key, _, told = value.partition(";")[0].partition("=")
                self.cookies.setdefault(origin, {})[key.strip()] = told.strip()


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await reader.read(65_536):
        chunks.append(chunk)
        size += len(chunk)
        if size > ANSWER_MAX:
            raise WireError("answer_too_large")
    return b"".join(chunks)


def _split(raw: bytes) -> tuple[int, list[tuple[str, str]], str]:
    head, blank, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if not blank or len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise WireError("not_http")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    if ("transfer-encoding", "chunked") in headers:
        body = _unchunked(body)
    return int(words[1]), headers, body.decode("utf-8", "replace")


def _unchunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    while body:
        size_text, _, rest = body.partition(b"\r\n")
        try:
            size = int(size_text.partition(b";")[0], 16)
        except ValueError as error:
            raise WireError("bad_chunk") from error
        if not size:
            break
        parts.append(rest[:size])
        body = rest[size + 2 :]
    return b"".join(parts)
