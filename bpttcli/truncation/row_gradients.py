"""The gradient of every row of a sweep by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.network import Layer
from bpttcli.engine.scaled import NEAR, Array, Exponents, Scaled, exponent_of, norms, shift
from bpttcli.engine.sweep_layer import LayerSweep
from bpttcli.engine.unroll import Input, Trajectory, Window

_NO_SIZE = -(2**62)


class RowGradients:
    """∂L/∂θ of R rows that share a trajectory, gathered window by window.

    Where all is near 1, one matrix product gathers all rows and parameters of a layer; else
    each parameter is gathered by itself, with an exponent a row. The readout's gradient,
    which is the same for every row, is left out.

    Parameters
    ----------
    trajectory : Trajectory
    rows : int
        R.
    """

    def __init__(self, trajectory: Trajectory, rows: int) -> None:
        self._trajectory = trajectory
        self._rows = rows
        self._sums: dict[str, _RowSum] = {}

    def add(
        self,
        window: Window,
        layers: tuple[LayerSweep, ...],
        order: NDArray[np.int64] | None = None,
    ) -> None:
        """Add what the steps of a window contribute.

        Parameters
        ----------
        window : Window
        layers : tuple of LayerSweep
            Of R rows.
        order : (n, R) array of int, optional
            For each step, which row of the sweep goes to which row of the result.
        """
        network = self._trajectory.network
        for k, swept in enumerate(layers):
            delta, exponent, tape = swept.delta, swept.exponent, window.tapes[k]
            if order is not None:
                delta = np.take_along_axis(delta, order[:, :, None, None], axis=1)
                exponent = np.take_along_axis(exponent, order[:, :, None], axis=1)
            rows_first = delta.transpose(1, 0, 2, 3)
            own = network.cell.recurrent_delta(tape, rows_first)
            fed = _one_hot(self._trajectory.layer_input(window, k), network.layers[k])
            before = tape.states[0][:-1]
            ones = np.ones((*before.shape[:2], 1))
            of_fed = {f"weight_ih_l{k}": fed, f"bias_ih_l{k}": ones}
            of_own = {f"weight_hh_l{k}": before, f"bias_hh_l{k}": ones}
            if own is rows_first:
                self._gather(delta, exponent, of_fed | of_own)
            else:
                self._gather(delta, exponent, of_fed)
                self._gather(own.transpose(1, 0, 2, 3), exponent, of_own)

    def total(self) -> dict[str, Scaled]:
        """Return the gradients by name, (R, …) each with an exponent a row."""
        found: dict[str, Scaled] = {}
        for name, parameter in self._trajectory.network.parameters.items():
            if name in self._sums:
                mantissa, level = self._sums[name].total()
                shape = (self._rows, *parameter.shape)
                exponent = level.reshape(-1, *(1,) * parameter.ndim)
                found[name] = Scaled(mantissa.reshape(shape) / self._trajectory.batch, exponent)
        return found

    def _gather(self, delta: Array, exponent: Exponents, fed: dict[str, Array]) -> None:
        """Add Σ δ uᵀ of parameters that share their δ (n, R, N, D)."""
        with np.errstate(all="ignore"):
            sizes = {name: _size(u) for name, u in fed.items()}
            if exponent.any() or any(size.any() for size in sizes.values()):
                for name, u in fed.items():
                    product, level = _ranged(delta, exponent, u, sizes[name])
                    self._sum(name).add(product, level)
                return
            level = np.zeros(self._rows, dtype=np.int64)
            joined = _products(delta, np.concatenate(list(fed.values()), axis=2))
            first = 0
            for name, u in fed.items():
                last = first + u.shape[2]
                self._sum(name).add(joined[..., first:last], level)
                first = last

    def _sum(self, name: str) -> _RowSum:
        return self._sums.setdefault(name, _RowSum())


class _RowSum:
    """A sum for every row, (R, D, F), each with an exponent."""

    def __init__(self) -> None:
        self._sum: Array | None = None
        self._level: Exponents = np.zeros(0, dtype=np.int64)

    def add(self, product: Array, level: Exponents) -> None:
        """Bring the sum and what is added to one exponent a row."""
        if self._sum is None or (self._level == _NO_SIZE).any():
            # A row of zeros must not decide the scale of what comes later.
            level = np.where(product.any(axis=(1, 2)), level, _NO_SIZE)
        if self._sum is None:
            self._sum, self._level = product, level
            return
        top = np.maximum(level, self._level)
        self._sum = shift(self._sum, (self._level - top)[:, None, None])
        self._sum = self._sum + shift(product, (level - top)[:, None, None])
        self._level = top

    def total(self) -> tuple[Array, Exponents]:
        """Mantissas and exponents."""
        assert self._sum is not None
        return self._sum, np.where(self._level == _NO_SIZE, 0, self._level)


def _products(delta: Array, fed: Array) -> Array:
    """Σ_t Σ_n δ uᵀ of every row, (R, D, F)."""
    n, rows, batch, depth = delta.shape
    flat = delta.transpose(0, 2, 1, 3).reshape(n * batch, rows * depth)
    return np.asarray(np.dot(flat.T, fed.reshape(n * batch, -1)).reshape(rows, depth, -1))


def _ranged(
    delta: Array, exponent: Exponents, fed: Array, size: Exponents
) -> tuple[Array, Exponents]:
    """The same for δ with exponents (n, R, N) and u with sizes (n, N); with an exponent a row."""
    present = np.asarray(fed.any(axis=-1))[:, None]
    largest = np.abs(delta).max(axis=-1) * present
    sizes = np.where(largest > 0, exponent + exponent_of(largest) + size[:, None], _NO_SIZE)
    level = sizes.max(axis=(0, 2))
    level = np.where(level == _NO_SIZE, 0, level)
    moved = exponent + size[:, None] - level[:, None]
    # Where nothing was fed, δ may be of any size and counts for nothing.
    near = shift(delta, np.where(present, moved, 0)[..., None])
    near = np.where(present[..., None], near, 0.0)
    return _products(near, shift(fed, -size[..., None])), level


def _size(fed: Array) -> Exponents:
    """Binary exponents of what was fed at each step, (n, N); zeros if all are near 1."""
    found = norms(fed)
    size = np.asarray(found.exponent + exponent_of(found.mantissa))
    return size if np.abs(size).max() >= NEAR else np.zeros_like(size)


def _one_hot(fed: Input, layer: Layer) -> Array:
    """Spell symbols out, which all rows read in one matrix product."""
    return np.asarray(np.eye(layer.A.shape[1])[fed] if fed.ndim == 2 else fed)
