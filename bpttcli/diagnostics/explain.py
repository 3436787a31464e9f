"""Taking a run apart into the terms of its chain rule, with the engine's own sweep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.contribution_terms import Terms, relative_difference
from bpttcli.diagnostics.explanation import Explanation, LayerSteps, Outputs, ParameterSum
from bpttcli.diagnostics.finite_difference import finite_difference
from bpttcli.diagnostics.passage import share_passed
from bpttcli.diagnostics.repeated_factor import repeated_factor
from bpttcli.diagnostics.step_sweep import LayerParts, step_sources, sweep_by_step, whole_window
from bpttcli.engine.backpropagate import Adjoints
from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.edges import Edges, into_rows
from bpttcli.engine.losses import CrossEntropy, Objective, Source, SquaredError
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array, Scaled, near_one
from bpttcli.engine.unroll import Input, Trajectory, Window, feed
from bpttcli.truncation.clipping import Clipped

# Rows of the sweep: through the edges given, added up, through all, the last target step alone.
_SHOWN, _EXACT, _LAST = range(3)


def explain(
    trajectory: Trajectory,
    objective: Objective,
    adjoints: Adjoints,
    *,
    clipped: Clipped | None = None,
    progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Take a run apart into the terms of its chain rule.

    The terms come from the engine's own sweep, made through one step at a time; their sums
    are compared with the gradient that the engine had made of all steps at once.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    adjoints : Adjoints
        Of that trajectory and objective (`backpropagate`), by whatever edges.
    clipped : Clipped, optional
        Their gradient within its limits.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    Explanation
    """
    network, whole = trajectory.network, whole_window(trajectory)
    sources = step_sources(objective.source, network, whole)
    last = adjoints.last_target
    edges, steps = adjoints.edges, trajectory.steps
    rows = 1 if edges is None else edges.rows
    passed = np.ones((steps, rows + 2))
    if edges is not None:
        passed[:, :rows] = edges.passing(0, steps)
    said = [_rows_of(source, t, last == t + 1, edges) for t, source in enumerate(sources)]
    share = (lambda done: None) if progress is None else progress
    parts = sweep_by_step(
        network, whole, said, passed, (rows, 1, 1), lambda done: share(0.8 * done)
    )
    outputs = _outputs(network, whole, objective, sources)
    # The layer above says through Aᵀ δ_t what at the top the loss says.
    top = _stacked_or_zero([s.hidden for s in sources], parts[-1].adjoint[0].mantissa[:, 0].shape)
    from_above = [_below(parts[k], network.layers[k].A) for k in range(1, len(parts))]
    from_above.append(_as_rows(top))
    layers = tuple(
        _layer_steps(trajectory, whole, k, part, from_above[k]) for k, part in enumerate(parts)
    )
    slopes = None
    if network.C is not None:
        width = (trajectory.steps, trajectory.batch, len(network.C))
        slopes = _stacked_or_zero([s.output for s in sources], width)
    shown = _terms(trajectory, whole, parts, slopes, _SHOWN)
    exact = shown if edges is None else _terms(trajectory, whole, parts, slopes, _EXACT)
    sums = []
    for name, terms in shown.items():
        sums.append(_sum(trajectory, objective, name, terms, exact[name], adjoints.gradient[name]))
        share(0.8 + 0.2 * len(sums) / len(shown))
    tau, alone = int(last[0]), parts[-1].adjoint[0]
    repeated = repeated_factor(
        network.cell,
        network.layers[-1].B,
        _first_sequence(whole.tapes[-1], tau),
        Scaled(alone.mantissa[:tau, _LAST, 0], alone.exponent[:tau, _LAST, 0]),
    )
    symbols = trajectory.x[:, 0] if trajectory.x.ndim == 2 else None
    return Explanation(
        network,
        trajectory.batch,
        symbols,
        tau,
        passed[:, 0] if rows == 1 else None,
        _reached(edges, outputs.target),
        clipped,
        outputs,
        layers,
        tuple(sums),
        repeated,
    )


def _rows_of(
    source: Source, index: int, is_last: NDArray[np.bool_], edges: Edges | None
) -> Array | None:
    """What the loss says to h_t in each row of the sweep: the edges' rows, all, τ's alone."""
    if source.hidden is None:
        return None
    said = source.hidden[0]
    shown = said[None]
    if edges is not None:
        weights = edges.entering(index, index + 1)
        entering = into_rows(source.hidden, weights, edges.rows)
        shown = shown if entering is None else entering[0]
    return np.concatenate([shown, np.stack([said, np.where(is_last[:, None], said, 0.0)])])


