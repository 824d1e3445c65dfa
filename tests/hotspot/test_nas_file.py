"""NASes as a CSV file: what is read, and every bad line by its number and column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.errors import InputError
from hotspot.nas import read_entry
from hotspot.nas_file import ROWS_MAX, TEMPLATE, NasFile, read_file, write_file

SITES = ("hafen", "markt")
HEADER = "name,site,product,address,nas_identifier,login_url"
ROW = "n{0},hafen,mikrotik,192.0.2.{0},gw-{0},http://10.5.50.1"


def read(text: str, names: tuple[str, ...] = (), identifiers: tuple[str, ...] = ()) -> NasFile:
    return read_file(text, sites=SITES, names=names, identifiers=identifiers)


def told(text: str, **known: tuple[str, ...]) -> list[str]:
    return [str(place) for place in read(text, **known).bad]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_as_spreadsheets_write_them(end: str, separator: str, mark: str) -> None:
    lines = [HEADER, ROW.format(1), "", ROW.format(2)]
    found = read(mark + end.join(lines).replace(",", separator) + end)
    assert found.bad == () and [entry.nas_identifier for entry in found.entries] == ["gw-1", "gw-2"]


def test_every_bad_line_is_named_with_its_column() -> None:
    lines = [
        HEADER,
        ROW.format(1),
        ROW.format(999),
        "n3,kai,mikrotik,192.0.2.3,gw-3,nowhere",
        "n4,hafen",
        ROW.format(1),
    ]
    said = told("\n".join(lines))
    assert [line.split(": ")[0] for line in said] == [
        "line 3, address",
        "line 4, site",
        "line 4, login_url",
        "line 5",
        "line 6, name",
        "line 6, nas_identifier",
    ]
    assert "Sites are: hafen, markt." in said[1] and "2 fields instead of the header's 6" in said[3]


def test_names_that_other_nases_have_are_bad() -> None:
    text = f"{HEADER}\n{ROW.format(1)}\n"
    assert told(text, names=("n1",)) == ["line 2, name: n1 is another NAS's already. Each needs its own."]
    assert "line 2, nas_identifier" in told(text, identifiers=("gw-1",))[0]


def test_the_line_is_the_files_even_with_line_breaks_in_a_field() -> None:
    text = f'{HEADER}\n"a\nb",hafen,mikrotik,192.0.2.1,gw-1,http://10.5.50.1\n{ROW.format(999)}\n'
    assert [line.split(":")[0] for line in told(text)] == ["line 3, name", "line 4, address"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the header has no name, site, product, address, nas_identifier; the columns are name,site"),
        ("name,site\nx,y\n", "the header has no product, address, nas_identifier"),
        (f"{HEADER},speed\n", "the header does not know speed"),
        (f"{HEADER},name\n", "the header has twice name"),
        (f'{HEADER}\n"open', "line 2: not a line of a CSV file"),
        ("\x00\x01", "line 1: the header has no name"),
    ],
)
def test_what_is_no_such_table_is_refused_whole(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(text)


def test_a_file_has_a_limit_and_says_it() -> None:
    rows = [f"n{n},hafen,unifi,192.0.2.1,gw-{n}," for n in range(ROWS_MAX + 1)]
    assert len(read("\n".join([HEADER, *rows[:-1]])).entries) == ROWS_MAX
    with pytest.raises(InputError, match=f"line {ROWS_MAX + 2}: a file has at most {ROWS_MAX} NASes"):
        read("\n".join([HEADER, *rows]))


def test_a_monstrous_field_is_refused() -> None:
    assert "more than 1000 characters" in told(f"{HEADER}\n{'x' * 2_000}{ROW.format(1)}")[0]


def test_each_row_is_told_to_whoever_counts() -> None:
    seen: list[int] = []
    text = "\n".join([HEADER, ROW.format(1), ROW.format(2)])
    read_file(text, sites=SITES, names=(), identifiers=(), tick=lambda: seen.append(1))
    assert len(seen) == 2


@pytest.mark.parametrize("secrets", [True, False])
def test_what_is_written_can_be_read_again(secrets: bool) -> None:
    fields = dict(zip(HEADER.split(","), ROW.format(1).split(","), strict=True))
    entry = read_entry(fields | {"name": 'a "b", c', "secret": 'x",;"yyyyyyyyy'}, sites=SITES)
    text = write_file([entry], secrets=secrets)
    assert text.splitlines()[0] == TEMPLATE
    (again,) = read(text).entries
    assert (again == entry) is secrets
    assert again.name == entry.name and again.secret == (entry.secret if secrets else "")


@given(st.text(max_size=300))
def test_no_text_is_more_than_refused(text: str) -> None:
    for whole in (text, f"{HEADER}\n{text}"):
        try:
            found = read(whole)
        except InputError:
            continue
        assert all(place.line >= 2 for place in found.bad)
