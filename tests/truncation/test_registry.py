"""Every estimator can be had by its name."""

import numpy as np
import pytest

from bpttcli.errors import InputError
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


@pytest.mark.parametrize(
    ("name", "keys", "says"),
    [
        ("fixd", {}, "must be an estimator, got 'fixd': did you mean 'fixed'"),
        ("fixed", {"lenght": 3}, "must not stand with fixed: did you mean 'length'"),
        ("full", {"length": 3}, "must not stand with full: it has no keys"),
        ("fixed", {"length": 0}, "must be an integer of at least 1, got 0"),
        ("sliding", {"length": 2.5}, "must be an integer of at least 1, got 2.5"),
        ("randomized", {"probability": 1.0}, "must be a number of at least 0 and below 1, got 1"),
        ("randomized", {"probability": -0.1, "reweight": False}, "of at least 0 and below 1"),
        ("randomized", {"probability": float("nan")}, "of at least 0 and below 1, got nan"),
        ("artbp", {"alpha": 1.0}, "must be a number above 1, got 1"),
        ("artbp", {"mean_length": float("inf")}, "must be a number above 1, got inf"),
        ("random-length", {"std": -1.0}, "must be a number of at least 0, got -1"),
        ("random-length", {"short": 1.5}, "must be a number of at least 0"),
        ("random-length", {"shortest": 0}, "must be an integer of at least 1"),
    ],
)
def test_what_is_out_of_bounds_is_refused_without_any_file(name, keys, says):
    with pytest.raises(InputError, match=says) as caught:
        estimator_named(name, **keys)
    assert caught.value.key in ("truncation.name", *(f"truncation.{key}" for key in keys))


def test_integers_and_probabilities_at_their_ends_are_taken():
    assert estimator_named("fixed", length=np.int64(3)).label == "fixed(3)"
    assert estimator_named("randomized", probability=0).label == "randomized(0)"
    assert estimator_named("random-length", short=1.0, std=0.0).random
