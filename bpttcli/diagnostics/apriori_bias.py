"""The bias that the decay of the adjoint lets one expect, before any gradient is truncated."""

from __future__ import annotations

import numpy as np

from bpttcli.engine.contributions import contribution_norms
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import Trajectory
from bpttcli.record import Record

# What is this much smaller than the adjoint at the loss tells nothing more of its decay.
_SMALLEST = 1e-12


class APrioriBias(Record, frozen=True):
    """Bounds on the bias of sliding windows from norms alone.

    With φ_k = ‖∂ℓ/∂h_{τ−k}‖, summed over the losses, and ‖∂h/∂θ‖ ≤ M, what lags from m on
    would add is at most E_m = M Σ_{k≥m} φ_k; so the relative bias is at most
    E_m/(‖ĝ_m‖ − E_m), ĝ_m being the gradient of the m lags that are kept.

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
        φ_k, k = 0 … K − 1 (`LagProfile.adjoint`).
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
    slope = np.polynomial.Polynomial.fit(lags, logs[lags], 1).convert().coef[1]
    return float(np.exp(slope))


def largest_gain(trajectory: Trajectory, objective: Objective) -> float:
    """M: the largest ratio over steps of what a step adds to the gradient to its adjoint.

    Of one sequence and one layer it is at most max_t ‖∂h_t/∂θ‖, and that of the directions
    in which the adjoint really points.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    """
    network = trajectory.network
    sweep = Sweep(network, trajectory.batch)
    largest = 0.0
    for window in trajectory.windows():
        top = window.tapes[-1].states[0][1:]
        with np.errstate(all="ignore"):
            source = objective.source(network, top, window.start, window.stop)
            entering = None if source.hidden is None else source.hidden[:, None]
            layers = sweep.through(window, entering)
            adjoint = layers[-1].norm[0][:, 0].mean(axis=1)
            squares = np.zeros(len(top))
            for k, swept in enumerate(layers):
                delta, own = swept.deltas(network.cell, window.tapes[k])
                ones = np.ones((*top.shape[:2], 1))
                layer = network.layers[k]
                parts = [(delta, trajectory.layer_input(window, k))]
                parts.append((own, window.tapes[k].states[0][:-1]))
                parts += [(delta, ones)] * (layer.bias_ih is not None)
                parts += [(own, ones)] * (layer.bias_hh is not None)
                for each, fed in parts:
                    norm = contribution_norms(each, fed)
                    ratio = Scaled(
                        norm.mantissa / adjoint.mantissa, norm.exponent - adjoint.exponent
                    )
                    squares += ratio.value**2
        squares = squares[np.isfinite(squares)]
        largest = max(largest, float(squares.max(initial=0.0)))
    return float(np.sqrt(largest))
