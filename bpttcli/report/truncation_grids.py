"""The tables of a comparison of estimators, for a person to read in 80 columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bpttcli.diagnostics.clip_audit import ClipAudit
from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality
from bpttcli.diagnostics.lag_profile import LagProfile
from bpttcli.engine.scaled import Scaled
from bpttcli.report.numbers import figure, figures, scientific
from bpttcli.report.view import Cell, Grid

# The group whose gradient truncation changes most is shown besides all of them together.
_FEW = ("all", "B")


def quality_grid(estimators: Sequence[EstimatorQuality], *, everything: bool) -> Grid:
    """Tabulate how far estimators are from the exact gradient, a row an estimator and group.

    Parameters
    ----------
    estimators : sequence of EstimatorQuality
        Without the exact one.
    everything : bool
        Show A, C and the biases by themselves too.
    """
    rows: list[list[Cell]] = []
    for each in estimators:
        doubt = " ?" if each.variance == UNSETTLED else ""
        for group, quality in each.groups.items():
            if not everything and group not in _FEW and group in ("A", "C", "biases"):
                continue
            whole = group == "all"
            rows.append(
                [
                    each.label if whole else f"  {group}",
                    small(quality.relative_bias),
                    small(quality.relative_std, quality.relative_std_se) + doubt,
                    small(quality.relative_rmse),
                    small(quality.rmse_at_cost(each.cost)) if whole else "",
                    _cosine(quality.cosine),
                    small(quality.norm_ratio),
                ]
            )
    note = (
        "In units of its norm, all parameters together and B alone. at cost: the error once as "
        "many steps back as the exact gradient takes are spent on averaging; by it the rows "
        "are sorted."
    )
    if any(each.variance == UNSETTLED for each in estimators):
        note += " ?: a sampled std that no number of draws settles."
    headers = ["estimator", "bias", "std", "error", "at cost", "cosine", "norm"]
    return Grid(
        "How far each estimate is from the exact gradient", headers, rows, frozenset({0}), note
    )


def cost_grid(estimators: Sequence[EstimatorQuality]) -> Grid:
    """Tabulate what an estimate costs.

    Parameters
    ----------
    estimators : sequence of EstimatorQuality
        The exact one first.
    """
    rows: list[list[Cell]] = [
        [
            each.label,
            f"{each.edges_kept:.4g}",
            f"{each.cost:.1%}",
            f"{each.seconds:.2g}",
            _bytes(each.peak_bytes),
        ]
        for each in estimators
    ]
    note = (
        "back: steps that a loss goes back, on average; memory: the arrays that are kept at "
        "once; seconds: of one estimate, forward pass included."
    )
    headers = ["estimator", "back", "of full", "seconds", "memory"]
    return Grid("What an estimate costs", headers, rows, frozenset({0}), note)


def clip_grid(audits: Sequence[ClipAudit]) -> Grid:
    """Tabulate what clipping does, a row an estimator.

    Parameters
    ----------
    audits : sequence of ClipAudit
    """
    rows: list[list[Cell]] = [
        [
            each.label,
            str(each.estimates),
            f"{each.fired:.0%}",
            _magnitude(each.norm.mean(axis=0)),
            _magnitude(each.norm.max(axis=0)),
            _magnitude(each.clipped_norm.mean(axis=0)),
            _cosine(each.mean_cosine),
            small(each.relative_bias, each.relative_bias_se),
        ]
        for each in audits
    ]
    note = (
        "Of n gradients each. norm, largest: before clipping, mean and maximum; clipped: the mean "
        "after; cosine: to the gradient before; bias: of the clipped mean to the exact gradient."
    )
    headers = ["estimator", "n", "fired", "norm", "largest", "clipped", "cosine", "bias"]
    return Grid("What clipping does", headers, rows, frozenset({0}), note)


def steps_grid(estimators: Sequence[EstimatorQuality], chosen: Sequence[int]) -> Grid:
    """Tabulate which steps keep their gradient, a column a step.

    Parameters
    ----------
    estimators : sequence of EstimatorQuality
        The exact one first.
    chosen : sequence of int
        Indices of the steps.
    """
    exact = estimators[0].adjoint
    values, logs = figures(exact.value), figures(exact.log10)
    steps = len(values)
    headers = ["lag", *(str(steps - 1 - i) for i in chosen)]
    rows: list[list[Cell]] = [
        ["t", *(str(i + 1) for i in chosen)],
        ["‖g_t‖", *(scientific(values[i], logs[i], 0) for i in chosen)],
    ]
    for each in estimators[1:]:
        kept = figures(each.adjoint.log10)
        rows.append([each.label, *(_share(kept[i], logs[i]) for i in chosen)])
    return Grid(
        "Which steps keep their gradient: ‖E ĝ_t‖ over ‖g_t‖ under each estimator",
        headers,
        rows,
        frozenset({0}),
        groups=frozenset({2}),
    )


def lag_grid(profile: LagProfile, lags: Sequence[int]) -> Grid:
    """Tabulate how much crosses how many steps.

    Parameters
    ----------
    profile : LagProfile
    lags : sequence of int
        The lags to show.
    """
    groups = [group for group in ("all", "A", "B", "biases") if group in profile.norm]
    headers = ["lag k", *(f"‖w_k‖ {group}" for group in groups), "arrived", "bias beyond"]
    rows: list[list[Cell]] = [
        [
            str(k),
            *(small(float(profile.norm[group][k])) for group in groups),
            _percent(float(profile.share["all"][k])),
            small(float(profile.bias["all"][k])),
        ]
        for k in lags
    ]
    note = (
        "w_k is the part of the gradient that crosses exactly k steps, over the norm of all; "
        "what lies beyond lag k is what sliding(k + 1) cuts."
    )
    return Grid("The gradient by lag", headers, rows, note=note)


def small(value: float, se: float | None = None) -> str:
    """Write a relative figure in three digits, with its standard error where it has one.

    Examples
    --------
    >>> small(0.12345), small(1.5e-5), small(0.3, 0.0123), small(float("nan"))
    ('0.123', '1.50e-05', '0.3 ± 0.01', '–')
    """
    if not math.isfinite(value):
        return "–"
    written = f"{value:.3g}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"
    return f"{written} ± {se:.1g}" if se and math.isfinite(se) else written


def _magnitude(value: Scaled) -> str:
    """Write a norm, also one that float64 cannot hold."""
    number, log10 = figure(value.value), figure(value.log10)
    if number is None or not 1e-3 <= number < 1e4:
        return scientific(number, log10)
    return f"{number:.3g}"


def _cosine(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _percent(value: float) -> str:
    """Write a share that may pass 1 or fall below 0."""
    return f"{value:.1%}" if math.isfinite(value) else "–"


def _share(log: float | None, exact: float | None) -> str:
    """Write what an estimator keeps of a step's gradient."""
    if exact is None:
        return "–"
    if log is None:
        return "0"
    ratio = log - exact
    # Below one per cent a rounded share would look like nothing.
    return f"{10**ratio:.0%}" if -2 <= ratio < 4 else scientific(0.0, ratio, 0)


def _bytes(count: int) -> str:
    """Write an amount of memory."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"
