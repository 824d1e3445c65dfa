"""What a person says of a NAS, read from text: the same for the staff's form, the command line and a CSV file.

Everything that will not do is named at once, by field, with what would be right. Pure: secrets are made by whoever
asks, from octets that they drew.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from hotspot.faults import Fault, FaultsError
from hotspot.handoffs import ACCOUNT, HANDOVERS
from hotspot.products import PRODUCTS, Product

NAME_MAX = 60
IDENTIFIER_MAX = 64
"""RFC 2865 section 5.32 allows 253 octets; no maker fills them, and a table has to show it."""

URL_MAX = 200
GARDEN_HOSTS_MAX = 30
"""Hosts of a walled garden; devices take few, and each is open to whoever has not logged in."""

SECRET_MIN, SECRET_MAX = 12, 128
"""RFC 2865 section 3 asks for 16 octets, RFC 5080 for what cannot be guessed; many devices cut at 128."""

SECRET_OCTETS = 18
"""144 random bits, 24 characters."""

RESERVED_IDENTIFIER = "kogge-radius-test"
"""The built-in NAS of `kogge radius test` (`store.self_test`)."""

SECRETS = ("secret", "uam_secret")
"""Fields that no list, log or audit row may show."""

_WORD = re.compile(r"[A-Za-z0-9][!-~]*( [!-~]+)*")
"""Printable ASCII that begins with a letter or digit: no option of a command, no formula of a spreadsheet."""

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*")


class NasError(FaultsError):
    """All that is wrong with what a person said of a NAS."""


@dataclass(frozen=True, slots=True)
class NasEntry:
    """A NAS as a person describes it. An empty secret is for the caller to make, or to leave as it is."""

    name: str
    site: str
    product: str
    address: str
    nas_identifier: str
    login_url: str
    coa_port: int
    require_message_authenticator: str
    limit_proxy_state: bool
    octets_swapped: bool
    handoff: str = "none"
    walled_garden: str = ""
    secret: str = ""
    uam_secret: str = ""

    def __repr__(self) -> str:
        return f"NasEntry({self.name!r}, …)"

    def with_secrets(self, draw: Callable[[int], bytes]) -> NasEntry:
        """The same with a made secret wherever none is given; `draw` gives random octets.

        NasError where the UAM secret is a controller's credentials: those cannot be made here.
        """
        if HANDOVERS[self.handoff].credentials and not self.uam_secret:
            raise NasError(_fault("uam_secret", "credentials", wanted=HANDOVERS[self.handoff].credentials))
        return replace(
            self,
            secret=self.secret or make_secret(draw(SECRET_OCTETS)),
            uam_secret=self.uam_secret or make_secret(draw(SECRET_OCTETS)),
        )


FIELDS = tuple(each.name for each in fields(NasEntry))
"""In the order of forms, commands and files."""

REQUIRED = ("name", "site", "product", "address", "nas_identifier")

SENTENCES = {
    "missing": "This is needed.",
    "name": "Write 1 to %(most)s letters, digits and signs of ASCII, beginning with a letter or digit.",
    "reserved": "%(text)s is the name of a built-in NAS. Choose another.",
    "taken": "%(text)s is another NAS's already. Each needs its own.",
    "site": "There is no site %(text)s. Sites are: %(known)s.",
    "product": "There is no product %(text)s. Products are: %(known)s.",
    "address": "%(text)s is no address such as 192.0.2.7 or 2001:db8::7, and no network such as 192.0.2.0/24.",
    "host_bits": "%(text)s is an address inside a network. Write %(address)s, or the whole network: %(network)s.",
    "unspecified": "%(text)s is nobody's address. Write the NAS's own, or %(any)s for a NAS whose address changes.",
    "multicast": "%(text)s is a multicast address: no NAS sends from there.",
    "url": "%(text)s is no address such as %(example)s.",
    "url_missing": "This product needs it: the portal sends residents there to log in, as in %(example)s.",
    "port": "Write a number from %(least)s to %(most)s.",
    "choice": "%(text)s is none of: %(known)s.",
    "hosts": "%(text)s is no host name such as login.example.org, and no address.",
    "hosts_many": "At most %(most)s hosts.",
    "credentials": "This hand-over calls a controller. Write its %(wanted)s.",
    "secret_short": "A secret has at least %(least)s characters: shorter ones are found by trying. Empty: one is made.",
    "secret_long": "A secret has at most %(most)s characters: many devices cut longer ones.",
    "secret_signs": "Only ASCII letters, digits and signs, no spaces: devices disagree about everything else.",
    "unknown": "There is no such field. Did you mean %(nearest)s?",
}
"""What a fault says, by a word that only this file uses."""

_EXAMPLE_URL = "http://10.1.0.1:3990"


def make_secret(octets: bytes) -> str:
    """A secret that every device takes: 4 letters or digits for 3 octets, dash and underscore not among them."""
    return base64.b64encode(octets, altchars=b"xz").decode().rstrip("=")


def defaults_of(product: Product) -> dict[str, str]:
    """What a form offers for a product, as text."""
    return {
        "product": product.key,
        "coa_port": str(product.coa_port),
        "require_message_authenticator": "yes",
        "limit_proxy_state": "yes",
        "octets_swapped": "yes" if product.octets_swapped else "no",
        "handoff": product.handoffs[0],
    }


def read_entry(texts: Mapping[str, str], *, sites: Collection[str]) -> NasEntry:
    """A NAS from its fields' texts; what is left out gets its product's default. NasError names every wrong field."""
    given = {name: text.strip() for name, text in texts.items() if text.strip()}
    faults = [_unknown(name) for name in texts if name not in FIELDS]
    faults += [_fault(name, "missing") for name in REQUIRED if name not in given]
    product = PRODUCTS.get(given.get("product", ""), PRODUCTS["standard"])
    context = _Context(sites, product)
    values: dict[str, Any] = {}
    for name, text in (defaults_of(product) | given).items():
        if name in FIELDS:
            try:
                values[name] = _READERS[name](text, context)
            except NasError as error:
                faults += error.faults
    faults += _of_handover(values, given, product)
    if faults:
        raise NasError(*sorted(faults, key=_place))
    return NasEntry(**{"login_url": ""} | values)


def _of_handover(values: Mapping[str, Any], given: Mapping[str, str], product: Product) -> list[Fault]:
    """What the way of handing over needs besides."""
    handover, faults = HANDOVERS[values.get("handoff", "none")], []
    example = handover.login_example or product.login_example
    if example and "login_url" not in given:
        faults.append(_fault("login_url", "url_missing", example=example))
    secret = values.get("uam_secret", "")
    if handover.credentials == ACCOUNT and secret and ":" not in secret:
        faults.append(_fault("uam_secret", "credentials", wanted=handover.credentials))
    return faults


def twins(entry: NasEntry, names: Collection[str], identifiers: Collection[str]) -> list[Fault]:
    """Where another NAS has this one's name or NAS-Identifier already."""
    known = {"name": names, "nas_identifier": identifiers}
    return [taken(name, getattr(entry, name)) for name, others in known.items() if getattr(entry, name) in others]


