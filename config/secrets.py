"""Secrets that the operator keeps in files: read once, never shown."""

from __future__ import annotations

from pathlib import Path

from hotspot.errors import ConfigError

SECRET_BYTES_MAX = 4_096


def read_secret(path: Path) -> str:
    """The file's first line. ConfigError where it is missing, empty, or others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()[: SECRET_BYTES_MAX + 1]
    except OSError as error:
        raise ConfigError(f"{path}: this secret cannot be read ({error.strerror})") from None
    if mode & 0o077:
        raise ConfigError(f"{path}: others may read this secret; run `chmod 600 {path}`")
    secret = text.decode("utf-8", "replace").split("\n", 1)[0].strip()
    if not secret or len(text) > SECRET_BYTES_MAX:
        raise ConfigError(f"{path}: must hold one line with the secret")
    return secret
