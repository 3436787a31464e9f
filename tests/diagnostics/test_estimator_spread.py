"""The standard deviation of an estimator: what is exact of it, and what is drawn."""

import numpy as np
import pytest

from bpttcli.diagnostics.estimator_spread import Spread, Spreads
from bpttcli.diagnostics.gradient_geometry import Geometry
from bpttcli.truncation.artbp import Artbp
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.full import Full
from bpttcli.truncation.random_length import RandomLength
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.sliding import Sliding
from tests.truncation.cases import every, run, targets


def seeds(count):
    return np.random.SeedSequence(3).spawn(count)


def spreads(trajectory, objective, *, draws=100, exact=None):
    """The spreads around the exact gradient, and the mean of each estimator."""
    full = estimate(trajectory, objective).gradient
    found = Spreads(
        trajectory, objective, Geometry(full), seeds=seeds, draws=draws, exact=exact, workers=1
    )

    def mean(estimator):
        edges = estimator.mean(targets(objective))
        return estimate(trajectory, objective, edges).gradient

    return found, mean


@pytest.mark.parametrize("estimator", [Randomized(0.1), Unreweighted(0.1)], ids=str)
@pytest.mark.parametrize("mask", [None, every()], ids=["last", "every"])
def test_a_sampled_spread_is_within_its_error_of_the_exact_one(mask, estimator):
    found, mean = spreads(*run(mask=mask), draws=2000, exact=True)
    exact = found.of(estimator, mean(estimator))
    drawn = found.sampled(estimator, mean(estimator))
    assert (exact.draws, drawn.draws) == (0, 2000)
    for group in ("all", "A", "B", "biases"):
        (std, se), (wanted, none) = drawn.of(group), exact.of(group)
        assert none is None
        assert abs(std - wanted) < 4 * se
        assert 0 < se < 0.2 * std


def test_the_readout_never_varies():
    found, mean = spreads(*run(mask=every()))
    assert found.of(Randomized(0.3), mean(Randomized(0.3))).of("C") == (0.0, None)
    assert found.of(Artbp(3.0, 3.0), mean(Artbp(3.0, 3.0))).of("C") == (0.0, 0.0)


@pytest.mark.parametrize(
    ("estimator", "mask", "how"),
    [
        (Full(), None, "none"),
        (Fixed(3), every(), "none"),
        (Sliding(3), every(), "none"),
        (Randomized(0.0), every(), "none"),
        (Randomized(0.2), None, "exact: loss at one step"),
        (Unreweighted(0.2), None, "exact: loss at one step"),
        (RandomLength(3.0, 1.0, 0.1, 1), None, "exact: loss at one step"),
        (Randomized(0.2), every(), "exact: covariance of the adjoint"),
        (Unreweighted(0.2), every(), "exact: covariance of the adjoint"),
        (RandomLength(3.0, 1.0, 0.1, 1), every(), "sampled"),
        (Artbp(3.0, 3.0), None, "sampled"),
        (Artbp(3.0, 3.0), every(), "sampled"),
    ],
    ids=lambda v: getattr(v, "label", None),
)
def test_only_what_has_no_closed_form_is_drawn(estimator, mask, how):
    spread, mean = spreads(*run(mask=mask), draws=10)
    found = spread.of(estimator, mean(estimator))
    assert found.variance == how
    assert found.draws == (10 if how == "sampled" else 0)
    assert (found.of("B")[1] is not None) == (how == "sampled")


def test_what_is_never_random_has_none():
    assert Spread({}).of("all") == (0.0, None)
