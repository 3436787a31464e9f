"""The layers around a recurrent network: the linear one above, the embedding below."""

from pathlib import Path

import pytest

from bpttcli.errors import InputError
from bpttcli.models.find_layers import find_layers
from bpttcli.models.tensor_storage import LazyTensor

N, H, V = 3, 4, 7  # inputs, hidden units, symbols


def layers(shapes):
    """Tensors of these shapes; none of them is read."""
    return {
        name: LazyTensor(Path("none"), 0, "float32", shape, (1,) * len(shape))
        for name, shape in shapes.items()
    }


def linear(name, rows, columns):
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def bare(name, rows, columns):
    return {f"{name}.weight": (rows, columns)}


@pytest.mark.parametrize(
    ("shapes", "n_inputs", "readout", "embedding"),
    [
        ({}, N, None, None),
        (linear("fc", 5, H), N, "fc", None),
        (bare("fc", 5, H), N, "fc", None),
        (linear("fc", 5, 2 * H), N, None, None),
        (linear("a", 5, H) | linear("b", 6, H), N, None, None),
        (linear("in", N, 2) | linear("out", 5, H), N, "out", None),
        (bare("embed", V, N) | linear("fc", V, H), N, "fc", "embed"),
        (bare("encoder", V, N) | linear("decoder", V, H), N, "decoder", "encoder"),
        (bare("encoder", V, N) | bare("decoder", V, H), N, "decoder", "encoder"),
        # inputs = units: an embedding and a readout have the same shape
        (bare("encoder", V, H) | linear("decoder", V, H), H, "decoder", "encoder"),
        (bare("embedding", V, H) | bare("decoder", V, H), H, "decoder", "embedding"),
        (bare("encoder", V, H) | bare("decoder", V, H), H, None, None),
        (bare("fc", 5, H), H, "fc", None),
        (bare("tok_emb", V, N) | bare("x", V, N), N, None, "tok_emb"),
        (bare("emb1", V, N) | bare("emb2", V, N), N, None, None),
        # what is no linear layer
        ({"norm.weight": (H,), "norm.bias": (H,), "conv.weight": (5, H, 3)}, N, None, None),
        ({"fc.weight_v": (5, H), "weights": (5, H)}, N, None, None),
        ({"fc.weight": (0, H)}, N, None, None),
    ],
)
def test_a_layer_is_taken_when_no_other_could_be_meant(shapes, n_inputs, readout, embedding):
    found = find_layers(layers(shapes), n_inputs, H)
    assert found.readout.get("readout.weight") == (readout and f"{readout}.weight")
    assert found.embedding == (embedding and f"{embedding}.weight")


def test_a_bias_comes_along_if_there_is_one():
    assert find_layers(layers(linear("fc", 5, H)), N, H).readout == {
        "readout.weight": "fc.weight",
        "readout.bias": "fc.bias",
    }
    assert find_layers(layers(bare("fc", 5, H)), N, H).readout == {"readout.weight": "fc.weight"}


def test_the_readouts_that_could_be_meant_are_listed():
    several = layers(linear("a", 5, H) | linear("b", 6, H) | linear("c", 5, N))
    assert find_layers(several, N, H).readouts == ("a", "b")


@pytest.mark.parametrize("name", ["b", "b.weight"])
def test_a_readout_can_be_chosen(name):
    several = layers(linear("a", 5, H) | linear("b", 6, H))
    assert find_layers(several, N, H, name).readout["readout.weight"] == "b.weight"


def test_choosing_the_readout_settles_the_embedding():
    alike = layers(bare("encoder", V, H) | bare("decoder", V, H))
    assert find_layers(alike, H, H, "decoder").embedding == "encoder.weight"


def test_an_embedding_can_be_its_own_readout():
    """Tied weights."""
    found = find_layers(layers(bare("embed", V, H)), H, H, "embed")
    assert found.readout == {"readout.weight": "embed.weight"}


def test_a_layer_that_stands_alone_has_the_empty_name():
    assert find_layers(layers({"weight": (5, H)}), N, H, "").readout["readout.weight"] == "weight"


def test_a_readout_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="got 'decode': did you mean 'decoder'") as raised:
        find_layers(layers(linear("decoder", 5, H)), N, H, "decode")
    assert raised.value.key == "model.readout"
    with pytest.raises(InputError, match="got 'fc': it has none"):
        find_layers({}, N, H, "fc")


def test_a_readout_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"'fc.weight' of shape \(5, 8\), expected \(any, 4\)"):
        find_layers(layers(linear("fc", 5, 2 * H)), N, H, "fc")
