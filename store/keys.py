"""A city's keys: read from its key folder, derived per purpose, used to seal and to find.

The folder holds `master-1.key`, `master-2.key` … (the highest is current), `periods/2026-11.key` … and
`metrics.token`. Services only read; `kogge init` and `kogge migrate` make what is missing. The period keys are
random and derived from nothing, so that deleting one deletes every MAC address of that period, backups included.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from hotspot.errors import ConfigError
from hotspot.values import MacAddress, Month

KEY_BYTES = 32
NONCE_BYTES = 12
PERIODS_AHEAD = 24
"""Months for which period keys are made in advance; the last one serves on if nobody makes more."""


def _hkdf(key: bytes, purpose: str) -> bytes:
    """HKDF-SHA256 (RFC 5869), one block, no salt: the input is already a uniform key."""
    extracted = hmac.new(bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, purpose.encode() + b"\x01", hashlib.sha256).digest()


def _seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, context)


def _unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except InvalidTag:
        raise ConfigError("a stored secret was sealed with another key; is this the city's key folder?") from None


@dataclass(frozen=True)
class Period:
    """One retention period's keys for MAC addresses."""

    name: str
    key: bytes = field(repr=False)

    @cached_property
    def hash_key(self) -> bytes:
        return _hkdf(self.key, "mac-hash")

    @cached_property
    def seal_key(self) -> bytes:
        return _hkdf(self.key, "mac-seal")

    def hash(self, mac: MacAddress) -> bytes:
        return hmac.digest(self.hash_key, mac.octets, "sha256")

    def seal(self, mac: MacAddress) -> bytes:
        return _seal(self.seal_key, mac.octets, b"mac")

    def unseal(self, sealed: bytes) -> MacAddress:
        return MacAddress(_unseal(self.seal_key, sealed, b"mac"))


@dataclass(frozen=True)
class KeyRing:
    """All keys of one city. Its repr shows none of them."""

    masters: tuple[bytes, ...]
    periods: Mapping[str, Period]
    metrics_token: str

    def __repr__(self) -> str:
        return f"KeyRing({len(self.masters)} master keys, {len(self.periods)} periods)"

    def derive(self, purpose: str) -> bytes:
        """The current key for a purpose, such as `ticket` or `portal-token`."""
        return _hkdf(self.masters[-1], purpose)

    def keyed_hash(self, purpose: str, data: bytes) -> bytes:
        """What a secret is found by without being stored (a voucher code, a session token)."""
        return hmac.digest(self.derive(purpose), data, "sha256")

    def keyed_hashes(self, purpose: str, data: bytes) -> tuple[bytes, ...]:
        """The same under every master key still held, newest first, for look-ups across a rotation."""
        return tuple(hmac.digest(_hkdf(key, purpose), data, "sha256") for key in reversed(self.masters))

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypt under the current master key; its number goes in front."""
        number = len(self.masters)
        return bytes((number,)) + _seal(self.derive(purpose), plain, purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made, by whichever master key; ConfigError where the key is not held."""
        number = sealed[0]
        if not 1 <= number <= len(self.masters):
            raise ConfigError(f"a stored secret needs master-{number}.key, which the key folder does not hold")
        return _unseal(_hkdf(self.masters[number - 1], purpose), sealed[1:], purpose.encode())

    def current_period(self, now: datetime) -> Period:
        """The period whose key new MAC addresses are sealed under: this month's, or the last before it."""
        this_month = f"{now:%Y-%m}"
        return self.periods[max(name for name in self.periods if name <= this_month)]

    def held_periods(self, now: datetime) -> tuple[Period, ...]:
        """Periods under which a device may be found, newest first."""
        current = self.current_period(now).name
        return tuple(self.periods[name] for name in sorted(self.periods, reverse=True) if name <= current)


def make_missing(folder: Path, *, now: datetime) -> list[str]:
    """Make the keys that the folder lacks (O_EXCL, 0600) and name them. For `kogge init` and `kogge migrate` only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "periods").mkdir(mode=0o700, exist_ok=True)
    wanted = [
        "master-1.key",
        *(f"periods/{name}.key" for name in _months_from(now)),
        "metrics.token",
    ]
    return [name for name in wanted if not (folder / name).exists() and _make(folder / name)]


def _months_from(now: datetime) -> list[str]:
    month, names = Month.of(now.date()), []
    for _ in range(PERIODS_AHEAD):
        names.append(str(month))
        month = month.next()
    return names


def _make(path: Path) -> bool:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def load(folder: Path, *, now: datetime) -> KeyRing:
    """Read a city's keys; ConfigError with the command to run where they are missing, unsafe or broken."""
    masters: list[bytes] = []
    while (path := folder / f"master-{len(masters) + 1}.key").exists():
        masters.append(_read(path))
    periods = {path.stem: Period(path.stem, _read(path)) for path in sorted((folder / "periods").glob("*.key"))}
    if not masters or not any(name <= f"{now:%Y-%m}" for name in periods):
        raise ConfigError(f"{folder}: this city has no keys yet; run `kogge init` (or `kogge migrate`) first")
    return KeyRing(tuple(masters), periods, _read(folder / "metrics.token").hex())


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path}: others may read this key; run `chmod 600 {path}`")
        key = bytes.fromhex(path.read_text().strip())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{path}: not a key of {KEY_BYTES} octets in hexadecimal; restore it from your backup")
    return key
