"""A small WISPr 1.0 client: it finds the XML in a page's comment, logs in, follows the gateway's answer.

Written from Appendix D alone. It follows no redirect by itself: the XML may stand in the body of one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree

HOPS_MAX = 8


@dataclass(frozen=True)
class Fetched:
    """An answer; `location` is empty where it is no redirect."""

    url: str
    body: str
    location: str = ""


Fetch = Callable[[str, Mapping[str, str] | None], Fetched]
"""Fetches an address, with a form if one is given."""


@dataclass(frozen=True)
class Told:
    """What the XML says: the element's name, MessageType and ResponseCode, and its other fields."""

    element: str
    message: int
    code: int
    fields: Mapping[str, str]


def told_by(body: str) -> Told | None:
    """The WISPr message in a page; None where there is none."""
    found = re.search(r"<!--\s*(<\?xml.*?</WISPAccessGatewayParam>)\s*-->", body, re.DOTALL)
    if found is None:
        return None
    (element,) = ElementTree.fromstring(found[1])
    fields = {each.tag: each.text or "" for each in element}
    message, code = int(fields.pop("MessageType")), int(fields.pop("ResponseCode"))
    return Told(element.tag, message, code, fields)


@dataclass(frozen=True)
class Client:
    """One device's client."""

    fetch: Fetch

    def look(self, url: str, form: Mapping[str, str] | None = None, *, besides: int = -1) -> Told:
        """The first message on the way from this address on; `besides`: of another type."""
        for _ in range(HOPS_MAX):
            fetched = self.fetch(url, form)
            told = told_by(fetched.body)
            if told is not None and told.message != besides:
                return told
            assert fetched.location, f"no WISPr message at {fetched.url}:\n{fetched.body[:2000]}"
            url, form = urljoin(fetched.url, fetched.location), None
        raise AssertionError("a circle of redirects")

    def log_in(self, url: str, name: str, password: str) -> Told:
        """From any page to the result: MessageType 120 where the portal refuses, 140 where the gateway answered."""
        invited = self.look(url)
        assert (invited.message, invited.code) == (100, 0), invited
        form = {"button": "Login", "UserName": name, "Password": password, "FNAME": "0", "OriginatingServer": url}
        answer = self.look(invited.fields["LoginURL"], form)
        assert answer.message == 120, answer
        return answer if answer.code != 201 else self.look(answer.fields["LoginResultsURL"])
