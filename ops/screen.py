"""What the terminal shows: tables that fit 80 columns. They are made of values and ask no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from rich.box import SIMPLE
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from config.model import CityConfig, Installation
from hotspot.discovery import Found, Known
from ops.ports import MAILBOX_WEB
from ops.words import NOTHING, printable
from store.nases import Nas
from store.snmp_credentials import Candidate

Row = Sequence[str]


def nas_table(nases: Iterable[Nas]) -> Table:
    """A city's RADIUS clients; secrets stand in `kogge nas show`."""
    headers = ("Name", "Site", "NAS-Identifier", "Address", "Product", "CoA")
    rows = [
        (each.name, each.site_name, each.nas_identifier, each.address, each.product, str(each.coa_port))
        for each in nases
    ]
    return _table(headers, rows, whole=("Name", "NAS-Identifier", "Address", "CoA"))


def credential_table(kept: Iterable[Candidate]) -> Table:
    """SNMP credentials that are kept for networks, without their secrets; in the order in which they are tried."""
    headers = ("Name", "Network", "Version", "Since (UTC)")
    rows = [(each.name, str(each.network), each.credential.version, f"{each.created_at:%Y-%m-%d}") for each in kept]
    return _table(headers, rows, whole=headers)


def found_table(found: Iterable[tuple[Found, Known | None]]) -> Table:
    """Devices that answered a search, and which of them are known already."""
    headers = ("Address", "Calls itself", "Model", "Firmware", "Serial number", "Profile", "Known")
    return _table(headers, (_found(*each) for each in found), whole=("Address", "Serial number", "Known"))


def _found(found: Found, known: Known | None) -> Row:
    told = (found.system_name, found.model, found.firmware, found.serial)
    was = "" if known is None else f"{known.name}{f', moved from {known.address}' if known.moved else ''}"
    return found.address, *(printable(each) or NOTHING for each in told), found.profile, was or "new"


def demo_table(
    cities: Sequence[CityConfig], installation: Installation, passwords: Mapping[tuple[str, str], str]
) -> Table:
    """Where each city answers. `passwords` by (city, login): only those that were made by this start."""
    rows: list[Row] = []
    for city in cities:
        portal, radius = city.portal, city.radius
        rows += [
            (city.key, "portal", f"{portal.url}/"),
            ("", "staff", f"{portal.staff_url}/staff"),
            ("", "RADIUS", f"{radius.listen} port {radius.auth_port}, accounting {radius.acct_port}"),
            ("", "metrics", f"http://{installation.monitor.metrics_listen}/cities/{city.key}/metrics"),
            *(("", login, password) for (key, login), password in passwords.items() if key == city.key),
            ("", "", ""),
        ]
    return _table(("City", "What", "Where, or password"), rows[:-1], whole=("City", "What", "Where, or password"))


def demo_notes(installation: Installation, *, command: str, state: str, passwords: str, fresh: bool) -> list[str]:
    """What stands below the demo's table."""
    portal, radius = (
        _port(listen) for listen in (installation.portal.metrics_listen, installation.radius.metrics_listen)
    )
    kept = "The passwords are shown once; they are kept in" if fresh else "User names and passwords of the staff:"
    return [
        f"{kept} {passwords}",
        f"Metrics of the portal are on port {portal}, of RADIUS on port {radius}. A city's token for them:",
        f"  {command} metrics-token CITY --dir {state}",
        f"Logs of the services: {state}/log",
        "",
        "The first residents are on their way. Walk up to a hotspot yourself:",
        f"  http://{installation.portal.start_page_host}:{_port(installation.portal.listen)}/",
        f"E-mail and text messages with codes (Lübeck, Wismar) arrive at http://{MAILBOX_WEB}/",
        "Ctrl-C ends it all.",
    ]


def _port(listen: str) -> int | None:
    return urlsplit(f"//{listen}").port


def _table(headers: Row, rows: Iterable[Row], *, whole: Sequence[str]) -> Table:
    """Columns in `whole` are copied by hand or by a script: better a line too long than a word cut in two."""
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    rows = list(rows)
    for number, header in enumerate(headers):
        kept = header in whole
        width = max((cell_len(row[number]) for row in rows), default=0) if kept else None
        table.add_column(header, no_wrap=kept, min_width=width, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
