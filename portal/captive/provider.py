"""The OpenID Connect provider as the portal asks it: what it publishes, a code for a token, who that is.

Everything it says is bounded (octets, seconds, requests at a time), and only asked at the addresses that its own
configuration names under the issuer of the city's file. A provider that hangs holds up a few sign-ins and no page.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request

from config.model import Oidc
from config.secrets import read_secret
from portal import fetching
from portal.captive.id_token import UntrueError, verify
from portal.passwords import BusyError

ANSWER_MAX = 262_144
"""Octets of an answer; a provider's configuration or keys have a few thousand."""

ANSWER_SECONDS = 5.0
"""For one answer as a whole."""

AT_ONCE = 2
"""Sign-ins that ask the provider at a time; further ones are told to try again."""

FRESH = timedelta(hours=1)
"""How long what the provider publishes is believed without asking again."""

PAUSE = timedelta(seconds=10)
"""After a provider that did not answer, or keys that did not fit, nobody asks again for so long."""


class AwayError(Exception):
    """The provider does not answer, or not as a provider does."""


class RefusedError(Exception):
    """The provider answered no, or with something that cannot be verified."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider publishes of itself (OpenID Connect Discovery section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    posts_secret: bool


@dataclass
class Provider:
    """One city's provider. Threads share it; what it published last stands under a lock that nobody holds for long."""

    settings: Oidc
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))
    _published: dict[str, tuple[datetime, dict[str, Any]]] = field(default_factory=dict)
    _away_until: datetime | None = None

    def metadata(self, *, now: datetime) -> Metadata:
        """Where to send people. AwayError, BusyError."""
        with self._place():
            return self._metadata(now)

    def redeem(self, code: str, *, verifier: str, nonce: str, redirect_uri: str, now: datetime) -> dict[str, Any]:
        """Who signed in, for the code that the browser brought: verified claims. AwayError, RefusedError, BusyError."""
        with self._place():
            metadata = self._metadata(now)
            fields = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": verifier,
            }
            tokens = self._ask_tokens(metadata, fields)
            access_token = str(tokens.get("access_token", ""))
            claims = self._verified(str(tokens.get("id_token", "")), nonce, access_token, metadata, now)
            missing = self.settings.claims.keys() - claims.keys()
            if missing and metadata.userinfo_endpoint:
                claims = self._user_info(metadata, access_token, claims["sub"]) | claims
            return claims

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise BusyError
        try:
            yield
        finally:
            self._places.release()

    # What it publishes ----------------------------------------------------------------------------------

    def _metadata(self, now: datetime) -> Metadata:
        found = self._fresh(f"{self.settings.issuer}/.well-known/openid-configuration", FRESH, now)
        if str(found.get("issuer", "")).rstrip("/") != self.settings.issuer:
            raise AwayError(f"{self.settings.issuer} calls itself {str(found.get('issuer'))[:200]!r}")
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Metadata(
            authorization_endpoint=self._endpoint(found, "authorization_endpoint"),
            token_endpoint=self._endpoint(found, "token_endpoint"),
            jwks_uri=self._endpoint(found, "jwks_uri"),
            userinfo_endpoint=self._endpoint(found, "userinfo_endpoint") if "userinfo_endpoint" in found else "",
            posts_secret="client_secret_basic" not in methods,
        )

    def _endpoint(self, found: Mapping[str, Any], name: str) -> str:
        """An address of the provider: never without TLS where the issuer has it."""
        url = str(found.get(name, ""))
        if urlsplit(url).scheme not in {"https", urlsplit(self.settings.issuer).scheme} or not urlsplit(url).hostname:
            raise AwayError(f"the provider's {name} is no address: {url[:200]!r}")
        return url

    def _fresh(self, url: str, lasts: timedelta, now: datetime) -> dict[str, Any]:
        """What stands there, asked again when it is older than `lasts`; none asks a provider that was just away."""
        with self._lock:
            known = self._published.get(url)
            if known is not None and now - known[0] < lasts:
                return known[1]
            if self._away_until is not None and now < self._away_until:
                raise AwayError("the provider did not answer a moment ago")
        try:
            found = fetch(Request(url, headers={"Accept": "application/json"}))
        except (AwayError, RefusedError) as error:
            with self._lock:
                self._away_until = now + PAUSE
            raise AwayError(str(error)) from None
        with self._lock:
            self._published[url] = now, found
            self._away_until = None
        return found

    # Code and token -------------------------------------------------------------------------------------

    def _ask_tokens(self, metadata: Metadata, fields: dict[str, str]) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        secret_file, client_id = self.settings.client_secret_file, self.settings.client_id
        if secret_file is None:
            fields |= {"client_id": client_id}
        elif metadata.posts_secret:
            fields |= {"client_id": client_id, "client_secret": read_secret(secret_file)}
        else:  # RFC 6749 section 2.3.1: both are form-encoded first
            pair = f"{quote(client_id, safe='')}:{quote(read_secret(secret_file), safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return fetch(Request(metadata.token_endpoint, urlencode(fields).encode(), headers))

    def _verified(self, token: str, nonce: str, access_token: str, metadata: Metadata, now: datetime) -> dict[str, Any]:
        """The ID token's claims; where no key fits, once more with keys that are asked for anew."""
        for lasts in (FRESH, PAUSE):
            try:
                return verify(
                    token,
                    self._fresh(metadata.jwks_uri, lasts, now),
                    issuer=self.settings.issuer,
                    client_id=self.settings.client_id,
                    nonce=nonce,
                    access_token=access_token,
                    now=now,
                )
            except UntrueError as error:
                untrue = error
        raise RefusedError(f"the ID token cannot be verified: {untrue}")

    def _user_info(self, metadata: Metadata, access_token: str, subject: str) -> dict[str, Any]:
        """Further claims (Core section 5.3), if they are of the same person."""
        headers = {"Accept": "application/json", "Authorization": f"Bearer {access_token}"}
        found = fetch(Request(metadata.userinfo_endpoint, headers=headers))
        if found.get("sub") != subject:
            raise RefusedError("the provider's user info is somebody else's")
        return found


# HTTP ---------------------------------------------------------------------------------------------------


def fetch(request: Request) -> dict[str, Any]:
    """A JSON object. RefusedError for an answer of 4xx, AwayError for whatever else is none."""
    try:
        found = json.loads(fetching.fetch(request, seconds=ANSWER_SECONDS, octets_max=ANSWER_MAX))
    except HTTPError as error:
        said = f"{request.full_url} answered {error.code}: {_excerpt(error)}"
        raise (RefusedError if 400 <= error.code < 500 else AwayError)(said) from None
    except fetching.FAULTS as error:
        raise AwayError(f"{request.full_url}: {type(error).__name__}: {error}") from None
    if not isinstance(found, dict):
        raise AwayError(f"{request.full_url} answered no JSON object")
    return found


def _excerpt(error: HTTPError) -> str:
    """The beginning of what it said, for the log."""
    try:
        return "".join(each for each in error.read(300).decode("utf-8", "replace") if each.isprintable())
    except OSError:
        return ""
