"""What a person reads of a spectrum."""

from __future__ import annotations

import math
from typing import Any

from bpttcli.report.character_plot import Curve, complex_plane, log_log
from bpttcli.report.numbers import scientific, short
from bpttcli.report.view import Bar, Cell, Grid, Picture, View, counted, describe_run

# Rows of a table that a person reads of each kind, unless all are asked for.
_FEW = 10
# Points of a curve that has a formula.
_RESOLUTION = 60


def spectrum_view(document: dict[str, Any], *, everything: bool = False) -> View:
    """Lay out the figures of a spectrum.

    Parameters
    ----------
    document : dict
        The JSON.
    everything : bool
        Show every row.

    Returns
    -------
    View
    """
    trajectory, rule = document["trajectory"], document["rule"]
    steepest = max(document["layers"], key=lambda layer: layer["spectral_radius"] or 0.0)
    sentences = [] if rule is None else [("Rule", rule["sentence"])]
    grids = [_blocks_grid(document["layers"]), _eigenvalues_grid(steepest, everything)]
    if steepest["powers"]:
        grids.append(_powers_grid(steepest, trajectory))
    if trajectory is not None:
        if trajectory["lyapunov"]:
            grids.append(_lyapunov_grid(trajectory, everything))
        if trajectory["jacobian"]:
            grids.append(_products_grid(trajectory, everything))
    return View(
        title=_title(document),
        headline=_headline(document, steepest),
        sentences=sentences,
        facts=_facts(document, steepest),
        grids=grids,
        pictures=_pictures(document, steepest),
    )


def name_of(layer: dict[str, Any]) -> str:
    """Name a recurrent matrix: its layer, and its gate if it has one."""
    gate = "" if layer["gate"] is None else f", gate {layer['gate']}"
    return f"layer {layer['layer']}{gate}"


def _title(document: dict[str, Any]) -> str:
    """Say what was examined."""
    if document["experiment"] is None:
        title = str(document["matrix"])
    else:
        ran = describe_run(document["experiment"])
        trajectory = document["trajectory"]
        steps = "" if trajectory is None else f" · {counted(len(trajectory['adjoint']), 'step')}"
        title = f"{ran}{steps}"
    leak = document["leak"]
    return title if leak is None else f"{title} · leak {leak:g}: (1−a)·1 + a·B"


def _headline(document: dict[str, Any], steepest: dict[str, Any]) -> tuple[str, str]:
    """Put ln ρ(B) beside the largest exponent, or the powers of B beside ρ."""
    rule, trajectory = document["rule"], document["trajectory"]
    if rule is not None:
        name = {True: "rule holds", False: "rule fails", None: "rule open"}[rule["holds"]]
        if rule["rate_holds"] is False:
            name = "direction only"
        if steepest["gate"] is not None:
            name = "no rule"
        exponent, error = trajectory["lyapunov"][0], trajectory["lyapunov_se"][0]
        bounds = "" if error is None else f" ± {error:.2g}"
        measured = "−∞" if exponent is None else f"{short(exponent)}{bounds}"
        log_radius = document["ln_spectral_radius"]
        compared = "" if log_radius is None else f"ln ρ(B) = {short(log_radius)}, "
        return name, f"{compared}largest Lyapunov exponent {measured} a step"
    growth = steepest["transient_growth"]
    if steepest["grows_without_end"]:
        says = "‖B^k‖ grows without end"
    elif growth is None:
        says = f"spectral norm {short(steepest['spectral_norm'])}"
    elif growth["k"] == 0:
        says = "no power of B is larger than the identity"
    else:
        size = scientific(growth["norm"], growth["norm_log10"])
        says = f"‖B^k‖ first grows to {size} at k = {growth['k']}"
    return f"ρ(B) = {short(steepest['spectral_radius'])}", says


