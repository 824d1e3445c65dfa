"""Every command that returns: what it says, what it does, its exit status."""

from __future__ import annotations

import re
import sqlite3
import stat
from pathlib import Path

import pytest

from ops.cli import main
from tests.ops.conftest import Kogge
from tests.support.commands import commands
from tests.support.installation import Written, change


def break_file(written: Written, key: str) -> None:
    file = written.path / "cities" / f"{key}.toml"
    file.write_text(file.read_text().replace("time_zone", "timezone", 1))


def modes(folder: Path, pattern: str) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.glob(pattern)}


# Help ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), *commands(main)], ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...], kogge: Kogge) -> None:
    for option in ("--help", "-h"):
        result = kogge(*words, option)
        assert result.exit_code == 0 and result.output.startswith("Usage: "), result.output
        assert "..." not in result.output.partition("Commands:")[2], "a summary is cut off"


def test_an_unknown_command_is_the_users_fault(kogge: Kogge) -> None:
    assert kogge("chekc").exit_code == 2


# check -----------------------------------------------------------------------------------------------


def test_check_of_sound_files(two_cities: Written, kogge: Kogge) -> None:
    result = kogge("check", two_cities.path)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "sound: rostock, wismar\n", "")


def test_check_says_all_that_is_wrong(two_cities: Written, kogge: Kogge) -> None:
    break_file(two_cities, "rostock")
    break_file(two_cities, "wismar")
    result = kogge("check", two_cities.path)
    assert result.exit_code == 2 and result.stdout == ""
    assert "rostock.toml" in result.stderr and "wismar.toml" in result.stderr
    assert result.stderr.count("did you mean `time_zone`?") == 2


def test_check_of_a_folder_without_files(tmp_path: Path, kogge: Kogge) -> None:
    result = kogge("check", tmp_path)
    assert result.exit_code == 2 and "kogge.toml: cannot be read" in result.stderr


# init ------------------------------------------------------------------------------------------------


def test_init_makes_keys_that_only_their_owner_reads(made: Written) -> None:
    for key in ("rostock", "wismar"):
        folder = made.installation.data_dir / key / "keys"
        assert modes(folder, "*.*") == {0o600} and modes(folder, "periods/*") == {0o600}
        assert modes(folder.parent, "keys") == {0o700} and modes(folder, "periods") == {0o700}
        assert len(list(folder.glob("periods/*.key"))) == 24
    masters = [(made.installation.data_dir / key / "keys/master-1.key").read_text() for key in ("rostock", "wismar")]
    assert masters[0] != masters[1]


def test_init_writes_the_files_and_a_link_for_each_first_admin(tmp_path: Path, kogge: Kogge) -> None:
    result = kogge("init", tmp_path / "mine")
    assert result.exit_code == 0, result.output
    for key in ("luebeck", "rostock", "stralsund", "wismar"):
        assert f"{key}: 26 keys made, database ready, seed imported" in result.stdout
        assert re.search(
            rf"{key}: first admin, .*http://staff\.{key}\.localhost:8080/staff/invite/\S{{40,}}", result.stdout
        )
    assert kogge("check", tmp_path / "mine").exit_code == 0


def test_init_again_changes_nothing(made: Written, kogge: Kogge) -> None:
    def state() -> dict[str, bytes]:
        keys = {str(path): path.read_bytes() for path in made.installation.data_dir.glob("*/keys/**/*.*")}
        return keys | {str(path): path.read_bytes() for path in made.path.rglob("*.toml")}

    before = state()
    result = kogge("init", made.path)
    assert result.exit_code == 0 and state() == before
    assert "first admin" not in result.stdout
    assert "rostock: 0 keys made, database ready, its seed stays out" in result.stdout


def test_a_city_may_come_later(made: Written, kogge: Kogge) -> None:
    text = (made.path / "cities/wismar.toml").read_text()
    for old, new in (('"wismar"', '"anklam"'), ("wismar.localhost", "anklam.localhost")):
        text = text.replace(old, new)
    ports = [made.cities["wismar"].radius.auth_port, made.cities["wismar"].radius.acct_port]
    for port in ports:
        text = text.replace(str(port), str(port + 2), 1)
    (made.path / "cities/anklam.toml").write_text(text)
    result = kogge("init", made.path)
    assert result.exit_code == 0, result.output
    assert "anklam: 26 keys made, database ready, seed imported" in result.stdout
    assert result.stdout.count("first admin") == 1


