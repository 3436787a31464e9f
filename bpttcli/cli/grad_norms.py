"""``bptt grad-norms``: gradient norms by time step, the verdict and its cause."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from bpttcli.cli.flags import signature
from bpttcli.cli.options import (
    ARRAYS,
    EXPLAIN,
    FORMATS,
    SAVE_MODEL,
    SHARED,
    STEPS,
    SWEEP,
)
from bpttcli.errors import InputError

if TYPE_CHECKING:
    from bpttcli.cli.job import Job
    from bpttcli.diagnostics.gradient_norms import GradientNorms
    from bpttcli.engine.unroll import Trajectory
    from bpttcli.experiment.build import Problem

FLAGS = (*SHARED, *SWEEP, *STEPS, *EXPLAIN, *ARRAYS, *SAVE_MODEL)


@signature(FLAGS)
def command(experiment: str | None, given: dict[str, Any]) -> None:
    """Show how large the gradient is at every time step, and why it shrinks or grows.

    Examples
    --------
    bptt grad-norms --steps 1000
    bptt grad-norms --cell relu --init identity --steps 200
    bptt grad-norms --sweep model.cell=tanh,gru,lstm --steps 1000
    bptt grad-norms --model model.pt --data batch.npz --loss-at last
    bptt grad-norms scalar-linear --format csv | head
    bptt grad-norms three-steps --explain
    """
    from bpttcli.cli.job import Job

    explained, swept = bool(given.get("explain")), "sweep" in given
    if given.get("format") == "html" and not explained:
        raise InputError("--format html must stand with --explain, whose page it is")
    if explained and "every" in given:
        raise InputError("--every must not stand with --explain, which folds the middle; try --all")
    for name in ("explain", "save_arrays", "save_model") if swept else ():
        if name in given:
            flag = f"--{name.replace('_', '-')}"
            raise InputError(f"{flag} must not stand with --sweep: it is of one experiment")
    formats = (*FORMATS, "html") if explained else FORMATS
    with Job(FLAGS, experiment, given, formats=formats) as job:
        shown = {"every": job.count("--every"), "everything": job.switch("--all")}
        if swept:
            _side_by_side(job, shown)
        else:
            _one(job, shown, explained=explained)


def _one(job: Job, shown: dict[str, Any], *, explained: bool) -> None:
    """Report one experiment."""
    from bpttcli.report.gradient_norms import GradientNormsReport
    from bpttcli.report.report import Report, Run

    arrays = job.text("--save-arrays")
    problem = job.build()
    progress = job.progress.part(0, 0.5 if explained else 1)
    trajectory, result = _measure(problem, progress, keep_adjoints=arrays is not None)
    if arrays is not None:
        from bpttcli.report.arrays import gradient_arrays, save_arrays

        save_arrays(gradient_arrays(result, problem.network), arrays)
    job.save_model(problem.network)
    report: Report = GradientNormsReport(result, Run(**problem.run), **shown)
    if explained:
        from bpttcli.diagnostics.explain import explain
        from bpttcli.report.explanation import ExplanationReport

        explanation = explain(
            trajectory,
            problem.objective,
            result.adjoints,
            clipped=result.clipped,
            progress=job.progress.part(0.5, 1),
        )
        report = ExplanationReport(explanation, report, everything=shown["everything"])
    job.write(report, result.warnings)


def _side_by_side(job: Job, shown: dict[str, Any]) -> None:
    """Report the experiments of a sweep."""
    from bpttcli.report.gradient_norms import GradientNormsReport
    from bpttcli.report.report import Run
    from bpttcli.report.sweep import Point, SweepReport

    points, warnings = [], []
    for i, (values, problem) in enumerate(job.sweep()):
        progress = job.progress.part(i / job.points, (i + 1) / job.points)
        _, result = _measure(problem, progress)
        points.append(Point(values, GradientNormsReport(result, Run(**problem.run))))
        warnings += [f"{points[-1].label}: {warning}" for warning in result.warnings]
    job.write(SweepReport(points, **shown), warnings)


def _measure(
    problem: Problem, progress: Callable[[float], None], *, keep_adjoints: bool = False
) -> tuple[Trajectory, GradientNorms]:
    """Run a network forward and back, and take its figures."""
    import numpy as np

    from bpttcli.diagnostics.gradient_norms import grad_norms
    from bpttcli.diagnostics.verdict import Limits
    from bpttcli.engine.backpropagate import backpropagate
    from bpttcli.engine.unroll import unroll
    from bpttcli.truncation.clipping import clip
    from bpttcli.truncation.first_not_finite import first_not_finite

    trajectory = unroll(
        problem.network,
        problem.sequences.x,
        problem.start,
        progress=lambda share: progress(0.3 * share),
    )
    estimator, objective = problem.estimator, problem.objective
    edges = estimator.edges(problem.targets, np.random.default_rng(problem.draws()[0]))
    adjoints = backpropagate(
        trajectory,
        objective,
        edges=edges,
        keep_adjoints=keep_adjoints,
        progress=lambda share: progress(0.3 + 0.7 * share),
    )
    clipped = None
    if problem.clip.active:
        first_step = partial(first_not_finite, trajectory, objective, edges)
        clipped = clip(adjoints.gradient, problem.clip, first_step)
    lines = problem.experiment.report
    result = grad_norms(
        problem.network,
        adjoints,
        epsilon=lines.epsilon,
        limits=Limits(lines.vanishing_below, lines.exploding_above),
        estimator=estimator,
        clipped=clipped,
    )
    return trajectory, result
