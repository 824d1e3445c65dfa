"""Terms of use as they are stored: versions are added and never changed; drafts wait for their publishing.

An acceptance carries the SHA-256 of the text that was seen, so that `proofs` shows whether each text still is that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from hotspot.terms import Draft, Terms, digest
from store.nases import Author
from store.rows import insert_for, terms_of
from store.schema import acceptance, terms, terms_draft


@dataclass(frozen=True, slots=True)
class Proof:
    """Acceptances of one text: how many carry its digest as it is now, another one, or (older ones) none."""

    text: Terms
    proven: int
    unproven: int
    contradicted: int

    @property
    def accepted(self) -> int:
        return self.proven + self.unproven + self.contradicted


def versions(conn: Connection) -> list[Terms]:
    """Every text, the newest version first, by language within it."""
    query = select(terms).order_by(terms.c.version.desc(), terms.c.language)
    return [terms_of(row) for row in conn.execute(query).mappings()]


VERSION_MAX = 2**31 - 1
"""The largest number that the column takes on PostgreSQL."""


def texts_of(conn: Connection, version: int) -> dict[str, Terms]:
    """A version's texts by language; empty where there is no such version."""
    if version > VERSION_MAX:
        return {}
    rows = conn.execute(select(terms).where(terms.c.version == version)).mappings()
    return {row["language"]: terms_of(row) for row in rows}


def current_version(conn: Connection) -> int:
    """0 where nothing was ever published."""
    return int(conn.execute(select(func.max(terms.c.version))).scalar() or 0)


def publish(conn: Connection, texts: Mapping[str, Draft], *, author: Author, now: datetime) -> int:
    """The next version in all these languages; returns its number. Needs `write()`."""
    version = current_version(conn) + 1
    rows = [
        {"version": version, "language": language, "title": text.title, "body": text.body, "published_at": now}
        for language, text in texts.items()
    ]
    conn.execute(insert(terms), rows)
    digests = {language: digest(text).hex() for language, text in texts.items()}
    author.note(conn, "terms.publish", f"terms:{version}", now=now, sha256=digests)
    return version


def proofs(conn: Connection) -> list[Proof]:
    """Every text with what its acceptances prove, in the order of `versions`."""
    columns = (acceptance.c.terms_id, acceptance.c.digest, func.count().label("n"))
    counted: dict[int, dict[bytes | None, int]] = {}
    for row in conn.execute(select(*columns).group_by(acceptance.c.terms_id, acceptance.c.digest)):
        seen = bytes(row.digest) if row.digest is not None else None
        counted.setdefault(row.terms_id, {})[seen] = row.n
    return [_proof(text, counted.get(text.id, {})) for text in versions(conn)]


def _proof(text: Terms, counted: Mapping[bytes | None, int]) -> Proof:
    proven, unproven = counted.get(digest(text), 0), counted.get(None, 0)
    return Proof(text, proven, unproven, sum(counted.values()) - proven - unproven)


# Drafts ---------------------------------------------------------------------------------------------------


def drafts(conn: Connection) -> dict[str, Draft]:
    """What waits to be published, by language."""
    return {row.language: Draft(row.title, row.body) for row in conn.execute(select(terms_draft))}


def save_draft(conn: Connection, language: str, text: Draft, *, staff_id: int, now: datetime) -> None:
    """Keep a text for later; the language's earlier draft is gone."""
    values = {"title": text.title, "body": text.body, "changed_by": staff_id, "changed_at": now}
    statement = insert_for(conn, terms_draft).values(language=language, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["language"], set_=values))


def discard_drafts(conn: Connection, language: str | None = None) -> None:
    """One language's draft, or all."""
    statement = terms_draft.delete()
    conn.execute(statement if language is None else statement.where(terms_draft.c.language == language))
