"""An option of the command line, and the signatures that commands get from lists of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from bpttcli.experiment.bundled import bundled_names
from bpttcli.experiment.scalars import read_plain
from bpttcli.experiment.settings import Option
from bpttcli.record import Record


class Flag(Record, frozen=True):
    """One option of the command line.

    Parameters
    ----------
    name : str
        As the user writes it.
    help : str
        One sentence.
    panel : str
        The heading it stands under in ``--help``.
    key : str, optional
        The key of the experiment that it sets; without one the command reads it itself.
    metavar : str, optional
        What stands for its value; without one it is a switch.
    number : bool
        Read the value as a number is read in a file; else it is text, whatever it looks like.
    many : bool
        May be given more than once.
    listed : bool
        Its value is a list of numbers with commas between them.
    choices : tuple of str
        What its value may be, for completion.
    also : tuple of (str, object)
        A key that it sets besides, and to what.
    """

    name: str
    help: str
    panel: str
    key: str | None = None
    metavar: str | None = None
    number: bool = False
    many: bool = False
    listed: bool = False
    choices: tuple[str, ...] = ()
    also: tuple[str, object] | None = None

    @property
    def parameter(self) -> str:
        """Its name as a Python parameter."""
        return self.name.lstrip("-").replace("-", "_")

    def annotation(self) -> Any:
        """Its type, as Typer reads it."""
        if self.metavar is None:
            return Annotated[
                bool, typer.Option(self.name, help=self.help, rich_help_panel=self.panel)
            ]
        option = typer.Option(
            self.name,
            help=self.help,
            metavar=self.metavar,
            rich_help_panel=self.panel,
            autocompletion=self._complete if self.choices else None,
            show_default=False,
        )
        return Annotated[list[str] | None if self.many else str | None, option]

    def _complete(self, incomplete: str) -> list[str]:
        return [choice for choice in self.choices if choice.startswith(incomplete)]


def signature(flags: Iterable[Flag]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a function ``(experiment, values)`` the command line signature of these options.

    Parameters
    ----------
    flags : iterable of Flag
        In the order of ``--help``.

    Returns
    -------
    decorator
        The function is called with EXPERIMENT or None, and a dict of the options given.
    """
    listed = list(flags)

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def command(experiment: str | None = None, **given: Any) -> None:
            function(experiment, {k: v for k, v in given.items() if v not in (None, False, [])})

        argument = Annotated[
            str | None,
            typer.Argument(
                metavar="[EXPERIMENT]",
                help="A YAML file, - for standard input, or the name of a bundled experiment.",
                show_default=False,
                autocompletion=_complete_experiment,
            ),
        ]
        annotations: dict[str, Any] = {"experiment": argument}
        annotations |= {flag.parameter: flag.annotation() for flag in listed}
        command.__name__ = function.__name__
        command.__doc__ = help_text(function.__doc__)
        command.__annotations__ = annotations
        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=False if hint.__origin__ is bool else None,
                    annotation=hint,
                )
                for name, hint in annotations.items()
            ]
        )
        return command

    return decorate


def help_text(docstring: str | None) -> str:
    r"""A docstring as Typer reads it: the lines of its examples stay lines.

    Examples
    --------
    >>> help_text("Do it.\n\nExamples\n--------\nbptt do\nbptt do --now")
    'Do it.\n\n\x08[bold]Examples[/bold]\nbptt do\nbptt do --now'
    """
    says, heading, examples = inspect.cleandoc(docstring or "").partition("Examples\n--------\n")
    return f"{says}\b[bold]Examples[/bold]\n{examples}" if heading else says


def settings(flags: Iterable[Flag], given: dict[str, Any]) -> list[Option]:
    """Turn the options given into what they set.

    Parameters
    ----------
    flags : iterable of Flag
    given : dict
        Of option parameters to their values, as `signature` passes them.

    Returns
    -------
    list of Option
    """
    found = []
    for flag in flags:
        if flag.parameter not in given:
            continue
        value = given[flag.parameter]
        if flag.listed:
            value = [read_plain(part.strip()) for part in value.split(",")]
        elif flag.number:
            value = read_plain(value)
        if flag.key is not None:
            found.append(Option(flag.name, flag.key, value))
        if flag.also is not None:
            found.append(Option(flag.name, *flag.also))
    return found


def _complete_experiment(incomplete: str) -> list[str]:
    return [name for name in bundled_names() if name.startswith(incomplete)]
