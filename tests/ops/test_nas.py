"""`kogge nas`: what an operator types to add, change, remove, import and export NASes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotspot.nas_file import ROWS_MAX, TEMPLATE
from hotspot.products import PRODUCTS
from hotspot.session import Totals
from hotspot.values import MacAddress
from ops import csv_input
from ops.cli import main
from service.cities import open_city
from store import accounting, audit, nases, residents
from store.accounting import Session
from tests.ops.conftest import Kogge
from tests.support.installation import Written

GOOD = ("--site", "stadthafen", "--product", "mikrotik", "--address", "192.0.2.7", "--login-url", "http://10.5.50.1")


def listed(made: Written, kogge: Kogge) -> dict[str, dict[str, object]]:
    result = kogge("nas", "list", "rostock", "--json", "--dir", made.path)
    assert result.exit_code == 0, result.output
    return {each["name"]: each for each in json.loads(result.stdout)["nases"]}


def add(made: Written, kogge: Kogge, name: str = "hafen", *options: object) -> Result:
    return kogge("nas", "add", "rostock", name, *GOOD, *options, "--dir", made.path)


def secret_in(text: str) -> str:
    found = re.search(r'secret="([A-Za-z0-9]{24})"', text)
    assert found, text
    return found[1]


# Adding ----------------------------------------------------------------------------------------------


def test_add_registers_and_prints_what_to_type_in(made: Written, kogge: Kogge) -> None:
    result = add(made, kogge)
    assert result.exit_code == 0, result.output
    radius = made.cities["rostock"].radius
    garden = "walled-garden add dst-host=rostock.localhost"
    for word in (f"authentication-port={radius.auth_port}", 'name="hafen"', garden):
        assert word in result.stdout
    assert listed(made, kogge)["hafen"] == {
        "id": 2,
        "name": "hafen",
        "site": "stadthafen",
        "product": "mikrotik",
        "address": "192.0.2.7",
        "nas_identifier": "hafen",
        "login_url": "http://10.5.50.1",
        "coa_port": 3799,
        "require_message_authenticator": "yes",
        "limit_proxy_state": True,
        "octets_swapped": False,
        "handoff": "mikrotik",
        "walled_garden": "",
    }
    shown = kogge("nas", "show", "rostock", "hafen", "--dir", made.path).stdout
    assert secret_in(shown) == secret_in(result.stdout)


def test_a_secret_comes_from_a_file_or_standard_input(made: Written, tmp_path: Path, kogge: Kogge) -> None:
    (tmp_path / "secret").write_text("secret-of-the-file\n")
    words = [
        "nas",
        "add",
        "rostock",
        "hafen",
        *GOOD,
        "--secret-file",
        str(tmp_path / "secret"),
        "--uam-secret-file",
        "-",
    ]
    result = CliRunner().invoke(main, [*words, "--dir", str(made.path)], input="uam-secret-typed\n")
    assert result.exit_code == 0, result.output
    shown = kogge("nas", "show", "rostock", "hafen", "--dir", made.path).stdout
    assert re.search(r"RADIUS secret: +secret-of-the-file$", shown, re.MULTILINE)
    assert re.search(r"UAM secret: +uam-secret-typed$", shown, re.MULTILINE)


def test_every_wrong_option_is_named_with_what_would_be_right(made: Written, tmp_path: Path, kogge: Kogge) -> None:
    (tmp_path / "secret").write_text("short")
    wrong = ("--site", "kai", "--address", "192.0.2.7/24", "--coa-port", "0", "--secret-file", tmp_path / "secret")
    result = add(made, kogge, "ä", *wrong)
    assert result.exit_code == 2 and result.stdout == ""
    lines = result.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "NAME", "--site", "--address", "--nas-identifier", "--coa-port", "--secret-file",
    ]  # fmt: skip
    assert "Write 192.0.2.7, or the whole network: 192.0.2.0/24." in lines[2]
    assert set(listed(made, kogge)) == {"rostock-gateway"}


def test_what_is_needed_is_said(made: Written, kogge: Kogge) -> None:
    result = kogge("nas", "add", "rostock", "hafen", "--dir", made.path)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [f"--{name}: This is needed." for name in ("site", "product", "address")]


def test_a_name_that_is_taken(made: Written, kogge: Kogge) -> None:
    add(made, kogge)
    taken = "hafen is another NAS's already. Each needs its own."
    assert add(made, kogge).stderr == f"NAME: {taken}\n--nas-identifier: {taken}\n"
    assert add(made, kogge, "b", "--nas-identifier", "hafen").stderr == f"--nas-identifier: {taken}\n"


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_can_be_added_and_shown(made: Written, kogge: Kogge, product: str) -> None:
    assert add(made, kogge, "hafen", "--product", product).exit_code == 0
    shown = kogge("nas", "show", "rostock", "hafen", "--dir", made.path)
    assert shown.exit_code == 0 and PRODUCTS[product].name in shown.stdout and "rostock.localhost" in shown.stdout


def test_who_did_it_stands_in_the_audit_log_without_secrets(made: Written, kogge: Kogge) -> None:
    secret = secret_in(add(made, kogge).stdout)
    kogge("nas", "change", "rostock", "hafen", "--new-secret", "--dir", made.path)
    city = open_city(made.installation, made.cities["rostock"], now=datetime.now(UTC))
    with city.store.read() as conn:
        changed, added = audit.entries(conn, limit=2)
    city.store.close()
    assert (added.action, added.login, added.detail["by"]) == ("nas.add", None, "command line")
    assert changed.detail == {"by": "command line", "secret": "changed"}
    assert secret not in repr((added, changed))


# Changing and removing -------------------------------------------------------------------------------


def test_change_changes_what_is_named_alone(made: Written, kogge: Kogge) -> None:
    before_secret, before = secret_in(add(made, kogge).stdout), listed(made, kogge)["hafen"]
    result = kogge("nas", "change", "rostock", "hafen", "--coa-port", "1700", "--name", "ost", "--dir", made.path)
    assert result.stdout.startswith("ost: changed name, coa_port; see `kogge nas show rostock ost`")
    assert listed(made, kogge)["ost"] == before | {"name": "ost", "coa_port": 1700}
    assert secret_in(kogge("nas", "show", "rostock", "ost", "--dir", made.path).stdout) == before_secret
    assert (
        "nothing to change" in kogge("nas", "change", "rostock", "ost", "--coa-port", "1700", "--dir", made.path).stdout
    )


def test_a_new_secret_is_made(made: Written, kogge: Kogge) -> None:
    before = secret_in(add(made, kogge).stdout)
    kogge("nas", "change", "rostock", "hafen", "--new-secret", "--dir", made.path)
    assert secret_in(kogge("nas", "show", "rostock", "hafen", "--dir", made.path).stdout) != before


def test_change_says_what_is_wrong(made: Written, kogge: Kogge) -> None:
    add(made, kogge)
    result = kogge("nas", "change", "rostock", "hafen", "--nas-identifier", "rostock-gw-0001", "--dir", made.path)
    assert result.exit_code == 2 and "--nas-identifier: rostock-gw-0001 is another NAS's" in result.stderr
    assert listed(made, kogge)["hafen"]["nas_identifier"] == "hafen"


@pytest.mark.parametrize("words", [("change",), ("remove", "--yes"), ("show",)])
def test_what_is_not_there(made: Written, kogge: Kogge, words: tuple[str, ...]) -> None:
    result = kogge("nas", words[0], "rostock", "nowhere", *words[1:], "--dir", made.path)
    assert result.exit_code == 2 and "rostock has no NAS 'nowhere'; see `kogge nas list rostock`" in result.stderr


def test_remove_asks_and_says_how_many_are_online(made: Written, kogge: Kogge) -> None:
    add(made, kogge)
    city, now = open_city(made.installation, made.cities["rostock"], now=datetime.now(UTC)), datetime.now(UTC)
    with city.store.write() as conn:
        device_id = residents.note_device(conn, city.store.keys, MacAddress(b"\2\0\0\0\0\1"), now=now)
        totals = Totals(now, now, start_seen=True)
        row = Session(None, device_id, None, 2, "s", "t", "", "", "", now.date(), totals)
        accounting.save_many(conn, [(None, row)])
    words = ["nas", "remove", "rostock", "hafen", "--dir", str(made.path)]
    asked = CliRunner().invoke(main, words, input="n\n")
    assert asked.exit_code == 1 and "hafen: 1 sessions are open there. Remove it?" in asked.output
    assert "hafen" in listed(made, kogge)
    done = kogge(*words, "--yes")
    assert (done.exit_code, done.stdout) == (0, "Removed hafen; 1 open sessions closed.\n")
    assert "hafen" not in listed(made, kogge)
    with city.store.read() as conn:
        assert nases.open_sessions(conn, 2) == 0
    city.store.close()
    assert add(made, kogge).exit_code == 0, "the name is free again"


# Many at once ----------------------------------------------------------------------------------------

HEADER = "name,site,product,address,nas_identifier,login_url"


def write(folder: Path, *lines: str) -> Path:
    file = folder / "nases.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def row(number: int) -> str:
    return f"n{number},stadthafen,mikrotik,10.0.{number // 250}.{number % 250 + 1},gw-{number},http://10.5.50.1"


def test_import_adds_all(made: Written, tmp_path: Path, kogge: Kogge) -> None:
    file = write(tmp_path, HEADER, row(1), row(2))
    tried = kogge("nas", "import", "rostock", file, "--dry-run", "--dir", made.path)
    assert (tried.exit_code, tried.stdout) == (0, "nases.csv: 2 NASes would be added\n")
    assert set(listed(made, kogge)) == {"rostock-gateway"}
    done = kogge("nas", "import", "rostock", file, "--dir", made.path)
    assert done.stdout == "nases.csv: 2 NASes added; RADIUS knows them within two seconds\n"
    assert set(listed(made, kogge)) == {"rostock-gateway", "n1", "n2"}


def test_import_adds_nothing_where_a_line_is_bad(made: Written, tmp_path: Path, kogge: Kogge) -> None:
    file = write(tmp_path, HEADER, row(1), row(2).replace("stadthafen", "kai"), row(1), "rostock-gateway,x")
    result = kogge("nas", "import", "rostock", file, "--dir", made.path)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.splitlines() == [
        "nases.csv: line 3, site: There is no site kai. Sites are: neuer-markt, stadthafen, warnemuende.",
        "nases.csv: line 4, name: n1 is another NAS's already. Each needs its own.",
        "nases.csv: line 4, nas_identifier: gw-1 is another NAS's already. Each needs its own.",
        "nases.csv: line 5: 2 fields instead of the header's 6; quote a field that has the separator in it",
        "nases.csv: nothing was added",
    ]
    assert set(listed(made, kogge)) == {"rostock-gateway"}


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"name\n", "line 1: the header has no site"),
        (f"{HEADER}\nM\xfcritz,,,,,\n".encode("latin-1"), "line 2: not UTF-8; save it as"),
        (b"x" * (csv_input.FILE_BYTES_MAX + 1), "larger than 4 MB; split it"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_what_is_no_such_file(made: Written, tmp_path: Path, kogge: Kogge, octets: bytes | None, said: str) -> None:
    file = tmp_path / "nases.csv"
    if octets is not None:
        file.write_bytes(octets)
    result = kogge("nas", "import", "rostock", file, "--dir", made.path)
    assert result.exit_code == 2 and said in result.stderr


@pytest.mark.slow
def test_the_largest_file_is_imported(made: Written, tmp_path: Path, kogge: Kogge) -> None:
    file = write(tmp_path, HEADER, *map(row, range(ROWS_MAX)))
    assert kogge("nas", "import", "rostock", file, "--dir", made.path).exit_code == 0
    assert len(listed(made, kogge)) == ROWS_MAX + 1


def test_a_terminal_sees_how_far_it_is(made: Written, tmp_path: Path) -> None:
    file = write(tmp_path, HEADER, *map(row, range(csv_input.PROGRESS_ROWS)))
    program, leader = Path(sys.executable).parent / "kogge", os.openpty()
    words = [program, "nas", "import", "rostock", file, "--dir", made.path]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=leader[1]) as process:
        os.close(leader[1])
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            while octets := os.read(leader[0], 65_536):
                shown += octets
    os.close(leader[0])
    assert process.returncode == 0 and b"Adding" in shown and b"100%" in shown


def test_an_export_can_be_imported_elsewhere(made: Written, tmp_path: Path, kogge: Kogge) -> None:
    secret = secret_in(add(made, kogge).stdout)
    plain = kogge("nas", "export", "rostock", "--dir", made.path).stdout
    assert plain.splitlines()[0] == TEMPLATE and secret not in plain
    whole = kogge("nas", "export", "rostock", "--secrets", "--dir", made.path).stdout
    assert secret in whole
    site = made.cities["wismar"].seed.sites[0].key
    rows = [line | {"site": site} for line in csv.DictReader(io.StringIO(whole)) if line["name"] == "hafen"]
    lines = [TEMPLATE, *(",".join(each.values()) for each in rows)]
    assert kogge("nas", "import", "wismar", write(tmp_path, *lines), "--dir", made.path).exit_code == 0
    shown = kogge("nas", "show", "wismar", "hafen", "--dir", made.path).stdout
    assert secret_in(shown) == secret


def test_help_shows_the_header(kogge: Kogge) -> None:
    assert TEMPLATE in kogge("nas", "import", "--help").output, "on one line, to be copied"
