"""What a person is shown: a title, sentences, facts and grids of text; no layout, no colour."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import msgspec

from bpttcli.experiment.wording import printable
from bpttcli.record import Record
from bpttcli.report.plain import spell
from bpttcli.truncation.registry import estimator_named

_FEW = 24
# Columns of a terminal, and what plain characters put between two columns of a table.
_NARROWEST, _GAP = 80, 3


class Bar(Record, frozen=True):
    """A value between 0 and 1, drawn as a bar."""

    share: float


Cell = str | Bar


class Grid(Record, frozen=True):
    """A table of text, a cell of one line or several; numbers stand on the right.

    Parameters
    ----------
    title : str
    headers : list of str
    rows : list of list of str or Bar
    left : frozenset of int
        Columns that stand on the left.
    note : str
        What to know before reading it.
    groups : frozenset of int
        Rows before which there is a rule.
    """

    title: str
    headers: list[str]
    rows: list[list[Cell]]
    left: frozenset[int] = frozenset()
    note: str = ""
    groups: frozenset[int] = frozenset()


class Picture(Record, frozen=True):
    """Lines of characters that stay as they are.

    Parameters
    ----------
    title : str
    lines : list of str
    folded : bool
        Lines that are longer than a terminal is wide go on in the next.
    """

    title: str
    lines: list[str]
    folded: bool = False


class View(Record, frozen=True):
    """Everything that a table or a Markdown page shows, in the order of reading.

    Parameters
    ----------
    title : str
        What ran.
    headline : tuple of str
        The verdict's name and what it says in figures.
    sentences : list of (str, str)
        A word and its sentence.
    facts : list of (str, str)
        A name and its value.
    grids : list of Grid
    pictures : list of Picture
    """

    title: str
    headline: tuple[str, str]
    sentences: list[tuple[str, str]] = msgspec.field(default_factory=list)
    facts: list[tuple[str, str]] = msgspec.field(default_factory=list)
    grids: list[Grid] = msgspec.field(default_factory=list)
    pictures: list[Picture] = msgspec.field(default_factory=list)


def fits(headers: list[str], rows: list[list[Cell]]) -> bool:
    """Whether a table without bars has room in the narrowest terminal, notation spelled out."""
    widths = [
        max(len(line) for cell in place for line in spell(str(cell), "ascii").split("\n"))
        for place in zip(headers, *rows, strict=True)
    ]
    return sum(widths) + _GAP * (len(widths) - 1) <= _NARROWEST


def chosen_steps(steps: int, *, every: int | None = None, everything: bool = False) -> list[int]:
    """Choose the steps a person reads, from the last to the first.

    Parameters
    ----------
    steps : int
        T.
    every : int, optional
        Show each step whose lag is a multiple of this.
    everything : bool
        Show all of them.

    Returns
    -------
    list of int
        Indices from 0, falling: up to two dozen steps whole, else some six a decade of lag.

    Examples
    --------
    >>> [5 - i for i in chosen_steps(5)]
    [1, 2, 3, 4, 5]
    >>> [999 - i for i in chosen_steps(1000)][:8]
    [0, 1, 2, 3, 5, 7, 10, 15]
    """
    if everything or (every is None and steps <= _FEW):
        lags: Sequence[int] = range(steps)
    elif every is not None:
        lags = range(0, steps, every)
    else:
        round_lags = [0] + [
            int(m * 10**k) for k in range(len(str(steps))) for m in (1, 1.5, 2, 3, 5, 7)
        ]
        lags = sorted({lag for lag in round_lags if lag < steps - 1})
    chosen = [steps - 1 - lag for lag in lags]
    return chosen if chosen[-1] == 0 else [*chosen, 0]


def describe_run(experiment: dict[str, Any]) -> str:
    """Say in one line what ran.

    Parameters
    ----------
    experiment : dict
        Resolved.
    """
    task, model, loss = experiment["task"], experiment["model"], experiment["loss"]
    place = {"last": "the last step", "every": "every step", None: "the steps of the mask"}
    ran = [
        str(task["name"]),
        f"{model['cell']}, {counted(model['hidden'], 'unit')}",
        counted(model["layers"], "layer"),
        f"{loss['name']} at {place[loss['at']]}",
        f"seed {experiment['seed']}",
    ]
    return " · ".join([*ran, describe_file(model)] if model.get("file") else ran)


def describe_file(model: dict[str, Any]) -> str:
    """Say what was taken out of a file of parameters, from the input upward.

    Parameters
    ----------
    model : dict
        Resolved, read from a file.

    Examples
    --------
    >>> parts = {"recurrent": "rnn", "readout": "fc", "embedding": None, "direction": None}
    >>> describe_file({"file": "runs/model.pt", **parts})
    'rnn → fc of model.pt'
    """
    name = printable(os.path.basename(model["file"]))
    parts = [model[part] for part in ("recurrent", "readout", "embedding", "direction")]
    if parts in (["", None, None, None], ["", "readout", None, None]):
        return name  # a network that stands alone, under its own names
    recurrent = model["recurrent"] or "the network"
    if model["direction"] == "reverse":
        recurrent += " (reverse)"
    readout = "the linear layer" if model["readout"] == "" else model["readout"]
    chain = [part for part in (model["embedding"], recurrent, readout) if part is not None]
    return f"{' → '.join(chain)} of {name}" + (", no readout" if readout is None else "")


def describe_estimate(experiment: dict[str, Any]) -> str:
    """Say in one line what ran, and which estimate of the gradient it was if not the exact one.

    Parameters
    ----------
    experiment : dict
        Resolved.
    """
    keys = {key: value for key, value in experiment["truncation"].items() if value is not None}
    ran, estimator = describe_run(experiment), estimator_named(**keys)
    if keys["name"] == "full":
        return ran
    return f"{ran} · {'one draw of ' if estimator.random else ''}{estimator.label}"


def counted(n: int, noun: str) -> str:
    """Write a number with its noun.

    Examples
    --------
    >>> counted(1, "step"), counted(2, "step")
    ('1 step', '2 steps')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
