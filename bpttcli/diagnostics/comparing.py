"""One gradient, exact, and what is measured against it: estimators, lags."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from bpttcli.diagnostics.estimator_cost import cost_of
from bpttcli.diagnostics.estimator_quality import EstimatorQuality, Quality
from bpttcli.diagnostics.estimator_spread import Seeds, Spread, Spreads
from bpttcli.diagnostics.gradient_geometry import Geometry, Gradient
from bpttcli.diagnostics.lag_profile import LagProfile, lag_profile, profile_at_one_step
from bpttcli.engine.edges import Edges
from bpttcli.engine.losses import Objective
from bpttcli.engine.unroll import Trajectory, unroll
from bpttcli.truncation.estimate import Estimate, estimate
from bpttcli.truncation.estimator import Estimator
from bpttcli.truncation.full import Full

# What takes less is timed more than once, since the first time is the slowest.
_SHORT, _TIMES = 0.002, 3

_T = TypeVar("_T")


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

    Attributes
    ----------
    targets : (T,) array of bool
        Whether any sequence has a target at step t.
    full : Estimate
        The exact gradient.
    geometry : Geometry
        Its groups, lengths and angles.
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
        self.seeds, self.workers = seeds, workers
        # All estimates share the forward pass, whose time is part of each of theirs.
        given = trajectory
        _, self._forward = _timed(lambda: unroll(given.network, given.x, given.start))
        self.full, self._full_seconds = self._timed(None)
        self.geometry = Geometry(self.full.gradient, each=each)
        self._full_cost = cost_of(Full(), self.targets, [])
        self._profiles: dict[int, LagProfile] = {}
        self._spreads = Spreads(
            trajectory,
            objective,
            self.geometry,
            seeds=seeds,
            draws=draws,
            exact=exact,
            workers=workers,
        )

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
        mean, seconds = self._mean(estimator)
        spread = self._spreads.of(estimator, mean.gradient, progress)
        cost = cost_of(estimator, self.targets, self.seeds(32))
        network, batch = self.trajectory.network, self.trajectory.batch
        return EstimatorQuality(
            label=estimator.label,
            random=estimator.random,
            groups={
                group: self._figures(group, mean.gradient, *spread.of(group))
                for group in self.geometry.groups
            },
            variance=spread.variance,
            draws=spread.draws,
            edges_kept=cost.edges,
            cost=cost.edges / self._full_cost.edges if self._full_cost.edges else 1.0,
            seconds=seconds,
            peak_bytes=cost.peak_bytes(network, batch),
            adjoint=mean.adjoint.mean(axis=1),
        )

    def spread(self, estimator: Estimator) -> Spread:
        """Find the spread of an estimator without bias."""
        return self._spreads.of(estimator, self.full.gradient)

    def profile(self, lags: int, progress: Callable[[float], None] | None = None) -> LagProfile:
        """Take the exact gradient apart by lag.

        Parameters
        ----------
        lags : int
            K; no more than there are.
        progress : callable, optional
            Called with the share of the work that is done, from 0 to 1.
        """
        if lags not in self._profiles:
            self._profiles[lags] = self._profile(lags, progress)
        return self._profiles[lags]

    def _profile(self, lags: int, progress: Callable[[float], None] | None) -> LagProfile:
        exact, tails = self.full.gradient, self._spreads.tails
        if tails is not None:
            adjoint = self.full.adjoint.mean(axis=1)
            return profile_at_one_step(tails, adjoint, exact, self.geometry, lags)
        return lag_profile(self.trajectory, self.objective, exact, self.geometry, lags, progress)

    def _mean(self, estimator: Estimator) -> tuple[Estimate, float]:
        """E ĝ, and the time that one estimate takes."""
        edges = estimator.mean(self.targets)
        if edges is not None:
            return self._timed(edges)
        if not estimator.random:
            return self.full, self._full_seconds
        rng = np.random.default_rng(self.seeds(1)[0])
        return self.full, self._timed(estimator.edges(self.targets, rng))[1]

    def _timed(self, edges: Edges | None) -> tuple[Estimate, float]:
        """Make one estimate, and take its time, forward pass included."""
        found, seconds = _timed(lambda: estimate(self.trajectory, self.objective, edges))
        return found, self._forward + seconds

    def _figures(self, group: str, mean: Gradient, std: float, se: float | None) -> Quality:
        """Measure the mean of an estimator in one group."""
        geometry = self.geometry
        if geometry.is_zero(group):
            return Quality(*(float("nan"),) * 4)
        flat = geometry.flat(mean, group)
        return Quality(
            relative_bias=geometry.distance(flat, group),
            relative_std=std,
            cosine=geometry.cosine(flat, group),
            norm_ratio=geometry.length(flat, group),
            relative_std_se=se,
        )


def _timed(make: Callable[[], _T]) -> tuple[_T, float]:
    """Do something, again if it is short, and take the shortest time."""
    seconds = float("inf")
    for _ in range(_TIMES):
        begin = time.perf_counter()
        made = make()
        seconds = min(seconds, time.perf_counter() - begin)
        if seconds > _SHORT:
            break
    return made, seconds
