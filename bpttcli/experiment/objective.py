"""The loss of an experiment: which one, where it stands, and with which targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from bpttcli.engine.losses import (
    CrossEntropy,
    Objective,
    Probe,
    SquaredError,
    target_weights,
    unit_vectors,
)
from bpttcli.engine.network import Network
from bpttcli.errors import InputError
from bpttcli.experiment.schema import Loss
from bpttcli.models.model_file import listed
from bpttcli.tasks.sequences import Sequences


def resolve_loss(
    loss: Loss,
    sequences: Sequences,
    given: Network | None,
    warnings: list[str],
    readouts: Sequence[str] = (),
) -> Loss:
    """Decide which loss stands where.

    Parameters
    ----------
    loss : Loss
        As asked for.
    sequences : Sequences
        Their task's own loss fills in what was left open.
    given : Network or None
        The network, where it was given and may lack a readout.
    warnings : list of str
        Gains what had to be assumed.
    readouts : sequence of str
        The linear layers of its file of which one could be the readout that it lacks.

    Returns
    -------
    Loss
        With a name and a place; no place where a mask decides on it.

    Raises
    ------
    InputError
        The loss asked for cannot be had.
    """
    name, lacking = loss.name, None
    if sequences.y is None:
        lacking = "the sequences have no targets"
    elif given is not None and given.C is None:
        lacking = "the network has no readout"
        if readouts:
            lacking = (
                f"several linear layers could be the readout ({listed(readouts)}), "
                "of which --readout NAME chooses one"
            )
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
            raise InputError(
                "must not be last beside a mask, which says where (padding is told by lengths)",
                key="loss.at",
            )
        at = None
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


def objective_of(
    loss: Loss, sequences: Sequences, network: Network, rng: np.random.Generator
) -> Objective:
    """Make the loss, after checking that the targets are of its kind.

    Parameters
    ----------
    loss : Loss
        Resolved.
    sequences : Sequences
    network : Network
    rng : numpy.random.Generator
        Draws the probe.

    Raises
    ------
    InputError
        Targets or probe do not fit the loss or the network.
    """
    mask, batch = sequences.mask, sequences.batch
    if mask is None:
        mask = sequences.last if loss.at == "last" else sequences.targets
    weights = target_weights(mask)
    if loss.name == "probe":
        return Probe(_probe_vector(loss, batch, network.layers[-1].hidden, rng), weights)
    y = sequences.y
    assert y is not None
    if loss.at == "last" and sequences.mask is None:
        if sequences.lengths is None:
            y = y[-1:]
        elif len(y) < sequences.steps:  # one target, which stands where each sequence ends
            y = np.broadcast_to(y, (sequences.steps, *y.shape[1:]))
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
