"""`make fuzz-snmp`: the monitor under mutated SNMP. First the decoder alone, then a running poller's sockets.

Agents answer each question with a burst of mutated answers, and sometimes the truth; an honest one beside them must be
polled all the time. Nothing may raise but what the decoder promises, nothing may take long, no poll may end in a
fault of ours, and the memory stays flat. A failure prints the octets and the seed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from monitor import ber, profiles
from monitor.notifications import notification
from monitor.poller import Settings
from monitor.session import REPLY_VARBINDS_MAX, Engine
from store import keys, migrate
from store.engine import open_engine
from store.store import Store
from tests.fuzz.snmp_mutation import mutated
from tests.monitor.conftest import V2C
from tests.monitor.liar import Liar, Question
from tests.monitor.scene import Scene

AGENTS = 6
"""Agents that lie, beside one that does not."""

BURST = 30
"""Mutated answers to one question."""

TRUTH = 0.3
"""How often the truth follows them."""

MESSAGE_SECONDS_MAX = 2.0
"""What one message may take: a thousand times what it does, for a machine that does other things."""

DISCOVERY = (
    "303e020103301102042d9f6a5a020300ffe30401040201030410300e0400020100020100040004000400301404000400a00e02044c1d2e3f"
    "0201000201003000"
)
"""An SNMPv3 message that asks for an engine's id (RFC 3414 section 4)."""

RSS_GROWTH_MAX_BYTES = 128 << 20
SOON = Settings(interval_s=0.2, timeout_s=0.3, retries=0, max_in_flight=32, refresh_s=0.5, flush_s=0.2)


@dataclass
class Result:
    """What a run did."""

    seed: int
    decoded: Counter[str] = field(default_factory=Counter)
    polls: dict[str, float] = field(default_factory=dict)
    ignored: dict[str, float] = field(default_factory=dict)
    sent: int = 0
    slowest_s: float = 0.0

    def __str__(self) -> str:
        read = ", ".join(f"{count:,} {word}" for word, count in sorted(self.decoded.items()))
        polls = ", ".join(f"{count:,.0f} {word}" for word, count in self.polls.items() if count)
        ignored = ", ".join(f"{count:,.0f} {word}" for word, count in self.ignored.items())
        return (
            f"seed {self.seed}: decoder: {read}; the slowest took {self.slowest_s * 1e3:.1f} ms\n"
            f"poller: {self.sent:,} mutated answers sent; polls: {polls}; ignored: {ignored}"
        )


# The decoder ----------------------------------------------------------------------------------------


def decode(octets: bytes) -> str:
    """All that the monitor does with what comes in before anything is proven: the word of what it was."""
    try:
        if ber.version(octets) == ber.VERSION_3:
            ber.user_message(octets)
            return "v3"
        message = ber.message(octets)
        varbinds = ber.varbinds(octets, message.start, message.end, REPLY_VARBINDS_MAX)
    except ber.BerError:
        return "refused"
    notification(varbinds)
    if message.kind == ber.INFORM:
        ber.acknowledgement(octets, message)
    return "read"


def bases() -> list[bytes]:
    """Sound messages: answers to the poller's kinds of questions, a notification, an SNMPv3 discovery."""
    liar = Liar()
    with liar:
        names = sorted(liar.rows)
        asked = [ber.request(ber.GET, b"kogge-test", names, ber.REQUEST_ID_MIN)]
        asked += [ber.request(ber.GET_BULK, b"kogge-test", names[at::5], ber.REQUEST_ID_MAX, 8) for at in range(5)]
        answers = [liar.truth(Question(question)) for question in asked]
    trap = answers[0].replace(b"\xa2", bytes((ber.TRAP,)), 1)
    discovery = bytes.fromhex(DISCOVERY)
    return [*answers, *asked, trap, discovery]


def fuzz_decoder(seconds: float, seed: int, result: Result) -> None:
    """AssertionError with the octets where one took too long; any other exception is the finding itself."""
    chance, sound = random.Random(seed), bases()
    assert {decode(each) for each in sound} == {"read", "v3"}, "the messages that are to be mutated are not sound"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(200):
            octets = mutated(chance.choice(sound), chance)
            began = time.monotonic()
            try:
                result.decoded[decode(octets)] += 1
            except Exception:
                print(f"the octets that broke it: {octets.hex()}")
                raise
            took = time.monotonic() - began
            assert took < MESSAGE_SECONDS_MAX, f"{took:.1f} s for {octets.hex()}"
            result.slowest_s = max(result.slowest_s, took)


# The poller -----------------------------------------------------------------------------------------


class Stammerer(Liar):
    """Answers with a burst of mutated truths, and sometimes the truth itself."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self.sent = 0

    def answers(self, question: Question) -> Iterator[bytes]:
        sound = self.truth(question)
        for _ in range(BURST):
            yield mutated(sound, self._chance)
            self.sent += 1
        if self._chance.random() < TRUTH:
            yield sound


@contextmanager
def _store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="kogge-fuzz-") as folder:
        url, now = f"sqlite:///{folder}/kogge.db", datetime.now(UTC)
        engine = open_engine(url)
        migrate.upgrade(engine)
        engine.dispose()
        keys.make_missing(Path(folder) / "keys", now=now)
        store = Store.open(url, keys.load(Path(folder) / "keys", now=now))
        try:
            yield store
        finally:
            store.close()


def fuzz_poller(seconds: float, seed: int, result: Result) -> None:
    """AssertionError where the honest agent's polls fail or stop, or a poll ends in a fault of ours."""
    with ExitStack() as stack:
        scene = stack.enter_context(contextlib.closing(Scene(stack.enter_context(_store()), profiles.load())))
        honest = stack.enter_context(Liar())
        liars = [stack.enter_context(Stammerer(seed + number)) for number in range(AGENTS)]
        scene.add(honest.port, V2C, "honest")
        for number, liar in enumerate(liars):
            scene.add(liar.port, V2C, f"liar-{number}")

        async def story() -> None:
            await scene.until(lambda: scene.up("honest") == 1)
            gc.collect()
            before, end = _rss(), time.monotonic() + seconds
            while time.monotonic() < end:
                asked = honest.asked
                await asyncio.sleep(min(5.0, seconds))
                assert honest.asked > asked, "the honest agent is not asked any more"
                assert scene.up("honest") == 1, "the honest agent is thought to be down:\n" + scene.page()
            grown = _rss() - before
            assert grown < RSS_GROWTH_MAX_BYTES, f"the monitor grew by {grown >> 20} MB"

        scene.run(Engine.FAST, story, SOON)
        result.sent = sum(liar.sent for liar in liars)
        result.polls = scene.by_word("kogge_monitor_polls_total", "result")
        result.ignored = scene.by_word("kogge_monitor_answers_ignored_total", "reason")
    assert result.polls["internal"] == 0, "a poll ended in a fault of ours"


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def run(seconds: float, seed: int) -> Result:
    """Half of the time each."""
    result = Result(seed)
    fuzz_decoder(seconds / 2, seed, result)
    fuzz_poller(seconds / 2, seed, result)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz-snmp ARGS=", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds:.0f} s", flush=True)
    try:
        print(run(options.seconds, options.seed))
    except BaseException:
        print(f"again: make fuzz-snmp ARGS='--seed {options.seed}'")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
