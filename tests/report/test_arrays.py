"""Saved arrays are of L, under fixed names, and say what float64 cannot hold."""

import numpy as np
import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.errors import RunError
from bpttcli.report.arrays import gradient_arrays, save_arrays
from tests.runs import network, random_parameters, silence, sweep_back


def arrays_of(net, x):
    return gradient_arrays(grad_norms(net, sweep_back(net, x)), net)


@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_gradients_and_adjoints_have_the_names_and_shapes_of_the_parameters(cell):
    kind = cell_named(cell)
    rng = np.random.default_rng(0)
    parameters = random_parameters(rng, len(kind.gates), layers=2, outputs=2)
    net = Network.from_parameters(kind, parameters)
    arrays = arrays_of(net, rng.normal(size=(6, 5, 3)))
    shapes = {f"grad/{name}": value.shape for name, value in parameters.items()}
    for state in kind.states:
        shapes[f"grad/{state}0"] = (2, 5, 4)
        for k in range(2):
            shapes[f"adjoint/{state}_l{k}"] = (6, 5, 4)
            shapes[f"exponent/{state}_l{k}"] = (6, 5)
    assert {name: array.shape for name, array in arrays.items()} == shapes


def test_an_adjoint_is_that_of_the_mean_over_the_batch():
    """ℓ_n = h_T of each of four sequences, so that ∂L/∂h_T = 1/4."""
    arrays = arrays_of(network("linear", 1.0, 0.5), silence(3, batch=4))
    assert arrays["adjoint/h_l0"][:, 0, 0].tolist() == [1 / 16, 1 / 8, 1 / 4]


@pytest.mark.parametrize(("b", "end"), [(2.0**-300, 0.0), (2.0**300, np.inf)])
def test_the_exponent_goes_on_where_the_adjoint_ends(b, end):
    """g_{T−k} = 2^(±300 k): frexp writes it as ½ · 2^(±300 k + 1)."""
    arrays = arrays_of(network("linear", 1.0, b), silence(6))
    sign = -1 if end == 0 else 1
    assert arrays["exponent/h_l0"][:, 0].tolist() == [sign * 300 * k + 1 for k in range(5, -1, -1)]
    assert arrays["adjoint/h_l0"][0, 0, 0] == end


def test_a_zero_has_the_exponent_zero():
    arrays = arrays_of(network("linear", 1.0, 0.0), silence(3))
    assert arrays["exponent/h_l0"][:, 0].tolist() == [0, 0, 1]


def test_the_file_holds_what_was_saved(tmp_path):
    path = tmp_path / "arrays.npz"
    save_arrays({"grad/h0": np.arange(3.0)}, path)
    with np.load(path) as saved:
        assert saved["grad/h0"].tolist() == [0, 1, 2]


def test_a_full_disk_is_a_failed_run():
    with pytest.raises(RunError, match="No space left"):
        save_arrays({"x": np.zeros(100_000)}, "/dev/full")
