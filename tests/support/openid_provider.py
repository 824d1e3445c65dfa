"""A real OpenID Connect provider: Django OAuth Toolkit, whose OAuthLib and JWCrypto share nothing with our Authlib.

`python -m tests.support.openid_provider PORT FOLDER CALLBACK` serves it on 127.0.0.1 until it is ended. People sign in
on its page with a cookie and a password; readers have a library card, guests have none.
"""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

HOST = "127.0.0.1"
CLIENT_ID, CLIENT_SECRET = "kogge", "a+secret/of this test"
READER, GUEST, PASSWORD = "reader", "guest", "a password of the library"

LOGIN = """<!doctype html><html lang="en"><title>Library</title><h1>Library</h1>
<form method="post">{% csrf_token %}{{ form.as_p }}<button>Sign in</button></form></html>"""


def issuer_of(port: int) -> str:
    return f"http://{HOST}:{port}/o"


def _key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def configure(port: int, folder: Path) -> None:
    """Django's settings: nothing but users, sessions and the provider."""
    settings.configure(
        SECRET_KEY="of a test",
        ALLOWED_HOSTS=[HOST],
        ROOT_URLCONF="openid_provider_urls",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.db"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "loaders": [
                        ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                        "django.template.loaders.app_directories.Loader",
                    ],
                },
            }
        ],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        LOGIN_URL="/login/",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_ISS_ENDPOINT": issuer_of(port),
            "OIDC_RSA_PRIVATE_KEY": _key(),
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "Who you are"},
            "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
        },
    )
    sys.modules["openid_provider_urls"] = sys.modules[__name__]
    django.setup()


def prepare(callback: str) -> None:
    """Tables, two people, and the city as a client."""
    from django.contrib.auth import get_user_model  # Django's models need its settings first
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    for name in (READER, GUEST):
        get_user_model().objects.create_user(name, password=PASSWORD)
    get_application_model().objects.create(
        name="Kogge",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=callback,
        algorithm="RS256",
        skip_authorization=True,
    )


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        return


def serve(port: int, folder: Path, callback: str) -> None:
    configure(port, folder)

    from django.contrib.auth.views import LoginView
    from oauth2_provider.oauth2_validators import OAuth2Validator

    class Validator(OAuth2Validator):
        """Adds to the ID token whether somebody has a library card."""

        oidc_claim_scope = None

        def get_additional_claims(self, request: object) -> dict[str, object]:
            name = request.user.username  # type: ignore[attr-defined]
            return {"library_card": True} if name == READER else {}

    globals()["Validator"] = Validator
    globals()["urlpatterns"] = [
        path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
        path("login/", LoginView.as_view()),
    ]
    prepare(callback)
    with make_server(HOST, port, get_wsgi_application(), _Server, _Quiet) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    sys.modules["tests.support.openid_provider"] = sys.modules[__name__]
    serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
