"""Stand-ins for the other side of the simulator's wires, written from the RFCs with nothing but hashlib and asyncio:
a RADIUS server, a portal with a real form, and a town on free ports."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from simulator import uam
from simulator.town import Town, TownAccessPoint, TownCity, TownNas

SECRET = "a-secret-of-20-chars"
UAM_SECRET = "uamsecret1"
NAS_ADDRESS = "127.0.0.1"
_numbers = count(1)

Attributes = dict[int, list[bytes]]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, address: str = NAS_ADDRESS) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def attribute(number: int, value: bytes) -> bytes:
    return bytes((number, len(value) + 2)) + value


def vendor(vendor_id: int, number: int, value: bytes) -> bytes:
    return attribute(26, struct.pack("!L", vendor_id) + attribute(number, value))


def number(value: int) -> bytes:
    return struct.pack("!L", value)


def split(octets: bytes) -> Attributes:
    found: Attributes = {}
    at = 20
    while at < len(octets):
        found.setdefault(octets[at], []).append(octets[at + 2 : at + octets[at + 1]])
        at += octets[at + 1]
    return found


def sign_request(code: int, identifier: int, attributes: bytes, secret: str = SECRET) -> bytes:
    """A request whose authenticator is computed over the packet (RFC 2866, 5176)."""
    head = struct.pack("!BBH", code, identifier, 20 + len(attributes))
    return head + hashlib.md5(head + bytes(16) + attributes + secret.encode()).digest() + attributes


def sign_reply(code: int, request: bytes, attributes: bytes, *, secret: str = SECRET, with_ma: bool = True) -> bytes:
    """A reply, its Message-Authenticator first, its Response Authenticator over everything."""
    blank = attribute(80, bytes(16)) if with_ma else b""
    head = struct.pack("!BBH", code, request[1], 20 + len(blank) + len(attributes))
    if with_ma:
        vector = bytes(16) if code == 5 else request[4:20]  # as FreeRADIUS signs an Accounting-Response
        digest = hmac.new(secret.encode(), head + vector + blank + attributes, "md5").digest()
        blank = attribute(80, digest)
    body = blank + attributes
    return head + hashlib.md5(head + request[4:20] + body + secret.encode()).digest() + body


@dataclass
class Wire:
    """What the tests need of the above, as one fixture."""

    secret: str = SECRET
    uam_secret: str = UAM_SECRET
    free_port: Callable[..., int] = free_port
    attribute: Callable[[int, bytes], bytes] = attribute
    vendor: Callable[[int, int, bytes], bytes] = vendor
    number: Callable[[int], bytes] = number
    split: Callable[[bytes], Attributes] = split
    sign_request: Callable[..., bytes] = sign_request
    sign_reply: Callable[..., bytes] = sign_reply


@dataclass
class Responder(asyncio.DatagramProtocol):
    """A RADIUS server for both ports. `judge` gives the attributes of an Accept, or None for a Reject."""

    judge: Callable[[Attributes], bytes | None] = lambda attributes: b""
    tickets: dict[str, str] = field(default_factory=dict)
    access: list[Attributes] = field(default_factory=list)
    accounting: list[Attributes] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    silent: int = 0
    reply: Callable[[int, bytes, bytes], bytes] = sign_reply
    transports: list[asyncio.DatagramTransport] = field(default_factory=list)

    async def listen(self, *ports: int) -> None:
        loop = asyncio.get_running_loop()
        for port in ports:
            transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(NAS_ADDRESS, port))
            self.transports.append(transport)

    async def close(self) -> None:
        for transport in self.transports:
            transport.close()
        await asyncio.sleep(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Kept by `listen`."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        transport = self.transports[0 if data[0] == 1 else -1]
        self.raw.append(data)
        if self.silent:
            self.silent -= 1
            return
        told = split(data)
        if data[0] == 4:
            assert sign_request(4, data[1], data[20:])[4:20] == data[4:20]
            self.accounting.append(told)
            transport.sendto(self.reply(5, data, b""), addr)
            return
        assert data[20] == 80, "the Message-Authenticator comes first"
        self.access.append(told)
        accepted = self.judge(told)
        code, attributes = (3, attribute(18, b"no, thank you")) if accepted is None else (2, accepted)
        transport.sendto(self.reply(code, data, attributes), addr)

    def records(self, status: int) -> list[Attributes]:
        return [each for each in self.accounting if each[40] == [number(status)]]

    async def wait_for(self, status: int, how_many: int = 1) -> list[Attributes]:
        async with asyncio.timeout(10):
            while len(self.records(status)) < how_many:
                await asyncio.sleep(0.01)
        return self.records(status)

    def chap_holds(self, told: Attributes) -> bool:
        """Whether a CHAP request proves a ticket's password."""
        password = self.tickets.get(told[1][0].decode(), "?")
        return hashlib.md5(told[3][0][:1] + password.encode() + told[60][0]).digest() == told[3][0][1:]


