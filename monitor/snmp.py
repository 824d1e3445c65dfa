"""The door to the agents, and the general path through pysnmp: GET and GETBULK over SNMPv2c and v3 (SHA-256, AES-128).

What comes out are plain Python values. SNMPv2c takes the fast path (`monitor.community`) unless told otherwise.

A reply is hostile until checked here: size, source, request id, number of varbinds, types. Every failure is an
`SnmpError` with a `PollFailure`; no exception of pysnmp or pyasn1 leaves this module. No MIB is ever looked up.

Two ways in, because pysnmp 7.1 has two. SNMPv2c: our own datagram protocol with pysnmp's messages, a connected
socket a poll. The kernel then drops what comes from elsewhere, tells at once when nobody listens, and no shared
buffer overflows (pysnmp's own shared socket loses replies from about 80 polls in flight). SNMPv3: one pysnmp engine
a credential, so that discovered engines and localised keys are kept, with a large receive buffer on its socket.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

from hotspot.fleet import PollFailure
from monitor.community import Community
from monitor.oids import Counter32, Oid, Value, Varbind
from monitor.session import (
    DATAGRAM_BYTES_MAX,
    REPLY_VARBINDS_MAX,
    Engine,
    Session,
    SnmpError,
    Target,
    TooBigError,
    refusal,
)
from monitor.sockets import Sockets
from store.fleet import SnmpCredential

with warnings.catch_warnings():
    # Where pysmi is installed (snmpsim wants it), pysnmp 7.1.30 imports a name that pysmi calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
    from pyasn1.type.univ import Null  # type: ignore[import-untyped]
    from pysnmp.carrier.asyncio.dgram.udp import UdpAsyncioTransport
    from pysnmp.carrier.asyncio.dgram.udp6 import Udp6AsyncioTransport
    from pysnmp.carrier.asyncio.dispatch import AsyncioDispatcher
    from pysnmp.entity import config
    from pysnmp.entity.engine import SnmpEngine
    from pysnmp.entity.rfc3413.cmdgen import CommandGenerator
    from pysnmp.proto import errind, rfc1902, rfc1905
    from pysnmp.proto.api import v2c

log = logging.getLogger(__name__)

USERS_IN_FLIGHT_MAX = 80
"""Polls over SNMPv3 at a time: from about there on, pysnmp's shared socket loses replies while it decodes others."""

SNMP_V2C, SNMP_V3 = 1, 3

MASTER_KEYS_KEPT = 256
"""In memory, like the passwords that they are made of."""


class Client:
    """One city's SNMP side. Nothing of it is shared with another city."""

    def __init__(self, engine: Engine = Engine.FAST, sockets: Sockets | None = None) -> None:
        self._fast = engine is Engine.FAST
        self._sockets = sockets or Sockets()
        self._community = Community(self._sockets)
        self._engines: dict[SnmpCredential, _Engine] = {}

    @asynccontextmanager
    async def open(self, target: Target) -> AsyncIterator[Session]:
        """Questions to one agent; everything that belongs to this poll alone is closed at the end. SnmpError."""
        if self._fast and target.credential.version == "v2c":
            yield self._community.session(target)
            return
        sock = _connected(target)
        if target.credential.version == "v3":
            sock.close()  # it only told that a route exists
            yield _UserSession(self._engine(target.credential), target)
            return
        loop = asyncio.get_running_loop()
        transport, session = await loop.create_datagram_endpoint(lambda: _CommunitySession(target), sock=sock)
        try:
            yield session
        finally:
            transport.close()
            await asyncio.sleep(0)  # the transport closes its socket in the loop's next round

    def _engine(self, credential: SnmpCredential) -> _Engine:
        if credential not in self._engines:
            self._engines[credential] = _Engine(credential, self._sockets)
        return self._engines[credential]

    async def keep(self, credentials: set[SnmpCredential]) -> None:
        """Forget the engines of credentials that no access point uses any more."""
        for credential in self._engines.keys() - credentials:
            await self._engines.pop(credential).close()

    async def close(self) -> None:
        self._community.close()
        await self.keep(set())


