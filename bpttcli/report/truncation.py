"""The report of ``compare-truncation``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpttcli._version import __version__
from bpttcli.diagnostics.clip_audit import ClipAudit
from bpttcli.diagnostics.compare_truncation import Comparison
from bpttcli.diagnostics.estimator_quality import EstimatorQuality
from bpttcli.diagnostics.gradient_norms import PerLayer
from bpttcli.diagnostics.target_bias import TargetBias
from bpttcli.engine.scaled import Scaled
from bpttcli.report.gradient_norms import by_gate, by_layer
from bpttcli.report.numbers import figure, figures, scaled, short
from bpttcli.report.report import Columns, Report, Run, rows_of
from bpttcli.report.truncation_grids import (
    clip_grid,
    cost_grid,
    lag_grid,
    quality_grid,
    steps_grid,
)
from bpttcli.report.truncation_summary import summary, target_facts
from bpttcli.report.view import View, chosen_steps, counted, describe_run

_QUALITY = ("relative_bias", "relative_std", "relative_rmse", "cosine", "norm_ratio")


class TruncationReport(Report):
    """Estimators side by side, made ready for printing.

    Parameters
    ----------
    result : Comparison
    run : Run
    target : TargetBias, optional
        Where one was asked for.
    audits : sequence of ClipAudit
        Where limits were given.
    spectral_radius : tuple
        ρ(B), an entry a layer, for a gated cell {gate: number}.
    every : int, optional
        Steps between the lags that a person is shown.
    everything : bool
        Show all steps, lags and groups.
    """

    def __init__(
        self,
        result: Comparison,
        run: Run,
        spectral_radius: tuple[PerLayer, ...],
        *,
        target: TargetBias | None = None,
        audits: Sequence[ClipAudit] = (),
        every: int | None = None,
        everything: bool = False,
    ) -> None:
        self._result, self._run = result, run
        self._target, self._audits = target, audits
        self._radius = [by_gate(value) for value in spectral_radius]
        self._exact = result.estimators[0]
        self._rows = [row for each in result.estimators for row in _rows(each)]
        steps = len(self._exact.adjoint.mantissa)
        self._chosen = chosen_steps(steps, every=every, everything=everything)
        if every is None and not everything:
            self._chosen = _few_steps(steps)
        self._everything = everything
        self._says = summary(result, None if target is None else target.target)

    def document(self) -> dict[str, Any]:
        """The JSON of DESIGN, the sentence and the lag profile besides."""
        result = self._result
        adjoints = {each.label: scaled("adjoint", each.adjoint) for each in result.estimators}
        return {
            "command": "compare-truncation",
            "version": __version__,
            "experiment": self._run.experiment,
            "loss": figure(result.loss),
            "baseline": self._run.baseline,
            "warnings": [*self._run.warnings, *result.warnings],
            "summary": self._says,
            "spectral_radius": self._radius,
            **adjoints[self._exact.label],
            "estimators": [{**row, **adjoints[row["estimator"]]} for row in self._rows],
            "lag_profile": rows_of(self._profile()),
            "target": None if self._target is None else _target(self._target),
            "clip": [_audit(each) for each in self._audits] if self._audits else None,
        }

    def columns(self) -> Columns:
        """A row for every group of parameters of every estimator."""
        names = list(self._rows[0])
        whole: Columns = {name: [row[name] for row in self._rows] for name in names}
        whole["exact"] = [" ".join(names) for names in whole["exact"]]
        return whole

    def view(self) -> View:
        """The sentence that matters, what each estimator costs, what it keeps of each step."""
        estimators, profile = self._result.estimators, self._result.profile
        steps, others = len(self._exact.adjoint.mantissa), len(estimators) - 1
        against = f"{counted(others, 'estimator')} against the exact gradient of the same batch"
        lags: Sequence[int] = range(profile.lags)
        if not self._everything:
            lags = sorted({profile.lags - 1 - i for i in chosen_steps(profile.lags)})
        return View(
            title=f"{describe_run(self._run.experiment)} · {counted(steps, 'step')}",
            headline=("compare", against),
            sentences=[("Says", says) for says in self._says],
            facts=self._facts(),
            grids=[
                quality_grid(estimators[1:], everything=self._everything),
                cost_grid(estimators),
                *([clip_grid(self._audits)] if self._audits else []),
                steps_grid(estimators, self._chosen),
                lag_grid(profile, lags),
            ],
        )

    def _facts(self) -> list[tuple[str, str]]:
        """Name the figures of the exact gradient, and which of the others are sampled."""
        drawn = [each for each in self._result.estimators if each.draws]
        sampled = "nothing: every figure is exact"
        if drawn:
            labels = ", ".join(each.label for each in drawn)
            sampled = f"std of {labels}: {drawn[0].draws} draws; all else is exact"
        return [
            ("loss", short(figure(self._result.loss))),
            ("spectral radius ρ(B)", by_layer(self._radius)),
            ("sampled", sampled),
            *([] if self._target is None else target_facts(self._target)),
        ]

    def _profile(self) -> Columns:
        """The lag profile as columns."""
        profile = self._result.profile
        columns: Columns = {"lag": list(range(profile.lags))}
        for group in profile.norm:
            columns[f"{group}_norm"] = figures(profile.norm[group])
            columns[f"{group}_share"] = figures(profile.share[group])
            columns[f"{group}_bias"] = figures(profile.bias[group])
        return columns | scaled("adjoint", profile.adjoint)


def _rows(each: EstimatorQuality) -> list[dict[str, Any]]:
    """An estimator's figures, a row a group."""
    rows = []
    for group, quality in each.groups.items():
        row: dict[str, Any] = {"estimator": each.label, "parameter": group}
        row |= {name: figure(getattr(quality, name)) for name in _QUALITY}
        row |= {f"{name}_se": None for name in _QUALITY}
        for name in ("relative_std", "relative_rmse"):
            se = getattr(quality, f"{name}_se")
            row[f"{name}_se"] = None if se is None else figure(se)
        rows.append(
            row
            | {
                "exact": list(each.exact),
                "variance": each.variance,
                "rmse_at_equal_cost": figure(quality.rmse_at_cost(each.cost)),
                "edges_kept": figure(each.edges_kept),
                "cost": figure(each.cost),
                "seconds": each.seconds,
                "peak_bytes": each.peak_bytes,
                "draws": each.draws,
            }
        )
    return rows


