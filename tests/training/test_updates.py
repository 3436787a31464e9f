"""One update: its gradient, its clip, its optimiser, and what happens if it diverges."""

import tracemalloc

import numpy as np
import pytest

from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.unroll import unroll
from bpttcli.training.trouble import Trouble
from bpttcli.training.updates import Done
from tests.training.runs import listened, problem_of, run_of

SGD = {"train__optimizer": "sgd", "train__lr": 0.5}


def exact(run, update=1):
    """The exact gradient of the batch of an update, as one row, with the batch."""
    parameters = run.updates.parameters
    batch = run.updates.feed.batch(update)
    found = backpropagate(unroll(parameters.network, batch.x, batch.start), batch.objective)
    g = np.empty(parameters.size)
    parameters.gather(found.gradient, g)
    return g, float(found.loss.mean())


def test_an_update_of_sgd_is_minus_the_rate_times_the_gradient():
    run = run_of(**SGD)
    before = run.updates.parameters.theta.copy()
    g, loss = exact(run)
    done = run.updates.carry_out(1)
    moved = run.updates.parameters.theta - before
    np.testing.assert_allclose(moved, -0.5 * g, rtol=1e-11, atol=1e-15)
    assert done.loss == pytest.approx(loss, rel=1e-14)
    assert done.norm == pytest.approx(np.linalg.norm(g), rel=1e-12)


def test_a_sum_over_targets_is_their_number_times_the_mean():
    keys = {**SGD, "task__name": "sine"}
    moved = {}
    for reduction in ("mean", "sum"):
        run = run_of(**keys, train__reduction=reduction)
        before = run.updates.parameters.theta.copy()
        run.updates.carry_out(1)
        moved[reduction] = run.updates.parameters.theta - before
    np.testing.assert_allclose(moved["sum"], 8 * moved["mean"], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("fixed", {"length": 2}),
        ("sliding", {"length": 2}),
        ("randomized", {"probability": 0.2}),
        ("randomized", {"probability": 0.2, "reweight": False}),
        ("artbp", {"mean_length": 5.0}),
        ("random-length", {"mean_length": 6.0, "std": 1.0}),
    ],
)
def test_every_truncation_trains_and_differs_from_none(name, keys):
    task = {"task__name": "sine", "task__steps": 60, "train__updates": 3}
    own = {f"truncation__{key}": value for key, value in keys.items()}
    cut, whole = run_of(**task, **own, truncation__name=name), run_of(**task)
    listened(cut), listened(whole)
    found = [run.updates.parameters.theta for run in (cut, whole)]
    assert np.isfinite(found[0]).all()
    assert not np.array_equal(*found)


def test_a_window_as_long_as_the_sequence_changes_no_bit():
    runs = [run_of(train__updates=4, truncation__name="full")]
    for name in ("fixed", "sliding"):
        runs.append(run_of(train__updates=4, truncation__name=name, truncation__length=100))
    for run in runs:
        listened(run)
    assert len({run.updates.parameters.theta.tobytes() for run in runs}) == 1


def test_the_cuts_of_an_update_depend_on_the_seed_and_its_number_alone():
    """Updates 1, 2 and 3, or 3 alone from the same parameters."""
    keys = {"task__name": "sine", "task__steps": 40, "truncation__name": "randomized"}
    first, second = run_of(**keys, **SGD), run_of(**keys, **SGD)
    for n in (1, 2):
        first.updates.carry_out(n)
    second.updates.parameters.theta[...] = first.updates.parameters.theta
    assert first.updates.carry_out(3) == second.updates.carry_out(3)
    assert np.array_equal(first.updates.parameters.theta, second.updates.parameters.theta)


def test_frozen_parameters_have_no_share_in_the_norm():
    keys = {**SGD, "train__only": ["readout.bias"]}
    run = run_of(**keys)
    g, _ = exact(run)
    assert len(g) == 1
    assert run.updates.carry_out(1).norm == pytest.approx(abs(g[0]), rel=1e-14)


def test_updates_leave_nothing_behind_in_memory():
    run = run_of(clip__norm=1.0, task__name="sine", train__carry_state=True)
    for n in range(1, 20):
        run.updates.carry_out(n)
    tracemalloc.start()
    run.updates.carry_out(20)
    before, _ = tracemalloc.get_traced_memory()
    for n in range(21, 221):
        run.updates.carry_out(n)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 10_000  # 50 bytes an update would be seen


def exploding(**keys):
    """A relu network whose state grows by ten a step, and in the end leaves float64."""
    big = {"model__cell": "relu", "model__init__name": "identity", "model__init__gain": 10.0}
    return run_of(**big, **SGD, **keys)


