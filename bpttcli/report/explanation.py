"""The report of ``grad-norms --explain``: the chain rule with its numbers put in."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from bpttcli.diagnostics.explanation import Explanation
from bpttcli.report.explanation_document import explanation_document
from bpttcli.report.explanation_steps import Fold, backward_grid, forward_grid
from bpttcli.report.explanation_sums import repeated_grid, sum_grid
from bpttcli.report.report import Columns, Report
from bpttcli.report.symbols import symbol_of
from bpttcli.report.vectors import is_small, vector
from bpttcli.report.view import View

# Cuts that are listed one by one.
_MOST_WORDS = 8


class ExplanationReport(Report):
    """An explanation beside the figures that it explains.

    Parameters
    ----------
    explanation : Explanation
    figures : Report
        Of the same run, without explanation.
    everything : bool
        Fold no steps.
    """

    def __init__(
        self, explanation: Explanation, figures: Report, *, everything: bool = False
    ) -> None:
        self._explanation = explanation
        self._figures = figures
        self._everything = everything

    def document(self) -> dict[str, Any]:
        """The figures' own document, and the explanation under its name."""
        return {
            **self._figures.document(),
            "explanation": explanation_document(self._explanation),
        }

    def columns(self) -> Columns:
        """The figures' rows: terms are matrices, which no row holds."""
        return self._figures.columns()

    def view(self) -> View:
        """The verdict, the parameters, the way forward, the way back, the sums."""
        explanation, base = self._explanation, self._figures.view()
        depth = len(explanation.layers)
        fold = Fold.of(explanation.steps, everything=self._everything)
        grids = [forward_grid(explanation, k, fold) for k in range(depth)]
        grids += [backward_grid(explanation, k, fold) for k in reversed(range(depth))]
        grids += [sum_grid(explanation, part, fold) for part in explanation.parameters]
        grids.append(repeated_grid(explanation))
        sentences = [*base.sentences, *_parameters(explanation)]
        facts = [*base.facts, *_facts(explanation)]
        return msgspec.structs.replace(base, sentences=sentences, facts=facts, grids=grids)


def _parameters(explanation: Explanation) -> list[tuple[str, str]]:
    """A sentence for each parameter, in the order of the network."""
    network = explanation.network
    found = []
    for name in network.parameters:
        symbol = symbol_of(name, network)
        steps = [1, explanation.steps] if explanation.steps > 3 else range(1, explanation.steps + 1)
        used = (", …, " if len(steps) < explanation.steps else ", ").join(
            symbol.used_in.format(t=t) for t in steps
        )
        letter = symbol.letter.split()[0]
        found.append((symbol.letter, f"{symbol.role} ({name}); the same {letter} in {used}."))
    return found


def _facts(explanation: Explanation) -> list[tuple[str, str]]:
    """The parameters that are small enough to be read, and what is shown of a batch."""
    found = []
    for name, value in explanation.network.parameters.items():
        if is_small(*value.shape):
            rows = ", ".join(vector(row) for row in np.atleast_2d(value))
            found.append((symbol_of(name, explanation.network).letter, rows))
    if explanation.batch > 1:
        shown = f"step by step sequence 1 of {explanation.batch}, L being its own loss; "
        found.append(("shown", shown + "what a step adds to a gradient is the mean over all"))
    if explanation.cuts and explanation.edges is not None:
        places = [f"{t}|{t + 1}" for t in explanation.cuts]
        found.append(("cut between steps", _listed(places)))
    elif explanation.cuts:
        # From the last loss on, as the way back is read.
        ways = [f"L_{t} back to step {first}" for t, first in _ways(explanation)]
        found.append(("losses reach", _listed(ways)))
    return found


def _ways(explanation: Explanation) -> list[tuple[int, int]]:
    """Each step that has a loss, and the first step that it reaches."""
    pairs = enumerate(explanation.reached.tolist(), start=1)
    return [(t, first) for t, first in reversed(list(pairs)) if first > 1]


def _listed(words: list[str]) -> str:
    """List them, of many the first few and the last."""
    if len(words) > _MOST_WORDS:
        words = [*words[: _MOST_WORDS - 2], "…", words[-1]]
    return ", ".join(words)
