"""Commands as an operator types them: in this process where they return, as processes where they stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from tests.support.installation import Written, write_installation

Kogge = Callable[..., Result]


@pytest.fixture
def kogge() -> Kogge:
    """`kogge("check", folder)`: a command's exit status, output and messages. A traceback fails the test."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False)

    return run


@pytest.fixture
def two_cities(tmp_path: Path) -> Written:
    """Rostock's and Wismar's files on ports of their own; nothing made from them yet."""
    return write_installation(tmp_path / "installation", ["rostock", "wismar"])


@pytest.fixture
def made(two_cities: Written) -> Written:
    """The same with keys, databases, seeds and first admins."""
    two_cities.initialise()
    return two_cities
