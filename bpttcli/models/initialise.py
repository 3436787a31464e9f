"""Where the parameters of an untrained network start."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bpttcli.engine.cells.cell import Cell
from bpttcli.engine.network import Layer, Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError, nearest
from bpttcli.models.gate_bias import with_chrono_bias, with_forget_bias

INITS = ("gaussian", "uniform", "orthogonal", "identity")


def initialise(
    cell: Cell,
    rng: np.random.Generator,
    *,
    n_inputs: int,
    hidden: int,
    layers: int = 1,
    n_outputs: int | None = None,
    name: str = "gaussian",
    gain: float = 1.0,
    std: float | None = None,
    spectral_radius: float | None = None,
    forget_bias: float | None = None,
    chrono: float | None = None,
) -> Network:
    """Draw the parameters of a network.

    B (hidden → hidden), for each gate block:

    - ``gaussian``: N(0, gain²/H), whose spectral radius is about `gain` (the circular law);
    - ``uniform``: gain · U(−1/√H, 1/√H), with gain 1 PyTorch's start;
    - ``orthogonal``: gain · Q, Q uniform over orthogonal matrices (Saxe et al. 2014,
      arXiv:1312.6120);
    - ``identity``: gain · 1 (Le, Jaitly & Hinton 2015, arXiv:1504.00941).

    The other weights are N(0, 1/H) and the biases 0, but for ``uniform``, which draws them
    all from U(−1/√H, 1/√H). With `std` every weight that would have the variance 1/H has the
    variance std² instead.

    Parameters
    ----------
    cell : Cell
    rng : numpy.random.Generator
    n_inputs, hidden, layers : int
        I, H and the number of layers.
    n_outputs : int, optional
        O; no readout unless given.
    name : str
        One of `INITS`.
    gain : float
        Factor on B.
    std : float, optional
        Standard deviation of the weights drawn normal, instead of 1/√H.
    spectral_radius : float, optional
        Scale each block of B to this spectral radius instead.
    forget_bias, chrono : float, optional
        Set the biases of the carry gate, to one number or over time scales up to `chrono`
        (`with_forget_bias`, `with_chrono_bias`); all else stays as it is without.

    Raises
    ------
    InputError
        An unknown name, a standard deviation where nothing is drawn normal, a B whose
        spectral radius is 0 and cannot be scaled, or a carry gate's bias for a cell without
        one.
    """
    if name not in INITS:
        raise InputError(f"must be a start, got '{name}': {nearest(name, INITS)}", key="model.init")
    if std is not None and name == "uniform":
        raise InputError("must not be given for uniform: no weight is normal", key="model.init.std")
    scale = 1.0 / np.sqrt(hidden) if std is None else std

    def draw(*shape: int) -> Array:
        if name == "uniform":
            return np.asarray(rng.uniform(-scale, scale, shape))
        return np.asarray(scale * rng.standard_normal(shape))

    def bias(size: int) -> Array:
        return draw(size) if name == "uniform" else np.zeros(size)

    stack = []
    for k in range(layers):
        rows = len(cell.gates) * hidden
        A = draw(rows, n_inputs if k == 0 else hidden)
        blocks = [_recurrent(name, hidden, gain, rng, draw) for _ in cell.gates]
        if spectral_radius is not None:
            blocks = [scaled_to_radius(block, spectral_radius) for block in blocks]
        stack.append(Layer(A, np.concatenate(blocks), bias(rows), bias(rows)))
    network = Network(cell, tuple(stack))
    if n_outputs is not None:
        network = Network(cell, tuple(stack), draw(n_outputs, hidden), bias(n_outputs))
    if forget_bias is not None:
        network = with_forget_bias(network, forget_bias)
    if chrono is not None:
        network = with_chrono_bias(network, chrono, rng)
    return network


def scaled_to_radius(B: Array, radius: float) -> Array:
    """Scale a matrix to a spectral radius.

    Raises
    ------
    InputError
        Its spectral radius is 0.
    """
    found = float(np.abs(np.linalg.eigvals(B)).max())
    if found == 0:
        raise InputError(
            "cannot be reached: B has spectral radius 0", key="model.init.spectral_radius"
        )
    return np.asarray(B * (radius / found))


def _recurrent(
    name: str, hidden: int, gain: float, rng: np.random.Generator, draw: Callable[..., Array]
) -> Array:
    """One (H, H) block of B."""
    if name == "identity":
        return gain * np.eye(hidden)
    if name == "orthogonal":
        q, r = np.linalg.qr(rng.standard_normal((hidden, hidden)))
        # The signs make Q uniform (Mezzadri 2007), which LAPACK's convention does not.
        return np.asarray(gain * q * np.where(np.diag(r) < 0, -1.0, 1.0))
    return np.asarray(gain * draw(hidden, hidden))
