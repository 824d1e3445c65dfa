"""The outbox's orders on their way: sent, repeated, answered, given up, taken up again; every NAS by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from hotspot.products import PRODUCTS
from radius import wire
from radius.dynamic import EACH_NAS_MAX, RETRY_SECONDS, STAMP_SECONDS, TAKEOVER, Dynamic
from radius.metrics import RadiusMetrics
from radius.naming import naming_of
from radius.wire import Attr
from service.cities import City
from simulator.radius_client import Codec
from store import outbox, schema
from store.engine import open_engine
from store.outbox import Kind, Order, State
from store.store import Unavailable
from tests.conftest import NOW
from tests.radius.conftest import PHONE, SECRET, add_loopback_nas, issue_ticket
from tests.support.rows import add_device, add_session

NAS_ADDRESS, PORT = "127.0.0.1", 3799
SECOND = timedelta(seconds=1)


class Wire:
    """What our side sent, and answers as a NAS would give them."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.broken = False

    def send(self, datagram: bytes, to: tuple[str, int]) -> None:
        if self.broken:
            raise OSError(101, "Network is unreachable")
        self.sent.append((datagram, to))

    def take(self) -> list[tuple[bytes, tuple[str, int]]]:
        taken, self.sent = self.sent, []
        return taken

    def one(self) -> bytes:
        ((datagram, _),) = self.take()
        return datagram


def answer(request: bytes, add: int, cause: int | None = None, secret: str = SECRET) -> bytes:
    """`add` 1 is the ACK, 2 the NAK (RFC 5176 section 2.3)."""
    body = b"" if cause is None else bytes((101, 6)) + cause.to_bytes(4, "big")
    head = bytes((request[0] + add, request[1])) + (20 + len(body)).to_bytes(2, "big")
    return head + hashlib.md5(head + request[4:20] + body + secret.encode()).digest() + body


