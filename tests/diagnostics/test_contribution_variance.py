"""What the covariance of the adjoints makes of a gradient, against the forward sensitivity."""

from fractions import Fraction

import numpy as np
import pytest

from bpttcli.diagnostics.adjoint_covariance import AdjointCovariance
from bpttcli.diagnostics.contribution_variance import ContributionVariance
from bpttcli.engine.scaled import Scaled
from bpttcli.truncation.randomized import Moments
from tests import naive

STEPS, BATCH, SIZE, GATES, HEARD, WIDTHS = 9, 2, 3, 2, 2, (2, 1)


def fractions(array):
    return np.vectorize(Fraction, otypes=[object])(array)


class Case:
    """Positive numbers of sizes up to 10^±spread; the first state never hears the weights."""

    def __init__(self, seed, spread):
        rng = np.random.default_rng(seed)

        def positive(*shape):
            return rng.uniform(0.5, 1, size=shape) * 10.0 ** rng.uniform(
                -spread, spread, size=(*shape[:2], *[1] * (len(shape) - 2))
            )

        self.J = positive(STEPS, BATCH, SIZE, SIZE)
        self.J[:, :, 0, 1:] = 0.0
        self.E = positive(STEPS, BATCH, GATES, HEARD)
        self.said = positive(STEPS, BATCH, HEARD)
        self.said[[1, 2, 6]] = 0.0
        self.fed = [positive(STEPS, BATCH, width) for width in WIDTHS]
        self.fed[0][5] = 0.0
        self.moments = Moments(0.75, 0.125)

    def found(self, length, part=STEPS):
        """Log10 of both variances, with the steps in parts."""
        adjoint = AdjointCovariance(BATCH, SIZE, slice(1, 3), self.moments)
        summed = ContributionVariance(BATCH, GATES, HEARD, WIDTHS, length)
        for start in reversed(range(0, STEPS, part)):
            span = slice(start, min(start + part, STEPS))
            summed.enter([u[span] for u in self.fed])
            for t in reversed(range(span.start, span.stop)):
                adjoint.receive(self.said[t])
                if not adjoint.certain:
                    summed.add(t - start, Scaled.of(self.E[t]), adjoint)
                if t:
                    summed.back(adjoint.back(Scaled.of(self.J[t])), self.moments.mean)
        return [float(total.log10) for total in summed.total()]

    def wanted(self):
        J, said = (fractions(np.zeros((STEPS, 6, *shape))) for shape in ((6,), ()))
        E = [fractions(np.zeros((STEPS, 6, GATES * width))) for width in WIDTHS]
        for n in range(BATCH):
            own, heard = slice(3 * n, 3 * n + 3), slice(3 * n + 1, 3 * n + 3)
            J[:, own, own], said[:, heard] = fractions(self.J[:, n]), fractions(self.said[:, n])
            for weights, u in zip(E, self.fed, strict=True):
                outer = fractions(self.E[:, n].swapaxes(1, 2))[..., None]
                outer = outer * fractions(u[:, n])[:, None, None]
                weights[:, heard] = outer.reshape(STEPS, HEARD, -1)
        moments = Fraction(self.moments.mean), Fraction(self.moments.variance)
        return [
            naive.log10_of(naive.truncated_variance(J, weights, said, *moments).sum())
            for weights in E
        ]


@pytest.mark.parametrize("length", [1, 2, 4, STEPS])
@pytest.mark.parametrize("spread", [0, 30, 70])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_variance_by_forward_sensitivity(seed, spread, length):
    case = Case(seed, spread)
    np.testing.assert_allclose(case.found(length), case.wanted(), rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("part", [1, 2, 5])
def test_parts_make_no_difference(part, length):
    case = Case(0, 30)
    np.testing.assert_allclose(case.found(length, part), case.found(STEPS), rtol=1e-13)
