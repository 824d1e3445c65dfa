"""Key folders: made once, read strictly, never shown; sealing, finding, rotating, destroying."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotspot.errors import ConfigError
from hotspot.values import MacAddress
from store import keys

NOVEMBER = datetime(2026, 11, 23, 12, tzinfo=UTC)
JANUARY = datetime(2027, 1, 2, tzinfo=UTC)
PHONE = MacAddress.parse("02-00-00-00-00-11")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.make_missing(tmp_path / "keys", now=NOVEMBER)
    return tmp_path / "keys"


def test_keys_are_made_once_and_only_for_the_owner(folder: Path) -> None:
    before = (folder / "master-1.key").read_text()
    assert keys.make_missing(folder, now=NOVEMBER) == []
    assert (folder / "master-1.key").read_text() == before
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.rglob("*.key"))
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_later_run_adds_the_months_that_are_missing(folder: Path) -> None:
    assert keys.make_missing(folder, now=JANUARY) == ["periods/2028-11.key", "periods/2028-12.key"]


def test_a_folder_without_keys_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kogge init"):
        keys.load(tmp_path, now=NOVEMBER)


def test_a_key_that_others_may_read_is_refused(folder: Path) -> None:
    (folder / "master-1.key").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys.load(folder, now=NOVEMBER)


@pytest.mark.parametrize("text", ["", "not hexadecimal", "abcd"])
def test_a_broken_key_is_named(folder: Path, text: str) -> None:
    (folder / "metrics.token").write_text(text)
    with pytest.raises(ConfigError, match=r"metrics\.token.*backup"):
        keys.load(folder, now=NOVEMBER)


def test_a_missing_token_is_named(folder: Path) -> None:
    (folder / "metrics.token").unlink()
    with pytest.raises(ConfigError, match=r"metrics\.token: cannot be read"):
        keys.load(folder, now=NOVEMBER)


def test_no_repr_shows_a_key(folder: Path) -> None:
    ring = keys.load(folder, now=NOVEMBER)
    assert ring.masters[0].hex() not in repr(ring) and ring.metrics_token not in repr(ring)
    period = ring.current_period(NOVEMBER)
    assert repr(period.key) not in repr(period)


def test_sealed_under_one_purpose_opens_under_no_other(folder: Path) -> None:
    ring = keys.load(folder, now=NOVEMBER)
    sealed = ring.seal("nas-secret", b"geheim")
    assert b"geheim" not in sealed and ring.unseal("nas-secret", sealed) == b"geheim"
    with pytest.raises(ConfigError, match="another key"):
        ring.unseal("uam-secret", sealed)


def test_what_an_older_master_key_sealed_still_opens_after_rotation(folder: Path) -> None:
    old = keys.load(folder, now=NOVEMBER)
    sealed, found_by = old.seal("nas-secret", b"geheim"), old.keyed_hash("voucher-code", b"ABC")
    keys._make(folder / "master-2.key")
    new = keys.load(folder, now=NOVEMBER)
    assert new.unseal("nas-secret", sealed) == b"geheim"
    assert new.seal("nas-secret", b"x")[0] == 2
    assert found_by == new.keyed_hashes("voucher-code", b"ABC")[1]
    with pytest.raises(ConfigError, match=r"master-2\.key"):
        old.unseal("nas-secret", new.seal("nas-secret", b"x"))


def test_a_mac_is_found_under_older_months_and_never_after_their_key_is_gone(folder: Path) -> None:
    november = keys.load(folder, now=NOVEMBER).current_period(NOVEMBER)
    assert november.name == "2026-11"
    held = keys.load(folder, now=JANUARY).held_periods(JANUARY)
    assert [period.name for period in held] == ["2027-01", "2026-12", "2026-11"]
    assert held[2].unseal(november.seal(PHONE)) == PHONE
    (folder / "periods/2026-11.key").unlink()
    assert november.hash(PHONE) not in {
        period.hash(PHONE) for period in keys.load(folder, now=JANUARY).held_periods(JANUARY)
    }


def test_the_last_month_serves_on_when_nobody_made_more(folder: Path) -> None:
    ring = keys.load(folder, now=NOVEMBER)
    assert ring.current_period(datetime(2040, 1, 1, tzinfo=UTC)).name == "2028-10"
