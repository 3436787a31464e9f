"""The exact variance of random truncation with the loss at one step, for any network.

With w_k the part of the gradient that crosses k steps and R_j = Σ_{k≥j} w_k, both kinds of
random estimator come down to the lengths of the tails R_j.
"""

from __future__ import annotations

import numpy as np

from bpttcli.diagnostics.lag_tails import Tail
from bpttcli.engine.scaled import Array, Scaled


def reweighted_variance(tail: Tail, probability: float) -> Scaled:
    """Sum tr Cov = p Σ_{j=1}^{τ−1} q^−j ‖R_j‖² of cuts with probability p, reweighted by 1/q.

    The weights Z_k of what crosses k edges have E Z_k Z_l = q^−min(k,l), and
    q^−m − 1 = p Σ_{j=1}^m q^−j: Russian roulette, as in Beatson & Adams 2019
    (arXiv:1905.07006).

    Parameters
    ----------
    tail : Tail
    probability : float
        p, in [0, 1).

    Returns
    -------
    Scaled of shape ()
    """
    later = tail.norm[1:]
    if probability == 0 or not len(later.mantissa):
        return Scaled.of(0.0)
    bits = -np.arange(1, len(later.mantissa) + 1) * np.log2(1.0 - probability)
    whole = np.floor(bits).astype(np.int64)
    weight = probability * np.exp2(bits - whole)
    return Scaled(weight * later.mantissa**2, 2 * later.exponent + whole).sum()


def cut_off_variance(tail: Tail, along: Scaled, reach: Array, bias: Scaled) -> Scaled:
    """Sum tr Cov = Σ_j π_j ‖(g − m) − R_{j+1}‖² of cuts that are not reweighted.

    Such an estimate is Σ_{k≤J} w_k = g − R_{J+1}, J being the random number of steps to the
    last cut, and m is its mean.

    Parameters
    ----------
    tail : Tail
    along : Scaled of shape (τ,)
        ⟨R_j, g − m⟩ (`LagTails.along`).
    reach : (τ,) array
        P(J ≥ k), k = 0 … τ − 1.
    bias : Scaled of shape ()
        ‖g − m‖.

    Returns
    -------
    Scaled of shape ()
    """
    chance = reach - np.append(reach[1:], 0.0)
    beyond, along = _next(tail.norm), _next(along)
    terms = (
        Scaled(chance * bias.mantissa**2, np.full(len(chance), 2 * bias.exponent)),
        Scaled(-2.0 * chance * along.mantissa, along.exponent),
        Scaled(chance * beyond.mantissa**2, 2 * beyond.exponent),
    )
    # Each length by itself first: where two of its terms cancel, others are larger.
    total = (terms[0] + terms[2] + terms[1]).sum()
    return Scaled(np.maximum(total.mantissa, 0.0), total.exponent)


def _next(values: Scaled) -> Scaled:
    """Move on by one lag; nothing lies beyond the last."""
    return Scaled(np.append(values.mantissa[1:], 0.0), np.append(values.exponent[1:], 0))
