"""`kogge terms`: terms of use from Markdown files, and what an auditor asks: which text was seen, is it so still?"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from hotspot.errors import ConfigError, InputError
from hotspot.terms import BODY_MAX, Draft, Terms, as_file, digest, missing, read_file
from ops.command import at, city_key, city_of, plainly
from store import terms
from store.nases import COMMAND_LINE

FILE_BYTES_MAX = 4 * BODY_MAX + 4_000
"""UTF-8 has at most four octets a character."""

CONTRADICTED = 1
"""Exit status of `verify` where a text is not the one that was accepted."""


@click.group("terms")
def command() -> None:
    """Publish terms of use and show who accepted which."""


@command.command("import")
@city_key
@click.argument("files", metavar="FILE.md...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what is wrong, or what would be published.")
@at
def import_files(city: str, files: tuple[Path, ...], dry_run: bool, folder: Path) -> None:
    """Publish Markdown files as the next version, all languages at once.

    A file's name ends in its language, such as de.md or 2.de.md; its first line is the title, such as "# Terms of
    use". Everybody is shown the page again and accepts anew.
    """
    with plainly(), city_of(folder, city) as opened:
        languages = opened.config.languages
        texts = _read_all(files, languages)
        try:
            without = missing(texts, languages)
        except InputError as error:
            raise ConfigError(f"{error}; nothing was published") from None
        if dry_run:
            with opened.store.read() as conn:
                version = terms.current_version(conn) + 1
        else:
            with opened.store.write() as conn:
                version = terms.publish(conn, texts, author=COMMAND_LINE, now=datetime.now(UTC))
    click.echo(f"version {version} {'would be' if dry_run else 'is'} published in {', '.join(texts)}")
    for language, text in texts.items():
        click.echo(f"{language}: SHA-256 {digest(text).hex()}")
    if without:
        click.echo(f"without a text: {', '.join(without)}; their readers see the one in {languages[0]}", err=True)


def _read_all(files: tuple[Path, ...], languages: tuple[str, ...]) -> dict[str, Draft]:
    texts: dict[str, Draft] = {}
    for file in files:
        language = _language_of(file, languages)
        if language in texts:
            raise ConfigError(f"{file}: there is another file in {language}")
        try:
            octets = file.read_bytes()
            if len(octets) > FILE_BYTES_MAX:
                raise ConfigError(f"{file}: larger than {FILE_BYTES_MAX:,} bytes")
            texts[language] = read_file(octets.decode("utf-8"))
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{file}: not UTF-8") from None
        except InputError as error:
            raise ConfigError(f"{file}: {error}") from None
    return {language: texts[language] for language in languages if language in texts}


def _language_of(file: Path, languages: tuple[str, ...]) -> str:
    found = re.fullmatch(r"(?:.*\.)?([a-z]+(?:-[a-z]+)?)\.md", file.name)
    if found is None or found[1] not in languages:
        raise ConfigError(f"{file}: the name must end in a language of the city and .md: {', '.join(languages)}")
    return found[1]


@command.command("list")
@city_key
@at
def list_terms(city: str, folder: Path) -> None:
    """Every text with its SHA-256 and how often it was accepted."""
    with plainly(), city_of(folder, city) as opened, opened.store.read() as conn:
        proofs = terms.proofs(conn)
    table = Table("Version", "Language", "Published", "Accepted", box=None, pad_edge=False)
    table.add_column("SHA-256", min_width=64)
    for proof in proofs:
        text = proof.text
        when = f"{text.published_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(str(text.version), text.language, when, str(proof.accepted), digest(text).hex())
    Console().print(table, soft_wrap=True)


@command.command("show")
@city_key
@click.option("--version", type=int, default=None, help="The current one where left out.")
@click.option("--language", default=None, help="The city's first language where left out.")
@at
def show(city: str, version: int | None, language: str | None, folder: Path) -> None:
    """Print a text as the Markdown file that was accepted."""
    with plainly(), city_of(folder, city) as opened:
        with opened.store.read() as conn:
            wanted = terms.current_version(conn) if version is None else version
            text = terms.texts_of(conn, wanted).get(language or opened.config.languages[0])
        if text is None:
            raise ConfigError(f"no version {wanted} in that language; see `kogge terms list {city}`")
        click.echo(as_file(text).encode(), nl=False)


@command.command("verify")
@city_key
@at
def verify(city: str, folder: Path) -> None:
    """Compare what was accepted with the texts as they are.

    Exit status 1 where a text is another one.
    """
    with plainly(), city_of(folder, city) as opened, opened.store.read() as conn:
        proofs = terms.proofs(conn)
    for proof in proofs:
        click.echo(
            f"version {proof.text.version} {proof.text.language}: {proof.proven} proven, "
            f"{proof.unproven} from before there were proofs, {proof.contradicted} contradicted"
        )
    wrong = [_name(proof.text) for proof in proofs if proof.contradicted]
    if wrong:
        click.echo(f"changed after it was accepted: {', '.join(wrong)}; compare with a backup", err=True)
        sys.exit(CONTRADICTED)


def _name(text: Terms) -> str:
    return f"version {text.version} {text.language}"
