"""From an experiment to what runs: a network, its sequences, a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from bpttcli.engine.cells import cell_named
from bpttcli.engine.losses import Objective
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import States, zero_states
from bpttcli.errors import InputError
from bpttcli.experiment.given import Given, fed, given_network
from bpttcli.experiment.objective import objective_of, resolve_loss
from bpttcli.experiment.schema import Experiment, Model
from bpttcli.models.initialise import initialise
from bpttcli.record import Record
from bpttcli.tasks.sequences import Sequences
from bpttcli.truncation.clipping import Limits
from bpttcli.truncation.estimator import Estimator, Targets
from bpttcli.truncation.registry import estimator_named

_DEFAULT_CELL, _DEFAULT_HIDDEN, _DEFAULT_LAYERS = "tanh", 64, 1

# Spawn keys of cuts and of further batches: 0 to 3 draw the objects below, 4 the directions of
# Lyapunov exponents.
_DRAWS, _BATCHES = 5, 6

# 2 GiB of float64. Far beyond it a system ends the process, where it should have said why.
_MOST_WEIGHTS = 2**28


class Problem(Record, frozen=True):
    """What an experiment describes, ready to run.

    Parameters
    ----------
    experiment : Experiment
        Resolved: what was left open is filled in with what was taken.
    network : Network
    sequences : Sequences
    objective : Objective
    start : tuple of tuples of (N, H) arrays
        The states before the first step.
    estimator : Estimator
        Of the gradient; `Full` where nothing is cut.
    clip : Limits
    fed : callable
        Turns sequences of the task into what the network itself is fed: through an embedding,
        or turned round.
    warnings : tuple of str
        What had to be assumed.
    """

    experiment: Experiment
    network: Network
    sequences: Sequences
    objective: Objective
    start: States
    estimator: Estimator
    clip: Limits
    fed: Callable[[Sequences], Sequences]
    warnings: tuple[str, ...]

    @property
    def targets(self) -> Targets:
        """Whether any sequence has a target at step t: (T,) array."""
        return np.asarray((self.objective.weights > 0).any(axis=1))

    def draws(self, count: int = 1) -> list[np.random.SeedSequence]:
        """Seeds of independent draws of the estimator, the same ones whenever asked for."""
        return np.random.SeedSequence(self.experiment.seed, spawn_key=(_DRAWS,)).spawn(count)

    def another_batch(self, index: int) -> tuple[Sequences, Objective, States]:
        """Draw other sequences of the task, as if the experiment had another seed.

        Parameters
        ----------
        index : int
            From 0: the same one gives the same batch. A task that draws nothing has one batch.
        """
        seed = np.random.SeedSequence(self.experiment.seed, spawn_key=(_BATCHES, index))
        task_seed, probe_seed, start_seed = seed.spawn(3)
        sequences = self.fed(self.experiment.task.sequences(np.random.default_rng(task_seed)))
        rng = np.random.default_rng(probe_seed)
        objective = objective_of(self.experiment.loss, sequences, self.network, rng)
        start = starting_states(self.network, sequences, np.random.default_rng(start_seed))
        return sequences, objective, start

    @property
    def run(self) -> dict[str, Any]:
        """What a report says of the run besides its result."""
        task, loss = self.sequences, self.experiment.loss
        # Guessing costs what the task says only in the task's own loss.
        at = task.at if task.mask is None else None
        own = (loss.name, loss.at) == (task.loss, at)
        return {
            "experiment": self.experiment.to_dict(),
            "baseline": task.baseline if own else None,
            "baseline_name": task.baseline_name if own else None,
            "warnings": self.warnings,
        }


def build(experiment: Experiment) -> Problem:
    """Make the objects that an experiment describes.

    Task, parameters, probe and states draw from one spawned seed each, so that another
    network meets the same sequences, and other sequences the same network.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Problem

    Raises
    ------
    InputError
        Parts of the experiment contradict each other; the error names a key.
    """
    seeds = np.random.SeedSequence(experiment.seed).spawn(4)
    task_seed, init_seed, probe_seed, start_seed = seeds
    warnings: list[str] = []
    given = given_network(experiment.model, warnings)
    task, model = experiment.task, experiment.model
    again: Callable[[Sequences], Sequences] = _as_they_are
    if given is not None and getattr(task, "inputs", 0) is None:
        task = msgspec.structs.replace(task, inputs=given.network.n_inputs)
    sequences = task.sequences(np.random.default_rng(task_seed))
    warnings += sequences.notes
    if given is None:
        loss = resolve_loss(experiment.loss, sequences, None, warnings)
        network = _drawn_network(model, sequences, np.random.default_rng(init_seed))
    else:
        again = _Fed(given, model)
        model, sequences = fed(given, model, sequences, warnings)
        network = given.network
        loss = resolve_loss(experiment.loss, sequences, network, warnings, given.readouts)
    _check_widths(network, sequences)
    objective = objective_of(loss, sequences, network, np.random.default_rng(probe_seed))
    model = msgspec.structs.replace(
        model,
        cell=network.cell.name,
        hidden=network.layers[-1].hidden,
        layers=len(network.layers),
    )
    truncation = msgspec.structs.replace(experiment.truncation, **experiment.truncation.keys())
    resolved = msgspec.structs.replace(
        experiment, task=task, model=model, loss=loss, truncation=truncation
    )
    estimator = estimator_named(truncation.name, **truncation.keys())
    clip = Limits(experiment.clip.norm, experiment.clip.value)
    start = starting_states(network, sequences, np.random.default_rng(start_seed))
    return Problem(
        resolved, network, sequences, objective, start, estimator, clip, again, tuple(warnings)
    )


def _as_they_are(sequences: Sequences) -> Sequences:
    """Feed a network that was drawn for them."""
    return sequences


class _Fed:
    """Feeds a given network again, without saying again what had to be assumed."""

    def __init__(self, given: Given, asked: Model) -> None:
        self._given, self._asked = given, asked

    def __call__(self, sequences: Sequences) -> Sequences:
        return fed(self._given, self._asked, sequences, [])[1]


def _drawn_network(model: Model, sequences: Sequences, rng: np.random.Generator) -> Network:
    """Draw a network as wide as the sequences ask for."""
    cell = cell_named(model.cell or _DEFAULT_CELL)
    hidden, layers = model.hidden or _DEFAULT_HIDDEN, model.layers or _DEFAULT_LAYERS
    weights = len(cell.gates) * hidden**2
    if layers * weights > _MOST_WEIGHTS:
        raise InputError(
            f"must be smaller: recurrent weights may number {_MOST_WEIGHTS}, got "
            f"{layers * weights} in {layers} x {hidden} units",
            key="model.hidden" if weights > _MOST_WEIGHTS else "model.layers",
        )
    return initialise(
        cell,
        rng,
        n_inputs=sequences.n_inputs,
        hidden=hidden,
        layers=layers,
        n_outputs=sequences.n_outputs,
        name=model.init.name,
        gain=model.init.gain,
        std=model.init.std,
        spectral_radius=model.init.spectral_radius,
        forget_bias=model.init.forget_bias,
        chrono=model.init.chrono,
    )


def _check_widths(network: Network, sequences: Sequences) -> None:
    """Compare the width of real-valued inputs with the network's."""
    x, wanted = sequences.x, network.n_inputs
    if x.ndim == 3 and x.shape[2] != wanted:
        raise InputError(
            f"must have {wanted} numbers a step, one an input of the network, got {x.shape[2]}",
            key="task.x",
        )
    if x.ndim == 2 and x.max() >= wanted:
        raise InputError(
            f"must hold symbols from 0 to {wanted - 1} (the network has {wanted} inputs), "
            f"got {int(x.max())}",
            key="task.x",
        )


def starting_states(network: Network, sequences: Sequences, rng: np.random.Generator) -> States:
    """Take the initial states that came with the sequences; for others draw them, or zeros."""
    batch = int(sequences.x.shape[1])
    given = {"h": sequences.h0, "c": sequences.c0}
    states = network.cell.states
    for name, value in given.items():
        if value is not None and name not in states:
            raise InputError(
                f"must not be given: a {network.cell.name} cell has no state {name}",
                key=f"task.{name}0",
            )
    start = []
    for k, zeros in enumerate(zero_states(network, batch)):
        layer = []
        for name, zero in zip(states, zeros, strict=True):
            value = given[name]
            shape = (len(network.layers), *zero.shape)
            if value is not None and value.shape != shape:
                raise InputError(
                    f"must have the shape {shape} (layers, sequences, units), got {value.shape}",
                    key=f"task.{name}0",
                )
            if value is not None:
                layer.append(np.ascontiguousarray(value[k]))
            else:
                layer.append(rng.standard_normal(zero.shape) if sequences.random_start else zero)
        start.append(tuple(layer))
    return tuple(start)
