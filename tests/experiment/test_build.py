"""From an experiment to a network, its sequences and a loss that fit each other."""

import msgspec
import numpy as np
import pytest

from bpttcli.engine.cells import CELLS
from bpttcli.errors import InputError
from bpttcli.experiment.build import build
from bpttcli.experiment.load import Option, load
from bpttcli.experiment.schema import Experiment, Init, Loss, Model
from bpttcli.tasks.registry import task_class


def task(name, **keys):
    return task_class(name)(name=name, **keys)


def problem(**sections):
    return build(Experiment(**sections))


def refusal(**sections):
    with pytest.raises(InputError) as caught:
        problem(**sections)
    return caught.value.key, str(caught.value)


WEIGHTS = {"weight_ih_l0": [[1.0, 0.0]] * 3, "weight_hh_l0": np.eye(3).tolist()}
DATA = task("data", x=[[[1.0, 2.0]] * 2] * 4)  # four steps of two sequences of two numbers


def test_what_was_left_open_is_filled_in():
    built = problem()
    assert (built.experiment.loss.name, built.experiment.loss.at) == ("mse", "last")
    model = built.experiment.model
    assert (model.cell, model.hidden, model.layers) == ("tanh", 64, 1)
    assert built.network.parameters["weight_hh_l0"].shape == (64, 64)
    assert built.warnings == ()


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_is_built_with_zero_initial_states(cell):
    built = problem(model=Model(cell=cell, hidden=5, layers=2), task=task("adding", batch=3))
    assert built.network.cell.name == cell
    assert [layer.hidden for layer in built.network.layers] == [5, 5]
    for layer in built.start:
        assert len(layer) == len(built.network.cell.states)
        assert all(state.shape == (3, 5) and not state.any() for state in layer)


def test_another_network_meets_the_same_sequences_and_other_sequences_the_same_network():
    one, two = problem(), problem(model=Model(hidden=8))
    assert (one.sequences.x == two.sequences.x).all()
    longer = problem(task=task("adding", steps=150))
    for name, value in one.network.parameters.items():
        assert (value == longer.network.parameters[name]).all()


def test_the_seed_decides_everything():
    assert (problem().sequences.x != problem(seed=1).sequences.x).any()
    again = problem(seed=1).network.parameters["weight_hh_l0"]
    assert (problem(seed=1).network.parameters["weight_hh_l0"] == again).all()


@pytest.mark.parametrize("name", ["adding", "scalar-linear", "sunspots", "text", "identity-relu"])
def test_a_resolved_experiment_builds_the_same_problem(name):
    first = build(load(name, options=[Option("--batch", "task.batch", 1)]).experiment)
    again = build(first.experiment)
    assert again.experiment == first.experiment
    assert (again.sequences.x == first.sequences.x).all()
    for name, value in first.network.parameters.items():
        assert (value == again.network.parameters[name]).all()


def test_parameters_may_stand_in_the_experiment():
    built = problem(model=Model(cell="linear", parameters=WEIGHTS), task=DATA)
    assert built.network.layers[0].B.tolist() == np.eye(3).tolist()
    assert (built.experiment.model.hidden, built.experiment.model.layers) == (3, 1)


def test_parameters_without_a_cell_are_taken_for_tanh_with_a_note():
    built = problem(model=Model(parameters=WEIGHTS), task=DATA)
    assert built.network.cell.name == "tanh"
    assert "--cell" in built.warnings[0]


