"""Files to models: all errors of a file at once, each with file, line, key, reason and the nearest valid key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from config.lines import KeyPath, line_numbers, nearest_line
from config.model import CityConfig, Installation
from hotspot.errors import ConfigError

FILE_NAME = "kogge.toml"
FILE_BYTES_MAX = 1_000_000
POSTGRESQL_PORT = 5432

Model = TypeVar("Model", bound=BaseModel)

_PLAINLY = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^(Input|String|Tuple) should "), "must "),
    (re.compile(r"^value is not "), "must be "),
    (re.compile(r" after validation, not \d+$"), ""),
)
"""What pydantic says around the fact. The key stands before the sentence already."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one file."""

    file: Path
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An installation and its cities that are sound. Those that are not stand in `problems` and nowhere else."""

    installation: Installation
    cities: tuple[CityConfig, ...]
    problems: tuple[Problem, ...]


class BrokenFile(ConfigError):
    """A file with all its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def installation_file(path: Path) -> Path:
    """`kogge.toml` itself, whether the operator named it or its folder."""
    return path / FILE_NAME if path.is_dir() else path


def load_installation(path: Path) -> Loaded:
    """Everything under `path`. BrokenFile where `kogge.toml` itself is unusable: nothing can start then."""
    file = installation_file(path)
    installation = _parse(file, Installation)
    home = file.resolve().parent
    installation = installation.model_copy(
        update={"data_dir": home / installation.data_dir, "cities_dir": home / installation.cities_dir}
    )
    cities, problems = _load_cities(installation.cities_dir)
    shared = list(_shared(installation, cities))
    refused = {problem.file for problem in shared}
    sound = tuple(city for file, city in cities.items() if file not in refused)
    return Loaded(installation, sound, tuple(problems + shared))


def check(path: Path) -> list[Problem]:
    """All problems of an installation; empty where there are none."""
    try:
        return list(load_installation(path).problems)
    except BrokenFile as broken:
        return broken.problems


def load_city(file: Path) -> CityConfig:
    """One city's file; paths in it start at its folder."""
    city = _parse(file, CityConfig)
    if city.key != file.stem:
        line = nearest_line(line_numbers(file.read_text()), ("key",))
        raise BrokenFile([Problem(file, line, "key", f"is {city.key!r}, but the file is called {file.name}")])
    city = _with_absolute_paths(city, file.resolve().parent)
    authorities = city.portal.controller_ca_file
    if authorities is not None and not authorities.is_file():
        line = nearest_line(line_numbers(file.read_text()), ("portal", "controller_ca_file"))
        raise BrokenFile([Problem(file, line, "portal.controller_ca_file", f"there is no file {authorities}")])
    return city


OWN_FILES = {
    "database": ("password_file",),
    "mail": ("ca_file", "password_file"),
    "monitor": ("prometheus_token_file",),
    "sms": ("ca_file", "secret_file"),
    "oidc": ("client_secret_file",),
    "portal": ("controller_ca_file",),
}
"""The keys of a city's file that name files, by table."""


def _with_absolute_paths(city: CityConfig, folder: Path) -> CityConfig:
    for table, keys in OWN_FILES.items():
        section = getattr(city, table)
        named = {key: getattr(section, key, None) for key in keys}
        found = {key: folder / path for key, path in named.items() if path is not None}
        if found:
            city = city.model_copy(update={table: section.model_copy(update=found)})
    return city


def _load_cities(folder: Path) -> tuple[dict[Path, CityConfig], list[Problem]]:
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise BrokenFile([Problem(folder, None, "", "no city here; put one file a city into it: <key>.toml")])
    cities: dict[Path, CityConfig] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            cities[file] = load_city(file)
        except BrokenFile as broken:
            problems += broken.problems
    return cities, problems


def _parse(file: Path, model: type[Model]) -> Model:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise BrokenFile([Problem(file, None, "", f"cannot be read ({error.strerror})")]) from None
    if len(raw) > FILE_BYTES_MAX:
        raise BrokenFile([Problem(file, None, "", f"is larger than {FILE_BYTES_MAX:,} bytes")])
    try:
        text = raw.decode()
        return model.model_validate(tomllib.loads(text), context={"folder": file.resolve().parent})
    except UnicodeDecodeError as error:
        raise BrokenFile([Problem(file, None, "", f"is not UTF-8 (byte {error.start})")]) from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        raise BrokenFile([Problem(file, int(place[1]) if place else None, "", f"is not TOML: {error}")]) from None
    except ValidationError as error:
        lines = line_numbers(text)
        raise BrokenFile([_problem(file, model, lines, dict(detail)) for detail in error.errors()]) from None


def _problem(file: Path, model: type[BaseModel], lines: dict[KeyPath, int], detail: dict[str, Any]) -> Problem:
    path: KeyPath = detail["loc"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return Problem(file, nearest_line(lines, path), key, _message(model, path, detail))


def _message(model: type[BaseModel], path: KeyPath, detail: dict[str, Any]) -> str:
    if detail["type"] == "extra_forbidden":
        valid = _valid_keys(model, path[:-1])
        near = get_close_matches(str(path[-1]), valid, n=1, cutoff=0.5)
        return f"unknown key; did you mean `{near[0]}`?" if near else f"unknown key; valid are {', '.join(valid)}"
    if detail["type"] == "missing":
        return "is missing; add it"
    said = str(detail["msg"])
    for pattern, instead in _PLAINLY:
        said = pattern.sub(instead, said)
    return said


def _valid_keys(model: type[BaseModel], table: KeyPath) -> list[str]:
    for part in table:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        kinds = (annotation, *getattr(annotation, "__args__", ()))
        model = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return list(model.model_fields)


# What two cities must not share ---------------------------------------------------------------------

Claim = tuple[str, str]


def _claims(city: CityConfig) -> Iterator[tuple[str, Claim]]:
    """Key and what it claims for this city alone."""
    hosts = {"portal.url": city.portal.host, "portal.staff_url": city.portal.staff_host}
    for key, host in hosts.items():
        yield key, ("host name", host)
    for key, port in (
        ("radius.auth_port", city.radius.auth_port),
        ("radius.acct_port", city.radius.acct_port),
    ):
        yield key, ("UDP port", f"{city.radius.listen}:{port}")
    if city.portal.redirect_listen:
        yield "portal.redirect_listen", ("TCP port", city.portal.redirect_listen)
    if city.database.url:
        yield "database.url", ("database", _place_of(city.database.url))


def _place_of(url: str) -> str:
    """Which database a URL leads to, whoever logs in there and however."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return str(Path(parts.path.removeprefix("/")).resolve())
    return f"{parts.hostname or ''}:{parts.port or POSTGRESQL_PORT}{parts.path}"


def _shared(installation: Installation, cities: dict[Path, CityConfig]) -> Iterator[Problem]:
    owners: dict[Claim, dict[Path, str]] = {}
    for file, city in cities.items():
        for key, claim in _claims(city):
            owners.setdefault(claim, {}).setdefault(file, key)
    start_page = ("host name", installation.portal.start_page_host)
    for claim, files in owners.items():
        for file, key in files.items():
            if claim == start_page:
                yield _clash(file, key, claim, "the installation's portal.start_page_host")
            if len(files) > 1:
                yield _clash(file, key, claim, ", ".join(other.name for other in files if other != file))


def _clash(file: Path, key: str, claim: Claim, other: str) -> Problem:
    line = nearest_line(line_numbers(file.read_text()), tuple(key.split(".")))
    what, value = claim
    return Problem(file, line, key, f"{what} {value} is shared with {other}; each city needs its own")
