"""``bptt train``: train with any truncation and clipping, and watch the gradient meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpttcli.cli.flags import signature
from bpttcli.cli.options import SHARED, STEPS, TRAIN
from bpttcli.errors import InputError

if TYPE_CHECKING:
    from bpttcli.cli.job import Job
    from bpttcli.cli.kept_run import KeptRun
    from bpttcli.experiment.build import Problem
    from bpttcli.training.run import Run

FLAGS = (*SHARED, *TRAIN, *STEPS)


@signature(FLAGS)
def command(experiment: str | None, given: dict[str, Any]) -> None:
    """Train a network, and watch what its gradient does meanwhile.

    Examples
    --------
    bptt train --cell relu --init identity --batch 32 --clip-norm 1
    bptt train --text book.txt --carry-state --steps 35 --batch 20
    bptt train --checkpoint run --log run.jsonl
    bptt train sentences --sample 60 --prompt Bears
    bptt train --resume run
    """
    from bpttcli.cli.threads import use_one_thread

    use_one_thread()  # before anything loads NumPy
    from bpttcli.cli.job import Job
    from bpttcli.cli.kept_run import KeptRun

    _check_together(given)
    kept = KeptRun.of(given)
    stored = kept.experiment() if experiment is None else None
    name = experiment if stored is None else "-"
    with Job(FLAGS, name, given, stdin=stored, folder=kept.folder) as job:
        shown = {"every": job.count("--every"), "everything": job.switch("--all")}
        _train(job, kept, shown)


def _check_together(given: dict[str, Any]) -> None:
    """Refuse options that mean nothing beside, or without, each other."""
    if "checkpoint" in given and "resume" in given:
        raise InputError("--checkpoint must not stand with --resume, which names the folder")
    if "allow_changed" in given and "resume" not in given:
        raise InputError("--allow-changed must stand with --resume")


def _train(job: Job, kept: KeptRun, shown: dict[str, Any]) -> None:
    """Train from the beginning, or from where a run was left."""
    from bpttcli.cli.interruption import Interruption
    from bpttcli.cli.sampling import Sampling
    from bpttcli.cli.training_listener import TrainingListener
    from bpttcli.experiment.training import build_run

    for flag in ("--log", "--save-model", "--output"):
        kept.refuse_own(flag, job.text(flag))
    sampling = Sampling.of(job)
    problem = job.build()
    if sampling is not None:
        sampling.check(problem)
    run = build_run(problem, kept.progress())
    kept.begin(run, problem)
    for note in kept.notes:
        job.terminal.note(note)
    with (
        Interruption() as interruption,
        TrainingListener(job.terminal, kept, job.text("--log"), interruption) as listener,
    ):
        listener.begin(run.progress, run.ending)
        if run.progress.stopped_by is None:
            run.go(listener)
        else:
            job.terminal.note(f"the run in {kept.folder} was finished already: this is its end")
    job.save_model(run.updates.parameters.network)
    if run.progress.stopped_by is None:
        _interrupted(job, kept, run)
    said = None
    if sampling is not None and run.progress.stopped_by != "diverged":
        said = sampling.say(run.updates.parameters.network, problem)
    _report(job, kept, run, problem, shown, said)


def _interrupted(job: Job, kept: KeptRun, run: Run) -> None:
    """Say how to go on, and exit."""
    import typer

    from bpttcli.cli.status import Status

    how = (
        "nothing is kept without --checkpoint"
        if kept.folder is None
        else f"go on with: bptt train --resume {kept.folder}"
    )
    job.terminal.complain(f"interrupted after update {run.progress.update}; {how}")
    raise typer.Exit(Status.INTERRUPTED)


def _report(
    job: Job,
    kept: KeptRun,
    run: Run,
    problem: Problem,
    shown: dict[str, Any],
    said: str | None,
) -> None:
    """Report the run; a run that diverged ends in an error all the same."""
    from bpttcli.errors import RunError
    from bpttcli.report.gradient_norms import GradientNormsReport
    from bpttcli.report.report import Run as Ran
    from bpttcli.report.training import Trained, TrainingReport

    progress, what = run.progress, Ran(**problem.run)
    first = GradientNormsReport(kept.first_look(run), what)
    final: GradientNormsReport | None = None
    warnings: tuple[str, ...] = ()
    try:
        look = run.look()
        final, warnings = GradientNormsReport(look, what), look.warnings
    except RunError:
        pass  # where a run diverged the forward pass may be undefined
    result = Trained(
        progress.rows,
        progress.stopped_by,
        progress.update,
        first,
        final,
        progress.best,
        progress.best_update,
        progress.troubles,
        said,
        problem.estimator.label,
    )
    job.write(TrainingReport(result, what, **shown), warnings)
    if progress.stopped_by == "diverged":
        raise RunError(f"{progress.troubles[-1]['sentence']}; {kept.last_good(run)}")
