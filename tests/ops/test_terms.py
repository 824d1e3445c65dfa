"""`kogge terms` and `kogge notice`: files become versions, an auditor's questions are answered, residents are told."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from hotspot.values import MacAddress
from service.cities import open_city
from store import residents, schema, terms
from tests.ops.conftest import Kogge
from tests.support.installation import Written

NOW = datetime.now(UTC)


def file_of(folder: Path, name: str, text: str = "# Nutzungsbedingungen\n\nWir löschen nach **30** Tagen.\n") -> Path:
    (folder / name).write_text(text)
    return folder / name


def accept(made: Written) -> None:
    """A device accepts the German text that holds now."""
    city = open_city(made.installation, made.cities["rostock"], now=NOW)
    with city.store.write() as conn:
        text = terms.texts_of(conn, terms.current_version(conn))["de"]
        mac = MacAddress.parse("02-00-5E-10-00-0A")
        device_id = residents.note_device(conn, city.store.keys, mac, now=NOW)
        residents.record_acceptance(conn, device_id=device_id, seen=text, now=NOW)
    city.store.close()


def test_files_become_the_next_version(made: Written, kogge: Kogge, tmp_path: Path) -> None:
    files = file_of(tmp_path, "de.md"), file_of(tmp_path, "2.en.md", "# Terms\n\nWe delete after 30 days.\n")
    where = ("--dir", made.path)
    trial = kogge("terms", "import", "rostock", *files, "--dry-run", *where)
    assert trial.stdout.startswith("version 2 would be published in de, en")
    done = kogge("terms", "import", "rostock", *files, *where)
    assert done.exit_code == 0 and done.stdout.startswith("version 2 is published in de, en")
    assert "without a text: de-simple, nds, da, sv, pl, uk" in done.stderr
    sha256 = hashlib.sha256(files[0].read_bytes()).hexdigest()
    assert f"de: SHA-256 {sha256}" in done.stdout
    shown = kogge("terms", "show", "rostock", "--version", 2, *where)
    assert shown.stdout_bytes == files[0].read_bytes()
    assert re.search(rf"^2 +de +.* 0 +{sha256}$", kogge("terms", "list", "rostock", *where).stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("en.md", "# T\n\nx\n", "the text in de is missing"),
        ("fr.md", "# T\n\nx\n", "must end in a language of the city"),
        ("terms.txt", "# T\n\nx\n", "must end in a language of the city"),
        ("de.md", "x\n", "the first line must be the title"),
        ("de.md", "# T\n", "must have 1 to 20,000 characters"),
        ("de.md", "# T\n\n" + "x" * 90_000, "larger than 84,000 bytes"),
    ],
)
def test_a_file_that_will_not_do(made: Written, kogge: Kogge, tmp_path: Path, name: str, text: str, said: str) -> None:
    result = kogge("terms", "import", "rostock", file_of(tmp_path, name, text), "--dir", made.path)
    assert result.exit_code == 2 and said in result.stderr
    assert not re.search("^2 ", kogge("terms", "list", "rostock", "--dir", made.path).stdout, re.MULTILINE)


def test_a_file_that_is_not_there(made: Written, kogge: Kogge, tmp_path: Path) -> None:
    result = kogge("terms", "import", "rostock", tmp_path / "de.md", "--dir", made.path)
    assert result.exit_code == 2 and "cannot be read" in result.stderr


def test_the_proof_holds_until_a_text_is_changed_by_hand(made: Written, kogge: Kogge) -> None:
    accept(made)
    where = ("--dir", made.path)
    sound = kogge("terms", "verify", "rostock", *where)
    assert sound.exit_code == 0 and "version 1 de: 1 proven, 0 from before there were proofs, 0 contra" in sound.stdout
    city = open_city(made.installation, made.cities["rostock"], now=NOW)
    with city.store.write() as conn:
        conn.execute(update(schema.terms).where(schema.terms.c.language == "de").values(body="Etwas anderes."))
    city.store.close()
    changed = kogge("terms", "verify", "rostock", *where)
    assert changed.exit_code == 1 and "changed after it was accepted: version 1 de" in changed.stderr


def test_what_is_not_there_is_not_shown(made: Written, kogge: Kogge) -> None:
    for options in (("--version", 9), ("--language", "fr")):
        result = kogge("terms", "show", "rostock", *options, "--dir", made.path)
        assert result.exit_code == 2 and "see `kogge terms list rostock`" in result.stderr


# Notices ------------------------------------------------------------------------------------------------


def test_a_notice_from_its_beginning_to_its_end(made: Written, kogge: Kogge) -> None:
    where = ("--dir", made.path)
    added = kogge(
        "notice",
        "add",
        "rostock",
        "--text",
        "de=Störung",
        "--site",
        "stadthafen",
        "--until",
        "2099-12-01T10:00",
        *where,
    )
    assert added.exit_code == 0 and added.stdout.startswith("notice 1; ")
    assert re.search("^1 +shown .* 2099-12-01 10:00 +stadthafen +Störung", _list(kogge, made), re.MULTILINE)
    assert kogge("notice", "end", "rostock", 1, *where).stdout == "notice 1 is over\n"
    assert re.search("^1 +over ", _list(kogge, made), re.MULTILINE)
    again = kogge("notice", "end", "rostock", 1, *where)
    assert again.exit_code == 2 and "no notice 1 that is not over" in again.stderr


def _list(kogge: Kogge, made: Written) -> str:
    return kogge("notice", "list", "rostock", "--dir", made.path).stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--text", "Störung"), "write a text as LANGUAGE=TEXT"),
        (("--text", "en=Outage"), "the text in de is missing"),
        (("--text", "fr=Panne"), "no language 'fr'"),
        (("--text", "de=x", "--site", "mond"), "no place 'mond'"),
        (("--text", "de=x", "--until", "soon"), "'soon' is not a time"),
        (("--text", "de=x", "--until", "2020-01-01T10:00"), "not after the start"),
    ],
)
def test_a_notice_that_will_not_do(made: Written, kogge: Kogge, options: tuple[str, ...], said: str) -> None:
    result = kogge("notice", "add", "rostock", *options, "--dir", made.path)
    assert result.exit_code == 2 and said in result.stderr
