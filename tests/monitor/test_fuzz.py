"""The monitor under mutated SNMP for a few seconds; `make fuzz-snmp` does it for ten minutes (docs/testing.md)."""

from __future__ import annotations

import os
import random

import pytest

from tests.fuzz.snmp import BURST, bases, run
from tests.fuzz.snmp_mutation import mutated

FUZZ_SECONDS = float(os.environ.get("KOGGE_FUZZ_SNMP_SECONDS", "6"))


@pytest.mark.slow
def test_mutated_answers_break_neither_the_decoder_nor_a_running_poller() -> None:
    result = run(FUZZ_SECONDS, random.SystemRandom().randrange(1 << 32))
    print(result)
    assert result.decoded["refused"] > 0 and result.decoded["read"] > 0
    assert result.sent >= BURST and result.polls["ok"] > 0 and result.polls["malformed"] > 0


def test_a_seed_gives_the_same_octets() -> None:
    sound = bases()
    first, second = (random.Random(7) for _ in range(2))
    assert [mutated(sound[0], first) for _ in range(300)] == [mutated(sound[0], second) for _ in range(300)]
