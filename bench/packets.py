"""RADIUS requests as a NAS sends them, from the RFCs alone: the product's own codec must not measure itself."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum

ACCESS_REQUEST, ACCESS_ACCEPT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE, STATUS_SERVER = 1, 2, 4, 5, 12
HEADER_OCTETS = 20
NAS_ADDRESS = bytes((127, 0, 0, 1))
CALLED_STATION = b"02-00-5E-00-00-01:Bench"
PORT_TYPE_WIRELESS = (19).to_bytes(4, "big")

Attribute = tuple[int, bytes]


class Status(IntEnum):
    """Acct-Status-Type (RFC 2866 section 5.1)."""

    START = 1
    STOP = 2
    INTERIM = 3


@dataclass(frozen=True, slots=True)
class Resident:
    """A device with the ticket that it redeems. `mac` in the spelling of a Calling-Station-Id."""

    number: int
    mac: str
    user_name: str
    password: str
    grant_id: int


def access_request(identifier: int, secret: bytes, nas: str, who: Resident, nonce: int) -> bytes:
    """PAP with a Message-Authenticator first (RFC 2865 section 5.2, RFC 3579 section 3.2)."""
    authenticator = _md5(b"request" + nonce.to_bytes(8, "big"))
    attributes = [
        (80, bytes(16)),
        (1, who.user_name.encode()),
        (2, _hidden(who.password.encode(), secret, authenticator)),
        *_about(nas, who),
        (6, (1).to_bytes(4, "big")),
        (44, f"{nonce:016x}".encode()),
    ]
    return _signed(ACCESS_REQUEST, identifier, authenticator, attributes, secret)


def accounting_request(
    identifier: int, secret: bytes, nas: str, who: Resident, status: Status, session: str, octets: int
) -> bytes:
    """A record that carries the Class, as of a NAS that was answered with one. `octets`: both ways alike."""
    attributes = [
        (1, who.user_name.encode()),
        (40, int(status).to_bytes(4, "big")),
        (44, session.encode()),
        *_about(nas, who),
        (8, (0x0A000000 + who.number).to_bytes(4, "big")),
        (25, f"kogge:{who.grant_id}".encode()),
    ]
    if status is not Status.START:
        counters = ((46, octets // 100_000), (42, octets), (43, octets), (52, 0), (53, 0))
        attributes += [(kind, value.to_bytes(4, "big")) for kind, value in counters]
    head, body = _assemble(ACCOUNTING_REQUEST, identifier, attributes)
    return head + _md5(head + bytes(16) + body + secret) + body


def status_server(identifier: int, secret: bytes) -> bytes:
    """ "Are you there?" (RFC 5997)."""
    return _signed(STATUS_SERVER, identifier, _md5(b"status" + bytes((identifier,))), [(80, bytes(16))], secret)


def is_genuine(reply: bytes, request: bytes, secret: bytes) -> bool:
    """Whether the Response Authenticator proves that the server knew secret and request (RFC 2865 section 3)."""
    expected = _md5(reply[:4] + request[4:20] + reply[20:] + secret)
    return hmac.compare_digest(expected, reply[4:20])


def _about(nas: str, who: Resident) -> list[Attribute]:
    return [
        (4, NAS_ADDRESS),
        (32, nas.encode()),
        (5, (who.number & 0xFF).to_bytes(4, "big")),
        (61, PORT_TYPE_WIRELESS),
        (30, CALLED_STATION),
        (31, who.mac.encode()),
    ]


def _signed(code: int, identifier: int, authenticator: bytes, attributes: list[Attribute], secret: bytes) -> bytes:
    """A request whose first attribute is the Message-Authenticator, filled in."""
    head, body = _assemble(code, identifier, attributes)
    signature = hmac.digest(secret, head + authenticator + body, "md5")
    return head + authenticator + body[:2] + signature + body[18:]


def _assemble(code: int, identifier: int, attributes: list[Attribute]) -> tuple[bytes, bytes]:
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    return bytes((code, identifier)) + (HEADER_OCTETS + len(body)).to_bytes(2, "big"), body


def _hidden(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """User-Password of at most 16 octets: one block."""
    mask = _md5(secret + authenticator)
    return bytes(a ^ b for a, b in zip(password.ljust(16, b"\0"), mask, strict=True))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
