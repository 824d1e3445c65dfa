"""`kogge ap discover` and `poll` among real agents."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hotspot.discovery import Found, Known
from hotspot.errors import ConfigError
from hotspot.fleet import PointKind
from monitor.discovery import Hit
from monitor.session import Engine
from ops.ap_searching import Seen, Wish, add_all
from ops.cli import main
from service.cities import City
from store import audit, fleet, points
from tests.monitor.conftest import V2C
from tests.monitor.test_discovery import agents as agents
from tests.monitor.test_discovery import network as network
from tests.monitor.test_discovery import silent as silent
from tests.support.installation import Written, change

PROGRAM = str(Path(sys.executable).parent / "kogge")


def run(made: Written, *words: object, text: str = "") -> Result:
    command = ["ap", *map(str, words), "--dir", str(made.path)]
    return CliRunner().invoke(main, command, input=text, catch_exceptions=False)


@pytest.fixture
def ready(made: Written, network: IPv4Network) -> Written:
    """An installation that may look in the test's network, and keeps two credentials for it."""
    quick = {"discover_networks": [str(network)], "timeout_s": 2.0, "retries": 0}
    ready = change(made, "cities/rostock.toml", monitor=quick)
    for name, community in (("old", "not-this-one"), ("new", V2C.community)):
        done = run(ready, "credential", "add", "rostock", name, "--network", network, text=f"{community}\n")
        assert done.exit_code == 0, done.output
    return ready


def test_it_looks_only_where_the_file_says(made: Written) -> None:
    result = run(made, "discover", "rostock", "192.0.2.0/24")
    assert result.exit_code == 2 and "not within the networks of monitor.discover_networks" in result.stderr
    allowed = made.cities["rostock"].monitor.discover_networks[0]
    result = run(made, "discover", "rostock", allowed)
    assert result.exit_code == 2
    assert f"keep one: kogge ap credential add rostock NAME --network {allowed}" in result.stderr


@pytest.mark.tool("snmpd")
def test_what_answers_is_shown_and_added(ready: Written, network: IPv4Network, agents: int) -> None:
    at = [str(each) for each in network]
    shown = run(ready, "discover", "rostock", network, "--port", agents)
    assert shown.exit_code == 0 and at[2] in shown.stdout and at[5] in shown.stdout
    assert "added" not in shown.stdout, "nobody said so"
    nowhere = run(ready, "discover", "rostock", network, "--port", agents, "--add", "--site", "strand")
    assert nowhere.exit_code == 2 and "there is no site 'strand'" in nowhere.stderr
    added = run(ready, "discover", "rostock", network, "--port", agents, "--add", "--site", "stadthafen")
    assert "2 added, 0 followed; they are polled within seconds." in added.stdout
    again = run(ready, "discover", "rostock", network, "--port", agents, "--json")
    found = {each["address"]: each for each in json.loads(again.stdout)["found"]}
    assert set(found) == {at[2], at[5]}
    assert all(each["known"] and not each["known"]["moved"] for each in found.values())
    listed = json.loads(run(ready, "list", "rostock", "--search", at[2], "--json").stdout)["access_points"]
    assert [(each["site"], each["port"]) for each in listed] == [("stadthafen", agents)]
    polled = run(ready, "poll", "rostock", listed[0]["name"], "--trace")
    assert polled.exit_code == 0, polled.output
    assert "it answers" in polled.stdout and "1.3.6.1.2.1.1.1.0: " in polled.stdout and "Up for" in polled.stdout


def test_what_has_moved_is_followed_and_what_is_new_is_named_by_itself(city: City) -> None:
    """With devices that no agent here can play: they tell serial numbers."""
    found = Found("10.9.0.7", 161, PointKind.ACCESS_POINT, "unifi", "stadthafen-1", "U6", "6.5", "S-1")
    with city.store.read() as conn:
        known = points.by_name(conn, "stadthafen-2")
    assert known is not None
    was = Known(known.id, known.name, known.address, known.port, moved=True)
    there = Known(known.id, known.name, known.address, known.port, moved=False)
    results = [
        Seen(Hit(replace(found, address="10.9.0.8"), V2C), was),
        Seen(Hit(found, V2C), None),
        Seen(Hit(replace(found, address="10.9.0.9"), V2C), there),
    ]
    wish = Wish("10.9.0.0/24", 161, add=True, site="neuer-markt", as_json=True, engine=Engine.FAST)
    assert add_all(city, results, wish) == {"10.9.0.8": "stadthafen-2", "10.9.0.7": "stadthafen-1-2"}
    with city.store.read() as conn:
        polled = {each.name: each for each in fleet.access_points(conn, city.store.keys)}
    assert (polled["stadthafen-2"].address, polled["stadthafen-2"].credential) == ("10.9.0.8", V2C)
    assert (polled["stadthafen-1-2"].address, polled["stadthafen-1-2"].site) == ("10.9.0.7", "neuer-markt")
    with pytest.raises(ConfigError, match="polled already, as stadthafen-1-2"):
        add_all(city, [results[0], results[1]], wish)
    with city.store.read() as conn:
        assert audit.entries(conn, limit=1)[0].subject == f"access_point:{polled['stadthafen-1-2'].id}", "nothing half"


@pytest.mark.tool("snmpd")
def test_ctrl_c_keeps_what_was_found(ready: Written, network: IPv4Network, agents: int, silent: socket.socket) -> None:
    slow = change(ready, "cities/rostock.toml", monitor={"timeout_s": 2.0, "retries": 5})
    run(slow, "credential", "remove", "rostock", "old")
    command = [PROGRAM, "ap", "discover", "rostock", str(network), "--port", str(agents), "--json"]
    command += ["--dir", str(slow.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _attempt in range(2):  # by the second one the others have long answered
            silent.recv(1_000)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    document = json.loads(said)
    assert document["complete"] is False
    assert {each["address"] for each in document["found"]} == {str(network[2]), str(network[5])}
    assert process.returncode == 0


@pytest.mark.tool("snmpd")
def test_a_poll_that_fails_says_why_and_what_to_do(ready: Written, network: IPv4Network, agents: int) -> None:
    at = [str(each) for each in network]
    places = {"silent": (at[6], "x\n"), "nobody": (at[4], "x\n"), "refuses": (at[2], "x\n")}
    for name, (address, community) in places.items():
        given = ("--site", "stadthafen", "--address", address, "--port", agents, "--community-file", "-")
        assert run(ready, "add", "rostock", name, *given, text=community).exit_code == 0
    v3 = ("--user", "kogge", "--prompt", "--site", "stadthafen", "--address", at[5], "--port", agents)
    assert run(ready, "add", "rostock", "wrong", *v3, text="wrong-auth\nwrong-priv\n").exit_code == 0
    said = {name: run(ready, "poll", "rostock", name) for name in (*places, "wrong")}
    assert {name: result.exit_code for name, result in said.items()} == dict.fromkeys(said, 1)
    assert "timeout (no answer)" in said["silent"].stdout and "ping" in said["silent"].stdout
    assert "unreachable" in said["nobody"].stdout and "nothing listens" in said["nobody"].stdout
    assert "timeout" in said["refuses"].stdout and "wrong community" in said["refuses"].stdout
    assert "authentication" in said["wrong"].stdout and "SHA-256" in said["wrong"].stdout
    document = json.loads(run(ready, "poll", "rostock", "silent", "--json").stdout)
    assert (document["answers"], document["failure"], document["reading"]) == (False, "timeout", None)
    assert document["next_step"]
