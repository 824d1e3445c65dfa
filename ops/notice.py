"""`kogge notice`: tell residents of an outage from the command line, as the staff's page does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from hotspot.errors import ConfigError, InputError
from hotspot.notices import Notice, read_notice
from ops.command import at, city_key, city_of, plainly
from service.cities import City
from store import notices, places
from store.nases import COMMAND_LINE

SHOWN = 50


@click.group("notice")
def command() -> None:
    """Tell residents of an outage on top of their pages."""


@command.command("add")
@city_key
@click.option("--text", "texts", metavar="LANGUAGE=TEXT", multiple=True, required=True, help="May be given again.")
@click.option("--site", default=None, metavar="KEY", help="Only at this place; the whole city where left out.")
@click.option("--from", "from_at", metavar="TIME", default=None, help="Such as 2026-11-25T18:00; now where left out.")
@click.option("--until", "until_at", metavar="TIME", default=None, help="Until somebody ends it where left out.")
@at
def add(
    city: str, texts: tuple[str, ...], site: str | None, from_at: str | None, until_at: str | None, folder: Path
) -> None:
    """Show a notice. Times are the city's; a text in the city's first language is needed."""
    now = datetime.now(UTC)
    with plainly(), city_of(folder, city) as opened:
        begins, ends = _moment(opened, from_at) or now, _moment(opened, until_at)
        try:
            said = read_notice(_texts(texts), from_at=begins, until_at=ends, languages=opened.config.languages)
            with opened.store.write() as conn:
                place = places.place_called(conn, site) if site is not None else None
                if site is not None and place is None:
                    raise InputError(f"{city} has no place {site!r}")
                notice_id = notices.add(
                    conn,
                    said,
                    site_id=place.id if place is not None else None,
                    from_at=begins,
                    until_at=ends,
                    author=COMMAND_LINE,
                    now=now,
                )
        except InputError as error:
            raise ConfigError(str(error)) from None
    click.echo(f"notice {notice_id}; residents see it within seconds. End it: kogge notice end {city} {notice_id}")


def _texts(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(equals for _, equals, _ in pairs):
        raise InputError("write a text as LANGUAGE=TEXT, such as de='Störung am Hafen'")
    return {language: text for language, _, text in pairs}


def _moment(city: City, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at_ = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not a time such as 2026-11-25T18:00") from None
    return at_ if at_.tzinfo is not None else at_.replace(tzinfo=city.zone)


@command.command("list")
@city_key
@at
def list_notices(city: str, folder: Path) -> None:
    """The newest notices, those that are over among them."""
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            some = notices.some_notices(conn, limit=SHOWN)
            names = {place.id: place.key for place in places.places(conn)}
        table = Table("Notice", "State", "From", "Until", "Place", "Text", box=None, pad_edge=False)
        for each in some:
            until = _local(opened, each.until_at) if each.until_at else "–"
            text, _ = each.said(opened.config.languages[0], opened.config.languages[0])
            place = names.get(each.site_id, "?") if each.site_id is not None else "all"
            table.add_row(str(each.id), _state(each), _local(opened, each.from_at), until, place, text)
        Console().print(table, soft_wrap=True)


def _state(notice: Notice) -> str:
    now = datetime.now(UTC)
    if notice.is_over(now):
        return "over"
    return "shown" if notice.is_shown(now) else "to come"


def _local(city: City, moment: datetime) -> str:
    return f"{moment.astimezone(city.zone):%Y-%m-%d %H:%M}"


@command.command("end")
@city_key
@click.argument("notice", type=int)
@at
def end(city: str, notice: int, folder: Path) -> None:
    """End a notice now."""
    with plainly(), city_of(folder, city) as opened:
        with opened.store.write() as conn:
            ended = notices.end(conn, notice, author=COMMAND_LINE, now=datetime.now(UTC))
        if not ended:
            raise ConfigError(f"no notice {notice} that is not over; see `kogge notice list {city}`")
    click.echo(f"notice {notice} is over")
