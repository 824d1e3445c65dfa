"""The snippet of the EU's WiFi4EU programme: what a network of the programme must show on its first page."""

from __future__ import annotations

HOST = "collection.wifi4eu.ec.europa.eu"
"""Where its script and banner come from and what it reports to; devices must reach it before they are logged in."""

SCRIPT_URL = f"https://{HOST}/wifi4eu.min.js"

LANGUAGES = frozenset(
    (
        *("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr"),
        *("hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"),
    )
)
"""Of the banner: the official ones of the EU."""

_NEAREST = {"nds": "de"}


def language_of(language: str) -> str:
    """The banner's language for a page's: `de` for `de-simple` and Low German, English for what it does not have."""
    base = language.partition("-")[0]
    nearest = _NEAREST.get(base, base)
    return nearest if nearest in LANGUAGES else "en"


def script(network_identifier: str, language: str, *, self_test: bool) -> str:
    """The variables that its script reads. The identifier is a UUID, so nothing in it ends the string."""
    lines = [
        "var wifi4euTimerStart = Date.now();",
        f"var wifi4euNetworkIdentifier = '{network_identifier}';",
        f"var wifi4euLanguage = '{language_of(language)}';",
    ]
    return "\n".join([*lines, "var selftestModus = true;"] if self_test else lines)