def _target(target: TargetBias) -> dict[str, Any]:
    """What is within the error that was asked for, for machines."""
    apriori = target.apriori
    return {
        "target_bias": target.target,
        "sliding": target.sliding,
        "sliding_from": target.sliding_from,
        "sliding_bias": target.sliding_bias,
        "fixed": target.fixed,
        "fixed_bias": target.fixed_bias,
        "probability": target.probability,
        "probability_exact": not target.sampled,
        "apriori_sliding": target.apriori_length,
        "apriori_decay": figure(apriori.decay),
        "apriori_gain": figure(apriori.gain),
    }


def _audit(each: ClipAudit) -> dict[str, Any]:
    """What clipping does to one estimator, for machines."""
    row: dict[str, Any] = {
        "estimator": each.label,
        "estimates": each.estimates,
        "fired": each.fired,
        "relative_bias": figure(each.relative_bias),
        "relative_bias_se": None
        if each.relative_bias_se is None
        else figure(each.relative_bias_se),
    }
    for name in ("norm", "clipped_norm"):
        norm: Scaled = getattr(each, name)
        for how, value in (("mean", norm.mean(axis=0)), ("max", norm.max(axis=0))):
            row[f"{name}_{how}"] = figure(value.value)
            row[f"{name}_{how}_log10"] = figure(value.log10)
    row["cosine_mean"] = figure(each.mean_cosine)
    row["cosine_min"] = figure(each.least_cosine)
    return row


def _few_steps(steps: int) -> list[int]:
    """Choose eight steps at most, from the last to the first, their lags a few times apart."""
    last = steps - 1
    spread = {round(last ** (i / 6)) for i in range(7)} if last > 6 else set(range(last + 1))
    return [last - lag for lag in sorted({0, last, *spread} & set(range(steps)))]
