"""The product of the Jacobians from several sides."""

import numpy as np
import pytest

from bpttcli.diagnostics.trajectory_spectrum import trajectory_spectrum
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Scaled
from bpttcli.engine.unroll import unroll
from bpttcli.errors import InputError
from tests.runs import network, random_parameters, silence, stack

NOTHING = Scaled.of(np.zeros(1))


def follow(trajectory, **more):
    return trajectory_spectrum(trajectory, NOTHING, np.random.default_rng(0), **more)


def test_the_slopes_are_those_of_the_first_sequence_after_the_transient():
    rng = np.random.default_rng(0)
    net = network("tanh", rng.normal(size=(4, 2)), rng.normal(size=(4, 4)))
    trajectory = unroll(net, rng.normal(size=(10, 3, 2)), window=4)
    steps = [w.tapes[0].slopes[0] for w in trajectory.windows(backward=False)]
    phi = np.concatenate(steps)[3:, 0]
    slopes = follow(trajectory, transient=3).slopes
    assert slopes.mean == pytest.approx(phi.mean(), rel=1e-14)
    assert slopes.spread == pytest.approx(phi.std(), rel=1e-12)
    h = np.sqrt(1 - phi)
    assert slopes.saturated == pytest.approx(np.mean(h > 0.95))


def test_a_linear_network_has_the_slope_1():
    slopes = follow(unroll(network("linear", [[1.0]], [[0.9]]), silence(5))).slopes
    assert (slopes.mean, slopes.spread, slopes.saturated) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("cell", CELLS)
def test_only_a_cell_with_one_phi_has_a_slope(cell):
    gates = len(cell_named(cell).gates)
    parameters = random_parameters(np.random.default_rng(1), gates, layers=2)
    net = Network.from_parameters(cell_named(cell), parameters)
    result = follow(unroll(net, np.ones((6, 1, 3))))
    assert (result.slopes.mean is None) == (gates > 1)
    assert len(result.lyapunov.exponents) == 8 * len(net.cell.states)


def test_none_may_be_asked_for():
    result = follow(unroll(network("tanh", [[1.0]], [[0.9]]), silence(8)), exponents=0)
    assert result.lyapunov is None
    assert result.transient == 2
    assert len(result.products.lag) == 8


@pytest.mark.parametrize(("exponents", "transient"), [(2, None), (0, 8), (1, -1)])
def test_what_cannot_be_had_is_refused(exponents, transient):
    trajectory = unroll(network("tanh", [[1.0]], [[0.9]]), silence(8))
    with pytest.raises(InputError):
        follow(trajectory, exponents=exponents, transient=transient)


@pytest.mark.parametrize(("states", "exponents"), [(128, 128), (129, 10)])
def test_above_128_states_ten_exponents_are_enough_unless_said(states, exponents):
    net = network("linear", np.zeros((states, 1)), np.eye(states))
    assert len(follow(unroll(net, silence(2))).lyapunov.exponents) == exponents


def test_above_500_states_the_product_is_followed_only_if_everything_is_asked_for():
    net = network("linear", np.zeros((501, 1)), np.eye(501))
    trajectory = unroll(net, silence(2))
    assert follow(trajectory, exponents=1).products is None
    assert follow(trajectory, exponents=1, full=True).products.largest_log10[1] == 0.0


def test_the_lags_asked_for_are_among_those_looked_at():
    net = stack("tanh", [(np.ones((1, 1)), np.eye(1))])
    result = follow(unroll(net, silence(300)), exponents=0, lags=[77, 1000])
    assert 77 in result.products.lag
    assert len(result.products.lag) == 64
    assert len(follow(unroll(net, silence(300)), every_lag=True).products.lag) == 300


def test_progress_rises_to_the_end():
    shares = []
    follow(unroll(network("tanh", [[1.0]], [[0.9]]), silence(200)), progress=shares.append)
    assert shares == sorted(shares)
    assert 0.99 < shares[-1] <= 1.0
