"""The network unrolled, step by step: forward its states, backward the terms of their adjoints."""

from __future__ import annotations

from bpttcli.diagnostics.contribution_terms import lost_of
from bpttcli.diagnostics.explanation import Explanation, LayerSteps, Outputs
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.record import Record
from bpttcli.report.vectors import vector
from bpttcli.report.view import Cell, Grid, fits

# More steps than this are folded to so many from either end.
_MOST_STEPS, _EITHER_END = 12, 6
# Two vectors longer than this are not written out side by side.
_ROOM = 30
_PHI = {"tanh": "tanh(a_{t})", "relu": "max(0, a_{t})", "linear": "a_{t}"}


class Fold(Record, frozen=True):
    """Which steps are shown.

    Parameters
    ----------
    steps : int
        T.
    first, last : int
        The steps that are folded, from 1; none where `first` is above `last`.
    """

    steps: int
    first: int
    last: int

    @classmethod
    def of(cls, steps: int, *, everything: bool = False) -> Fold:
        """Fold the middle of a long run.

        Examples
        --------
        >>> Fold.of(100).note, Fold.of(12).note
        ('Steps 7 to 94 are folded (--all shows them).', '')
        """
        if everything or steps <= _MOST_STEPS:
            return cls(steps, 1, 0)
        return cls(steps, _EITHER_END + 1, steps - _EITHER_END)

    @property
    def is_folded(self) -> bool:
        """Whether some steps are not shown."""
        return self.first <= self.last

    @property
    def label(self) -> str:
        """The folded steps."""
        return f"{self.first} … {self.last}"

    @property
    def note(self) -> str:
        """Say what is folded; empty if nothing is."""
        if not self.is_folded:
            return ""
        return f"Steps {self.first} to {self.last} are folded (--all shows them)."

    def forward(self) -> list[int | None]:
        """The steps in order, None in place of those that are folded."""
        if not self.is_folded:
            return [*range(1, self.steps + 1)]
        return [*range(1, self.first), None, *range(self.last + 1, self.steps + 1)]


def forward_grid(explanation: Explanation, k: int, fold: Fold) -> Grid:
    """Tabulate what every step of one layer computes, a quantity a line.

    Parameters
    ----------
    explanation : Explanation
    k : int
        The layer, from 0.
    fold : Fold
    """
    layer = explanation.layers[k]
    title = "Forward" + _of_layer(explanation, k)
    start = [f"{name}_0 = {vector(state[0])}" for name, state in _states(explanation, layer)]
    note = f"From {', '.join(start)} the network runs step by step. {fold.note}".rstrip()
    groups: list[list[list[Cell]]] = []
    for step in fold.forward():
        if step is None:
            groups.append([["…", f"steps {fold.label} are folded", ""]])
            continue
        rows = _forward_rows(explanation, layer, k, step)
        if k == len(explanation.layers) - 1:
            rows += _output_rows(explanation, step)
        groups.append(rows)
    return _grid(title, note, ["", "computed as", "value"], groups)


def backward_grid(explanation: Explanation, k: int, fold: Fold) -> Grid:
    """Tabulate the adjoints of one layer from the last step to the first, a term a line.

    Parameters
    ----------
    explanation : Explanation
    k : int
        The layer, from 0.
    fold : Fold
    """
    layer = explanation.layers[k]
    is_top = k == len(explanation.layers) - 1
    title = "Backward" + _of_layer(explanation, k) + ", from the last step to the first"
    through = "its own output" if is_top else "the layer above"
    note = f"The loss hears of h_t in two ways: through {through}, and through the next hidden "
    note += f"state. The gradient ∂L/∂h_t is the sum of the two. {fold.note}"
    groups: list[list[list[Cell]]] = []
    for step in reversed(fold.forward()):
        if step is None:
            groups.append([["…", f"steps {fold.label} are folded", ""]])
        else:
            groups.append(_backward_rows(explanation, layer, step, is_top=is_top))
    return _grid(title, note.rstrip(), ["", "computed as", "value"], groups)


