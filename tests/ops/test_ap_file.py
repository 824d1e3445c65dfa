"""`kogge ap import` and `export`: all of a file or nothing, updates by name, round trips with and without secrets."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotspot.ap_file import ROWS_MAX
from ops.cli import main
from tests.support.installation import Written

HEADER = "name,site,address,port,kind,version,community,user,auth_password,priv_password"


def run(made: Written, *words: object, text: str = "") -> Result:
    command = ["ap", *map(str, words), "--dir", str(made.path)]
    return CliRunner().invoke(main, command, input=text, catch_exceptions=False)


def write(folder: Path, *lines: str) -> Path:
    file = folder / "points.csv"
    file.write_text("\n".join([HEADER, *lines, ""]))
    return file


def names(made: Written) -> dict[str, dict[str, object]]:
    listed = run(made, "list", "rostock", "--json", "--limit", 20_000).stdout
    return {each["name"]: each for each in json.loads(listed)["access_points"]}


def test_all_lines_or_none(made: Written, tmp_path: Path) -> None:
    good = "kran,stadthafen,10.9.0.1,,,,only-us,,,"
    before = set(names(made))
    broken = write(tmp_path, good, "kran-2,strand,10.9.0.2,,,,x,,,", "kran-3,stadthafen,10.9.0.3,,,,,kogge,short,")
    result = run(made, "import", "rostock", broken)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0].startswith("points.csv: line 3, site: There is no site strand.")
    assert "points.csv: line 4, auth_password: Write 8 to 128 signs of ASCII." in result.stderr
    assert result.stderr.splitlines()[-1] == "points.csv: nothing was imported"
    assert set(names(made)) == before
    tried = run(made, "import", "rostock", write(tmp_path, good), "--dry-run")
    assert tried.stdout == "points.csv: 1 added, 0 changed, 0 as they were; only tried, nothing was done\n"
    assert set(names(made)) == before
    assert run(made, "import", "rostock", write(tmp_path, good)).exit_code == 0
    assert set(names(made)) == before | {"kran"}


def test_a_line_changes_the_access_point_of_its_name(made: Written, tmp_path: Path) -> None:
    run(made, "import", "rostock", write(tmp_path, "kran,stadthafen,10.9.0.1,,,,only-us,,,"))
    moved = write(tmp_path, "kran,neuer-markt,10.9.0.2,1161,controller,,,,,")
    assert run(made, "import", "rostock", moved).stdout == "points.csv: 0 added, 1 changed, 0 as they were\n"
    assert run(made, "import", "rostock", moved).stdout == "points.csv: 0 added, 0 changed, 1 as they were\n"
    point = names(made)["kran"]
    assert (point["site"], point["address"], point["port"], point["kind"]) == (
        "neuer-markt",
        "10.9.0.2",
        1161,
        "controller",
    )
    assert "only-us" in run(made, "show", "rostock", "kran", "--secrets").stdout, "it stays as it was"
    run(
        made,
        "import",
        "rostock",
        write(tmp_path, "kran,neuer-markt,10.9.0.2,1161,controller,,,kogge,auth-new,priv-new"),
    )
    assert "auth-new" in run(made, "show", "rostock", "kran", "--secrets").stdout


def test_a_new_one_without_a_credential_gets_its_networks(made: Written, tmp_path: Path) -> None:
    file = write(tmp_path, "kran,stadthafen,10.9.0.1,,,,,,,")
    result = run(made, "import", "rostock", file)
    assert result.exit_code == 2 and "line 2, community: None is given, and none is kept for 10.9.0.1" in result.stderr
    run(made, "credential", "add", "rostock", "all", "--network", "10.9.0.0/16", text="only-us\n")
    assert run(made, "import", "rostock", file).exit_code == 0
    assert "only-us" in run(made, "show", "rostock", "kran", "--secrets").stdout


@pytest.mark.parametrize("secrets", [True, False])
def test_an_export_is_imported_without_a_change(secrets: bool, made: Written, tmp_path: Path) -> None:
    options = ("--secrets",) if secrets else ()
    file = tmp_path / "out.csv"
    assert run(made, "export", "rostock", file, *options).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run(made, "export", "rostock", *options).stdout == file.read_text()
    assert ("community" in file.read_text()) == secrets
    again = run(made, "import", "rostock", file)
    assert again.stdout == f"out.csv: 0 added, 0 changed, {len(names(made))} as they were\n", again.output
    over = run(made, "export", "rostock", file)
    assert over.exit_code == 2 and "cannot be written (File exists)" in over.stderr


@pytest.mark.slow
def test_ten_thousand_lines_are_imported_at_once(made: Written, tmp_path: Path) -> None:
    lines = [f"ap-{n},stadthafen,10.9.{n // 250}.{n % 250 + 1},,,,only-us-{n},,," for n in range(ROWS_MAX)]
    file = write(tmp_path, *lines)
    began = time.monotonic()
    assert f"{ROWS_MAX} added" in run(made, "import", "rostock", file).stdout
    assert f"{ROWS_MAX} as they were" in run(made, "import", "rostock", file).stdout
    changed = file.write_text(file.read_text().replace("stadthafen", "neuer-markt"))
    assert changed and f"{ROWS_MAX} changed" in run(made, "import", "rostock", file).stdout
    print(f"three imports: {time.monotonic() - began:.1f} s")
