"""``bptt grad-norms``: gradient norms by time step, the verdict and its cause."""

from __future__ import annotations

from typing import Any

from bpttcli.cli.options import ARRAYS, EXPLAIN, FORMATS, SHARED, STEPS, signature
from bpttcli.errors import InputError

FLAGS = (*SHARED, *STEPS, *EXPLAIN, *ARRAYS)


@signature(FLAGS)
def command(experiment: str | None, given: dict[str, Any]) -> None:
    """Show how large the gradient is at every time step, and why it shrinks or grows.

    Examples
    --------
    bptt grad-norms --steps 1000
    bptt grad-norms --cell relu --init identity --steps 200
    bptt grad-norms --model model.npz --data batch.npz --loss-at last
    bptt grad-norms scalar-linear --format csv | head
    bptt grad-norms three-steps --explain
    """
    from bpttcli.cli.job import Job

    explained = bool(given.get("explain"))
    if given.get("format") == "html" and not explained:
        raise InputError("--format html must stand with --explain, whose page it is")
    if explained and "every" in given:
        raise InputError("--every must not stand with --explain, which folds the middle; try --all")
    formats = (*FORMATS, "html") if explained else FORMATS
    with Job(FLAGS, experiment, given, formats=formats) as job:
        every, everything, arrays = (
            job.count("--every"),
            job.switch("--all"),
            job.text("--save-arrays"),
        )
        problem = job.build()

        from bpttcli.diagnostics.gradient_norms import grad_norms
        from bpttcli.diagnostics.verdict import Limits
        from bpttcli.engine.backpropagate import backpropagate
        from bpttcli.engine.unroll import unroll
        from bpttcli.report.gradient_norms import GradientNormsReport
        from bpttcli.report.report import Report, Run

        x, start = problem.sequences.x, problem.start
        trajectory = unroll(problem.network, x, start, progress=job.progress.part(0, 0.3))
        adjoints = backpropagate(
            trajectory,
            problem.objective,
            keep_adjoints=arrays is not None,
            progress=job.progress.part(0.3, 0.5 if explained else 1),
        )
        lines = problem.experiment.report
        limits = Limits(lines.vanishing_below, lines.exploding_above)
        result = grad_norms(problem.network, adjoints, epsilon=lines.epsilon, limits=limits)
        if arrays is not None:
            from bpttcli.report.arrays import gradient_arrays, save_arrays

            save_arrays(gradient_arrays(result, problem.network), arrays)
        run = Run(**problem.run)
        report: Report = GradientNormsReport(result, run, every=every, everything=everything)
        if explained:
            from bpttcli.diagnostics.explain import explain
            from bpttcli.report.explanation import ExplanationReport

            explanation = explain(
                trajectory, problem.objective, adjoints, progress=job.progress.part(0.5, 1)
            )
            report = ExplanationReport(explanation, report, everything=everything)
        job.write(report, result.warnings)
