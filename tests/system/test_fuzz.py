"""The real server under fuzzed packets for a minute; `make fuzz` does it for ten (docs/testing.md)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from radius import wire
from tests.fuzz.campaign import Campaign
from tests.fuzz.mutation import Mutator, corpus, signed
from tests.system.radius_load import SECRET, Load

FUZZ_SECONDS = float(os.environ.get("KOGGE_FUZZ_SECONDS", "60"))
REASONS_MET = {
    "unknown_client",
    "too_short",
    "bad_length",
    "attribute_overrun",
    "too_many_attributes",
    "too_many_proxy_states",
    "wrong_code",
    "bad_authenticator",
    "bad_message_authenticator",
    "no_message_authenticator",
    "bad_attribute",
    "bad_status_type",
    "no_acct_session_id",
}
"""Every way into silence that a packet alone can find."""


@pytest.mark.system
@pytest.mark.slow
def test_a_server_under_fuzzed_packets_answers_the_sound_ones(tmp_path: Path) -> None:
    with Load.prepare(tmp_path, residents=400) as load, load.server() as process:
        result = Campaign(load, process, seed=random.SystemRandom().randrange(1 << 32)).run(FUZZ_SECONDS)
    print(result)
    assert set(result.dropped) >= REASONS_MET, f"seed {result.seed} missed {REASONS_MET - set(result.dropped)}"


def test_a_seed_gives_the_same_packets() -> None:
    first, second = (Mutator(7, corpus(), SECRET) for _ in range(2))
    assert [first.next() for _ in range(500)] == [second.next() for _ in range(500)]


def test_what_is_signed_again_comes_past_the_authenticators() -> None:
    accounting = next(each for each in corpus() if each[0] == 4)
    assert wire.accounting_authenticator_ok(wire.parse(signed(accounting, random.Random(1), SECRET)), SECRET)
