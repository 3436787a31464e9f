"""How far an estimate of the gradient is from the exact one, and what it costs."""

from __future__ import annotations

import math

from bpttcli.engine.scaled import Scaled
from bpttcli.record import Record

#: A sampled variance whose own error is infinite in the long run.
UNSETTLED = "sampled: cannot settle"


class Quality(Record, frozen=True):
    """An estimator against the exact gradient g of the same batch, for one group of parameters.

    A figure is NaN where ‖g‖ = 0, or where it leaves the range of float64.

    Parameters
    ----------
    relative_bias : float
        ‖E ĝ − g‖/‖g‖.
    relative_std : float
        √tr Cov(ĝ)/‖g‖.
    cosine : float
        Of E ĝ to g; NaN where E ĝ = 0.
    norm_ratio : float
        ‖E ĝ‖/‖g‖.
    relative_std_se : float or None
        Standard error of a sampled `relative_std`; None where it is exact.
    """

    relative_bias: float
    relative_std: float
    cosine: float
    norm_ratio: float
    relative_std_se: float | None = None

    @property
    def relative_rmse(self) -> float:
        """√(bias² + std²)."""
        return math.hypot(self.relative_bias, self.relative_std)

    @property
    def relative_rmse_se(self) -> float | None:
        """Standard error of `relative_rmse`; None where it is exact."""
        if self.relative_std_se is None or not self.relative_rmse > 0:
            return self.relative_std_se
        return self.relative_std_se * self.relative_std / self.relative_rmse

    def rmse_at_cost(self, share: float) -> float:
        """The error that is left where the cost of the exact gradient is spent on averaging.

        Parameters
        ----------
        share : float
            Cost of one estimate, in units of the exact gradient's.
        """
        return math.hypot(self.relative_bias, self.relative_std * math.sqrt(min(share, 1.0)))


class EstimatorQuality(Record, frozen=True):
    """An estimator, its distance from the exact gradient, and its cost.

    Parameters
    ----------
    label : str
        ``fixed(20)``.
    random : bool
    groups : dict of str to Quality
        ``all``, ``A``, ``B``, ``C``, ``biases``, and single parameters where asked for.
    variance : str
        How the standard deviation was found: ``none``, ``exact: loss at one step``, ``exact:
        covariance of the adjoint``, ``sampled`` or `UNSETTLED`. Biases are exact always.
    draws : int
        Draws of a sampled figure, else 0.
    edges_kept : float
        Steps that a loss goes back, on average over the losses.
    cost : float
        `edges_kept` in units of the exact gradient's, from 0 to 1.
    seconds : float
        Of one estimate, forward pass included.
    peak_bytes : int
        Of the arrays that an estimate has to keep until the gradient has passed them.
    adjoint : Scaled of shape (T,)
        ‖E ĝ_t‖ of the top layer: the mean over the batch.
    """

    label: str
    random: bool
    groups: dict[str, Quality]
    variance: str
    draws: int
    edges_kept: float
    cost: float
    seconds: float
    peak_bytes: int
    adjoint: Scaled

    @property
    def exact(self) -> tuple[str, ...]:
        """The names of the figures that are exact, and not sampled."""
        always = ("relative_bias", "cosine", "norm_ratio")
        sampled = self.variance.startswith("sampled")
        return always if sampled else (*always, "relative_std", "relative_rmse")

    @property
    def rmse_at_equal_cost(self) -> float:
        """Of all parameters, with the exact gradient's cost spent on averaging estimates."""
        return self.groups["all"].rmse_at_cost(self.cost)
