"""The pages of NASes: added in three steps, what arrived in sentences, secrets shown only where they may be."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from hotspot.diagnosis import FINDINGS, Finding
from hotspot.products import PRODUCTS
from hotspot.roles import Role
from portal.staff.nases import LOOK_FOR
from store import arrivals, audit, nases
from store.arrivals import Arrival
from store.nases import Nas
from tests.portal.hands import NOW, Door, Seat, add_session, form, found_form, words

GOOD = {
    "name": "Hafen Ost",
    "site": "stadthafen",
    "product": "mikrotik",
    "address": "192.0.2.7",
    "nas_identifier": "hafen-1",
    "login_url": "http://10.5.50.1",
}
PAGE = "/staff/nases/2"


@pytest.fixture
def admin(door: Door) -> Seat:
    return door.member(Role.ADMIN)


def add(admin: Seat, **changes: str) -> TestResponse:
    return admin.send("/staff/nases/new", GOOD | changes)


def stored(door: Door, nas_id: int = 2) -> Nas | None:
    with door.city.store.read() as conn:
        return nases.by_id(conn, door.city.store.keys, nas_id)


def known(door: Door, nas_id: int = 2) -> Nas:
    found = stored(door, nas_id)
    assert found is not None
    return found


def actions(door: Door) -> list[tuple[str | None, str, str]]:
    with door.city.store.read() as conn:
        return [(entry.login, entry.action, entry.subject) for entry in audit.entries(conn, limit=10)]


def arrive(
    door: Door,
    verdict: str,
    *,
    source: str = "192.0.2.7",
    port: str = "auth",
    nas_identifier: str = "hafen-1",
    nas_id: int | None = 2,
) -> None:
    now = door.clock()
    came = Arrival(source, port, nas_identifier, verdict, nas_id, packets=3, first_at=now, last_at=now)
    with door.city.store.write() as conn:
        arrivals.note_many(conn, [came])


# Adding -----------------------------------------------------------------------------------------------


def test_first_the_product_then_its_form(admin: Seat) -> None:
    page = admin.get("/staff/nases/new")
    for product in PRODUCTS.values():
        assert f'value="{product.key}"' in page.text and product.name in page.text
    preset = form(admin.get("/staff/nases/new?product=coovachilli"), "nas")
    assert (preset["product"], preset["coa_port"]) == ("coovachilli", "3799")
    assert "which product" in words(admin.get("/staff/nases/new?product=fritzbox"))


@pytest.mark.parametrize("product", PRODUCTS)
def test_each_products_form_as_it_is_offered_is_taken(door: Door, admin: Seat, product: str) -> None:
    page = admin.get(f"/staff/nases/new?product={product}")
    offered = re.findall(r'<select id="(\w+)".*?<option value="(\w+)" selected', page.text, re.DOTALL)
    typed = {"name": "A", "site": "stadthafen", "address": "192.0.2.7", "nas_identifier": "a"}
    login = {"login_url": PRODUCTS[product].login_example}
    answer = admin.send("/staff/nases/new", form(page, "nas") | dict(offered) | typed | login)
    assert answer.status_code == 200, words(answer)
    assert known(door).octets_swapped is PRODUCTS[product].octets_swapped


def test_added_it_is_shown_with_its_secrets_once(door: Door, admin: Seat) -> None:
    answer = add(admin)
    nas = known(door)
    assert (nas.name, nas.site_name, nas.address) == ("Hafen Ost", "Stadthafen", "192.0.2.7")
    secret = nas.secret.decode()
    assert re.fullmatch("[A-Za-z0-9]{24}", secret)
    assert f"secret=&#34;{secret}&#34;" in answer.text and "walled-garden add dst-host=rostock.localhost" in answer.text
    assert "<meta http-equiv" not in answer.text, "a page with secrets does not go away by itself"
    assert actions(door)[0] == ("admin", "nas.add", "nas:2")
    for path in (PAGE, f"{PAGE}/change", "/staff/nases", "/staff/audit"):
        assert secret not in admin.get(path).text, path


def test_a_secret_may_be_given(door: Door, admin: Seat) -> None:
    add(admin, secret="secret-of-the-vendor", uam_secret="uam-secret-of-it")
    assert (known(door).secret, known(door).uam_secret) == (b"secret-of-the-vendor", b"uam-secret-of-it")


def test_secrets_are_shown_on_demand_and_that_is_noted(door: Door, admin: Seat) -> None:
    add(admin)
    secret = known(door).secret.decode()
    shown = admin.send(f"{PAGE}/secrets")
    assert shown.status_code == 200 and secret in shown.text
    assert actions(door)[0] == ("admin", "nas.secrets", "nas:2")
    assert admin.get(f"{PAGE}/secrets").status_code == 405, "no link does it"
    assert shown.headers["Cache-Control"] == "no-store"


def test_every_fault_is_told_at_its_field_and_what_was_typed_stays(door: Door, admin: Seat) -> None:
    answer = add(admin, address="192.0.2.7/24", nas_identifier="", secret="kurz-geheim")
    assert answer.status_code == 422 and stored(door) is None
    told = words(answer)
    assert "Write 192.0.2.7, or the whole network: 192.0.2.0/24." in told and "at least 12 characters" in told
    for name in ("address", "nas_identifier", "secret"):
        assert f'id="{name}-fault"' in answer.text and f'<a href="#{name}">' in answer.text
        assert re.search(rf'name="{name}"[^>]*aria-invalid="true"[^>]*aria-describedby="{name}-fault', answer.text)
    assert form(answer, "nas")["name"] == "Hafen Ost"
    german = admin.send("/staff/nases/new", GOOD | {"coa_port": "0"}, language="de")
    assert "Schreiben Sie eine Zahl von 1 bis 65535." in words(german)


def test_a_name_that_is_taken(door: Door, admin: Seat) -> None:
    add(admin)
    answer = add(admin)
    assert answer.status_code == 422 and "hafen-1 is another NAS's already." in words(answer)


@pytest.mark.parametrize("product", ["", "fritzbox"])
def test_a_form_without_a_product_asks_for_one(admin: Seat, product: str) -> None:
    answer = add(admin, product=product)
    assert answer.status_code == 422 and "which product" in words(answer)


def test_a_long_list_has_pages(door: Door, admin: Seat) -> None:
    for number in range(101):
        assert add(admin, name=f"n{number:03}", nas_identifier=f"gw-{number}").status_code == 200
    first, second = admin.get("/staff/nases"), admin.get("/staff/nases?from=100")
    assert "n099" in first.text and "n100" not in first.text and 'href="?from=100"' in first.text
    assert "n100" in second.text and "rostock-gateway" in second.text and 'href="?from=0"' in second.text


# What arrived -----------------------------------------------------------------------------------------


def test_a_page_that_waits_looks_again_for_a_while(door: Door, admin: Seat) -> None:
    add(admin)
    until = int((NOW + LOOK_FOR).timestamp())
    assert "<meta http-equiv" not in admin.get(PAGE).text
    waiting = admin.get(f"{PAGE}?until={until}")
    assert '<meta http-equiv="refresh" content="5">' in waiting.text and f'href="{PAGE}">Stop that' in waiting.text
    assert "Nothing has come from this NAS in the last 24 hours." in words(waiting)
    assert "<meta http-equiv" in admin.get(f"{PAGE}?until={until * 1_000}").text
    door.clock.forward(minutes=16)
    assert "<meta http-equiv" not in admin.get(f"{PAGE}?until={until}").text, "not for ever"


@pytest.mark.parametrize("until", ["", "x", "-1", "9" * 400, "1e9"])
def test_an_odd_until_is_none(admin: Seat, until: str) -> None:
    add(admin)
    assert admin.get(f"{PAGE}?until={until}").status_code == 200


def test_all_well_ends_the_waiting(door: Door, admin: Seat) -> None:
    add(admin)
    arrive(door, "ok")
    door.clock.forward(minutes=1)
    until = int((door.clock() + LOOK_FOR).timestamp())
    half = admin.get(f"{PAGE}?until={until}")
    assert "No accounting has come in yet" in words(half) and "<meta http-equiv" in half.text
    arrive(door, "ok", port="acct")
    well = admin.get(f"{PAGE}?until={until}")
    assert "Authentication and accounting work." in words(well) and "<meta http-equiv" not in well.text
    assert "All well" in words(admin.get("/staff/nases"))


@pytest.mark.parametrize(
    ("verdict", "finding"),
    [
        ("bad_message_authenticator", Finding.WRONG_SECRET),
        ("bad_authenticator", Finding.WRONG_SECRET),
        ("no_message_authenticator", Finding.NO_MESSAGE_AUTHENTICATOR),
        ("proxy_state", Finding.PROXY_STATE),
        ("length", Finding.DROPPED),
    ],
)
def test_what_is_wrong_is_said_with_the_next_step(door: Door, admin: Seat, verdict: str, finding: Finding) -> None:
    add(admin)
    arrive(door, verdict)
    told, texts = words(admin.get(PAGE)), FINDINGS[finding]
    values = {"source": "192.0.2.7", "verdict": verdict}
    assert texts.sentence % values in told and texts.next_step in told
    assert texts.short in words(admin.get("/staff/nases"))


def test_an_unknown_address_is_taken_over_by_one_click(door: Door, admin: Seat) -> None:
    add(admin)
    arrive(door, "unknown_client", source="203.0.113.9", nas_id=None)
    page = admin.get(PAGE)
    assert "This is my NAS: use the address 203.0.113.9" in words(page)
    click = {"field": "address", "value": "203.0.113.9"}
    assert urlsplit(admin.send(f"{PAGE}/adopt", click).location or "").path == PAGE
    assert known(door).address == "203.0.113.9"
    assert "Nothing has come" in words(admin.get(PAGE)), "as that address nothing has come yet"
    assert actions(door)[0] == ("admin", "nas.change", "nas:2")


def test_another_identifier_is_taken_over_by_one_click(door: Door, admin: Seat) -> None:
    add(admin, product="unifi")
    arrive(door, "bad_message_authenticator", nas_identifier="a-uuid-of-unifi", nas_id=None)
    assert "use the NAS-Identifier a-uuid-of-unifi" in words(admin.get(PAGE))
    admin.send(f"{PAGE}/adopt", {"field": "nas_identifier", "value": "a-uuid-of-unifi"})
    assert known(door).nas_identifier == "a-uuid-of-unifi"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "198.51.100.1"),
        ("address", "0.0.0.0/0"),
        ("secret", "a-secret-of-mine"),
        ("nas_identifier", "hafen-2"),
        ("", ""),
    ],
)
def test_only_what_arrived_can_be_taken_over(door: Door, admin: Seat, field: str, value: str) -> None:
    add(admin)
    arrive(door, "unknown_client", source="203.0.113.9", nas_id=None)
    before = known(door)
    assert admin.send(f"{PAGE}/adopt", {"field": field, "value": value}).status_code == 303
    assert known(door) == before


def test_an_identifier_that_none_may_have_is_not_taken_over(door: Door, admin: Seat) -> None:
    add(admin)
    odd = "<b>=ö</b>"
    arrive(door, "bad_message_authenticator", nas_identifier=odd, nas_id=None)
    assert "<b>=" not in admin.get(PAGE).text, "what strangers claim is text"
    answer = admin.send(f"{PAGE}/adopt", {"field": "nas_identifier", "value": odd})
    assert answer.status_code == 422 and "beginning with a letter or digit" in words(answer)
    assert known(door).nas_identifier == "hafen-1"


def test_when_it_was_heard_last(door: Door, admin: Seat) -> None:
    assert "never" in words(admin.get("/staff/nases"))
    arrive(door, "ok", nas_id=1, nas_identifier="rostock-gw-0001")
    assert "23 Nov 2026, 13:00" in words(admin.get("/staff/nases"))
    door.clock.forward(hours=25)
    assert "Nothing has come" in words(door.member(Role.ADMIN).get("/staff/nases/1")), "a day later it tells nothing"


# Changing and removing --------------------------------------------------------------------------------


def test_changing(door: Door, admin: Seat) -> None:
    add(admin)
    before = known(door)
    page = admin.get(f"{PAGE}/change")
    chosen = dict(re.findall(r'<select id="(\w+)".*?<option value="([\w-]+)" selected', page.text, re.DOTALL))
    preset = dict(found_form(page, "nas").fields) | chosen
    assert "secret" not in preset or preset["secret"] == ""
    answer = admin.send(f"{PAGE}/change", preset | {"coa_port": "1700", "limit_proxy_state": "no"})
    assert (answer.status_code, urlsplit(answer.location).path) == (303, PAGE)
    after = known(door)
    assert (after.coa_port, after.limit_proxy_state, after.secret) == (1700, False, before.secret)
    assert (after.name, after.product, after.address) == (before.name, before.product, before.address)


def test_a_change_that_will_not_do_is_told(door: Door, admin: Seat) -> None:
    add(admin)
    for changes in ({"address": "x"}, {"product": "fritzbox"}, {"nas_identifier": "rostock-gw-0001"}):
        answer = admin.send(f"{PAGE}/change", GOOD | changes)
        assert answer.status_code == 422 and f'id="{next(iter(changes))}-fault"' in answer.text
    assert admin.send(f"{PAGE}/change", {}).status_code == 422
    assert known(door).address == "192.0.2.7"


def test_removing_says_how_many_are_online(door: Door, admin: Seat) -> None:
    add(admin)
    add_session(door.city)
    assert "Sessions that are open there: 1." in words(admin.get("/staff/nases/1/remove"))
    assert "Sessions that are open there: 0." in words(admin.get(f"{PAGE}/remove"))
    answer = admin.send(f"{PAGE}/remove")
    assert (answer.status_code, answer.location) == (303, "/staff/nases")
    assert stored(door) is None and "Hafen Ost" not in words(admin.get("/staff/nases"))
    assert actions(door)[0] == ("admin", "nas.remove", "nas:2")


@pytest.mark.parametrize("number", ["2", "0", "9223372036854775808", "x"])
@pytest.mark.parametrize("page", ["", "/change", "/remove"])
def test_a_nas_of_nothing_is_no_page(admin: Seat, number: str, page: str) -> None:
    assert admin.get(f"/staff/nases/{number}{page}").status_code == 404
    if page:
        # 405: to Werkzeug a number that is none leaves the path, but not the method
        assert admin.send(f"/staff/nases/{number}{page}", GOOD).status_code in (404, 405)
    else:
        for form_of in ("adopt", "secrets"):
            assert admin.send(f"/staff/nases/{number}/{form_of}").status_code in (404, 405)


def test_a_nas_without_a_log_in_address_troubles_no_page(door: Door, admin: Seat) -> None:
    """The Content-Security-Policy names the NASes' origins."""
    add(admin, product="hostapd", login_url="")
    door.clock.forward(minutes=1)
    policy = admin.get(PAGE).headers["Content-Security-Policy"]
    assert "://;" not in policy and " :// " not in policy
