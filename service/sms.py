"""Text messages by an HTTP gateway: the city's template, its places filled in as the place needs it.

`{number}` (`+49…`), `{digits}` (the same without the plus), `{text}` and `{secret}` are percent-encoded in the address,
escaped in a JSON or XML body, percent-encoded in a form; in another body and in headers they stand as they are.
Redirects are not followed: a secret goes to the address that the city named, and nowhere else.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import IO
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from config.sending import Sms
from service.sending import Failure, Letter, secret_of, verified

ANSWER_MAX = 10_000
"""Octets of a gateway's answer that are read, and not looked at."""

_PLACE = re.compile(r"\{(number|digits|text|secret)\}")


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _in_xml(value: str) -> str:
    return escape(value, {'"': "&quot;", "'": "&apos;"})


_QUOTING: dict[str, Callable[[str], str]] = {
    "application/json": _in_json,
    "application/x-www-form-urlencoded": quote_plus,
    "application/xml": _in_xml,
    "text/xml": _in_xml,
}


def fill(template: str, values: Mapping[str, str], quoting: Callable[[str], str]) -> str:
    """All places in one pass: what stands in a value is no place."""
    return _PLACE.sub(lambda place: quoting(values[place[1]]), template)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> None:
        return None


@dataclass(frozen=True)
class Texter:
    """Sends for one city: a request a message."""

    settings: Sms

    def open(self) -> AbstractContextManager[Texter]:
        return nullcontext(self)

    def send(self, letter: Letter) -> None:
        """Failure where the gateway does not say one of its words for success."""
        settings = self.settings
        try:
            handlers = (_NoRedirect(), urllib.request.HTTPSHandler(context=verified(settings.ca_file)))
            opener = urllib.request.build_opener(*handlers)
            with opener.open(self.request(letter), timeout=settings.timeout_s) as answer:
                answer.read(ANSWER_MAX)
                status = int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            status = error.code
        except urllib.error.URLError as error:
            tls = isinstance(error.reason, ssl.SSLError)
            raise Failure("tls" if tls else "no_connection", ends_round=True) from None
        except (OSError, http.client.HTTPException):
            raise Failure("no_connection", ends_round=True) from None
        if status not in settings.success:
            raise Failure(f"http_{status}", final=400 <= status < 500 and status not in (401, 403, 408, 429))

    def request(self, letter: Letter) -> urllib.request.Request:
        """The template with its places filled."""
        settings, values = self.settings, self._values(letter)
        headers = dict(fill(each, values, str).split(": ", 1) for each in settings.headers)
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        body = fill(settings.body, values, _QUOTING.get(kind.partition(";")[0].strip().lower(), str))
        url = fill(settings.url, values, lambda value: quote(value, safe=""))
        data = body.encode() if settings.method != "GET" else None
        return urllib.request.Request(url, data=data, headers=headers, method=settings.method)

    def _values(self, letter: Letter) -> dict[str, str]:
        secret = self.settings.secret_file
        number = letter.recipient
        return {
            "number": number,
            "digits": number.removeprefix("+"),
            "text": letter.text,
            "secret": secret_of(secret) if secret is not None else "",
        }
