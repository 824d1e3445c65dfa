"""Access points as real SNMP agents: v2c, or v3 authPriv with SHA-256 (RFC 7860) and AES-128 (RFC 3826).

The only file of the simulator that imports pysnmp (7.1.30). v2c messages go through its codec alone, v3 through its
engine, because there the security is the point; pysnmp's own transports and MIB tables are not used, since they cost
more than the answers. GET, GETNEXT and GETBULK only; anything else, and a wrong community, meets silence.
"""

from __future__ import annotations

import asyncio
import bisect
import hashlib
import logging
import socket
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from simulator.life import Population
from simulator.town import TownAccessPoint
from simulator.unifi import Kind, Oid, Row, rows

with warnings.catch_warnings():
    # Where pysmi is installed, pysnmp 7.1.30 imports a name that pysmi calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyasn1.codec.ber import decoder, encoder  # type: ignore[import-untyped]
    from pysnmp.carrier.base import AbstractTransportDispatcher
    from pysnmp.entity import config
    from pysnmp.entity.engine import SnmpEngine
    from pysnmp.entity.rfc3413 import cmdrsp, context
    from pysnmp.proto import rfc1902, rfc1905
    from pysnmp.proto.api import v2c
    from pysnmp.smi import error as smi_error

TABLE_SECONDS = 1.0
"""A table is recomputed when it is asked for and older than this: within one walk values belong together."""

VARBINDS_MAX = 100
"""Varbinds of one GETBULK answer; a manager that wants more asks again (RFC 3416 section 4.2.3)."""

DATAGRAM_MAX = 8192
VERSION_2C = 1
AUTH_PRIV = 3
UDP_DOMAIN = (1, 3, 6, 1, 6, 1, 1)
BOOTS_SINCE = 1_700_000_000
"""snmpEngineBoots counts tens of seconds since then: it rises with every start without a file to remember it."""

log = logging.getLogger("simulator.agents")

_MAKE: dict[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: rfc1902.Integer32,
    Kind.OCTETS: rfc1902.OctetString,
    Kind.OID: rfc1902.ObjectName,
    Kind.ADDRESS: lambda octets: rfc1902.IpAddress(".".join(map(str, octets))),
    Kind.COUNTER32: rfc1902.Counter32,
    Kind.COUNTER64: rfc1902.Counter64,
    Kind.GAUGE: rfc1902.Gauge32,
    Kind.TICKS: rfc1902.TimeTicks,
}

VarBind = tuple[Any, Any]
GET, NEXT, BULK = (
    each.tagSet for each in (rfc1905.GetRequestPDU, rfc1905.GetNextRequestPDU, rfc1905.GetBulkRequestPDU)
)


class Table:
    """Rows in the order of their OIDs, and the three ways of asking (RFC 3416 sections 4.2.1 to 4.2.3)."""

    def __init__(self, sorted_rows: Sequence[Row]) -> None:
        self._oids = [row[0] for row in sorted_rows]
        self._rows = sorted_rows

    def get(self, oid: Oid) -> VarBind:
        at = bisect.bisect_left(self._oids, oid)
        if at < len(self._oids) and self._oids[at] == oid:
            return self._varbind(at)
        return rfc1902.ObjectName(oid), rfc1905.noSuchInstance

    def next(self, oid: Oid) -> VarBind:
        at = bisect.bisect_right(self._oids, oid)
        if at < len(self._oids):
            return self._varbind(at)
        return rfc1902.ObjectName(oid), rfc1905.endOfMibView

    def bulk(self, oids: Sequence[Oid], non_repeaters: int, repetitions: int) -> list[VarBind]:
        found = [self.next(oid) for oid in oids[:non_repeaters]]
        cursor = list(oids[non_repeaters:])
        for _ in range(repetitions if cursor else 0):
            if len(found) + len(cursor) > VARBINDS_MAX:
                break
            line = [self.next(oid) for oid in cursor]
            found += line
            if all(value is rfc1905.endOfMibView for _, value in line):
                break
            cursor = [tuple(name) for name, _ in line]
        return found

    def _varbind(self, at: int) -> VarBind:
        oid, kind, value = self._rows[at]
        return rfc1902.ObjectName(oid), _MAKE[kind](value)

    def answer(self, pdu: Any) -> list[VarBind] | None:
        """The varbinds that answer a request PDU; None where it is no request for reading."""
        oids = [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(pdu)][:VARBINDS_MAX]
        if pdu.tagSet == GET:
            return [self.get(oid) for oid in oids]
        if pdu.tagSet == NEXT:
            return [self.next(oid) for oid in oids]
        if pdu.tagSet == BULK:
            once = min(max(0, int(v2c.apiBulkPDU.get_non_repeaters(pdu))), len(oids))
            return self.bulk(oids, once, max(0, int(v2c.apiBulkPDU.get_max_repetitions(pdu))))
        return None


