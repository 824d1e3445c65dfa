"""`kogge account delete`: for a resident who writes a letter."""

from __future__ import annotations

from datetime import UTC, datetime

from service.cities import open_city
from store import accounts, audit
from tests.ops.conftest import Kogge
from tests.support.installation import Written
from tests.support.rows import all_rows

ADDRESS = "hanna.lind@example.org"


def test_an_account_is_deleted_by_its_address(kogge: Kogge, made: Written) -> None:
    city = open_city(made.installation, made.cities["rostock"], now=datetime.now(UTC))
    with city.store.write() as conn:
        accounts.register(conn, city.store.keys, ADDRESS, password_hash="-", language="de", now=datetime.now(UTC))
    done = kogge("account", "delete", "rostock", " Hanna.Lind@example.org", "--dir", made.path)
    assert done.exit_code == 0 and done.output == "rostock: account 1 is deleted.\n"
    assert all_rows(city.store)["account"] == []
    with city.store.read() as conn:
        (entry,) = [each for each in audit.entries(conn, limit=9) if each.action == "account.delete"]
    assert entry.subject == "account 1" and entry.login is None and "hanna" not in repr(all_rows(city.store)).lower()
    again = kogge("account", "delete", "rostock", ADDRESS, "--dir", made.path)
    assert again.exit_code == 2 and "nobody has an account with this address" in again.output
    city.store.close()


def test_what_is_no_address_is_said(kogge: Kogge, made: Written) -> None:
    done = kogge("account", "delete", "rostock", "hanna", "--dir", made.path)
    assert done.exit_code == 2 and "is not an e-mail address" in done.output
