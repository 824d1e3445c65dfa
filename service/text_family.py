"""A family of metrics that writes its own lines: for what has too many series for prometheus-client's objects.

It registers and reads like any other family: names are checked against twins, and `samples` are there for whoever
asks. `service.page` takes `lines` instead, at a tenth of the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.samples import Sample


class TextFamily(Metric):
    """`kind` is `gauge` or `counter`; `lines` gives finished lines, some at a time, `samples` the same as objects."""

    def __init__(
        self,
        name: str,
        documentation: str,
        kind: str,
        *,
        lines: Callable[[], Iterator[str]],
        samples: Callable[[], Iterable[Sample]],
    ) -> None:
        super().__init__(name, documentation, kind)
        self.lines = lines
        self._read = samples

    @property
    def samples(self) -> list[Sample]:
        return list(self._read())

    @samples.setter
    def samples(self, _none: list[Sample]) -> None:
        """prometheus-client's own constructor begins with an empty list."""
