"""Lyapunov exponents: the rates at which perturbations of a trajectory grow or decay."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from bpttcli.diagnostics.frame import Frame
from bpttcli.diagnostics.state_jacobian import state_jacobians, state_size
from bpttcli.engine.scaled import Array
from bpttcli.engine.unroll import Trajectory
from bpttcli.errors import InputError
from bpttcli.record import Record

# Means over this many stretches tell how much an exponent varies along the trajectory.
_BLOCKS = 20
# Exponents below this are zero but for rounding: a sum of them is not growth.
_ROUNDING = 1e-12


class Lyapunov(Record, frozen=True):
    """The leading Lyapunov exponents of a trajectory, largest first.

    Parameters
    ----------
    exponents : (n,) array
        Natural logarithm per step; −inf for a direction that is lost altogether.
    standard_error : (n,) array
        From the means over 20 stretches of the trajectory; NaN where there are none to
        compare. It covers chance along the trajectory, not what a longer transient changes.
    drift : (n,) array
        Mean over the second half of the steps minus that over the first: near 0 if converged.
    transient : int
        Steps that were left out at the beginning.
    kept : int
        Steps that the exponents are means over.
    size : int
        S, how many exponents there are in all.
    """

    exponents: Array
    standard_error: Array
    drift: Array
    transient: int
    kept: int
    size: int

    @property
    def entropy_rate(self) -> float:
        """Sum of the positive exponents (Pesin), nats a step: at most, if some are missing."""
        return float(self.exponents[self.exponents > _ROUNDING].sum())

    @property
    def kaplan_yorke_dimension(self) -> float | None:
        """Dimension of the attractor: j + Σ_{i≤j} λ_i / |λ_{j+1}| (Kaplan & Yorke 1979).

        j is the last with a sum that is not negative; None where the exponents at hand do
        not reach that far.
        """
        sums = np.cumsum(self.exponents)
        falling = np.flatnonzero(sums < -_ROUNDING)
        if not len(falling):
            return float(self.size) if len(sums) == self.size else None
        j = int(falling[0])
        before = float(sums[j - 1]) if j else 0.0
        return j + max(before, 0.0) / abs(float(self.exponents[j]))


def checked_transient(transient: int | None, steps: int) -> int:
    """Give the number of steps at the beginning that do not count.

    Parameters
    ----------
    transient : int or None
        As asked for; None stands for a quarter of the steps. The directions need them to
        align, which is exponentially fast, and the trajectory to forget where it started.
    steps : int
        T.

    Raises
    ------
    InputError
        No step would be left.
    """
    if transient is None:
        return steps // 4
    return _checked(transient, 0, steps - 1, "the steps, less one", "transient")


def lyapunov_spectrum(
    trajectory: Trajectory,
    rng: np.random.Generator,
    *,
    count: int | None = None,
    transient: int | None = None,
    sequence: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Lyapunov:
    """Compute the largest Lyapunov exponents along a trajectory.

    λ_i = lim 1/t ln |(R_t … R_1)_ii| where J_t Q_{t-1} = Q_t R_t (Benettin et al. 1980,
    Meccanica 15:9; for recurrent networks Engelken, Wolf & Abbott 2023, PRR 5:043044, §III).

    Parameters
    ----------
    trajectory : Trajectory
    rng : numpy.random.Generator
        Draws the first directions.
    count : int, optional
        How many exponents; all S unless given.
    transient : int, optional
        Steps at the beginning that do not count; a quarter unless given.
    sequence : int
        Of the batch, from 0.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    Lyapunov

    Raises
    ------
    InputError
        More exponents than numbers in the state, or a transient that leaves no step.
    RunError
        A Jacobian is beyond the range of float64.

    Notes
    -----
    For all exponents of an Elman network, Σ λ_i = ln|det B| + mean_t Σ_i ln φ′(a_{t,i}) over
    the steps that count, to rounding. A direction that a singular Jacobian has removed, be it
    in the transient, stays removed: its exponent is −inf.
    """
    steps, size = trajectory.steps, state_size(trajectory.network)
    count = size if count is None else _checked(count, 1, size, "all states", "lyapunov")
    transient = checked_transient(transient, steps)
    edges = np.linspace(transient, steps, min(_BLOCKS, steps - transient) + 1).round().astype(int)
    frame = Frame(np.linalg.qr(rng.standard_normal((size, count)))[0])
    jacobians = state_jacobians(trajectory, sequence)
    stretches = list(itertools.pairwise([0, *edges.tolist()]))
    growth = np.zeros((len(stretches), count))
    for block, (begin, end) in enumerate(stretches):
        for start in range(begin, end, frame.longest):
            some = list(itertools.islice(jacobians, min(frame.longest, end - start)))
            for factor in frame.carry(some):
                growth[block] += factor.ln_diagonal
            if progress is not None:
                progress(start / steps)
    return _summed_up(growth, edges, size)


def _summed_up(growth: Array, edges: Any, size: int) -> Lyapunov:
    """Average the growth (1 + blocks, n), that of the transient first."""
    lost = np.isinf(growth).any(axis=0)
    blocks = np.where(lost, np.nan, growth[1:])
    lengths = np.diff(edges)
    means = blocks / lengths[:, None]
    half = len(blocks) // 2
    error = drift = np.full(growth.shape[1], np.nan)
    if half:
        error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
        early, late = (
            blocks[part].sum(axis=0) / lengths[part].sum()
            for part in (slice(half), slice(half, None))
        )
        drift = late - early
    exponents = np.where(lost, -np.inf, blocks.sum(axis=0) / lengths.sum())
    order = np.argsort(-exponents, kind="stable")
    figures = (exponents[order], error[order], drift[order])
    for array in figures:
        array.setflags(write=False)
    return Lyapunov(*figures, int(edges[0]), int(lengths.sum()), size)


def _checked(value: int, least: int, most: int, what: str, key: str) -> int:
    """Compare a number with its bounds."""
    if not least <= value <= most:
        raise InputError(
            f"must be an integer from {least} to {most} ({what}), got {value}", key=key
        )
    return value
