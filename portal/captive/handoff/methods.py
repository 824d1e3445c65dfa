"""The table of hand-offs: a NAS's `handoff` word and how it is done."""

from __future__ import annotations

from portal.captive.handoff import fas, uam
from portal.captive.handoff.protocol import Inbound, Method

METHODS: dict[str, Method] = {
    "uam": uam.METHOD,
    "fas1": fas.FAS1,
    "fas2": fas.FAS2,
    "fas3": fas.FAS3,
    "fas4": fas.FAS4,
}
"""By the word in `nas.handoff`; the words are `hotspot.products`'. `none`: the NAS sends nobody to the portal."""


def claimed_identifier(inbound: Inbound) -> str:
    """The NAS-Identifier that a redirect to the front door names, by any product's convention; empty: none."""
    return next(filter(None, (method.claims(inbound) for method in METHODS.values())), "")