def test_init_can_write_files_alone_to_be_edited_first(tmp_path: Path, kogge: Kogge) -> None:
    result = kogge("init", tmp_path, "--files", "--city", "wismar")
    assert result.exit_code == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == {"kogge.toml", "cities/wismar.toml"}
    result = kogge("init", tmp_path, "--files", "--city", "wismar")
    assert result.exit_code == 0, "files that stand there are left"


def test_init_of_a_city_that_is_not_shipped(tmp_path: Path, kogge: Kogge) -> None:
    result = kogge("init", tmp_path, "--files", "--city", "kiel")
    assert result.exit_code == 2 and "copy one of luebeck, rostock, stralsund, wismar" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_init_says_when_a_database_does_not_answer(two_cities: Written, kogge: Kogge) -> None:
    change(two_cities, "cities/rostock.toml", database={"url": "postgresql://kogge@127.0.0.1:1/kogge"})
    result = kogge("init", two_cities.path, "--city", "rostock")
    assert result.exit_code == 2 and "rostock: the database does not answer (" in result.stderr


# migrate ---------------------------------------------------------------------------------------------


def test_migrate_says_from_where_to_where(made: Written, kogge: Kogge) -> None:
    result = kogge("migrate", made.path, "--city", "rostock")
    assert result.exit_code == 0
    assert re.fullmatch(r"rostock: revision \S+ -> \S+, 0 new keys\n", result.stdout)


def test_migrate_makes_the_keys_that_are_missing(made: Written, kogge: Kogge) -> None:
    last = sorted((made.installation.data_dir / "rostock/keys/periods").glob("*.key"))[-1]
    last.unlink()
    assert ", 1 new keys" in kogge("migrate", made.path, "--city", "rostock").stdout
    assert last.exists()


