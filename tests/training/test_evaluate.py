"""The held-out loss, and how often the network is right."""

import numpy as np
import pytest

from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.cells import cell_named
from bpttcli.engine.losses import last_step
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.training.evaluate import evaluate
from bpttcli.training.feed import Batch
from tests.runs import mask_of, random_parameters, readout_loss

RNG = np.random.default_rng
EVERY = np.ones((6, 4), dtype=bool)


@pytest.fixture
def network():
    return Network.from_parameters(cell_named("tanh"), random_parameters(RNG(0), outputs=3))


def classes(y, mask):
    return Batch(RNG(1).normal(size=(6, 4, 3)), readout_loss("cross_entropy", y, mask), None)


def choices(network, batch):
    h = np.concatenate([w.tapes[-1].states[0][1:] for w in unroll(network, batch.x).windows()])
    return (h @ network.C.T + network.c).argmax(axis=2)


@pytest.mark.parametrize("name", ["cross_entropy", "mse"])
def test_the_loss_is_that_of_a_backward_pass(network, name):
    y = RNG(2).integers(0, 3, (6, 4)) if name == "cross_entropy" else RNG(2).normal(size=(6, 4, 3))
    batch = Batch(RNG(1).normal(size=(6, 4, 3)), readout_loss(name, y, EVERY), None)
    wanted = backpropagate(unroll(network, batch.x), batch.objective).loss.mean()
    found = evaluate(network, batch)
    assert found.loss == pytest.approx(wanted, rel=1e-14)
    assert (found.accuracy is None) == (name == "mse")


@pytest.mark.parametrize("mask", [EVERY, last_step(6, 4), mask_of(6, [2], [1, 3], [6], [4])])
def test_right_are_the_target_steps_at_which_the_first_choice_is_the_target(network, mask):
    chosen = choices(network, classes(np.zeros((6, 4), dtype=np.int64), EVERY))
    assert evaluate(network, classes(chosen, mask)).accuracy == 1.0
    assert evaluate(network, classes((chosen + 1) % 3, mask)).accuracy == 0.0
    half = np.where(np.arange(4) < 2, chosen, (chosen + 1) % 3)
    wanted = mask[:, :2].sum() / mask.sum()
    assert evaluate(network, classes(half, mask)).accuracy == pytest.approx(wanted)


def test_targets_of_the_last_step_alone_are_compared_with_it(network):
    chosen = choices(network, classes(np.zeros((6, 4), dtype=np.int64), EVERY))
    found = evaluate(network, classes(chosen[-1:], last_step(6, 4)))
    assert found.accuracy == 1.0


def test_only_the_judged_steps_count(network):
    chosen = choices(network, classes(np.zeros((6, 4), dtype=np.int64), EVERY))
    y = chosen.copy()
    y[:3] = (y[:3] + 1) % 3
    assert evaluate(network, classes(y, EVERY)).accuracy == 0.5
    assert evaluate(network, classes(y, EVERY), np.arange(6)[:, None] >= 3).accuracy in (0.5, 1.0)
    judged = np.repeat(np.arange(6)[:, None] >= 3, 4, axis=1)
    assert evaluate(network, classes(y, EVERY), judged).accuracy == 1.0
