"""SNMP credentials by network: kept, listed without what is secret in them, and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.ap_entry import CREDENTIAL_FIELDS, SECRETS, PointError, check_name, fault, read_credential
from hotspot.discovery import Network
from hotspot.errors import InputError
from hotspot.faults import Fault
from portal.pages import speech_for
from portal.staff.ap_forms import LABELS, faults_of, said_faults, typed_fields
from portal.staff.guard import Guard
from portal.staff.views import staff_page
from service.cities import City
from service.speech import Speech
from service.speech import marked as _
from store import snmp_credentials
from store.fleet import SnmpCredential
from store.nases import Author

FIELDS = ("name", "network", *CREDENTIAL_FIELDS)

NETWORK_LABELS = LABELS | {"network": _("Network")}

NO_NETWORK = _("%(text)s is no network such as 10.1.0.0/24.")


@dataclass(frozen=True)
class ApCredentials:
    """What these views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    clock: Callable[[], datetime]
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/access-points/credentials")(self.credentials)
        routes.post("/staff/access-points/credentials")(self.keep_credential)
        routes.post("/staff/access-points/credentials/<int:credential_id>/remove")(self.remove_credential)

    def credentials(self) -> AnyResponse:
        return self._page({})

    def keep_credential(self) -> AnyResponse:
        typed = typed_fields(FIELDS)
        try:
            name, network, credential = _read(typed)
            with self.city.store.write() as conn:
                author, keys = Author(g.member.id), self.city.store.keys
                snmp_credentials.add(conn, keys, name, network, credential, author=author, now=self.clock())
        except InputError as error:
            return self._page(typed, faults=faults_of(error))
        return redirect("/staff/access-points/credentials", 303)

    def remove_credential(self, credential_id: int) -> AnyResponse:
        with self.city.store.write() as conn:
            known = snmp_credentials.candidates(conn, self.city.store.keys)
            name = next((each.name for each in known if each.id == credential_id), None)
            if name is None:
                abort(404)
            snmp_credentials.remove(conn, name, author=Author(g.member.id), now=self.clock())
        return redirect("/staff/access-points/credentials", 303)

    def _page(self, typed: Mapping[str, str], *, faults: tuple[Fault, ...] = ()) -> Response:
        with self.city.store.read() as conn:
            kept = snmp_credentials.candidates(conn, self.city.store.keys)
        values: dict[str, Any] = {
            "kept": kept,
            "typed": {name: text for name, text in typed.items() if name not in SECRETS},
            "labels": NETWORK_LABELS,
            "faults": said_faults(faults, speech_for(request, self.speeches)),
        }
        status = 422 if faults else 200
        template = "staff/access_point_credentials.html"
        return staff_page(self.city, self.speeches, self.guard, template, status=status, **values)


def _read(typed: Mapping[str, str]) -> tuple[str, Network, SnmpCredential]:
    """PointError names every field that will not do."""
    name, said = typed.get("name", ""), typed.get("network", "")
    faults = [check_name(name) if name else fault("name", "missing")]
    try:
        network = ip_network(said, strict=True)
    except ValueError:
        faults.append(Fault("network", NO_NETWORK, {"text": said}) if said else fault("network", "missing"))
    try:
        words = read_credential({field: typed.get(field, "") for field in CREDENTIAL_FIELDS})
    except PointError as error:
        faults += error.faults
    wrong = [each for each in faults if each is not None]
    if wrong:
        raise PointError(*wrong)
    return name, network, SnmpCredential(**asdict(words))
