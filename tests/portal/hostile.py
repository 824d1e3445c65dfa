"""Which parameters the portal reads, found in its source, so that nobody need list them; and what a hostile one holds.

A name is a parameter if the source reads it from a request or hands it to a function that does (any `.get("name")`,
`["name"]` or call with a literal), or if a form of a template has a field of it. Too many names do no harm.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from portal import app

PORTAL = Path(app.__file__).parent
NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}", re.IGNORECASE)
FIELD = re.compile(r"""\bname=["']([^"'{}]+)["']""")


@cache
def parameter_names() -> tuple[str, ...]:
    return tuple(sorted({*_read_in_python(), *_fields_of_templates()}))


def _read_in_python() -> Iterator[str]:
    for path in sorted(PORTAL.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            literals: list[ast.expr] = []
            if isinstance(node, ast.Call):
                literals = node.args[:2]
            elif isinstance(node, ast.Subscript):
                literals = [node.slice]
            for literal in literals:
                if (
                    isinstance(literal, ast.Constant)
                    and isinstance(literal.value, str)
                    and NAME.fullmatch(literal.value)
                ):
                    yield literal.value


def _fields_of_templates() -> Iterator[str]:
    for path in sorted((PORTAL / "templates").rglob("*.html")):
        yield from FIELD.findall(path.read_text())


NASTY = (
    b"",
    b"\0",
    b"a\0b",
    b"\xff\xfe\x80",
    b"\xed\xa0\x80",  # half a surrogate pair
    b"\r\nSet-Cookie: x=1",
    b"0",
    b"-1",
    b"1",
    b"1e999",
    b"9" * 40,
    b"9223372036854775807",
    b"9223372036854775808",
    "٣".encode(),  # a digit, and no ASCII
    b"2026-13",
    b"0000-00",
    b'"><script>alert(1)</script>',
    b"' OR 1=1 --",
    b"{{7*7}}%s%(x)s{0}",
    b"../../../../etc/passwd",
    b"//evil.example",
    b"/\\evil.example",
    b"javascript:alert(1)",
    b"http://evil.example/",
    b"http://[::1",
    b"http://evil.example:99999999/",
    b"=" * 60,
    b"A" * 5_000,
    "\U0001f4a9\u202e\u0301\ufeff".encode(),
    b"null",
    b"[[[[",
    b"::ffff:127.0.0.1",
    b"de;q=nan,en;q=1e999,*;q=-1",
    b"x" * 300 + b",",
    b"02-00-5E-10-00-0A",
)

VALUES = st.one_of(
    st.sampled_from(NASTY),
    st.binary(max_size=60),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")),
)
HEADERS = (
    "Accept-Language",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "Forwarded",
    "Origin",
    "Referer",
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Accept-Charset",
    "Authorization",
    "Cookie",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
)
BODY_TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=\xff",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json",
    "text/plain",
    "",
    "\xff/;;=",
)
