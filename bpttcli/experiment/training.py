"""From an experiment to a run of training."""

from __future__ import annotations

import math
import os
import stat
from typing import Any

import msgspec
import numpy as np

from bpttcli.diagnostics.verdict import Limits as Verdicts
from bpttcli.engine.losses import Objective
from bpttcli.engine.unroll import States
from bpttcli.errors import InputError
from bpttcli.experiment.build import Problem, starting_states
from bpttcli.experiment.objective import objective_of
from bpttcli.experiment.schema import Experiment
from bpttcli.experiment.train_keys import Train
from bpttcli.tasks.parts import Parts
from bpttcli.tasks.sequences import Sequences
from bpttcli.tasks.task import Task
from bpttcli.training.feed import Batch, Carried, Feed, Fresh, generator
from bpttcli.training.gauge import Gauge, HeldOut
from bpttcli.training.optimisers import Optimiser, optimiser_named
from bpttcli.training.parameters import Parameters
from bpttcli.training.progress import Progress
from bpttcli.training.run import Ending, Run
from bpttcli.training.schedules import Schedule
from bpttcli.training.updates import Updates
from bpttcli.training.watch import Probe

# Spawn keys: those up to 4 belong to `build` and to the estimator's draws.
_BATCHES, _HELD_OUT, _STREAM = 5, 6, 8
# Rows of the log where nobody says how often.
_ROWS = 20


def build_run(problem: Problem, progress: Progress | None = None) -> Run:
    """Make the run of training that an experiment describes, before its first update.

    The sequences of update n depend on the seed and on n alone.

    Parameters
    ----------
    problem : Problem
    progress : Progress, optional
        Where the run goes on from; its arrays are the caller's to load.

    Raises
    ------
    InputError
        The experiment cannot be trained; the error names a key.
    """
    experiment, keys = problem.experiment, problem.experiment.train
    _check(problem)
    parts, stream = _parts(experiment)
    questions = _Questions(problem)
    parameters = Parameters(problem.network, keys.only)
    baseline = problem.run["baseline"]
    updates = Updates(
        parameters,
        _optimiser(keys, parameters.size),
        _schedule(keys),
        _feed(problem, parts, stream, questions),
        problem.estimator,
        problem.clip,
        seed=experiment.seed,
        policy=keys.on_divergence,
        baseline=baseline,
    )
    lines = experiment.report
    gauge = Gauge(
        Probe(
            Batch(problem.sequences.x, problem.objective, problem.start),
            lines.epsilon,
            Verdicts(lines.vanishing_below, lines.exploding_above),
        ),
        _held_out(experiment, parts, questions),
        baseline,
        in_bits=problem.sequences.vocabulary is not None
        and experiment.loss.name == "cross_entropy",
        limits=problem.clip,
    )
    return Run(
        updates,
        gauge,
        Ending(keys.updates, keys.minutes, keys.target_loss, keys.patience),
        log_every=keys.log_every or max(1, math.ceil(keys.updates / _ROWS)),
        save_every=keys.checkpoint_every,
        progress=progress,
    )


def chunk_steps(experiment: Experiment) -> int | None:
    """Steps of an update with the state carried on; None where the task decides."""
    if experiment.train.chunk is not None:
        return experiment.train.chunk
    if experiment.truncation.name == "fixed":
        return int(experiment.truncation.keys()["length"])
    return None


