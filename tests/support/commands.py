"""The tree of our commands, for tests that must not forget one."""

from __future__ import annotations

from collections.abc import Iterator

import click


def commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group below `group`."""
    for name, command in sorted(group.commands.items()):
        yield (*above, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))


def find(group: click.Group, words: tuple[str, ...]) -> click.Command:
    """The command of these words. KeyError where there is none."""
    command: click.Command = group
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command
