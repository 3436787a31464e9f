"""The report of ``grad-norms``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bpttcli._version import __version__
from bpttcli.diagnostics.gradient_norms import GradientNorms, LayerNorms, PerLayer
from bpttcli.report.clipping import clip_document, clip_fact
from bpttcli.report.numbers import figure, figures, scaled, scientific, short
from bpttcli.report.report import Columns, Report, Run, rows_of
from bpttcli.report.view import Bar, Cell, Grid, View, chosen_steps, counted, describe_estimate


class GradientNormsReport(Report):
    """Gradient norms made ready for printing.

    Parameters
    ----------
    result : GradientNorms
    run : Run
    every : int, optional
        Steps between the lags that a person is shown.
    everything : bool
        Show all steps.
    """

    def __init__(
        self,
        result: GradientNorms,
        run: Run,
        *,
        every: int | None = None,
        everything: bool = False,
    ) -> None:
        self._summary = _summary(result, run)
        self._layers = result.layers
        self._headline = _headline(result)
        self._gate = None if result.own_path is None else result.own_path.gate
        self._baseline_name = run.baseline_name
        self._weights = _weights(result)
        self._chosen = chosen_steps(result.steps, every=every, everything=everything)

    def document(self) -> dict[str, Any]:
        """The JSON of DESIGN: ``timesteps`` of the top layer, ``layers`` of each."""
        rows = [rows_of(timestep_columns(layer)) for layer in self._layers]
        layers = [{"layer": k, "timesteps": steps} for k, steps in enumerate(rows)]
        return {**self._summary, "timesteps": rows[-1], "layers": layers}

    def columns(self) -> Columns:
        """A row for every step of every layer."""
        each = [timestep_columns(layer) for layer in self._layers]
        whole: Columns = {"layer": []} | {name: [] for name in each[0]}
        for k, columns in enumerate(each):
            whole["layer"] += [k] * len(columns["t"])
            for name, values in columns.items():
                whole[name] += values
        return whole

    def view(self) -> View:
        """The verdict, the network's figures, a choice of steps, the parameters."""
        top, verdict = self._layers[-1], self._summary["verdict"]
        ran = describe_estimate(self._summary["experiment"])
        return View(
            title=f"{ran} · {counted(len(top.saturated), 'step')}",
            headline=(verdict["name"], self._headline),
            sentences=[("Why", verdict["cause"]), ("Advice", verdict["advice"])],
            facts=_facts(self._summary, top, self._baseline_name, self._gate, self._weights),
            grids=[
                _steps_grid(self._layers, self._chosen, self._gate),
                _parameters_grid(self._summary),
            ],
        )


def _summary(result: GradientNorms, run: Run) -> dict[str, Any]:
    """Everything but the steps, under the keys of the JSON."""
    reach = result.reach
    return {
        "command": "grad-norms",
        "version": __version__,
        "experiment": run.experiment,
        "loss": figure(result.loss),
        "baseline": run.baseline,
        "warnings": [*run.warnings, *result.warnings],
        "verdict": {
            "name": result.verdict.name,
            "cause": result.verdict.cause,
            "advice": result.verdict.advice,
            "zero_beyond_lag": result.verdict.zero_beyond_lag,
        },
        "growth_per_step": _optional(reach.growth_per_step),
        "half_life": _optional(reach.half_life),
        "horizon": reach.horizon,
        "horizon_is_bound": reach.horizon_is_bound,
        "spectral_radius": [by_gate(value) for value in result.spectral_radius],
        "spectral_norm": [by_gate(value) for value in result.spectral_norm],
        "carry": None if result.own_path is None else figure(result.own_path.carry),
        "gate_half_life": None if result.own_path is None else result.own_path.half_life,
        "clip": None if result.clipped is None else clip_document(result.clipped),
        "parameters": {
            name: {"norm": figure(norm.value), "norm_log10": figure(norm.log10)}
            for name, norm in result.parameters.items()
        },
    }