def _forward_rows(explanation: Explanation, layer: LayerSteps, k: int, t: int) -> list[list[Cell]]:
    """Input, pre-activation and states of one step."""
    name = explanation.network.cell.name
    fed = vector(layer.fed[t - 1])
    if k == 0 and explanation.symbols is not None:
        fed = f"symbol {explanation.symbols[t - 1]}"
    source = "input" if k == 0 else f"h_{t} of layer {k - 1}"
    letter = _fed_letter(k)
    rows: list[list[Cell]] = [[f"{letter}_{t}", source, fed]]
    if layer.preactivation is None:
        for gate, value in zip(explanation.network.cell.logistic, layer.gates, strict=True):
            rows.append([f"gate {gate}_{t}", "between 0 and 1", vector(value[t - 1])])
        for state, value in reversed(list(_states(explanation, layer))):
            rows.append([f"{state}_{t}", f"the {name}'s equations", vector(value[t])])
        return rows
    bias = explanation.network.cell.drive_bias(explanation.network.layers[k])
    formula = f"A {letter}_{t} + B h_{t - 1}" + ("" if bias is None else " + b")
    rows.append([f"a_{t}", formula, vector(layer.preactivation[t - 1])])
    rows.append([f"h_{t}", _PHI[name].format(t=t), vector(layer.states[0][t])])
    return rows


def _output_rows(explanation: Explanation, t: int) -> list[list[Cell]]:
    """Output and loss of one step."""
    outputs, network = explanation.outputs, explanation.network
    rows: list[list[Cell]] = []
    if outputs.output is not None and outputs.slope is not None:
        formula = f"C h_{t}" + ("" if network.c is None else " + c")
        rows.append([f"o_{t}", formula, vector(outputs.output[t - 1])])
    if outputs.target[t - 1]:
        if outputs.y is not None:
            wanted = outputs.y[t - 1]
            shown = f"class {wanted}" if outputs.y.ndim == 1 else vector(wanted)
            rows.append([f"y_{t}", "target", shown])
        formula, _ = _loss_formulas(outputs, t)
        rows.append([f"L_{t}", formula, vector(outputs.loss[t - 1 : t])])
    return rows


def _loss_formulas(outputs: Outputs, t: int) -> tuple[str, str]:
    """How the loss of one step and its slope are computed."""
    count = int(outputs.target.sum())
    shared = f" / {count}" if count > 1 else ""
    if outputs.y is None:
        return f"⟨v, h_{t}⟩{shared}", f"v{shared}"
    if outputs.y.ndim == 1:
        return f"−log softmax(o_{t})_y{shared}", f"(softmax(o_{t}) − 1 at y){shared}"
    width = outputs.y.shape[1]
    if width > 1:
        return f"‖o_{t} − y_{t}‖² / {width}{shared}", f"2 (o_{t} − y_{t}) / {width}{shared}"
    return f"(o_{t} − y_{t})²{shared}", f"2 (o_{t} − y_{t}){shared}"


def _backward_rows(
    explanation: Explanation, layer: LayerSteps, t: int, *, is_top: bool
) -> list[list[Cell]]:
    """The terms of one step's adjoints, and what becomes of them."""
    outputs, i = explanation.outputs, t - 1
    by_output, by_next = _at(layer.through_output, i), _at(layer.through_next[0], i)
    total = _at(layer.adjoint[0], i)
    rows: list[list[Cell]] = []
    if is_top and outputs.slope is not None:
        slope = _loss_formulas(outputs, t)[1] if outputs.target[i] else "no target here"
        rows.append([f"∂L/∂o_{t}", slope, vector(outputs.slope[i])])
    rows.append(_through_output(explanation, t, by_output, is_top=is_top))
    rows += _through_next(explanation, layer, t)
    added = f"{vector(by_output)} + {vector(by_next)}"
    readable = "norm" not in added and len(added) <= _ROOM
    rows.append([f"∂L/∂h_{t}", added if readable else "their sum", vector(total)])
    if len(layer.adjoint) > 1:
        rows.append([f"∂L/∂c_{t}", f"from c_{t + 1} and h_{t}", vector(_at(layer.adjoint[1], i))])
    delta = vector(_at(layer.delta, i))
    if layer.slope is None:
        rows.append([f"∂L/∂a_{t}", "slopes of the gates", delta])
    elif explanation.network.cell.name == "linear":
        rows.append([f"∂L/∂a_{t}", f"∂L/∂h_{t}, for φ′ = 1", delta])
    else:
        rows.append(
            [f"φ′(a_{t})", f"slope of {explanation.network.cell.name}", vector(layer.slope[i])]
        )
        rows.append([f"∂L/∂a_{t}", f"φ′(a_{t}) ∘ ∂L/∂h_{t}", delta])
    return rows