def _facts(document: dict[str, Any], steepest: dict[str, Any]) -> list[tuple[str, str]]:
    """Name the figures that are single numbers."""
    whose = f"   ({name_of(steepest)}, the largest)" if len(document["layers"]) > 1 else ""
    facts = [
        ("spectral radius ρ(B)", short(steepest["spectral_radius"]) + whose),
        ("spectral norm σ₁(B)", short(steepest["spectral_norm"])),
    ]
    if steepest["residual"] is not None:
        facts.append(("residual", f"{short(steepest['residual'], 2)} (iterative)"))
    trajectory = document["trajectory"]
    if trajectory is None:
        return facts
    slope = "–"
    if trajectory["slope_mean"] is not None:
        slope = f"{short(trajectory['slope_mean'])} ± {short(trajectory['slope_spread'], 2)}"
    first, last = ((trajectory["adjoint"][i], trajectory["adjoint_log10"][i]) for i in (0, -1))
    facts += [
        ("gradient ‖g_t‖", f"{scientific(*first)} at step 1, {scientific(*last)} at the last"),
        ("slope φ′", f"{slope}   (mean and spread over units and steps)"),
        ("saturated units", f"{trajectory['saturated']:.1%}"),
    ]
    if trajectory["lyapunov"]:
        facts += [
            ("Kaplan-Yorke dimension", short(trajectory["kaplan_yorke_dimension"])),
            ("entropy rate", f"{short(trajectory['entropy_rate'])} nats a step"),
            ("transient left out", counted(trajectory["transient"], "step")),
        ]
    return facts


def _blocks_grid(layers: list[dict[str, Any]]) -> Grid:
    """Tabulate what each B says by itself."""
    rows: list[list[Cell]] = []
    for layer in layers:
        growth = layer["transient_growth"]
        peak = "no end" if layer["grows_without_end"] else "–"
        if growth is not None:
            bound = "≥ " if growth["is_bound"] else ""
            peak = f"{bound}{short(growth['norm'])} at {growth['k']}"
        # Where the powers grow without end, so does what bounds them.
        kreiss = "∞" if layer["grows_without_end"] else short(layer["kreiss_lower_bound"], 3)
        condition = "∞" if layer["defective"] else short(layer["eigenvector_condition"], 3)
        rows.append(
            [
                f"layer {layer['layer']} {layer['gate'] or ''}".rstrip(),
                short(layer["spectral_radius"]),
                short(layer["spectral_norm"]),
                short(layer["numerical_radius"]),
                short(layer["departure_relative"], 3),
                condition,
                kreiss,
                peak,
            ]
        )
    headers = ["B of", "ρ", "σ₁", "num. rad.", "departure", "cond V", "Kreiss ≥", "max ‖B^k‖"]
    return Grid("What B says", headers, rows, frozenset({0}))


def _eigenvalues_grid(layer: dict[str, Any], everything: bool) -> Grid:
    """Tabulate the largest eigenvalues, a pair in one row."""
    rows: list[list[Cell]] = []
    for value in layer["eigenvalues"]:
        if value["im"] is not None and value["im"] < 0:
            continue  # stands with its conjugate
        real, imaginary = short(value["re"], 6), short(value["im"], 6)
        written = real if value["im"] == 0 else f"{real} ± {imaginary}i"
        rows.append([written, short(value["abs"], 6)])
    shown = rows if everything else rows[:_FEW]
    of = f"Eigenvalues of B ({name_of(layer)}), {len(layer['eigenvalues'])} in all"
    return Grid(of, ["eigenvalue", "modulus"], shown)


def _powers_grid(layer: dict[str, Any], trajectory: dict[str, Any] | None) -> Grid:
    """Tabulate ρ^k beside ‖B^k‖, and beside the product of as many Jacobians."""
    products: dict[int, float | None] = {}
    if trajectory is not None:
        products = {row["lag"]: row["sigma_max_log10"] for row in trajectory["jacobian"]}
    headers = ["k", "ρ^k", "‖B^k‖"] + (["product"] if products else [])
    rows: list[list[Cell]] = []
    for power in layer["powers"]:
        k = power["k"]
        row: list[Cell] = [str(k)]
        row += [scientific(power[name], power[f"{name}_log10"]) for name in ("rho_k", "norm_k")]
        if products:
            row.append(_from_log10(products[k]) if k in products else "–")
        rows.append(row)
    with_products = ", and the largest of the product of the last k Jacobians" if products else ""
    return Grid(f"Powers of B ({name_of(layer)}){with_products}", headers, rows)


