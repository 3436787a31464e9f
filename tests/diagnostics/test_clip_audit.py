"""What clipping does over draws and over batches."""

import numpy as np
import pytest

from bpttcli.diagnostics.clip_audit import audit_batches, audit_estimator
from bpttcli.engine.unroll import unroll
from bpttcli.errors import RunError
from bpttcli.truncation.clipping import Limits, clip
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.full import Full
from bpttcli.truncation.randomized import Randomized
from tests.diagnostics.test_comparing import comparing, seeds
from tests.runs import network, probe
from tests.truncation.cases import every, flat, run, targets


def test_one_estimate_is_clipped_once():
    trajectory, objective = run(mask=every())
    compare = comparing(trajectory, objective)
    size = np.linalg.norm(flat(compare.full.gradient))
    found = audit_estimator(compare, Full(), Limits(norm=size / 2), 50)
    assert (found.estimates, found.fired, found.relative_bias_se) == (1, 1.0, None)
    assert found.norm.value[0] == pytest.approx(size, rel=1e-13)
    assert found.clipped_norm.value[0] == pytest.approx(size / 2, rel=1e-13)
    assert found.relative_bias == pytest.approx(0.5, rel=1e-12)
    assert found.cosine[0] == 1.0


def test_draws_are_clipped_one_by_one():
    trajectory, objective = run(mask=every())
    compare = comparing(trajectory, objective)
    estimator, limits = Randomized(0.3), Limits(value=0.05)
    found = audit_estimator(compare, estimator, limits, 40)
    clipped = [
        clip(
            estimate(
                trajectory,
                objective,
                estimator.edges(targets(objective), np.random.default_rng(seed)),
            ).gradient,
            limits,
        )
        for seed in seeds(40)
    ]
    np.testing.assert_allclose(found.norm.value, [c.norm.value for c in clipped], rtol=1e-12)
    np.testing.assert_allclose(found.cosine, [c.cosine for c in clipped], rtol=1e-11)
    assert found.fired == np.mean([c.fired for c in clipped])
    exact = flat(compare.full.gradient)
    mean = np.mean([flat(c.gradient) for c in clipped], axis=0)
    bias = np.linalg.norm(mean - exact) / np.linalg.norm(exact)
    assert found.relative_bias == pytest.approx(bias, rel=1e-11)
    spread = np.mean([((flat(c.gradient) - mean) ** 2).sum() for c in clipped]) / 39
    assert found.relative_bias_se == pytest.approx(
        np.sqrt(spread) / np.linalg.norm(exact), rel=1e-9
    )


def test_limits_that_nothing_reaches_never_fire():
    compare = comparing(*run(mask=every()))
    for estimator in (Full(), Fixed(3), Randomized(0.1)):
        found = audit_estimator(compare, estimator, Limits(norm=1e9, value=1e9), 10)
        assert found.fired == 0
        np.testing.assert_array_equal(found.norm.value, found.clipped_norm.value)


def test_batches_are_clipped_by_their_exact_gradients():
    runs = [run(seed=seed) for seed in range(6)]
    sizes = [np.linalg.norm(flat(estimate(*each).gradient)) for each in runs]
    limit = float(np.median(sizes))
    found = audit_batches(iter(runs), Limits(norm=limit))
    assert (found.label, found.estimates, found.fired) == ("batches", 6, 0.5)
    np.testing.assert_allclose(found.norm.value, sizes, rtol=1e-12)
    np.testing.assert_allclose(found.clipped_norm.value, np.minimum(sizes, limit), rtol=1e-12)
    assert np.isnan(found.relative_bias)


@pytest.mark.parametrize("estimator", [Full(), Randomized(0.1), Fixed(100)], ids=str)
def test_a_gradient_that_is_not_finite_is_refused_with_its_step(estimator):
    """h_t = 10^t leaves float64 at step 309, so that step 310 adds what is not finite."""
    net, x = network("linear", 1.0, 10.0), np.zeros((320, 1, 1))
    trajectory, objective = unroll(net, x, ((np.ones((1, 1)),),)), probe(net, x)
    compare = comparing(trajectory, objective)
    with pytest.raises(RunError, match=r"weight_hh_l0 is .*\(step 310 is the first"):
        audit_estimator(compare, estimator, Limits(norm=1.0), 2)
    with pytest.raises(RunError, match=r"weight_hh_l0 is .*\(step 310 is the first"):
        audit_batches([(trajectory, objective)], Limits(norm=1.0))


def test_a_zero_gradient_has_no_angle():
    net, x = network("linear", 1.0, 0.5), np.ones((4, 1, 1))
    compare = comparing(unroll(net, x), probe(net, x, vector=0.0))
    found = audit_estimator(compare, Full(), Limits(norm=1.0), 2)
    assert np.isnan([found.mean_cosine, found.least_cosine]).all()


def test_workers_change_no_bit():
    one, two = (comparing(*run(mask=every()), workers=workers) for workers in (1, 2))
    found = [audit_estimator(each, Randomized(0.3), Limits(norm=0.1), 40) for each in (one, two)]
    assert found[0].norm.mantissa.tobytes() == found[1].norm.mantissa.tobytes()
    assert found[0].relative_bias == found[1].relative_bias
