"""Adjoints, contributions and gradients go on where float64 ends."""

import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.losses import last_step
from bpttcli.engine.network import Network
from tests import naive
from tests.runs import close, mask_of, network, probe, random_parameters, silence, stack, sweep_back


@pytest.mark.parametrize("b", [0.1, 10.0, -0.1, 1e-20, 1e20, 1e100, 1e-100, 1e300, 1e-300])
@pytest.mark.parametrize("window", [None, 40])
def test_a_thousand_steps_end_nowhere(b, window):
    """‖g_t‖ = |b|^(T-t), from the first step to the last."""
    found = sweep_back(network("linear", 1.0, b), silence(1000), window=window)
    wanted = np.log10(abs(b)) * np.arange(999, -1, -1)
    log10 = found.layers[0].norm[0].log10[:, 0]
    np.testing.assert_allclose(log10, wanted, rtol=1e-13, atol=1e-13)
    if abs(b) in (0.1, 10.0):
        assert abs(abs(log10[0]) - 999) < 1e-9


def test_growth_by_half_as_much_again():
    """T = 100, B = 1.5·1, relu, positive states: 99·log10 1.5 at lag 99."""
    net = network("relu", np.ones((4, 1)), 1.5 * np.eye(4))
    found = sweep_back(net, np.ones((100, 1, 1)))
    log10 = found.layers[0].norm[0].log10[:, 0]
    np.testing.assert_allclose(log10[0] - log10[-1], 99 * np.log10(1.5), rtol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_a_probe_of_any_size_scales_every_figure(cell, scale):
    rng = np.random.default_rng(0)
    parameters = random_parameters(rng, len(cell_named(cell).gates), layers=2)
    net = Network.from_parameters(cell_named(cell), parameters)
    x, vector = rng.normal(size=(30, 2, 3)), rng.normal(size=4)
    small = sweep_back(net, x, probe(net, x, vector=vector))
    large = sweep_back(net, x, probe(net, x, vector=vector * scale))
    for k in range(2):
        for a, b in (
            (small.layers[k].norm[0], large.layers[k].norm[0]),
            (small.layers[k].A, large.layers[k].A),
            (small.layers[k].B[1:], large.layers[k].B[1:]),
        ):
            np.testing.assert_allclose(b.log10 - a.log10, np.log10(scale), rtol=1e-12)
    for name, value in small.gradient.items():
        close(large.gradient[name].value / scale, value.value, rtol=1e-12)


@pytest.mark.parametrize("window", [None, 1, 64])
def test_targets_hundreds_of_steps_apart_with_an_adjoint_that_leaves_the_range_between(window):
    """A mask of its own for each of three sequences; powers of two keep the fractions small."""
    steps = 400
    mask = mask_of(steps, [400], [10, 390], [1, 200, 201, 333])
    layers = [(np.eye(1), np.array([[2.0**-10]])), (np.eye(1), np.array([[2.0**-17]]))]
    net = stack("linear", layers)
    found = sweep_back(
        net, silence(steps, batch=3), probe(net, silence(steps, batch=3), mask), window=window
    )
    for n in range(3):
        source = (mask[:, n] / mask[:, n].sum())[:, None]
        for k, g in enumerate(naive.exact_adjoints(layers, source)):
            wanted = [naive.log10_norm(vector) for vector in g]
            log10 = found.layers[k].norm[0].log10[:, n]
            np.testing.assert_allclose(log10, wanted, rtol=1e-12, atol=1e-12)


# Where the forward state leaves the range.


@pytest.mark.parametrize("window", [None, 1, 100])
@pytest.mark.parametrize("where", ["last", "every"])
@pytest.mark.parametrize("b", [10.0, -10.0])
def test_a_linear_cell_keeps_exact_adjoints_where_its_state_has_overflowed(b, where, window):
    steps = 400
    net, x = network("linear", 1.0, b), np.ones((steps, 1, 1))
    mask = last_step(steps, 1) if where == "last" else np.ones((steps, 1), dtype=bool)
    found = sweep_back(net, x, probe(net, x, mask), window=window)
    assert not np.isfinite(found.loss).any()
    log10 = found.layers[0].propagated[0].log10[:, 0]
    wanted = np.arange(steps - 1, -1, -1) - np.log10(mask.sum())
    np.testing.assert_allclose(log10, wanted, rtol=1e-13, atol=1e-13)
    assert (found.overflow.step, found.overflow.layer, found.overflow.unit) == (310, 0, 1)
    # Step t contributes δ_t h_{t-1}, and h_310 is the first that is infinite.
    assert np.isfinite(found.layers[0].B.log10[1:310]).all()
    assert not np.isfinite(found.layers[0].B.mantissa[310:]).any()
    assert np.isfinite(found.layers[0].A.log10).all()
    assert not np.isfinite(found.gradient["weight_hh_l0"].value)


@pytest.mark.parametrize("window", [None, 1, 100])
def test_the_first_state_that_overflows_is_named_whatever_its_layer(window):
    layers = [(np.ones((2, 1)), np.diag([1.0, 1e10])), (np.ones((1, 2)), np.array([[1e20]]))]
    found = sweep_back(stack("linear", layers), np.ones((40, 2, 1)), window=window)
    assert (found.overflow.step, found.overflow.layer, found.overflow.unit) == (17, 1, 1)