def test_noise_is_as_wide_as_the_model(tmp_path):
    np.savez(tmp_path / "model.npz", **WEIGHTS)
    built = problem(model=Model(cell="relu", file=str(tmp_path / "model.npz")), task=task("noise"))
    assert built.sequences.n_inputs == 2
    assert built.experiment.task.inputs == 2
    assert built.experiment.loss.name == "probe"


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"hidden": 4}, "model.hidden"),
        ({"layers": 2}, "model.layers"),
        ({"init": Init(gain=2.0)}, "model.init.gain"),
        ({"init": Init(name="identity")}, "model.init.name"),
        ({"init": Init(spectral_radius=1.0)}, "model.init.spectral_radius"),
    ],
)
def test_what_contradicts_a_given_network_is_refused(keys, key):
    model = Model(cell="tanh", parameters=WEIGHTS, **keys)
    assert refusal(model=model, task=DATA)[0] == key
    same = msgspec.structs.replace(model, hidden=3, layers=1, init=Init())
    assert problem(model=same, task=DATA).network.layers[0].hidden == 3


def test_a_network_of_the_wrong_width_is_refused():
    wide = task("data", x=[[[1.0, 2.0, 3.0]]] * 4)
    model = Model(cell="tanh", parameters=WEIGHTS)
    assert refusal(model=model, task=wide)[0] == "task.x"
    symbols = task("data", x=[0, 1, 2], tokens=True)
    assert refusal(model=model, task=symbols) == (
        "task.x",
        "must hold symbols from 0 to 1 (the network has 2 inputs), got 2",
    )


def test_parameters_that_contradict_each_other_are_refused_under_their_key():
    model = Model(cell="tanh", parameters=WEIGHTS | {"bias_ih_l0": [1.0]})
    key, message = refusal(model=model, task=DATA)
    assert (key, "bias_ih_l0" in message) == ("model.parameters", True)


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ({"hidden": 10**9}, "model.hidden"),
        ({"hidden": 20_000, "cell": "lstm"}, "model.hidden"),
        ({"layers": 10**12}, "model.layers"),
    ],
)
def test_a_network_that_no_memory_holds_is_refused(keys, key):
    assert refusal(model=Model(**keys))[0] == key


def test_given_states_start_the_sequences():
    h0 = [[[1.0, 2.0, 3.0]] * 2]
    given = task("data", x=DATA.x, h0=h0)
    built = problem(model=Model(cell="tanh", parameters=WEIGHTS), task=given)
    assert built.start[0][0].tolist() == h0[0]


@pytest.mark.parametrize(
    ("states", "key"),
    [
        ({"h0": [[[1.0, 2.0]] * 2]}, "task.h0"),
        ({"c0": [[[1.0, 2.0, 3.0]] * 2]}, "task.c0"),
    ],
)
def test_states_that_the_network_does_not_have_are_refused(states, key):
    model = Model(cell="tanh", parameters=WEIGHTS)
    assert refusal(model=model, task=task("data", x=DATA.x, **states))[0] == key


def test_the_baseline_is_that_of_the_tasks_own_loss():
    assert problem().run["baseline"] == pytest.approx(1 / 6)
    assert problem(loss=Loss(name="probe")).run["baseline"] is None


def test_another_batch_is_drawn_like_the_first_and_always_the_same():
    problem = build(Experiment(task=task_class("adding")(name="adding", batch=3)))
    first, _, _ = problem.another_batch(0)
    again, objective, start = problem.another_batch(0)
    other, _, _ = problem.another_batch(1)
    np.testing.assert_array_equal(first.x, again.x)
    assert first.x.shape == problem.sequences.x.shape == other.x.shape
    assert not np.array_equal(first.x, other.x)
    assert not np.array_equal(first.x, problem.sequences.x)
    assert objective.weights.shape == problem.objective.weights.shape
    assert start[0][0].shape == (3, 64)


def test_the_start_of_the_experiment_reaches_the_network():
    wide, narrow = (problem(model=Model(init=Init(std=std))).network for std in (1.0, 0.5))
    np.testing.assert_array_equal(narrow.layers[0].B, 0.5 * wide.layers[0].B)


def test_lines_keep_their_baseline_although_a_mask_says_where_they_end():
    run = problem(task=task("text", lines=True, symbols="word", steps=None)).run
    assert run["baseline"] > 0
    assert run["experiment"]["loss"]["at"] is None
