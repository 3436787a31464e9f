"""From an experiment to what runs: a network, its sequences, a loss."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from bpttcli.engine.cells import cell_named
from bpttcli.engine.losses import (
    CrossEntropy,
    Objective,
    Probe,
    SquaredError,
    last_step,
    target_weights,
    unit_vectors,
)
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import States, zero_states
from bpttcli.errors import InputError
from bpttcli.experiment.schema import Experiment, Loss, Model
from bpttcli.models.initialise import initialise
from bpttcli.record import Record
from bpttcli.tasks.sequences import Sequences

_DEFAULT_CELL, _DEFAULT_HIDDEN, _DEFAULT_LAYERS = "tanh", 64, 1


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
    warnings : tuple of str
        What had to be assumed.
    """

    experiment: Experiment
    network: Network
    sequences: Sequences
    objective: Objective
    start: States
    warnings: tuple[str, ...]

    @property
    def run(self) -> dict[str, Any]:
        """What a report says of the run besides its result."""
        task, loss = self.sequences, self.experiment.loss
        # Guessing costs what the task says only in the task's own loss.
        own = (loss.name, loss.at) == (task.loss, task.at)
        return {
            "experiment": self.experiment.to_dict(),
            "baseline": task.baseline if own else None,
            "baseline_name": task.baseline_name if own else None,
            "warnings": self.warnings,
        }