class Agent(asyncio.DatagramProtocol):
    """The agent of one access point. `clock` gives seconds since the epoch."""

    def __init__(
        self, point: TownAccessPoint, population: Population, number: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.point = point
        self._population, self._number, self._clock = population, number, clock
        self._computed_at = float("-inf")
        self._table = Table(())
        self._silent = False
        self._transport: asyncio.DatagramTransport | None = None
        self._engine: _Engine | None = None
        self.answered = 0

    async def start(self) -> None:
        """Bind; OSError where that does not work."""
        if self.point.version == "v3":
            self._engine = _Engine(self.point, self._send, self.table, boots=int(self._clock() - BOOTS_SINCE) // 10)
        here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            here.bind((self.point.address, self.point.port))
        except OSError:
            here.close()
            raise
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=here)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            await asyncio.sleep(0)

    @property
    def silent(self) -> bool:
        """Whether the access point answers nobody right now."""
        self._look()
        return self._silent

    def table(self) -> Table:
        """The current table."""
        self._look()
        return self._table

    def _look(self) -> None:
        now = self._clock()
        if not 0 <= now - self._computed_at < TABLE_SECONDS:
            life = self._population.point(self._number, now)
            self._silent, self._computed_at = not life.answers, now
            self._table = Table(rows(self.point, life))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.silent or len(data) > DATAGRAM_MAX:
            return
        try:
            if self._engine is not None:
                self._engine.receive(data, addr)
            else:
                self._receive_v2c(data, addr)
        except Exception as error:  # pyasn1 raises whatever its data structures raise on crooked BER
            log.debug("%s: not an SNMP message: %s", self.point.name, type(error).__name__)

    def _send(self, octets: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self.answered += 1
            self._transport.sendto(octets, addr)

    def _receive_v2c(self, data: bytes, addr: tuple[str, int]) -> None:
        message, _ = decoder.decode(data, asn1Spec=v2c.Message())
        community = bytes(v2c.apiMessage.get_community(message))
        if int(v2c.apiMessage.get_version(message)) != VERSION_2C or community != self.point.community.encode():
            return
        varbinds = self._table.answer(v2c.apiMessage.get_pdu(message))
        if varbinds is None:
            return
        reply = v2c.apiMessage.get_response(message)
        v2c.apiPDU.set_varbinds(v2c.apiMessage.get_pdu(reply), varbinds)
        self._send(encoder.encode(reply), addr)


Send = Callable[[bytes, tuple[str, int]], None]


class _Wire(AbstractTransportDispatcher):  # type: ignore[misc]
    """pysnmp's idea of a transport, reduced to handing octets to our socket."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def send_message(self, octets: Any, domain: Any, addr: Any) -> None:
        self._send(bytes(octets), tuple(addr))


class _Engine:
    """An SNMPv3 engine with one user."""

    def __init__(self, point: TownAccessPoint, send: Send, table: Callable[[], Table], *, boots: int) -> None:
        self._engine = SnmpEngine()
        self._name_engine(point, boots)
        self._wire = _Wire(send)
        self._engine.register_transport_dispatcher(self._wire)
        config.add_v3_user(
            self._engine,
            point.user,
            config.USM_AUTH_HMAC192_SHA256,
            point.auth_password,
            config.USM_PRIV_CFB128_AES,
            point.priv_password,
        )
        self._responder = _Responder(self._engine, context.SnmpContext(self._engine), table)

    def _name_engine(self, point: TownAccessPoint, boots: int) -> None:
        """A stable engine id and rising boots. Given to the constructor they would leave files in the temp folder."""
        builder = self._engine.get_mib_builder()
        ours, count = builder.import_symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots")
        digest = hashlib.blake2b(f"{point.name}/{point.address}/{point.port}".encode(), digest_size=8).digest()
        ours.syntax = ours.syntax.clone(b"\x80\x00\xa0\x98\x05" + digest)  # Ubiquiti 41112, octets
        self._engine.snmpEngineID = ours.syntax
        count.syntax = count.syntax.clone(max(1, boots))

    def receive(self, data: bytes, addr: tuple[str, int]) -> None:
        self._wire.handle_timer_tick(time.monotonic())
        self._engine.message_dispatcher.receive_message(self._engine, UDP_DOMAIN, addr, data)


class _Responder(cmdrsp.CommandResponderBase):  # type: ignore[misc]
    """Answers the three read requests from our table, to a user who authenticated and encrypted."""

    SUPPORTED_PDU_TYPES = (GET, NEXT, BULK)

    def __init__(self, engine: SnmpEngine, about: context.SnmpContext, table: Callable[[], Table]) -> None:
        super().__init__(engine, about)
        self._table = table

    def handle_management_operation(self, engine: Any, reference: Any, context_name: Any, pdu: Any) -> None:
        asked = engine.observer.get_execution_context("rfc3412.receiveMessage:request")
        if int(asked["securityLevel"]) != AUTH_PRIV:
            raise smi_error.AuthorizationError(name=(), idx=0)
        self.send_varbinds(engine, reference, 0, 0, self._table().answer(pdu))
        self.release_state_information(reference)
