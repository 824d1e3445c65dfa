"""Access points in a CSV file: what is read, what is refused where, and that an export can be read again."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from hotspot.ap_entry import CredentialWords, PointEntry, PointError, read_credential
from hotspot.ap_file import ROWS_MAX, TEMPLATE, Here, Placed, PointFile, read_file, write_file
from hotspot.errors import InputError
from hotspot.fleet import PointKind

V2C = CredentialWords("v2c", community="only-us")
V3 = CredentialWords("v3", user="kogge", auth_password="auth-secret", priv_password="priv-secret")
HERE = Here(
    sites={"hafen", "markt"},
    points={"old": Placed("10.1.0.1", 1161), "other": Placed("10.1.0.2", 161, PointKind.CONTROLLER)},
    members={"behind"},
    controllers={"other"},
    networks=[ip_network("10.2.0.0/24")],
)
GOOD = "new,hafen,10.2.0.9"


def read(*lines: str, header: str = "name,site,address") -> PointFile:
    return read_file("\n".join([header, *lines, ""]), here=HERE)


def faults(*lines: str, header: str = "name,site,address") -> list[str]:
    return list(map(str, read(*lines, header=header).bad))


def test_the_least_that_is_needed_is_three_columns() -> None:
    assert read(GOOD).entries == (PointEntry("new", "hafen", "10.2.0.9"),)


def test_everything_may_be_said() -> None:
    found = read(
        "a;markt;10.3.0.1;1161;controller;v3;;kogge;auth-secret;priv-secret",
        "b;markt;2001:DB8::1;;;;only-us;;;",
        header=TEMPLATE.replace(",", ";"),
    )
    assert found.entries == (
        PointEntry("a", "markt", "10.3.0.1", 1161, PointKind.CONTROLLER, V3),
        PointEntry("b", "markt", "2001:db8::1", 161, PointKind.ACCESS_POINT, V2C),
    )
    assert found.bad == ()


@pytest.mark.parametrize("secrets", [True, False])
def test_what_is_written_can_be_read_again(secrets: bool) -> None:
    entries = (
        PointEntry("old", "hafen", "10.1.0.1", 161, PointKind.ACCESS_POINT, V2C),
        PointEntry("other", "markt", "10.1.0.2", 1161, PointKind.CONTROLLER, V3),
    )
    text = write_file(entries, secrets=secrets)
    assert ("only-us" in text, "priv-secret" in text) == (secrets, secrets)
    again = read_file(text, here=HERE)
    assert again.bad == ()
    assert [each.credential for each in again.entries] == ([V2C, V3] if secrets else [CredentialWords()] * 2)
    assert [(each.name, each.port, each.kind) for each in again.entries] == [
        (each.name, each.port, each.kind) for each in entries
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("new,hafen,10.2.0.9,extra", "line 2: 4 fields instead of the header's 3"),
        (",hafen,10.2.0.9", "line 2, name: This is needed."),
        (f"{'x' * 61},hafen,10.2.0.9", "line 2, name: Write 1 to 60 characters"),
        ("new,strand,10.2.0.9", "line 2, site: There is no site strand. Sites are: hafen, markt."),
        ("new,hafen,10.2.0.0/24", "line 2, address: 10.2.0.0/24 is no address of one device"),
        ("new,hafen,224.0.0.1", "line 2, address: 224.0.0.1 is no address of one device"),
        ("new,hafen,10.9.0.9", "line 2, community: None is given, and none is kept for 10.9.0.9"),
        ("behind,hafen,10.2.0.9", "line 2, name: behind is behind a controller"),
        ("new,hafen,10.1.0.2", "line 2, address: 10.1.0.2 port 161 is polled already, as other."),
    ],
)
def test_a_bad_line_is_named_with_its_column(line: str, said: str) -> None:
    assert any(each.startswith(said) for each in faults(line)), faults(line)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("99999,,,,,,", "port: Write a number from 1 to 65535."),
        (",member,,,,,", "kind: member is none of: access_point, controller."),
        (",,v1,x,,,", "version: v1 is none of: v2c, v3."),
        (",,v2c,,kogge,,", "community: This is needed."),
        (",,v2c,x,kogge,,", "user: This belongs to SNMP v3, and the version is v2c."),
        (",,,,kogge,short,priv-secret", "auth_password: Write 8 to 128 signs of ASCII."),
        (",,v3,,kogge,auth-secret,", "priv_password: This is needed."),
    ],
)
def test_a_bad_cell_is_named_with_what_would_be_right(cells: str, said: str) -> None:
    assert f"line 2, {said}" in faults(f"{GOOD},{cells}", header=TEMPLATE)


def test_one_that_others_stand_behind_stays_a_controller() -> None:
    assert faults("other,markt,10.1.0.2,controller", header="name,site,address,kind") == []
    said = "line 2, kind: other has access points behind it, so it stays a controller; retire it to begin anew."
    assert faults("other,markt,10.1.0.2,access_point", header="name,site,address,kind") == [said]


def test_what_the_file_does_not_say_stays() -> None:
    old, other = read("old,hafen,10.1.0.3", "other,hafen,10.1.0.4").entries
    assert (old.port, old.kind) == (1161, PointKind.ACCESS_POINT)
    assert (other.port, other.kind) == (161, PointKind.CONTROLLER)


def test_all_faults_are_named_in_the_order_of_the_file() -> None:
    found = faults(GOOD, GOOD, "late,hafen,10.2.0.9", ",strand,x")
    assert [each.split(":")[0] for each in found] == [
        "line 3, name",
        "line 4, address",
        "line 5, name",
        "line 5, address",
        "line 5, site",
    ]
    assert "Another access point is called new (line 2) already." in found[0]


def test_an_address_may_pass_from_one_to_another_in_one_file() -> None:
    header = "name,site,address,port"
    assert faults("old,hafen,10.1.0.2,161", "other,hafen,10.1.0.1,1161", header=header) == []
    assert faults("old,hafen,10.1.0.2,161", "other,hafen,10.1.0.2,161", header=header)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name,site\n", "line 1: the header has no address"),
        ("name,site,address,colour\n", "line 1: the header does not know colour"),
        ("name,site,address,name\n", "line 1: the header has twice name"),
        ('name,site,address\n"new,hafen,10.2.0.9\n', "not a line of a CSV file"),
        ("", "line 1: the header has no name, site, address"),
    ],
)
def test_what_is_no_such_table_is_refused(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_file(text, here=HERE)


def test_the_number_of_lines_is_limited() -> None:
    lines = [f"n{number},hafen,10.2.0.{number % 250}" for number in range(ROWS_MAX + 1)]
    with pytest.raises(InputError, match=f"line {ROWS_MAX + 2}: a file has at most {ROWS_MAX}"):
        read(*lines)


def test_no_fault_and_no_repr_shows_a_secret() -> None:
    entry = PointEntry("old", "hafen", "10.1.0.1", credential=V3)
    assert "secret" not in repr(entry)
    with pytest.raises(PointError) as caught:
        read_credential({"version": "v2c", "community": "pä$$wörd", "user": "kogge-user"})
    assert "pä$$wörd" not in str(caught.value) and "kogge-user" not in str(caught.value)


def test_a_credential_alone_must_be_one() -> None:
    assert read_credential({"community": " only-us "}) == V2C
    with pytest.raises(PointError, match="version: nothing is none of: v2c, v3"):
        read_credential({})
