"""What a refusal says in its Reply-Message: for each language and reason one text, made once at the start."""

from __future__ import annotations

from collections.abc import Sequence

from hotspot.access import Reason
from service.reasons import REASONS, message
from service.speech import catalogue


class ReplyMessages:
    """A city's refusals in its languages."""

    def __init__(self, languages: Sequence[str]) -> None:
        self._default = languages[0]
        self._texts: dict[tuple[str, Reason], bytes] = {}
        for language in languages:
            texts = catalogue(language)
            for reason, sentence in REASONS.items():
                self._texts[language, reason] = message(texts.get(sentence, sentence), reason).encode()

    def of(self, reason: Reason, language: str) -> bytes:
        """UTF-8 of at most 253 octets; in the city's first language where the resident's is unknown or not spoken."""
        return self._texts.get((language, reason)) or self._texts[self._default, reason]
