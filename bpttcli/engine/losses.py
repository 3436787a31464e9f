"""Losses: ℓ_n, the mean over the target steps of a sequence, and where it enters the network."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError
from bpttcli.record import Record


class Source(Record, frozen=True):
    """What the loss says about a window of n steps.

    Parameters
    ----------
    loss : (N,) array
        This window's part of each ℓ_n.
    output : (n, N, O) array or None
        s_t = ∂ℓ_n/∂o_t; None without a readout.
    hidden : (n, N, H) array or None
        ∂ℓ_n/∂h_t of the top layer, through this step's loss alone; None where no step of the
        window carries a target.
    """

    loss: Array
    output: Array | None
    hidden: Array | None


class Objective(Protocol):
    """A loss with its targets."""

    @property
    def weights(self) -> Array:
        """(T, N): 1/(target steps of the sequence) where a target stands, else 0."""
        ...

    def source(self, network: Network, h: Array, start: int, stop: int) -> Source:
        """Evaluate steps start + 1 … stop, given their hidden states h (n, N, H)."""
        ...


def target_weights(mask: NDArray[np.bool_]) -> Array:
    """Turn the steps that carry a target into the weights of the mean over them.

    Parameters
    ----------
    mask : (T, N) array of bool

    Raises
    ------
    InputError
        A sequence has no target at all.
    """
    count = mask.sum(axis=0)
    if not count.all():
        raise InputError(
            f"must mark at least one step of every sequence, got none for sequence "
            f"{int(np.argmin(count)) + 1}",
            key="task.mask",
        )
    weights = np.asarray(mask / count)
    weights.setflags(write=False)
    return weights


def last_step(steps: int, batch: int) -> NDArray[np.bool_]:
    """Return the mask of a loss at the last step alone."""
    mask = np.zeros((steps, batch), dtype=bool)
    mask[-1] = True
    return mask


class _Readout(Record, frozen=True):
    """A loss of the outputs o_t = C h_t + c; y holds all steps, or only the last."""

    y: NDArray[Any]
    weights: Array

    def source(self, network: Network, h: Array, start: int, stop: int) -> Source:
        """Evaluate steps start + 1 … stop (see `Objective.source`)."""
        C, c = network.C, network.c
        if C is None:
            raise InputError("needs a network with a readout", key="loss.name")
        weights = self.weights[start:stop]
        n, batch = weights.shape
        used = np.flatnonzero(weights.any(axis=1))
        if not len(used):
            return Source(np.zeros(batch), None, None)
        first, last = int(used[0]), int(used[-1]) + 1
        begin = start + first - (len(self.weights) - len(self.y))
        weight = weights[first:last].reshape(-1)
        # Outputs first: sums over a handful of outputs are slow along the last axis.
        o = np.dot(C, h[first:last].reshape(len(weight), -1).T)
        if c is not None:
            o += c[:, None]
        terms, slope = self.evaluate(o, self.y[begin : begin + last - first])
        slope *= weight
        terms *= weight
        unused = weight == 0
        if unused.any():
            # A step without a target may well hold an output that is not finite.
            slope[:, unused], terms[unused] = 0.0, 0.0
        loss = terms.reshape(-1, batch).sum(axis=0)
        output = slope.T.reshape(-1, batch, len(C))
        hidden = np.dot(slope.T, C).reshape(-1, batch, h.shape[2])
        return Source(loss, _padded(output, first, n), _padded(hidden, first, n))

    def evaluate(self, o: Array, y: NDArray[Any]) -> tuple[Array, Array]:
        """Return the loss of M steps (M,) and its gradient by o (O, M); may overwrite o."""
        raise NotImplementedError


class CrossEntropy(_Readout, frozen=True):
    """−log softmax(o)_y, in nats; y (T, N) holds classes."""

    def evaluate(self, o: Array, y: NDArray[Any]) -> tuple[Array, Array]:
        """Return the loss of M steps (M,) and its gradient by o (O, M)."""
        column = np.arange(o.shape[1])
        top, at = (o.argmax(axis=0), column), (y.reshape(-1), column)
        o -= o[top]
        chosen = o[at]
        slope = np.exp(o, out=o)
        peak = slope[top]  # 1, or NaN where an output is not finite
        slope[top] = 0.0
        rest = slope.sum(axis=0)
        slope[top] = peak
        slope /= peak + rest
        # softmax_y − 1 cancels where the network is sure; what the others hold does not.
        slope[at] = 0.0
        slope[at] = -slope.sum(axis=0)
        # log1p keeps the loss of a network that is sure, however small it is.
        return np.log1p(rest) - chosen, slope


class SquaredError(_Readout, frozen=True):
    """Mean over the outputs of (o − y)²; y (T, N, O) holds reals."""

    def evaluate(self, o: Array, y: NDArray[Any]) -> tuple[Array, Array]:
        """Return the loss of M steps (M,) and its gradient by o (O, M)."""
        o -= y.reshape(o.shape[1], -1).T
        return np.einsum("om,om->m", o, o) / len(o), 2.0 / len(o) * o


def _padded(part: Array, first: int, n: int) -> Array:
    """Put steps into a window of n, zeros elsewhere."""
    if len(part) == n:
        return part
    whole = np.zeros((n, *part.shape[1:]))
    whole[first : first + len(part)] = part
    return whole


class Probe(Record, frozen=True):
    """⟨v_n, h_t⟩: the adjoint becomes (∂h_T/∂h_t)ᵀ v_n, whatever the readout.

    Parameters
    ----------
    vector : (N, H) array
        v_n, for each sequence.
    weights : (T, N) array
    """

    vector: Array
    weights: Array

    def source(self, network: Network, h: Array, start: int, stop: int) -> Source:
        """Evaluate steps start + 1 … stop (see `Objective.source`)."""
        weights = self.weights[start:stop]
        if not weights.any():
            return Source(np.zeros(len(self.vector)), None, None)
        terms = np.where(weights > 0, weights * np.einsum("tnh,nh->tn", h, self.vector), 0.0)
        return Source(terms.sum(axis=0), None, weights[..., None] * self.vector)


def unit_vectors(rng: np.random.Generator, batch: int, hidden: int) -> Array:
    """Draw (N, H) directions, uniform on the sphere."""
    v = rng.standard_normal((batch, hidden))
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))
