"""A logo that may stand on a page: a small PNG, or an SVG rebuilt from the few things that only draw.

What an SVG could do beyond drawing (run a script, load a file, style the page, animate, link) is refused by name; what
editors leave behind in their own namespaces is dropped. The page shows the result as an image, where nothing could
run anyway.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from hotspot.errors import InputError

LOGO_BYTES_MAX = 6_000
"""As it is shown. The first page has 14,336 octets for everything, and a logo is on every page."""

LOGO_FILE_BYTES_MAX = 60_000
"""As it comes: an editor's SVG shrinks by what is dropped."""

PNG_SIDE_MAX = 512

SVG, PNG = "image/svg+xml", "image/png"
_SVG_NS = "{http://www.w3.org/2000/svg}"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"sRGB", b"cHRM", b"pHYs", b"bKGD"})

_ELEMENTS = frozenset({"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "title", "desc"})
_DROPPED = frozenset({"metadata", "defs"})
"""Where editors put what does not draw; `defs` only if it is empty."""

_ATTRIBUTES = frozenset(
    {
        *("viewBox", "preserveAspectRatio", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy"),
        *("r", "rx", "ry", "d", "points", "transform", "opacity", "fill", "fill-rule", "fill-opacity", "clip-rule"),
        *("stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray"),
        "stroke-opacity",
    }
)
_IGNORED = frozenset({"id", "class", "version", "baseProfile", "role", "style"})
_VALUE = re.compile(r"[\w\s.,%#()+\-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Logo:
    """What `read_logo` made of a file."""

    media_type: str
    content: bytes

    @property
    def data_uri(self) -> str:
        """For `src`. An SVG is written out, because that compresses and base64 does not."""
        return _data_uri(self)


@lru_cache(maxsize=64)
def _data_uri(logo: Logo) -> str:
    if logo.media_type == SVG:
        return f"data:{SVG},{quote(logo.content.decode(), safe=_URI_SAFE)}"
    return f"data:{logo.media_type};base64,{base64.b64encode(logo.content).decode()}"


_URI_SAFE = " !$'()*+,-./:;=?@_~"


def read_logo(content: bytes) -> Logo:
    """The logo in a file. InputError says what is wrong with it and what would be right."""
    if len(content) > LOGO_FILE_BYTES_MAX:
        raise InputError(f"the logo's file has more than {LOGO_FILE_BYTES_MAX:,} bytes; simplify it")
    logo = _read_png(content) if content.startswith(_PNG_SIGNATURE) else _read_svg(content)
    if len(logo.content) > LOGO_BYTES_MAX:
        raise InputError(
            f"the logo has {len(logo.content):,} bytes, at most {LOGO_BYTES_MAX:,} fit; simplify it or save it smaller"
        )
    return logo


# PNG ------------------------------------------------------------------------------------------------------


def _read_png(content: bytes) -> Logo:
    """With the chunks that show something and no others (ISO/IEC 15948, section 5.3): no text, no animation."""
    kept, place = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    names = []
    while place < len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4])
        name = content[place + 4 : place + 8]
        if end > len(content):
            raise InputError("the PNG is cut short; save it again")
        names.append(name)
        if name in _PNG_CHUNKS:
            kept.append(content[place:end])
        place = end
    if not names or names[0] != b"IHDR" or names[-1] != b"IEND" or b"IDAT" not in names:
        raise InputError("the PNG is damaged; save it again")
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if not (0 < width <= PNG_SIDE_MAX and 0 < height <= PNG_SIDE_MAX):
        raise InputError(f"the PNG is {width} × {height} pixels, at most {PNG_SIDE_MAX} × {PNG_SIDE_MAX} are of use")
    return Logo(PNG, b"".join(kept))


# SVG ------------------------------------------------------------------------------------------------------


def _read_svg(content: bytes) -> Logo:
    if b"<!DOCTYPE" in content.upper() or b"<!ENTITY" in content.upper():  # entities could grow without bounds
        raise InputError("the SVG has a DOCTYPE; remove it (“plain SVG” in most programs)")
    try:
        root = ET.fromstring(content.decode("utf-8"))
    except (ET.ParseError, UnicodeDecodeError, ValueError):
        raise InputError("the logo is neither a PNG nor an SVG in UTF-8") from None
    if root.tag != f"{_SVG_NS}svg":
        raise InputError("the logo is not an SVG: its first element is not <svg> of http://www.w3.org/2000/svg")
    made = _rebuilt(root)
    if "viewBox" not in made.attrib:
        raise InputError("the SVG has no viewBox, so it cannot be shown at another size; add one")
    made.set("xmlns", _SVG_NS.strip("{}"))
    return Logo(SVG, ET.tostring(made, encoding="unicode").replace('"', "'").encode())


def _rebuilt(element: ET.Element) -> ET.Element:
    """A new element of what may draw. InputError names what may not stand in a logo."""
    name = element.tag.removeprefix(_SVG_NS)
    if name not in _ELEMENTS:
        raise InputError(f"the SVG has an element <{name[:40]}>; a logo is made of {', '.join(sorted(_ELEMENTS))}")
    made = ET.Element(name, _attributes(element))
    if name in ("title", "desc"):
        made.text = re.sub(r"[<>&'\"]", " ", element.text or "")[:100]
    for child in element:
        if isinstance(child.tag, str) and child.tag.startswith(_SVG_NS) and not _is_nothing(child):
            made.append(_rebuilt(child))
    return made


def _is_nothing(element: ET.Element) -> bool:
    name = element.tag.removeprefix(_SVG_NS)
    return name in _DROPPED and (name == "metadata" or not len(element))


def _attributes(element: ET.Element) -> dict[str, str]:
    """The permitted ones, those of `style` among them."""
    written = {name: value for name, value in element.attrib.items() if "}" not in name or _is_link(name)}
    styled = dict(_declarations(element.get("style", "")))
    found = {}
    for name, value in (written | styled).items():
        if name in _ATTRIBUTES:
            found[name] = _value(name, value)
        elif name not in _IGNORED and name not in styled:
            raise InputError(f"the SVG has an attribute {name[:40]}={value[:40]!r}, which does not draw; remove it")
    return found


def _is_link(name: str) -> bool:
    return name.endswith("}href")


def _declarations(style: str) -> list[tuple[str, str]]:
    pairs = (each.partition(":") for each in style.split(";") if ":" in each)
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _value(name: str, value: str) -> str:
    if not _VALUE.fullmatch(value) or "url" in value.lower():
        raise InputError(f"the SVG has {name}={value[:40]!r}; a logo has plain colours and numbers, no references")
    return " ".join(value.split())