class Scene:
    """A city with one open session at a NAS, its orders, and what would run them."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.nas_id = add_loopback_nas(city, coa_port=PORT)
        self.device_id = add_device(city.store, str(PHONE), now=NOW)
        self.wire = Wire()
        self.metrics = RadiusMetrics(city.registry)
        self.dynamic = self.another()

    def another(self) -> Dynamic:
        """As after a restart."""
        return Dynamic(self.city, self.metrics, send=self.wire.send)

    def session(self, **columns: Any) -> int:
        values = {"nas_id": self.nas_id, "framed_ip": "10.1.0.2", "nas_address": NAS_ADDRESS} | columns
        return add_session(self.city.store, self.device_id, started_at=values.pop("started_at", NOW), **values)

    def granted(self, **columns: Any) -> int:
        """A session of a grant that runs for an hour from the real now, which `issue_ticket` takes."""
        ticket = issue_ticket(self.city, minutes=60)
        with self.city.store.write() as conn:
            conn.execute(
                update(schema.grant)
                .where(schema.grant.c.id == ticket.grant_id)
                .values(granted_at=NOW, until_at=NOW + timedelta(hours=1))
            )
        return self.session(grant_id=ticket.grant_id, **columns)

    def want(self, session_id: int, kind: Kind = Kind.DISCONNECT) -> int:
        with self.city.store.write() as conn:
            return outbox.want(conn, kind, session_id, reason="staff", now=NOW)

    def order(self, order_id: int) -> Order:
        with self.city.store.read() as conn:
            found = outbox.by_id(conn, order_id)
        assert found is not None
        return found

    def change(self, table: Any, row_id: int, **values: Any) -> None:
        with self.city.store.write() as conn:
            conn.execute(update(table).where(table.c.id == row_id).values(values))

    def hear(self, datagram: bytes, source: tuple[str, int] = (NAS_ADDRESS, PORT), at: datetime = NOW) -> None:
        self.dynamic.hear([(datagram, source)], now=at)

    def counted(self, name: str, **labels: str) -> float:
        return self.city.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def scene(city: City) -> Scene:
    return Scene(city)


# Answers ------------------------------------------------------------------------------------------------


def test_an_acknowledged_disconnect_is_confirmed_by_the_stop_alone(scene: Scene) -> None:
    session_id = scene.session()
    order_id = scene.want(session_id)
    scene.dynamic.step(now=NOW)
    ((request, to),) = scene.wire.take()
    assert to == (NAS_ADDRESS, PORT) and scene.order(order_id).state is State.SENT
    packet = wire.parse(request)
    assert packet.code == 40 and packet.text(Attr.USER_NAME) == "opaque"
    assert packet.text(Attr.CALLING_STATION_ID) == str(PHONE) and packet.address(Attr.FRAMED_IP_ADDRESS) == "10.1.0.2"
    assert packet.integer(Attr.EVENT_TIMESTAMP) == int(NOW.timestamp())
    scene.hear(answer(request, 1))
    assert scene.order(order_id).state is State.ACKED
    scene.dynamic.step(now=NOW + 60 * SECOND)
    assert scene.wire.take() == [], "nobody asks again while the Stop is awaited"
    with scene.city.store.write() as conn:
        outbox.confirm(conn, [session_id], now=NOW)
    assert scene.order(order_id).state is State.CONFIRMED
    assert scene.counted("kogge_radius_orders_total", kind="disconnect", result="acked") == 1


def test_a_refusal_keeps_its_error_cause(scene: Scene) -> None:
    order_id = scene.want(scene.session())
    scene.dynamic.step(now=NOW)
    scene.hear(answer(scene.wire.one(), 2, 503))
    order = scene.order(order_id)
    assert (order.state, order.error_cause, order.attempts) == (State.REFUSED, 503, 1)
    scene.dynamic.step(now=NOW + 60 * SECOND)
    assert scene.wire.take() == []


def test_a_coa_tells_all_limits_and_its_acknowledgement_confirms_it(scene: Scene) -> None:
    session_id = scene.granted(started_at=NOW - 600 * SECOND, segment_down=1_000)
    order_id = scene.want(session_id, Kind.COA)
    scene.dynamic.step(now=NOW)
    packet = wire.parse(request := scene.wire.one())
    assert packet.code == 43 and packet.text(Attr.USER_NAME) == "opaque"
    assert packet.integer(Attr.SESSION_TIMEOUT) == 4200, "the hour that is left, after the ten minutes that are used"
    assert packet.octets(Attr.VENDOR_SPECIFIC) is not None
    scene.hear(answer(request, 1))
    assert scene.order(order_id).state is State.CONFIRMED


def test_a_coa_with_nothing_left_ends_the_session_and_says_why(scene: Scene) -> None:
    session_id = scene.granted()
    with scene.city.store.write() as conn:
        conn.execute(update(schema.grant).values(until_at=NOW))
    order_id = scene.want(session_id, Kind.COA)
    scene.dynamic.step(now=NOW)
    request = scene.wire.one()
    assert request[0] == 40
    scene.hear(answer(request, 1))
    order = scene.order(order_id)
    assert (order.kind, order.state, order.reason) == (Kind.DISCONNECT, State.ACKED, "grant_expired")


@pytest.mark.parametrize(
    ("noise", "source", "reason"),
    [
        (lambda request: answer(request, 1, secret="another"), (NAS_ADDRESS, PORT), "bad_authenticator"),
        (lambda request: answer(request, 1), ("127.0.0.9", PORT), "not_an_answer"),
        (lambda request: answer(request, 1), (NAS_ADDRESS, PORT + 1), "not_an_answer"),
        (lambda request: request, (NAS_ADDRESS, PORT), "not_an_answer"),
        (lambda request: b"\x2b" + request[1:], (NAS_ADDRESS, PORT), "not_an_answer"),
        (lambda request: answer(request, 4), (NAS_ADDRESS, PORT), "not_an_answer"),
        (lambda request: request[:2] + b"\xff\xff" + request[4:], (NAS_ADDRESS, PORT), "bad_length"),
        (lambda request: b"", (NAS_ADDRESS, PORT), "not_an_answer"),
    ],
)
def test_noise_and_requests_are_counted_and_change_nothing(
    scene: Scene, noise: Callable[[bytes], bytes], source: tuple[str, int], reason: str
) -> None:
    order_id = scene.want(scene.session())
    scene.dynamic.step(now=NOW)
    request = scene.wire.one()
    scene.hear(noise(request), source)
    assert scene.counted("kogge_radius_dropped_total", port="coa", reason=reason) == 1
    assert scene.order(order_id).state is State.SENT
    scene.hear(answer(request, 1))
    assert scene.order(order_id).state is State.ACKED
    scene.hear(answer(request, 1))
    assert scene.counted("kogge_radius_dropped_total", port="coa", reason="not_an_answer") >= 1, "an answer too many"


# Silence ------------------------------------------------------------------------------------------------


def test_silence_is_met_with_the_same_bytes_and_then_given_up(scene: Scene) -> None:
    order_id = scene.want(scene.session())
    at, heard = NOW, []
    for pause in RETRY_SECONDS:
        scene.dynamic.step(now=at)
        heard.append(scene.wire.one())
        scene.dynamic.step(now=at + SECOND / 2)
        assert scene.wire.take() == [], "not before its time"
        at += pause * SECOND
    scene.dynamic.step(now=at)
    assert len(set(heard)) == 1 and scene.wire.take() == []
    assert (scene.order(order_id).state, scene.order(order_id).attempts) == (State.UNANSWERED, 4)
    assert scene.counted("kogge_radius_orders_total", kind="disconnect", result="unanswered") == 1
    assert scene.counted("kogge_radius_orders_on_way") == 0


def test_a_stop_that_is_quicker_than_the_answer_ends_the_asking(scene: Scene) -> None:
    session_id = scene.session()
    order_id = scene.want(session_id)
    scene.dynamic.step(now=NOW)
    request = scene.wire.one()
    with scene.city.store.write() as conn:
        outbox.confirm(conn, [session_id], now=NOW)
    scene.hear(answer(request, 2, 503))
    assert scene.order(order_id).state is State.CONFIRMED, "a NAK after the Stop changes nothing"
    other = scene.want(second := scene.session(acct_session_id="second"))
    scene.dynamic.step(now=NOW)
    scene.wire.take()
    with scene.city.store.write() as conn:
        outbox.confirm(conn, [second], now=NOW)
    scene.dynamic.step(now=NOW + 2 * SECOND)
    assert scene.wire.take() == [] and scene.order(other).state is State.CONFIRMED


def test_after_a_restart_what_was_sent_is_taken_up_again(scene: Scene) -> None:
    order_id = scene.want(scene.session())
    scene.dynamic.step(now=NOW)
    first = scene.wire.one()
    later = NOW + SECOND + TAKEOVER
    scene.dynamic = scene.another()
    scene.dynamic.step(now=later - SECOND)
    assert scene.wire.take() == [], "the process that sent it may still be there"
    scene.dynamic.step(now=later)
    again = scene.wire.one()
    assert scene.order(order_id).attempts == 2 and again != first
    scene.hear(answer(again, 1))
    assert scene.order(order_id).state is State.ACKED


def test_a_restart_after_the_last_attempt_gives_up(scene: Scene) -> None:
    order_id = scene.want(scene.session())
    scene.change(schema.outbox, order_id, state="sent", attempts=4)
    scene.dynamic.step(now=NOW)
    assert scene.wire.take() == [] and scene.order(order_id).state is State.UNANSWERED


def test_an_old_request_is_made_anew(scene: Scene) -> None:
    """RFC 5176 section 6.3: a NAS refuses an Event-Timestamp of more than 300 s ago."""
    scene.want(scene.session())
    scene.dynamic.step(now=NOW)
    first = scene.wire.one()
    later = NOW + (STAMP_SECONDS + 1) * SECOND  # our process slept
    scene.dynamic.step(now=later)
    scene.dynamic.step(now=later)
    again = scene.wire.one()
    assert again != first
    assert wire.parse(again).integer(Attr.EVENT_TIMESTAMP) == int(later.timestamp())


def test_a_network_that_is_away_costs_an_attempt(scene: Scene) -> None:
    order_id = scene.want(scene.session())
    scene.wire.broken = True
    scene.dynamic.step(now=NOW)
    scene.wire.broken = False
    scene.dynamic.step(now=NOW + SECOND)
    scene.hear(answer(scene.wire.one(), 1))
    assert (scene.order(order_id).state, scene.order(order_id).attempts) == (State.ACKED, 2)


def test_an_answer_that_cannot_be_stored_is_asked_for_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = scene.want(scene.session())
    scene.dynamic.step(now=NOW)
    request = scene.wire.one()
    with monkeypatch.context() as away:
        away.setattr(scene.city.store, "_writer", open_engine("postgresql://nobody@127.0.0.1:1/none"))
        with pytest.raises(Unavailable):
            scene.hear(answer(request, 1))
    scene.dynamic.step(now=NOW + SECOND)
    assert scene.wire.one() == request
    scene.hear(answer(request, 1))
    assert scene.order(order_id).state is State.ACKED


# Many ---------------------------------------------------------------------------------------------------


def test_a_silent_nas_keeps_no_other_waiting(scene: Scene) -> None:
    for number in range(EACH_NAS_MAX * 2):
        scene.want(scene.session(acct_session_id=f"s-{number}"))
    scene.dynamic.step(now=NOW)
    sent = scene.wire.take()
    assert len(sent) == EACH_NAS_MAX
    assert len({datagram[1] for datagram, _ in sent}) == EACH_NAS_MAX, "no identifier twice"
    other = add_loopback_nas(
        scene.city, name="other", nas_identifier="other", address="127.0.0.2", coa_port=PORT, product="hostapd"
    )
    scene.want(scene.session(nas_id=other, nas_address="127.0.0.2", acct_session_id="elsewhere"))
    scene.dynamic.step(now=NOW)
    ((_, to),) = scene.wire.take()
    assert to == ("127.0.0.2", PORT)
    assert scene.counted("kogge_radius_orders_held_back_total") == 1
    assert scene.counted("kogge_radius_orders_on_way") == EACH_NAS_MAX + 1
    for datagram, _ in sent[:5]:
        scene.hear(answer(datagram, 1))
    scene.dynamic.step(now=NOW)
    assert len(scene.wire.take()) == 5, "an answer makes room for the next"


def test_the_oldest_order_of_every_nas_comes_first(scene: Scene) -> None:
    other = add_loopback_nas(scene.city, name="other", nas_identifier="other", address="127.0.0.2")
    wanted = [scene.want(scene.session(acct_session_id=f"s-{number}")) for number in range(3)]
    last = scene.want(scene.session(nas_id=other, acct_session_id="elsewhere"))
    with scene.city.store.read() as conn:
        due = [order.id for order in outbox.due(conn, now=NOW, limit=3, each_nas=2)]
        rest = outbox.due(conn, now=NOW, limit=9, each_nas=9, except_nases=[scene.nas_id])
    assert due == [wanted[0], last, wanted[1]] and [order.id for order in rest] == [last]


def test_no_more_than_256_requests_are_on_their_way_to_one_place(scene: Scene) -> None:
    nases = [
        add_loopback_nas(scene.city, name=f"n{n}", nas_identifier=f"n{n}", address=NAS_ADDRESS, coa_port=PORT)
        for n in range(10)
    ]
    for number in range(300):
        scene.want(scene.session(nas_id=nases[number % 10], acct_session_id=f"s-{number}"))
    sent = []
    for _ in range(5):
        scene.dynamic.step(now=NOW)
        sent += scene.wire.take()
    assert len({datagram[1] for datagram, _ in sent}) == len(sent) == 256


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_simulated_nas_reads_what_every_product_is_sent(scene: Scene, product: str) -> None:
    """Another party's codec, on pyrad: it checks both authenticators."""
    scene.change(schema.nas, scene.nas_id, product=product)
    scene.want(scene.session())
    scene.dynamic.step(now=NOW)
    sent = scene.wire.take()
    assert len(sent) == (0 if product == "opennds" else 1)
    for datagram, _ in sent:
        request = Codec(SECRET).dynamic_request(datagram)
        assert request.attributes["Acct-Session-Id"] and request.attributes["Event-Timestamp"]
        assert ("Message-Authenticator" in request.attributes) is naming_of(product).signed
        scene.hear(Codec(SECRET).dynamic_reply(request))
        assert scene.counted("kogge_radius_orders_total", kind="disconnect", result="acked") == 1