def _connected(target: Target) -> socket.socket:
    try:
        version = ipaddress.ip_address(target.address).version
    except ValueError:
        raise SnmpError(PollFailure.UNREACHABLE, "the address is no IP address") from None
    sock = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.connect((target.address, target.port))
    except OSError as error:
        sock.close()
        raise SnmpError(PollFailure.UNREACHABLE, error.strerror or "no route") from None
    return sock


# Questions and answers, the same for both versions ---------------------------------------------------


def _get_pdu(oids: Sequence[Oid]) -> Any:
    pdu = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [(oid, Null("")) for oid in oids])
    return pdu


def _bulk_pdu(oids: Sequence[Oid], repetitions: int) -> Any:
    pdu = v2c.GetBulkRequestPDU()
    v2c.apiBulkPDU.set_defaults(pdu)
    v2c.apiBulkPDU.set_non_repeaters(pdu, 0)
    v2c.apiBulkPDU.set_max_repetitions(pdu, repetitions)
    v2c.apiBulkPDU.set_varbinds(pdu, [(oid, Null("")) for oid in oids])
    return pdu


_CONVERT: dict[Any, Callable[[Any], Value]] = {
    rfc1902.Integer32.tagSet: int,
    rfc1902.OctetString.tagSet: bytes,
    rfc1902.ObjectIdentifier.tagSet: tuple,
    rfc1902.IpAddress.tagSet: bytes,
    rfc1902.Counter32.tagSet: Counter32,
    rfc1902.Gauge32.tagSet: int,
    rfc1902.TimeTicks.tagSet: int,
    rfc1902.Opaque.tagSet: bytes,
    rfc1902.Counter64.tagSet: int,
    Null.tagSet: lambda _value: None,
    rfc1905.NoSuchObject.tagSet: lambda _value: None,
    rfc1905.NoSuchInstance.tagSet: lambda _value: None,
    rfc1905.EndOfMibView.tagSet: lambda _value: None,
}


def _varbinds(pdu: Any) -> list[Varbind]:
    """The answer's varbinds as plain values. SnmpError where the agent refuses or the answer is none of ours."""
    if pdu.tagSet != v2c.ResponsePDU.tagSet:
        raise SnmpError(PollFailure.MALFORMED, "not a response")
    status = int(v2c.apiPDU.get_error_status(pdu))
    if status:
        raise refusal(status)
    varbinds = v2c.apiPDU.get_varbinds(pdu)
    if len(varbinds) > REPLY_VARBINDS_MAX:
        raise SnmpError(PollFailure.MALFORMED, f"more than {REPLY_VARBINDS_MAX} varbinds")
    return plain(varbinds)


def plain(varbinds: Any) -> list[Varbind]:
    """pysnmp's names and values as ours. KeyError where a type has no place in SNMPv2."""
    return [(tuple(name), _CONVERT[value.tagSet](value)) for name, value in varbinds]


# SNMPv2c --------------------------------------------------------------------------------------------


class _CommunitySession(asyncio.DatagramProtocol):
    """One poll over SNMPv2c on its own connected socket."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._community = target.credential.community.encode()
        self._transport: asyncio.DatagramTransport
        self._request_id = 0
        self._answer: asyncio.Future[list[Varbind]] | None = None

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        return await self._ask(_get_pdu(oids))

    async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
        return await self._ask(_bulk_pdu(oids, repetitions))

    async def _ask(self, pdu: Any) -> list[Varbind]:
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, self._community)
        v2c.apiMessage.set_pdu(message, pdu)
        datagram = encoder.encode(message)
        self._request_id = int(v2c.apiPDU.get_request_id(pdu))
        self._answer = asyncio.get_running_loop().create_future()
        for _attempt in range(self._target.retries + 1):
            self._transport.sendto(datagram)
            done, _ = await asyncio.wait([self._answer], timeout=self._target.timeout_s)
            if done:
                return self._answer.result()
        raise SnmpError(PollFailure.TIMEOUT, "no answer")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        answer = self._answer
        if answer is None or answer.done():
            return
        try:
            varbinds = self._decode(data)
        except SnmpError as error:
            answer.set_exception(error)
        except Exception as error:  # pyasn1 0.6 raises whatever its data structures raise on crooked BER
            answer.set_exception(SnmpError(PollFailure.MALFORMED, f"undecodable ({type(error).__name__})"))
        else:
            if varbinds is not None:
                answer.set_result(varbinds)

    def _decode(self, data: bytes) -> list[Varbind] | None:
        """The answer to the open question; None where it is the late answer to another one."""
        if len(data) > DATAGRAM_BYTES_MAX:
            raise SnmpError(PollFailure.MALFORMED, f"longer than {DATAGRAM_BYTES_MAX} bytes")
        message, rest = decoder.decode(data, asn1Spec=v2c.Message())
        community = bytes(v2c.apiMessage.get_community(message))
        if rest or int(message[0]) != SNMP_V2C or community != self._community:
            raise SnmpError(PollFailure.MALFORMED, "another version or community than asked with")
        pdu = v2c.apiMessage.get_pdu(message)
        return _varbinds(pdu) if int(v2c.apiPDU.get_request_id(pdu)) == self._request_id else None

    def error_received(self, exc: Exception) -> None:
        """The kernel passed on an ICMP error: nobody listens there, or no way leads there."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(SnmpError(PollFailure.UNREACHABLE, getattr(exc, "strerror", "") or "ICMP"))


