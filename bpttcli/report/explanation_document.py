"""An explanation for a machine: every term at full precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from bpttcli.diagnostics.contribution_terms import lost_of
from bpttcli.diagnostics.explanation import Explanation, LayerSteps, Outputs, ParameterSum
from bpttcli.diagnostics.repeated_factor import RepeatedFactor
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled, norms
from bpttcli.report.numbers import figure, scaled
from bpttcli.report.report import rows_of

#: Terms of more numbers than this are given by their norms, and by the factors they are made of.
MOST_NUMBERS = 2**20


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """Turn an explanation into plain values.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    dict
        ``sequence`` (whose states and adjoints these are) of ``sequences``, ``edges`` (null where
        they differ by loss), ``cuts``, ``reached`` (the first step that each step's loss goes
        back to), ``clip_value``, ``clip_factor``; ``outputs``: a row a step; ``layers``: their
        ``start`` and ``timesteps``; ``parameters``: each with its ``terms``, their ``sum``, what
        clipping makes of it, the engine's ``gradient``, a finite difference of ``exact_sum``;
        ``repeated``: powers of B by lag. Entries of
        ``index`` count from 0.
    """
    network = explanation.network
    numbers = explanation.steps * sum(value.size for value in network.parameters.values())
    whole, clipped, edges = numbers <= MOST_NUMBERS, explanation.clipped, explanation.edges
    is_cut = edges is None or bool((edges != 1).any())
    return {
        "sequence": 1,
        "sequences": explanation.batch,
        "edges": None if edges is None else nested(edges),
        "cuts": explanation.cuts,
        "reached": [step or None for step in explanation.reached.tolist()],
        "clip_value": None if clipped is None else clipped.limits.value,
        "clip_factor": None if clipped is None else clipped.factor,
        "outputs": _outputs(explanation.outputs),
        "layers": [
            {"layer": k, **_layer(layer, network)} for k, layer in enumerate(explanation.layers)
        ],
        "parameters": {
            part.name: {
                "value": nested(network.parameters[part.name]) if whole else None,
                **_parameter(
                    part,
                    None if clipped is None else clipped.gradient[part.name],
                    whole=whole,
                    is_cut=is_cut,
                ),
            }
            for part in explanation.parameters
        },
        "repeated": _repeated(explanation.repeated),
    }


def nested(values: Any) -> Any:
    """An array as lists of numbers; None for what is not finite."""
    array = np.asarray(values, dtype=np.float64)
    if np.isfinite(array).all():
        return array.tolist()
    listed = array.astype(object)
    listed[~np.isfinite(array)] = None
    return listed.tolist()


def _outputs(outputs: Outputs) -> list[dict[str, Any]]:
    """The readout and the loss, a row a step."""
    steps = len(outputs.loss)
    nothing = [None] * steps
    return rows_of(
        {
            "t": list(range(1, steps + 1)),
            "target": outputs.target.tolist(),
            "loss": nested(outputs.loss),
            "y": _targets(outputs),
            "output": nothing if outputs.output is None else nested(outputs.output),
            "slope": nothing if outputs.slope is None else nested(outputs.slope),
        }
    )


def _targets(outputs: Outputs) -> list[Any]:
    """What was asked for; None where nothing was."""
    y: list[Any] = [None] * len(outputs.loss) if outputs.y is None else outputs.y.tolist()
    return [value if target else None for value, target in zip(y, outputs.target, strict=True)]


def _layer(layer: LayerSteps, network: Network) -> dict[str, Any]:
    """One layer, a row a step."""
    names = network.cell.states
    steps = len(layer.fed)
    nothing = [None] * steps
    columns: dict[str, list[Any]] = {
        "t": list(range(1, steps + 1)),
        "fed": nested(layer.fed),
        "preactivation": nothing if layer.preactivation is None else nested(layer.preactivation),
        "slope": nothing if layer.slope is None else nested(layer.slope),
        "through_output": nested(layer.through_output.value),
    }
    for name, gate in zip(network.cell.logistic, layer.gates, strict=True):
        columns[f"gate_{name}"] = nested(gate)
    for s, name in enumerate(names):
        columns |= {
            name: nested(layer.states[s][1:]),
            f"{name}_through_next": nested(layer.through_next[s].value),
            f"{name}_uncut": nested(layer.uncut[s].value),
            f"{name}_adjoint": nested(layer.adjoint[s].value),
            **scaled(f"{name}_adjoint_norm", _norms(layer.adjoint[s])),
        }
    columns |= {"delta": nested(layer.delta.value), "delta_recurrent": nested(layer.own.value)}
    start = {name: nested(state[0]) for name, state in zip(names, layer.states, strict=True)}
    return {"start": start, "timesteps": rows_of(columns)}


def _parameter(
    part: ParameterSum, clipped: Scaled | None, *, whole: bool, is_cut: bool
) -> dict[str, Any]:
    """One parameter: its terms, their sum, and what that is checked with."""
    terms = []
    for step in range(1, part.terms.steps + 1):
        term = part.terms.at(step)
        row = {"t": step, "value": nested(term.value) if whole else None, **_norm("norm", term)}
        if is_cut:
            lost = lost_of(part.exact.at(step), term)
            row |= {"lost": nested(lost.value) if whole else None, **_norm("lost_norm", lost)}
        terms.append(row)
    return {
        "terms": terms,
        "sum": nested(part.total.value),
        "clipped": None if clipped is None else nested(clipped.value),
        "exact_sum": nested(part.exact_total.value),
        "gradient": nested(part.gradient.value),
        "relative_error": figure(part.relative_error),
        "finite_difference": {
            "index": list(part.check.index),
            "value": figure(part.check.value),
        },
    }


def _norm(name: str, value: Scaled) -> dict[str, Any]:
    """A norm and its decimal logarithm."""
    with np.errstate(all="ignore"):
        found = value.norm()
        return {name: figure(found.value), f"{name}_log10": figure(found.log10)}


def _norms(rows: Scaled) -> Scaled:
    """Norms of (T, H) rows with exponents (T, 1)."""
    found = norms(rows.mantissa)
    return Scaled(found.mantissa, found.exponent + rows.exponent[:, 0])


def _repeated(repeated: RepeatedFactor) -> dict[str, Any]:
    """What is multiplied in again at every step, a row a lag."""
    values, count = repeated.eigenvalues, len(repeated.k)
    nothing = [None] * count
    columns: dict[str, list[Any]] = {
        "k": repeated.k.tolist(),
        "gradient": nested(repeated.gradient.value),
        **scaled("gradient_norm", repeated.norm),
        **scaled("factor", repeated.factor),
        "matrix": nothing,
    }
    if repeated.matrices is not None:
        columns["matrix"] = [nested(power.value) for power in repeated.matrices]
    for name in ("rho", "norm"):
        if repeated.powers is None:
            columns |= {f"{name}_k": nothing, f"{name}_k_log10": nothing}
        else:
            columns |= scaled(f"{name}_k", getattr(repeated.powers, name))
    return {
        "eigenvalues": None
        if values is None
        else [{"re": v.real, "im": v.imag, "abs": abs(v)} for v in values.tolist()],
        "powers": rows_of(columns),
    }
