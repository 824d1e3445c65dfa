"""From what arrived to what is wrong: every finding, and what a stranger's claim is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hotspot.diagnosis import FINDINGS, SILENT_AFTER, Diagnosis, Finding, Level, diagnose, is_well

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Nas:
    id: int = 7
    address: str = "192.0.2.7"
    nas_identifier: str = "hafen-1"


@dataclass(frozen=True)
class Came:
    verdict: str = "ok"
    port: str = "auth"
    source: str = "192.0.2.7"
    nas_identifier: str = "hafen-1"
    nas_id: int | None = 7
    minutes_ago: float = 0

    @property
    def last_at(self) -> datetime:
        return NOW - timedelta(minutes=self.minutes_ago)


ACCT = Came(port="acct")
UNKNOWN = Came("unknown_client", source="203.0.113.9", nas_id=None)


def findings(*came: Came, nas: Nas = Nas(), others: tuple[str, ...] = ("markt-1",)) -> list[Finding]:
    return [each.finding for each in diagnose(nas, came, others=others)]


@pytest.mark.parametrize(
    ("came", "found"),
    [
        ((), [Finding.NOTHING]),
        ((Came(), ACCT), [Finding.WELL]),
        ((Came(),), [Finding.NO_ACCOUNTING]),
        ((ACCT,), [Finding.NO_AUTHENTICATION]),
        ((UNKNOWN,), [Finding.UNKNOWN_ADDRESS]),
        ((Came("unknown_client", source="203.0.113.9", nas_identifier="fritz", nas_id=None),), [Finding.STRANGER]),
        ((Came("unknown_client", source="203.0.113.9", nas_identifier="", nas_id=None),), [Finding.STRANGER]),
        ((Came("bad_authenticator", nas_identifier="other", nas_id=None),), [Finding.OTHER_IDENTIFIER]),
        ((Came("unknown_client", nas_id=None),), [Finding.NOTHING]),
        ((Came("bad_authenticator", "acct"),), [Finding.WRONG_SECRET]),
        ((Came("bad_message_authenticator"),), [Finding.WRONG_SECRET]),
        ((Came("bad_message_authenticator", nas_id=None),), [Finding.WRONG_SECRET]),
        ((Came("bad_message_authenticator"), Came("bad_authenticator", "acct")), [Finding.WRONG_SECRET]),
        ((Came("no_message_authenticator"), ACCT), [Finding.NO_MESSAGE_AUTHENTICATOR]),
        ((Came("proxy_state"),), [Finding.PROXY_STATE]),
        ((Came("wrong_code", "acct"), Came()), [Finding.WRONG_PORT]),
        ((Came("length"), Came("bad_authenticator", "acct")), [Finding.DROPPED, Finding.WRONG_SECRET]),
        ((Came("never heard of"),), [Finding.DROPPED]),
    ],
)
def test_each_finding(came: tuple[Came, ...], found: list[Finding]) -> None:
    assert findings(*came) == found


def test_what_came_last_at_a_port_counts() -> None:
    mended = (Came("bad_message_authenticator", minutes_ago=1), Came(), ACCT)
    assert findings(*mended) == findings(*reversed(mended)) == [Finding.WELL]
    assert findings(Came(minutes_ago=1), Came("bad_message_authenticator"), ACCT) == [Finding.WRONG_SECRET]


def test_another_nass_packets_are_its_own_business() -> None:
    theirs = Came(nas_id=8, nas_identifier="markt-1")
    claimed = Came("unknown_client", source="203.0.113.9", nas_identifier="markt-1", nas_id=None)
    assert findings(theirs, claimed) == [Finding.NOTHING]


def test_a_claim_does_not_unsettle_a_nas_that_works() -> None:
    """Anybody can send a packet with its name."""
    assert findings(Came(minutes_ago=4), ACCT, UNKNOWN) == [Finding.WELL]
    silent = SILENT_AFTER.total_seconds() / 60 + 1
    moved = (Came(minutes_ago=silent), Came(port="acct", minutes_ago=silent), UNKNOWN)
    assert findings(*moved) == [Finding.UNKNOWN_ADDRESS], "it moved"


@pytest.mark.parametrize(
    ("address", "source", "found"),
    [
        ("203.0.113.0/24", "203.0.113.9", Finding.OTHER_IDENTIFIER),
        ("0.0.0.0/0", "203.0.113.9", Finding.OTHER_IDENTIFIER),
        ("2001:db8::/32", "2001:db8::9", Finding.OTHER_IDENTIFIER),
        ("2001:db8::/32", "203.0.113.9", Finding.STRANGER),
        ("0.0.0.0/0", "nonsense", Finding.STRANGER),
    ],
)
def test_networks(address: str, source: str, found: Finding) -> None:
    verdict = "unknown_client" if found is Finding.STRANGER else "no_message_authenticator"
    came = Came(verdict, source=source, nas_identifier="other", nas_id=None)
    assert findings(came, nas=Nas(address=address)) == [found]


def test_what_came_before_the_address_was_registered_is_past() -> None:
    """It knocked as a stranger, then somebody pressed the button; until it comes again there is nothing to tell."""
    knocked = Came("unknown_client", source="203.0.113.9", nas_id=None)
    assert findings(knocked) == [Finding.UNKNOWN_ADDRESS]
    assert findings(knocked, nas=Nas(address="203.0.113.9")) == [Finding.NOTHING]


def test_what_could_be_taken_over() -> None:
    (moved,) = diagnose(Nas(), [UNKNOWN], others=())
    assert moved.offer == ("address", "203.0.113.9")
    (renamed,) = diagnose(Nas(), [Came("bad_authenticator", nas_identifier="other", nas_id=None)], others=())
    assert renamed.offer == ("nas_identifier", "other")
    (nameless,) = diagnose(Nas(), [Came("bad_authenticator", nas_identifier="", nas_id=None)], others=())
    assert nameless.offer is None and nameless.values["nas_identifier"] == "–"
    assert Diagnosis(Finding.WRONG_SECRET).offer is None


@pytest.mark.parametrize("finding", Finding)
def test_every_finding_has_words_that_can_be_filled(finding: Finding) -> None:
    words, values = FINDINGS[finding], Diagnosis(finding).values
    assert words.short and words.sentence % values and words.next_step
    assert is_well([Diagnosis(finding)]) is (words.level is Level.GOOD)
