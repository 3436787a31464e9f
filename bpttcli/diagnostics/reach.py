"""How far back a gradient reaches: growth per step, half-life, horizon."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import Array, Scaled
from bpttcli.record import Record


class Reach(Record, frozen=True):
    """The decay of the propagated adjoint p_t with its lag τ − t.

    Parameters
    ----------
    by_lag : Scaled of shape (lags,)
        ‖p‖ by lag, from lag 0 on: the mean over the sequences that are that long.
    growth_per_step : float or None
        exp of the least-squares slope of ln‖p‖ against the lag, exact zeros left out; None
        below two positive points, infinite beyond the range of float64.
    horizon : int or None
        The largest lag at which ‖p‖ ≥ ε‖p_τ‖; None where p_τ is 0 or undefined.
    horizon_is_bound : bool
        Whether the first step is still above ε, so that the horizon may lie beyond it.
    zero_beyond_lag : int or None
        The last lag at which p is not exactly 0, if it is exactly 0 from there on.
    """

    by_lag: Scaled
    growth_per_step: float | None
    horizon: int | None
    horizon_is_bound: bool
    zero_beyond_lag: int | None

    @property
    def half_life(self) -> float | None:
        """Steps in which it halves, ln ½ / ln(growth); None where it does not shrink."""
        growth = self.growth_per_step
        if growth is None or growth >= 1 or growth == 0:
            return None
        return math.log(0.5) / math.log(growth)

    @property
    def log10_ratio(self) -> float:
        """log10 of ‖p‖ at the largest lag over ‖p_τ‖; −inf for an exact zero, NaN undefined."""
        logs = self.by_lag.log10
        return float("nan") if logs[0] == -np.inf else float(logs[-1] - logs[0])


def reach_of(propagated: Scaled, last_target: NDArray[np.int64], epsilon: float) -> Reach:
    """Measure the reach of a propagated adjoint.

    Parameters
    ----------
    propagated : Scaled of shape (T, N)
        ‖p_t‖ of each sequence.
    last_target : (N,) array of int
        τ, from 1 to T.
    epsilon : float
        Share of ‖p_τ‖ that still counts as reached.

    Returns
    -------
    Reach
    """
    by_lag = _by_lag(propagated, last_target)
    logs = by_lag.ln
    alive = np.flatnonzero(by_lag.mantissa != 0)
    defined = bool(len(alive)) and bool(np.isfinite(by_lag.mantissa).all())
    if not defined or alive[0] != 0:
        return Reach(by_lag, None, None, False, None)
    last = int(alive[-1])
    cut = last if last < len(logs) - 1 else None
    horizon = _horizon(by_lag, epsilon)
    growth = growth_per_step(logs, alive)
    return Reach(by_lag, growth, horizon, horizon == len(logs) - 1, cut)


def _horizon(by_lag: Scaled, epsilon: float) -> int:
    """Find the last lag at which a share ε of the first is left."""
    # As ratios, not logarithms: a growth of ½ reaches ε = ¼ at lag 2, to the last digit.
    ratio = Scaled(by_lag.mantissa / by_lag.mantissa[0], by_lag.exponent - by_lag.exponent[0])
    return int(np.flatnonzero(ratio.value >= epsilon)[-1])


def _by_lag(propagated: Scaled, last_target: NDArray[np.int64]) -> Scaled:
    """Average over sequences at equal lag, which is equal time if they end together."""
    if (last_target == last_target[0]).all():
        together = propagated[: last_target[0]][::-1]
        # The mean of one sequence is itself, without a copy of a million steps.
        return together[:, 0] if len(last_target) == 1 else together.mean(axis=1)
    longest = int(last_target.max())
    mantissa = np.zeros((longest, len(last_target)))
    exponent = np.zeros(mantissa.shape, dtype=np.int64)
    count = np.zeros(longest)
    for n, tau in enumerate(last_target):
        own = propagated[:tau, n][::-1]
        mantissa[:tau, n], exponent[:tau, n] = own.mantissa, own.exponent
        count[:tau] += 1
    total = Scaled(mantissa, exponent).sum(axis=1)
    return Scaled(total.mantissa / count, total.exponent)


def growth_per_step(logs: Array, alive: NDArray[Any]) -> float | None:
    """Fit a line to logarithms over the lags at which there is anything.

    Parameters
    ----------
    logs : (lags,) array
        Natural logarithms by lag.
    alive : (n,) array of int
        The lags that count.

    Returns
    -------
    float or None
        exp of the slope; None below two lags.
    """
    if len(alive) < 2:
        return None
    lag = alive - alive.mean()
    level = logs[alive]
    level -= level.mean()
    slope = float(lag @ level / (lag @ lag))
    with np.errstate(over="ignore", under="ignore"):
        return float(np.exp(slope))
