"""How far a change reaches, and that the adjoint agrees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.jacobian_products import chosen_lags, jacobian_products
from bpttcli.diagnostics.state_jacobian import state_jacobians
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from tests.runs import network, probe, random_parameters, silence, sweep_back


def random_network(cell, rng, *, layers=1, hidden=4, gain=1.0):
    gates = len(cell_named(cell).gates)
    parameters = random_parameters(rng, gates, hidden=hidden, layers=layers, gain=gain)
    return Network.from_parameters(cell_named(cell), parameters)


@settings(max_examples=30, deadline=None)
@given(
    cell=st.sampled_from(sorted(CELLS)),
    layers=st.integers(1, 2),
    gain=st.floats(0.1, 4.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_adjoint_of_a_probe_lies_between_the_smallest_and_the_largest(cell, layers, gain, seed):
    """g_{T−k} = (J_T … J_{T−k+1})ᵀ v with ‖v‖ = 1; a part of the state has no lower bound."""
    rng = np.random.default_rng(seed)
    net = random_network(cell, rng, layers=layers, gain=gain)
    x = rng.normal(size=(25, 1, 3))
    v = rng.normal(size=4)
    adjoints = sweep_back(net, x, probe(net, x, vector=v / np.linalg.norm(v)))
    log10 = adjoints.layers[-1].norm[0].log10[::-1, 0]
    products = jacobian_products(unroll(net, x), every_lag=True)
    np.testing.assert_array_equal(products.lag, np.arange(25))
    assert (log10 <= products.largest_log10 + 1e-9).all()
    if layers == len(net.cell.states) == 1:
        assert (log10 >= products.smallest_log10 - 1e-9).all()


@pytest.mark.parametrize("cell", CELLS)
def test_a_plain_product_agrees_where_it_can(cell):
    rng = np.random.default_rng(0)
    net = random_network(cell, rng, layers=2, gain=1.5)
    trajectory = unroll(net, rng.normal(size=(8, 2, 3)))
    found = jacobian_products(trajectory, sequence=1)
    product = 1.0
    for lag, J in enumerate(state_jacobians(trajectory, 1, backward=True), start=1):
        product = product @ J if lag > 1 else J
        if lag == 8:
            break
        sigma = np.linalg.svd(product, compute_uv=False)
        assert 10 ** found.largest_log10[lag] == pytest.approx(sigma[0], rel=1e-9)
        if np.median(sigma) > 1e-6 * sigma[0]:
            assert 10 ** found.median_log10[lag] == pytest.approx(np.median(sigma), rel=1e-8)
        if sigma[-1] > 1e-6 * sigma[0]:
            assert 10 ** found.smallest_log10[lag] == pytest.approx(sigma[-1], rel=1e-8)


def test_small_values_do_not_drown_beside_large_ones():
    """A linear network of two sizes: 2^k beside 0.1^k, 10^-1300 of it at the far end."""
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(2, 2)))[0]
    net = network("linear", np.zeros((2, 1)), (Q * [2.0, 0.1]) @ Q.T)
    products = jacobian_products(unroll(net, silence(1000)))
    np.testing.assert_allclose(products.largest_log10, products.lag * np.log10(2), rtol=1e-12)
    np.testing.assert_allclose(products.smallest_log10, -products.lag, rtol=1e-12)


def test_a_tanh_network_saturated_to_1e_minus_70_keeps_its_determinant():
    """n = 2: the values multiply to Π|det J_t| = Π|det B| φ′φ′."""
    B = 100 * np.random.default_rng(2).normal(size=(2, 2))
    net = network("tanh", np.zeros((2, 1)), B)
    trajectory = unroll(net, silence(30), ((np.ones((1, 2)),),))
    slopes = next(trajectory.windows()).tapes[0].slopes[0][:, 0]
    assert slopes.min() < 1e-70
    per_step = (np.log(slopes).sum(axis=1) + np.linalg.slogdet(B)[1]) / np.log(10)
    products = jacobian_products(trajectory)
    expected = [0.0, *np.cumsum(per_step[:0:-1])]
    found = products.largest_log10 + products.smallest_log10
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_an_orthogonal_linear_network_keeps_everything():
    Q = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]
    products = jacobian_products(unroll(network("linear", np.zeros((6, 1)), Q), silence(500)))
    for values in (products.largest_log10, products.median_log10, products.smallest_log10):
        np.testing.assert_allclose(values, 0.0, atol=1e-12)


def test_dead_units_lose_what_came_through_them_exactly():
    net = network("relu", np.array([[1.0], [-1.0], [1.0]]), np.eye(3))
    products = jacobian_products(unroll(net, np.ones((5, 1, 1))))
    np.testing.assert_allclose(products.largest_log10, 0.0, atol=1e-14)
    np.testing.assert_allclose(products.median_log10, 0.0, atol=1e-14)
    np.testing.assert_array_equal(products.smallest_log10, [0.0, *[-np.inf] * 4])


@pytest.mark.parametrize("steps", [1, 2, 63, 64, 65, 1000, 10**6])
@pytest.mark.parametrize("most", [16, 64])
def test_the_lags_are_few_rising_and_reach_both_ends(steps, most):
    lags = chosen_lags(steps, most, [5, 50, 10**7])
    assert len(lags) == min(steps, most)
    assert lags == sorted(set(lags))
    assert (lags[0], lags[-1]) == (0, steps - 1)
    assert {5, 50} & set(range(steps)) <= set(lags)


def test_progress_ends_at_the_last_lag():
    shares = []
    net = network("tanh", np.zeros((2, 1)), 0.5 * np.eye(2))
    jacobian_products(unroll(net, silence(100)), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.99)
