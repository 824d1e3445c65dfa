"""How a city sends: e-mail by SMTP, text messages by an HTTP gateway of whatever make."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from config.section import HOST, Flag, Number, Port, Section, email_address, host_name, is_this_machine


def _country_code(text: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,2}", text):
        raise ValueError(f"{text!r} is not a country's code such as `+49`")
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,13}", text):
        raise ValueError(f"{text!r} is not the beginning of a telephone number such as `+4915`")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+: [ -~]+", text):
        raise ValueError(f"{text!r} is not a header such as `Authorization: Bearer {{secret}}`")
    return text


def _gateway_url(text: str) -> None:
    """Its query may hold places; scheme and host are fixed."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    if not HOST.fullmatch(host) or not (parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(host))):
        raise ValueError(f"{text!r} is not an https address (http only to this machine itself)")


class Mail(Section):
    """How the city sends e-mail; without a host it sends none."""

    host: Annotated[str, AfterValidator(host_name)] = ""
    port: Port = 587
    tls: Literal["none", "starttls", "tls"] = "starttls"
    ca_file: Path | None = None
    user: str = ""
    password_file: Path | None = None
    sender: str = ""
    timeout_s: Annotated[Number, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def _complete(self) -> Mail:
        if self.host:
            email_address(self.sender)
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file go together")
        if self.user and self.tls == "none" and not is_this_machine(self.host):
            raise ValueError(f'tls = "none" would send the password in the clear to {self.host}')
        return self


class Sms(Section):
    """How the city sends text messages: an HTTP request to a gateway. Off unless `enabled`."""

    enabled: Flag = False
    url: str = ""
    method: Literal["POST", "GET", "PUT"] = "POST"
    headers: tuple[Annotated[str, AfterValidator(_header)], ...] = ()
    body: str = ""
    secret_file: Path | None = None
    ca_file: Path | None = None
    success: tuple[Annotated[int, Field(strict=True, ge=200, le=299)], ...] = (200, 201, 202, 204)
    timeout_s: Annotated[Number, Field(gt=0, le=60)] = 10.0
    country_code: Annotated[str, AfterValidator(_country_code)] = "+49"
    prefixes: Annotated[tuple[Annotated[str, AfterValidator(_prefix)], ...], Field(min_length=1)] = (
        "+4915",
        "+4916",
        "+4917",
    )
    pause_seconds: Annotated[int, Field(strict=True, ge=30, le=3600)] = 120
    number_day: Annotated[int, Field(strict=True, ge=1, le=50)] = 3
    device_day: Annotated[int, Field(strict=True, ge=1, le=50)] = 3
    city_day: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 200

    @model_validator(mode="after")
    def _template(self) -> Sms:
        if self.enabled:
            _gateway_url(self.url)
        texts = (self.url, self.body, *self.headers)
        for place in ("{text}", "{number}"):
            written = place in "".join(texts) or (place == "{number}" and "{digits}" in "".join(texts))
            if self.enabled and not written:
                raise ValueError(f"neither url nor body says where the {place} goes")
        if any("{secret}" in text for text in texts) and self.secret_file is None:
            raise ValueError("{secret} is used, and secret_file names no file")
        return self
