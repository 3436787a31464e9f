"""What happens along a trajectory, where B alone does not decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bpttcli.diagnostics.extreme_values import LARGEST_DENSE
from bpttcli.diagnostics.jacobian_products import JacobianProducts, jacobian_products
from bpttcli.diagnostics.lyapunov import Lyapunov, checked_transient, lyapunov_spectrum
from bpttcli.diagnostics.state_jacobian import state_size
from bpttcli.engine.cells.cell import Tape
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import Trajectory
from bpttcli.record import Record

# Exponents that are computed where nobody says how many: all up to so many states, else ten.
_ALL_UP_TO, _SOME = 128, 10


class Slopes(Record, frozen=True):
    """How steep the units are along one sequence, after the transient.

    Parameters
    ----------
    mean, spread : float or None
        Mean and standard deviation of φ′(a_t) over steps and units of all layers; None for
        a gated cell, which has more than one φ.
    saturated : float
        Share of saturated units.
    """

    mean: float | None
    spread: float | None
    saturated: float


class TrajectorySpectrum(Record, frozen=True):
    """The product of the Jacobians along one sequence, from several sides.

    Parameters
    ----------
    lyapunov : Lyapunov or None
        None where no exponent was asked for.
    products : JacobianProducts or None
        None where they were skipped: above 500 states, unless everything was asked for.
    slopes : Slopes
    transient : int
        Steps at the beginning that exponents and slopes leave out.
    adjoint : Scaled of shape (T,)
        ‖g_t‖ by step: of the top layer, the mean over the batch.
    """

    lyapunov: Lyapunov | None
    products: JacobianProducts | None
    slopes: Slopes
    transient: int
    adjoint: Scaled


def trajectory_spectrum(
    trajectory: Trajectory,
    adjoint: Scaled,
    rng: np.random.Generator,
    *,
    exponents: int | None = None,
    transient: int | None = None,
    lags: Sequence[int] = (),
    every_lag: bool = False,
    full: bool = False,
    progress: Callable[[float], None] | None = None,
) -> TrajectorySpectrum:
    """Follow the first sequence of a trajectory.

    Parameters
    ----------
    trajectory : Trajectory
    adjoint : Scaled of shape (T,)
        ‖g_t‖ by step, as `grad_norms` reports it.
    rng : numpy.random.Generator
        Draws the first directions of the exponents.
    exponents : int, optional
        How many Lyapunov exponents, 0 for none; unless given all, but ten above 128 states.
    transient : int, optional
        Steps left out at the beginning; a quarter unless given.
    lags : sequence of int
        Lags to look at among others, as far as there are steps.
    every_lag : bool
        Look at the product at every lag, not at a choice of them.
    full : bool
        Look at the product above 500 states too.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    TrajectorySpectrum

    Raises
    ------
    InputError
        More exponents than states, or a transient that leaves no step.
    RunError
        A Jacobian is beyond the range of float64.
    """
    size = state_size(trajectory.network)
    if exponents is None:
        exponents = size if size <= _ALL_UP_TO else _SOME
    report = progress or (lambda share: None)
    lyapunov = products = None
    transient = checked_transient(transient, trajectory.steps)
    if exponents:
        lyapunov = lyapunov_spectrum(
            trajectory,
            rng,
            count=exponents,
            transient=transient,
            progress=lambda share: report(share / 2),
        )
    if full or size <= LARGEST_DENSE:
        products = jacobian_products(
            trajectory,
            lags=lags,
            every_lag=every_lag,
            progress=lambda share: report(0.5 + share / 2),
        )
    slopes = _slopes(trajectory, transient)
    return TrajectorySpectrum(lyapunov, products, slopes, transient, adjoint)


def _slopes(trajectory: Trajectory, transient: int) -> Slopes:
    """Average over the steps after the transient, all layers of the first sequence."""
    cell = trajectory.network.cell
    slopes, saturated = [], []
    for window in trajectory.windows(backward=False):
        kept = slice(max(transient - window.start, 0), None)
        for tape in window.tapes:
            one = Tape(
                *(tuple(a[:, :1] for a in part) for part in (tape.states, tape.slopes, tape.gates))
            )
            saturated.append(cell.saturated(one)[kept])
            if cell.mean_slope(one) is not None:  # then φ′ is all that the tape holds
                slopes.append(tape.slopes[0][kept, 0].ravel())
    share = float(np.concatenate(saturated).mean())
    if not slopes:
        return Slopes(None, None, share)
    every = np.concatenate(slopes)
    return Slopes(float(every.mean()), float(every.std()), share)