@pytest.mark.parametrize(("steps", "finite"), [(400, False), (60, True)])
def test_a_state_that_explodes_is_named_with_step_and_unit(steps, finite):
    run = exploding(task__steps=steps)
    before = run.updates.parameters.theta.copy()
    found = run.updates.carry_out(1)
    assert isinstance(found, Trouble)
    assert (found.update, found.what, found.tensor, found.action) == (1, "state", "h_l0", "stop")
    assert np.isfinite(found.value) is np.bool_(finite)
    assert found.last_finite is not None
    assert found.step == (60 if finite else found.step)
    assert f"update 1: the hidden state h_l0 is {found.value:.4g}" in str(found)
    np.testing.assert_array_equal(run.updates.parameters.theta, before)


def test_the_first_state_beyond_the_range_is_the_one_that_a_plain_loop_finds():
    run = exploding(task__steps=400)
    found = run.updates.carry_out(1)
    batch, network = run.updates.feed.batch(1), run.updates.parameters.network
    h = np.zeros((3, 4))
    with np.errstate(all="ignore"):
        for step, x in enumerate(batch.x, start=1):
            before, layer = h, network.layers[0]
            h = np.maximum(x @ layer.A.T + layer.bias + h @ layer.B.T, 0.0)
            if not np.isfinite(h).all():
                first = step
                break
    sequence, unit = np.argwhere(~np.isfinite(h))[0]
    assert (found.step, found.unit) == (first, unit + 1)
    assert found.last_finite == pytest.approx(before[sequence, unit], rel=1e-12)


def test_a_parameter_that_leaves_the_range_is_named_with_what_it_was():
    data = {"task__name": "data", "task__x": [1.0, 1.0], "task__y": [1e3, 1e3]}
    sizes = {"task__steps": 2, "task__batch": 1}
    run = run_of(**data, **sizes, train__optimizer="sgd", train__lr=1e307)
    before = run.updates.parameters.copies()
    found = run.updates.carry_out(1)
    assert (found.what, found.step, np.isinf(found.value)) == ("parameter", None, True)
    assert found.last_finite in before[found.tensor][found.unit - 1]
    assert "before the update it was" in str(found)


@pytest.mark.parametrize("policy", ["skip", "backoff"])
def test_a_refused_update_leaves_everything_as_it_was(policy):
    run = exploding(task__steps=400, train__on_divergence=policy)
    before = run.updates.parameters.theta.tobytes()
    state = {name: value.copy() for name, value in run.updates.optimiser.state.items()}
    assert isinstance(run.updates.carry_out(1), Trouble)
    assert run.updates.parameters.theta.tobytes() == before
    for name, value in run.updates.optimiser.state.items():
        np.testing.assert_array_equal(value, state[name])


def test_a_run_that_gets_nowhere_is_not_skipped_for_ever():
    run = exploding(task__steps=400, train__on_divergence="skip", train__updates=1000)
    listened(run)
    assert run.progress.stopped_by == "diverged"
    assert run.progress.update < 100


def test_backing_off_undoes_the_last_update_and_halves_the_rate():
    keys = {**SGD, "train__lr": 1e9, "model__cell": "linear", "train__on_divergence": "backoff"}
    run = run_of(**keys)
    start = run.updates.parameters.theta.copy()
    assert isinstance(run.updates.carry_out(1), Done)
    assert isinstance(run.updates.carry_out(2, first_loss=1.0), Trouble)
    np.testing.assert_array_equal(run.updates.parameters.theta, start)
    whole = run_of(**keys, train__updates=60)
    listened(whole)
    halved = [trouble["update"] for trouble in whole.progress.troubles]
    assert whole.progress.rate_factor == 0.5 ** len(halved)


def test_a_gradient_beyond_float64_can_still_be_clipped():
    """With B = 10·1 and the loss at the last of 200 steps the gradient's square overflows."""
    keys = {"task__name": "data", "loss__at": "last", "model__cell": "linear", "model__hidden": 1}
    sequences = {"task__x": [[1e-150]] * 200, "task__y": [[0.0]] * 199 + [[1e-3]]}
    parameters = {"weight_ih_l0": [[1.0]], "weight_hh_l0": [[10.0]], "readout.weight": [[1.0]]}
    made = {**keys, **sequences, **SGD, "model__parameters": parameters}
    made |= {"task__steps": 200, "task__batch": 1, "clip__norm": 1.0}
    problem = problem_of(**made)
    assert problem.network.layers[0].B[0, 0] == 10.0
    run = run_of(**made)
    done = run.updates.carry_out(1)
    assert isinstance(done, Done)
    assert done.norm > 1e90
    assert done.clipped_norm == 1.0
