"""The commands, under one name."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from bpttcli._version import __version__

#: For each command its module, whose `command` it is, in the order of the help.
COMMANDS = {
    "grad-norms": "bpttcli.cli.grad_norms",
    "spectrum": "bpttcli.cli.spectrum",
    "compare-truncation": "bpttcli.cli.compare_truncation",
    "train": "bpttcli.cli.train",
}


def _version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        typer.echo(f"bptt {__version__}")
        raise typer.Exit


def _bptt(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """See how the gradient of a recurrent network travels back through time.

    Examples
    --------
    bptt grad-norms --steps 1000
    bptt grad-norms --model model.npz --data batch.npz --format json
    """


def app_of(names: Iterable[str]) -> typer.Typer:
    """Build ``bptt`` with some of its commands: one that is run needs none of the others.

    Parameters
    ----------
    names : iterable of str
        Of `COMMANDS`.
    """
    from bpttcli.cli.flags import help_text

    app = typer.Typer(
        name="bptt",
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(help=help_text(_bptt.__doc__))(_bptt)
    for name in names:
        app.command(name)(import_module(COMMANDS[name]).command)
    return app
