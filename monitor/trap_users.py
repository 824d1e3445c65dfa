"""Notifications over SNMPv3, through pysnmp: who sent them is proven, what they say is opened, informs are answered.

A trap is sealed for its sender's engine, an inform for ours (RFC 3414 section 1.5.1). An engine of pysnmp a credential
keeps both. The id of a sender's engine is learnt from its first message: only addresses of known access points come
this far, and only the right password opens anything.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from monitor.notifications import Notification, notification
from monitor.snmp import add_user, plain
from store.fleet import SnmpCredential

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # see monitor.snmp
    from pysnmp.carrier.base import AbstractTransportDispatcher
    from pysnmp.entity import config
    from pysnmp.entity.engine import SnmpEngine
    from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver
    from pysnmp.proto import errind

CREDENTIALS_MAX = 64
"""Credentials with an engine at a time (some MB each); the one that came first goes first."""

ENGINE_IDS_MAX = 4_096
"""Sender's engines an engine of ours knows. Then it is made anew: the senders' next messages teach it again."""

FAILURES_MAX = 10_000
"""pysnmp 7.1.30 keeps something of each message that it could not open: after so many its engine is made anew."""

ENGINE_ID_OCTETS = range(5, 33)
"""RFC 3411 section 5 (SnmpEngineID)."""

AUTH_PRIV = 3
_SECURITY_LEVEL = 3
"""Its place among the arguments of `process_pdu` after the engine."""

Send = Callable[[bytes, Any], None]


class Step(StrEnum):
    """What an SNMPv3 message was, where it was no notification."""

    HANDSHAKE = "handshake"
    """It asks for our engine's id or time, or ours are not its own: an inform's first steps."""

    REFUSED = "refused"


class TrapUsers:
    """One city's. `send` sends octets to where a datagram came from."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._engines: dict[SnmpCredential, _Engine] = {}

    def open(
        self, datagram: bytes, source: Any, credential: SnmpCredential, engine_id: bytes, *, now: float
    ) -> Notification | Step:
        """What the datagram says to who has the credential. `now` in seconds of any clock that does not go back."""
        engine = self._engines.get(credential)
        if engine is None or engine.is_worn:
            self._engines.pop(credential, None)
            if len(self._engines) >= CREDENTIALS_MAX:
                del self._engines[next(iter(self._engines))]
            engine = self._engines[credential] = _Engine(credential, self._send)
        return engine.open(datagram, source, engine_id, now)


class _Wire(AbstractTransportDispatcher):  # type: ignore[misc]
    """pysnmp's idea of a transport, reduced to handing octets to our socket."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send

    def send_message(self, outgoingMessage: Any, transportDomain: Any, transportAddress: Any) -> None:  # noqa: N803
        self._send(bytes(outgoingMessage), tuple(transportAddress))


class _Receiver(NotificationReceiver):  # type: ignore[misc]
    """Hears only what is authenticated and encrypted: pysnmp lets a user's name alone in (RFC 3413 has no say)."""

    def process_pdu(self, engine: Any, *arguments: Any) -> None:
        if int(arguments[_SECURITY_LEVEL]) == AUTH_PRIV:
            super().process_pdu(engine, *arguments)


class _Engine:
    def __init__(self, credential: SnmpCredential, send: Send) -> None:
        self._credential = credential
        self._engine = SnmpEngine()
        self._wire = _Wire(send)
        self._engine.register_transport_dispatcher(self._wire)
        add_user(self._engine, credential)
        _Receiver(self._engine, self._take)
        self._engine.observer.register_observer(self._note_failure, "rfc3412.prepareDataElements:sm-failure")
        self._known: set[bytes] = {bytes(self._engine.snmpEngineID)}
        self._failures = 0
        self._outcome: Notification | Step = Step.REFUSED

    @property
    def is_worn(self) -> bool:
        return len(self._known) > ENGINE_IDS_MAX or self._failures > FAILURES_MAX

    def open(self, datagram: bytes, source: Any, engine_id: bytes, now: float) -> Notification | Step:
        self._outcome = Step.REFUSED
        try:
            if engine_id not in self._known and len(engine_id) in ENGINE_ID_OCTETS:
                self._known.add(engine_id)
                add_user(self._engine, self._credential, engine_id)
            self._wire.handle_timer_tick(now)
            self._engine.message_dispatcher.receive_message(self._engine, config.SNMP_UDP_DOMAIN, source, datagram)
        except Exception:  # crooked octets: pysnmp and pyasn1 raise whatever their data structures raise
            self._outcome = Step.REFUSED
        if isinstance(self._outcome, Step):
            self._failures += 1
        return self._outcome

    def _take(self, _engine: Any, _reference: Any, _context: Any, _name: Any, varbinds: Any, _ours: Any) -> None:
        said = notification(plain(varbinds))
        if said is not None:
            self._outcome = said

    def _note_failure(self, _engine: Any, _point: str, variables: dict[str, Any], _ours: Any) -> None:
        indication = variables["statusInformation"].get("errorIndication")
        if isinstance(indication, errind.UnknownEngineID | errind.NotInTimeWindow):
            self._outcome = Step.HANDSHAKE