def timestep_columns(layer: LayerNorms, chosen: Sequence[int] | None = None) -> Columns:
    """The figures of one layer's steps, a list a column, from t = 1 to T or at some indices."""
    steps = len(layer.saturated)
    those = slice(None) if chosen is None else np.asarray(chosen)
    t = np.arange(1, steps + 1)[those]
    columns: Columns = {"t": t.tolist(), "lag": (steps - t).tolist()}
    norms = ("hidden", "hidden_min", "hidden_max", "cell", "propagated", "cell_propagated")
    for name in (*norms, "A", "B", "C"):
        value = getattr(layer, name)
        if value is None and name in norms:
            continue
        if value is None:
            columns |= {name: [None] * len(t), f"{name}_log10": [None] * len(t)}
        else:
            columns |= scaled(name, value[those])
    columns["saturated"] = figures(layer.saturated[those])
    for gate, mean in layer.gates.items():
        columns[f"gate_{gate}"] = figures(mean[those])
        columns[f"gate_{gate}_saturated"] = figures(layer.gates_saturated[gate][those])
    return columns if layer.carried is None else columns | scaled("carried", layer.carried[those])


def _optional(value: float | None) -> float | None:
    """A figure, where there is one."""
    return None if value is None else figure(value)


def _weights(result: GradientNorms) -> str:
    """Say what an estimator's weights add to the growth; empty if nothing."""
    passage = result.passage
    if passage is None or not passage.weighs:
        return ""
    share = "" if passage.growth is None else f"{passage.growth:.4g} of it "
    return f"{share}the weights of {passage.label}"


def _headline(result: GradientNorms) -> str:
    """Compare the gradient at the first step with the one at the loss."""
    reach, last_target = result.reach, result.adjoints.last_target
    if result.verdict.zero_beyond_lag is not None:
        top, lag = result.layers[-1], result.verdict.zero_beyond_lag
        # Of several losses the others still say something to the steps before.
        whose = "" if top.propagated is top.hidden else " of the last loss"
        return f"the gradient{whose} is exactly zero beyond lag {lag}: cut, not decayed"
    if reach.horizon is None:
        return "there is no gradient to follow"
    ratio = scientific(0.0, reach.log10_ratio)
    last = int(last_target.max())
    if (last_target != last).any():
        lag = last - 1
        return f"{lag} steps before the last target the gradient is {ratio} times what it is there"
    return f"at step 1 the gradient is {ratio} times what it is at step {last}"


def _facts(
    document: dict[str, Any],
    top: LayerNorms,
    baseline_name: str | None,
    gate: str | None,
    weights: str,
) -> list[tuple[str, str]]:
    """Name the network's figures."""
    loss = short(document["loss"])
    if document["baseline"] is not None:
        guess = f", {baseline_name}" if baseline_name else ""
        loss += f"   (baseline {short(document['baseline'])}{guess})"
    growth, of_it = short(document["growth_per_step"]), []
    if document["half_life"] is not None:
        of_it.append(f"half-life {short(document['half_life'])} steps")
    if weights:
        of_it.append(weights)
    if of_it:
        growth += f"   ({', '.join(of_it)})"
    epsilon = document["experiment"]["report"]["epsilon"]
    horizon = "–"
    if document["horizon"] is not None:
        bound = "at least " if document["horizon_is_bound"] else ""
        horizon = f"{bound}{counted(document['horizon'], 'step')} back, "
        if document["horizon"] == document["verdict"]["zero_beyond_lag"]:
            horizon += "and beyond it nothing"
        else:
            horizon += f"{epsilon:.4g} of the gradient is left"
    saturated = top.saturated[np.isfinite(top.saturated)]
    share = float(saturated.mean()) if len(saturated) else None
    facts = [("loss", loss), ("growth per step back", growth), ("horizon", horizon)]
    if gate is not None:
        kept = f"gate {gate} keeps {short(document['carry'])} a step"
        if document["gate_half_life"] is not None:
            kept += f"   (half-life {short(document['gate_half_life'])} steps)"
        facts.append(("own path", kept))
    if document["clip"] is not None:
        facts.append(("gradient norm", clip_fact(document["clip"])))
    return [
        *facts,
        ("spectral radius ρ(B)", by_layer(document["spectral_radius"])),
        ("spectral norm σ₁(B)", by_layer(document["spectral_norm"])),
        (
            "saturated units" if gate is None else "saturated gates",
            "–" if share is None else f"{share:.1%}",
        ),
    ]


