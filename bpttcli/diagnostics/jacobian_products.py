"""How far a change at one step reaches: singular values of ∂h_T/∂h_t by lag."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.frame import Frame
from bpttcli.diagnostics.graded_triangle import GradedTriangle
from bpttcli.diagnostics.state_jacobian import state_jacobians, state_size
from bpttcli.engine.scaled import LOG10_2, Array
from bpttcli.engine.unroll import Trajectory
from bpttcli.record import Record

# Lags that are looked at where not all are: fewer where each of them takes long.
_LAGS, _LAGS_IF_LARGE, _LARGE = 64, 16, 128


class JacobianProducts(Record, frozen=True):
    """Singular values of J_T … J_{t+1} = ∂(states of T)/∂(states of t) by lag T − t.

    Parameters
    ----------
    lag : (n,) array of int
        Rising, from 0, where all values are 1.
    largest_log10, median_log10, smallest_log10 : (n,) array
        Decimal logarithms; −inf for an exact zero.
    """

    lag: NDArray[np.int64]
    largest_log10: Array
    median_log10: Array
    smallest_log10: Array


def chosen_lags(steps: int, most: int, wanted: Iterable[int] = ()) -> list[int]:
    """Choose lags from 0 to T − 1: all, or those wanted and others spaced logarithmically.

    Parameters
    ----------
    steps : int
        T.
    most : int
        How many, unless more are wanted.
    wanted : iterable of int
        Those beyond T − 1 are left out.

    Examples
    --------
    >>> chosen_lags(4, 10)
    [0, 1, 2, 3]
    >>> chosen_lags(1000, 10, [1, 10, 100])
    [0, 1, 3, 7, 10, 19, 52, 100, 139, 372, 999]
    """
    if steps <= most:
        return list(range(steps))
    kept = {0, steps - 1, *(k for k in wanted if k < steps)}
    points, lags = 1, kept
    # Small lags fall together when rounded: more points are laid until enough are apart.
    while len(lags) < most:
        points += 1
        lags = kept | set(np.geomspace(1, steps - 1, points).round().astype(int).tolist())
    return sorted(lags)


def jacobian_products(
    trajectory: Trajectory,
    *,
    sequence: int = 0,
    lags: Iterable[int] = (),
    every_lag: bool = False,
    progress: Callable[[float], None] | None = None,
) -> JacobianProducts:
    """Follow the product of the Jacobians from the last step back.

    Parameters
    ----------
    trajectory : Trajectory
    sequence : int
        Of the batch, from 0.
    lags : iterable of int
        Lags to look at among others, as far as there are steps.
    every_lag : bool
        Look at all T lags; else at up to 64 of them, 16 for more than 128 states.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    JacobianProducts
        The small values are as accurate as the large ones: see Notes.

    Raises
    ------
    RunError
        A Jacobian is beyond the range of float64.

    Notes
    -----
    A state is the whole of what is carried on: with layers, or with the cell state of an
    LSTM, a change of one part leaves the others of that step as they are, whereas an adjoint
    ∂ℓ/∂h_t counts what the change does to them at once.

    In a plain product everything below 1e-16 of the largest value is rounding. Here
    (J_T … J_{t+1})ᵀ = Q R is kept as its triangle R, a product of the small triangles of
    `Frame`, with an exponent for each row (see `GradedTriangle`).
    """
    size, steps = state_size(trajectory.network), trajectory.steps
    most = steps if every_lag else _LAGS if size <= _LARGE else _LAGS_IF_LARGE
    chosen = chosen_lags(steps, most, lags)
    frame, product = Frame(np.eye(size)), GradedTriangle.identity(size)
    transposed = (J.T for J in state_jacobians(trajectory, sequence, backward=True))
    found = []
    for before, lag in itertools.pairwise([0, *chosen]):
        for start in range(before, lag, frame.longest):
            some = list(itertools.islice(transposed, min(frame.longest, lag - start)))
            for factor in frame.carry(some):
                product = product.after(factor)
        found.append(product.log2_singular_values())
        if progress is not None:
            progress(lag / steps)
    columns = np.array(found).T * LOG10_2
    columns.setflags(write=False)
    largest, median, smallest = columns
    return JacobianProducts(np.array(chosen, dtype=np.int64), largest, median, smallest)