# SNMPv3 ---------------------------------------------------------------------------------------------

_REFUSED = (
    errind.UnknownUserName,
    errind.UnknownSecurityName,
    errind.WrongDigest,
    errind.AuthenticationFailure,
    errind.AuthenticationError,
    errind.UnsupportedSecurityLevel,
    errind.UnsupportedAuthProtocol,
    errind.UnsupportedPrivProtocol,
    errind.DecryptionError,
    errind.EncryptionError,
    errind.NotInTimeWindow,
    errind.NoEncryption,
    errind.NoAuthentication,
)
"""What an agent, or pysnmp for it, says when user or passwords are wrong (RFC 3414 section 3.2)."""


def _reason(indication: Any) -> SnmpError:
    if isinstance(indication, errind.RequestTimedOut):
        return SnmpError(PollFailure.TIMEOUT, "no answer")
    if isinstance(indication, errind.TooBig):
        return TooBigError(PollFailure.MALFORMED, "the answer would be too big")
    failure = PollFailure.AUTHENTICATION if isinstance(indication, _REFUSED) else PollFailure.MALFORMED
    return SnmpError(failure, str(indication))


@lru_cache(MASTER_KEYS_KEPT)
def _master_key(password: str) -> bytes:
    """RFC 3414 appendix A.2.1 with SHA-256 (RFC 7860): hashlib does in 1.4 ms what pysnmp does in 35 ms."""
    secret = password.encode()
    return sha256((secret * (1_048_576 // len(secret) + 1))[:1_048_576]).digest() if secret else b""


def add_user(engine: SnmpEngine, credential: SnmpCredential, engine_id: bytes | None = None) -> None:
    """Let a user in at an engine: at ours, or at the one whose id is given (RFC 3414 section 2.6)."""
    config.add_v3_user(
        engine,
        credential.user,
        config.USM_AUTH_HMAC192_SHA256,
        _master_key(credential.auth_password),
        config.USM_PRIV_CFB128_AES,
        _master_key(credential.priv_password),
        securityEngineId=None if engine_id is None else v2c.OctetString(engine_id),
        authKeyType=config.USM_KEY_TYPE_MASTER,
        privKeyType=config.USM_KEY_TYPE_MASTER,
    )


class _Guard:
    """What both transports add: no oversized datagram and no exception reaches the loop."""

    def datagram_received(self, datagram: bytes, transportAddress: Any) -> None:  # noqa: N803
        callback = getattr(self, "_callback_function", None)
        if callback is None or len(datagram) > DATAGRAM_BYTES_MAX:
            return
        try:
            callback(self, transportAddress, datagram)
        except Exception as error:  # unauthenticated bytes: dropped, so the question times out
            log.debug("undecodable SNMPv3 datagram (%s)", type(error).__name__)


class _Udp(_Guard, UdpAsyncioTransport):  # type: ignore[misc]
    """IPv4."""


class _Udp6(_Guard, Udp6AsyncioTransport):  # type: ignore[misc]
    """IPv6."""


_FAMILIES = {
    4: (socket.AF_INET, config.SNMP_UDP_DOMAIN, _Udp),
    6: (socket.AF_INET6, config.SNMP_UDP6_DOMAIN, _Udp6),
}


class _Peers(dict[Any, Any]):
    """Agents' engine ids by (domain, address), in pysnmp's place.

    pysnmp 7.1.30 asks for the id of a peer anew only 300 s after it learnt it. An agent that was replaced meanwhile
    says "unknown engine" to every question, which pysnmp takes for no answer.
    """

    def __delitem__(self, peer: Any) -> None:
        """pysnmp deletes what has expired; that may be forgotten already."""
        self.pop(peer, None)

    def forget(self, address: str, port: int) -> None:
        for peer in [peer for peer in self if tuple(peer[1][:2]) == (address, port)]:
            del self[peer]


class _Engine:
    """One user at however many agents: keeps their engine ids, boots, times and localised keys (RFC 3414)."""

    def __init__(self, credential: SnmpCredential, sockets: Sockets) -> None:
        self._sockets = sockets
        self._bound: list[socket.socket] = []
        self._engine = SnmpEngine()
        self._engine.register_transport_dispatcher(AsyncioDispatcher())
        self._generator = CommandGenerator()
        self._opening: dict[int, asyncio.Task[Any]] = {}
        self._names: dict[Target, str] = {}
        self._peers = _Peers()
        model = self._engine.message_processing_subsystems[SNMP_V3]
        model._SnmpV3MessageProcessingModel__engineIdCache = self._peers
        add_user(self._engine, credential)
        config.add_target_parameters(self._engine, "user", credential.user, "authPriv")

    async def ask(self, target: Target, pdu: Any) -> list[Varbind]:
        """Send and wait. SnmpError."""
        answer: asyncio.Future[list[Varbind]] = asyncio.get_running_loop().create_future()
        try:
            name = await self._name(target)
            self._generator.send_pdu(self._engine, name, None, b"", pdu, _settle, answer)
        except Exception as error:  # pysnmp raises its StatusInformation and more from here
            indication = error.get("errorIndication") if hasattr(error, "get") else type(error).__name__
            raise _reason(indication) from None
        try:
            return await answer
        except BaseException:  # also a poll whose deadline is over
            self._peers.forget(target.address, target.port)
            raise

    async def _name(self, target: Target) -> str:
        if target not in self._names:
            version = ipaddress.ip_address(target.address).version
            await self._listen(version)
            name = f"a{len(self._names)}"
            config.add_target_address(
                self._engine,
                name,
                _FAMILIES[version][1],
                (target.address, target.port),
                "user",
                target.timeout_s * 100,
                target.retries,
            )
            self._names[target] = name
        return self._names[target]

    async def _listen(self, version: int) -> None:
        """Open the socket of an IP version once. Shielded: the poll that asked first may run into its deadline."""
        opening = self._opening.get(version)
        if opening is None or (opening.done() and opening.exception() is not None):
            opening = self._opening[version] = asyncio.create_task(self._open(version))
        await asyncio.shield(opening)

    async def _open(self, version: int) -> None:
        family, domain, kind = _FAMILIES[version]
        sock = self._sockets.open(family)
        self._bound.append(sock)
        transport: Any = kind()
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: transport, sock=sock)
        config.add_transport(self._engine, domain, transport)

    async def close(self) -> None:
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        self._engine.close_dispatcher()
        for sock in self._bound:
            self._sockets.close(sock)
        await asyncio.sleep(0)  # the transports close their sockets in the loop's next round


def _settle(_engine: Any, _handle: Any, indication: Any, pdu: Any, answer: asyncio.Future[list[Varbind]]) -> None:
    if answer.done():
        return
    try:
        if indication is not None:
            raise _reason(indication)
        answer.set_result(_varbinds(pdu))
    except SnmpError as error:
        answer.set_exception(error)
    except Exception as error:  # see _CommunitySession.datagram_received
        answer.set_exception(SnmpError(PollFailure.MALFORMED, f"undecodable ({type(error).__name__})"))


class _UserSession:
    """One poll over SNMPv3 through the user's engine."""

    def __init__(self, engine: _Engine, target: Target) -> None:
        self._engine = engine
        self._target = target

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        return await self._engine.ask(self._target, _get_pdu(oids))

    async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
        return await self._engine.ask(self._target, _bulk_pdu(oids, repetitions))
