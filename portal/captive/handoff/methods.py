"""The table of hand-offs: a NAS's `handoff` word and how it is done."""

from __future__ import annotations

from collections.abc import Callable

from hotspot.errors import InputError
from portal.captive.handoff import aruba, cisco, fas, meraki, mikrotik, ruckus, smartzone, uam, unifi
from portal.captive.handoff.protocol import Handing, HandOff, Inbound, Method
from store.nases import Nas

METHODS: dict[str, Method] = {
    "uam": uam.METHOD,
    "mikrotik": mikrotik.METHOD,
    "aruba": aruba.METHOD,
    "cisco": cisco.METHOD,
    "meraki": meraki.SIGN_ON,
    "meraki-click": meraki.CLICK,
    "ruckus": ruckus.METHOD,
    "smartzone": smartzone.METHOD,
    **unifi.METHODS,
    "fas1": fas.FAS1,
    "fas2": fas.FAS2,
    "fas3": fas.FAS3,
    "fas4": fas.FAS4,
}
"""By the word in `nas.handoff`; the words are `hotspot.products`'. `none`: the NAS sends nobody to the portal."""


def claimed_identifier(inbound: Inbound) -> str:
    """The NAS-Identifier that a redirect to the front door names, by any product's convention; empty: none."""
    return next(filter(None, (method.claims(inbound) for method in METHODS.values())), "")


def asks_radius(nas: Nas) -> bool:
    """Whether the NAS itself asks RADIUS about a device; otherwise the portal decides and tells it."""
    method = METHODS.get(nas.handoff)
    return method is None or method.by_radius


def hand_off(handing: Handing) -> HandOff | None:
    """How a device is let on. None where its visit began with another hand-off than its NAS has now."""
    return _by_method(handing, lambda method: method.hand_off(handing))


def log_off(handing: Handing) -> HandOff | None:
    """How a session ends at the NAS itself; None where it needs nothing, or as above."""
    return _by_method(handing, lambda method: method.log_off(handing))


def _by_method(handing: Handing, step: Callable[[Method], HandOff | None]) -> HandOff | None:
    method = METHODS.get(handing.nas.handoff)
    try:
        return step(method) if method is not None else None
    except InputError:
        return None
