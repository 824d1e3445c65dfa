"""RADIUS from the NAS's side, for `kogge radius test`: requests out over UDP, replies checked octet by octet.

It asks our own server only. The simulator has a client of its own (another party, on pyrad), and so have the tests.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from hotspot.errors import WireError
from radius import wire
from radius.wire import HEADER_BYTES, PACKET_BYTES_MAX, Attr, Attribute, Code, Packet

WAITS_SECONDS = (1.0, 1.0, 2.0)
"""How long each of the transmissions of a request waits. A client registered just now is known within 2 s."""

_ZEROS = bytes(16)
_UNSIGNED: Attribute = (Attr.MESSAGE_AUTHENTICATOR, _ZEROS)
_SIGNATURE_AT = HEADER_BYTES + 2

_ANSWERS = {
    Code.ACCESS_REQUEST: (Code.ACCESS_ACCEPT, Code.ACCESS_REJECT),
    Code.ACCOUNTING_REQUEST: (Code.ACCOUNTING_RESPONSE,),
}
"""What answers each request; a Status-Server is answered as its port answers (RFC 5997 section 3)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that verified, how long it took, and at which transmission it came (1 is the first)."""

    packet: Packet
    seconds: float
    attempt: int


# Requests ---------------------------------------------------------------------------------------------


def access_request(identifier: int, authenticator: bytes, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """An Access-Request, its Message-Authenticator first (RFC 3579 section 3.2)."""
    return _signed(Code.ACCESS_REQUEST, identifier, authenticator, attributes, secret)


def unsigned_access_request(identifier: int, authenticator: bytes, attributes: Sequence[Attribute]) -> bytes:
    """An Access-Request without a Message-Authenticator, which anybody could have changed on its way."""
    return _packet(Code.ACCESS_REQUEST, identifier, authenticator, attributes)


def status_server(identifier: int, authenticator: bytes, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """A Status-Server (RFC 5997 section 3)."""
    return _signed(Code.STATUS_SERVER, identifier, authenticator, attributes, secret)


def accounting_request(identifier: int, attributes: Sequence[Attribute], secret: bytes) -> bytes:
    """An Accounting-Request; its authenticator is computed over the packet (RFC 2866 section 3)."""
    plain = _packet(Code.ACCOUNTING_REQUEST, identifier, _ZEROS, attributes)
    return plain[:4] + _md5(plain + secret) + plain[HEADER_BYTES:]


def _signed(code: Code, identifier: int, authenticator: bytes, rest: Sequence[Attribute], secret: bytes) -> bytes:
    plain = _packet(code, identifier, authenticator, [_UNSIGNED, *rest])
    return plain[:_SIGNATURE_AT] + hmac.digest(secret, plain, "md5") + plain[_SIGNATURE_AT + 16 :]


def _packet(code: Code, identifier: int, authenticator: bytes, attributes: Sequence[Attribute]) -> bytes:
    body = b"".join(bytes((kind, len(value) + 2)) + value for kind, value in attributes)
    return bytes((code, identifier)) + (HEADER_BYTES + len(body)).to_bytes(2, "big") + authenticator + body


def pap(password: bytes, authenticator: bytes, secret: bytes) -> list[Attribute]:
    """A password of at most 128 octets as User-Password (RFC 2865 section 5.2)."""
    padded = password.ljust(-len(password) % 16 + len(password), b"\0")
    hidden, previous = b"", authenticator
    for at in range(0, len(padded), 16):
        mask = _md5(secret + previous)
        previous = bytes(a ^ b for a, b in zip(padded[at : at + 16], mask, strict=True))
        hidden += previous
    return [(Attr.USER_PASSWORD, hidden)]


def chap(password: bytes, chap_id: int, challenge: bytes) -> list[Attribute]:
    """CHAP-Password and the challenge it answers (RFC 2865 sections 5.3 and 5.40)."""
    response = _md5(bytes((chap_id,)) + password + challenge)
    return [(Attr.CHAP_PASSWORD, bytes((chap_id,)) + response), (Attr.CHAP_CHALLENGE, challenge)]


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


# Replies ----------------------------------------------------------------------------------------------


def verified(datagram: bytes, request: bytes, secret: bytes) -> Packet:
    """The reply to `request`. WireError unless its identifier, code and authenticators are right."""
    packet = wire.parse(datagram)
    if packet.identifier != request[1] or packet.code not in _ANSWERS.get(Code(request[0]), _ANY):
        raise WireError("not_an_answer")
    digest = _md5(packet.raw[:4] + request[4:HEADER_BYTES] + packet.raw[HEADER_BYTES:] + secret)
    if not hmac.compare_digest(digest, packet.authenticator):
        raise WireError("bad_authenticator")
    if packet.signature_at and not _signature_ok(packet, request, secret):
        raise WireError("bad_message_authenticator")
    return packet


_ANY = tuple(code for codes in _ANSWERS.values() for code in codes)


def _signature_ok(packet: Packet, request: bytes, secret: bytes) -> bool:
    """RFC 3579 section 3.2: over the reply with the request's authenticator and the signature's place zeroed."""
    at, raw = packet.signature_at, packet.raw
    signed = raw[:4] + request[4:HEADER_BYTES] + raw[HEADER_BYTES:at] + _ZEROS + raw[at + 16 :]
    return at > 0 and hmac.compare_digest(hmac.digest(secret, signed, "md5"), raw[at : at + 16])


def signed_first(packet: Packet) -> bool:
    """Whether the reply's first octets after the header are its Message-Authenticator (CVE-2024-3596)."""
    return packet.signature_at == _SIGNATURE_AT


# Asking -----------------------------------------------------------------------------------------------


class Client:
    """One socket from a fixed source address to one server port. A reply that does not verify never happened."""

    def __init__(self, source: str, server: tuple[str, int], secret: bytes) -> None:
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._secret = secret
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.bind((source, 0))
            self._socket.connect(server)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes, waits: Sequence[float] = WAITS_SECONDS) -> Answer:
        """The verified reply; the same octets go out once for each of `waits`, in seconds.

        TimeoutError where nothing came, ConnectionRefusedError where nothing listens on the port, WireError where
        nothing of what came was a true answer.
        """
        begun = time.monotonic()
        wrong: WireError | None = None
        for attempt, wait in enumerate(waits, start=1):
            self._socket.send(request)
            try:
                packet = self._receive(request, time.monotonic() + wait)
            except TimeoutError:
                continue
            except WireError as error:
                wrong = error
                continue
            return Answer(packet, time.monotonic() - begun, attempt)
        raise wrong or TimeoutError("no RADIUS reply")

    def _receive(self, request: bytes, until: float) -> Packet:
        """The first true answer until then, else the fault of the last wrong one, else TimeoutError."""
        wrong: WireError | None = None
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                return verified(self._socket.recv(PACKET_BYTES_MAX + 1), request, self._secret)
            except TimeoutError:
                break
            except WireError as error:
                wrong = error
        raise wrong or TimeoutError