@pytest.mark.parametrize("service", ["portal", "radius", "monitor"])
def test_a_database_of_another_revision_is_refused_with_the_command(
    service: str, made: Written, kogge: Kogge, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite3.connect(made.database("rostock")) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    conn.close()
    with caplog.at_level("ERROR"):
        result = kogge(service, made.path, "--city", "rostock")
    said = caplog.text + result.output
    assert result.exit_code == 2
    assert "rostock: the database has revision 9999" in said and "run `kogge migrate`" in said


# Looking ---------------------------------------------------------------------------------------------


def test_nas_list_and_show(made: Written, kogge: Kogge) -> None:
    config = made.cities["rostock"]
    seed = config.seed.nases[0]
    listed = kogge("nas", "list", "rostock", "--dir", made.path)
    assert listed.exit_code == 0
    for word in (seed.name, seed.nas_identifier, str(seed.address)):
        assert word in listed.stdout, "what is copied is never cut in two"
    shown = kogge("nas", "show", "rostock", seed.name, "--dir", made.path)
    values, _, snippet = shown.stdout.partition("\n\n")
    lines = dict(line.split(":", 1) for line in values.splitlines())
    assert lines["NAS-Identifier"].strip() == seed.nas_identifier
    assert lines["Authentication port"].strip() == str(config.radius.auth_port)
    assert lines["Portal (UAM server)"].strip() == f"{config.portal.url}/"
    assert len(lines["RADIUS secret"].strip()) >= 24 and len(lines["UAM secret"].strip()) >= 24
    assert lines["RADIUS secret"] != lines["UAM secret"]
    assert f"radiussecret     {lines['RADIUS secret'].strip()}" in snippet
    assert "uamallowed       rostock.localhost" in snippet


def test_ap_list_and_show(made: Written, kogge: Kogge) -> None:
    points = made.cities["rostock"].seed.access_points
    listed = kogge("ap", "list", "rostock", "--dir", made.path)
    assert listed.exit_code == 0 and listed.stdout.count("not polled yet") == len(points)
    for point in points:
        assert point.name in listed.stdout and str(point.address) in listed.stdout
    v2c = kogge("ap", "show", "rostock", points[0].name, "--dir", made.path).stdout
    assert f"{points[0].address}:{points[0].port}" in v2c and "(shown with --secrets)" in v2c
    v3 = kogge("ap", "show", "rostock", "warnemuende-2", "--dir", made.path).stdout
    assert "authPriv" in v3 and "SHA-256" in v3 and "AES-128" in v3 and "Community" not in v3


def test_a_table_fits_80_columns(tmp_path: Path, kogge: Kogge) -> None:
    kogge("init", tmp_path, "--city", "rostock")
    result = kogge("nas", "list", "rostock", "--dir", tmp_path)
    assert result.exit_code == 0 and max(map(len, result.stdout.splitlines())) <= 80, result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nas", "show", "rostock", "nowhere"), "rostock has no NAS 'nowhere'; see `kogge nas list rostock`"),
        (("ap", "show", "rostock", "nowhere"), "rostock has no access point 'nowhere'; see `kogge ap list rostock`"),
        (("nas", "list", "kiel"), "no city 'kiel' here; there are rostock, wismar"),
        (("ap", "list", "kiel"), "no city 'kiel' here"),
        (("metrics-token", "kiel"), "no city 'kiel' here"),
        (("staff", "invite", "kiel", "anna", "--role", "desk"), "no city 'kiel' here"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(words: tuple[str, ...], said: str, made: Written, kogge: Kogge) -> None:
    result = kogge(*words, "--dir", made.path)
    assert result.exit_code == 2 and said in result.stderr and result.stdout == ""


def test_another_citys_broken_file_is_no_obstacle(made: Written, kogge: Kogge) -> None:
    break_file(made, "wismar")
    assert kogge("nas", "list", "rostock", "--dir", made.path).exit_code == 0
    assert kogge("migrate", made.path, "--city", "rostock").exit_code == 0
    for words in (("migrate", made.path), ("nas", "list", "wismar", "--dir", made.path)):
        result = kogge(*words)
        assert result.exit_code == 2 and "wismar.toml" in result.stderr and "`time_zone`" in result.stderr


def test_commands_before_init_name_it(two_cities: Written, kogge: Kogge) -> None:
    result = kogge("metrics-token", "rostock", "--dir", two_cities.path)
    assert result.exit_code == 2 and "run `kogge init`" in result.stderr


# Staff and tokens ------------------------------------------------------------------------------------


def test_an_invitation_is_a_link_to_the_citys_staff_host(made: Written, kogge: Kogge) -> None:
    words = ("staff", "invite", "rostock", "anna", "--role", "desk", "--name", "Anna Behn", "--dir", made.path)
    first, second = kogge(*words), kogge(*words)
    assert first.exit_code == 0
    assert first.stdout.startswith(f"{made.cities['rostock'].portal.staff_url}/staff/invite/")
    assert first.stdout != second.stdout, "each link is new"
    token = first.stdout.strip().rpartition("/")[2]
    assert token.encode() not in made.database("rostock").read_bytes(), "only its hash is stored"


def test_a_member_has_one_role(made: Written, kogge: Kogge) -> None:
    kogge("staff", "invite", "rostock", "anna", "--role", "desk", "--dir", made.path)
    result = kogge("staff", "invite", "rostock", "anna", "--role", "admin", "--dir", made.path)
    assert result.exit_code == 2 and "'anna' is desk already" in result.stderr


def test_an_unknown_role_is_refused(made: Written, kogge: Kogge) -> None:
    result = kogge("staff", "invite", "rostock", "anna", "--role", "root", "--dir", made.path)
    assert result.exit_code == 2 and "'admin', 'desk', 'official'" in result.stderr


def test_each_city_has_its_own_metrics_token(made: Written, kogge: Kogge) -> None:
    tokens = {kogge("metrics-token", key, "--dir", made.path).stdout for key in ("rostock", "wismar")}
    assert len(tokens) == 2 and all(re.fullmatch(r"[0-9a-f]{64}\n", token) for token in tokens)
    file = made.installation.data_dir / "rostock/keys/metrics.token"
    assert file.read_text() in tokens, "Prometheus may read the file instead"