def _through_output(explanation: Explanation, t: int, value: Scaled, *, is_top: bool) -> list[Cell]:
    """The term that does not pass through time."""
    outputs = explanation.outputs
    if not is_top:
        return ["through above", f"Aᵀ ∂L/∂a_{t} of the layer above", vector(value)]
    if outputs.slope is not None:
        return [f"through o_{t}", f"Cᵀ ∂L/∂o_{t}", vector(value)]
    probe = f"the probe {_loss_formulas(outputs, t)[1]}"
    return ["through L", probe if outputs.target[t - 1] else "no target here", vector(value)]


def _through_next(explanation: Explanation, layer: LayerSteps, t: int) -> list[list[Cell]]:
    """The term that comes back through time, and what an edge takes from it."""
    value = vector(_at(layer.through_next[0], t - 1))
    if t == explanation.steps:
        return [[f"through h_{t + 1}", f"nothing comes after step {t}", value]]
    formula = f"Bᵀ ∂L/∂a_{t + 1}"
    if layer.slope is None:
        formula = f"the gates of step {t + 1}"
    lost = vector(_at(layer.uncut[0], t - 1))
    if explanation.edges is None:
        losses = explanation.cut_losses(t)
        if not losses:
            return [[f"through h_{t + 1}", formula, value]]
        without = ", ".join(f"L_{step}" for step in losses)
        missing = lost_of(_at(layer.uncut[0], t - 1), _at(layer.through_next[0], t - 1))
        # Later losses are lost before: their windows ended on the way here.
        whose = without if losses[-1] == explanation.last_target else f"{without} and later"
        return [
            [f"through h_{t + 1}", f"{formula}, ✂ {without} cut here", value],
            ["lost", f"of {whose}, uncut", vector(missing)],
        ]
    edge = float(explanation.edges[t])
    if edge == 1:
        return [[f"through h_{t + 1}", formula, value]]
    if edge != 0:
        return [[f"through h_{t + 1}", f"{edge:.4g} times {formula}", value]]
    return [
        [f"through h_{t + 1}", "✂ cut here", value],
        ["lost", f"{formula}, uncut", lost],
    ]


def _states(explanation: Explanation, layer: LayerSteps) -> list[tuple[str, Array]]:
    """The states of a layer under their names."""
    return list(zip(explanation.network.cell.states, layer.states, strict=True))


def _of_layer(explanation: Explanation, k: int) -> str:
    """Say which layer, where there are several."""
    return f", layer {k}" if len(explanation.layers) > 1 else ""


def _fed_letter(k: int) -> str:
    """Write x for the input, u for what a higher layer is fed."""
    return "x" if k == 0 else "u"


def _at(values: Scaled, index: int) -> Scaled:
    """One step of numbers whose exponents are (T, 1)."""
    return Scaled(values.mantissa[index], values.exponent[index])


def _in_two_lines(written: str) -> str:
    """Break a vector of several numbers in its middle."""
    numbers = written.split(" ")
    if not written.startswith("(") or len(numbers) < 3:
        return written
    half = (len(numbers) + 1) // 2
    return f"{' '.join(numbers[:half])}\n {' '.join(numbers[half:])}"


def _grid(title: str, note: str, headers: list[str], groups: list[list[list[Cell]]]) -> Grid:
    """Put groups of rows under each other."""
    rows = [row for group in groups for row in group]
    if not fits(headers, rows):
        rows = [[*row[:-1], _in_two_lines(str(row[-1]))] for row in rows]
    starts, at = [], 0
    for group in groups:
        starts.append(at)
        at += len(group)
    left = frozenset(range(len(headers)))
    return Grid(title, headers, rows, left, note=note, groups=frozenset(starts[1:]))