def taken(name: str, text: str) -> Fault:
    """The fault of a name or NAS-Identifier that another NAS has."""
    return _fault(name, "taken", text=text)


def as_texts(entry: NasEntry) -> dict[str, str]:
    """The texts from which `read_entry` makes the same entry."""
    return {name: _as_text(getattr(entry, name)) for name in FIELDS}


def _as_text(value: str | int | bool) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


# One field ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Context:
    """What a field's reader may ask about."""

    sites: Collection[str]
    product: Product


def _fault(name: str, word: str, **values: str | int) -> Fault:
    return Fault(name, SENTENCES[word], values)


def _place(fault: Fault) -> int:
    return FIELDS.index(fault.field) if fault.field in FIELDS else -1


def _unknown(name: str) -> Fault:
    nearest = get_close_matches(name, FIELDS, n=1, cutoff=0.4)
    return _fault(name, "unknown", nearest=nearest[0] if nearest else ", ".join(FIELDS))


def _name(text: str, _: _Context) -> str:
    if len(text) > NAME_MAX or not _WORD.fullmatch(text):
        raise NasError(_fault("name", "name", most=NAME_MAX))
    if text == RESERVED_IDENTIFIER:
        raise NasError(_fault("name", "reserved", text=text))
    return text


def _identifier(text: str, _: _Context) -> str:
    if len(text) > IDENTIFIER_MAX or not _WORD.fullmatch(text):
        raise NasError(_fault("nas_identifier", "name", most=IDENTIFIER_MAX))
    if text == RESERVED_IDENTIFIER:
        raise NasError(_fault("nas_identifier", "reserved", text=text))
    return text


def _site(text: str, context: _Context) -> str:
    if text not in context.sites:
        known = ", ".join(sorted(context.sites)) or "–"
        raise NasError(_fault("site", "site", text=_shown(text), known=known))
    return text


