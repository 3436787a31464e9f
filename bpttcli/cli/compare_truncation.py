"""``bptt compare-truncation``: what a shorter memory costs in bias, variance and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpttcli.cli.flags import signature
from bpttcli.cli.options import ARRAYS, COMPARE, SHARED, STEPS

if TYPE_CHECKING:
    from bpttcli.diagnostics.clip_audit import ClipAudit
    from bpttcli.diagnostics.comparing import Comparing
    from bpttcli.experiment.build import Problem
    from bpttcli.truncation.estimator import Estimator

FLAGS = (*SHARED, *COMPARE, *STEPS, *ARRAYS)

# The schedule of random cuts whose variance is bounded, beside those that are asked for.
_ALWAYS = "artbp"


@signature(FLAGS)
def command(experiment: str | None, given: dict[str, Any]) -> None:
    """Compare truncated gradients with the exact one: bias, variance, time, memory.

    Examples
    --------
    bptt compare-truncation --steps 1000 --lengths 10,100
    bptt compare-truncation --task sine --probabilities 0.5,0.1 --draws 500
    bptt compare-truncation influence-balancing
    bptt compare-truncation --model model.pt --data batch.npz --target-bias 0.1 --format json
    """
    from bpttcli.cli.job import Job

    with Job(FLAGS, experiment, given) as job:
        every, everything = job.count("--every"), job.switch("--all")
        workers = job.count("--workers") or 1
        arrays = job.text("--save-arrays")
        problem = job.build()

        from bpttcli.diagnostics.compare_truncation import compare_truncation
        from bpttcli.diagnostics.comparing import Comparing
        from bpttcli.diagnostics.gradient_norms import spectral_radii
        from bpttcli.engine.unroll import unroll
        from bpttcli.report.report import Run
        from bpttcli.report.truncation import TruncationReport

        asked = problem.experiment.compare
        lags = asked.lags or max([*asked.lengths, 200])
        trajectory = unroll(problem.network, problem.sequences.x, problem.start)
        comparing = Comparing(
            trajectory,
            problem.objective,
            seeds=problem.draws,
            draws=asked.draws,
            exact=asked.exact_variance,
            each=job.switch("--per-layer"),
            workers=workers,
        )
        estimators = _estimators(problem)
        target, begin = None, 0.0
        if asked.target_bias is not None:
            from bpttcli.diagnostics.target_bias import target_bias

            begin = 0.5
            progress = job.progress.part(0, begin)
            target = target_bias(comparing, comparing.profile(lags), asked.target_bias, progress)
            estimators = _each_once([*estimators, *target.estimators])
        progress = job.progress.part(begin, 1)
        result = compare_truncation(comparing, estimators, lags=lags, progress=progress)
        audits = _audits(problem, comparing, estimators) if problem.clip.active else []
        if arrays is not None:
            from bpttcli.report.arrays import comparison_arrays, save_arrays

            save_arrays(comparison_arrays(result), arrays)
        report = TruncationReport(
            result,
            Run(**problem.run),
            spectral_radii(problem.network),
            target=target,
            audits=audits,
            every=every,
            everything=everything,
        )
        job.write(report, result.warnings)


def _estimators(problem: Problem) -> list[Estimator]:
    """List what is compared, each once: the experiment's own estimator too."""
    from bpttcli.truncation.registry import estimator_named

    asked = problem.experiment.compare
    found = []
    for length in asked.lengths:
        found += [estimator_named(name, length=length) for name in ("fixed", "sliding")]
    for p in asked.probabilities:
        for reweight in (True, False):
            found.append(estimator_named("randomized", probability=p, reweight=reweight))
    found += [estimator_named(_ALWAYS), problem.estimator]
    return _each_once(found)


def _each_once(estimators: list[Estimator]) -> list[Estimator]:
    """Leave out the exact gradient, which is there anyway, and what is there already."""
    return list({each.label: each for each in estimators if each.label != "full"}.values())


def _audits(problem: Problem, comparing: Comparing, estimators: list[Estimator]) -> list[ClipAudit]:
    """Watch the clip over the draws of each estimator, and over other batches."""
    from bpttcli.diagnostics.clip_audit import audit_batches, audit_estimator
    from bpttcli.engine.unroll import unroll
    from bpttcli.truncation.full import Full

    asked = problem.experiment.compare
    found = [
        audit_estimator(comparing, each, problem.clip, asked.draws)
        for each in (Full(), *estimators)
    ]
    batches = (problem.another_batch(i) for i in range(asked.batches))
    runs = ((unroll(problem.network, s.x, start), loss) for s, loss, start in batches)
    return [*found, audit_batches(runs, problem.clip)]
