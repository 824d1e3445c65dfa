"""openNDS's gateways speak to the portal: who may get on (authmon), who got on and who is gone (BinAuth).

At the FAS's own address, by `auth_get`. `binauth` is our script's and signed with the FAS key. authmon's words are not:
they are believed from the NAS's registered address alone, and tell or take only what names a client by the hash that
the FAS key made. What that protects, and what not: docs/nas/opennds.md. An answer is plain text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hotspot.errors import InputError
from hotspot.values import MacAddress, Octets
from portal.address import Address
from portal.captive import authorising
from portal.captive.handoff import fas
from service.cities import City
from store import awaited
from store.awaited import Waiting
from store.nases import Nas

ACKNOWLEDGED = "ack"
LIST_CHARACTERS = 1_024
"""Of the list that authmon reads in one poll, after its asterisk and a space."""

ACKNOWLEDGEMENTS_MAX = 64
PAYLOAD_MAX = 8_192

CAUSES = {
    "client_deauth": "User-Request",
    "idle_deauth": "Idle-Timeout",
    "timeout_deauth": "Session-Timeout",
    "ndsctl_deauth": "Admin-Reset",
    "shutdown_deauth": "NAS-Reboot",
    **dict.fromkeys(
        ("downquota_deauth", "upquota_deauth", "download_quota_deauth", "upload_quota_deauth"), "NAS-Request"
    ),
}
"""BinAuth's method of an end, and the Acct-Terminate-Cause that it comes nearest to (RFC 2866 section 5.10)."""

START = "client_auth"
"""BinAuth's method of a client that is on now. For levels 3 and 4 authmon acknowledges."""


class NotBelievedError(Exception):
    """The call is not this NAS's: a wrong signature, or an address that is not its own."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a gateway says. `gateway`: the hash of its name. `address`: where the call came from."""

    said: str
    gateway: str
    payload: str
    signature: str
    address: Address | None


@dataclass(frozen=True, slots=True)
class Desk:
    """One NAS's calls at one moment."""

    city: City
    nas: Nas
    now: datetime

    def answer(self, call: Call) -> str:
        """NotBelievedError where it is not this NAS's call, InputError where it makes no sense."""
        method = _METHODS.get(call.said)
        if method is None or len(call.payload) > PAYLOAD_MAX:
            raise InputError("no such call of a gateway")
        if call.said == "binauth":
            self._check_signature(call)
        else:
            self._check_address(call)
        return method(self, call)

    def _check_signature(self, call: Call) -> None:
        signed = f"{call.payload} ".encode("latin-1", "replace") + self.nas.uam_secret
        right = hashlib.sha256(signed).hexdigest()
        if not hmac.compare_digest(right.encode(), call.signature.encode("latin-1", "replace")):
            raise NotBelievedError

    def _check_address(self, call: Call) -> None:
        if call.address is None or call.address not in ipaddress.ip_network(self.nas.address):
            raise NotBelievedError

    # authmon ----------------------------------------------------------------------------------------------

    def clear(self, call: Call) -> str:
        """The gateway starts: whoever waited there has another hash by now."""
        with self.city.store.write() as conn:
            awaited.forget(conn, self.nas.id, call.gateway, now=self.now)
        return ACKNOWLEDGED

    def view(self, call: Call) -> str:
        """Who may get on; with a list of hashes as payload, the gateway says who did."""
        said = _decoded(call.payload)
        if said == "none":
            return self._list(call)[0]
        for name in said.replace("*", " ").split()[:ACKNOWLEDGEMENTS_MAX]:
            self._started(name)
        return ACKNOWLEDGED

    def list_once(self, call: Call) -> str:
        """As `view`, but nobody will say who did: it is taken for done."""
        answer, told = self._list(call)
        for each in told:
            self._started(each.session_id)
        return answer

    def _list(self, call: Call) -> tuple[str, list[Waiting]]:
        with self.city.store.read() as conn:
            found = awaited.of_gateway(conn, self.nas.id, call.gateway, now=self.now, limit=LIST_CHARACTERS // 64)
        words: list[str] = []
        for each in found:
            word = fas.listed(each.session_id, each.accept)
            if sum(map(len, words)) + len(words) + len(word) > LIST_CHARACTERS:
                break
            words.append(word)
        told = found[: len(words)]
        if told:
            with self.city.store.write() as conn:
                awaited.note_listed(conn, [each.id for each in told], now=self.now)
        return " ".join(("*", *words)), told

    def deauthed(self, call: Call) -> str:
        """openNDS's own binauth_log.sh tells of an end: `method=timeout_deauth, clientmac=…, token=…`."""
        said = dict(part.partition("=")[::2] for part in _decoded(call.payload).split(", "))
        self._ended(
            said.get("method", ""),
            said.get("bytes_incoming", ""),
            said.get("bytes_outgoing", ""),
            said.get("token", ""),
        )
        return ACKNOWLEDGED

    def custom(self, call: Call) -> str:
        """Nothing of ours."""
        return ACKNOWLEDGED

    # BinAuth ----------------------------------------------------------------------------------------------

    def binauth(self, call: Call) -> str:
        """Our script tells of a start or an end: method, MAC address, octets down and up, from, until, token."""
        words = call.payload.split("/")
        if len(words) != 7:
            raise InputError("a gateway's report has seven parts")
        method, mac, down, up, _, _, token = words
        if method == START:
            self._started(fas.return_hash_of(token, self.nas.uam_secret), MacAddress.parse(mac))
        elif method in CAUSES:
            self._ended(method, down, up, token)
        return ACKNOWLEDGED

    # Both -------------------------------------------------------------------------------------------------

    def _started(self, name: str, mac: MacAddress | None = None) -> None:
        authorising.told_started(self.city, self.nas, name, mac=mac, now=self.now)

    def _ended(self, method: str, down: str, up: str, token: str) -> None:
        """openNDS counts what came in for the device and what went out."""
        if not (down.isascii() and down.isdigit() and up.isascii() and up.isdigit() and max(len(down), len(up)) < 16):
            raise InputError("a gateway's counters are not numbers")
        name = fas.return_hash_of(token, self.nas.uam_secret)
        cause = CAUSES.get(method, "NAS-Request")
        authorising.ended(self.city, self.nas, name, cause=cause, octets=Octets(int(down), int(up)), now=self.now)


_METHODS: dict[str, Callable[[Desk, Call], str]] = {
    "clear": Desk.clear,
    "view": Desk.view,
    "list": Desk.list_once,
    "deauthed": Desk.deauthed,
    "custom": Desk.custom,
    "binauth": Desk.binauth,
}


def _decoded(payload: str) -> str:
    try:
        return base64.b64decode(payload.replace(" ", "+"), validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        raise InputError("a gateway's payload is not base64") from None
