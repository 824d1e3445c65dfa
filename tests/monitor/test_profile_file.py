"""Profile files: every error names the key and says what is valid; transforms and indexes do what they are called."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.errors import ConfigError
from hotspot.fleet import Band
from monitor import index, profiles, transforms
from monitor.oids import Oid
from monitor.profile_file import read
from monitor.profiles import FOLDER, Profiles
from monitor.transforms import VALID, band_of_frequency, channel_of_frequency, compiled
from monitor.words import Told

HEAD = 'name = "vendor"\n[[match]]\nobject_id = "1.3.6.1.4.1.9"\n'


def loaded(tmp_path: Path, text: str, other: str = "") -> Profiles:
    (tmp_path / "common.toml").write_bytes((FOLDER / "common.toml").read_bytes())
    (tmp_path / "vendor.toml").write_text(text)
    if other:
        (tmp_path / "wendor.toml").write_text(other)
    return profiles.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'{HEAD}[scalar]\nmodel = "1.3"', "unknown key 'scalar'; did you mean 'scalars'?"),
        (f'kind = "switch"\n{HEAD}', "kind: 'switch' is none; valid are access_point, controller"),
        (f"{HEAD}[scalars]\nmodel = 7", "scalars.model: a text in quotation marks is wanted, not 7"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", transfrom = "text" }}', "scalars.model: key 'transfrom'; did you"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", transform = "double" }}', "unknown transform 'double'; valid are"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", transform = "minus much" }}', "transform 'minus much': could not"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", transform = "divide 0" }}', "transform 'divide 0': by zero"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", transform = "map power" }}', "there is no [maps.power]; there are"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", transform = "find (" }}', "unterminated subpattern"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", transform = "find x" }}', "needs one group in parentheses"),
        (f'{HEAD}[scalars]\nmodel = {{ oid = "1.3", up = [1] }}', "scalars.model.up: only the word `up` has it"),
        (f'{HEAD}[tables.radios]\nup = {{ oid = "1.3", up = [] }}', "tables.radios.up.up: a list of the numbers"),
        (f'{HEAD}[tables.radios]\nchanel = "1.3"', "tables.radios: key 'chanel'; did you mean 'channel'?"),
        (f'{HEAD}[tables.radios]\nindex = "band:1"', "tables.radios.index: 'band:1' names 'band'; valid are ap, radio"),
        (f'{HEAD}[tables.radios]\nindex = "radio skip:1"', "must be the last"),
        (f'{HEAD}[tables.radios]\nindex = "radio:none"', "a number from 1 to 128, or len"),
        (f'{HEAD}[tables.radios]\nindex = "skip:1"', "must name at least one of"),
        (f'{HEAD}[tables.radios]\nindex = "radio:1 radio:1"', "each once"),
        (f'{HEAD}[tables.radios]\nindex = "ap:6 radio:1"', "only a controller has access points behind it; set kind"),
        (f'{HEAD}[tables.radios]\nneeds = ["channel"]', "tables.radios.needs: word 'channel'"),
        (f'{HEAD}[tables.radios]\nclients = {{ oid = "1.3", instance = "clients" }}', "a text with one star"),
        (f"{HEAD}[maps.power]\n1 = [2]", "maps.power.1: [2] is neither number nor text"),
        (f'{HEAD}probe_value = "GWN"', "there is no probe whose value it could be"),
        (f'{HEAD}sysdescr = "x"', "match: key 'sysdescr'"),
        (f"match = 1\n{HEAD}", "vendor.toml"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=r"vendor\.toml") as refused:
        loaded(tmp_path, text)
    assert says in str(refused.value)


def test_two_files_with_the_same_rule_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"wendor\.toml: match: vendor\.toml has the very same rule"):
        loaded(tmp_path, HEAD, HEAD.replace('"vendor"', '"wendor"'))


def test_the_longest_object_id_wins_then_a_description_then_a_probe(tmp_path: Path) -> None:
    rules = {
        "short": 'object_id = "1.3.6.1.4.1.9"',
        "long": 'object_id = "1.3.6.1.4.1.9.1"',
        "described": 'object_id = "1.3.6.1.4.1.9"\ndescription = "^AP"',
        "probed": 'object_id = "1.3.6.1.4.1.9"\nprobe = "1.3.6.1.4.1.9.7"\nprobe_value = "WLAN"',
    }
    (tmp_path / "common.toml").write_bytes((FOLDER / "common.toml").read_bytes())
    for name, rule in rules.items():
        (tmp_path / f"{name}.toml").write_text(f'name = "{name}"\n[[match]]\n{rule}')
    found = profiles.load(tmp_path)
    cisco, probe = (1, 3, 6, 1, 4, 1, 9), (1, 3, 6, 1, 4, 1, 9, 7)
    assert found.choose((*cisco, 1, 5), "AP").name == "long"
    assert found.choose((*cisco, 2), "AP", {probe: "WLAN"}).name == "described"
    assert found.choose((*cisco, 2), "router", {probe: "WLAN 2"}).name == "probed"
    assert found.choose((*cisco, 2), "router", {probe: "switch"}).name == "short"
    assert found.choose((1, 3, 6, 1, 4, 1, 10), "AP").name == "common"
    assert found.probes((*cisco, 2), "router") == [probe]
    assert found.probes((*cisco, 1), "router") == []


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_every_shipped_profile_says_what_it_is_for_and_where_it_is_from(file: Path) -> None:
    common = profiles.load().common
    profile = common if file.stem == "common" else read(file, common)
    assert profile.title and profile.source


# Transforms -------------------------------------------------------------------------------------------

MAPS = {"width": {"1": 20, "wide": 80, "name": "eighty"}}


@pytest.mark.parametrize(
    ("steps", "value", "result"),
    [
        (["negate"], 92, -92),
        (["minus 256"], 165, -91),
        (["plus 1"], 0, 1),
        (["times 1024"], 3, 3_072),
        (["divide 10"], 331, 33.1),
        (["mask 255"], 388, 132),
        (["unless 0"], 0, None),
        (["unless 0"], 5, 5),
        (["first number"], b"3.7", 3.7),
        (["first number"], b"53S", 53),
        (["first number"], b"-95 dBm", -95),
        (["first number"], b"none", None),
        (["first number", "minus 3"], b"53S", 50),
        (["channel from frequency"], 5_180, 36),
        (["frequency from channel"], 11, 2_462),
        (["frequency from channel"], 0, 0),
        (["dbm from milliwatt"], 100, 20.0),
        (["dbm from milliwatt"], 0, None),
        (["map width"], 1, 20),
        (["map width"], b"wide", 80),
        (["map width"], b"name", b"eighty"),
        (["map width"], 9, None),
        (["find Version (\\S+)"], b"Software, Version 8.10 (fc3)", b"8.10"),
        (["find Version (\\S+)"], b"nothing", None),
        (["text"], 7, b"7"),
        (["mac"], bytes.fromhex("02005e10000a"), b"02:00:5e:10:00:0a"),
        (["negate"], b"text", None),
        (["mask 255"], None, None),
    ],
)
def test_a_transform_does_what_it_is_called(steps: list[str], value: Told, result: Told) -> None:
    run = compiled(steps, MAPS)
    assert run is not None and run(value) == result


anything = st.one_of(
    st.none(), st.integers(-(2**63), 2**64), st.floats(), st.binary(max_size=40), st.just((1, 3, 6)), st.just(b"5 GHz")
)
NAMES = [*transforms.PLAIN, *(f"{name} 3" for name in transforms.NUMBERED), "map width", "find (.)"]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), anything)
def test_no_value_breaks_a_transform(steps: list[str], value: Told) -> None:
    run = compiled(steps, MAPS)
    assert run is not None
    run(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**300, b"9" * 200])
@pytest.mark.parametrize("step", NAMES)
def test_no_number_is_too_large_for_a_transform(step: str, value: Told) -> None:
    run = compiled(["first number", step, step], MAPS)
    assert run is not None
    run(value)


@pytest.mark.parametrize(
    ("mhz", "channel", "band"),
    [
        (2_412, 1, Band.GHZ_2_4),
        (2_472, 13, Band.GHZ_2_4),
        (2_484, 14, Band.GHZ_2_4),
        (5_180, 36, Band.GHZ_5),
        (5_885, 177, Band.GHZ_5),
        (5_935, 2, Band.GHZ_6),
        (5_955, 1, Band.GHZ_6),
        (7_115, 233, Band.GHZ_6),
        (58_320, None, None),
    ],
)
def test_a_frequency_is_a_channel_of_a_band(mhz: int, channel: int | None, band: Band | None) -> None:
    assert (channel_of_frequency(mhz), band_of_frequency(mhz)) == (channel, band)


def test_the_document_names_every_transform_and_word() -> None:
    text = (FOLDER.parents[1] / "docs" / "profiles.md").read_text()
    assert [name for name in VALID if f"`{name}`" not in text] == []


# Indexes ----------------------------------------------------------------------------------------------

MAC = (2, 0, 94, 16, 0, 10)


@pytest.mark.parametrize(
    ("form", "numbers", "names"),
    [
        ("ap:6 radio:1", (*MAC, 2), {"ap": "02:00:5e:10:00:0a", "radio": "2"}),
        ("ap:len radio:1", (4, *b"ap-1", 2), {"ap": "ap-1", "radio": "2"}),
        ("ap:len", (6, *MAC), {"ap": "02:00:5e:10:00:0a"}),
        ("ssid:len", (7, *"Lübeck".encode()), {"ssid": "Lübeck"}),
        ("skip:2 radio", (9, 9, 4, 5), {"radio": "4.5"}),
        ("radio", (7,), {"radio": "7"}),
        ("ap:2", (1_000, 3), {"ap": "1000.3"}),
        ("ap:6 radio:1", MAC, None),
        ("ap:6 radio:1", (*MAC, 2, 3), None),
        ("ap:len", (5, 1, 2), None),
        ("ap:len", (0,), None),
        ("radio", (), None),
    ],
)
def test_an_index_names_things(form: str, numbers: Oid, names: dict[str, str] | None) -> None:
    found = index.compiled(form).names(numbers)
    if names is None:
        assert found is None
    else:
        assert found is not None
        assert {name: getattr(found, name) for name in ("ap", "radio", "ssid") if getattr(found, name)} == names


@given(
    st.sampled_from(["ap:6 radio:1", "ap:len ssid:len", "skip:1 radio", "bssid:6 skip:1 radio:1"]),
    st.lists(st.integers(0, 2**32 - 1), max_size=20).map(tuple),
)
def test_no_index_breaks_a_naming(form: str, numbers: Oid) -> None:
    index.compiled(form).names(numbers)
