"""A NAS like CoovaChilli: redirects a device to its city's portal, asks RADIUS, accounts, and obeys a Disconnect.

On a real link a device is known by its MAC address; here the cookie `device` on the NAS's origin stands for the
radio link. The NAS trusts nothing the portal says but what RADIUS accepts.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from hotspot.errors import InputError, WireError
from hotspot.values import MacAddress, Octets
from simulator import uam
from simulator.accounting import Accounting
from simulator.dynamic import DynamicListener, Verdict
from simulator.link import Device, Link, online_page
from simulator.radius_client import (
    Chap,
    Code,
    Codec,
    DynamicRequest,
    ErrorCause,
    Pairs,
    Pap,
    RadiusClient,
    Reply,
    first_number,
    first_text,
)
from simulator.session import INTERIM_SECONDS_MIN, Cause, Flow, Session, Status, read_limits
from simulator.town import TownNas
from simulator.web import Answer, Request, WebServer

TICK_SECONDS = 1.0
"""How often sessions are looked at: limits are overrun by up to this long, as in a real NAS."""

SHUTDOWN_SECONDS = 4.0
"""How long a closing NAS waits for its last records to be acknowledged."""

USER_URL_MAX = 1024
USER_NAME_MAX = 128

PAGE_OCTETS = Octets(down=1_500_000, up=60_000)
"""What one view of a page in "the internet" weighs."""

PORT_TYPE_WIRELESS = 19
SERVICE_LOGIN = 1
SERVICE_CALL_CHECK = 10

NAME_ATTRIBUTES = ("Acct-Session-Id", "User-Name", "Calling-Station-Id")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the NAS waits for each transmission, and rests after a record that nobody took; in seconds."""

    access: tuple[float, ...] = (1.0, 2.0, 3.0)
    accounting: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 4.0)
    pause: float = 5.0


PATIENT = Patience()


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a device that walked up is sent: its city's portal, or straight on where MAC authentication let it in."""

    mac: MacAddress
    online: bool
    location: str


