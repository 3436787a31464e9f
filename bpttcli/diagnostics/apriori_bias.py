"""The bias that the decay of the adjoint lets one expect, before any gradient is truncated."""

from __future__ import annotations

import numpy as np

from bpttcli.diagnostics.state_adjoint import state_adjoint
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Array, Scaled, norms, shift
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import Input, Trajectory
from bpttcli.record import Record

# What is this much smaller than the adjoint at the loss tells nothing more of its decay.
_SMALLEST = 1e-12


class APrioriBias(Record, frozen=True):
    """Estimates of the bias of sliding windows from norms alone.

    With φ_k = ‖∂ℓ/∂h_{τ−k}‖, summed over the losses, and ‖∂h/∂θ‖ ≤ M, what lags from m on
    would add is at most E_m = M Σ_{k≥m} φ_k; so the relative bias is at most
    E_m/(‖ĝ_m‖ − E_m), ĝ_m being the gradient of the m lags that are kept. h is all that the
    network carries. M is measured (`largest_gain`), and lags beyond K are extrapolated: with
    a loss at one step and all its lags this is a bound, else as good as these two.

    Parameters
    ----------
    decay : float
        β, by which φ falls per lag; NaN below two positive values.
    gain : float
        M: the largest ratio of what a step adds to the gradient to its adjoint.
    bound : (K,) array
        The relative bound of m = 1 … K kept lags; infinite where E_m ≥ ‖ĝ_m‖.

    References
    ----------
    Aicher, Foti & Fox 2019, *Adaptively truncating backpropagation through time to control
    gradient bias* (arXiv:1905.07473), theorem 1; their K keeps lags 0 … K.
    """

    decay: float
    gain: float
    bound: Array

    def length(self, target: float) -> int | None:
        """The shortest window whose bound is within `target`; None if none of these is."""
        within = np.flatnonzero(self.bound <= target)
        return int(within[0]) + 1 if len(within) else None


def apriori_bias(
    adjoint: Scaled, kept: Array, exact: Scaled, gain: float, *, steps: int
) -> APrioriBias:
    """Bound the bias of windows of every length.

    Parameters
    ----------
    adjoint : Scaled of shape (K,)
        φ_k, k = 0 … K − 1 (`LagProfile.states`).
    kept : (K,) array
        ‖ĝ_m‖/‖g‖ for m = 1 … K kept lags.
    exact : Scaled of shape ()
        ‖g‖.
    gain : float
        M (`largest_gain`).
    steps : int
        T: beyond lag T − 1 there is nothing.
    """
    with np.errstate(all="ignore"):
        decay = decay_per_lag(adjoint)
        level = int(exact.exponent)
        phi = Scaled(adjoint.mantissa, adjoint.exponent - level).value / float(exact.mantissa)
        beyond = 0.0
        if len(phi) < steps and decay < 1:
            beyond = float(phi[-1]) * decay / (1.0 - decay)
        elif len(phi) < steps:
            beyond = float("inf")
        # Lags from m on, for m = 1 … K: the last of them has only what lies beyond.
        tails = np.append(np.cumsum(phi[:0:-1])[::-1], 0.0) + beyond
        error = gain * tails
        bound = np.where(kept > error, error / (kept - error), np.inf)
    return APrioriBias(decay, gain, bound)


def decay_per_lag(adjoint: Scaled) -> float:
    """Fit the factor per lag to the adjoint's norms by lag, from the loss on.

    Parameters
    ----------
    adjoint : Scaled of shape (K,)

    Returns
    -------
    float
        β; NaN below two positive norms.
    """
    logs = adjoint.ln
    alive = np.isfinite(logs) & (logs > logs[0] + np.log(_SMALLEST))
    lags = np.flatnonzero(alive)
    if len(lags) < 2:
        return float("nan")
    centred = lags - lags.mean()
    with np.errstate(over="ignore"):
        return float(np.exp(centred @ logs[lags] / (centred @ centred)))


def largest_gain(trajectory: Trajectory, objective: Objective) -> float:
    """M: the largest ratio, over steps and sequences, of what a step adds to its adjoint.

    It is at most max_t ‖∂h_t/∂θ‖, h_t being all states of all layers, and that of the
    directions in which the adjoint really points: with losses at several steps, that of all
    of them together.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    """
    network = trajectory.network
    sweep = Sweep(network, trajectory.batch)
    largest = 0.0
    with np.errstate(all="ignore"):
        for window in trajectory.windows():
            top = window.tapes[-1].states[0][1:]
            source = objective.source(network, top, window.start, window.stop)
            entering = None if source.hidden is None else source.hidden[:, None]
            layers = sweep.through(window, entering)
            adjoint = state_adjoint(layers)[:, 0]
            squares = np.zeros(adjoint.mantissa.shape)
            for k, swept in enumerate(layers):
                delta, own = swept.deltas(network.cell, window.tapes[k])
                layer, before = network.layers[k], window.tapes[k].states[0][:-1]
                fed = _square(trajectory.layer_input(window, k)) + (layer.bias_ih is not None)
                squares += _ratio(delta, adjoint) ** 2 * fed
                squares += _ratio(own, adjoint) ** 2 * (
                    _square(before) + (layer.bias_hh is not None)
                )
            squares = squares[np.isfinite(squares)]
            largest = max(largest, float(squares.max(initial=0.0)))
    return float(np.sqrt(largest))


def _square(fed: Input) -> Array:
    """‖u‖² of what was fed at each step of each sequence; 1 for a symbol."""
    if fed.ndim == 2:
        return np.ones(fed.shape)
    return np.asarray(np.einsum("tni,tni->tn", fed, fed))


def _ratio(delta: Scaled, adjoint: Scaled) -> Array:
    """‖δ‖ over the adjoint's norm."""
    size = norms(delta.mantissa)
    mantissa = size.mantissa / adjoint.mantissa
    return shift(mantissa, size.exponent + delta.exponent[..., 0] - adjoint.exponent)
