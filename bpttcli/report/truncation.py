"""The report of ``compare-truncation``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bpttcli._version import __version__
from bpttcli.diagnostics.clip_audit import ClipAudit
from bpttcli.diagnostics.compare_truncation import Comparison
from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality, Quality
from bpttcli.diagnostics.gradient_norms import PerLayer
from bpttcli.diagnostics.target_bias import TargetBias
from bpttcli.engine.scaled import Scaled
from bpttcli.report.gradient_norms import by_gate, by_layer
from bpttcli.report.numbers import figure, figures, scaled, scientific, short
from bpttcli.report.report import Columns, Report, Run, rows_of
from bpttcli.report.view import Cell, Grid, View, chosen_steps, counted, describe_run

_QUALITY = ("relative_bias", "relative_std", "relative_rmse", "cosine", "norm_ratio")
# The error within which an estimate is called good enough where nobody says otherwise.
_GOOD_ENOUGH = 0.1


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
            self._chosen = _few(steps)
        self._everything = everything

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
            "summary": self._sentences(),
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
        steps = len(self._exact.adjoint.mantissa)
        sentences = [("Says", says) for says in self._sentences()]
        return View(
            title=f"{describe_run(self._run.experiment)} · {counted(steps, 'step')}",
            headline=("compare", self._headline()),
            sentences=sentences,
            facts=self._facts(),
            grids=[
                self._quality_grid(),
                *([_clip_grid(self._audits)] if self._audits else []),
                self._steps_grid(),
                self._lag_grid(),
            ],
        )

    def _headline(self) -> str:
        others = len(self._result.estimators) - 1
        return f"{counted(others, 'estimator')} against the exact gradient of the same batch"

    def _facts(self) -> list[tuple[str, str]]:
        """Name the figures of the exact gradient."""
        exact = self._exact
        drawn = sorted({each.draws for each in self._result.estimators if each.draws})
        sampled = ", ".join(each.label for each in self._result.estimators if each.draws)
        facts = [
            ("loss", short(figure(self._result.loss))),
            ("spectral radius ρ(B)", by_layer(self._radius)),
            ("exact gradient", f"{exact.seconds:.2g} s, {_bytes(exact.peak_bytes)}"),
        ]
        if drawn:
            facts.append(("sampled", f"std of {sampled}: {drawn[0]} draws; all else is exact"))
        else:
            facts.append(("sampled", "nothing: every figure is exact"))
        if self._target is not None:
            facts += _target_facts(self._target)
        return facts

    def _sentences(self) -> list[str]:
        """Say what the truncation of training loops does, and which one would be enough."""
        others = [each for each in self._result.estimators[1:] if _known(each, "all")]
        if not others:
            return ["The exact gradient is zero or not a finite number: nothing to compare with."]
        says = []
        fixed = [each for each in others if each.label.startswith("fixed")]
        shown = min(fixed, key=lambda each: each.cost, default=None)
        if shown is not None and "B" in shown.groups and _known(shown, "B"):
            says.append(_keeps(shown.label, shown.groups["B"]))
        good = [
            each
            for each in others
            if each.cost < 1
            and each.variance != UNSETTLED
            and each.groups["all"].relative_rmse <= _GOOD_ENOUGH
        ]
        if good:
            best = min(good, key=lambda each: (each.cost, each.groups["all"].relative_rmse))
            error = best.groups["all"].relative_rmse
            says.append(
                f"{best.label} is the cheapest within {_GOOD_ENOUGH:.0%}: error {error:.2g}, "
                f"{best.edges_kept:.4g} steps back instead of {self._exact.edges_kept:.4g}."
            )
        else:
            closest = min(others, key=lambda each: each.groups["all"].relative_rmse)
            error = closest.groups["all"].relative_rmse
            if error == 0:
                return [f"{closest.label} is as long as the sequence: it is the exact gradient."]
            says.append(
                f"None is within {_GOOD_ENOUGH:.0%} of the exact gradient at less than its cost; "
                f"{closest.label} is closest, with an error of {error:.2g}."
            )
        return says

    def _quality_grid(self) -> Grid:
        """Tabulate the figures, a row an estimator and group."""
        few = ("all", "B")
        headers = ["estimator", "of", "bias", "std", "error", "cosine", "norm"]
        headers += ["back", "seconds", "memory", "at cost"]
        rows: list[list[Cell]] = []
        groups, label = set(), None
        for each in self._result.estimators:
            for group, quality in each.groups.items():
                if not self._everything and group not in few and group in ("A", "C", "biases"):
                    continue
                if label not in (None, each.label):
                    groups.add(len(rows))
                first, label = label != each.label, each.label
                rows.append(
                    [
                        each.label if first else "",
                        group,
                        _small(quality.relative_bias),
                        _small(quality.relative_std, quality.relative_std_se)
                        + (" ?" if each.variance == UNSETTLED else ""),
                        _small(quality.relative_rmse),
                        _fixed(quality.cosine),
                        _small(quality.norm_ratio),
                        f"{each.edges_kept:.4g}" if first else "",
                        f"{each.seconds:.2g}" if first else "",
                        _bytes(each.peak_bytes) if first else "",
                        _small(each.rmse_at_equal_cost) if first else "",
                    ]
                )
        note = (
            "Over the norm of the exact gradient. back: steps a loss goes back; at cost: the error "
            "with the exact gradient's cost spent on averaging, by which the rows are sorted."
        )
        if any(each.variance == UNSETTLED for each in self._result.estimators):
            note += " ?: a sampled std that no number of draws settles."
        return Grid(
            "What each estimator makes of the gradient", headers, rows, frozenset({0, 1}), note
        )

    def _steps_grid(self) -> Grid:
        """Tabulate which steps keep their gradient, a column a step."""
        exact = self._exact.adjoint
        values, logs = figures(exact.value), figures(exact.log10)
        steps = len(values)
        headers = ["lag", *(str(steps - 1 - i) for i in self._chosen)]
        rows: list[list[Cell]] = [
            ["t", *(str(i + 1) for i in self._chosen)],
            ["‖g_t‖", *(scientific(values[i], logs[i], 0) for i in self._chosen)],
        ]
        for each in self._result.estimators[1:]:
            kept = figures(each.adjoint.log10)
            rows.append([each.label, *(_share(kept[i], logs[i]) for i in self._chosen)])
        return Grid(
            "Which steps keep their gradient: ‖E ĝ_t‖ over ‖g_t‖ under each estimator",
            headers,
            rows,
            frozenset({0}),
            groups=frozenset({2}),
        )

    def _profile(self) -> Columns:
        """The lag profile as columns."""
        profile = self._result.profile
        columns: Columns = {"lag": list(range(profile.lags))}
        for group in profile.norm:
            columns[f"{group}_norm"] = figures(profile.norm[group])
            columns[f"{group}_share"] = figures(profile.share[group])
            columns[f"{group}_bias"] = figures(profile.bias[group])
        return columns | scaled("adjoint", profile.adjoint)

    def _lag_grid(self) -> Grid:
        """Tabulate how much crosses how many steps."""
        profile = self._result.profile
        lags: Sequence[int] = range(profile.lags)
        if not self._everything:
            lags = sorted({profile.lags - 1 - i for i in chosen_steps(profile.lags)})
        groups = [group for group in ("all", "A", "B", "biases") if group in profile.norm]
        headers = ["lag k", *(f"‖w_k‖ {group}" for group in groups), "arrived", "bias beyond"]
        rows: list[list[Cell]] = [
            [
                str(k),
                *(_small(float(profile.norm[group][k])) for group in groups),
                _percent(float(profile.share["all"][k])),
                _small(float(profile.bias["all"][k])),
            ]
            for k in lags
        ]
        note = (
            "w_k is the part of the gradient that crosses exactly k steps, over the norm of all; "
            "what lies beyond lag k is what sliding(k + 1) cuts."
        )
        return Grid("The gradient by lag", headers, rows, note=note)


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


def _target_facts(target: TargetBias) -> list[tuple[str, str]]:
    """What is within the error that was asked for, for people."""
    within = f"within {target.target:.3g}"
    sliding = "none"
    if target.sliding is not None:
        sliding = f"sliding({target.sliding}), bias {target.sliding_bias:.3g}"
        if target.sliding_from is None:
            sliding += "; some longer ones are not"
        elif target.sliding_from != target.sliding:
            sliding += f"; every longer one only from sliding({target.sliding_from}) on"
    fixed = (
        "none" if target.fixed is None else f"fixed({target.fixed}), bias {target.fixed_bias:.3g}"
    )
    largest = "none"
    if target.probability is not None:
        how = "sampled" if target.sampled else "exact"
        largest = f"randomized(p) up to p = {target.probability:.3g}, by its std ({how})"
    length = target.apriori_length
    bound = "promises it to no window" if length is None else f"asks for sliding({length})"
    apriori = f"{bound}: the adjoint falls by {target.apriori.decay:.3g} per lag"
    return [
        (within, sliding),
        ("", fixed),
        ("", largest),
        ("a-priori bound", apriori),
    ]


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
    known = each.cosine[np.isfinite(each.cosine)]
    row["cosine_mean"] = float(known.mean()) if len(known) else None
    row["cosine_min"] = float(known.min()) if len(known) else None
    return row


def _clip_grid(audits: Sequence[ClipAudit]) -> Grid:
    """Tabulate what clipping does, a row an estimator."""
    headers = ["estimator", "gradients", "fired", "norm", "largest", "clipped", "cosine", "bias"]
    rows: list[list[Cell]] = []
    for each in audits:
        row = _audit(each)
        rows.append(
            [
                each.label,
                str(each.estimates),
                f"{each.fired:.0%}",
                scientific(row["norm_mean"], row["norm_mean_log10"]),
                scientific(row["norm_max"], row["norm_max_log10"]),
                scientific(row["clipped_norm_mean"], row["clipped_norm_mean_log10"]),
                "–" if row["cosine_mean"] is None else f"{row['cosine_mean']:.4f}",
                _small(each.relative_bias, each.relative_bias_se),
            ]
        )
    note = (
        "norm, largest: of the gradients before clipping, mean and maximum; clipped: the mean "
        "after; cosine: to the gradient before; bias: of the clipped mean to the exact gradient."
    )
    return Grid("What clipping does", headers, rows, frozenset({0}), note)


def _few(steps: int) -> list[int]:
    """Choose eight steps at most, from the last to the first, their lags a few times apart."""
    last = steps - 1
    spread = {round(last ** (i / 6)) for i in range(7)} if last > 6 else set(range(last + 1))
    return [last - lag for lag in sorted({0, last, *spread} & set(range(steps)))]


def _known(each: EstimatorQuality, group: str) -> bool:
    """Whether an estimator has figures."""
    return math.isfinite(each.groups[group].relative_rmse)


def _keeps(label: str, quality: Quality) -> str:
    """Say what is left of a gradient, and how far it is turned."""
    kept = f"{label} keeps {quality.norm_ratio:.0%} of the gradient of B"
    if not math.isfinite(quality.cosine):
        return f"{kept}."
    angle = math.degrees(math.acos(max(-1.0, min(1.0, quality.cosine))))
    if angle > 90:
        return f"{kept} and turns it by {angle:.0f}°: it points the wrong way."
    return f"{kept} and turns it by {angle:.0f}°."


def _small(value: float, se: float | None = None) -> str:
    """Write a relative figure in three digits, with its standard error where it has one."""
    if not math.isfinite(value):
        return "–"
    written = f"{value:.3g}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"
    return written if se is None else f"{written} ± {se:.1g}"


def _fixed(value: float) -> str:
    """Write a cosine."""
    return "–" if not math.isfinite(value) else f"{value:.4f}"


def _percent(value: float) -> str:
    """Write a share that may pass 1 or fall below 0."""
    return "–" if not math.isfinite(value) else f"{value:.1%}"


def _share(log: float | None, exact: float | None) -> str:
    """Write what an estimator keeps of a step's gradient."""
    if exact is None:
        return "–"
    if log is None:
        return "0"
    ratio = log - exact
    return f"{10**ratio:.0%}" if -2.5 < ratio < 4 else scientific(0.0, ratio, 0)


def _bytes(count: int) -> str:
    """Write an amount of memory."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.3g} {unit}"
