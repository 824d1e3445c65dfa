"""The fast path: SNMPv2c with our own BER on two sockets a city, one for IPv4 and one for IPv6, shared by all polls.

An answer is taken only where its request id, the address it comes from, its version and its community are those of an
open question; ids are random, of 30 bits, so that nobody who does not see the question can answer it. What else comes
in is ignored and counted. ICMP errors come by the sockets' error queues, so that "nobody listens there" is told from
silence. One sweep over the open questions serves all their time-outs: no task, no timer and no socket a poll (a
connected socket a poll would cost 25 µs, its asyncio transport 44 µs, beside some 60 for the whole answer).
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hotspot.fleet import PollFailure
from monitor import ber
from monitor.oids import Oid, Varbind
from monitor.session import DATAGRAM_BYTES_MAX, REPLY_VARBINDS_MAX, SnmpError, Target, refusal
from monitor.sockets import Ignored, Sockets, canonical

SWEEP_S = 0.05
"""How late a time-out may be."""

READS_MAX = 64
"""Datagrams read in one turn of the loop, so that a flood cannot keep everything else waiting."""

SENDS_MAX = 4
"""A send may report another agent's ICMP error instead of sending: it is tried so often."""

PLACES_KEPT = 65_536

_RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR of Linux's <linux/in.h>, ip(7); Python 3.11 has no names for them."""

_ERROR_OCTETS_MAX = 512
_ERROR = struct.Struct("=I")  # the first field of struct sock_extended_err, ip(7)

_UNREACHABLE = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM}
"""What ends a question at once; the kernel's hints about packet sizes do not."""


class Place(NamedTuple):
    """Where an agent listens, as the kernel writes it when an answer comes from there."""

    family: socket.AddressFamily
    address: str
    port: int


@lru_cache(PLACES_KEPT)
def _place(address: str, port: int) -> Place:
    """SnmpError where there is no such address."""
    ip = canonical(address)
    if not ip:
        raise SnmpError(PollFailure.UNREACHABLE, "the address is no IP address")
    return Place(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip, port)


