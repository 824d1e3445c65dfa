"""The captive portal API of RFC 8908: is this device captive, what is left of its session, where is the portal.

A device is known by a token that the portal gave it, or by its address where the city says that it is the device's own
(`portal.unnatted_networks`). Whoever is known by neither gets a 404, so that his system asks the network itself, as
ever: "captive" would shut out somebody who is online, and any session would be a stranger's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.errors import InputError
from hotspot.values import MacAddress
from portal.address import client_address
from portal.captive.room import Room
from portal.captive.standing import OFFLINE, Standing, State, standing_of, standing_of_device
from portal.pages import origin
from portal.tokens import Visit, seal, unseal
from service.cities import City
from store import nases, sessions
from store.keys import KeyRing
from store.nases import Nas
from store.store import Connection

PURPOSE = "capport"
LIFETIME = timedelta(hours=24)
"""Of an address of one's own; every status page gives a new one."""

MEDIA_TYPE = "application/captive+json"

Network = IPv4Network | IPv6Network
Said = dict[str, bool | int | str]


def path_of(keys: KeyRing, visit: Visit, *, now: datetime) -> str:
    """The API's path for the device of a proven visit; it tells where the device stands and opens nothing else."""
    token = seal(keys, PURPOSE, [visit.nas_id, visit.mac.octets.hex()], expires_at=now + LIFETIME)
    return f"/capport/{token}"


def document(standing: Standing, *, portal_url: str, venue_url: str) -> Said:
    """The keys of RFC 8908 section 5. Its two addresses must be https; they are left out where the portal is not."""
    said: Said = {"captive": standing.state not in (State.ONLINE, State.STARTING)}
    if portal_url.startswith("https:"):
        said |= {"user-portal-url": portal_url, "venue-info-url": venue_url}
    if standing.seconds_left is not None:
        said |= {"seconds-remaining": standing.seconds_left, "can-extend-session": standing.can_extend}
    if standing.octets_left is not None:
        said["bytes-remaining"] = standing.octets_left
    return said


@dataclass(frozen=True)
class Capport:
    """The API, and the way from its portal address to the NAS at which the device is."""

    room: Room

    def mount(self, routes: Blueprint) -> None:
        routes.get("/capport")(self.by_address)
        routes.get("/capport/<token>")(self.by_token)
        routes.get("/to/<path:nas_identifier>")(self.to_hotspot)

    def by_token(self, token: str) -> AnyResponse:
        city, now = self.room.city, self.room.clock()
        try:
            nas_id, mac = unseal(city.store.keys, PURPOSE, token, now=now)
        except InputError:
            return self._unknown()
        standing = standing_of(city, MacAddress(bytes.fromhex(mac)), now=now)
        with city.store.read() as conn:
            nas = nases.by_id(conn, city.store.keys, nas_id)
        return self._said("token", standing, nas)

    def by_address(self) -> AnyResponse:
        city = self.room.city
        address = client_address(request, city)
        network = own_network(city, address)
        if address is None or network is None:
            return self._unknown()
        with city.store.read() as conn:
            held = sessions.open_at(conn, address)
            if len(held) == 1:
                standing = standing_of_device(conn, city, held[0].device_id, now=self.room.clock())
                return self._said("address", standing, nases.by_id(conn, city.store.keys, held[0].nas_id))
            if held or isinstance(address, IPv6Address):  # of two devices; or one that its NAS may never have told us
                return self._unknown()
            return self._said("address", OFFLINE, nas_of_network(conn, city, network))

    def _said(self, known_by: str, standing: Standing, nas: Nas | None) -> Response:
        url = self.room.city.config.portal.url
        way = f"{url}/to/{quote(nas.nas_identifier, safe='')}" if nas is not None and nas.login_url else f"{url}/"
        said = document(standing, portal_url=way, venue_url=f"{url}/help")
        self.room.metrics.capport.labels(known_by, str(said["captive"]).lower()).inc()
        response = jsonify(said)
        response.mimetype = MEDIA_TYPE
        return response

    def _unknown(self) -> Response:
        self.room.metrics.capport.labels("nothing", "true").inc()
        return Response(status=404, mimetype=MEDIA_TYPE)

    def to_hotspot(self, nas_identifier: str) -> AnyResponse:
        """On to the NAS's own log-in, which sends the device back to us with what a log-in needs."""
        if "\0" in nas_identifier:
            return self.room.not_at_a_hotspot(404)
        with self.room.city.store.read() as conn:
            nas = nases.by_identifier(conn, self.room.city.store.keys, nas_identifier)
        if nas is None or not nas.login_url:
            return self.room.not_at_a_hotspot(404)
        return redirect(f"{origin(nas.login_url)}/", 303)


# By address -----------------------------------------------------------------------------------------------


def own_network(city: City, address: IPv4Address | IPv6Address | None) -> Network | None:
    """The declared network in which this address is its device's own."""
    return next((each for each in city.config.portal.unnatted_networks if address in each), None)


def nas_of_network(conn: Connection, city: City, network: Network) -> Nas | None:
    """The NAS whose log-in address stands in that network, where it is the only one."""
    found = [nas for nas in nases.nases(conn, city.store.keys) if _stands_in(nas, network)]
    return found[0] if len(found) == 1 else None


def _stands_in(nas: Nas, network: Network) -> bool:
    try:
        return ip_address(urlsplit(nas.login_url).hostname or "") in network
    except ValueError:
        return False
