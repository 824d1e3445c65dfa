"""`kogge message test`: through the outbox and a real sender to a real gateway, and what it says when that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.instruments import Instruments
from monitor.messages import Sender, gateways
from ops.cli import main
from service.cities import open_city
from simulator.mailbox import Mailbox, PostOffice
from tests.support.installation import Written, write_installation

FreePort = Callable[..., int]


@pytest.fixture
def ports(free_port: FreePort) -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def written(tmp_path: Path, ports: tuple[int, int]) -> Written:
    """Wismar, which sends both to these ports."""
    smtp, web = ports
    sms = {"url": f"http://127.0.0.1:{web}/sms"}
    written = write_installation(tmp_path / "wifi", ["wismar", "rostock"], mail={"port": smtp}, sms=sms)
    written.initialise()
    return written


@contextmanager
def sending(written: Written) -> Iterator[None]:
    """What the monitor does."""
    city = open_city(written.installation, written.cities["wismar"], now=datetime.now(UTC))
    instruments = Instruments(city.registry)
    senders = [Sender(city, kind, way, instruments, lambda: datetime.now(UTC)) for kind, way in gateways(city).items()]
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        for sender in senders:
            sender.stop()
        for sender in senders:
            sender.join(20)
        city.store.close()


@contextmanager
def post_office(ports: tuple[int, int], mailbox: Mailbox) -> Iterator[None]:
    office = PostOffice(mailbox, *(f"127.0.0.1:{port}" for port in ports))
    office.start()
    try:
        yield
    finally:
        office.stop()


def try_it(written: Written, address: str, *, city: str = "wismar", wait: int = 20) -> Result:
    words = ["message", "test", city, address, "--wait", str(wait), "--dir", str(written.path)]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_a_message_of_each_kind_arrives(written: Written, ports: tuple[int, int]) -> None:
    mailbox = Mailbox()
    with post_office(ports, mailbox), sending(written):
        mail, sms = try_it(written, "admin@example.org"), try_it(written, "0151 12345678")
    assert (mail.exit_code, mail.output) == (0, "sent: the gateway has taken the e-mail\n")
    assert (sms.exit_code, sms.output) == (0, "sent: the gateway has taken the text message\n")
    assert [each.recipient for each in mailbox.received] == ["+4915112345678", "admin@example.org"]
    assert "You need do nothing" in mailbox.received[1].text


def test_what_the_server_refuses_is_said(written: Written, ports: tuple[int, int]) -> None:
    with post_office(ports, Mailbox(refuse="554 no")), sending(written):
        done = try_it(written, "admin@example.org")
    assert (done.exit_code, done.output) == (2, "not sent: smtp_554: the gateway answered 554 (1 attempts)\n")


def test_a_server_that_is_away_is_said(written: Written) -> None:
    with sending(written):
        done = try_it(written, "admin@example.org", wait=3)
    assert done.exit_code == 2
    assert "not sent: " in done.output and "cannot be reached" in done.output


def test_without_a_monitor_nobody_takes_it_up(written: Written) -> None:
    done = try_it(written, "admin@example.org", wait=1)
    assert (done.exit_code, done.output) == (2, "not sent: nobody took it up; does `kogge monitor` run?\n")


@pytest.mark.parametrize(
    ("city", "address", "said"),
    [
        ("wismar", "admin@", "not an e-mail address"),
        ("wismar", "12", "not a telephone number"),
        ("wismar", "+4538112345", "begins with none of sms.prefixes"),
        ("rostock", "admin@example.org", "rostock sends no e-mails: see [mail] in its file"),
        ("rostock", "0151 12345678", "rostock sends no text messages: see [sms] in its file"),
    ],
)
def test_what_cannot_be_sent_to(written: Written, city: str, address: str, said: str) -> None:
    done = try_it(written, address, city=city)
    assert done.exit_code == 2
    assert said in done.output
