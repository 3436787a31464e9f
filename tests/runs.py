"""Small networks and their runs, as the tests of several folders need them."""

import numpy as np

from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.cells import cell_named
from bpttcli.engine.losses import CrossEntropy, Probe, SquaredError, last_step, target_weights
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll


def network(cell, A, B, **more):
    """One layer."""
    parameters = {"weight_ih_l0": np.atleast_2d(A), "weight_hh_l0": np.atleast_2d(B), **more}
    return Network.from_parameters(cell_named(cell), parameters)


def random_parameters(rng, gates=1, *, inputs=3, hidden=4, layers=1, outputs=None, gain=1.0):
    """Parameters under PyTorch's names, biases and all."""
    parameters = {}
    for k in range(layers):
        rows, width = gates * hidden, inputs if k == 0 else hidden
        parameters[f"weight_ih_l{k}"] = rng.normal(size=(rows, width)) / np.sqrt(width)
        parameters[f"weight_hh_l{k}"] = gain * rng.normal(size=(rows, hidden)) / np.sqrt(hidden)
        parameters[f"bias_ih_l{k}"] = 0.3 * rng.normal(size=rows)
        parameters[f"bias_hh_l{k}"] = 0.3 * rng.normal(size=rows)
    if outputs is not None:
        parameters["readout.weight"] = rng.normal(size=(outputs, hidden))
        parameters["readout.bias"] = rng.normal(size=outputs)
    return parameters


def stack(cell, layers):
    """Layers (A, B) without biases."""
    parameters = {}
    for k, (A, B) in enumerate(layers):
        parameters[f"weight_ih_l{k}"], parameters[f"weight_hh_l{k}"] = A, B
    return Network.from_parameters(cell_named(cell), parameters)


def mask_of(steps, *targets):
    """A mask (T, N) with the steps given, from 1, for each sequence."""
    mask = np.zeros((steps, len(targets)), dtype=bool)
    for n, marked in enumerate(targets):
        for step in marked:
            mask[step - 1, n] = True
    return mask


def probe(net, x, mask=None, vector=1.0):
    """⟨v, h⟩ with the same v everywhere, at the last step unless a mask says otherwise."""
    steps, batch = x.shape[:2]
    shape = (batch, net.layers[-1].hidden)
    mask = last_step(steps, batch) if mask is None else mask
    return Probe(np.broadcast_to(np.asarray(vector, dtype=float), shape), target_weights(mask))


def sweep_back(net, x, objective=None, start=None, *, window=None, keep=None):
    """Unroll and backpropagate, with every adjoint kept."""
    trajectory = unroll(net, x, start, window=window, keep=keep)
    objective = probe(net, x) if objective is None else objective
    return backpropagate(trajectory, objective, keep_adjoints=True)


def silence(steps, batch=1, inputs=1):
    """No input at all."""
    return np.zeros((steps, batch, inputs))


def readout_loss(name, y, mask):
    """A loss of the outputs."""
    loss = {"cross_entropy": CrossEntropy, "mse": SquaredError}[name]
    return loss(y, target_weights(mask))


def close(found, wanted, rtol=1e-11):
    """Agree relative to each number, or to the largest of the array where one is nearly 0."""
    largest = np.abs(wanted).max(initial=0.0)
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-2 * rtol * largest)
