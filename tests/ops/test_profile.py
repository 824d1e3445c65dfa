"""`kogge profile`: what is shipped is sound, and what is wrong with a file is said with status 2."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from monitor.profiles import FOLDER
from ops.cli import main

VENDOR = 'name = "vendor"\ntitle = "Vendor"\n[[match]]\nobject_id = "1.3.6.1.4.1.9"\n[tables.radios]\n'


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["profile", *words], catch_exceptions=False)


def test_what_is_shipped_is_sound() -> None:
    result = run("check")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == len(list(FOLDER.glob("*.toml")))


def test_a_file_is_sound_or_told_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "vendor.toml"
    file.write_text(f'{VENDOR}channel = "1.3.6.1.4.1.9.1"')
    result = run("check", str(file))
    assert (result.exit_code, result.output) == (
        0,
        f"sound: {file}: 5 scalars; interfaces, processors, storage, radios\n",
    )
    file.write_text(f'{VENDOR}chanel = "1.3.6.1.4.1.9.1"')
    result = run("check", str(file))
    assert result.exit_code == 2
    assert f"{file}: unknown tables.radios: key 'chanel'; did you mean 'channel'?" in result.stderr


def test_a_file_that_is_not_there_is_said() -> None:
    result = run("check", "/nowhere/vendor.toml")
    assert result.exit_code == 2 and "/nowhere/vendor.toml: " in result.stderr


def test_the_list_says_who_gets_what() -> None:
    lines = run("list").output
    assert "unifi" in lines and "Ubiquiti UniFi" in lines and "1.3.6.1.4.1.41112" in lines and "all others" in lines
