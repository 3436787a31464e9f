"""Which tensors of a file are the recurrent network, told by their names and shapes."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.models.find_network import find_network
from bpttcli.models.tensor_storage import LazyTensor
from bpttcli.models.torch_checkpoint import read_torch

RNN = {"weight_ih_l0": (3, 2), "weight_hh_l0": (3, 3)}


@pytest.fixture
def tensors(tmp_path):
    """Make tensors of given shapes, filled with ones; a name with "nan" in it holds one."""

    def make(shapes, dtype="float32"):
        made = {}
        for number, (name, shape) in enumerate(shapes.items()):
            path = tmp_path / str(number)
            size = int(np.prod(shape))
            np.full(size, np.nan if "nan" in name else 1.0, np.float32).tofile(path)
            strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
            made[name] = LazyTensor(path, 0, dtype, shape, strides)
        return made

    return make


@pytest.mark.parametrize(
    ("gates", "family"), [(1, "elman"), (3, "gru"), (4, "lstm")], ids=["elman", "gru", "lstm"]
)
def test_the_family_is_read_from_the_number_of_gates(tensors, gates, family):
    found = find_network(tensors({"weight_ih_l0": (gates * 3, 2), "weight_hh_l0": (gates * 3, 3)}))
    assert found.family == family


@pytest.mark.parametrize("prefix", ["", "rnn.", "module.model.encoder.", "_orig_mod.a.0."])
def test_parameters_lose_any_prefix(tensors, prefix):
    shapes = RNN | {"bias_ih_l0": (3,), "bias_hh_l0": (3,)}
    found = find_network(tensors({prefix + name: shape for name, shape in shapes.items()}))
    assert {name: value.shape for name, value in found.parameters.items()} == shapes
    assert found.taken == {name: prefix + name for name in shapes}
    assert found.modules == (prefix.removesuffix("."),)


def test_layers_may_narrow(tensors):
    shapes = RNN | {"weight_ih_l1": (2, 3), "weight_hh_l1": (2, 2), "fc.weight": (5, 2)}
    found = find_network(tensors(shapes))
    assert found.parameters["weight_hh_l1"].shape == (2, 2)
    assert found.taken["readout.weight"] == "fc.weight"


def test_a_cell_is_a_network_of_one_layer(files):
    stored = read_torch(files / "cells.pt")
    found = find_network(stored, recurrent="cells.1")
    assert found.family == "lstm"
    assert found.taken["weight_hh_l0"] == "cells.1.weight_hh"
    np.testing.assert_array_equal(found.parameters["bias_ih_l0"], stored["cells.1.bias_ih"].read())


def test_a_whole_file_is_taken_apart(files):
    found = find_network(read_torch(files / "training.pt"))
    assert found.family == "gru"
    assert {name: value.shape for name, value in found.parameters.items()} == {
        "weight_ih_l0": (12, 3),
        "weight_hh_l0": (12, 4),
        "bias_ih_l0": (12,),
        "bias_hh_l0": (12,),
        "readout.weight": (5, 4),
        "readout.bias": (5,),
    }
    assert found.taken["readout.weight"] == "head.weight"
    assert found.taken["embedding.weight"] == "embed.weight"
    assert found.read_embedding().shape == (5, 3)


def test_without_an_embedding_there_is_none(tensors):
    assert find_network(tensors(RNN)).read_embedding() is None


def test_only_the_tensors_of_the_network_are_read(tensors):
    shapes = RNN | {"emb.nan.weight": (7, 2), "nan": (4,), "fc.weight": (2, 3)}
    found = find_network(tensors(shapes))
    assert found.embedding is not None
    with pytest.raises(InputError, match=r"holds nan in 'emb\.nan\.weight' at index \(0, 0\)"):
        found.read_embedding()


def test_of_several_networks_one_must_be_chosen(files):
    tensors = read_torch(files / "two-networks.pt")
    expected = r"several recurrent networks \('encoder', 'decoder'\): choose one with --recurrent"
    with pytest.raises(InputError, match=expected):
        find_network(tensors)
    assert find_network(tensors, recurrent="encoder").family == "gru"
    assert find_network(tensors, recurrent="decoder").family == "lstm"


def test_a_network_beside_its_own_parts_has_the_empty_name(tensors):
    shapes = RNN | {f"inner.{name}": shape for name, shape in RNN.items()}
    assert find_network(tensors(shapes), recurrent="").taken["weight_hh_l0"] == "weight_hh_l0"


def test_a_network_that_is_not_there_is_refused_with_the_nearest(files):
    with pytest.raises(InputError, match="got 'encoding': did you mean 'encoder'") as raised:
        find_network(read_torch(files / "two-networks.pt"), recurrent="encoding")
    assert raised.value.key == "model.recurrent"


def test_of_a_bidirectional_network_one_direction_is_read(files):
    tensors = read_torch(files / "bidirectional.pt")
    with pytest.raises(InputError, match="--direction forward or --direction reverse"):
        find_network(tensors)
    for direction, suffix in (("forward", ""), ("reverse", "_reverse")):
        found = find_network(tensors, direction=direction)
        assert len(found.parameters) == 4
        for name, value in found.parameters.items():
            np.testing.assert_array_equal(value, tensors[name + suffix].read())


def test_a_direction_of_which_nothing_is_there_is_refused(tensors):
    backward = {f"{name}_reverse": shape for name, shape in RNN.items()}
    assert find_network(tensors(backward), direction="reverse").family == "elman"
    with pytest.raises(InputError, match="without weight_ih_l0"):
        find_network(tensors(backward), direction="forward")


def test_a_bidirectional_stack_has_no_direction_of_its_own(tensors):
    shapes = {
        f"{kind}_l{k}{end}": (3, 3) if kind == "weight_hh" else (3, (2, 6)[k])
        for kind in ("weight_ih", "weight_hh")
        for k in (0, 1)
        for end in ("", "_reverse")
    }
    for direction in (None, "forward", "reverse"):
        with pytest.raises(InputError, match="bidirectional stack of which no direction"):
            find_network(tensors(shapes), direction=direction)


def test_a_direction_must_be_one_and_be_there(tensors):
    assert find_network(tensors(RNN), direction="forward").family == "elman"
    with pytest.raises(InputError, match=r"must be forward: .* is not bidirectional") as raised:
        find_network(tensors(RNN), direction="reverse")
    assert raised.value.key == "model.direction"
    with pytest.raises(InputError, match="must be forward or reverse, got 'backward'"):
        find_network(tensors(RNN), direction="backward")


def test_a_projection_is_refused(files):
    with pytest.raises(InputError, match="'weight_hr_l0': an LSTM that projects its state"):
        find_network(read_torch(files / "projection.pt"))


@pytest.mark.parametrize(
    "shapes", [{}, {"weight": (3, 3)}, {"bias_ih_l0": (3,)}, {"weight_hh_l00": (3, 3)}]
)
def test_a_file_without_a_recurrent_network_is_refused(tensors, shapes):
    with pytest.raises(InputError, match=r"holds no recurrent network: .* \(it") as raised:
        find_network(tensors(shapes))
    assert raised.value.key == "model.file"


@pytest.mark.parametrize(
    ("shapes", "missing"),
    [
        ({"r.weight_ih_l0": (3, 2)}, r"\('r'\) without weight_hh_l0"),
        ({"weight_hh_l0": (3, 3)}, "without weight_ih_l0"),
        (RNN | {"weight_ih_l2": (3, 3), "weight_hh_l2": (3, 3)}, "without weight_ih_l1"),
        (RNN | {"bias_ih_l9999": (3,)}, "without weight_ih_l1"),
        ({"weight_ih_l0_reverse": (3, 2), "weight_hh_l0": (3, 3)}, "bidirectional"),
    ],
)
def test_a_missing_weight_is_named(tensors, shapes, missing):
    with pytest.raises(InputError, match=missing):
        find_network(tensors(shapes))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weight_hh_l0": (6, 3)}, r"'weight_hh_l0' of shape \(6, 3\), expected \(G·H, H\)"),
        ({"weight_hh_l0": (3, 9)}, r"expected \(G·H, H\)"),
        ({"weight_hh_l0": (9,)}, r"of shape \(9,\), expected \(G·H, H\)"),
        ({"weight_hh_l0": (0, 0)}, r"expected \(G·H, H\)"),
        ({"weight_hh_l0": (3, 0)}, r"expected \(G·H, H\)"),
        ({"weight_ih_l0": (4, 2)}, r"'weight_ih_l0' of shape \(4, 2\), expected \(3, any\)"),
        ({"weight_ih_l0": (3, 0)}, r"expected \(3, any\)"),
        ({"bias_hh_l0": (4,)}, r"'bias_hh_l0' of shape \(4,\), expected \(3,\)"),
        ({"weight_ih_l1": (3, 2), "weight_hh_l1": (3, 3)}, r"\(3, 2\), expected \(3, 3\)"),
        ({"weight_ih_l1": (9, 3), "weight_hh_l1": (9, 3)}, "the same in all layers"),
        ({"fc.weight": (4, 3), "fc.bias": (5,)}, r"'fc.bias' of shape \(5,\), expected \(4,\)"),
    ],
)
def test_shapes_that_contradict_each_other_are_refused(tensors, changed, message):
    with pytest.raises(InputError, match=message):
        find_network(tensors(RNN | changed))


def test_two_names_for_one_weight_are_refused(tensors):
    with pytest.raises(InputError, match="holds 'weight_hh_l0' beside 'weight_hh'"):
        find_network(tensors(RNN | {"weight_hh": (3, 3)}))


def test_weights_that_are_not_finite_are_refused(tensors):
    with pytest.raises(InputError, match=r"holds nan in 'nan\.weight_ih_l0' at index \(0, 0\)"):
        find_network(tensors({f"nan.{name}": shape for name, shape in RNN.items()}))


def test_weights_that_are_integers_are_refused(tensors):
    with pytest.raises(InputError, match="as int32, expected floating-point numbers"):
        find_network(tensors(RNN, dtype="int32"))
