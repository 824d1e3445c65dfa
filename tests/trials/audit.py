"""After a trial, when all has come to rest: a city's database against what its NASes counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, select

from hotspot.values import MacAddress, Octets
from store import residents
from store.schema import decision, device, nas, session, usage_daily, voucher, voucher_usage_daily
from store.store import Connection
from tests.trials.oracle import Oracle, Use
from tests.trials.stay import Stay
from tests.trials.town import Town

START_TOLERANCE = timedelta(seconds=50)
"""What a late Start without a timestamp may move a session's beginning: retries of the same octets and the network."""


def audit(town: Town, oracle: Oracle) -> None:
    """AssertionError names the first thing that is not as it must be."""
    with town.city.store.read() as conn:
        macs = _macs(conn, town)
        _audit_sessions(conn, macs, oracle)
        _audit_days(conn, macs, oracle)
        _audit_vouchers(conn, town, oracle)


def refusals(town: Town) -> Counter[str]:
    """How often the decision log has each reason."""
    query = select(decision.c.reason, func.count()).where(decision.c.reason.is_not(None)).group_by(decision.c.reason)
    with town.city.store.read() as conn:
        return Counter({f"refused: {reason}": count for reason, count in conn.execute(query)})


def _macs(conn: Connection, town: Town) -> dict[int, MacAddress]:
    found = {
        id_: residents.mac_of(conn, town.city.store.keys, id_) for id_ in conn.execute(select(device.c.id)).scalars()
    }
    return {id_: mac for id_, mac in found.items() if mac is not None}


def _audit_sessions(conn: Connection, macs: dict[int, MacAddress], oracle: Oracle) -> None:
    """Each stay is one session, and there is no session else: so none is another city's."""
    query = select(session, nas.c.name).join(nas, nas.c.id == session.c.nas_id).order_by(session.c.started_at)
    rows: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in conn.execute(query):
        rows[row.name, row.acct_session_id].append(row)
    stays: defaultdict[tuple[str, str], list[Stay]] = defaultdict(list)
    for stay in oracle.stays:
        if stay.heard:
            stays[stay.nas, stay.acct_session_id].append(stay)
    for key in rows.keys() | stays.keys():
        ours, truth = rows[key], sorted(stays[key], key=lambda stay: stay.began)
        assert len(ours) == len(truth), f"{key}: {len(ours)} sessions for {len(truth)} stays"
        for row, stay in zip(ours, truth, strict=True):
            _audit_session(row, stay, macs, oracle, f"{key} begun at {stay.began:.0f} s")


def _audit_session(row: Row, stay: Stay, macs: dict[int, MacAddress], oracle: Oracle, what: str) -> None:
    octets = Octets(row.segment_down + row.finished_down, row.segment_up + row.finished_up)
    assert macs[row.device_id] == stay.mac, f"{what}: another device's"
    assert row.grant_id == stay.grant_id, f"{what}: another grant's"
    assert (row.seconds, octets) == (stay.committed_seconds, stay.committed_octets), f"{what}: not what was committed"
    began = oracle.at(stay.began)
    assert -timedelta(seconds=2) <= row.started_at - began <= START_TOLERANCE, f"{what}: stored as {row.started_at}"
    assert row.ended_at is not None, f"{what}: still open"
    if stay.stopped:
        assert (row.seconds, octets) == (stay.seconds, stay.octets), f"{what}: not what the NAS counted"
        assert not row.estimated, f"{what}: its Stop was not believed"


def _audit_days(conn: Connection, macs: dict[int, MacAddress], oracle: Oracle) -> None:
    """What a record adds counts on the local day on which it was received (docs/testing.md)."""
    found = {
        (macs[row.device_id], row.day): (row.seconds, row.octets_down, row.octets_up)
        for row in conn.execute(select(usage_daily))
    }
    _same(found, {key: _figures(use) for key, use in oracle.day_of_device.items()}, "usage by device and day")
    for mac, use in oracle.of_device.items():
        of_stays = sum(stay.committed_seconds for stay in oracle.stays if stay.mac == mac)
        assert use.seconds == of_stays, "the days' sum is not the sessions' sum"


def _audit_vouchers(conn: Connection, town: Town, oracle: Oracle) -> None:
    keys = town.city.store.keys
    codes = {
        row.id: keys.unseal("voucher-code", bytes(row.code_sealed)).decode()
        for row in conn.execute(select(voucher.c.id, voucher.c.code_sealed))
    }
    found = {
        (codes[row.voucher_id], row.day): (row.seconds, row.octets_down, row.octets_up)
        for row in conn.execute(select(voucher_usage_daily))
    }
    _same(found, {key: _figures(use) for key, use in oracle.day_of_voucher.items()}, "usage by voucher and day")


def _same(found: Mapping[Any, Any], truth: Mapping[Any, Any], what: str) -> None:
    differing = [key for key in found.keys() | truth.keys() if found.get(key) != truth.get(key)]
    assert not differing, f"{what}: {differing[0]} is {found.get(differing[0])}, not {truth.get(differing[0])}"


def _figures(use: Use) -> tuple[int, int, int]:
    return use.seconds, use.octets.down, use.octets.up
