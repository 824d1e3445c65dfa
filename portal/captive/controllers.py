"""Calls to the controllers that some NASes have: JSON over HTTPS, from the thread that answers a resident.

A controller may be dead, slow or hostile, and the resident waits: each call is short, an answer is bounded, and few are
under way at once, so that a dead controller never takes a city's threads. Only the registered address is called, no
redirect is followed, and a certificate is verified: by the system's authorities and, where a city names them, its own.
"""

from __future__ import annotations

import http.client
import json
import logging
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from store.nases import Nas

log = logging.getLogger(__name__)

CALL_SECONDS = 3.0
"""How long a controller may take to connect, and to answer."""

LINE_SECONDS = 8.0
"""How long all the calls of one hand-off may take together."""

LINES_MAX = 4
"""Hand-offs of a city that speak to controllers at once."""

LINES_OF_NAS_MAX = 2
"""Of these, to one NAS's controller: the others' are not held up by a dead one."""

ANSWER_MAX = 256 * 1024
"""Octets of an answer that are read; a list of sites is the longest."""

KEPT_MAX = 200
"""Log-ins and ids of controllers that are remembered in a city."""


class CallError(Exception):
    """The controller did not do it. `reason` is one word, for metric and log; `reply` is its own text, if any."""

    def __init__(self, reason: str, reply: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


REASONS = (
    "away",
    "busy",
    "certificate",
    "garbled",
    "refused",
    "slow",
    "unauthorized",
    "unknown_device",
    "unknown_site",
)
"""The words of `CallError`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A controller's answer. `body` is its JSON object, empty where it sent none; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Line:
    """The calls of one hand-off to one NAS's controller, within one deadline."""

    nas: Nas
    context: ssl.SSLContext
    deadline: float
    kept: dict[tuple[object, ...], Any]

    def ask(
        self, method: str, path: str, content: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request below the NAS's registered address. CallError where no answer of JSON comes in time."""
        try:
            return self._ask(method, path, content, headers or {})
        except ssl.SSLCertVerificationError:
            raise CallError("certificate") from None
        except TimeoutError:
            raise CallError("slow") from None
        except OSError:
            raise CallError("away") from None
        except (http.client.HTTPException, ValueError, RecursionError):
            raise CallError("garbled") from None

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(self.nas.login_url)
        host, patience = parts.hostname or "", self._patience()
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=patience, context=self.context)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=patience)
        )
        try:
            body = None if content is None else json.dumps(content).encode()
            sent = {"Accept": "application/json", "Content-Type": "application/json", **headers}
            connection.request(method, f"{parts.path}{path}", body, sent)
            with connection.getresponse() as answer:
                text = self._read(answer)
            told = {name.lower(): value for name, value in answer.getheaders()}
            cookies = tuple(answer.headers.get_all("Set-Cookie") or ())
            return Reply(answer.status, told, cookies, _object(text))
        finally:
            connection.close()

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        """The body, within deadline and bound however it drips."""
        text = b""
        while chunk := answer.read1(ANSWER_MAX):
            text += chunk
            self._patience()
            if len(text) > ANSWER_MAX:
                raise CallError("garbled")
        return text

    def _patience(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(CALL_SECONDS, left)

    def keep(self, what: str, make: Callable[[], Any]) -> Any:
        """What `make` found out before, for this NAS as it is registered now; else made and remembered."""
        key = (self.nas.id, self.nas.login_url, self.nas.nas_identifier, self.nas.uam_secret, what)
        if key not in self.kept:
            if len(self.kept) >= KEPT_MAX:
                self.kept.clear()
            self.kept[key] = make()
        return self.kept[key]

    def forget(self, what: str) -> None:
        """It is not true any more."""
        key = (self.nas.id, self.nas.login_url, self.nas.nas_identifier, self.nas.uam_secret, what)
        self.kept.pop(key, None)


def _object(text: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer; an answer without one says nothing."""
    if not text.strip():
        return {}
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


@dataclass
class Controllers:
    """A city's lines to its controllers. `authorities`: a file of certificates trusted besides the system's."""

    authorities: Path | None = None
    _context: ssl.SSLContext | None = field(default=None, init=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False)
    _busy: Counter[int] = field(default_factory=Counter, init=False)
    _kept: dict[tuple[object, ...], Any] = field(default_factory=dict, init=False)

    @contextmanager
    def line(self, nas: Nas) -> Iterator[Line]:
        """A line to the NAS's controller for one hand-off. CallError `busy` where too many are taken."""
        with self._guard:
            if self._busy.total() >= LINES_MAX or self._busy[nas.id] >= LINES_OF_NAS_MAX:
                raise CallError("busy")
            self._busy[nas.id] += 1
        try:
            yield Line(nas, self._trusted(), time.monotonic() + LINE_SECONDS, self._kept)
        finally:
            with self._guard:
                self._busy[nas.id] -= 1

    def _trusted(self) -> ssl.SSLContext:
        """Made at the first call: reading the system's authorities takes a tenth of a second."""
        if self._context is None:
            context = ssl.create_default_context()
            if self.authorities is not None:
                try:
                    context.load_verify_locations(self.authorities)
                except OSError as error:  # a file that was there when the configuration was read
                    log.error("portal.controller_ca_file %s: %s", self.authorities, error)
            self._context = context
        return self._context