class Nas:
    """One NAS: `start`, then devices come over HTTP (or `walk_up`), `close` at the end."""

    def __init__(
        self,
        town: TownNas,
        portal_url: str,
        rng: random.Random,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        patience: Patience = PATIENT,
    ) -> None:
        self.town, self._portal_url = town, portal_url
        self._clock, self._patience = clock, patience
        self._link = Link(town, rng, wall)
        self._web = WebServer(self.handle)
        self._codec = Codec(town.secret)
        self._clients: list[RadiusClient] = []
        self._listener: DynamicListener | None = None
        self._accounting: Accounting | None = None
        self._ticker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Bind everything, then say Accounting-On. OSError where a port is taken; nothing is left open then."""
        town = self.town
        try:
            await self._web.start(town.address, town.port)
            self._listener = await DynamicListener.listen(self._codec, self._judge, town.address, town.coa_port)
            for port in (town.auth_port, town.acct_port):
                client = await RadiusClient.connect(self._codec, (town.radius_host, port), town.address)
                self._clients.append(client)
        except OSError:
            await self._close_sockets()
            raise
        self._accounting = Accounting(
            self._clients[1],
            self._own(),
            town.name,
            self._clock,
            waits=self._patience.accounting,
            pause=self._patience.pause,
        )
        self._accounting.put(self._about_itself(Status.ON))
        self._accounting.start()
        self._ticker = asyncio.create_task(self._tick_forever(), name=f"nas {town.name}")

    async def close(self) -> None:
        """Stop every session, say Accounting-Off, wait a little for the acknowledgements, let go of the sockets."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        await self._web.stop()
        if self._accounting is not None:
            for device in self._online():
                self._end(device, Cause.ADMIN_REBOOT)
            self._accounting.put(self._about_itself(Status.OFF))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._accounting.drained(), SHUTDOWN_SECONDS)
            await self._accounting.stop()
        await self._close_sockets()

    async def _close_sockets(self) -> None:
        await self._web.stop()
        if self._listener is not None:
            self._listener.close()
        for client in self._clients:
            client.close()
        await asyncio.sleep(0)  # transports close in the next round of the loop

    # The link

    @property
    def online(self) -> int:
        """Devices online."""
        return len(self._online())

    def session(self, mac: MacAddress) -> Session | None:
        """The device's open session."""
        device = self._link.devices.get(mac)
        return device.session if device is not None else None

    def flow(self, mac: MacAddress, down_per_second: int, up_per_second: int) -> None:
        """From now on the device moves that many octets a second, as far as its limits allow; 0 is idle."""
        session = self.session(mac)
        if session is not None:
            session.want(down_per_second, up_per_second, now=self._clock())

    async def walk_up(self, mac: MacAddress | None = None) -> Arrival:
        """A device comes into reach: a new one, or a known one by its address, which MAC authentication may let in."""
        device = self._link.device(mac)
        if mac is not None:
            await self._try_mac(device)
        if device.session is not None:
            return Arrival(device.mac, True, device.user_url)
        return Arrival(device.mac, False, self._portal(device, "notyet"))

    def _online(self) -> list[Device]:
        return [device for device in self._link.devices.values() if device.session is not None]

    # HTTP

    async def handle(self, request: Request) -> Answer:
        """Answer one GET as a captive NAS does."""
        if request.path == "/favicon.ico":
            return Answer(404)
        if request.path == "/walk-up":
            return await self._handle_walk_up(request)
        device = self._known(request)
        if device is None:  # a stranger on the link: whatever it asked for, it meets the portal
            return self._welcome(await self.walk_up())
        if request.path == "/logon":
            return Answer(302, location=await self.logon(device, request))
        if request.path == "/logoff":
            self._end(device, Cause.USER_REQUEST)
            return Answer(302, location=self._portal(device, "logoff"))
        if device.session is None:
            return Answer(302, location=self._portal(device, "notyet"))
        device.session.flow.add(PAGE_OCTETS, now=self._clock())
        return Answer(200, body=online_page(device, device.session, self.town, now=self._clock()))

    async def _handle_walk_up(self, request: Request) -> Answer:
        text = request.parameters.get("mac")
        try:
            mac = MacAddress.parse(text) if text is not None else None
        except InputError:
            return Answer(400)
        return self._welcome(await self.walk_up(mac))

    def _welcome(self, arrival: Arrival) -> Answer:
        return Answer(302, location=arrival.location, cookie=f"device={arrival.mac}")

    def _known(self, request: Request) -> Device | None:
        try:
            return self._link.devices.get(MacAddress.parse(request.cookies.get("device", "")))
        except InputError:
            return None

    def _portal(self, device: Device, result: str, **extra: str) -> str:
        """The signed redirect to the portal. Parameters in the order of the real daemon."""
        order = ("reason", "uamip", "uamport", "challenge", "called", "uid", "timeleft", "mac", "ip", "reply")
        values = {
            "uamip": self.town.address,
            "uamport": str(self.town.port),
            "challenge": device.challenge.hex(),
            "called": str(self._link.called),
            "mac": str(device.mac),
            "ip": device.ip,
            **extra,
        }
        pairs = [("res", result), *((name, values[name]) for name in order if name in values)]
        pairs += [("ssid", self.town.ssid), ("nasid", self.town.nas_identifier)]
        pairs += [("sessionid", device.session_id), ("userurl", device.user_url)]
        return uam.signed_url(f"{self._portal_url}/", pairs, self.town.uam_secret)

    # RADIUS

    async def logon(self, device: Device, request: Request) -> str:
        """`/logon?username=&response=|password=&userurl=`: ask RADIUS; the answer is where the browser goes next."""
        async with device.lock:
            if device.session is not None:
                return self._portal(device, "already")
            wanted = request.parameters.get("userurl", "")
            if wanted.startswith("http") and len(wanted) <= USER_URL_MAX:
                device.user_url = wanted
            user_name = request.parameters.get("username", "")
            try:
                proof = self._proof(device, request)
                if not 0 < len(user_name.encode()) <= USER_NAME_MAX:
                    raise WireError("bad_user_name")
            except WireError:
                return self._failed(device, "other")
            try:
                reply = await self._ask(device, user_name, proof, SERVICE_LOGIN)
            except TimeoutError:
                return self._failed(device, "timeout")
            if reply.code is not Code.ACCESS_ACCEPT:
                return self._failed(device, "reject", first_text(reply.attributes, "Reply-Message"))
            session = self._begin(device, user_name, reply)
            left = session.limits.session_seconds
            timeleft = {"timeleft": str(left)} if left else {}
            return self._portal(device, "success", uid=user_name, **timeleft)

    def _proof(self, device: Device, request: Request) -> Chap | Pap:
        key = uam.challenge_key(device.challenge, self.town.uam_secret)
        response = request.parameters.get("response")
        if response:
            return Chap(uam.hex_octets(response, 16), key)
        hidden = uam.hex_octets(request.parameters.get("password", ""), uam.PASSWORD_OCTETS)
        return Pap(uam.pap_password(hidden, key))

    def _failed(self, device: Device, reason: str, reply: str | None = None) -> str:
        self._link.renew(device)
        return self._portal(device, "failed", reason=reason, **({"reply": reply} if reply else {}))

    async def _try_mac(self, device: Device) -> None:
        """MAC authentication: User-Name and User-Password are the address, Service-Type is Call-Check."""
        async with device.lock:
            if device.session is not None:
                return
            name = str(device.mac)
            try:
                reply = await self._ask(device, name, Pap(name.encode()), SERVICE_CALL_CHECK)
            except TimeoutError:
                return
            if reply.code is Code.ACCESS_ACCEPT:
                self._begin(device, name, reply)

    async def _ask(self, device: Device, user_name: str, proof: Chap | Pap, service: int) -> Reply:
        pairs: Pairs = [
            ("User-Name", user_name),
            *self._own(),
            ("Calling-Station-Id", str(device.mac)),
            ("Framed-IP-Address", device.ip),
            ("Service-Type", service),
            ("Acct-Session-Id", device.session_id),
        ]
        return await self._clients[0].access(pairs, proof, self._patience.access)

    def _own(self) -> Pairs:
        """What every packet of this NAS says of the NAS."""
        return [
            ("NAS-IP-Address", self.town.address),
            ("NAS-Identifier", self.town.nas_identifier),
            ("Called-Station-Id", f"{self._link.called}:{self.town.ssid}"),
            ("NAS-Port-Type", PORT_TYPE_WIRELESS),
        ]

    # Sessions

    def _about_itself(self, status: Status) -> Pairs:
        """Accounting-On or -Off (RFC 2866 section 5.1)."""
        return [("Acct-Status-Type", int(status)), ("Acct-Session-Id", self._link.new_session_id())]

    def _begin(self, device: Device, user_name: str, reply: Reply) -> Session:
        now, told = self._clock(), reply.attributes
        interim = first_number(told, "Acct-Interim-Interval") or self.town.interim_seconds
        device.session = Session(
            id=device.session_id,
            user_name=user_name,
            device=str(device.mac),
            ip=device.ip,
            classes=tuple(each for each in told.get("Class", ()) if isinstance(each, bytes)),
            limits=read_limits(told),
            interim_seconds=max(INTERIM_SECONDS_MIN, interim),
            started_at=now,
            flow=Flow(since=now, active_at=now),
            swapped=self.town.octets_swapped,
        )
        self._account(device.session, Status.START)
        return device.session

    def _end(self, device: Device, cause: Cause) -> None:
        if device.session is not None:
            self._account(device.session, Status.STOP, cause)
            device.session = None
            self._link.renew(device)

    def _account(self, session: Session, status: Status, cause: Cause | None = None) -> None:
        assert self._accounting is not None
        self._accounting.put(session.record(status, now=self._clock(), cause=cause))

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()

    def tick(self) -> None:
        """Look at every session once: end what must end, send the interim updates that are due."""
        now = self._clock()
        for device in self._online():
            session = device.session
            assert session is not None
            cause = session.must_end(now)
            if cause is not None:
                self._end(device, cause)
            elif session.interim_due(now):
                self._account(session, Status.INTERIM)

    def _judge(self, request: DynamicRequest) -> Verdict:
        """Disconnect or CoA. Like CoovaChilli: silence without a User-Name, and a CoA replaces every limit."""
        told = request.attributes
        if first_text(told, "User-Name") is None:
            return False
        if first_text(told, "NAS-Identifier") not in (None, self.town.nas_identifier):
            return ErrorCause.NAS_IDENTIFICATION_MISMATCH
        devices = [each for each in self._online() if each.session is not None and _is_meant(each.session, request)]
        if not devices:
            return ErrorCause.SESSION_CONTEXT_NOT_FOUND
        for device in devices:
            if request.code is Code.DISCONNECT_REQUEST:
                self._end(device, Cause.ADMIN_RESET)
            elif device.session is not None:
                device.session.allow(read_limits(told), now=self._clock())
        return True


def _is_meant(session: Session, request: DynamicRequest) -> bool:
    """Whether every attribute that identifies a session, as far as the request has it, is this session's."""
    ours = dict(zip(NAME_ATTRIBUTES, (session.id, session.user_name, session.device), strict=True))
    told = {name: first_text(request.attributes, name) for name in NAME_ATTRIBUTES}
    return all(value is None or value == ours[name] for name, value in told.items())