def _product(text: str, _: _Context) -> str:
    if text not in PRODUCTS:
        raise NasError(_fault("product", "product", text=_shown(text), known=", ".join(PRODUCTS)))
    return text


def _address(text: str, _: _Context) -> str:
    """An address or network in its one spelling; an IPv4 address that is mapped into IPv6 becomes IPv4."""
    try:
        interface = ipaddress.ip_interface(text.replace("%", " "))  # no zone: it means something on one machine only
    except ValueError:
        raise NasError(_fault("address", "address", text=_shown(text))) from None
    address, whole = interface.ip, interface.network
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None and whole.prefixlen == 128:
        address, whole = mapped, ipaddress.ip_network(mapped)
    if address.is_multicast:
        raise NasError(_fault("address", "multicast", text=_shown(text)))
    if whole.prefixlen == whole.max_prefixlen:
        if address.is_unspecified:
            anybody = f"{address}/0"
            raise NasError(_fault("address", "unspecified", text=str(address), any=anybody))
        return str(address)
    if address != whole.network_address:
        raise NasError(_fault("address", "host_bits", text=_shown(text), address=str(address), network=str(whole)))
    return str(whole)


def _url(text: str, context: _Context) -> str:
    """An origin, or one with a path: what the portal puts a NAS's own log-in path behind."""
    example = context.product.login_example or _EXAMPLE_URL
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.port != 0  # `port` raises beyond 65535
    except ValueError:
        sound = False
    whole = sound and "@" not in parts.netloc and not parts.query and not parts.fragment and len(text) <= URL_MAX
    if not whole or not _HOST.fullmatch(parts.hostname or "") or not re.fullmatch("[!-~]*", text):
        raise NasError(_fault("login_url", "url", text=_shown(text), example=example))
    return text.rstrip("/")


def _port(text: str, _: _Context) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise NasError(_fault("coa_port", "port", least=1, most=65_535))
    return int(text)


def _handoff(text: str, context: _Context) -> str:
    if text.lower() not in context.product.handoffs:
        known = ", ".join(context.product.handoffs)
        raise NasError(_fault("handoff", "choice", text=_shown(text), known=known))
    return text.lower()


def _hosts(text: str, _: _Context) -> str:
    """Host names, each once, in the order given; a leading `*.` stands for every name below."""
    hosts = list(dict.fromkeys(text.lower().replace(",", " ").split()))
    if len(hosts) > GARDEN_HOSTS_MAX:
        raise NasError(_fault("walled_garden", "hosts_many", most=GARDEN_HOSTS_MAX))
    for host in hosts:
        if not _HOST.fullmatch(host.removeprefix("*.")) or len(host) > 253:
            raise NasError(_fault("walled_garden", "hosts", text=_shown(host)))
    return " ".join(hosts)


def _choice(name: str, **meanings: str | bool) -> Callable[[str, _Context], str | bool]:
    def read(text: str, _: _Context) -> str | bool:
        if text.lower() not in meanings:
            raise NasError(_fault(name, "choice", text=_shown(text), known=", ".join(meanings)))
        return meanings[text.lower()]

    return read


def _secret(name: str) -> Callable[[str, _Context], str]:
    def read(text: str, _: _Context) -> str:
        if not re.fullmatch("[!-~]*", text):
            raise NasError(_fault(name, "secret_signs"))
        if len(text) < SECRET_MIN:
            raise NasError(_fault(name, "secret_short", least=SECRET_MIN))
        if len(text) > SECRET_MAX:
            raise NasError(_fault(name, "secret_long", most=SECRET_MAX))
        return text

    return read


def _shown(text: str) -> str:
    """As much of what was typed as an error repeats."""
    return text if len(text) <= 40 else f"{text[:40]}…"


_READERS: dict[str, Callable[[str, _Context], Any]] = {
    "name": _name,
    "site": _site,
    "product": _product,
    "address": _address,
    "nas_identifier": _identifier,
    "login_url": _url,
    "coa_port": _port,
    "require_message_authenticator": _choice("require_message_authenticator", yes="yes", no="no", auto="auto"),
    "limit_proxy_state": _choice("limit_proxy_state", yes=True, no=False),
    "octets_swapped": _choice("octets_swapped", yes=True, no=False),
    "handoff": _handoff,
    "walled_garden": _hosts,
    "secret": _secret("secret"),
    "uam_secret": _secret("uam_secret"),
}
