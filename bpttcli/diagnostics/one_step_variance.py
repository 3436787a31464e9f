"""The exact variance of random truncation with the loss at one step, for any network."""

from __future__ import annotations

import numpy as np

from bpttcli.diagnostics.lag_tails import Tail
from bpttcli.engine.scaled import Scaled
from bpttcli.truncation.stopping import Stopping


def one_step_variance(tail: Tail, stopping: Stopping) -> Scaled:
    """Sum tr Cov = Σ_{j=1}^{τ−1} (1/S_j − 1/S_{j−1}) ‖V_j‖².

    The gradient of the loss crosses J edges at random, S_j = P(J ≥ j), and v_k is the mean of
    what arrives from lag k, V_j = Σ_{k≥j} v_k. If the j-th edge passes, the expected rest goes
    from V_j/S_{j−1} to V_j/S_j, else to 0: increments that are orthogonal, and a sum in which
    nothing cancels. Weights that make the estimate unbiased only change v_k, which then is
    the whole w_k. With S_j = q^j this is p Σ_j q^−j ‖V_j‖²: Russian roulette, as in Beatson &
    Adams 2019 (arXiv:1905.07006).

    Parameters
    ----------
    tail : Tail
        Of the mean estimate: of the exact gradient for an estimator without bias.
    stopping : Stopping
        Of J, for the step τ that has the loss.

    Returns
    -------
    Scaled of shape ()
    """
    later = tail.norm[1:]
    if not len(later.mantissa):
        return Scaled.of(0.0)
    # 1/S_j − 1/S_{j−1} is the hazard over S_j; what is never reached adds nothing.
    reached = np.isfinite(stopping.log2[1:])
    bits = np.where(reached, -stopping.log2[1:], 0.0)
    whole = np.floor(bits).astype(np.int64)
    weight = np.where(reached, stopping.hazard * np.exp2(bits - whole), 0.0)
    return Scaled(weight * later.mantissa**2, 2 * later.exponent + whole).sum()
