"""NASes added, changed and removed by people, on both databases: what is kept, sealed, noted, and refused."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update

from hotspot.nas import NasEntry, NasError
from hotspot.roles import Role
from hotspot.session import Contact, Totals
from hotspot.values import MacAddress
from service.cities import City
from store import accounting, audit, nases, residents, schema, self_test, staff
from store.accounting import Session
from store.nases import COMMAND_LINE, Author, Nas
from tests.conftest import NOW

SECRET, UAM_SECRET = "radius-geheimnis", "uam-geheimnis-1"
ENTRY = NasEntry(
    "Hafen", "stadthafen", "mikrotik", "192.0.2.7", "hafen-1", "http://10.5.50.1", 3799, "yes", True, False,
    "mikrotik", "", SECRET, UAM_SECRET,
)  # fmt: skip


def add(city: City, entry: NasEntry = ENTRY, *, author: Author = COMMAND_LINE, now: datetime = NOW) -> int:
    with city.store.write() as conn:
        return nases.add(conn, city.store.keys, entry, author=author, now=now)


def change(city: City, nas_id: int, entry: NasEntry) -> list[str] | None:
    with city.store.write() as conn:
        return nases.change(conn, city.store.keys, nas_id, entry, author=COMMAND_LINE, now=NOW)


def remove(city: City, nas_id: int) -> bool:
    with city.store.write() as conn:
        return nases.remove(conn, nas_id, author=COMMAND_LINE, now=NOW)


def stored(city: City, nas_id: int) -> Nas:
    with city.store.read() as conn:
        found = nases.by_id(conn, city.store.keys, nas_id)
    assert found is not None
    return found


def notes(city: City) -> list[audit.Entry]:
    with city.store.read() as conn:
        return audit.entries(conn, limit=100)


def test_a_nas_is_added_with_its_secrets_sealed(city: City) -> None:
    nas_id = add(city)
    nas = stored(city, nas_id)
    assert (nas.name, nas.site_name, nas.address, nas.coa_port) == ("Hafen", "Stadthafen", "192.0.2.7", 3799)
    assert (nas.secret, nas.uam_secret) == (SECRET.encode(), UAM_SECRET.encode())
    with city.store.read() as conn:
        assert nases.by_name(conn, city.store.keys, "Hafen") == nas
        assert nases.entries(conn, city.store.keys)[nas_id] == ENTRY
        rows = [list(conn.execute(table.select())) for table in schema.metadata.sorted_tables]
    assert "geheimnis" not in repr(rows), "in no table, the audit log included"


def test_who_did_what_is_noted(city: City) -> None:
    with city.store.write() as conn:
        staff_id = staff.add(conn, login="anna", name="Anna", role=Role.ADMIN, now=NOW)
    nas_id = add(city, author=Author(staff_id))
    change(city, nas_id, replace(ENTRY, coa_port=1700, secret="a-new-geheimnis"))
    remove(city, nas_id)
    removed, changed, added = notes(city)
    assert {entry.subject for entry in (removed, changed, added)} == {f"nas:{nas_id}"}
    assert (added.login, added.action, added.detail["address"]) == ("anna", "nas.add", "192.0.2.7")
    assert "secret" not in added.detail and "by" not in added.detail
    assert (changed.login, changed.action) == (None, "nas.change")
    assert changed.detail == {"by": "command line", "coa_port": 1700, "secret": "changed"}
    assert (removed.action, removed.detail["name"]) == ("nas.remove", "Hafen")
    assert "geheimnis" not in repr((removed, changed, added))


def test_an_empty_secret_stays(city: City) -> None:
    nas_id = add(city)
    assert change(city, nas_id, replace(ENTRY, name="Hafen Ost", secret="", uam_secret="")) == ["name"]
    assert (stored(city, nas_id).name, stored(city, nas_id).secret) == ("Hafen Ost", SECRET.encode())
    assert change(city, nas_id, replace(ENTRY, name="Hafen Ost")) == []
    assert len(notes(city)) == 2, "nothing changed, nothing noted"


def test_every_field_can_be_changed(city: City) -> None:
    nas_id = add(city)
    wanted = NasEntry(
        "Markt", "neuer-markt", "coovachilli", "192.0.2.0/24", "markt-1", "http://10.1.0.1:3990", 1700, "auto", False,
        True, "uam", "login.example.org", "x" * 12, "y" * 12,
    )  # fmt: skip
    assert change(city, nas_id, wanted) is not None
    with city.store.read() as conn:
        assert nases.entries(conn, city.store.keys)[nas_id] == wanted


def test_setting_message_authenticator_anew_forgets_what_auto_had_learnt(city: City) -> None:
    nas_id = add(city, replace(ENTRY, require_message_authenticator="auto"))
    with city.store.write() as conn:
        conn.execute(update(schema.nas).where(schema.nas.c.id == nas_id).values(message_authenticator_at=NOW))
    auto = replace(ENTRY, require_message_authenticator="auto")
    change(city, nas_id, replace(auto, name="Other"))
    assert stored(city, nas_id).message_authenticator_at == NOW
    change(city, nas_id, replace(auto, require_message_authenticator="no"))
    assert stored(city, nas_id).message_authenticator_at is None


@pytest.mark.parametrize("field", ["name", "nas_identifier"])
def test_a_name_has_one_nas(city: City, field: str) -> None:
    add(city)
    other = replace(ENTRY, name="Other", nas_identifier="other")
    twin = replace(other, **{field: getattr(ENTRY, field)})
    with pytest.raises(NasError, match=f"{field}: {getattr(ENTRY, field)} is another NAS's"):
        add(city, twin)
    other_id = add(city, other)
    with pytest.raises(NasError, match=f"{field}: "):
        change(city, other_id, twin)
    assert stored(city, other_id).name == "Other"


def test_addresses_may_be_shared(city: City) -> None:
    """Two NASes behind one NAT: the NAS-Identifier tells them apart."""
    first, second = add(city), add(city, replace(ENTRY, name="Other", nas_identifier="other"))
    assert stored(city, first).address == stored(city, second).address


def test_a_removed_nas_is_gone_and_its_name_free(city: City) -> None:
    nas_id = add(city)
    assert remove(city, nas_id)
    with city.store.read() as conn:
        assert nases.by_id(conn, city.store.keys, nas_id) is None
        assert nases.by_name(conn, city.store.keys, "Hafen") is None
        assert [nas.name for nas in nases.nases(conn, city.store.keys)] == ["rostock-gateway"]
        row = conn.execute(select(schema.nas).where(schema.nas.c.id == nas_id)).mappings().one()
    assert row["removed_at"] == NOW, "the row stays: its sessions do"
    assert not remove(city, nas_id) and change(city, nas_id, ENTRY) is None
    again = add(city)
    assert again != nas_id and stored(city, again).name == "Hafen"


def test_removing_closes_what_is_open_there(city: City) -> None:
    """Otherwise they would count as devices at once until a day has passed."""
    here, there = add(city), 1
    with city.store.write() as conn:
        device_id = residents.note_device(conn, city.store.keys, MacAddress(b"\2\0\0\0\0\1"), now=NOW)
        for nas_id in (here, there):
            totals = Totals(NOW - timedelta(hours=1), NOW - timedelta(minutes=1), start_seen=True, seconds=3_540)
            row = Session(None, device_id, None, nas_id, "s", "t", "", "", "", NOW.date(), totals)
            accounting.save_many(conn, [(None, row)])
        assert nases.open_sessions(conn, here) == 1
    remove(city, here)
    with city.store.read() as conn:
        assert (nases.open_sessions(conn, here), nases.open_sessions(conn, there)) == (0, 1)
        closed = conn.execute(select(schema.session).where(schema.session.c.nas_id == here)).mappings().one()
    assert (closed["ended_at"], closed["terminate_cause"]) == (NOW - timedelta(minutes=1), "Admin-Reset")
    assert closed["estimated"] and notes(city)[0].detail["sessions_closed"] == 1


def test_the_built_in_nas_of_the_self_test_is_none_of_them(city: City) -> None:
    with city.store.write() as conn:
        hidden = self_test.register(conn, city.store.keys, listen="127.0.0.1", now=NOW)
        assert hidden is not None
        assert nases.by_id(conn, city.store.keys, hidden.id) is None
        assert hidden.id not in nases.entries(conn, city.store.keys)
        assert not nases.remove(conn, hidden.id, author=COMMAND_LINE, now=NOW)
    assert change(city, hidden.id, ENTRY) is None


def test_two_admins_at_once_make_one_nas_of_a_name(city: City) -> None:
    outcomes: list[str] = []

    def make(number: int) -> None:
        try:
            add(city, replace(ENTRY, nas_identifier=f"gw-{number}"))
            outcomes.append("added")
        except NasError:
            outcomes.append("taken")

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["added", "taken", "taken", "taken"]
    with city.store.read() as conn:
        assert conn.execute(select(func.count()).where(schema.nas.c.name == "Hafen")).scalar_one() == 1


def test_when_a_nas_was_heard_last(city: City) -> None:
    with city.store.write() as conn:
        accounting.save_contact(conn, 1, Contact(NOW, NOW + timedelta(minutes=1)))
        assert nases.last_accounting(conn) == {1: NOW + timedelta(minutes=1)}
        assert nases.sites(conn)["stadthafen"] == "Stadthafen"


def test_the_ciphertext_is_another_each_time(city: City) -> None:
    add(city), add(city, replace(ENTRY, name="Other", nas_identifier="other"))
    with city.store.read() as conn:
        sealed = conn.execute(text("SELECT secret_sealed FROM nas WHERE address = '192.0.2.7'")).scalars().all()
    assert len({bytes(each) for each in sealed}) == 2, "equal secrets do not show as equal"