def _lyapunov_grid(trajectory: dict[str, Any], everything: bool) -> Grid:
    """Tabulate the exponents with what is known of their errors."""
    names = ("lyapunov", "lyapunov_se", "lyapunov_drift")
    count = len(trajectory["lyapunov"])
    shown = range(count) if everything or count <= _FEW else [*range(_FEW - 1), count - 1]
    rows: list[list[Cell]] = []
    for i in shown:
        exponent, error, drift = (trajectory[name][i] for name in names)
        value = "−∞" if exponent is None else f"{exponent:.5f}"
        rows.append([str(i + 1), value, short(error, 2), short(drift, 2)])
    title = "Lyapunov exponents (natural log per step)"
    return Grid(title, ["i", "λ_i", "± s.e.", "drift of halves"], rows)


def _products_grid(trajectory: dict[str, Any], everything: bool) -> Grid:
    """Tabulate the singular values of the product by lag."""
    table = trajectory["jacobian"]
    shown = list(range(len(table)))
    if not everything and len(table) > _FEW:
        shown = sorted({round(i * (len(table) - 1) / (_FEW - 1)) for i in range(_FEW)})
    logs = [table[i]["sigma_max_log10"] for i in shown]
    known = [log for log in logs if log is not None]
    high = max(known, default=0.0)
    span = max(high - min(known, default=0.0), 1.0) * 1.05
    names = ("sigma_max_log10", "sigma_median_log10", "sigma_min_log10")
    rows: list[list[Cell]] = []
    for i, log in zip(shown, logs, strict=True):
        row = table[i]
        bar = Bar(0.0 if log is None else 1.0 - (high - log) / span)
        rows.append([str(row["lag"]), *(_from_log10(row[name]) for name in names), bar])
    title = "Singular values of the Jacobian product ∂h_T/∂h_t by lag T − t"
    headers = ["lag", "largest", "median", "smallest", "log scale"]
    return Grid(title, headers, rows, frozenset({len(headers) - 1}))


def _from_log10(log10: float | None) -> str:
    """Write a magnitude of which only the logarithm is at hand; none is an exact zero."""
    return "0" if log10 is None else scientific(0.0, log10)


def _pictures(document: dict[str, Any], steepest: dict[str, Any]) -> list[Picture]:
    """Draw the eigenvalues on the plane, and what decays or grows with k."""
    values = [
        complex(value["re"], value["im"])
        for layer in document["layers"]
        for value in layer["eigenvalues"]
        if value["abs"] is not None
    ]
    title = "Eigenvalues of B: o one, 8 several; the unit circle: ."
    pictures = [Picture(title, complex_plane(values))]
    lines = log_log([Curve(mark, name, points) for mark, name, points in curves(document)])
    if lines:
        title = f"Growth over k steps, both scales logarithmic ({name_of(steepest)})"
        pictures.append(Picture(title, lines))
    return pictures


def curves(document: dict[str, Any]) -> list[tuple[str, str, list[tuple[float, float]]]]:
    """Collect what is drawn against k: mark, name, points (k, log10).

    Powers beyond the steps of the trajectory are left out where there is one.

    Parameters
    ----------
    document : dict
        The JSON.
    """
    steepest = max(document["layers"], key=lambda layer: layer["spectral_radius"] or 0.0)
    trajectory = document["trajectory"]
    products = _points([] if trajectory is None else trajectory["jacobian"], "lag", "sigma_max")
    longest = max((k for k, _ in products), default=math.inf)
    rho, norm = (
        [point for point in _points(steepest["powers"], "k", name) if point[0] <= longest]
        for name in ("rho_k", "norm_k")
    )
    if rho:
        last, log10 = rho[-1]
        steps = [last ** (i / _RESOLUTION) for i in range(_RESOLUTION + 1)]
        rho = [(k, k * log10 / last) for k in steps]
    return [(".", "ρ^k", rho), ("x", "Jacobian product", products), ("o", "‖B^k‖", norm)]


def _points(rows: list[dict[str, Any]], at: str, name: str) -> list[tuple[float, float]]:
    """Points that a logarithmic scale can show."""
    points = ((row[at], row[f"{name}_log10"]) for row in rows)
    return sorted((k, log10) for k, log10 in points if k >= 1 and log10 is not None)
