"""How much of the gradient crosses how many steps: what every window cuts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.gradient_geometry import Geometry, Gradient
from bpttcli.diagnostics.lag_tails import LagTails
from bpttcli.diagnostics.state_adjoint import state_adjoint
from bpttcli.engine.edges import into_rows
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Array, Scaled
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import Trajectory
from bpttcli.record import Record
from bpttcli.truncation.row_gradients import RowGradients
from bpttcli.truncation.sliding import Windows

# Float64 numbers of the terms w_k: 1 GiB.
_MOST_NUMBERS = 2**27


class LagProfile(Record, frozen=True):
    """The gradient by the number of steps it crosses, for lags k = 0 … K − 1.

    Parameters
    ----------
    norm : dict of str to (K,) array
        ‖w_k‖/‖g‖ for each group of parameters; the readout crosses nothing.
    share : dict of str to (K,) array
        ⟨Σ_{j≤k} w_j, g⟩/‖g‖²: how much of the gradient has arrived from lags up to k. It ends
        at 1, and may pass it or fall below 0 on the way.
    bias : dict of str to (K,) array
        ‖g − Σ_{j≤k} w_j‖/‖g‖, the relative bias of sliding(k + 1).
    adjoint : Scaled of shape (K,)
        Σ_τ ‖∂ℓ_τ/∂h_{τ−k}‖ of the top layer, ℓ_τ being the part of ℓ_n of one step: the mean
        over the sequences.
    states : Scaled of shape (K,)
        The same of all states of all layers (see `state_adjoint`).
    """

    norm: dict[str, Array]
    share: dict[str, Array]
    bias: dict[str, Array]
    adjoint: Scaled
    states: Scaled

    @property
    def lags(self) -> int:
        """K, the number of lags."""
        return len(self.adjoint.mantissa)


def lag_profile(
    trajectory: Trajectory,
    objective: Objective,
    exact: Gradient,
    geometry: Geometry,
    lags: int,
    progress: Callable[[float], None] | None = None,
) -> LagProfile:
    """Take the gradient apart by lag.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    exact : dict of str to Scaled
        ∂L/∂θ.
    geometry : Geometry
        Of `exact`.
    lags : int
        K, at most T.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    LagProfile
        Of fewer lags where so many terms would not fit into memory.

    See Also
    --------
    profile_at_one_step : the same from the tails, where the loss stands at one step.
    """
    numbers = sum(value.mantissa.size for value in exact.values())
    lags = max(1, min(lags, trajectory.steps, _MOST_NUMBERS // numbers))
    terms, adjoint, states = terms_by_lag(trajectory, objective, lags, progress)
    norm, share, bias = {}, {}, {}
    for group in geometry.groups:
        if geometry.is_zero(group):
            norm[group] = share[group] = bias[group] = np.full(lags, np.nan)
            continue
        # The readout's own gradient crosses nothing: it is all in w_0.
        still = {n: v for n, v in exact.items() if n.startswith("readout")}
        norm[group], share[group], bias[group] = np.empty((3, lags))
        arrived = np.zeros(0)
        for k in range(lags):
            row = {name: Scaled(v.mantissa[k], v.exponent[k]) for name, v in terms.items()}
            w = geometry.flat(row | (still if k == 0 else {}), group)
            arrived = w if k == 0 else arrived + w
            norm[group][k] = geometry.length(w, group)
            share[group][k] = geometry.projection(arrived, group)
            bias[group][k] = geometry.distance(arrived, group)
    return LagProfile(norm, share, bias, adjoint, states)


def profile_at_one_step(
    tails: LagTails, adjoint: Scaled, exact: Gradient, geometry: Geometry, lags: int
) -> LagProfile:
    """Take a gradient apart whose loss stands at one step τ, where a lag is a step.

    Parameters
    ----------
    tails : LagTails
    adjoint : Scaled of shape (T,)
        ‖∂ℓ_n/∂h_t‖ of the top layer: the mean over the batch.
    exact : dict of str to Scaled
    geometry : Geometry
        Of `exact`.
    lags : int
        K; no more than τ are there.
    """
    lags = min(lags, tails.lags)
    found = {name: tails.of(name) for name in tails.names}
    norm, share, bias = {}, {}, {}
    for group, names in geometry.groups.items():
        if geometry.is_zero(group):
            norm[group] = share[group] = bias[group] = np.full(lags, np.nan)
            continue
        crossing = [found[name] for name in names if name in found]
        norm[group] = _joint([tail.term for tail in crossing], group, geometry, lags)
        beyond = _joint([tail.norm for tail in crossing], group, geometry, lags + 1)
        bias[group] = beyond[1:]
        left = np.zeros(lags + 1)
        for name in names:
            if name in found:
                along = tails.along(name, exact[name])
                left += _padded(geometry.relative_square(along, group), lags + 1)
        share[group] = 1.0 - left[1:]
        still = [exact[name] for name in names if name not in found]
        if still:
            # The readout's own gradient crosses nothing: it is all in w_0.
            own = sum(geometry.relative_square(_square(value), group) for value in still)
            norm[group][0] = np.sqrt(norm[group][0] ** 2 + own)
    by_lag = adjoint[: tails.lags][::-1][:lags]
    return LagProfile(norm, share, bias, by_lag, tails.states[:lags])


def _square(value: Scaled) -> Scaled:
    size = value.norm()
    return Scaled(size.mantissa**2, 2 * size.exponent)


def _joint(parts: list[Scaled], group: str, geometry: Geometry, lags: int) -> Array:
    """Lengths of several parameters together, over ‖g‖."""
    total = np.zeros(lags)
    for part in parts:
        square = Scaled(part.mantissa**2, 2 * part.exponent)
        total += _padded(geometry.relative_square(square, group), lags)
    return np.sqrt(total)


def _padded(values: Array, lags: int) -> Array:
    """Zeros beyond the last lag."""
    return np.append(values, np.zeros(max(0, lags - len(values))))[:lags]


def terms_by_lag(
    trajectory: Trajectory,
    objective: Objective,
    lags: int,
    progress: Callable[[float], None] | None = None,
) -> tuple[Gradient, Scaled, Scaled]:
    """w_k of every parameter but the readout's, (K, …), and the adjoints' norms by lag.

    Row r of one sweep holds the losses of the steps τ with τ mod K = r, each cut after K
    steps, so that at step t it is at lag (r − t) mod K.
    """
    residues = np.arange(lags)
    windows = Windows(lags, residues)
    sweep = Sweep(trajectory.network, trajectory.batch, lags)
    gathered = RowGradients(trajectory, lags)
    adjoint = states = Scaled(np.zeros(lags), np.zeros(lags, dtype=np.int64))
    for whole in trajectory.windows():
        for window in whole.parts(sweep.longest):
            top = window.tapes[-1].states[0][1:]
            with np.errstate(all="ignore"):
                source = objective.source(trajectory.network, top, window.start, window.stop)
            if source.hidden is None and sweep.silent:
                continue
            weights = windows.entering(window.start, window.stop)
            entering = into_rows(source.hidden, weights, lags)
            passing = windows.passing(window.start, window.stop)
            layers = sweep.through(window, entering, passing)
            steps = np.arange(window.start + 1, window.stop + 1)[:, None]
            order = (steps + residues) % lags
            gathered.add(window, layers, order)
            adjoint = adjoint + _summed(layers[-1].norm[0], order)
            states = states + _summed(state_adjoint(layers), order)
        if progress is not None:
            progress(1 - whole.start / trajectory.steps)
    means = [Scaled(x.mantissa / trajectory.batch, x.exponent) for x in (adjoint, states)]
    return gathered.total(), means[0], means[1]


def _summed(norm: Scaled, order: NDArray[np.int64]) -> Scaled:
    """Add up norms (n, R, N) whose rows stand at the lags `order` (n, R), lag by lag."""
    by_lag = Scaled(
        np.take_along_axis(norm.mantissa, order[..., None], 1),
        np.take_along_axis(norm.exponent, order[..., None], 1),
    )
    return by_lag.sum(axis=(0, 2))
