"""Making and mending an installation: files, keys, databases, the seed, the first admin. Nothing else writes keys.

Everything here may be run again: what stands already is left as it is.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

from config.load import FILE_NAME, load_installation
from config.model import CityConfig, Installation
from hotspot.errors import ConfigError
from hotspot.roles import Role
from ops.seeding import import_seed
from service.cities import key_folder, open_store
from store import audit, keys, migrate, staff
from store.store import Store, Unusable

INVITE_DAYS = 7
"""How long a one-time link is good."""

FIRST_ADMIN = "admin"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What `init` did for one city. `invite` is the first admin's one-time link, None where staff existed."""

    city: CityConfig
    keys: tuple[str, ...]
    seeded: bool
    invite: str | None


def lay_files(folder: Path, only: Sequence[str] = (), *, say: Say, overwrite: bool = False) -> None:
    """The shipped `kogge.toml` and cities (or those in `only`) into `folder`, where there are none.

    `overwrite` renews them. ConfigError where `only` names a city that is not shipped.
    """
    if (folder / FILE_NAME).exists() and not overwrite:
        return
    with as_file(files("config")) as shipped:
        cities = {source.stem: source for source in sorted((shipped / "cities").glob("*.toml"))}
        for key in only:
            if key not in cities:
                raise ConfigError(f"no file of {key!r} is shipped; copy one of {', '.join(cities)}")
        (folder / "cities").mkdir(parents=True, exist_ok=True)
        for source in (shipped / FILE_NAME, *(cities[key] for key in only or cities)):
            shutil.copyfile(source, folder / source.relative_to(shipped))
    say(f"wrote {folder / FILE_NAME} and {folder / 'cities'}")


def initialise(path: Path, only: Sequence[str], *, now: datetime, say: Say) -> list[Made]:
    """Keys, databases, seeds and first admins of the installation's cities. ConfigError names what stops it."""
    installation, cities = select_cities(path, only)
    made = []
    for city in cities:
        each = _initialise_city(installation, city, now=now)
        seed = "seed imported" if each.seeded else "its seed stays out: the database has content already"
        say(f"{city.key}: {len(each.keys)} keys made, database ready, {seed}")
        made.append(each)
    return made


def migrate_all(path: Path, only: Sequence[str], *, now: datetime, say: Say) -> None:
    """Bring every city's database to this version, and make the period keys of the months ahead."""
    installation, cities = select_cities(path, only)
    for city in cities:
        fresh = keys.make_missing(key_folder(installation, city), now=now)
        store = _open(installation, city, now=now)
        try:
            before = migrate.current_revision(store.engine)
            migrate.upgrade(store.engine)
            say(f"{city.key}: revision {before or 'none'} -> {migrate.head_revision()}, {len(fresh)} new keys")
        finally:
            store.close()


def select_cities(path: Path, only: Sequence[str]) -> tuple[Installation, list[CityConfig]]:
    """All cities, or those named. ConfigError where a file that is wanted is broken, or a named one is missing.

    Another city's broken file is nothing to whoever named a sound one.
    """
    loaded = load_installation(path)
    problems = [str(problem) for problem in loaded.problems]
    known = {city.key: city for city in loaded.cities}
    missing = [key for key in only if key not in known]
    if missing:
        raise ConfigError("\n".join([*problems, *(_no_such_city(key, known) for key in missing)]))
    if problems and not only:
        raise ConfigError("\n".join(problems))
    return loaded.installation, [city for city in loaded.cities if not only or city.key in only]


def _no_such_city(key: str, known: Iterable[str]) -> str:
    return f"no city {key!r} here; there are {', '.join(sorted(known)) or 'none'}"


def _initialise_city(installation: Installation, city: CityConfig, *, now: datetime) -> Made:
    made = keys.make_missing(key_folder(installation, city), now=now)
    store = _open(installation, city, now=now)
    try:
        migrate.upgrade(store.engine)
        seeded = import_seed(store, city.seed, now=now)
        return Made(city, tuple(made), seeded, _first_admin(store, city, now=now))
    finally:
        store.close()


def _open(installation: Installation, city: CityConfig, *, now: datetime) -> Store:
    store = open_store(installation, city, now=now)
    try:
        store.ping()
    except Unusable as error:
        store.close()
        cause = str(error.__cause__ or error).splitlines()[0]
        raise ConfigError(f"{city.key}: the database does not answer ({cause})") from None
    return store


def _first_admin(store: Store, city: CityConfig, *, now: datetime) -> str | None:
    with store.write() as conn:
        if staff.by_login(conn, FIRST_ADMIN) is not None:
            return None
        staff.add(conn, login=FIRST_ADMIN, name="Admin", role=Role.ADMIN, now=now)
    return invite(store, city, login=FIRST_ADMIN, name="Admin", role=Role.ADMIN, now=now)


def invite(store: Store, city: CityConfig, *, login: str, name: str, role: Role, now: datetime) -> str:
    """A one-time link with which a member sets a password; a new login becomes a member first."""
    token = secrets.token_urlsafe(32)
    with store.write() as conn:
        member = staff.by_login(conn, login)
        if member is not None and member.role is not role:
            raise ConfigError(f"{login!r} is {member.role.value} already; a member has one role")
        staff_id = member.id if member else staff.add(conn, login=login, name=name, role=role, now=now)
        staff.add_invite(conn, staff_id=staff_id, token=token, expires_at=now + timedelta(days=INVITE_DAYS))
        audit.add(conn, now=now, action="staff.invite", subject=login, role=role.value)
    return f"{city.portal.staff_url}/staff/invite/{token}"
