"""The map's drawings: the city's places with the state of their access points, once for phones and once for screens."""

from __future__ import annotations

from collections.abc import Sequence

from hotspot.site_map import SiteMap, Spot, draw
from store.ap_list import SiteStates, State

SIZES = {"narrow": (288.0, 1.1), "wide": (880.0, 0.6)}
"""Two drawings, because a label that is legible in both cannot be one size in one drawing; CSS shows the fitting one.
288 pixels are what a page has on a phone of 320. With each its greatest height, as a share of the width."""

SITES_MAX = 500
"""Places that are drawn; more would be a blot. The list below names all."""


def condition(site: SiteStates) -> str:
    """One word for a place: `empty`, `up`, `partly` (some are down), `down` (all that is known), `unknown`."""
    up, down = site.counts.get(State.UP, 0), site.counts.get(State.DOWN, 0)
    if down:
        return "partly" if up else "down"
    if up:
        return "up"
    return "unknown" if site.total else "empty"


_RANKS = {"down": 4, "partly": 3, "unknown": 2, "up": 1, "empty": 0}


def drawings(sites: Sequence[SiteStates]) -> dict[str, SiteMap]:
    """By width; none where no place has coordinates. What is down is drawn last, so above, and labelled first."""
    spots = [
        Spot(site.id, site.name, site.latitude, site.longitude, _RANKS[condition(site)])
        for site in sites
        if site.latitude is not None and site.longitude is not None
    ]
    spots = sorted(spots, key=lambda spot: spot.rank)[-SITES_MAX:]
    if not spots:
        return {}
    return {name: draw(spots, width=width, steepest=steepest) for name, (width, steepest) in SIZES.items()}
