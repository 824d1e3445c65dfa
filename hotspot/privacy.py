"""Small cells: which figures may not be shown because they speak of too few people."""

from __future__ import annotations

from collections.abc import Sequence

OFFICIALS_SMALLEST_GROUP = 5
"""Officials see counts from this many device-days up (PRODUCT, privacy rules)."""


def suppress(counts: Sequence[int], *, smallest: int) -> list[int | None]:
    """Hide every count in 1..smallest-1; where that leaves one hidden, hide the next smallest too.

    The second rule (complementary suppression) keeps the hidden one from being computed from the total.
    Zero is shown: nobody is no secret.
    """
    hidden = {index for index, count in enumerate(counts) if 0 < count < smallest}
    shown = [index for index, count in enumerate(counts) if index not in hidden and count > 0]
    if len(hidden) == 1 and shown:
        hidden.add(min(shown, key=lambda index: counts[index]))
    return [None if index in hidden else count for index, count in enumerate(counts)]
