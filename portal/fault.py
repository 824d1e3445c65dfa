"""The page that says the portal has a fault: written once at the start, so that it needs no database and no time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Flask, Request, Response

from portal.dispatch import Environ, StartResponse, host_of
from portal.pages import guard_response, page, speech_for
from service.cities import City
from service.speech import Speech

RETRY_SECONDS = 15


class FaultPage:
    """One city's, in each of its languages. It is WSGI by itself, and makes a response for the application."""

    def __init__(self, app: Flask, city: City, texts: Mapping[str, Speech]) -> None:
        self._texts = dict(texts)
        self._city = city
        with app.test_request_context():
            self._pages = {
                (language, again): page("captive/fault.html", speech, city=city.config, again=again).get_data()
                for language, speech in texts.items()
                for again in (True, False)
            }

    def response(self, request: Request) -> Response:
        """A person asks again for what was asked for, by a button: a page that loads itself anew takes the text from
        under a screen reader (WCAG 2.2.1, failure F41). A form is not sent twice."""
        language = speech_for(request, self._texts).language
        body = self._pages[language, request.method in ("GET", "HEAD")]
        return Response(body, 503, {"Retry-After": str(RETRY_SECONDS)}, content_type="text/html; charset=utf-8")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        secure = self._city.config.portal.is_secure(host_of(environ))
        response = guard_response(self.response(Request(environ)), ("'self'",), secure=secure)
        return response(environ, start_response)
