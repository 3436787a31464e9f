"""A run as a checkpoint, and a checkpoint as the run that it was."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import Array
from bpttcli.engine.unroll import States
from bpttcli.errors import InputError
from bpttcli.training.checkpoint import Checkpoint
from bpttcli.training.feed import Carried
from bpttcli.training.progress import Progress
from bpttcli.training.run import Run
from bpttcli.training.updates import Good


def snapshot(run: Run, initial: dict[str, Array], values: dict[str, Any]) -> Checkpoint:
    """Copy all that a run needs to go on to the same bits.

    The random numbers of update n are made from the seed and n, so no generator has a state.

    Parameters
    ----------
    run : Run
    initial : dict of str to array
        The parameters before the first update.
    values : dict
        What else to keep, as plain values.
    """
    updates = run.updates
    arrays: dict[str, NDArray[Any]] = {}
    arrays |= {f"parameter/{name}": value for name, value in updates.parameters.copies().items()}
    arrays |= {f"initial/{name}": value for name, value in initial.items()}
    arrays |= _optimiser("optimiser", updates.optimiser.state)
    arrays |= _states("state", updates.feed.states)
    good = updates.good
    if good is not None and updates.policy == "backoff":
        arrays["good/theta"] = good.theta
        arrays |= _optimiser("good/optimiser", good.optimiser)
        arrays |= _states("good/state", good.states)
    return Checkpoint(arrays, {**values, "progress": msgspec.to_builtins(run.progress)})


def progress_of(checkpoint: Checkpoint) -> Progress:
    """Read how far the run had come."""
    return msgspec.convert(checkpoint.values["progress"], Progress)


def restore(run: Run, checkpoint: Checkpoint) -> list[str]:
    """Load the arrays of a checkpoint into a run.

    Parameters
    ----------
    run : Run
        Made with `progress_of` the checkpoint; its experiment may be another one.
    checkpoint : Checkpoint

    Returns
    -------
    list of str
        What could not be taken over and begins afresh; nothing in a run of the same experiment.

    Raises
    ------
    InputError
        It is the run of another network.
    """
    updates, afresh = run.updates, []
    updates.parameters.load(checkpoint.group("parameter"))
    try:
        updates.optimiser.load(checkpoint.group("optimiser"))
    except InputError:
        afresh.append("the optimiser")
    states = _read_states(checkpoint, "state")
    if states is not None:
        if _can_be_carried_on(states, run):
            updates.feed.states = states
        else:
            afresh.append("the state that was carried")
    if "good/theta" in checkpoint.arrays and not afresh:
        theta, optimiser = checkpoint.arrays["good/theta"], checkpoint.group("good/optimiser")
        updates.good = Good(theta, optimiser, _read_states(checkpoint, "good/state"))
    return afresh


def _can_be_carried_on(states: States, run: Run) -> bool:
    """Whether the next update carries a state, of as many sequences."""
    feed = run.updates.feed
    if not isinstance(feed, Carried):
        return False
    sequences: int = feed.batch(run.progress.update + 1).x.shape[1]
    return len(states[0][0]) == sequences


def _optimiser(name: str, state: dict[str, Array]) -> dict[str, NDArray[Any]]:
    """Copy the state of an optimiser."""
    return {f"{name}/{key}": value.copy() for key, value in state.items()}


def _states(name: str, states: States | None) -> dict[str, NDArray[Any]]:
    """Name the states of each layer."""
    return {
        f"{name}/{k}/{s}": state
        for k, layer in enumerate(states or ())
        for s, state in enumerate(layer)
    }


def _read_states(checkpoint: Checkpoint, name: str) -> States | None:
    """Read the states of each layer; None without any."""
    found = checkpoint.group(name)
    depth = 1 + max((int(key.split("/")[0]) for key in found), default=-1)
    layers = []
    for k in range(depth):
        count = sum(key.startswith(f"{k}/") for key in found)
        layers.append(tuple(np.asarray(found[f"{k}/{s}"]) for s in range(count)))
    return tuple(layers) or None
