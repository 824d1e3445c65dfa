"""Counting wrong guesses, for every way in where something can be guessed: vouchers, codes by mail or SMS, passwords.

Ask `allowed` before looking at what was typed; say `wrong` after a wrong answer. A right one forgives nothing: who
holds one good code could otherwise go on trying for others. The device's bucket is RADIUS's, too (docs/adr/0017).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hotspot.guessing import Shared, may_guess, range_of
from hotspot.values import MacAddress
from portal.address import Address
from service.cities import City
from store import guesses
from store.store import Connection


@dataclass(frozen=True, slots=True)
class Guess:
    """Who guesses, from where, and at whose secret: `account` is an account's name, empty where it is nobody's."""

    mac: MacAddress
    address: Address | None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Guesser:
    """One city's count."""

    city: City

    def allowed(self, conn: Connection, guess: Guess, *, now: datetime) -> bool:
        """Whether this device may guess now: others' wrong guesses shrink its allowance, never to nothing."""
        own, shared = self._count(conn, guess, now)
        return may_guess(own, self.city.config.limits.voucher_guesses, shared.values())

    def wrong(self, conn: Connection, guess: Guess, *, now: datetime) -> None:
        """Count a wrong guess; where it would change nothing any more, nothing is stored."""
        _, shared = self._count(conn, guess, now)
        for bucket in (self._own(guess), *(bucket for bucket, each in shared.items() if not each.is_full)):
            guesses.note(conn, bucket, now=now)

    def _count(self, conn: Connection, guess: Guess, now: datetime) -> tuple[int, dict[bytes, Shared]]:
        since = now - timedelta(minutes=self.city.config.limits.voucher_window_minutes)
        bounds = self._bounds(guess)
        own, *others = guesses.counts(conn, [self._own(guess), *bounds], since=since)
        return own, {
            bucket: Shared(count, bound) for (bucket, bound), count in zip(bounds.items(), others, strict=True)
        }

    def _own(self, guess: Guess) -> bytes:
        return guesses.bucket(self.city.store.keys, guesses.BY_DEVICE, str(guess.mac))

    def _bounds(self, guess: Guess) -> dict[bytes, int]:
        """The shared buckets, and how many wrong guesses in each are nothing unusual."""
        keys, limits = self.city.store.keys, self.city.config.limits
        bounds = {guesses.bucket(keys, guesses.BY_CITY, ""): limits.city_guesses}
        if guess.address is not None:
            bounds[guesses.bucket(keys, guesses.BY_RANGE, range_of(guess.address))] = limits.range_guesses
        if guess.account:
            bounds[guesses.bucket(keys, guesses.BY_ACCOUNT, guess.account)] = limits.voucher_guesses
        return bounds
