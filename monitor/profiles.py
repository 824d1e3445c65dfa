"""All profiles: loaded from `profiles/*.toml`, and the choice of one for a device. Knows no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

from hotspot.errors import ConfigError
from monitor.layout import Layout, Layouts
from monitor.oids import Oid
from monitor.plan import Plans
from monitor.profile import Match, Profile, rooted
from monitor.profile_file import read

FOLDER = Path(__file__).parent / "profiles"
COMMON = "common"


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles. `common` serves whatever none of the others fits."""

    common: Profile
    vendors: tuple[Profile, ...]
    layouts: Layouts = field(default_factory=Layouts, compare=False, repr=False)
    _plans: WeakKeyDictionary[Layout, Plans] = field(default_factory=WeakKeyDictionary, compare=False, repr=False)
    _ranked: tuple[tuple[Match, Profile], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rules = [(match, profile) for profile in self.vendors for match in profile.matches]
        object.__setattr__(self, "_ranked", tuple(sorted(rules, key=lambda rule: rule[0].rank, reverse=True)))

    def plans_of(self, layout: Layout) -> Plans:
        return self._plans.setdefault(layout, Plans())

    def probes(self, object_id: Oid, description: str) -> list[Oid]:
        """The subtrees that must be asked for before one can choose."""
        return list(dict.fromkeys(match.probe for match, _ in self._fitting(object_id, description) if match.probe))

    def choose(self, object_id: Oid, description: str, answers: Mapping[Oid, str] | None = None) -> Profile:
        """The vendor whose best rule fits. `answers` are the first values of the probed subtrees that have any."""
        for match, profile in self._fitting(object_id, description):
            if match.probed(answers or {}):
                return rooted(profile, object_id)
        return self.common

    def _fitting(self, object_id: Oid, description: str) -> Iterator[tuple[Match, Profile]]:
        """From the best rule down to the first that needs no probe."""
        for match, profile in self._ranked:
            if match.may_fit(object_id, description):
                yield match, profile
                if match.probe is None:
                    return


def load(folder: Path = FOLDER) -> Profiles:
    """All `*.toml` of the folder. ConfigError names file and key of what is wrong."""
    common = read(folder / f"{COMMON}.toml", None)
    files = sorted(file for file in folder.glob("*.toml") if file.stem != COMMON)
    profiles = Profiles(common, tuple(read(file, common) for file in files))
    _no_rule_twice(folder, profiles)
    return profiles


def _no_rule_twice(folder: Path, profiles: Profiles) -> None:
    seen: dict[Match, str] = {}
    for profile in profiles.vendors:
        for match in profile.matches:
            other = seen.setdefault(match, profile.name)
            if other != profile.name:
                raise ConfigError(f"{folder / profile.name}.toml: match: {other}.toml has the very same rule")
