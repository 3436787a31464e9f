"""The report of ``train``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bpttcli._version import __version__
from bpttcli.record import Record
from bpttcli.report.gradient_norms import GradientNormsReport
from bpttcli.report.numbers import scientific, short
from bpttcli.report.report import Columns, Report, Run
from bpttcli.report.training_rows import COLUMNS, log_grid
from bpttcli.report.view import Cell, Grid, Picture, View, chosen_steps, counted, describe_run
from bpttcli.training.progress import judged

# Shares of updates that are called so.
_ALWAYS, _NEARLY_ALWAYS, _RARELY = 0.999, 0.97, 0.005
# ρ(B) that changed by less stands still.
_MOVED = 0.02
# A loss within this share of the baseline is no different from it. Of a hundred sequences of
# adding, a constant guess has a squared error that is off by an eighth in two of three draws;
# what it costs in cross-entropy hardly depends on the draw.
_ABOUT = {"mse": 0.15, "cross_entropy": 0.03}

_ENDINGS = {
    "updates": "all updates are done",
    "minutes": "the time is up",
    "target_loss": "the target loss is reached",
    "patience": "the loss has stopped falling",
    None: "it was interrupted",
}


class Trained(Record, frozen=True):
    """The outcome of a run of training.

    Parameters
    ----------
    log : list of dict
        Its rows.
    stopped_by : str or None
        What ended it.
    updates : int
        How many were done.
    first : GradientNormsReport
        Before the first update.
    final : GradientNormsReport or None
        After the last; None where the forward pass has become undefined.
    best : float or None
        The smallest loss by which it was judged.
    best_update : int
        When that was.
    troubles : list of dict
        Where it diverged.
    sample : str or None
        What the network says next, where that was asked for.
    estimator : str
        What the gradient was estimated by: ``fixed(20)``.
    """

    log: list[dict[str, Any]]
    stopped_by: str | None
    updates: int
    first: GradientNormsReport
    final: GradientNormsReport | None
    best: float | None
    best_update: int
    troubles: list[dict[str, Any]]
    sample: str | None = None
    estimator: str = "full"


class TrainingReport(Report):
    """A run of training made ready for printing.

    Parameters
    ----------
    result : Trained
    run : Run
    every : int, optional
        Steps between the lags that a person is shown.
    everything : bool
        Show all rows and all steps.
    """

    def __init__(
        self, result: Trained, run: Run, *, every: int | None = None, everything: bool = False
    ) -> None:
        self._result, self._run = result, run
        self._first = result.first.document()
        self._final = None if result.final is None else result.final.document()
        self._everything = everything
        steps = len(self._first["timesteps"])
        self._chosen = chosen_steps(steps, every=every, everything=everything)

    def document(self) -> dict[str, Any]:
        """The JSON of DESIGN."""
        result = self._result
        return {
            "command": "train",
            "version": __version__,
            "experiment": self._run.experiment,
            "baseline": self._run.baseline,
            "warnings": list(self._run.warnings),
            "stopped_by": result.stopped_by,
            "updates": result.updates,
            "best": {"update": result.best_update, "loss": result.best},
            "troubles": result.troubles,
            "sample": result.sample,
            "log": result.log,
            "first": self._first,
            "final": self._final,
        }

    def columns(self) -> Columns:
        """The rows of the log."""
        return {name: [row.get(name) for row in self._result.log] for name in COLUMNS}

    def view(self) -> View:
        """The run from first to last, and the gradient's way back before and after."""
        experiment = self._run.experiment
        grids = [log_grid(self._result.log, everything=self._everything)]
        if self._final is not None:
            grids.append(self._before_and_after(self._final))
        return View(
            title=f"{describe_run(experiment)} · {self._how()}",
            headline=self._headline(),
            sentences=self._sentences(),
            facts=self._facts(),
            grids=grids,
            pictures=self._pictures(),
        )

    def _pictures(self) -> list[Picture]:
        """What the network says next, where it was asked."""
        said = self._result.sample
        if said is None:
            return []
        return [Picture("What the network says", said.split("\n"), folded=True)]

    def _how(self) -> str:
        """Say how it was trained."""
        experiment = self._run.experiment
        train, clip = experiment["train"], experiment["clip"]
        parts = [f"{train['optimizer']}, lr {short(train['lr'])}"]
        if self._result.estimator != "full":
            parts.append(self._result.estimator)
        limits = [(name, clip[name]) for name in ("norm", "value") if clip[name] is not None]
        return ", ".join([*parts, *(f"clip {name} {short(limit)}" for name, limit in limits)])

    def _headline(self) -> tuple[str, str]:
        """Compare the loss at the end with the one at the beginning."""
        result = self._result
        first, last = (judged(row) for row in (result.log[0], result.log[-1]))
        name = "loss" if result.log[0]["held_out"] is None else "held-out loss"
        says = f"{name} {short(first)} → {short(last)} in {counted(result.updates, 'update')}"
        if len(result.log) == 1:
            says = f"{name} {short(first)} at first, {counted(result.updates, 'update')}"
        if result.stopped_by == "diverged":
            return "diverged", f"{says}, then it diverged"
        baseline = self._run.baseline
        if baseline is not None and last is not None:
            about = _ABOUT[self._run.experiment["loss"]["name"]] * baseline
            where = "below" if last < baseline - about else "about"
            if last > baseline + about:
                where = "above"
            says += f", {where} the baseline {short(baseline)}"
        return "trained", f"{says}: {_ENDINGS[result.stopped_by]}"

    def _sentences(self) -> list[tuple[str, str]]:
        """Say what the rows show together."""
        sentences = [("Seen", seen)] if (seen := _seen(self._result.log)) else []
        if troubles := self._result.troubles:
            sentences.append(("Trouble", f"{troubles[0]['sentence']}{self._done_about(troubles)}"))
        return sentences

    def _done_about(self, troubles: Sequence[dict[str, Any]]) -> str:
        """Say how often a run that went on had to, and what it has come to."""
        count = counted(len(troubles), "update")
        if troubles[0]["action"] == "skip":
            return f"; {count} came to nothing"
        if troubles[0]["action"] == "backoff":
            rate = short(self._result.log[-1]["learning_rate"])
            return f"; {count} came to nothing, and the learning rate is {rate} now"
        return ""

    def _facts(self) -> list[tuple[str, str]]:
        """Name the figures that are not in the rows."""
        result, log = self._result, self._result.log
        facts = []
        if result.best is not None:
            facts.append(("best loss", f"{short(result.best)}   (update {result.best_update})"))
        largest = [row["grad_norm_max"] for row in log if row.get("grad_norm_max") is not None]
        if largest:
            facts.append(("largest ‖g‖", short(max(largest))))
        for name, title in (
            ("spectral_radius", "spectral radius ρ(B)"),
            ("growth_per_step", "growth per step back"),
            ("horizon", "horizon"),
        ):
            facts.append((title, f"{short(log[0][name])} → {short(log[-1][name])}"))
        facts.append(("time", _duration(log[-1]["seconds"])))
        return facts

    def _before_and_after(self, final: dict[str, Any]) -> Grid:
        """Tabulate the propagated adjoint by step, before and after."""
        before, after = self._first["timesteps"], final["timesteps"]
        rows: list[list[Cell]] = []
        for i in self._chosen:
            row: list[Cell] = [str(before[i]["t"]), str(before[i]["lag"])]
            for steps in (before, after):
                row += [_size(steps[i], "propagated"), _size(steps[i], "B")]
            rows.append(row)
        headers = ["t", "lag", "‖p_t‖ before", "B before", "‖p_t‖ after", "B after"]
        radius = [_radius(document) for document in (self._first, final)]
        note = f"spectral radius ρ(B): {radius[0]} before, {radius[1]} after"
        title = "Gradient by time step before and after training"
        return Grid(title, headers, rows, note=note)


