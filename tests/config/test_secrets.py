"""Secrets in files: read by their owner only, and never empty."""

from pathlib import Path

import pytest

from config.secrets import SECRET_BYTES_MAX, read_secret
from hotspot.errors import ConfigError


def secret(tmp_path: Path, content: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_first_line_is_the_secret(tmp_path: Path) -> None:
    assert read_secret(secret(tmp_path, b" hanse \nnot this\n")) == "hanse"


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (b"hanse\n", 0o644, "chmod 600"),
        (b"\n", 0o600, "one line"),
        (b"x" * (SECRET_BYTES_MAX + 1), 0o600, "one line"),
    ],
)
def test_what_will_not_do_is_said(tmp_path: Path, content: bytes, mode: int, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_secret(secret(tmp_path, content, mode))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        read_secret(tmp_path / "nowhere")