_ONLINE = "<h1>Sie sind online</h1>"
_FORMS = """<!doctype html><title>WLAN</title>
<form id="voucher" method="post" action="/voucher?{query}"><input type="text" name="code"><button>Los</button></form>
<form id="accept" method="post" action="/accept?{query}">
<input type="hidden" name="token" value="t&amp;t"><label><input type="checkbox" name="accept" value="yes" required>
Ich stimme zu</label><button type="submit">Weiter</button></form>"""


@dataclass
class Portal:
    """A portal with real forms: verifies `md`, takes the acceptance, issues a ticket and hands over with CHAP."""

    nas: TownNas
    port: int
    tickets: dict[str, str]
    seen: list[str] = field(default_factory=list)
    wrong_codes: list[str] = field(default_factory=list)
    server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, NAS_ADDRESS, self.port)

    async def close(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # a resident who was sent home while connecting
            writer.close()
            return
        line, _, headers = head.partition("\r\n")
        method, target, _ = line.split(" ")
        length = next((int(h[15:]) for h in headers.split("\r\n") if h.lower().startswith("content-length:")), 0)
        form = parse_qs((await reader.readexactly(length)).decode())
        status, location, body = self.answer(method, target, form)
        where = f"Location: {location}\r\n" if location else ""
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\n{where}Connection: close\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def answer(self, method: str, target: str, form: dict[str, list[str]]) -> tuple[int, str, str]:
        query = urlsplit(target).query
        if method == "POST" and target.startswith("/accept"):
            assert form == {"token": ["t&t"], "accept": ["yes"]}
            return 303, self.hand_over(query), ""
        if method == "POST":
            self.wrong_codes += form["code"]
            return 200, "", _FORMS.format(query=query.replace("&", "&amp;"))
        self.seen.append(target)
        signed, _, md = target.rpartition("&md=")
        assert uam.sign(f"http://portal.localhost:{self.port}{signed}", self.nas.uam_secret) == md
        if "res=success" in query:
            return 200, "", _ONLINE
        return 200, "", _FORMS.format(query=query.replace("&", "&amp;"))

    def hand_over(self, query: str) -> str:
        told = parse_qs(query)
        name, password = f"ticket-{next(_numbers)}", "ostsee1"
        self.tickets[name] = password
        key = uam.challenge_key(bytes.fromhex(told["challenge"][0]), self.nas.uam_secret)
        response = uam.chap_response(password, key).hex()
        userurl = quote(told["userurl"][0], safe="")
        return f"http://{self.nas.listen}/logon?username={name}&response={response}&userurl={userurl}"


def make_nas(**changes: object) -> TownNas:
    values: dict[str, object] = {
        "name": "Stralsund Hafen",
        "nas_identifier": "stralsund-ap-0001",
        "listen": f"{NAS_ADDRESS}:{free_port()}",
        "coa_port": free_port(socket.SOCK_DGRAM),
        "radius_host": NAS_ADDRESS,
        "auth_port": free_port(socket.SOCK_DGRAM),
        "acct_port": free_port(socket.SOCK_DGRAM),
        "secret": SECRET,
        "uam_secret": UAM_SECRET,
        "octets_swapped": False,
        "ssid": "Stralsund-WLAN",
        "interim_seconds": 60,
    }
    return TownNas(**{**values, **changes})  # type: ignore[arg-type]


def make_access_point(**changes: object) -> TownAccessPoint:
    values: dict[str, object] = {
        "name": "hafen-1",
        "address": NAS_ADDRESS,
        "port": free_port(socket.SOCK_DGRAM),
        "version": "v2c",
        "community": "stralsund-read",
        "user": "",
        "auth_password": "",
        "priv_password": "",
        "ssids": ("Stralsund-WLAN", "Verwaltung"),
        "fails": False,
    }
    return TownAccessPoint(**{**values, **changes})  # type: ignore[arg-type]


@dataclass
class Scene:
    """Everything of one city on free ports; `town` is what the simulator is given."""

    nas: TownNas
    responder: Responder
    portal: Portal
    town: Town

    async def __aenter__(self) -> Scene:
        await self.responder.listen(self.nas.auth_port, self.nas.acct_port)
        await self.portal.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.responder.close()
        await self.portal.close()

    @property
    def portal_url(self) -> str:
        return f"http://portal.localhost:{self.portal.port}"


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def make_point() -> Callable[..., TownAccessPoint]:
    return make_access_point


@pytest.fixture
def make_scene() -> Iterator[Callable[..., Scene]]:
    def make(residents: int = 0, points: tuple[TownAccessPoint, ...] = (), **changes: object) -> Scene:
        nas = make_nas(**changes)
        responder = Responder()
        responder.judge = lambda told: b"" if 3 in told and responder.chap_holds(told) else None
        portal = Portal(nas, free_port(), responder.tickets)
        city = TownCity("stralsund", f"http://portal.localhost:{portal.port}", residents, nas, points)
        return Scene(nas, responder, portal, Town((city,), 7))

    return make
