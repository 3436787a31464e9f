"""Estimators of the gradient side by side with the exact one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.apriori_bias import decay_per_lag
from bpttcli.diagnostics.estimator_cost import cost_of
from bpttcli.diagnostics.estimator_quality import UNSETTLED, EstimatorQuality, Quality
from bpttcli.diagnostics.exact_variance import exact_variance, variance_cost
from bpttcli.diagnostics.gradient_geometry import Geometry, Gradient
from bpttcli.diagnostics.lag_profile import LagProfile, lag_profile, profile_at_one_step
from bpttcli.diagnostics.lag_tails import LagTails
from bpttcli.diagnostics.last_step_variance import cut_off_variance, reweighted_variance
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import Trajectory, unroll
from bpttcli.record import Record
from bpttcli.truncation.draws import draw_gradients
from bpttcli.truncation.estimate import Estimate, estimate
from bpttcli.truncation.estimator import Estimator
from bpttcli.truncation.full import Full
from bpttcli.truncation.random_length import RandomLength
from bpttcli.truncation.randomized import Randomized, Unreweighted

Seeds = Callable[[int], list[np.random.SeedSequence]]

# Floating-point operations up to which an exact variance is not worth drawing instead: a second.
_AFFORDABLE = 2e10


class Comparison(Record, frozen=True):
    """Estimators of one gradient side by side.

    Parameters
    ----------
    loss : float
        L.
    gradient : dict of str to Scaled
        ∂L/∂θ, exact.
    estimators : tuple of EstimatorQuality
        The exact one first, the others by their error at equal cost.
    profile : LagProfile
    warnings : tuple of str
        Doubts about the figures, each with a next step.
    """

    loss: float
    gradient: Gradient
    estimators: tuple[EstimatorQuality, ...]
    profile: LagProfile
    warnings: tuple[str, ...]


class Comparing:
    """What all estimators of a comparison share.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    seeds : callable
        Gives so many seeds of independent draws, the same ones whenever asked.
    draws : int
        For what can only be sampled.
    exact : bool, optional
        Compute the variance through the covariance of the adjoint: always or never; where it
        is affordable unless given.
    each : bool
        Report single parameters besides the groups.
    workers : int
        Threads for the draws.
    """

    def __init__(
        self,
        trajectory: Trajectory,
        objective: Objective,
        *,
        seeds: Seeds,
        draws: int = 100,
        exact: bool | None = None,
        each: bool = False,
        workers: int = 1,
    ) -> None:
        self.trajectory, self.objective = trajectory, objective
        self.targets = np.asarray((objective.weights > 0).any(axis=1))
        self.full, self.full_seconds = self._timed(None)
        self.geometry = Geometry(self.full.gradient, each=each)
        self.seeds, self._draws, self._exact, self._workers = seeds, draws, exact, workers
        self._full_cost = cost_of(Full(), self.targets, [])
        self._tails: LagTails | None = None

    def quality(
        self, estimator: Estimator, progress: Callable[[float], None] | None = None
    ) -> EstimatorQuality:
        """Measure one estimator.

        Parameters
        ----------
        estimator : Estimator
        progress : callable, optional
            Called with the share of the work that is done, from 0 to 1.
        """
        mean_edges = estimator.mean(self.targets)
        if isinstance(estimator, Full):
            mean, seconds = self.full, self.full_seconds
        elif estimator.random and mean_edges is None:
            rng = np.random.default_rng(self.seeds(1)[0])
            _, seconds = self._timed(estimator.edges(self.targets, rng))
            mean = self.full
        else:
            mean, seconds = self._timed(mean_edges)
        std, how, draws = self._spread(estimator, mean.gradient, progress)
        cost = cost_of(estimator, self.targets, self.seeds(32))
        network, batch = self.trajectory.network, self.trajectory.batch
        return EstimatorQuality(
            estimator.label,
            estimator.random,
            {
                group: self._figures(group, mean.gradient, *std.get(group, (0.0, None)))
                for group in self.geometry.groups
            },
            how,
            draws,
            cost.edges,
            cost.edges / self._full_cost.edges if self._full_cost.edges else 1.0,
            seconds,
            cost.peak_bytes(network, batch),
            mean.adjoint.mean(axis=1),
        )

    def spread_of_all(self, estimator: Randomized) -> tuple[float, str]:
        """Relative standard deviation of an unbiased estimator, and how it was found."""
        std, how, _ = self._spread(estimator, self.full.gradient, None)
        return std.get("all", (0.0, None))[0], how

    def tails(self) -> LagTails | None:
        """What lies beyond each lag, where the loss stands at one step."""
        if self._tails is None and np.count_nonzero(self.targets) == 1:
            self._tails = LagTails(self.trajectory, self.objective)
        return self._tails

    def profile(self, lags: int, progress: Callable[[float], None] | None = None) -> LagProfile:
        """Take the exact gradient apart by lag."""
        exact, tails = self.full.gradient, self.tails()
        if tails is not None:
            adjoint = self.full.adjoint.mean(axis=1)
            return profile_at_one_step(tails, adjoint, exact, self.geometry, lags)
        return lag_profile(self.trajectory, self.objective, exact, self.geometry, lags, progress)

    def _timed(self, edges: object) -> tuple[Estimate, float]:
        """Make one estimate from the forward pass on, and take the time."""
        begin = time.perf_counter()
        given = self.trajectory
        trajectory = unroll(given.network, given.x, given.start)
        found = estimate(trajectory, self.objective, edges)  # type: ignore[arg-type]
        return found, time.perf_counter() - begin

    def _figures(self, group: str, mean: Gradient, std: float, se: float | None) -> Quality:
        """Measure the mean of an estimator in one group."""
        geometry = self.geometry
        if geometry.is_zero(group):
            return Quality(*(float("nan"),) * 4)
        flat = geometry.flat(mean, group)
        return Quality(
            geometry.distance(flat, group),
            std,
            geometry.cosine(flat, group),
            geometry.length(flat, group),
            se,
        )

    def _spread(
        self, estimator: Estimator, mean: Gradient, progress: Callable[[float], None] | None
    ) -> tuple[dict[str, tuple[float, float | None]], str, int]:
        """Relative standard deviation and its standard error by group, and how it was found."""
        if not estimator.random or getattr(estimator, "probability", 1) == 0:
            return {}, "none", 0
        by_name = self._one_step_variance(estimator, mean)
        how = "exact: loss at one step"
        if by_name is None and isinstance(estimator, Randomized | Unreweighted):
            affordable = variance_cost(self.trajectory) < _AFFORDABLE
            if self._exact or (self._exact is None and affordable):
                by_name = exact_variance(
                    self.trajectory, self.objective, estimator.moments, progress
                )
                how = "exact: covariance of the adjoint"
        if by_name is not None:
            return {g: (self._root(by_name, g), None) for g in self.geometry.groups}, how, 0
        return self._sampled(estimator, mean, progress), "sampled", self._draws

    def _one_step_variance(self, estimator: Estimator, mean: Gradient) -> Gradient | None:
        """Find tr Cov by parameter where one step has the loss; None where it takes draws."""
        if not isinstance(estimator, Randomized | Unreweighted | RandomLength):
            return None
        tails = self.tails()
        if tails is None:
            return None
        found: Gradient = {}
        for name, exact in self.full.gradient.items():
            if name.startswith("readout"):
                continue
            if isinstance(estimator, Randomized):
                found[name] = reweighted_variance(tails.of(name), estimator.probability)
            else:
                off = exact + Scaled(-mean[name].mantissa, mean[name].exponent)
                off = off.aligned()
                reach = estimator.reach(tails.lags)
                along = tails.along(name, off)
                found[name] = cut_off_variance(tails.of(name), along, reach, off.norm())
        return found

    def _root(self, variance: Gradient, group: str) -> float:
        """√(Σ tr Cov)/‖g‖ over the parameters of a group."""
        parts = [variance[name] for name in self.geometry.groups[group] if name in variance]
        if not parts or self.geometry.is_zero(group):
            return 0.0
        total = Scaled(
            np.array([float(part.mantissa) for part in parts]),
            np.array([int(part.exponent) for part in parts]),
        ).sum()
        odd = int(total.exponent) % 2
        root = Scaled(np.sqrt(total.mantissa * 2.0**odd), (total.exponent - odd) // 2)
        return self.geometry.relative(root, group)

    def _sampled(
        self, estimator: Estimator, mean: Gradient, progress: Callable[[float], None] | None
    ) -> dict[str, tuple[float, float | None]]:
        """Draw the standard deviation around the exact mean, with its standard error."""
        geometry = self.geometry
        groups = [group for group in geometry.groups if not geometry.is_zero(group)]
        centre = {group: geometry.flat(_recurrent(mean), group) for group in groups}
        squares: dict[str, list[float]] = {group: [] for group in groups}
        seeds = self.seeds(self._draws)
        for gradients, factors in draw_gradients(
            self.trajectory,
            self.objective,
            estimator,
            seeds,
            workers=self._workers,
            progress=progress,
        ):
            for row in range(len(factors)):
                one = {n: Scaled(v.mantissa[row], v.exponent[row]) for n, v in gradients.items()}
                for group in groups:
                    off = geometry.flat(one, group) - centre[group]
                    squares[group].append(geometry.length(off, group) ** 2)
        return {group: _root_mean(np.array(values)) for group, values in squares.items()}


def _recurrent(gradient: Gradient) -> Gradient:
    """Leave the readout out, which no truncation touches."""
    return {name: v for name, v in gradient.items() if not name.startswith("readout")}


def _root_mean(squares: NDArray[np.float64]) -> tuple[float, float]:
    """The root of the mean of squares, and its standard error."""
    mean = float(squares.mean())
    if mean == 0:
        return 0.0, 0.0
    se = float(squares.std(ddof=1)) / math.sqrt(len(squares))
    return math.sqrt(mean), se / (2.0 * math.sqrt(mean))


def compare_truncation(
    comparing: Comparing,
    estimators: Sequence[Estimator],
    *,
    lags: int = 200,
    progress: Callable[[float], None] | None = None,
) -> Comparison:
    """Measure estimators against the exact gradient.

    Parameters
    ----------
    comparing : Comparing
    estimators : sequence of Estimator
    lags : int
        Of the lag profile.
    progress : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    Comparison
    """
    parts = len(estimators) + 1

    def part(i: int) -> Callable[[float], None] | None:
        return None if progress is None else lambda share: progress((i + share) / parts)

    found = []
    for i, estimator in enumerate(estimators):
        found.append(comparing.quality(estimator, part(i)))
        if progress is not None:
            progress((i + 1) / parts)
    profile = comparing.profile(lags, part(len(estimators)))
    doubts = dict(_doubts(found, estimators, profile))
    found = [
        msgspec.structs.replace(each, variance=UNSETTLED) if each.label in doubts else each
        for each in found
    ]
    found.sort(key=_error)
    return Comparison(
        float(comparing.full.loss.mean()),
        comparing.full.gradient,
        (comparing.quality(Full()), *found),
        profile,
        tuple(doubts.values()),
    )


def _doubts(
    found: list[EstimatorQuality], estimators: Sequence[Estimator], profile: LagProfile
) -> Iterator[tuple[str, str]]:
    """Name the estimators whose sampled spread cannot settle, and say why.

    A sampled variance has a finite error only where the fourth moment of the estimate has:
    of a network whose adjoint is multiplied by β per lag, where β⁴ < (1 − p)³.
    """
    beta = decay_per_lag(profile.adjoint)
    drawn = {each.label for each in found if each.draws}
    for each in estimators:
        if isinstance(each, Randomized) and each.label in drawn:
            q = 1.0 - each.probability
            if beta**4 >= q**3:
                yield (
                    each.label,
                    f"the sampled std of {each.label} cannot settle, however many the draws: each "
                    f"step back multiplies the gradient by {beta:.3g}, and {beta:.3g}^4 is not "
                    f"below (1 - p)^3 = {q**3:.3g}; --exact-variance computes it",
                )


def _error(quality: EstimatorQuality) -> tuple[bool, float]:
    """Sort by the error at equal cost; what has none, or none to trust, comes last."""
    error = quality.rmse_at_equal_cost
    return math.isnan(error) or quality.variance == UNSETTLED, error
