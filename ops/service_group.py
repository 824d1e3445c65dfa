"""A service's command that has subcommands besides: `kogge radius DIR` serves, `kogge radius test CITY` asks.

The first word decides: the name of a subcommand is that subcommand, anything else is DIR or an option of the service.
A folder that is called like a subcommand is written `./test`.
"""

from __future__ import annotations

from pathlib import Path

import click

_ANY_FOLDER = "."
"""Fills the place of DIR where a subcommand was named; nobody looks at it then."""


class _Folder(click.Argument):
    """DIR, which the usage lines of subcommands must not show."""

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:
        return []


folder = click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path(), cls=_Folder)
"""The DIR of a service that is a `ServiceGroup`."""


class ServiceGroup(click.Group):
    """Its callback serves, and must do so only where `ctx.invoked_subcommand` is None."""

    def __init__(self, *args: object, **settings: object) -> None:
        settings |= {"invoke_without_command": True, "subcommand_metavar": "[DIR] | COMMAND [ARGS]..."}
        super().__init__(*args, **settings)  # type: ignore[arg-type]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See the module; click alone would take the first word for DIR and the second one for a subcommand."""
        if args and args[0] in self.commands:
            return super().parse_args(ctx, [_ANY_FOLDER, *args])
        ctx.allow_interspersed_args = True  # options may follow DIR, as in the other services
        ctx.allow_extra_args = False  # and nothing else may: no subcommand after DIR, nor after a misspelt one
        return super().parse_args(ctx, args)
