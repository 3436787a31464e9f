"""Losses: ℓ_n, the mean over the target steps of a sequence, and where it enters the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What the loss says about a window of n steps.

    Parameters
    ----------
    loss : (N,) array
        This window's part of each ℓ_n.
    output : (n, N, O) array or None
        s_t = ∂ℓ_n/∂o_t; None without a readout.
    hidden : (n, N, H) array
        ∂ℓ_n/∂h_t of the top layer, through this step's loss alone.
    """

    loss: Array
    output: Array | None
    hidden: Array


class Objective(Protocol):
    """A loss with its targets."""

    weights: Array
    """(T, N): 1/(target steps of the sequence) where a target stands, else 0."""

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


@dataclass(frozen=True, slots=True, eq=False)
class _Readout:
    """A loss of the outputs o_t = C h_t + c; y holds all steps, or only the last."""

    y: NDArray[Any]
    weights: Array

    def source(self, network: Network, h: Array, start: int, stop: int) -> Source:
        """Evaluate steps start + 1 … stop (see `Objective.source`)."""
        weights = self.weights[start:stop]
        used = np.flatnonzero(weights.any(axis=1))
        loss = np.zeros(h.shape[1])
        C, c = network.C, network.c
        if C is None:
            raise InputError("needs a network with a readout", key="loss.name")
        output = np.zeros((*h.shape[:2], len(C)))
        hidden = np.zeros(h.shape)
        if len(used):
            first, last = int(used[0]), int(used[-1]) + 1
            weight = weights[first:last, :, None]
            begin = start + first - (len(self.weights) - len(self.y))
            o = np.dot(h[first:last], C.T)
            if c is not None:
                o += c
            terms, slope = self.evaluate(o, self.y[begin : begin + last - first])
            # A step without a target may well hold an output that is not finite.
            slope = np.where(weight > 0, slope * weight, 0.0)
            output[first:last] = slope
            hidden[first:last] = np.dot(slope, C)
            loss = np.where(weight[..., 0] > 0, terms * weight[..., 0], 0.0).sum(axis=0)
        return Source(loss, output, hidden)

    def evaluate(self, o: Array, y: NDArray[Any]) -> tuple[Array, Array]:
        """Return the loss of each step (n, N) and its gradient by o (n, N, O)."""
        raise NotImplementedError


class CrossEntropy(_Readout):
    """−log softmax(o)_y, in nats; y (T, N) holds classes."""

    def evaluate(self, o: Array, y: NDArray[Any]) -> tuple[Array, Array]:
        """Return the loss of each step (n, N) and its gradient by o (n, N, O)."""
        o = o - o.max(axis=-1, keepdims=True)
        at = y[..., None]
        chosen = np.take_along_axis(o, at, axis=-1)
        slope = np.exp(o)
        total = slope.sum(axis=-1, keepdims=True)
        slope /= total
        # softmax_y − 1 cancels where the network is sure; what the others hold does not.
        np.put_along_axis(slope, at, 0.0, axis=-1)
        np.put_along_axis(slope, at, -slope.sum(axis=-1, keepdims=True), axis=-1)
        return (np.log(total) - chosen)[..., 0], slope


class SquaredError(_Readout):
    """Mean over the outputs of (o − y)²; y (T, N, O) holds reals."""

    def evaluate(self, o: Array, y: NDArray[Any]) -> tuple[Array, Array]:
        """Return the loss of each step (n, N) and its gradient by o (n, N, O)."""
        error = o - y
        return np.einsum("tno,tno->tn", error, error) / o.shape[-1], 2.0 / o.shape[-1] * error


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
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
        terms = np.where(weights > 0, weights * np.einsum("tnh,nh->tn", h, self.vector), 0.0)
        return Source(terms.sum(axis=0), None, weights[..., None] * self.vector)


def unit_vectors(rng: np.random.Generator, batch: int, hidden: int) -> Array:
    """Draw (N, H) directions, uniform on the sphere."""
    v = rng.standard_normal((batch, hidden))
    return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))
