"""What a person says of an access point, read from text: the same for a command, a form and a CSV file.

Everything that will not do is named at once, by field, with what would be right. Pure; credentials are only words here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches

from hotspot.faults import Fault, FaultsError
from hotspot.fleet import PointKind

NAME_MAX = 60
COMMUNITY_MAX = 255
USER_MAX = 32
"""RFC 3414 section 2.1 (SnmpAdminString of 1 to 32 octets)."""

PASSWORD_MIN, PASSWORD_MAX = 8, 128
"""RFC 3414 section 11.2 asks for at least 8 characters."""

SNMP_PORT = 161
VERSIONS = ("v2c", "v3")
KINDS = (PointKind.ACCESS_POINT.value, PointKind.CONTROLLER.value)

SENTENCES = {
    "missing": "This is needed.",
    "name": "Write 1 to %(most)s characters that can be printed, without spaces around them.",
    "taken": "Another access point is called %(text)s already.",
    "behind": "%(text)s is behind a controller, which tells of it: it has no address of its own here.",
    "controller": "%(text)s has access points behind it, so it stays a controller; retire it to begin anew.",
    "place_taken": "%(text)s is polled already, as %(other)s.",
    "site": "There is no site %(text)s. Sites are: %(known)s.",
    "address": "%(text)s is no address of one device, such as 10.1.0.9 or 2001:db8::9.",
    "port": "Write a number from 1 to 65535.",
    "choice": "%(text)s is none of: %(known)s.",
    "signs": "Write %(least)s to %(most)s signs of ASCII.",
    "other_version": "This belongs to SNMP %(other)s, and the version is %(version)s.",
    "no_candidate": "None is given, and none is kept for %(text)s: write one, or see `kogge ap credential add`.",
    "unknown": "There is no such field. Did you mean %(nearest)s?",
}
"""What a fault says, by a word that only this file and `hotspot.ap_file` use."""


class PointError(FaultsError):
    """All that is wrong with what a person said of an access point."""


@dataclass(frozen=True, slots=True)
class CredentialWords:
    """A community (v2c), or a user with passwords (v3, SHA-256 and AES-128). `version` is empty where none is given."""

    version: str = ""
    community: str = ""
    user: str = ""
    auth_password: str = ""
    priv_password: str = ""

    def __repr__(self) -> str:
        return f"CredentialWords({self.version!r}, …)"

    def __bool__(self) -> bool:
        return bool(self.version)


CREDENTIAL_FIELDS = tuple(each.name for each in fields(CredentialWords))
OF_VERSION: Mapping[str, tuple[str, ...]] = {
    "v2c": ("community",),
    "v3": ("user", "auth_password", "priv_password"),
}
"""The words that a credential of each version has."""

SECRETS = tuple(word for words in OF_VERSION.values() for word in words)
"""Fields that no list, log or audit row may show."""


@dataclass(frozen=True, slots=True)
class PointEntry:
    """An access point or a controller as a person describes it."""

    name: str
    site: str
    address: str
    port: int = SNMP_PORT
    kind: PointKind = PointKind.ACCESS_POINT
    credential: CredentialWords = CredentialWords()


FIELDS = ("name", "site", "address", "port", "kind", *CREDENTIAL_FIELDS)
"""In the order of commands and files."""

REQUIRED = ("name", "site", "address")


def fault(field: str, sentence: str, **values: str | int) -> Fault:
    """One of `SENTENCES`."""
    return Fault(field, SENTENCES[sentence], values)


def read_entry(texts: Mapping[str, str], *, sites: Collection[str]) -> PointEntry:
    """PointError names every field that will not do."""
    said = {name: text.strip() for name, text in texts.items()}
    faults = [_unknown(name) for name in said if name not in FIELDS]
    faults += [fault(name, "missing") for name in REQUIRED if not said.get(name)]
    faults += [
        found
        for field, check in _CHECKS.items()
        if said.get(field) and (found := check(said[field])) is not None
    ]  # fmt: skip
    if said.get("site") and said["site"] not in sites:
        faults.append(fault("site", "site", text=said["site"], known=", ".join(sorted(sites))))
    credential, wrong = _credential(said)
    if faults or wrong:
        raise PointError(*faults, *wrong)
    return PointEntry(
        name=said["name"],
        site=said["site"],
        address=str(ipaddress.ip_address(said["address"])),
        port=int(said.get("port") or SNMP_PORT),
        kind=PointKind(said.get("kind") or PointKind.ACCESS_POINT),
        credential=credential,
    )


def read_credential(texts: Mapping[str, str]) -> CredentialWords:
    """A credential alone; PointError where it will not do or is none."""
    credential, wrong = _credential({name: text.strip() for name, text in texts.items()})
    if not wrong and not credential:
        wrong = [fault("version", "choice", text="nothing", known=", ".join(VERSIONS))]
    if wrong:
        raise PointError(*wrong)
    return credential


def _credential(said: Mapping[str, str]) -> tuple[CredentialWords, list[Fault]]:
    """Of the version that is named, else of the one whose words are there."""
    words = {name: said.get(name, "") for name in SECRETS}
    version = said.get("version") or next((each for each, of in OF_VERSION.items() if any(words[w] for w in of)), "")
    if not version:
        return CredentialWords(), []
    if version not in VERSIONS:
        return CredentialWords(), [fault("version", "choice", text=version, known=", ".join(VERSIONS))]
    own = OF_VERSION[version]
    if said.get("version") and not any(words.values()):  # an export without secrets names the version all the same
        return CredentialWords(), []
    faults = [fault(name, "missing") for name in own if not words[name]]
    other = next(each for each in VERSIONS if each != version)
    faults += [
        fault(name, "other_version", other=other, version=version)
        for name, text in words.items()
        if text and name not in own
    ]
    faults += [found for name in own if words[name] and (found := _signs(name, words[name])) is not None]
    return CredentialWords(version, **words), faults


_LENGTHS = {
    "community": (1, COMMUNITY_MAX),
    "user": (1, USER_MAX),
    "auth_password": (PASSWORD_MIN, PASSWORD_MAX),
    "priv_password": (PASSWORD_MIN, PASSWORD_MAX),
}


def _signs(name: str, text: str) -> Fault | None:
    least, most = _LENGTHS[name]
    fits = least <= len(text) <= most and text.isascii() and text.isprintable()
    return None if fits else fault(name, "signs", least=least, most=most)


def check_name(text: str) -> Fault | None:
    """Whether an access point may be called that."""
    return None if len(text) <= NAME_MAX and text.isprintable() else fault("name", "name", most=NAME_MAX)


def _address(text: str) -> Fault | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return fault("address", "address", text=text)
    return fault("address", "address", text=text) if address.is_multicast or address.is_unspecified else None


def _port(text: str) -> Fault | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    return None if 1 <= number <= 65_535 else fault("port", "port")


def _kind(text: str) -> Fault | None:
    return None if text in KINDS else fault("kind", "choice", text=text, known=", ".join(KINDS))


_CHECKS = {"name": check_name, "address": _address, "port": _port, "kind": _kind}


def _unknown(name: str) -> Fault:
    nearest = get_close_matches(name, FIELDS, 1, cutoff=0) or list(FIELDS)
    return fault(name, "unknown", nearest=nearest[0])
