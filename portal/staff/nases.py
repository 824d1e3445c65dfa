"""The staff's pages of NASes: which there are and how they do, adding one step by step, changing and removing one.

Secrets are shown in the answer to a form alone, after adding and on demand; both stand in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from hotspot.diagnosis import Diagnosis, diagnose, is_well
from hotspot.faults import Fault
from hotspot.handoffs import HANDOVERS
from hotspot.nas import FIELDS, SECRETS, NasEntry, NasError, as_texts, defaults_of, read_entry
from hotspot.products import PRODUCTS
from portal.captive.admission import RandomOctets
from portal.forms import line, row_number
from portal.pages import speech_for
from portal.staff.guard import Guard
from portal.staff.views import staff_page
from service.cities import City
from service.snippets import snippet, without_secrets
from service.speech import Speech
from service.speech import marked as _
from store import arrivals, nases
from store.arrivals import ARRIVALS_MAX, Arrival
from store.nases import Author, Nas
from store.store import Connection

FIELD_CHARACTERS_MAX = 1_000

RECENT = timedelta(hours=24)
"""Packets that came before this say nothing about a NAS now."""

ARRIVALS_SHOWN = 10

LOOK_SECONDS = 5
"""How often a page that waits looks again."""

LOOK_FOR = timedelta(minutes=15)
"""How long a page goes on looking by itself; then a person says so again."""


@dataclass(frozen=True)
class Health:
    """A NAS with what is the matter with it and when it was heard last."""

    nas: Nas
    found: list[Diagnosis]
    last_heard: datetime | None

    @property
    def well(self) -> bool:
        return is_well(self.found)


@dataclass(frozen=True)
class NasPages:
    """What these views need, made once a city."""

    city: City
    speeches: dict[str, Speech]
    clock: Callable[[], datetime]
    random_octets: RandomOctets
    guard: Guard

    def mount(self, routes: Blueprint) -> None:
        """Add the pages to the staff's."""
        routes.get("/staff/nases")(self.nases)
        routes.get("/staff/nases/new")(self.new_nas)
        routes.post("/staff/nases/new")(self.add_nas)
        routes.get("/staff/nases/<int:nas_id>")(self.nas)
        routes.post("/staff/nases/<int:nas_id>/secrets")(self.show_secrets)
        routes.post("/staff/nases/<int:nas_id>/adopt")(self.adopt)
        routes.get("/staff/nases/<int:nas_id>/change")(self.change_form)
        routes.post("/staff/nases/<int:nas_id>/change")(self.change_nas)
        routes.get("/staff/nases/<int:nas_id>/remove")(self.remove_form)
        routes.post("/staff/nases/<int:nas_id>/remove")(self.remove_nas)

    # Looking ----------------------------------------------------------------------------------------

    def nases(self) -> AnyResponse:
        """The NASes by name, each with what is the matter with it."""
        rows, first = self.city.config.limits.page_rows, row_number(request.args.get("from", ""))
        with self.city.store.read() as conn:
            some = nases.some_nases(conn, self.city.store.keys, limit=rows, offset=first)
            states = self._health(conn, some)
        return self._page("staff/nases.html", states=states, products=PRODUCTS, first=first, rows=rows)

    def nas(self, nas_id: int) -> AnyResponse:
        """One NAS: what came in, what to type into it. With `until` the page looks again by itself until then."""
        until = min(row_number(request.args.get("until", "")), self._look_until())
        return self._nas_page(nas_id, looks=until > self.clock().timestamp())

    def _look_until(self) -> int:
        return int((self.clock() + LOOK_FOR).timestamp())

    def _nas_page(self, nas_id: int, *, looks: bool = False, secrets: bool = False, fresh: bool = False) -> Response:
        with self.city.store.read() as conn:
            (state,) = self._health(conn, [self._known(conn, nas_id)])
            came = [each for each in self._recent(conn) if each.nas_id in (nas_id, None)]
        looks = looks and not state.well
        return self._page(
            "staff/nas.html",
            state=state,
            nas=state.nas,
            product=PRODUCTS[state.nas.product],
            snippet=snippet(self.city.config, state.nas if secrets else without_secrets(state.nas)),
            arrivals=came[:ARRIVALS_SHOWN],
            secrets=secrets,
            fresh=fresh,
            looks=looks,
            until=self._look_until(),
            refresh=LOOK_SECONDS if looks else None,
        )

    def _health(self, conn: Connection, wanted: list[Nas]) -> list[Health]:
        came, accounted = self._recent(conn), nases.last_accounting(conn)
        identifiers, states = nases.identifiers(conn), []
        for nas in wanted:
            others = {identifier for nas_id, identifier in identifiers.items() if nas_id != nas.id}
            heard = [each.last_at for each in came if each.nas_id == nas.id]
            last = max([*heard, *filter(None, [accounted.get(nas.id)])], default=None)
            states.append(Health(nas, diagnose(nas, came, others=others), last))
        return states

    def _recent(self, conn: Connection) -> list[Arrival]:
        return arrivals.recent(conn, since=self.clock() - RECENT, limit=ARRIVALS_MAX)

    def _known(self, conn: Connection, nas_id: int) -> Nas:
        found = nases.by_id(conn, self.city.store.keys, nas_id)
        return found if found is not None else abort(404)

    def show_secrets(self, nas_id: int) -> AnyResponse:
        """The page with its secrets, once."""
        with self.city.store.write() as conn:
            self._known(conn, nas_id)
            nases.note_secrets_shown(conn, nas_id, author=self._author(), now=self.clock())
        return self._nas_page(nas_id, secrets=True)

    # Adding -----------------------------------------------------------------------------------------

    def new_nas(self) -> AnyResponse:
        """First the product, then the form that fits it."""
        product = PRODUCTS.get(request.args.get("product", ""))
        if product is None:
            return self._page("staff/nas_product.html", products=PRODUCTS)
        return self._form(defaults_of(product), action="/staff/nases/new")

    def add_nas(self) -> AnyResponse:
        typed = _typed(request.form)
        try:
            with self.city.store.write() as conn:
                entry = read_entry(typed, sites=nases.sites(conn)).with_secrets(self.random_octets)
                nas_id = nases.add(conn, self.city.store.keys, entry, author=self._author(), now=self.clock())
        except NasError as error:
            product = PRODUCTS.get(typed.get("product", ""))
            if product is None:
                return self._page("staff/nas_product.html", status=422, products=PRODUCTS)
            return self._form(defaults_of(product) | typed, action="/staff/nases/new", faults=error.faults)
        return self._nas_page(nas_id, secrets=True, fresh=True)

    # Changing ---------------------------------------------------------------------------------------

    def change_form(self, nas_id: int) -> AnyResponse:
        return self._change_form(nas_id, self._stored(nas_id))

    def change_nas(self, nas_id: int) -> AnyResponse:
        stored, typed = self._stored(nas_id), _typed(request.form)
        try:
            with self.city.store.write() as conn:
                entry = read_entry(typed, sites=nases.sites(conn))
                nases.change(conn, self.city.store.keys, nas_id, entry, author=self._author(), now=self.clock())
        except NasError as error:
            known = typed if typed.get("product") in PRODUCTS else typed | {"product": stored["product"]}
            return self._change_form(nas_id, known, error.faults)
        return redirect(f"/staff/nases/{nas_id}?until={self._look_until()}", 303)

    def _change_form(self, nas_id: int, typed: Mapping[str, str], faults: tuple[Fault, ...] = ()) -> Response:
        return self._form(typed, action=f"/staff/nases/{nas_id}/change", faults=faults, nas_id=nas_id)

    def _stored(self, nas_id: int) -> dict[str, str]:
        with self.city.store.read() as conn:
            entry = nases.entries(conn, self.city.store.keys).get(nas_id)
        return _without_secrets(entry) if entry is not None else abort(404)

    def adopt(self, nas_id: int) -> AnyResponse:
        """Set the field that a finding offers to what really arrived; anything else is nobody's offer."""
        field, value = request.form.get("field", ""), request.form.get("value", "")
        wanted = self._stored(nas_id)
        try:
            with self.city.store.write() as conn:
                (state,) = self._health(conn, [self._known(conn, nas_id)])
                if (field, value) in [each.offer for each in state.found]:
                    wanted |= {field: value}
                    entry = read_entry(wanted, sites=nases.sites(conn))
                    nases.change(conn, self.city.store.keys, nas_id, entry, author=self._author(), now=self.clock())
        except NasError as error:  # such as a NAS-Identifier of signs that none may have
            return self._change_form(nas_id, wanted, error.faults)
        return redirect(f"/staff/nases/{nas_id}?until={self._look_until()}", 303)

    # Removing ---------------------------------------------------------------------------------------

    def remove_form(self, nas_id: int) -> AnyResponse:
        with self.city.store.read() as conn:
            nas, online = self._known(conn, nas_id), nases.open_sessions(conn, nas_id)
        return self._page("staff/nas_remove.html", nas=nas, online=online)

    def remove_nas(self, nas_id: int) -> AnyResponse:
        with self.city.store.write() as conn:
            if not nases.remove(conn, nas_id, author=self._author(), now=self.clock()):
                abort(404)
        return redirect("/staff/nases", 303)

    # Shared -----------------------------------------------------------------------------------------

    def _author(self) -> Author:
        return Author(g.member.id)

    def _form(
        self, typed: Mapping[str, str], *, action: str, faults: tuple[Fault, ...] = (), nas_id: int | None = None
    ) -> Response:
        with self.city.store.read() as conn:
            sites = nases.sites(conn)
        return self._page(
            "staff/nas_form.html",
            status=422 if faults else 200,
            typed=typed,
            action=action,
            nas_id=nas_id,
            sites=sites,
            products=PRODUCTS,
            product=PRODUCTS[typed["product"]],
            handoffs=[(word, HANDOVERS[word].name) for word in PRODUCTS[typed["product"]].handoffs],
            labels=LABELS,
            faults={fault.field: self._said(fault) for fault in faults},
        )

    def _said(self, fault: Fault) -> str:
        return speech_for(request, self.speeches).text(fault.sentence, **fault.values)

    def _page(self, template: str, *, status: int = 200, **values: object) -> Response:
        return staff_page(self.city, self.speeches, self.guard, template, status=status, **values)


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    """The form's fields, the ones that a NAS has."""
    return {name: line(form[name], FIELD_CHARACTERS_MAX) for name in FIELDS if name in form}


def _without_secrets(entry: NasEntry) -> dict[str, str]:
    return {name: text for name, text in as_texts(entry).items() if name not in SECRETS}


LABELS = {
    "name": _("Name"),
    "site": _("Place"),
    "product": _("Product"),
    "address": _("Address that its packets come from"),
    "nas_identifier": _("NAS-Identifier"),
    "login_url": _("Log-in address of the NAS"),
    "coa_port": _("Port for Disconnect and CoA"),
    "require_message_authenticator": _("Message-Authenticator required"),
    "limit_proxy_state": _("Limit Proxy-State"),
    "octets_swapped": _("Counts the client's view"),
    "handoff": _("Hand-over to the NAS"),
    "walled_garden": _("Hosts reached before log-in"),
    "secret": _("RADIUS secret"),
    "uam_secret": _("UAM secret"),
}
"""A field's name in a form."""
