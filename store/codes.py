"""One-time codes: stored as keyed hashes, with a keyed hash of where each was sent, for the limits alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from hotspot.codes import Asked, OneTimeCode
from hotspot.plan import Way
from store.keys import KeyRing
from store.rows import pick
from store.schema import one_time_code


def add(
    conn: Connection,
    keys: KeyRing,
    *,
    device_id: int,
    way: Way,
    address: str,
    code: str,
    message_id: int,
    expires_at: datetime,
    now: datetime,
) -> int:
    """A new code for a device, and the message that carries it. Needs `write()`."""
    values = {
        "device_id": device_id,
        "way": way.value,
        "address_hash": keys.keyed_hash(_ADDRESS, _addressed(way, address)),
        "code_hash": keys.keyed_hash(_CODE, _bound(device_id, code)),
        "message_id": message_id,
        "created_at": now,
        "expires_at": expires_at,
    }
    return int(conn.execute(insert(one_time_code).values(**values).returning(one_time_code.c.id)).scalar_one())


_ADDRESS, _CODE = "code-address", "one-time-code"


def _bound(device_id: int, code: str) -> bytes:
    return f"{device_id}:{code}".encode()


def _addressed(way: Way, address: str) -> bytes:
    return f"{way.value}\0{address.lower()}".encode()


def hashes_of(keys: KeyRing, device_id: int, code: str) -> tuple[bytes, ...]:
    """What a device's code is stored as, under each master key that is held."""
    return keys.keyed_hashes(_CODE, _bound(device_id, code))


def asked(conn: Connection, keys: KeyRing, *, device_id: int, way: Way, address: str, since: datetime) -> Asked:
    """Codes of this way since then: by this device, to this address, and in the whole city."""
    columns = one_time_code.c
    lately = (columns.way == way.value, columns.created_at > since)
    times = select(columns.created_at).where(*lately)
    hashes = keys.keyed_hashes(_ADDRESS, _addressed(way, address))
    in_city = select(func.count()).select_from(one_time_code).where(*lately)
    return Asked(
        by_device=list(conn.execute(times.where(columns.device_id == device_id)).scalars()),
        to_address=list(conn.execute(times.where(columns.address_hash.in_(hashes))).scalars()),
        in_city=int(conn.execute(in_city).scalar_one()),
    )


def of_device(conn: Connection, device_id: int, way: Way, *, now: datetime) -> list[OneTimeCode]:
    """The device's codes that have not expired."""
    columns = one_time_code.c
    query = select(one_time_code).where(columns.device_id == device_id, columns.way == way.value)
    return [pick(OneTimeCode, row) for row in conn.execute(query.where(columns.expires_at > now)).mappings()]


def latest_message(conn: Connection, device_id: int, way: Way, *, now: datetime) -> int | None:
    """The message that carries the device's newest unused code; None where it has none."""
    columns = one_time_code.c
    mine = (columns.device_id == device_id, columns.way == way.value, columns.used_at.is_(None))
    query = select(columns.message_id).where(*mine, columns.expires_at > now)
    return conn.execute(query.order_by(columns.id.desc()).limit(1)).scalar()


def note_wrong(conn: Connection, device_id: int, way: Way, *, now: datetime) -> None:
    """A wrong guess counts against every code of the device that could have been meant. Needs `write()`."""
    columns = one_time_code.c
    meant = (columns.device_id == device_id, columns.way == way.value, columns.used_at.is_(None))
    counted = update(one_time_code).where(*meant, columns.expires_at > now)
    conn.execute(counted.values(attempts=columns.attempts + 1))


def use(conn: Connection, code_id: int, *, until: datetime, now: datetime) -> None:
    """The code was typed: from now on it is good for its own device only as long as the grant. Needs `write()`."""
    values = {"used_at": now, "expires_at": until}
    conn.execute(update(one_time_code).where(one_time_code.c.id == code_id).values(**values))


def purge(conn: Connection, *, expired_before: datetime, created_before: datetime) -> int:
    """Delete codes that neither admit nor count any more. Needs `write()`."""
    columns = one_time_code.c
    old = (columns.expires_at < expired_before, columns.created_at < created_before)
    return conn.execute(one_time_code.delete().where(*old)).rowcount
