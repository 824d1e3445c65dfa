"""A small access point over SNMPv2c that answers soundly until it is told to lie: a UDP agent for hostile scenes."""

from __future__ import annotations

import bisect
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from monitor.oids import Oid
from tests.monitor.conftest import V2C

_STOP = b"stop"
UBIQUITI: Oid = (1, 3, 6, 1, 4, 1, 41112)
RADIO: Oid = (*UBIQUITI, 1, 6, 1, 1, 1)
VAP: Oid = (*UBIQUITI, 1, 6, 1, 2, 1)
IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
RECEIVED: Oid = (*VAP, 10, 1)
"""unifiVapRxBytes of the one network."""

UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)


def access_point() -> dict[Oid, Any]:
    """A UniFi access point with one radio, one network and two interfaces."""
    system: Oid = (1, 3, 6, 1, 2, 1, 1)
    rows: dict[Oid, Any] = {
        (*system, 1, 0): v2c.OctetString(b"UAP-nanoHD 5.43.36"),
        (*system, 2, 0): v2c.ObjectIdentifier((*UBIQUITI, 1, 4)),
        UPTIME: v2c.TimeTicks(100_000),
        (*system, 5, 0): v2c.OctetString(b"rathaus-1"),
        (*RADIO, 2, 1): v2c.OctetString(b"ra0"),
        (*RADIO, 3, 1): v2c.OctetString(b"ng"),
        (*RADIO, 6, 1): v2c.Integer32(20),
    }
    network = {4: 6, 8: 3, 21: 20, 22: 1}
    rows |= {(*VAP, column, 1): v2c.Integer32(value) for column, value in network.items()}
    rows |= {(*VAP, column, 1): v2c.OctetString(text) for column, text in ((6, b"Freifunk"), (7, b"ath0"), (9, b"ng"))}
    rows |= {(*VAP, column, 1): v2c.Counter32(1_000) for column in (10, 16)}
    for number, name in enumerate((b"eth0", b"eth1"), 1):
        rows |= {(1, 3, 6, 1, 2, 1, 2, 2, 1, 8, number): v2c.Integer32(1), (*IF_NAME, number): v2c.OctetString(name)}
    return rows


class Question:
    """A request as the agent reads it."""

    def __init__(self, octets: bytes) -> None:
        self.message, _ = decoder.decode(octets, asn1Spec=v2c.Message())
        self.pdu = v2c.apiMessage.get_pdu(self.message)
        self.number = int(v2c.apiPDU.get_request_id(self.pdu))
        self.oids: list[Oid] = [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(self.pdu)]
        self.is_bulk = self.pdu.tagSet == v2c.GetBulkRequestPDU.tagSet
        self.repetitions = int(v2c.apiBulkPDU.get_max_repetitions(self.pdu)) if self.is_bulk else 0

    def reply(self, varbinds: list[tuple[Oid, Any]], number: int | None = None) -> bytes:
        pdu = v2c.ResponsePDU()
        v2c.apiPDU.set_defaults(pdu)
        v2c.apiPDU.set_request_id(pdu, self.number if number is None else number)
        v2c.apiPDU.set_varbinds(pdu, varbinds)
        message = v2c.Message()
        v2c.apiMessage.set_defaults(message)
        v2c.apiMessage.set_community(message, V2C.community)
        v2c.apiMessage.set_pdu(message, pdu)
        return bytes(encoder.encode(message))


class Liar:
    """`say` turns a question into what is sent; `mouth` is the socket that sends it. Both may be changed any time."""

    def __init__(self) -> None:
        self.rows = access_point()
        self.say: Callable[[Question], bytes | None] = self.truth
        self._ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)  # for hundreds of questions at once
        self._ear.bind(("127.0.0.1", 0))
        self.other_mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other_mouth.bind(("127.0.0.1", 0))
        self.mouth = self._ear
        self.port = int(self._ear.getsockname()[1])
        self.asked = 0
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Liar:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.other_mouth.sendto(_STOP, ("127.0.0.1", self.port))
        self._thread.join(10)
        self._ear.close()
        self.other_mouth.close()

    def answers(self, question: Question) -> Iterable[bytes]:
        """What is sent, one datagram after the other."""
        said = self.say(question)
        return [] if said is None else [said]

    def be_honest(self) -> None:
        self.mouth, self.say = self._ear, self.truth

    def lie(self, say: Callable[[Question], bytes | None]) -> None:
        self.mouth, self.say = self._ear, say

    def speak_elsewhere(self) -> None:
        """Tell the truth from another port."""
        self.mouth, self.say = self.other_mouth, self.truth

    def truth(self, question: Question) -> bytes:
        return question.reply(self.answer(question))

    def answer(self, question: Question) -> list[tuple[Oid, Any]]:
        rows = self._now()
        if not question.is_bulk:
            return [(oid, rows.get(oid, v2c.NoSuchInstance(""))) for oid in question.oids]
        found: list[tuple[Oid, Any]] = []
        order, cursor = sorted(rows), question.oids
        for _ in range(question.repetitions):
            line = []
            for oid in cursor:
                at = bisect.bisect_right(order, oid)
                line.append((order[at], rows[order[at]]) if at < len(order) else (oid, v2c.EndOfMibView("")))
            found += line
            cursor = [oid for oid, _ in line]
        return found

    def _now(self) -> dict[Oid, Any]:
        """The rows, with an uptime that rises."""
        ticks = int(self.rows[UPTIME]) + int((time.monotonic() - self._began) * 100)
        return self.rows | {UPTIME: v2c.TimeTicks(ticks)}

    def restart(self) -> None:
        """Its uptime begins anew."""
        self._began = time.monotonic()
        self.rows[UPTIME] = v2c.TimeTicks(0)

    def _run(self) -> None:
        while True:
            octets, source = self._ear.recvfrom(65_535)
            if octets == _STOP:
                return
            self.asked += 1
            try:
                question = Question(octets)
            except Exception:  # pyasn1's, for what is no SNMPv2c
                continue
            for said in self.answers(question):
                self.mouth.sendto(said, source)
