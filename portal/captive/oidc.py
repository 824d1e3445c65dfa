"""The way in by OpenID Connect: off to the provider and back, with all that must be remembered sealed in `state`.

Authorization code with PKCE (RFC 6749, RFC 7636, RFC 9700 section 2.1). There is no cookie: docs/adr/0022 says what
that costs and why it is enough. Of a person the city keeps a keyed hash of issuer and subject, no name, no profile.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.admission import Denial, tap_span
from hotspot.errors import ConfigError, InputError
from hotspot.plan import Way
from portal.captive.admission import Asking, Entitlement, WayIn
from portal.captive.getting_on import GettingOn
from portal.captive.id_token import challenge
from portal.captive.provider import AwayError, Provider, RefusedError
from portal.captive.room import Guest, Room
from portal.forms import row_number
from portal.tokens import seal, unseal
from service.speech import Speech
from service.speech import marked as _
from store import accounts

log = logging.getLogger(__name__)

STATE = "oidc-state"
STATE_LIFETIME = timedelta(minutes=10)
"""How long a person may take to sign in."""

SECRET_BYTES = 32
CODE_MAX = 2_048

NOT_STARTED = (
    _("This sign-in cannot go on"),
    _("It was not started at one of our hotspots, or it took longer than ten minutes. Open the log-in page again."),
)


@dataclass(frozen=True, slots=True)
class Started:
    """What `state` carries to the provider and back: who stands before the page, and what must fit the answer."""

    guest: Guest
    speech: Speech
    terms_id: int
    nonce: str
    verifier: str


@dataclass(frozen=True)
class SignIn:
    """The routes: off to the provider, and back."""

    room: Room
    getting_on: GettingOn
    provider: Provider

    def mount(self, routes: Blueprint) -> None:
        routes.post("/oidc/start")(self.start)
        routes.get("/oidc/callback")(self.callback)

    @property
    def redirect_uri(self) -> str:
        return f"{self.room.city.config.portal.url}/oidc/callback"

    # Off --------------------------------------------------------------------------------------------------

    def start(self) -> AnyResponse:
        guest = self.room.guest_at(Way.OIDC)
        if guest is None:
            return self.room.not_at_a_hotspot(400)
        started = Started(
            guest,
            self.room.speech(),
            row_number(request.form.get("terms", "")),
            self.room.random_octets(SECRET_BYTES).hex(),
            self.room.random_octets(SECRET_BYTES).hex(),
        )
        try:
            metadata = self.provider.metadata(now=self.room.clock())
        except AwayError as error:
            return self._denied(started, Denial.PROVIDER_AWAY, error)
        joined = "&" if "?" in metadata.authorization_endpoint else "?"
        return redirect(f"{metadata.authorization_endpoint}{joined}{urlencode(self._question(started))}", 303)

    def _question(self, started: Started) -> dict[str, str]:
        settings = self.provider.settings
        return {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(settings.scopes),
            "state": self._state(started),
            "nonce": started.nonce,
            "code_challenge": challenge(started.verifier),
            "code_challenge_method": "S256",
            "ui_locales": started.speech.language,
        }

    def _state(self, started: Started) -> str:
        fields = [started.guest.token, started.speech.language, started.terms_id, started.nonce, started.verifier]
        return seal(self.room.city.store.keys, STATE, fields, expires_at=self.room.clock() + STATE_LIFETIME)

    # Back -------------------------------------------------------------------------------------------------

    def callback(self) -> AnyResponse:
        """Nothing of the address is believed but what `state` proves; whatever else is wrong is a clear page."""
        started = self._started(request.args.get("state", ""))
        if started is None:
            return self._not_started()
        code, issuer = request.args.get("code", ""), request.args.get("iss", "")
        if issuer and issuer.rstrip("/") != self.provider.settings.issuer:  # RFC 9207: mixed up with another provider
            return self._denied(started, Denial.PROVIDER_REFUSED, f"the answer is of {issuer[:200]!r}")
        if not code or len(code) > CODE_MAX:
            said = request.args.get("error", "")[:80]
            return self._denied(started, Denial.PROVIDER_REFUSED, f"no code; error {said!r}")
        try:
            claims = self.provider.redeem(
                code,
                verifier=started.verifier,
                nonce=started.nonce,
                redirect_uri=self.redirect_uri,
                now=self.room.clock(),
            )
        except (AwayError, ConfigError) as error:
            return self._denied(started, Denial.PROVIDER_AWAY, error)
        except RefusedError as error:
            return self._denied(started, Denial.PROVIDER_REFUSED, error)
        if not entitled(claims, self.provider.settings.claims):
            return self._denied(started, Denial.NOT_ENTITLED, "a claim is missing")
        return self._let_on(started, by_subject(self.provider.settings.issuer, claims["sub"], started.speech.language))

    def _started(self, state: str) -> Started | None:
        try:
            fields = unseal(self.room.city.store.keys, STATE, state, now=self.room.clock())
        except InputError:
            return None
        token, language, terms_id, nonce, verifier = fields
        guest = self.room.guest_of(token)
        speech = self.room.speeches.get(language) or self.room.speech()
        return None if guest is None else Started(guest, speech, terms_id, nonce, verifier)

    def _denied(self, started: Started, denial: Denial, why: object) -> AnyResponse:
        log.warning("%s: sign-in: %s: %s", self.room.city.key, denial.value, why)
        return self._let_on(started, lambda _: denial)

    def _let_on(self, started: Started, way_in: WayIn) -> AnyResponse:
        return self.getting_on.let_on(started.guest, Way.OIDC, way_in, terms_id=started.terms_id, speech=started.speech)

    def _not_started(self) -> AnyResponse:
        said, (heading, sentence) = self.room.speech().text, NOT_STARTED
        return self.room.show(
            "captive/message.html", status=400, path="/help", heading=said(heading), sentences=[said(sentence)]
        )


def entitled(claims: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether every wanted claim has its value, or a list that contains it."""
    return all(_holds(claims.get(name), value) for name, value in wanted.items())


def _holds(claim: Any, value: Any) -> bool:
    if isinstance(claim, list):
        return any(_holds(each, value) for each in claim)
    return type(claim) is type(value) and claim == value  # 1 is not true


def by_subject(issuer: str, subject: str, language: str) -> WayIn:
    """As whom the provider says that it is."""

    def way_in(asking: Asking) -> Entitlement | Denial:
        plan = asking.plans.get(Way.OIDC)
        if plan is None:
            return Denial.NOT_OFFERED
        account_id = accounts.of_subject(
            asking.conn, asking.city.store.keys, issuer, subject, language=language, now=asking.now
        )
        accounts.note_use(asking.conn, account_id, language=language, now=asking.now)
        return Entitlement(plan, tap_span(plan, now=asking.now), account_id=account_id)

    return way_in
