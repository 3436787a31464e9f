"""The temporal order problem."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.errors import InputError
from bpttcli.tasks.temporal_order import TemporalOrder


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(10, 120), relevant=st.sampled_from([2, 3]), seed=st.integers(0, 2**32))
def test_the_target_is_the_order_of_the_relevant_symbols(steps, relevant, seed):
    task = TemporalOrder(steps=steps, batch=6, relevant=relevant)
    sequences = task.sequences(np.random.default_rng(seed))
    for x, y in zip(sequences.x.T, sequences.y[0], strict=True):
        found = x[x < 2]
        assert len(found) == relevant
        assert y == int("".join(map(str, found)), base=2)
    assert (sequences.n_inputs, sequences.n_outputs) == (6, 2**relevant)


@pytest.mark.parametrize(
    ("relevant", "places"),
    [(2, {*range(10, 20), *range(40, 50)}), (3, {*range(10, 20), *range(30, 40), *range(60, 70)})],
)
def test_each_relevant_symbol_stands_in_a_tenth_of_its_own(relevant, places):
    x = TemporalOrder(batch=400, relevant=relevant).sequences(np.random.default_rng(0)).x
    assert set(np.flatnonzero((x < 2).any(axis=1))) == places
    assert set(np.unique(x)) == set(range(6))


@pytest.mark.parametrize(("relevant", "classes"), [(2, 4), (3, 8)])
def test_guessing_costs_the_logarithm_of_the_number_of_classes(relevant, classes):
    sequences = TemporalOrder(relevant=relevant, batch=200).sequences(np.random.default_rng(0))
    assert (sequences.loss, sequences.at) == ("cross_entropy", "last")
    assert math.isclose(sequences.baseline, math.log(classes), rel_tol=1e-15)
    assert set(np.unique(sequences.y)) == set(range(classes))


def test_a_tenth_is_at_least_one_step():
    with pytest.raises(InputError, match=r"at least 10 .*, got 9") as error:
        TemporalOrder(steps=9)
    assert error.value.key == "task.steps"
