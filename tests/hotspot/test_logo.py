"""Logos: what only draws is kept, what could do more is refused by name, what editors leave behind is dropped."""

from __future__ import annotations

import contextlib
import struct
import xml.etree.ElementTree as ET
import zlib
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot.errors import InputError
from hotspot.logo import LOGO_BYTES_MAX, read_logo

OPEN = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9' xmlns:x='http://www.w3.org/1999/xlink'>"


def svg(inside: str) -> bytes:
    return f"{OPEN}{inside}</svg>".encode()


@pytest.mark.parametrize(
    ("inside", "named"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<style>*{fill:url(http://x)}</style>", "<style>"),
        ("<image x:href='http://x/a.png'/>", "<image>"),
        ("<use x:href='#a'/>", "<use>"),
        ("<foreignObject/>", "<foreignObject>"),
        ("<a x:href='javascript:alert(1)'><path d='M0 0'/></a>", "<a>"),
        ("<animate attributeName='x'/>", "<animate>"),
        ("<defs><linearGradient/></defs>", "<defs>"),
        ("<g><set/></g>", "<set>"),
        ("<path d='M0 0' onload='alert(1)'/>", "onload"),
        ("<path d='M0 0' fill='url(#a)'/>", "fill"),
        ("<path d='M0 0' fill='URL(http://x)'/>", "fill"),
        ("<path d='M0 0' style='fill:url(http://x)'/>", "fill"),
        ("<path d='M0 0' x:href='http://x'/>", "href"),
        ("<path d='M0 0' fill='red&quot; onload=&quot;x'/>", "fill"),
        ("<path d='M0 0' filter='none'/>", "filter"),
    ],
)
def test_what_could_do_more_than_draw_is_refused_by_name(inside: str, named: str) -> None:
    with pytest.raises(InputError) as refused:
        read_logo(svg(inside))
    assert named in str(refused.value)


def test_what_an_editor_leaves_behind_is_dropped() -> None:
    content = (
        "<?xml version='1.0' encoding='UTF-8'?><!-- made by hand --><?editor open?>"
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:ink='urn:inkscape' viewBox='0 0 9 9' ink:version='1' id='a'>"
        "<ink:view zoom='2'/><metadata><x/></metadata><defs/>"
        "<path ink:label='x' id='p' class='c' d='M0 0h9' style='fill:#ff0000;font-size:12px;stroke-width:2'/></svg>"
    )
    shown = ET.fromstring(read_logo(content.encode()).content)
    assert [child.tag for child in shown] == ["{http://www.w3.org/2000/svg}path"]
    assert shown[0].attrib == {"d": "M0 0h9", "fill": "#ff0000", "stroke-width": "2"}
    assert shown.attrib == {"viewBox": "0 0 9 9"}


def test_the_address_holds_the_svg_and_closes_no_attribute() -> None:
    logo = read_logo(svg('<title>A "harbour" &lt;b&gt;</title><circle cx="4" cy="4" r="3" fill="#fff"/>'))
    assert not set('"<>#\n') & set(logo.data_uri)
    assert unquote(logo.data_uri.partition(",")[2]).encode() == logo.content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither a PNG nor an SVG"),
        (b"GIF89a", "neither a PNG nor an SVG"),
        (b"<svg/>", "not an SVG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no viewBox"),
        (b"<!DOCTYPE svg><svg xmlns='http://www.w3.org/2000/svg'/>", "DOCTYPE"),
        (b"<!doctype x [<!ENTITY a 'b'>]><svg/>", "DOCTYPE"),
        (svg("<path d='" + "M0 0" * 2_000 + "'/>"), "at most 6,000"),
        (b"<" * 60_001, "more than 60,000"),
        ("<svg/>".encode("utf-16"), "neither a PNG nor an SVG"),
    ],
)
def test_what_is_no_logo_is_told_why(content: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_logo(content)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: svg(text)))
def test_anything_is_a_logo_or_a_refusal(content: bytes) -> None:
    with contextlib.suppress(InputError):
        assert len(read_logo(content).content) <= LOGO_BYTES_MAX


# PNG ------------------------------------------------------------------------------------------------------


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*extra: bytes, side: int = 8) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * side) * side))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + rows + chunk(b"IEND")


def test_a_png_keeps_what_shows_and_loses_its_texts() -> None:
    logo = read_logo(png(chunk(b"tEXt", b"Author\0somebody"), chunk(b"eXIf", b"where it was taken")))
    assert logo.content == png()
    assert logo.data_uri.startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("content", "why"),
    [(png()[:-3], "cut short"), (png(side=600), "600 × 600"), (b"\x89PNG\r\n\x1a\n", "damaged")],
)
def test_a_png_that_will_not_do(content: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_logo(content)