# Where to, and whether at all ---------------------------------------------------------------------------


def test_a_nas_in_a_network_is_asked_where_its_accounting_came_from(scene: Scene) -> None:
    scene.change(schema.nas, scene.nas_id, address="10.1.0.0/24")
    order_id = scene.want(scene.session(nas_address="::ffff:10.1.0.7"))
    scene.dynamic.step(now=NOW)
    ((request, to),) = scene.wire.take()
    assert to == ("10.1.0.7", PORT)
    scene.hear(answer(request, 1), ("::ffff:10.1.0.7", PORT))
    assert scene.order(order_id).state is State.ACKED


def test_from_an_ipv6_socket_ipv4_is_reached_by_its_mapped_address(scene: Scene) -> None:
    radius = scene.city.config.radius.model_copy(update={"listen": "::"})
    scene.city = City(scene.city.config.model_copy(update={"radius": radius}), scene.city.store)
    order_id = scene.want(scene.session())
    scene.dynamic = scene.another()
    scene.dynamic.step(now=NOW)
    ((request, to),) = scene.wire.take()
    assert to == (f"::ffff:{NAS_ADDRESS}", PORT)
    scene.hear(answer(request, 1), to)
    assert scene.order(order_id).state is State.ACKED


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("nas", "session", "cause"),
    [
        ({"removed_at": NOW}, {}, 502),
        ({"address": "10.1.0.0/24"}, {"nas_address": ""}, 502),
        ({"address": "10.1.0.0/24"}, {"nas_address": "10.2.0.1"}, 502),
        ({"product": "opennds"}, {}, 406),
    ],
)
def test_what_cannot_be_asked_is_refused_without_a_packet(
    scene: Scene, kind: Kind, nas: dict[str, Any], session: dict[str, Any], cause: int
) -> None:
    order_id = scene.want(scene.session(**session), kind)
    scene.change(schema.nas, scene.nas_id, **nas)
    scene.dynamic.step(now=NOW)
    order = scene.order(order_id)
    assert scene.wire.take() == []
    assert (order.state, order.error_cause, order.attempts) == (State.REFUSED, cause, 0)


