"""Small runs of every cell, with losses of several kinds, for the tests of the estimators."""

import numpy as np
from hypothesis import strategies as st

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from tests.runs import mask_of, probe, random_parameters, readout_loss

STEPS = 8


def run(cell="tanh", *, seed=0, steps=STEPS, batch=2, layers=1, hidden=3, mask=None, gain=1.0):
    """A trajectory and a squared error, at the last step unless a mask says otherwise."""
    rng = np.random.default_rng(seed)
    gates = len(cell_named(cell).gates)
    parameters = random_parameters(
        rng, gates, hidden=hidden, layers=layers, outputs=2, gain=gain, inputs=2
    )
    net = Network.from_parameters(cell_named(cell), parameters)
    x = rng.normal(size=(steps, batch, 2))
    start = tuple(
        tuple(0.5 * rng.normal(size=(batch, hidden)) for _ in net.cell.states)
        for _ in range(layers)
    )
    mask = mask_of(steps, *[[steps]] * batch) if mask is None else mask
    objective = readout_loss("mse", rng.normal(size=(steps, batch, 2)), mask)
    return unroll(net, x, start), objective


def every(steps=STEPS, batch=2):
    """A target at every step."""
    return np.ones((steps, batch), dtype=bool)


def targets(objective):
    """Whether any sequence has a target at each step."""
    return (objective.weights > 0).any(axis=1)


def flat(gradient):
    """All parameters in one vector."""
    return np.concatenate([value.value.ravel() for value in gradient.values()])


@st.composite
def runs(draw):
    """Any cell, any mask, one layer or two, a readout or a probe."""
    batch, steps = draw(st.integers(1, 3)), draw(st.integers(1, 9))
    marked = st.lists(st.integers(1, steps), min_size=1, max_size=steps)
    mask = mask_of(steps, *(draw(marked) for _ in range(batch)))
    trajectory, objective = run(
        draw(st.sampled_from(sorted(CELLS))),
        seed=draw(st.integers(0, 100)),
        steps=steps,
        batch=batch,
        layers=draw(st.integers(1, 2)),
        mask=mask,
    )
    if draw(st.booleans()):
        objective = probe(trajectory.network, trajectory.x, mask, np.arange(1.0, 4.0))
    return trajectory, objective
