"""What every table of the files is made of: no key that we do not know, and the types that several tables share."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LANGUAGES = ("de", "en", "de-simple", "nds", "da", "sv", "pl", "uk")
"""Languages that the residents' texts exist in, by BCP 47; `de-simple` is German in Leichte Sprache."""

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*")
"""A host name in ASCII, as browsers send it (`xn--lbeck-kva.de`), or an IP address."""


class Section(BaseModel):
    """A table of the file: frozen, and no key that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"no texts in {text!r}; there are {', '.join(LANGUAGES)}")
    return text


def _listen(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{text!r} is not an address and port such as `127.0.0.1:8080`")
    return text


def _optional_listen(text: str) -> str:
    return _listen(text) if text else ""


def host_name(text: str) -> str:
    if text and not HOST.fullmatch(text.lower()):
        raise ValueError(f"{text!r} is not a host name such as `wlan.rostock.de`, without scheme and port")
    return text.lower()


def web_address(text: str, *, such_as: str) -> str:
    """An http or https address without user, query and fragment, and without a slash at its end."""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.port != 0  # `port` raises beyond 65535
    except ValueError:
        sound = False
    if not sound or not HOST.fullmatch(parts.hostname or "") or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not an address such as `{such_as}`")
    return text.rstrip("/")


def is_this_machine(host: str) -> bool:
    """Whether what goes to a host stays on this machine, so that it need not be encrypted."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def email_address(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise ValueError(f"{text!r} is not an e-mail address such as `wlan@rostock.de`")
    return text


Flag = Annotated[bool, Field(strict=True)]
Language = Annotated[str, AfterValidator(_language)]
Number = Annotated[float, Field(strict=True)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Listen = Annotated[str, AfterValidator(_listen)]
OptionalListen = Annotated[str, AfterValidator(_optional_listen)]
