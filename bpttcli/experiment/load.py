"""From what the user gave to one validated `Experiment`, or to every error at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TextIO

from bpttcli.errors import InputError
from bpttcli.experiment.schema import Experiment
from bpttcli.experiment.settings import Option, overlay
from bpttcli.experiment.tree import Node, Origin, Origins, Problem, described

_SHOWN_PROBLEMS = 3


class Loaded(NamedTuple):
    """An experiment and where its keys were set.

    Attributes
    ----------
    experiment : Experiment
        Whole and resolved: defaults filled in, paths absolute.
    origins : Origins
        Explains errors that later floors raise about a key.
    """

    experiment: Experiment
    origins: Origins


def load(
    experiment: str | None = None,
    *,
    options: Iterable[Option] = (),
    sets: Iterable[str] = (),
    stdin: TextIO | None = None,
) -> Loaded:
    """Read an experiment; option > ``--set`` > file > default.

    Parameters
    ----------
    experiment : str, optional
        A YAML file, ``-`` for standard input, or the name of a bundled experiment; a file of
        that name in the current folder comes first. Without it all is default.
    options : iterable of Option, optional
        What the options of the command line set.
    sets : iterable of str, optional
        The values of ``--set``, ``KEY=VALUE`` with the value in YAML.
    stdin : text stream, optional
        What ``-`` reads; the standard input unless given.

    Returns
    -------
    Loaded
        The experiment and its origins. A file of comments alone is all defaults.

    Raises
    ------
    InputError
        Anything is wrong. The message is ready to print: one line each for the first three
        errors, in the order of the file, then ``and n more``.

    Examples
    --------
    >>> experiment, origins = load(options=[Option("--steps", "task.steps", 20)])
    >>> experiment.task.steps, str(origins.locate("task.steps"))
    (20, '--steps')
    """
    return load_points(experiment, [()], options=options, sets=sets, stdin=stdin)[0]


def load_points(
    experiment: str | None,
    points: Iterable[Iterable[Option]],
    *,
    options: Iterable[Option] = (),
    sets: Iterable[str] = (),
    stdin: TextIO | None = None,
) -> list[Loaded]:
    """Read an experiment once for each point of a sweep.

    Parameters
    ----------
    experiment, options, sets, stdin
        As for `load`.
    points : iterable of iterables of Option
        What each point sets besides.

    Returns
    -------
    list of Loaded

    Raises
    ------
    InputError
        Anything is wrong with the first point that is wrong.
    """
    source = None
    if experiment is not None:
        from bpttcli.experiment.source import read

        source = read(experiment, stdin)
    options, sets = list(options), list(sets)
    return [_load(source, [*options, *point], sets) for point in points]


def _load(
    source: tuple[str, Origin] | None, options: Iterable[Option], sets: Iterable[str]
) -> Loaded:
    """Read one experiment from its text."""
    root, problems = _document(source)
    if not isinstance(root.value, dict):
        sections = ", ".join(Experiment.__struct_fields__)
        message = f"must be a mapping of sections ({sections}), got {described(root)}"
        raise InputError(str(Problem(root.origin, "", message)))
    problems += overlay(root.value, sets, options)
    origins = Origins(root)
    if not root.value and not problems:
        return Loaded(Experiment(), origins)  # without the cost of looking at the schema
    from bpttcli.experiment.validate import validate

    loaded, found = validate(root.value, origins)
    problems += found
    if loaded is None or problems:
        raise InputError(_listing(problems))
    return Loaded(loaded, origins)


def _document(source: tuple[str, Origin] | None) -> tuple[Node, list[Problem]]:
    """Read the tree of a text, or an empty one."""
    if source is None:
        return Node({}, Origin("")), []
    from bpttcli.experiment.document import parse  # PyYAML: only where there is YAML

    root, problems = parse(*source)
    return root._replace(value={}) if root.value is None else root, problems


def _listing(problems: Sequence[Problem]) -> str:
    """List the first problems, one a line: those of the file in its order, then the others."""
    in_order = sorted(problems, key=_line)
    lines = [str(problem) for problem in in_order[:_SHOWN_PROBLEMS]]
    more = len(problems) - len(lines)
    return "\n".join([*lines, f"and {more} more"] if more else lines)


def _line(problem: Problem) -> float:
    """Give the line of a problem; what no file holds comes last."""
    line = None if problem.origin is None else problem.origin.line
    return math.inf if line is None else line