class _Questions:
    """Asks of sequences what the experiment asks, and multiplies by the constant it wants."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._is_sum = problem.experiment.train.reduction == "sum"

    def __call__(self, sequences: Sequences, rng: np.random.Generator) -> Batch:
        network, loss = self._problem.network, self._problem.experiment.loss
        # A model from a file may read its symbols through an embedding.
        sequences = self._problem.fed(sequences)
        objective = objective_of(loss, sequences, network, rng)
        start: States | None = None
        if sequences.random_start or sequences.h0 is not None or sequences.c0 is not None:
            start = starting_states(network, sequences, rng)
        factor = float(_targets(objective)) if self._is_sum else 1.0
        return Batch(sequences.x, objective, start, factor)


def _targets(objective: Objective) -> int:
    """Count the targets of a sequence, which must be the same in all of them."""
    counts = (objective.weights > 0).sum(axis=0)
    if (counts != counts[0]).any():
        raise InputError(
            "must be mean: the sequences have different numbers of targets", key="train.reduction"
        )
    return int(counts[0])


def _check(problem: Problem) -> None:
    """Refuse what cannot be trained."""
    keys, loss = problem.experiment.train, problem.experiment.loss
    task = problem.experiment.task
    file = getattr(task, "file", None)
    if file is not None and stat.S_ISFIFO(os.stat(file).st_mode):
        raise InputError(
            "must be a file to train on, which is read more than once, got a pipe", key="task.file"
        )
    if problem.sequences.y is None:
        raise InputError(
            f"must be a task with targets to train on, such as adding, text or data with y, "
            f"got {task.name}",
            key="task.name",
        )
    if loss.name == "probe":
        why = "a probe has no target"
        if problem.network.C is None:
            why = "the network has no readout"
        raise InputError(f"must be cross_entropy or mse to train with: {why}", key="loss.name")
    if keys.carry_state and loss.at != "every":
        raise InputError(
            "must be false without a target at every step: some chunks would have none",
            key="train.carry_state",
        )
    if keys.batch is not None and keys.carry_state:
        raise InputError(
            "must not stand beside train.carry_state, which follows all sequences",
            key="train.batch",
        )


def _parts(experiment: Experiment) -> tuple[Parts, Task]:
    """Part the task in two; give the task whose steps are those of an update as well."""
    task, keys = experiment.task, experiment.train
    steps = chunk_steps(experiment) if keys.carry_state else None
    fed: Task = task if steps is None else msgspec.structs.replace(task, steps=steps)
    rng = generator(experiment.seed, _HELD_OUT, 0)
    return task.parts(rng, keys.held_out, keys.held_out_batch), fed


def _feed(problem: Problem, parts: Parts, fed: Task, questions: _Questions) -> Feed:
    """Decide where the updates get their sequences."""
    experiment, keys = problem.experiment, problem.experiment.train
    seed = experiment.seed
    if keys.carry_state:
        rng = generator(seed, _HELD_OUT, 0)
        source = fed.parts(rng, keys.held_out, keys.held_out_batch)
        rng = generator(seed, _STREAM, 0)
        stream, start = source.stream(rng), questions(source.train.sequences(rng), rng).start
        return Carried(stream.chunk, questions, start, seed, _BATCHES)
    if keys.batch is None:
        return Fresh(parts.train.sequences, questions, seed, _BATCHES)
    return Fresh(_Some(parts, keys.batch).draw, questions, seed, _BATCHES)


class _Some:
    """Draws a few of the sequences that there are."""

    def __init__(self, parts: Parts, batch: int) -> None:
        self._supply, self._batch = parts.train, batch

    def draw(self, rng: np.random.Generator) -> Sequences:
        """Draw them without repetition."""
        whole = self._supply.sequences(rng)
        if self._batch > whole.batch:
            message = f"must be at most {whole.batch}, the sequences to train on, got {self._batch}"
            raise InputError(message, key="train.batch")
        return whole.take(np.sort(rng.choice(whole.batch, self._batch, replace=False)))


def _held_out(experiment: Experiment, parts: Parts, questions: _Questions) -> HeldOut | None:
    """Draw the test, once for the whole run."""
    if parts.held_out is None:
        return None
    rng = generator(experiment.seed, _HELD_OUT, 1)
    sequences = parts.held_out.sequences(rng)
    return HeldOut(questions(sequences, rng), sequences.measured)


def _optimiser(keys: Train, size: int) -> Optimiser:
    """Make the optimiser."""
    return optimiser_named(
        keys.optimizer,
        size,
        momentum=keys.momentum,
        weight_decay=keys.weight_decay,
        beta1=keys.beta1,
        beta2=keys.beta2,
        alpha=keys.alpha,
        eps=keys.eps,
    )


def _schedule(keys: Train) -> Schedule:
    """Make the schedule of the learning rate; a cosine ends with the run."""
    course = keys.schedule
    length = max(1, keys.updates - course.warmup - 1)
    plain: dict[str, Any] = {
        "warmup": course.warmup,
        "every": course.every,
        "factor": course.factor,
        "length": length,
        "floor": course.floor,
    }
    return Schedule(keys.lr, course.name, **plain)
