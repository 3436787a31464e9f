"""Every cell of the registry resolves, and its gradient is the complex-step derivative."""

import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.losses import SquaredError, target_weights
from bpttcli.engine.network import Network
from bpttcli.errors import InputError
from tests import naive
from tests.runs import random_parameters, sweep_back


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_has_the_name_that_finds_it_and_carries_h_first(name):
    cell = cell_named(name)
    assert cell.name == name
    assert cell.states[0] == "h"
    assert len(cell.states) == naive.STATES[name]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_and_adjoints_agree_with_complex_steps(name, layers):
    rng = np.random.default_rng(7)
    steps, batch, hidden, outputs = 5, 2, 3, 2
    cell = cell_named(name)
    parameters = random_parameters(
        rng, len(cell.gates), inputs=2, hidden=hidden, layers=layers, outputs=outputs
    )
    x, y = rng.normal(size=(steps, batch, 2)), rng.normal(size=(steps, batch, outputs))
    start = tuple(
        tuple(rng.normal(size=(batch, hidden)) for _ in cell.states) for _ in range(layers)
    )
    weights = target_weights(np.ones((steps, batch), dtype=bool))
    twin = (name, parameters, x, naive.squared_error(y), weights)

    found = sweep_back(
        Network.from_parameters(cell, parameters), x, SquaredError(y, weights), start
    )

    for key, wanted in naive.gradient(*twin, start).items():
        np.testing.assert_allclose(found.gradient[key].value, wanted, rtol=1e-12, atol=1e-14)
    for k in range(layers):
        for s in range(len(cell.states)):
            adjoint = found.layers[k].adjoint[s].value
            wanted = naive.adjoints(*twin, k, s, start)
            np.testing.assert_allclose(adjoint, wanted, rtol=1e-12, atol=1e-14)
            begin = found.layers[k].start[s].value
            wanted = naive.start_gradient(*twin, start, k, s)
            np.testing.assert_allclose(begin, wanted, rtol=1e-12, atol=1e-14)


def test_an_unknown_cell_names_the_known():
    with pytest.raises(InputError, match="got 'tnah': did you mean 'tanh'") as caught:
        cell_named("tnah")
    assert caught.value.key == "model.cell"
