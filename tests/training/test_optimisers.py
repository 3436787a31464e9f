"""Optimisers against 20 updates of PyTorch's (2.13, float64), stored in files/optimisers.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.training.optimisers import OPTIMISERS, optimiser_named

STORED = json.loads((Path(__file__).parent / "files" / "optimisers.json").read_text())
CURVATURE, NOISE = np.array(STORED["curvature"]), np.array(STORED["noise"])


def descend(optimiser, theta, updates):
    """Go down the bowl of the stored figures, whose gradient has noise of its own each time."""
    path = []
    for n in updates:
        optimiser.step(theta, CURVATURE * theta + NOISE[n], STORED["lr"])
        path.append(theta.copy())
    return path


@pytest.mark.parametrize("case", STORED["cases"].values(), ids=STORED["cases"])
def test_twenty_updates_are_those_of_pytorch(case):
    theta = np.array(STORED["start"])
    optimiser = optimiser_named(case["optimiser"], len(theta), **case["options"])
    found = descend(optimiser, theta, range(20))
    np.testing.assert_allclose(found, case["path"], rtol=1e-12, atol=1e-14)


def test_every_optimiser_has_stored_figures():
    assert {case["optimiser"] for case in STORED["cases"].values()} == set(OPTIMISERS)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_state_taken_over_goes_on_to_the_same_bits(name):
    theta = np.array(STORED["start"])
    first = optimiser_named(name, len(theta))
    descend(first, theta, range(7))
    second = optimiser_named(name, len(theta))
    second.load({key: value.copy() for key, value in first.state.items()})
    went_on = theta.copy()
    descend(first, theta, range(7, 20))
    descend(second, went_on, range(7, 20))
    assert theta.tobytes() == went_on.tobytes()


def test_a_state_of_another_optimiser_or_size_is_refused():
    for other in (optimiser_named("sgd", 3), optimiser_named("adam", 4)):
        with pytest.raises(InputError, match="another optimiser"):
            optimiser_named("adam", 3).load(other.state)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_parameter_at_rest_stays_there(name):
    """No gradient, no decay, no momentum: no update, and no 0/0."""
    theta = np.array([1.0, -2.0])
    optimiser_named(name, 2, weight_decay=0.0).step(theta, np.zeros(2), 0.1)
    assert theta.tolist() == [1.0, -2.0]


def test_a_misspelt_optimiser_gets_the_nearest():
    with pytest.raises(InputError, match="mean 'rmsprop'"):
        optimiser_named("rmsprob", 3)
