"""A run becomes a checkpoint, and the checkpoint the run that it was."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.training.checkpoint import from_bytes, to_bytes
from bpttcli.training.optimisers import OPTIMISERS
from bpttcli.training.snapshot import progress_of, restore, snapshot
from tests.training.runs import listened, run_of


def kept(run):
    """By way of bytes, as on disk."""
    return from_bytes(to_bytes(snapshot(run, run.updates.parameters.copies(), {})))


CASES = {name: {"train__optimizer": name} for name in OPTIMISERS}
CASES["carried"] = {"task__name": "sine", "train__carry_state": True}
CASES["carried lstm"] = CASES["carried"] | {"model__cell": "lstm", "model__layers": 2}
CASES["randomized"] = {"truncation__name": "randomized", "truncation__probability": 0.3}
CASES["cosine"] = {"train__schedule__name": "cosine", "train__schedule__warmup": 5}
CASES["some"] = {"train__only": ["weight_hh_l0", "readout.bias"]}


@pytest.mark.parametrize("keys", CASES.values(), ids=CASES)
def test_a_run_goes_on_to_the_same_bits(keys):
    whole, parted = (run_of(**keys, train__updates=20) for _ in range(2))
    listened(whole)
    listened(parted, until=9)
    checkpoint = kept(parted)
    resumed = run_of(progress_of(checkpoint), **keys, train__updates=20)
    restore(resumed, checkpoint)
    listened(resumed)
    found = [run.updates.parameters.copies() for run in (whole, resumed)]
    for name, value in found[0].items():
        assert value.tobytes() == found[1][name].tobytes()
    for first, second in zip(whole.progress.rows, resumed.progress.rows, strict=True):
        assert {**first, "seconds": 0} == {**second, "seconds": 0}


@pytest.mark.parametrize("stop", range(1, 12, 2))
def test_a_run_that_backs_off_goes_on_to_the_same_bits(stop):
    keys = {"train__optimizer": "sgd", "train__lr": 1e9, "model__cell": "linear"}
    keys |= {"train__on_divergence": "backoff", "train__updates": 40}
    whole, parted = run_of(**keys), run_of(**keys)
    listened(whole)
    listened(parted, until=stop)
    checkpoint = kept(parted)
    resumed = run_of(progress_of(checkpoint), **keys)
    restore(resumed, checkpoint)
    listened(resumed)
    assert whole.progress.troubles
    assert whole.progress.troubles == resumed.progress.troubles
    theta = [run.updates.parameters.theta.tobytes() for run in (whole, resumed)]
    assert theta[0] == theta[1]


CARRIED = CASES["carried"]
OTHERS = [
    ({}, {"train__optimizer": "sgd"}, ["the optimiser"]),
    ({}, {"train__optimizer": "rmsprop"}, ["the optimiser"]),
    ({}, {"train__optimizer": "adamw"}, []),
    ({}, {"train__only": ["weight_hh_l0"]}, ["the optimiser"]),
    (CARRIED, CARRIED | {"task__batch": 2}, ["the state that was carried"]),
    (CARRIED, {"task__name": "sine"}, ["the state that was carried"]),
    (CARRIED, CARRIED | {"train__chunk": 5}, []),
    (CARRIED, CARRIED | {"truncation__name": "artbp"}, []),
]


@pytest.mark.parametrize("policy", ["stop", "backoff"])
@pytest.mark.parametrize(("before", "after", "afresh"), OTHERS, ids=str)
def test_under_another_experiment_what_does_not_fit_begins_afresh(policy, before, after, afresh):
    left = run_of(**before, train__updates=9, train__on_divergence=policy)
    listened(left)
    checkpoint = kept(left)
    progress = progress_of(checkpoint)
    progress.stopped_by = None
    run = run_of(progress, **after, train__updates=12, train__on_divergence=policy)
    assert restore(run, checkpoint) == afresh
    for name, value in left.updates.parameters.copies().items():
        np.testing.assert_array_equal(value, run.updates.parameters.copies()[name])
    if "the optimiser" in afresh:
        assert all((value == 0).all() for value in run.updates.optimiser.state.values())
    listened(run)
    assert run.progress.stopped_by == "updates"


def test_a_run_of_another_network_is_refused():
    with pytest.raises(InputError, match="another network"):
        restore(run_of(model__hidden=5), kept(run_of()))


def test_a_checkpoint_does_not_change_with_the_run():
    run = run_of()
    run.updates.carry_out(1)
    checkpoint = snapshot(run, run.updates.parameters.copies(), {})
    before = {name: value.copy() for name, value in checkpoint.arrays.items()}
    run.updates.carry_out(2)
    for name, value in checkpoint.arrays.items():
        np.testing.assert_array_equal(value, before[name])
