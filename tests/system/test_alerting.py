"""From an access point that falls silent to the mail in its city: monitor, Prometheus and Alertmanager, all real."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator.mailbox import Mailbox, PostOffice, Received
from tests.support.installation import write_installation
from tests.support.processes import service
from tests.support.watching import (
    LivingTown,
    alertmanager,
    deploy_alertmanager,
    deploy_prometheus,
    get_json,
    prometheus,
    wait,
)

pytestmark = [
    pytest.mark.system,
    pytest.mark.tool("prometheus"),
    pytest.mark.tool("prometheus-alertmanager"),
    pytest.mark.tool("amtool"),
]

QUIET_ONE = {"rostock": "stadthafen-1", "wismar": "alter-hafen-1"}


@dataclass
class Watch:
    """What the test looks through."""

    ask: Callable[[str], list[Any]]
    alertmanager: str
    mailbox: Mailbox
    town: LivingTown

    def mails(self, city: str, *words: str) -> list[Received]:
        mine = [mail for mail in list(self.mailbox.received) if mail.recipient == f"wlan-technik@{city}.example"]
        return [mail for mail in mine if all(word in mail.text for word in words)]

    def alerts(self, city: str) -> list[Any]:
        """Of an access point, as Alertmanager has them."""
        found = get_json(f"{self.alertmanager}/api/v2/alerts")
        named = {"alertname": "AccessPointDown", "city": city}
        return [alert for alert in found if named.items() <= alert["labels"].items()]


@pytest.fixture
def watch(tmp_path: Path, free_port: Callable[[int], int]) -> Iterator[Watch]:
    """Two cities under the eyes of a monitor, with all their access points up."""
    written = write_installation(
        tmp_path / "wifi", list(QUIET_ONE), monitor={"poll_interval_s": 5, "timeout_s": 0.5, "retries": 0}
    )
    written.initialise()
    smtp, web = (f"127.0.0.1:{free_port(socket.SOCK_STREAM)}" for _ in range(2))
    mailbox, port = Mailbox(), free_port(socket.SOCK_STREAM)
    office = PostOffice(mailbox, smtp, web)
    office.start()
    rules = deploy_prometheus(tmp_path / "prometheus", written, "prometheus.yml", alertmanager=f"127.0.0.1:{port}")
    try:
        with (
            LivingTown().alive(written, residents=False) as town,
            service(written, "monitor"),
            alertmanager(deploy_alertmanager(tmp_path / "alertmanager", smtp=smtp), port) as url,
            prometheus(rules, free_port(socket.SOCK_STREAM)) as ask,
        ):
            wait(lambda: len(ask("wifi_ap_up == 1")) == 12, "not all access points are up")
            yield Watch(ask, url, mailbox, town)
    finally:
        office.stop()


def test_an_alert_reaches_its_city_and_ends_and_a_silence_mutes_one_city_alone(watch: Watch) -> None:
    silence = ["amtool", f"--alertmanager.url={watch.alertmanager}", "silence", "add", "city=wismar"]
    silence += ["--author=test", "--comment=works at the harbour", "--duration=1h"]
    subprocess.run(silence, check=True, capture_output=True, timeout=30)
    for city, name in QUIET_ONE.items():
        watch.town.stop_access_point(city, name)

    wait(lambda: watch.mails("rostock", "FIRING", "stadthafen-1"), "no mail to Rostock")
    wait(lambda: watch.alerts("wismar"), "no alert of Wismar's")
    (told,) = watch.mails("rostock", "FIRING", "stadthafen-1")[:1]
    assert "AccessPointDown" in told.text and "access point stadthafen-1 at stadthafen is down" in told.text
    assert "docs/runbooks/AccessPointDown.md" in told.text and "access point" in told.subject
    (muted,) = watch.alerts("wismar")
    assert muted["labels"]["ap"] == "alter-hafen-1" and muted["status"]["state"] == "suppressed"
    assert muted["status"]["silencedBy"] and not muted["status"]["inhibitedBy"]

    watch.town.start_access_point("rostock", QUIET_ONE["rostock"])
    wait(lambda: watch.mails("rostock", "RESOLVED", "AccessPointDown", "stadthafen-1"), "Rostock is not told the end")
    assert not watch.ask('ALERTS{city="rostock",alertname=~"AccessPointDown|SiteDown",alertstate="firing"}')
    assert watch.alerts("wismar"), "the other one is still down"
    recipients = {mail.recipient for mail in watch.mailbox.received}
    assert recipients == {"wlan-technik@rostock.example"}
