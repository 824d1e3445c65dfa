"""What a page shows of the place where its reader stands: face and notices. Kept a moment, so that they cost no query.

While the database is away the last known face stays, and the city's own where none is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.model import CityConfig
from hotspot.face import Face, HelpContact
from hotspot.notices import Notice, shown
from service.cities import City
from store import notices, places
from store.store import Unavailable

KEPT_FOR = timedelta(seconds=2)
"""How late another process's change may show."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A place's face, its city's notices that are not over, and when both were read."""

    face: Face
    notices: tuple[Notice, ...]
    read_at: datetime


def city_face(config: CityConfig) -> Face:
    """The city's own face; its name and contact stand in any case."""
    section, contact = config.face, config.contact
    return Face(
        name=section.name or config.name,
        logo=section.logo,
        colours=section.colours(),
        welcome=section.welcome,
        help=HelpContact(contact.operator, contact.email, contact.phone),
        ssid=section.ssid,
    )


class Faces:
    """One city's. At most one entry a site: ids come from the NASes' rows."""

    def __init__(self, city: City, clock: Callable[[], datetime]) -> None:
        self._city = city
        self._clock = clock
        self._own = city_face(city.config)
        self._kept: dict[int | None, Sight] = {}

    @property
    def own(self) -> Face:
        """The city's, without a look at the database."""
        return self._own

    def at(self, site_id: int | None) -> tuple[Face, list[Notice]]:
        """The face of a site (None: of the city) and the notices to show there now."""
        now, sight = self._clock(), self._kept.get(site_id)
        if sight is None or abs(now - sight.read_at) > KEPT_FOR:
            sight = self._kept[site_id] = self._read(site_id, sight, now)
        return sight.face, shown(sight.notices, site_id, now=now)

    def forget(self) -> None:
        """Something was changed here: look anew."""
        self._kept.clear()

    def _read(self, site_id: int | None, last: Sight | None, now: datetime) -> Sight:
        try:
            with self._city.store.read() as conn:
                place = places.place(conn, site_id) if site_id is not None else None
                current = tuple(notices.open_notices(conn, now=now))
        except Unavailable:
            face, current = (last.face, last.notices) if last is not None else (self._own, ())
            return Sight(face, current, now)
        return Sight(place.face.over(self._own) if place is not None else self._own, current, now)