def by_gate(value: PerLayer) -> Any:
    """A figure, or one for each gate."""
    if isinstance(value, dict):
        return {gate: figure(number) for gate, number in value.items()}
    return figure(value)


def by_layer(values: list[Any]) -> str:
    """Write one value a layer, or one for each of its gates."""
    written = [
        " ".join(f"{gate} {short(number)}" for gate, number in value.items())
        if isinstance(value, dict)
        else short(value)
        for value in values
    ]
    if len(written) == 1:
        return written[0]
    return ", ".join(f"{text} (layer {k})" for k, text in enumerate(written))


def _steps_grid(norms: Sequence[LayerNorms], chosen: list[int], gate: str | None) -> Grid:
    """Tabulate the chosen steps of the top layer, and the adjoints of those below.

    Of a gated cell the way back comes first, since a narrow terminal shows the first columns.
    """
    layers = [timestep_columns(layer, chosen) for layer in norms]
    top, hidden, propagated = layers[-1], norms[-1].hidden, norms[-1].propagated
    size = {name: _sizes(top, name) for name in ("hidden", "cell", "propagated", *"ABC")}
    columns = {"‖g_t‖": size["hidden"]}
    if "cell" in top:
        columns["‖∂ℓ/∂c‖"] = size["cell"]
    if not np.array_equal(propagated.value, hidden.value, equal_nan=True):
        columns["‖p_t‖"] = size["propagated"]
    contributions = {name: size[name] for name in "ABC"}
    lower = {f"layer {k}": _sizes(layer, "hidden") for k, layer in enumerate(layers[:-1])}
    saturated = {"sat.": [_percent(share) for share in top["saturated"]]}
    if gate is None:
        columns |= contributions | lower | saturated
    else:
        columns[gate] = ["–" if mean is None else f"{mean:.3f}" for mean in top[f"gate_{gate}"]]
        columns["own"] = _own_share(top)
        columns |= saturated | contributions | lower
    bars = _bars(top["propagated_log10"])
    numbered = zip(map(str, top["t"]), map(str, top["lag"]), strict=True)
    rows: list[list[Cell]] = [
        [*place, *cells, bar]
        for place, cells, bar in zip(
            numbered, zip(*columns.values(), strict=True), bars, strict=True
        )
    ]
    headers = ["t", "lag", *columns, "log scale"]
    title = "Gradient by time step: the adjoint, and what each step adds to A, B and C"
    return Grid(title, headers, rows, frozenset({len(headers) - 1}))


def _sizes(layer: dict[str, list[Any]], name: str) -> list[str]:
    """Write a column of norms; none where the layer has none."""
    if name not in layer:
        return []
    return [scientific(*pair) for pair in zip(layer[name], layer[f"{name}_log10"], strict=True)]


def _own_share(top: dict[str, list[Any]]) -> list[str]:
    """Write how much of the propagated adjoint the cell's own path alone would deliver."""
    whole = top.get("cell_propagated_log10", top["propagated_log10"])
    return [
        "–" if log is None else "0%" if own is None else f"{10 ** min(own - log, 9):.0%}"
        for own, log in zip(top["carried_log10"], whole, strict=True)
    ]


def _percent(share: float | None) -> str:
    """Write a share."""
    return "–" if share is None else f"{share:.0%}"


def _bars(logs: list[float | None]) -> list[Bar]:
    """Draw decimal logarithms as bars, from the smallest to the largest of them."""
    known = [log for log in logs if log is not None]
    if not known:
        return [Bar(0.0) for _ in logs]
    high = max(known)
    # A gradient that hardly changes must not look as if it did.
    span = max(high - min(known), 1.0) * 1.05
    return [Bar(0.0 if log is None else 1.0 - (high - log) / span) for log in logs]


def _parameters_grid(document: dict[str, Any]) -> Grid:
    """Tabulate ‖∂L/∂θ‖."""
    rows: list[list[Cell]] = [
        [name, scientific(entry["norm"], entry["norm_log10"], 4)]
        for name, entry in document["parameters"].items()
    ]
    title = "Gradient of the loss by parameter"
    if document["clip"] is not None and document["clip"]["fired"]:
        title += ", after clipping"
    return Grid(title, ["parameter", "‖∂L/∂θ‖"], rows, frozenset({0}))
