"""The staff's pages of the terms: drafts with preview and differences, publishing, and what an acceptance proves."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select, update

from hotspot.admission import Denial
from hotspot.roles import Role
from hotspot.terms import Draft
from portal.captive.front import TERMS_FOLDED_FROM, TERMS_LINKED_FROM
from portal.captive.sentences import DENIALS
from store import audit, schema, terms
from store.nases import COMMAND_LINE
from tests.portal.hands import Door, Phone, Seat, form, words

GERMAN = {"title": "Nutzungsbedingungen", "body": "Wir löschen nach **30** Tagen.\r\n\r\n# Fragen\r\n\r\n- per Post"}


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def save(admin: Seat, language: str = "de", **changes: str) -> None:
    assert admin.send(f"/staff/terms/draft/{language}", GERMAN | changes).status_code == 303


def publish(admin: Seat, **changes: str) -> str:
    page = admin.get("/staff/terms")
    answer = admin.send("/staff/terms/publish", form(page, "publish") | changes)
    return answer.location or words(answer)


def versions(door: Door) -> dict[str, Draft]:
    with door.city.store.read() as conn:
        texts = terms.texts_of(conn, terms.current_version(conn))
    return {language: Draft(text.title, text.body) for language, text in texts.items()}


def test_a_draft_shows_how_it_looks_and_what_would_change(door: Door, admin: Seat) -> None:
    with door.city.store.read() as conn:
        now = terms.texts_of(conn, 1)["de"]
    assert now.body.split()[0] in admin.get("/staff/terms/draft/de").text, "it begins with what holds now"
    save(admin, body=now.body.replace("90", "30"))
    page = admin.get("/staff/terms/draft/de").text
    assert "<del>[−90−]</del><ins>[+30+]</ins>" in page
    assert '<div class="terms" lang="de"><h3>Nutzungsbedingungen</h3><p>' in page
    assert versions(door)["de"].body == now.body, "nothing is published yet"


def test_drafts_become_the_next_version_all_at_once(door: Door, admin: Seat) -> None:
    save(admin)
    save(admin, "pl", title="Regulamin", body="Usuwamy po 30 dniach.")
    overview = words(admin.get("/staff/terms"))
    assert "so without a text in the next version: English, Leichte Sprache, Plattdüütsch" in overview
    assert publish(admin) == "/staff/terms/2"
    assert versions(door) == {
        "de": Draft("Nutzungsbedingungen", "Wir löschen nach **30** Tagen.\n\n# Fragen\n\n- per Post"),
        "pl": Draft("Regulamin", "Usuwamy po 30 dniach."),
    }
    assert door.count(schema.terms_draft) == 0
    page = admin.get("/staff/terms/2")
    digest = hashlib.sha256(b"# Regulamin\n\nUsuwamy po 30 dniach.\n").hexdigest()
    assert digest in page.text and "<ins>" in page.text and "This version holds now." in words(page)
    with door.city.store.read() as conn:
        entry = audit.entries(conn, limit=1)[0]
    assert (entry.action, entry.detail["sha256"]["pl"]) == ("terms.publish", digest)


def test_without_the_city_s_language_nothing_is_published(door: Door, admin: Seat) -> None:
    save(admin, "en")
    assert "The text in Deutsch is missing" in publish(admin)
    assert set(versions(door)) == set(door.city.config.languages)


def test_a_draft_that_changed_meanwhile_is_looked_at_again(door: Door, admin: Seat) -> None:
    save(admin)
    seen = form(admin.get("/staff/terms"), "publish")["seen"]
    save(admin, body="Etwas anderes.")
    assert "Somebody changed a draft meanwhile" in publish(admin, seen=seen)
    assert "Etwas anderes." not in versions(door)["de"].body
    assert publish(admin) == "/staff/terms/2"


def test_a_draft_can_be_discarded(door: Door, admin: Seat) -> None:
    save(admin)
    assert admin.send("/staff/terms/draft/de/discard").status_code == 303
    assert door.count(schema.terms_draft) == 0


@pytest.mark.parametrize("changes", [{"title": ""}, {"title": "x" * 201}, {"body": " \n"}, {"body": "x" * 20_001}])
def test_a_text_that_will_not_do_is_not_kept(door: Door, admin: Seat, changes: dict[str, str]) -> None:
    answer = admin.send("/staff/terms/draft/de", GERMAN | changes)
    assert answer.status_code == 422
    assert "A text has a title of 1 to 200 characters and a body of 1 to 20000." in words(answer)
    assert door.count(schema.terms_draft) == 0


def test_there_is_no_draft_in_a_language_that_the_city_has_not(admin: Seat) -> None:
    assert admin.get("/staff/terms/draft/fr").status_code == 404
    assert admin.send("/staff/terms/draft/fr", GERMAN).status_code == 404
    assert admin.get("/staff/terms/99").status_code == 404


# What residents see ---------------------------------------------------------------------------------------


def put(door: Door, body: str) -> None:
    with door.city.store.write() as conn:
        terms.publish(conn, {"de": Draft("Titel", body)}, author=COMMAND_LINE, now=door.clock())


def test_markdown_is_shown_below_the_page_s_own_headings(door: Door, phone: Phone) -> None:
    put(door, "# Eins\n\n**fett** und [Netz](https://rostock.example)\n\n- a\n- b")
    front, own = phone.arrive(language="de").text, phone.get("/terms", language="de").text
    assert "<h3>Eins</h3>" in front and "<strong>fett</strong>" in front and "<li>a</li>" in front
    assert "<h2>Eins</h2>" in own and '<a href="https://rostock.example">Netz</a>' in own


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![Bild](javascript:alert(1))",
        "[hier](javascript:alert(1))",
        "[hier](data:text/html,x)",
        "<http://evil.example>",
        "&lt;script&gt;",
    ],
)
def test_terms_bring_nothing_but_text(door: Door, phone: Phone, body: str) -> None:
    put(door, body)
    page = phone.get("/terms", language="de").text.partition("<main>")[2].partition("</main>")[0]
    for wrong in ("<script", "<img", 'javascript:alert(1)"', "<a href"):
        assert wrong not in page


def test_a_picture_is_at_most_a_link(door: Door, phone: Phone) -> None:
    put(door, "![Bild](https://rostock.example/x.png)")
    page = phone.get("/terms", language="de").text.partition("<main>")[2]
    assert "<img" not in page and '!<a href="https://rostock.example/x.png">Bild</a>' in page


def test_plain_text_keeps_its_paragraphs(phone: Phone, door: Door) -> None:
    put(door, "Eins,\nnoch eins.\n\n    Zwei mit 5 * 3 und a_b_c.\n")
    page = phone.get("/terms", language="de").text
    assert "<p>Eins,\nnoch eins.</p>" in page and "<p>Zwei mit 5 * 3 und a_b_c.</p>" in page


@pytest.mark.parametrize(("length", "folded"), [(100, 0), (TERMS_FOLDED_FROM + 1, 1)])
def test_long_terms_are_folded(door: Door, phone: Phone, length: int, folded: int) -> None:
    put(door, "x" * length)
    section = phone.arrive(language="de").text.partition('<section class="terms"')[2]
    assert section.count("<details>") == folded and "x" * length in section


def test_very_long_terms_have_a_page_of_their_own(door: Door, phone: Phone) -> None:
    put(door, "wort " * (TERMS_LINKED_FROM // 4))
    front = phone.arrive(language="de")
    assert "wort wort" not in front.text
    link = front.text.partition('<section class="terms"')[2].partition('href="')[2].partition('"')[0]
    own = phone.get(link.replace("&amp;", "&"), language="de")
    assert "wort wort" in own.text and 'href="/welcome?visit=' in own.text, "and a way back"


# Proof --------------------------------------------------------------------------------------------------


def test_an_acceptance_proves_which_text_was_seen(door: Door, phone: Phone, admin: Seat) -> None:
    phone.accept()
    with door.city.store.read() as conn:
        proofs = {proof.text.language: proof for proof in terms.proofs(conn)}
    assert (proofs["en"].proven, proofs["en"].accepted, proofs["de"].accepted) == (1, 1, 0)
    with door.city.store.write() as conn:
        english = select(schema.terms.c.id).where(schema.terms.c.language == "en").scalar_subquery()
        conn.execute(update(schema.terms).where(schema.terms.c.id == english).values(body="Something else."))
    with door.city.store.read() as conn:
        (proof,) = [each for each in terms.proofs(conn) if each.text.language == "en"]
    assert (proof.proven, proof.contradicted) == (0, 1)
    assert "1 with another text" in words(admin.get("/staff/terms"))


def test_an_older_acceptance_proves_nothing_and_is_counted_apart(door: Door, phone: Phone) -> None:
    phone.accept()
    with door.city.store.write() as conn:
        conn.execute(update(schema.acceptance).values(digest=None))
        (proof,) = [each for each in terms.proofs(conn) if each.accepted]
    assert (proof.proven, proof.unproven, proof.contradicted) == (0, 1, 0)


def test_a_version_that_was_published_meanwhile_is_read_first(door: Door, phone: Phone, admin: Seat) -> None:
    fields = form(phone.arrive(), "accept")
    save(admin)
    publish(admin)
    page = phone.send("/accept", fields)
    assert page.status_code == 422 and DENIALS[Denial.TERMS_CHANGED] in words(page)
    assert "30" in words(page)
    assert phone.send("/accept", form(page, "accept")).status_code == 303
