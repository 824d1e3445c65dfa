"""What single vendors need of the engine: subtrees at sysObjectID, a table of the device, addresses in an index."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotspot.errors import ConfigError
from hotspot.fleet import Band
from hotspot.values import MacAddress
from monitor import index, transforms
from monitor.host import worth_asking
from monitor.oids import parse
from monitor.profile import Profile, Table
from monitor.profile_file import read
from monitor.profiles import FOLDER, Profiles
from monitor.transforms import band_of_channel
from monitor.walk import Walked

STELLAR = parse("1.3.6.1.4.1.6486.802.1.1.2.1.2")


def table(profile: Profile, name: str) -> Table:
    found = profile.table(name)
    assert found is not None
    return found


def test_object_identifiers_hang_on_the_sysobjectid_of_the_model(all_profiles: Profiles) -> None:
    one, other = (all_profiles.choose((*STELLAR, model), "") for model in (12, 19))
    assert one.name == other.name == "alcatel_stellar"
    assert one.scalar("serial") == (*STELLAR, 12, 1, 1, 6, 0)
    assert table(other, "radios").columns[1].oid == (*STELLAR, 19, 1, 2, 1, 1, 4)
    assert all_profiles.choose((*STELLAR, 12), "") is one  # what is remembered of a device goes by its profile


def test_a_profile_without_such_identifiers_is_the_same_for_every_model(all_profiles: Profiles) -> None:
    ids = (parse(f"1.3.6.1.4.1.25053.3.1.4.{model}") for model in (71, 72))
    assert len({id(all_profiles.choose(object_id, "")) for object_id in ids}) == 1


@pytest.mark.parametrize("oid", ["sysObjectID", "sysObjectID.", "sysObjectID.one", "sysDescr.1", "1"])
def test_what_hangs_on_nothing_is_refused(tmp_path: Path, oid: str) -> None:
    common = read(FOLDER / "common.toml", None)
    file = tmp_path / "vendor.toml"
    file.write_text(f'name = "vendor"\n[[match]]\nobject_id = "1.3"\n[scalars]\nserial = "{oid}"')
    with pytest.raises(ConfigError, match=r"scalars\.serial"):
        read(file, common)


def test_an_index_names_the_address_of_a_network() -> None:
    names = index.compiled("ap:6 radio:1 bssid:6").names((2, 0, 94, 16, 0, 10, 1, 2, 0, 94, 16, 0, 11))
    assert names is not None
    assert (names.ap, names.radio) == ("02:00:5e:10:00:0a", "1")
    assert names.bssid == MacAddress(bytes.fromhex("02005e10000b"))


def test_a_number_too_large_for_an_octet_is_no_address() -> None:
    names = index.compiled("bssid:6").names((2, 0, 94, 16, 0, 256))
    assert names is not None and names.bssid is None


def test_octets_are_spelled_as_an_index_spells_them() -> None:
    step = transforms.compiled(["mac"], {})
    assert step is not None
    assert step(bytes.fromhex("02005e10000a")) == b"02:00:5e:10:00:0a"
    assert (step(b"short"), step(7)) == (None, None)


@pytest.mark.parametrize(
    ("channel", "band"),
    [
        *((channel, Band.GHZ_2_4) for channel in (1, 13, 14)),
        *((channel, Band.GHZ_5) for channel in (36, 42, 64, 116, 144)),
        *((channel, None) for channel in (149, 161, 177)),  # both bands have them
        *((channel, Band.GHZ_6) for channel in (17, 37, 53, 69, 145, 181, 233)),
    ],
)
def test_the_band_of_a_channel_is_told_where_its_number_tells_it(channel: int, band: Band | None) -> None:
    assert band_of_channel(channel) is band


def test_later_polls_ask_only_for_rows_that_are_rows(all_profiles: Profiles) -> None:
    """ifName and counters share their index with the channel: those of other interfaces are not asked for again."""
    radios = table(all_profiles.common, "radios")
    at = radios.words.index("channel")
    cells = [tuple(6 if place == at and row == 2 else None for place in range(len(radios.words))) for row in (1, 2)]
    walked = Walked((((1,), cells[0]), ((2,), cells[1])))
    assert worth_asking(all_profiles.common, radios, walked).rows == (((2,), cells[1]),)


def test_of_a_table_of_the_device_the_first_row_is_asked_for_again(all_profiles: Profiles) -> None:
    c9800 = all_profiles.choose(parse("1.3.6.1.4.1.9.1.2530"), "C9800")
    walked = Walked((((1,), (b"C9800-40-K9", b"FOX0")), ((2,), (b"PSU", b"PSU-1"))))
    assert worth_asking(c9800, table(c9800, "device"), walked).rows == walked.rows[:1]
