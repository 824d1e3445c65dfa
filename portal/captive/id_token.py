"""OpenID Connect's cryptography by Authlib and its joserfc, in this one file: the ID token, PKCE's challenge.

They are an extra (`pip install 'kogge[oidc]'`); where they are missing, `config.model.Oidc` refuses the city's file.
"""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec
from typing import Any

INSTALLED = find_spec("authlib") is not None

if INSTALLED:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures only: no `none`, and no HMAC, for which our own secret would be the key."""

LEEWAY_SECONDS = 120
"""By how much the provider's clock may differ from ours."""

TOKEN_MAX = 32_768


class UntrueError(Exception):
    """The ID token is not what it should be; the message says in which respect."""


def challenge(verifier: str) -> str:
    """RFC 7636 section 4.2, method S256."""
    return str(create_s256_code_challenge(verifier))


def verify(
    token: str, keys: dict[str, Any], *, issuer: str, client_id: str, nonce: str, access_token: str, now: datetime
) -> dict[str, Any]:
    """The claims, verified as OpenID Connect Core section 3.1.3.7 asks: signature, iss, aud, azp, exp, nonce, at_hash.

    UntrueError where one of them is wrong.
    """
    if len(token) > TOKEN_MAX:
        raise UntrueError("the ID token is too long")
    try:
        decoded = jwt.decode(token, KeySet.import_key_set({"keys": keys["keys"]}), algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
            {"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(int(now.timestamp()), LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise UntrueError(f"{type(error).__name__}: {error}") from None
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise UntrueError("the ID token names nobody")
    return dict(claims)