@dataclass(slots=True, eq=False)
class _Question:
    """An open question: what was sent where, until when, and how often it may be sent again."""

    place: Place
    community: bytes
    datagram: bytes
    answer: asyncio.Future[list[Varbind]]
    timeout_s: float
    until: float
    retries: int

    def fail(self, error: SnmpError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Community:
    """One city's questions over SNMPv2c. Belongs to the loop it was first used on."""

    def __init__(self, sockets: Sockets, random_octets: Callable[[int], bytes] = os.urandom) -> None:
        self._sockets = sockets
        self._random_octets = random_octets
        self._doors: dict[socket.AddressFamily, socket.socket] = {}
        self._open: dict[int, _Question] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def session(self, target: Target) -> _Session:
        """SnmpError where the target is no address that a socket could reach."""
        place = _place(target.address, target.port)
        self._socket(place.family)
        return _Session(self, target, place)

    async def ask(
        self, target: Target, place: Place, kind: int, oids: Sequence[Oid], repetitions: int
    ) -> list[Varbind]:
        """Send, again where nothing comes, and wait. SnmpError."""
        loop = asyncio.get_running_loop()
        number = self._number()
        community = target.credential.community.encode()
        datagram = ber.request(kind, community, oids, number, repetitions)
        until = loop.time() + target.timeout_s
        question = _Question(place, community, datagram, loop.create_future(), target.timeout_s, until, target.retries)
        self._open[number] = question
        if self._sweeping is None:
            self._sweeping = loop.call_later(SWEEP_S, self._sweep)
        try:
            self._send(question)
            return await question.answer
        finally:
            self._open.pop(number, None)

    def close(self) -> None:
        """No question may be open any more."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for sock in self._doors.values():
            asyncio.get_running_loop().remove_reader(sock)
            self._sockets.close(sock)
        self._doors.clear()

    def _number(self) -> int:
        """A request id that is free and that nobody can guess."""
        while True:
            number = int.from_bytes(self._random_octets(4), "big") & ber.REQUEST_ID_MAX | ber.REQUEST_ID_MIN
            if number not in self._open:
                return number

    def _socket(self, family: socket.AddressFamily) -> socket.socket:
        opened = self._doors.get(family)
        if opened is None:
            try:
                opened = self._sockets.open(family)
            except OSError as error:
                raise _unreachable(error) from None
            opened.setsockopt(*_RECVERR[family], 1)
            asyncio.get_running_loop().add_reader(opened, self._readable, opened)
            self._doors[family] = opened
        return opened

    # Out ---------------------------------------------------------------------------------------------

    def _send(self, question: _Question) -> None:
        place = question.place
        sock = self._socket(place.family)
        failed: OSError | None = None
        for _attempt in range(SENDS_MAX):
            try:
                sock.sendto(question.datagram, (place.address, place.port))
                return
            except BlockingIOError:
                return  # no room in the send buffer: as good as lost on the way
            except OSError as error:
                failed = error
                self._errors(sock)
        if failed is not None:
            question.fail(_unreachable(failed))

    def _sweep(self) -> None:
        """What has waited long enough is sent again or fails."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for question in list(self._open.values()):
            if question.until > now or question.answer.done():
                continue
            if question.retries:
                question.retries -= 1
                question.until = now + question.timeout_s
                self._send(question)
            else:
                question.fail(SnmpError(PollFailure.TIMEOUT, "no answer"))
        self._sweeping = loop.call_later(SWEEP_S, self._sweep) if self._open else None

    # In ----------------------------------------------------------------------------------------------

    def _readable(self, sock: socket.socket) -> None:
        for _datagram in range(min(READS_MAX, len(self._open)) or 1):
            try:
                data, source = sock.recvfrom(DATAGRAM_BYTES_MAX + 1)
            except BlockingIOError:
                return
            except OSError:
                self._errors(sock)
            else:
                self._receive(data, source)

    def _receive(self, data: bytes, source: tuple[str, int]) -> None:
        try:
            if len(data) > DATAGRAM_BYTES_MAX:
                raise ber.BerError(f"longer than {DATAGRAM_BYTES_MAX} bytes")
            message = ber.message(data)
        except ber.BerError as error:
            self._crooked(source, str(error))
            return
        question = self._open.get(message.request_id)
        if question is None:
            self._sockets.ignore(Ignored.UNASKED)
        elif question.place[1:] != source[:2]:
            self._sockets.ignore(Ignored.WRONG_SOURCE)
        elif not question.answer.done():
            try:
                question.answer.set_result(_answer(data, message, question.community))
            except SnmpError as error:
                question.fail(error)

    def _crooked(self, source: tuple[str, int], why: str) -> None:
        """What cannot be read answers whatever was asked of whom it comes from; nothing else can."""
        asked = [question for question in self._open.values() if question.place[1:] == source[:2]]
        for question in asked:
            question.fail(SnmpError(PollFailure.MALFORMED, why))
        if not asked:
            self._sockets.ignore(Ignored.CROOKED)

    def _errors(self, sock: socket.socket) -> None:
        """The kernel passed on ICMP errors: nobody listens there, or no way leads there."""
        for _error in range(READS_MAX):
            try:
                _, ancillary, _, where = sock.recvmsg(0, _ERROR_OCTETS_MAX, socket.MSG_ERRQUEUE)
            except OSError:  # the queue is empty
                return
            number = _ERROR.unpack_from(ancillary[0][2])[0] if ancillary else 0
            if number in _UNREACHABLE:
                for question in self._open.values():
                    if question.place[1:] == where[:2]:
                        question.fail(_unreachable(OSError(number, os.strerror(number))))


class _Session:
    """Questions to one agent (`monitor.session.Session`)."""

    def __init__(self, community: Community, target: Target, place: Place) -> None:
        self._community = community
        self._target = target
        self._place = place

    async def get(self, oids: Sequence[Oid]) -> list[Varbind]:
        return await self._community.ask(self._target, self._place, ber.GET, oids, 0)

    async def bulk(self, oids: Sequence[Oid], repetitions: int) -> list[Varbind]:
        return await self._community.ask(self._target, self._place, ber.GET_BULK, oids, repetitions)


def _answer(data: bytes, message: ber.Message, community: bytes) -> list[Varbind]:
    """What an agent says to a question of ours. SnmpError where it refuses or says something else."""
    if message.kind != ber.RESPONSE or message.community != community:
        raise SnmpError(PollFailure.MALFORMED, "no response, or another community than asked with")
    if message.status:
        raise refusal(message.status)
    try:
        return ber.varbinds(data, message.start, message.end, REPLY_VARBINDS_MAX)
    except ber.BerError as error:
        raise SnmpError(PollFailure.MALFORMED, str(error)) from None


def _unreachable(error: OSError) -> SnmpError:
    return SnmpError(PollFailure.UNREACHABLE, error.strerror or "no route")
