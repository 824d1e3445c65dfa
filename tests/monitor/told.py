"""What a device would tell, from a plain mapping of object identifiers: instead of a walk."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.oids import Oid, Value
from monitor.profile import Column, Profile
from monitor.reading import Told
from monitor.walk import Walked


def told(profile: Profile, values: Mapping[Oid, Value]) -> Told:
    """The profile's scalars and tables out of the values."""
    tables = {}
    for table in profile.tables:
        cells = [_cells(column, values) for column in table.columns]
        indexes = sorted(set().union(*cells))
        tables[table.name] = Walked(tuple((index, tuple(cell.get(index) for cell in cells)) for index in indexes))
    return Told(tuple(values.get(column.oid) for column in profile.scalars), tables)


def _cells(column: Column, values: Mapping[Oid, Value]) -> dict[Oid, Value]:
    depth = len(column.oid)
    under = {oid[depth:]: value for oid, value in values.items() if len(oid) > depth and oid[:depth] == column.oid}
    if column.instance is None:
        return under
    named = {column.instance.row(index): value for index, value in under.items()}
    return {index: value for index, value in named.items() if index is not None}