def test_an_order_for_a_session_that_is_over_is_done(scene: Scene) -> None:
    ended = scene.session(ended_at=NOW)
    disconnect, coa = scene.want(ended), scene.want(ended, Kind.COA)
    scene.dynamic.step(now=NOW)
    assert scene.wire.take() == [] and scene.order(disconnect).state is State.CONFIRMED
    assert (scene.order(coa).state, scene.order(coa).error_cause) == (State.REFUSED, 503)


def test_a_coa_needs_a_grant_and_a_product_that_takes_it(scene: Scene) -> None:
    nobodys = scene.want(scene.session(), Kind.COA)
    scene.dynamic.step(now=NOW)
    assert (scene.order(nobodys).state, scene.order(nobodys).error_cause) == (State.REFUSED, 404)
    scene.change(schema.nas, scene.nas_id, product="hostapd")
    granted = scene.want(scene.granted(acct_session_id="granted"), Kind.COA)
    scene.dynamic.step(now=NOW)
    assert (scene.order(granted).state, scene.order(granted).error_cause) == (State.REFUSED, 406)
    assert scene.wire.take() == []


# Wanting ------------------------------------------------------------------------------------------------


def test_a_wish_under_way_is_the_same_wish_and_a_broken_promise_may_be_asked_for_again(scene: Scene) -> None:
    session_id = scene.session()
    order_id = scene.want(session_id)
    assert scene.want(session_id) == order_id and scene.want(session_id, Kind.COA) != order_id
    scene.change(schema.outbox, order_id, state="acked", changed_at=NOW - outbox.STOP_PATIENCE + SECOND)
    assert scene.want(session_id) == order_id
    scene.change(schema.outbox, order_id, changed_at=NOW - outbox.STOP_PATIENCE)
    assert scene.want(session_id) != order_id