def build(experiment: Experiment) -> Problem:
    """Make the objects that an experiment describes.

    Task, start and probe draw from one spawned seed each, so that another network meets the
    same sequences, and other sequences the same network.

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
    task_seed, init_seed, probe_seed = np.random.SeedSequence(experiment.seed).spawn(3)
    warnings: list[str] = []
    given = _given_network(experiment.model, warnings)
    task = experiment.task
    if given is not None and task.name == "noise" and getattr(task, "inputs", 0) is None:
        task = msgspec.structs.replace(task, inputs=given.n_inputs)
    sequences = task.sequences(np.random.default_rng(task_seed))
    loss = _resolve_loss(experiment.loss, sequences, given, warnings)
    network = given
    if network is None:
        init = experiment.model.init
        network = initialise(
            cell_named(experiment.model.cell or _DEFAULT_CELL),
            np.random.default_rng(init_seed),
            n_inputs=sequences.n_inputs,
            hidden=experiment.model.hidden or _DEFAULT_HIDDEN,
            layers=experiment.model.layers or _DEFAULT_LAYERS,
            n_outputs=sequences.n_outputs,
            name=init.name,
            gain=init.gain,
            spectral_radius=init.spectral_radius,
        )
    _check_widths(network, sequences)
    objective = _objective(loss, sequences, network, np.random.default_rng(probe_seed))
    model = msgspec.structs.replace(
        experiment.model,
        cell=network.cell.name,
        hidden=network.layers[-1].hidden,
        layers=len(network.layers),
    )
    resolved = msgspec.structs.replace(experiment, task=task, model=model, loss=loss)
    start = _start(network, sequences)
    return Problem(resolved, network, sequences, objective, start, tuple(warnings))


def _given_network(model: Model, warnings: list[str]) -> Network | None:
    """Read the network that stands in a file or in the experiment itself, if one does."""
    if model.file is not None:
        from bpttcli.models.npz import read_parameters

        key = "model.file"
        parameters: dict[str, Any] = read_parameters(model.file)
    elif model.parameters is not None:
        key = "model.parameters"
        parameters = {name: np.asarray(values) for name, values in model.parameters.items()}
    else:
        return None
    try:
        network = Network.from_parameters(cell_named(model.cell or _DEFAULT_CELL), parameters)
    except InputError as error:
        raise InputError(str(error), key=error.key or key) from error
    if model.cell is None:
        warnings.append(
            f"the parameters do not say which cell they belong to: {_DEFAULT_CELL} is assumed; "
            "name it with --cell"
        )
    found = {"hidden": network.layers[-1].hidden, "layers": len(network.layers)}
    for name, value in found.items():
        asked = getattr(model, name)
        if asked is not None and asked != value:
            raise InputError(f"must be {value}, as in {key}, got {asked}", key=f"model.{name}")
    return network


def _resolve_loss(
    loss: Loss, sequences: Sequences, given: Network | None, warnings: list[str]
) -> Loss:
    """Decide which loss stands where."""
    name, lacking = loss.name, None
    if sequences.y is None:
        lacking = "the sequences have no targets"
    elif given is not None and given.C is None:
        lacking = "the network has no readout"
    if name is None:
        name = "probe" if loss.vector is not None else sequences.loss
        if lacking is not None:
            name = "probe"
            warnings.append(
                f"{lacking}: the loss is a probe, a random direction of the last hidden state"
                if loss.vector is None
                else f"{lacking}: the loss is the probe given"
            )
    elif name != "probe" and lacking is not None:
        raise InputError(f"cannot be {name}: {lacking}; probe needs neither", key="loss.name")
    at = loss.at
    if sequences.mask is not None:
        if at == "last":
            raise InputError("must not be last beside a mask, which says where", key="loss.at")
        at = "every"
    elif at is None:
        at = "last" if name == "probe" else sequences.at
    if name != "probe" and at == "every" and sequences.mask is None and _last_only(sequences):
        raise InputError(
            "must be last: the sequences have a target at the last step alone", key="loss.at"
        )
    return msgspec.structs.replace(loss, name=name, at=at)


def _last_only(sequences: Sequences) -> bool:
    """Whether the targets are those of one step, of sequences that are longer."""
    return sequences.y is not None and len(sequences.y) == 1 < len(sequences.x)


def _objective(
    loss: Loss, sequences: Sequences, network: Network, rng: np.random.Generator
) -> Objective:
    """Make the loss, after checking that the targets are of its kind."""
    steps, batch = sequences.x.shape[:2]
    if sequences.mask is not None:
        mask = sequences.mask
    else:
        mask = last_step(steps, batch) if loss.at == "last" else np.ones((steps, batch), dtype=bool)
    weights = target_weights(mask)
    if loss.name == "probe":
        return Probe(_probe_vector(loss, batch, network.layers[-1].hidden, rng), weights)
    y = sequences.y
    assert y is not None
    if loss.at == "last" and sequences.mask is None:
        y = y[-1:]
    n_outputs = network.n_outputs or 0
    if loss.name == "cross_entropy":
        if not np.issubdtype(y.dtype, np.integer):
            raise InputError(
                "must be mse for targets that are real numbers; cross_entropy needs integers",
                key="loss.name",
            )
        if y.size and y.max() >= n_outputs:
            raise InputError(
                f"must hold classes from 0 to {n_outputs - 1} (the network has {n_outputs} "
                f"outputs), got {int(y.max())}",
                key="task.y",
            )
        return CrossEntropy(y, weights)
    if np.issubdtype(y.dtype, np.integer):
        raise InputError(
            "must be cross_entropy for targets that are integers; save them as floats for mse",
            key="loss.name",
        )
    if y.shape[2] != n_outputs:
        raise InputError(
            f"must have {n_outputs} numbers a step, one an output of the network, got {y.shape[2]}",
            key="task.y",
        )
    return SquaredError(y, weights)


def _probe_vector(loss: Loss, batch: int, hidden: int, rng: np.random.Generator) -> Any:
    """Take the vector given, for every sequence if it is one, or draw unit vectors."""
    if loss.vector is None:
        return unit_vectors(rng, batch, hidden)
    vector = np.asarray(loss.vector, dtype=np.float64)
    if vector.shape not in ((hidden,), (batch, hidden)):
        raise InputError(
            f"must have the shape ({hidden},) or ({batch}, {hidden}), got {vector.shape}",
            key="loss.vector",
        )
    return np.broadcast_to(vector, (batch, hidden))


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


def _start(network: Network, sequences: Sequences) -> States:
    """Take the initial states that came with the sequences; zeros for those that did not."""
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
            layer.append(zero if value is None else np.ascontiguousarray(value[k]))
        start.append(tuple(layer))
    return tuple(start)
