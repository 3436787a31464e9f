"""The standard deviation of an estimator: exact where there is a way, else from draws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bpttcli.diagnostics.exact_variance import exact_variance, variance_cost
from bpttcli.diagnostics.gradient_geometry import Geometry, Gradient
from bpttcli.diagnostics.lag_tails import LagTails
from bpttcli.diagnostics.one_step_variance import one_step_variance
from bpttcli.engine.edges import Edges
from bpttcli.engine.losses import Objective
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import Trajectory
from bpttcli.record import Record
from bpttcli.truncation.draws import draw_gradients
from bpttcli.truncation.estimator import Estimator, Targets
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.stopping import Stopped, Stopping

Seeds = Callable[[int], list[np.random.SeedSequence]]

# Floating-point operations up to which an exact variance is not worth drawing instead: a second.
_AFFORDABLE = 2e10


class Spread(Record, frozen=True):
    """√tr Cov(ĝ)/‖g‖ of an estimator.

    Parameters
    ----------
    std : dict of str to float
        By group of parameters; 0 for a group that is not in it.
    se : dict of str to float or None
        The standard errors of sampled figures; None where they are exact.
    variance : str
        How they were found: ``none``, ``exact: loss at one step``, ``exact: covariance of the
        adjoint`` or ``sampled``.
    draws : int
        Draws of sampled figures, else 0.
    """

    std: dict[str, float]
    se: dict[str, float] | None = None
    variance: str = "none"
    draws: int = 0

    def of(self, group: str) -> tuple[float, float | None]:
        """The figure of a group, and its standard error."""
        return self.std.get(group, 0.0), None if self.se is None else self.se.get(group, 0.0)


class Spreads:
    """Finds the spreads of the estimators of one gradient.

    Parameters
    ----------
    trajectory : Trajectory
    objective : Objective
    geometry : Geometry
        Of the exact gradient.
    seeds : callable
        Gives so many seeds of independent draws, the same ones whenever asked.
    draws : int
        For what can only be sampled.
    exact : bool, optional
        Compute the variance through the covariance of the adjoint: always or never; where it
        is affordable unless given.
    workers : int
        Threads for the draws.
    """

    def __init__(
        self,
        trajectory: Trajectory,
        objective: Objective,
        geometry: Geometry,
        *,
        seeds: Seeds,
        draws: int,
        exact: bool | None,
        workers: int,
    ) -> None:
        self._trajectory, self._objective, self._geometry = trajectory, objective, geometry
        self._seeds, self._draws, self._exact, self._workers = seeds, draws, exact, workers
        self._targets: Targets = np.asarray((objective.weights > 0).any(axis=1))
        self._tails: LagTails | None = None

    @property
    def tails(self) -> LagTails | None:
        """What lies beyond each lag of the exact gradient, where the loss stands at one step."""
        if self._tails is None and np.count_nonzero(self._targets) == 1:
            self._tails = LagTails(self._trajectory, self._objective)
        return self._tails

    def of(
        self,
        estimator: Estimator,
        mean: Gradient,
        progress: Callable[[float], None] | None = None,
    ) -> Spread:
        """Find the spread of one estimator.

        Parameters
        ----------
        estimator : Estimator
        mean : dict of str to Scaled
            E ĝ.
        progress : callable, optional
            Called with the share of the work that is done, from 0 to 1.
        """
        if not estimator.random or getattr(estimator, "probability", 1) == 0:
            return Spread({})
        if self.tails is not None and isinstance(estimator, Stopped):
            stopping = estimator.stopping(self.tails.lags)
            variance = self._one_step(estimator.mean(self._targets), stopping)
            return Spread(self._roots(variance), None, "exact: loss at one step")
        if isinstance(estimator, Randomized | Unreweighted) and self._affordable():
            variance = exact_variance(
                self._trajectory, self._objective, estimator.moments, progress
            )
            return Spread(self._roots(variance), None, "exact: covariance of the adjoint")
        return self.sampled(estimator, mean, progress)

    def sampled(
        self,
        estimator: Estimator,
        mean: Gradient,
        progress: Callable[[float], None] | None = None,
    ) -> Spread:
        """Draw the spread around the exact mean, whether or not there is another way.

        Parameters
        ----------
        estimator : Estimator
            A random one.
        mean : dict of str to Scaled
            E ĝ.
        progress : callable, optional
            Called with the share of the work that is done, from 0 to 1.
        """
        geometry = self._geometry
        groups = [group for group in geometry.groups if not geometry.is_zero(group)]
        centre = {group: geometry.flat(_recurrent(mean), group) for group in groups}
        squares: dict[str, list[float]] = {group: [] for group in groups}
        for gradients, factors in draw_gradients(
            self._trajectory,
            self._objective,
            estimator,
            self._seeds(self._draws),
            workers=self._workers,
            progress=progress,
        ):
            for row in range(len(factors)):
                one = {n: Scaled(v.mantissa[row], v.exponent[row]) for n, v in gradients.items()}
                for group in groups:
                    off = geometry.flat(one, group) - centre[group]
                    length = geometry.length(off, group)
                    squares[group].append(length * length)  # ** would raise where this is inf
        found = {group: _root_mean(np.array(values)) for group, values in squares.items()}
        std = {group: root for group, (root, _) in found.items()}
        se = {group: error for group, (_, error) in found.items()}
        return Spread(std, se, "sampled", self._draws)

    def _affordable(self) -> bool:
        """Whether the covariance of the adjoint is asked for, or takes no time."""
        if self._exact is None:
            return variance_cost(self._trajectory) < _AFFORDABLE
        return self._exact

    def _one_step(self, mean: Edges | None, stopping: Stopping) -> Gradient:
        """Find tr Cov by parameter, given the edges of the mean."""
        tails = self.tails if mean is None else None
        tails = tails or LagTails(self._trajectory, self._objective, mean)
        return {name: one_step_variance(tails.of(name), stopping) for name in tails.names}

    def _roots(self, variance: Gradient) -> dict[str, float]:
        """√(Σ tr Cov)/‖g‖ over the parameters of each group."""
        return {group: self._root(variance, group) for group in self._geometry.groups}

    def _root(self, variance: Gradient, group: str) -> float:
        parts = [variance[name] for name in self._geometry.groups[group] if name in variance]
        if not parts or self._geometry.is_zero(group):
            return 0.0
        total = Scaled(
            np.array([float(part.mantissa) for part in parts]),
            np.array([int(part.exponent) for part in parts]),
        ).sum()
        return self._geometry.relative(total.sqrt(), group)


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
