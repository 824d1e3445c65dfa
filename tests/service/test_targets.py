"""`/cities/<key>/targets`: what Prometheus's http_sd is told, and by whose token."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from config.model import Installation
from service import targets
from service.exposition import MetricsListener, Target, bind
from tests.support.processes import http_get

LISTENS = {"portal": "0.0.0.0:9106", "radius": "[::]:9107", "monitor": "wlan.example:9108"}


@pytest.fixture
def listen() -> Iterator[str]:
    cities = {key: Target(CollectorRegistry(), f"token-of-{key}") for key in ("rostock", "wismar")}
    listener = MetricsListener(bind("127.0.0.1:0"), cities, listens=LISTENS)
    yield f"127.0.0.1:{listener.port}"
    listener.close()


def test_a_city_is_told_where_all_its_pages_stand(listen: str) -> None:
    answer = http_get(listen, "/cities/rostock/targets", Authorization="Bearer token-of-rostock")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    groups = json.loads(answer.body)
    assert [group["targets"] for group in groups] == [["127.0.0.1:9106"], ["127.0.0.1:9107"], ["wlan.example:9108"]]
    assert [group["labels"] for group in groups] == [
        {"city": "rostock", "service": service, "__metrics_path__": "/cities/rostock/metrics"} for service in LISTENS
    ]


@pytest.mark.parametrize("path", ["/cities/rostock/targets", "/cities/kiel/targets", "/cities/wismar/targets/"])
def test_another_city_s_token_opens_nothing(listen: str, path: str) -> None:
    assert http_get(listen, path, Authorization="Bearer token-of-wismar").status == 401
    assert http_get(listen, path).status == 401


def test_the_listeners_are_those_of_the_installation() -> None:
    installation = Installation.model_validate({"data_dir": "/x", "radius": {"metrics_listen": "10.1.0.1:9207"}})
    assert targets.listens(installation) == {
        "portal": "127.0.0.1:9106",
        "radius": "10.1.0.1:9207",
        "monitor": "127.0.0.1:9108",
    }


@pytest.mark.parametrize(
    ("reached", "told"),
    [("192.0.2.7", "192.0.2.7:9106"), ("2001:db8::7", "[2001:db8::7]:9106"), ("::ffff:192.0.2.7", "192.0.2.7:9106")],
)
def test_a_listener_on_all_addresses_is_told_by_the_one_that_was_asked(reached: str, told: str) -> None:
    (group,) = json.loads(targets.document("rostock", {"portal": "0.0.0.0:9106"}, reached))
    assert group["targets"] == [told]
