"""An OpenID Connect provider that does what a test wants of it, the wrong things above all. HTTP on loopback.

Its tokens are signed with `joserfc`, as ours are verified; that a provider of another make is understood is shown in
tests/system/test_oidc.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "kogge", "a+secret/of this test"
SUBJECT = "person-4711"


@dataclass
class CrookedProvider:
    """`claims` and `header` go over what is right; `answers` over whole answers, by path, as status and body."""

    now: Callable[[], datetime]
    port: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)
    user_info: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    published: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    signing: RSAKey | OctKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sign_in(self, location: str, code: str = "code-1") -> dict[str, str]:
        """What a browser brings back from the authorization endpoint, whose address this is."""
        question = dict(parse_qsl(urlsplit(location).query))
        self.codes[code] = question
        return {"code": code, "state": question["state"]}

    def answer(self, method: str, path: str, body: str, authorization: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        match path:
            case "/.well-known/openid-configuration":
                return _json(self._configuration())
            case "/keys":
                return _json({"keys": [self.published.as_dict(private=False)]})
            case "/token":
                return self._token(dict(parse_qsl(body)), authorization)
            case "/user":
                return _json({"sub": SUBJECT} | self.user_info)
        return 404, b"{}"

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/user",
        } | self.metadata

    def _token(self, fields: dict[str, str], authorization: str) -> tuple[int, bytes]:
        if authorization != f"Basic {base64.b64encode(b'kogge:a%2Bsecret%2Fof%20this%20test').decode()}":
            return _json({"error": "invalid_client"}, 401)
        question = self.codes.pop(fields.get("code", ""), None)  # a code is good once
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if question is None or question["code_challenge"] != challenge:
            return _json({"error": "invalid_grant"}, 400)
        return _json({"access_token": "access", "token_type": "Bearer", "id_token": self._id_token(question["nonce"])})

    def _id_token(self, nonce: str) -> str:
        at = int(self.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "sub": SUBJECT, "iat": at, "exp": at + 300, "nonce": nonce}
        claims = {name: value for name, value in (claims | self.claims).items() if value is not None}
        header = {"alg": "RS256", "kid": "first"} | self.header
        if header["alg"] == "none":
            parts = (json.dumps(each).encode() for each in (header, claims))
            return ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts) + "."
        return jwt.encode(header, claims, self.signing or self.published, algorithms=["RS256", "HS256"])


def _json(content: dict[str, Any], status: int = 200) -> tuple[int, bytes]:
    return status, json.dumps(content).encode()


@contextmanager
def serving(provider: CrookedProvider) -> Iterator[CrookedProvider]:
    """It answers on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length).decode()
            status, said = provider.answer(
                self.command, urlsplit(self.path).path, body, self.headers.get("Authorization", "")
            )
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{provider.issuer}/keys")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