def _duration(seconds: float) -> str:
    """Write a time to about two digits: 0.25 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _size(step: dict[str, Any], name: str) -> str:
    """Write a norm of a step."""
    return scientific(step[name], step[f"{name}_log10"])


def _radius(document: dict[str, Any]) -> str:
    """Write ρ(B) of the top layer, of its largest gate."""
    value = document["spectral_radius"][-1]
    return short(max(value.values()) if isinstance(value, dict) else value)


def _often(share: float) -> str:
    """Say how often something happened."""
    if share > _ALWAYS:
        return "at every update"
    if share >= _NEARLY_ALWAYS:
        return "at nearly every update"
    return f"at {share:.0%} of the updates" if share >= _RARELY else "at a few updates"


def _seen(log: Sequence[dict[str, Any]]) -> str:
    """Say what became of ρ(B) while clipping fired, and whether the horizon moved."""
    if len(log) < 2:
        return ""
    first, last = log[0], log[-1]
    parts = []
    before, after = first["spectral_radius"], last["spectral_radius"]
    if before and after:
        change = after / before - 1.0
        what = "stood still at" if abs(change) < _MOVED else "grew to" if change > 0 else "fell to"
        moved = (
            f"{short(after)}" if abs(change) < _MOVED else f"{short(after)} from {short(before)}"
        )
        parts.append(f"ρ(B) {what} {moved}")
    shares = [row["clipped"] for row in log if row.get("clipped") is not None]
    if any(shares):
        parts.append(f"clipping fired {_often(sum(shares) / len(shares))}")
    says = [" while ".join(parts)] if parts else []
    before, after = first["horizon"], last["horizon"]
    if before is not None and after is not None:
        moved = f"stayed at {after}" if before == after else f"went from {before} to {after}"
        says.append(f"the horizon {moved} steps")
    return f"{'; '.join(says)}." if says else ""
