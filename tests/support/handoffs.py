"""Golden redirects and hand-offs: a NAS that needs no database, and redirects as the portal gets them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hotspot.products import PRODUCTS
from hotspot.values import MacAddress
from portal.captive.handoff.protocol import Back, Credential, Handing, Inbound
from store.nases import Nas

PHONE = MacAddress.parse("02-00-00-00-00-11")


def nas_of(product: str, **changes: Any) -> Nas:
    """A registered NAS of a product with its usual hand-off."""
    made = PRODUCTS[product]
    values = {
        "id": 1,
        "name": f"{product}-1",
        "site_name": "Markt",
        "nas_identifier": f"{product}-1",
        "address": "192.0.2.7",
        "product": product,
        "login_url": made.login_example,
        "coa_port": made.coa_port,
        "require_message_authenticator": "yes",
        "message_authenticator_at": None,
        "limit_proxy_state": True,
        "octets_swapped": made.octets_swapped,
        "secret": b"secret-secret-1",
        "uam_secret": b"uamsecret1",
        "handoff": made.handoffs[0],
    }
    return Nas(**(values | changes))


def inbound_of(url: str, **form: str) -> Inbound:
    """A redirect to this address as the portal's views read it; `form`: what the NAS's own page posts."""
    query = urlsplit(url).query
    fields = dict(reversed(parse_qsl(query, keep_blank_values=True)))
    return Inbound(url, query, {**form, **fields})


def handing_of(nas: Nas, **changes: Any) -> Handing:
    """A resident who is to be handed over."""
    values: dict[str, Any] = {
        "nas": nas,
        "mac": PHONE,
        "back": Back(),
        "user_url": "",
        "landing": "http://portal.example/status?visit=x",
        "credential": Credential("a+b/c=", "ostsee1"),
    }
    made = values | changes
    return Handing(**(made | {"back": Back(made["back"])}))
