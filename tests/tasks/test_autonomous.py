"""No input, and a state that is drawn."""

import numpy as np

from bpttcli.experiment.build import build
from bpttcli.experiment.schema import Experiment, Model
from bpttcli.tasks.autonomous import Autonomous


def problem(seed=0, **model):
    return build(Experiment(seed=seed, task=Autonomous(steps=5, batch=2), model=Model(**model)))


def test_nothing_is_fed_and_nothing_asked():
    sequences = Autonomous(steps=7, batch=3, inputs=2).sequences(np.random.default_rng(0))
    assert sequences.x.shape == (7, 3, 2)
    assert not sequences.x.any()
    assert (sequences.y, sequences.loss, sequences.random_start) == (None, None, True)


def test_every_state_of_every_layer_starts_at_random_from_the_seed():
    one, same, other = (problem(seed, cell="lstm", hidden=6, layers=2).start for seed in (1, 1, 2))
    flat = [state for layer in one for state in layer]
    assert len(flat) == 4
    assert all(state.shape == (2, 6) and state.all() for state in flat)
    np.testing.assert_array_equal(flat, [state for layer in same for state in layer])
    assert not np.array_equal(flat, [state for layer in other for state in layer])


def test_the_network_is_the_one_that_another_task_would_meet():
    with_input = build(Experiment(seed=3, model=Model(hidden=4))).network
    alone = problem(3, hidden=4).network
    assert alone.n_inputs == 1
    assert alone.layers[0].hidden == with_input.layers[0].hidden


def test_a_model_keeps_its_own_width_and_biases():
    parameters = {
        "weight_ih_l0": [[1.0, 2.0, 3.0]],
        "weight_hh_l0": [[0.5]],
        "bias_hh_l0": [0.25],
    }
    alone = problem(parameters=parameters, cell="linear")
    assert alone.sequences.n_inputs == 3
    assert alone.network.layers[0].bias_hh == 0.25
