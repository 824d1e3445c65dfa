"""Profiles as data: which device gets which, and what a broken file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotspot.errors import ConfigError
from monitor import profiles
from monitor.oids import parse
from monitor.profiles import FOLDER, Profiles

NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"


@pytest.mark.parametrize(
    ("object_id", "description", "name"),
    [
        (NET_SNMP, "UAP-nanoHD 5.43.36.12724", "unifi"),
        (NET_SNMP, "U6-Lite 6.5.28.14491", "unifi"),
        (NET_SNMP, "U7-Pro 8.0.49.16992", "unifi"),
        (NET_SNMP, "Linux OpenWrt 5.10.161 mips", "openwrt"),
        (NET_SNMP, "GWN7630", "common"),
        ("1.3.6.1.4.1.41112.1.6", "anything", "unifi"),
        ("1.3.6.1.4.1.10002.1", "Linux 2.6.32.33 mips", "unifi"),
        ("1.3.6.1.4.1.411120", "UAP", "common"),
        ("1.3.6.1.4.1.25053.3.1.4", "Ruckus", "ruckus_standalone"),
        ("1.3.6.1.4.1.25053.3.1.7", "Ruckus ICX7150", "common"),
    ],
)
def test_a_device_gets_the_profile_that_fits(
    all_profiles: Profiles, object_id: str, description: str, name: str
) -> None:
    assert all_profiles.choose(parse(object_id), description).name == name


def test_a_vendor_profile_holds_the_common_part(all_profiles: Profiles) -> None:
    unifi = all_profiles.choose(parse("1.3.6.1.4.1.41112"), "")
    assert set(all_profiles.common.scalars) < set(unifi.scalars)
    assert {table.name for table in all_profiles.common.tables} < {table.name for table in unifi.tables}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "other"', "name: is 'other'"),
        ('name = "vendor"\n[[match]]\nobject_id = "1.3"\n[scalars]\nmodle = "1.3.6"', "unknown scalars: key 'modle'"),
        ('name = "vendor"\n[[match]]\nobject_id = "1.3"\n[tables.antennas]\n', "unknown table 'antennas'"),
        ('name = "vendor"\n[[match]]\nobject_id = "one"', "is not an object identifier"),
        ('name = "vendor"\n[[match]]\ndescription = "("', "unterminated subpattern"),
        ('name = "vendor"\n[[match]]\n', "would fit every device"),
        ('name = "vendor"', "at least one rule"),
        ('name = "vendor"\n[[match]]\nobject_id = "1.3"\n[bands]\nng = "2,4"', "'2,4' is not a valid Band"),
        ("name = ", "vendor.toml"),
    ],
)
def test_a_broken_profile_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "common.toml").write_bytes((FOLDER / "common.toml").read_bytes())
    (tmp_path / "vendor.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"vendor\.toml") as refused:
        profiles.load(tmp_path)
    assert says in str(refused.value)
