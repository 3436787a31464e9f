"""Keras's layers under PyTorch's names and conventions."""

import numpy as np
import pytest

from bpttcli.models.find_network import find_network
from bpttcli.models.hdf5_file import Hdf5Contents
from bpttcli.models.keras_config import LayerConfig, ModelConfig
from bpttcli.models.keras_layers import layers_of
from bpttcli.models.tensor_storage import LazyTensor

NOTHING = ModelConfig({}, {})


@pytest.fixture
def stored(tmp_path):
    """The arrays of a file, by the path that they have in it."""

    def store(arrays, names=None):
        tensors = {}
        for number, (path, array) in enumerate(arrays.items()):
            array = np.asarray(array, dtype=np.float64)
            array.tofile(tmp_path / str(number))
            strides = tuple(step // 8 for step in array.strides)
            place = tmp_path / str(number)
            tensors[path] = LazyTensor(place, 0, "float64", array.shape, strides)
        return Hdf5Contents(tensors, names or {})

    return store


def cell(path, gates, inputs=2, hidden=3, seed=0):
    """The variables of a recurrent cell without a bias."""
    rng = np.random.default_rng(seed)
    return {
        f"{path}/vars/0": rng.normal(size=(inputs, gates * hidden)),
        f"{path}/vars/1": rng.normal(size=(hidden, gates * hidden)),
    }


def test_weights_are_transposed_and_an_lstm_keeps_its_order(stored):
    arrays = cell("layers/lstm/cell", 4) | {"layers/lstm/cell/vars/2": np.arange(12)}
    found = find_network(layers_of(stored(arrays), NOTHING).tensors)
    assert (found.family, found.recurrent) == ("lstm", "lstm")
    for name, path in (("weight_ih_l0", 0), ("weight_hh_l0", 1), ("bias_ih_l0", 2)):
        np.testing.assert_array_equal(
            found.parameters[name], arrays[f"layers/lstm/cell/vars/{path}"].T
        )
    assert "bias_hh_l0" not in found.parameters


def test_a_gru_turns_z_r_h_into_r_z_n_and_parts_its_biases(stored):
    z, r, h = np.full(3, 1.0), np.full(3, 2.0), np.full(3, 3.0)
    bias = np.stack([np.concatenate([z, r, h]), 10 * np.concatenate([z, r, h])])
    arrays = {
        "gru/cell/vars/0": np.tile(bias[0], (2, 1)),
        "gru/cell/vars/1": np.tile(bias[0], (3, 1)),
        "gru/cell/vars/2": bias,
    }
    found = find_network(layers_of(stored(arrays), NOTHING).tensors).parameters
    order = [2] * 3 + [1] * 3 + [3] * 3
    assert found["weight_ih_l0"][:, 0].tolist() == found["weight_hh_l0"][:, 1].tolist() == order
    assert found["bias_ih_l0"].tolist() == order
    assert found["bias_hh_l0"].tolist() == [10 * gate for gate in order]


def test_a_gru_whose_reset_gate_acts_before_the_product_is_refused_by_its_bias(stored):
    arrays = cell("gru/cell", 3) | {"gru/cell/vars/2": np.zeros(9)}
    assert "reset_after=False" in layers_of(stored(arrays), NOTHING).refused["gru"]


def test_the_names_that_layers_have_in_keras_are_used_unless_two_are_alike(stored):
    names = {"layers/lstm/vars": "memory", "layers/lstm/cell/vars": "lstm_cell"}
    arrays = cell("layers/lstm/cell", 4)
    assert "memory.weight_hh_l0" in layers_of(stored(arrays, names), NOTHING).tensors
    arrays |= cell("layers/model/layers/lstm/cell", 4, seed=1)
    names["layers/model/layers/lstm/vars"] = "memory"
    tensors = layers_of(stored(arrays, names), NOTHING).tensors
    assert {"lstm.weight_hh_l0", "model.layers.lstm.weight_hh_l0"} <= tensors.keys()


def test_both_halves_of_a_bidirectional_layer_are_taken(stored):
    arrays = cell("layers/both/forward_layer/cell", 1)
    arrays |= cell("layers/both/backward_layer/cell", 1, seed=1)
    tensors = layers_of(stored(arrays), NOTHING).tensors
    for direction in ("forward", "reverse"):
        half = "forward" if direction == "forward" else "backward"
        np.testing.assert_array_equal(
            find_network(tensors, direction=direction).parameters["weight_hh_l0"],
            arrays[f"layers/both/{half}_layer/cell/vars/1"].T,
        )


def test_layers_are_counted_and_not_sorted_as_text(stored):
    arrays = {}
    for k, path in enumerate(["lstm", "lstm_1", "lstm_2", "lstm_10"]):
        arrays |= cell(f"layers/{path}/cell", 4, inputs=3 if k else 2, seed=k)
    tensors = layers_of(stored(dict(reversed(arrays.items()))), NOTHING).tensors
    found = find_network(tensors, recurrent="lstm+lstm_1+lstm_2+lstm_10")
    for k, path in enumerate(["lstm", "lstm_1", "lstm_2", "lstm_10"]):
        np.testing.assert_array_equal(
            found.parameters[f"weight_hh_l{k}"], arrays[f"layers/{path}/cell/vars/1"].T
        )


def test_layers_that_do_not_fit_on_each_other_are_no_stack(stored):
    arrays = cell("a/cell", 4) | cell("b/cell", 4, seed=1)
    assert "a+b.weight_hh_l0" not in layers_of(stored(arrays), NOTHING).tensors


def test_dense_layers_are_transposed_and_embeddings_are_not(stored):
    matrix = np.arange(6.0).reshape(2, 3)
    arrays = {f"{name}/vars/0": matrix for name in ("fc", "embedding", "table")}
    arrays |= {"fc/vars/1": np.arange(3.0)}
    config = ModelConfig({"table": LayerConfig("Embedding")}, {})
    tensors = layers_of(stored(arrays), config).tensors
    np.testing.assert_array_equal(tensors["fc.weight"].read(), matrix.T)
    np.testing.assert_array_equal(tensors["fc.bias"].read(), [0, 1, 2])
    for name in ("embedding", "table"):
        np.testing.assert_array_equal(tensors[f"{name}.weight"].read(), matrix)


@pytest.mark.parametrize(
    "arrays",
    [
        cell("optimizer", 4),  # what an optimiser remembers
        {"a/vars/0": np.ones((2, 3)), "a/vars/2": np.ones((3, 3))},  # one is missing
        {"norm/vars/0": np.ones(3), "norm/vars/1": np.ones(3)},
        {"conv/vars/0": np.ones((3, 2, 4)), "conv/vars/1": np.ones(4)},
        {"rnn/cell/vars/0": np.ones((2, 10)), "rnn/cell/vars/1": np.ones((5, 10))},  # two gates
        {"a/b": np.ones((2, 2)), "vars/0": np.ones((2, 2))},
    ],
    ids=["optimizer", "gap", "norm", "conv", "gates", "elsewhere"],
)
def test_what_is_no_layer_that_is_known_is_passed_by(arrays, stored):
    assert layers_of(stored(arrays), NOTHING).tensors == {}
