"""Every estimator can be had by its name."""

import numpy as np
import pytest

from bpttcli.truncation.registry import TRUNCATIONS, estimator_named


@pytest.mark.parametrize("name", TRUNCATIONS)
def test_a_name_gives_an_estimator_with_defaults(name):
    estimator = estimator_named(name)
    assert estimator.label.partition("(")[0] == name
    where = np.ones(50, dtype=bool)
    one, again = (estimator.edges(where, np.random.default_rng(1)) for _ in range(2))
    if one is None:
        assert name == "full"
        return
    np.testing.assert_array_equal(one.passing(0, 50), again.passing(0, 50))
    assert (one.passing(0, 50)[0] == 1).all()
    assert one.passing(7, 20).shape == (13, one.rows)


@pytest.mark.parametrize("name", TRUNCATIONS)
def test_only_a_random_one_draws(name):
    estimator = estimator_named(name)
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    estimator.edges(np.ones(50, dtype=bool), rng)
    assert (rng.bit_generator.state != before) == estimator.random


@pytest.mark.parametrize(
    ("name", "key", "number", "next_one"),
    [
        ("randomized", "probability", 0.1234567, 0.1234568),
        ("artbp", "alpha", 6.0, 6.0000001),
        ("artbp", "mean_length", 16.0, 16.0000001),
        ("random-length", "mean_length", 70.0, 70.0000001),
    ],
)
def test_two_estimators_of_a_kind_never_share_a_label(name, key, number, next_one):
    labels = {estimator_named(name, **{key: value}).label for value in (number, next_one)}
    assert len(labels) == 2
