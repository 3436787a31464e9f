"""The commands, under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from bpttcli._version import __version__
from bpttcli.cli import compare_truncation, grad_norms, spectrum, train
from bpttcli.cli.options import help_text

app = typer.Typer(
    name="bptt",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


app.callback(help=help_text(_bptt.__doc__))(_bptt)
app.command("grad-norms")(grad_norms.command)
app.command("spectrum")(spectrum.command)
app.command("compare-truncation")(compare_truncation.command)
app.command("train")(train.command)