def _reached(edges: Edges | None, target: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first step that each step's loss reaches; 0 where there is none."""
    reached = np.where(target, 1, 0)
    if edges is not None:
        for t in np.flatnonzero(target):
            reached[t] = t + 2 - len(share_passed(edges, int(t) + 1))
    return reached


def _outputs(
    network: Network, whole: Window, objective: Objective, sources: list[Source]
) -> Outputs:
    """The readout and the loss of sequence 1."""
    output = slope = None
    if network.C is not None:
        h = whole.tapes[-1].states[0][1:, 0]
        with np.errstate(all="ignore"):
            output = np.dot(h, network.C.T)
            if network.c is not None:
                output += network.c
        if any(source.output is not None for source in sources):
            slope = _stacked_or_zero([s.output for s in sources], (len(h), 1, len(network.C)))[:, 0]
    loss = np.array([source.loss[0] for source in sources])
    y = None
    if isinstance(objective, CrossEntropy | SquaredError):
        y = np.zeros((len(loss), *objective.y.shape[2:]), dtype=objective.y.dtype)
        y[len(y) - len(objective.y) :] = objective.y[:, 0]
    return Outputs(objective.weights[:, 0] > 0, loss, output, slope, y)


def _stacked_or_zero(found: list[Array | None], shape: tuple[int, ...]) -> Array:
    """Steps (1, N, …) in a row, zeros where there is nothing: (T, N, …)."""
    nothing = np.zeros((1, *shape[1:]))
    return np.concatenate([nothing if one is None else one[:, : shape[1]] for one in found])


def _below(part: LayerParts, A: Array) -> Scaled:
    """Aᵀ δ_t, which a layer says to the one below it (T, N, I)."""
    with np.errstate(all="ignore"):
        delta = near_one(part.delta.mantissa[:, _SHOWN])
        exponent = part.delta.exponent[:, _SHOWN] + delta.exponent
        return Scaled(np.dot(delta.mantissa, A), exponent)


def _layer_steps(
    trajectory: Trajectory, whole: Window, k: int, part: LayerParts, above: Scaled
) -> LayerSteps:
    """Read sequence 1 off the sweep of one layer."""
    network, tape = trajectory.network, whole.tapes[k]
    fed = trajectory.layer_input(whole, k)[:, :1]
    states = tuple(state[:, 0] for state in tape.states)
    is_elman = len(network.cell.gates) == 1
    return LayerSteps(
        _dense(fed, network.layers[k].A.shape[1])[:, 0],
        _preactivation(network, k, fed, states[0]) if is_elman else None,
        states,
        tuple(gate[:, 0] for gate in tape.gates),
        tape.slopes[0][:, 0] if is_elman else None,
        Scaled(above.mantissa[:, 0], above.exponent[:, 0]),
        tuple(_row(value, _SHOWN) for value in part.arriving),
        tuple(_row(value, _EXACT) for value in part.arriving),
        tuple(_row(value, _SHOWN) for value in part.adjoint),
        _row(part.delta, _SHOWN),
        _row(part.own, _SHOWN),
    )


def _as_rows(value: Array) -> Scaled:
    """Plain numbers (T, N, H) with an exponent for each row, (T, N, 1)."""
    return Scaled(value, np.zeros((*value.shape[:2], 1), dtype=np.int64))


def _row(value: Scaled, row: int) -> Scaled:
    """Sequence 1 of one row: (T, H), with exponents (T, 1)."""
    return Scaled(value.mantissa[:, row, 0], value.exponent[:, row, 0])


def _dense(fed: Input, n_inputs: int) -> Array:
    """What was fed, symbols as the one-hot vectors that they stand for."""
    return np.eye(n_inputs)[fed] if fed.ndim == 2 else fed


def _preactivation(network: Network, k: int, fed: Input, h: Array) -> Array:
    """a_t of sequence 1, which the tape does not keep."""
    layer = network.layers[k]
    bias = network.cell.drive_bias(layer)
    with np.errstate(all="ignore"):
        drive = feed(fed, layer.A)[:, 0] + (0.0 if bias is None else bias)
        return np.asarray(drive + np.dot(h[:-1], layer.B.T))


def _terms(
    trajectory: Trajectory,
    whole: Window,
    parts: tuple[LayerParts, ...],
    slopes: Array | None,
    row: int,
) -> dict[str, Terms]:
    """The terms of every parameter that the network has, in one row of the sweep."""
    network = trajectory.network
    found: dict[str, Terms] = {}
    if slopes is not None:
        s, top = _as_rows(slopes), whole.tapes[-1].states[0][1:]
        found["readout.weight"] = Terms(s, top, top.shape[2])
        found["readout.bias"] = Terms(s)
    for k in reversed(range(len(parts))):
        part, layer = parts[k], network.layers[k]
        delta, own = (
            Scaled(d.mantissa[:, row], d.exponent[:, row]) for d in (part.delta, part.own)
        )
        before = whole.tapes[k].states[0][:-1]
        fed = trajectory.layer_input(whole, k)
        found[f"weight_ih_l{k}"] = Terms(delta, fed, layer.A.shape[1])
        found[f"weight_hh_l{k}"] = Terms(own, before, layer.hidden)
        found[f"bias_ih_l{k}"] = Terms(delta)
        found[f"bias_hh_l{k}"] = Terms(own)
    return {name: terms for name, terms in found.items() if name in network.parameters}


def _sum(
    trajectory: Trajectory,
    objective: Objective,
    name: str,
    terms: Terms,
    exact: Terms,
    gradient: Scaled,
) -> ParameterSum:
    """Add the terms up, check their sum, and the exact one by a finite difference."""
    with np.errstate(all="ignore"):
        total = terms.total()
        exact_total = total if exact is terms else exact.total()
        level = gradient.aligned()
        error = relative_difference(total, level)
        size = np.abs(level.mantissa if exact is terms else exact_total.mantissa)
        # Where the gradient is undefined, any entry shows it.
        flat = int(np.argmax(np.where(np.isnan(size), -1.0, size)))
    index = tuple(int(i) for i in np.unravel_index(flat, size.shape))
    check = finite_difference(trajectory, objective, name, index)
    return ParameterSum(name, terms, exact, total, exact_total, gradient, error, check)


def _first_sequence(tape: Tape, steps: int) -> Tape:
    """Cut out the first steps of sequence 1."""
    return Tape(
        tuple(state[: steps + 1, :1] for state in tape.states),
        tuple(slope[:steps, :1] for slope in tape.slopes),
        tuple(gate[:steps, :1] for gate in tape.gates),
    )
