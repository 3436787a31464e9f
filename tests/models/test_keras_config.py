"""What the config.json of a Keras model says of its layers."""

import json

import pytest

from bpttcli.errors import InputError
from bpttcli.models.keras_config import LayerConfig, read_config


def layer(kind, name=None, **config):
    return {"class_name": kind, "config": config | ({} if name is None else {"name": name})}


def read(root):
    return read_config(json.dumps(root).encode())


def sequential(*layers):
    return read(layer("Sequential", layers=list(layers)))


def functional(**wired):
    """Layers by name, each an LSTM unless it says otherwise, and those it reads."""
    layers = []
    for name, (kind, sources) in wired.items():
        nodes = [{"args": [{"config": {"keras_history": [s, 0, 0]}} for s in sources]}]
        layers.append(layer(kind, name, return_sequences=True) | {"inbound_nodes": nodes})
    return read(layer("Functional", layers=layers))


LSTM = {"return_sequences": True, "activation": "tanh"}


def test_layers_inside_of_others_are_found():
    inner = layer("GRU", "forward", units=3)
    config = sequential(layer("Bidirectional", "both", layer=inner))
    assert config.layers["both"].inner("layer").kind == "GRU"
    assert config.layers["forward"].config["units"] == 3
    assert config.layers["forward"].inner("layer") is None


@pytest.mark.parametrize(
    ("between", "stacks"),
    [
        ([], [["a", "b"]]),
        ([layer("Dropout", "d"), layer("GaussianNoise", "n")], [["a", "b"]]),
        ([layer("Dense", "d")], []),
        ([layer("LayerNormalization", "d")], []),
        ([layer("LSTM", "c", **LSTM)], [["a", "c", "b"]]),
        ([layer("GRU", "c", **LSTM)], []),
        ([layer("LSTM", "c", return_sequences=True, activation="relu")], []),
        ([layer("LSTM", "c", activation="tanh")], [["a", "c"]]),
        ([{"class_name": "nameless", "config": {}}], []),
    ],
)
def test_layers_of_one_cell_that_feed_each_other_whole_are_a_stack(between, stacks):
    config = sequential(layer("LSTM", "a", **LSTM), *between, layer("LSTM", "b", **LSTM))
    assert list(config.stacks()) == stacks


def test_a_functional_model_is_followed_by_its_wires_and_not_by_its_order():
    wired = {"top": ("LSTM", ["d"]), "d": ("Dropout", ["low"]), "low": ("LSTM", ["x"])}
    assert list(functional(**wired).stacks()) == [["low", "top"]]
    wired["top"] = ("LSTM", ["d", "x"])
    assert list(functional(**wired).stacks()) == []


def test_wires_in_a_circle_end():
    circle = functional(a=("LSTM", ["b"]), b=("LSTM", ["a"]))
    assert list(circle.stacks()) == []
    passive = functional(a=("LSTM", ["d"]), d=("Dropout", ["d"]))
    assert list(passive.stacks()) == []


@pytest.mark.parametrize(
    ("kind", "config", "cell"),
    [
        ("SimpleRNN", {}, "tanh"),
        ("SimpleRNNCell", {"activation": "relu"}, "relu"),
        ("LSTM", {}, "lstm"),
        ("GRUCell", {"reset_after": True}, "gru"),
    ],
)
def test_a_cell_that_is_known_here(kind, config, cell):
    found = LayerConfig(kind, config)
    assert (found.refusal, found.cell) == (None, cell)


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("SimpleRNN", {"activation": "elu"}, "has the activation elu, expected tanh, relu or"),
        ("LSTM", {"activation": "relu"}, "has the activation relu, expected tanh"),
        ("GRU", {"recurrent_activation": "hard_sigmoid"}, "activation hard_sigmoid, expected s"),
        ("GRU", {"activation": {"class_name": "X"}}, "has the activation of somebody's own"),
        ("GRU", {"reset_after": False}, "reset_after=False"),
        ("LSTM", {"go_backwards": True}, "backwards"),
        ("MinimalRNNCell", {}, "is a MinimalRNNCell: SimpleRNN, LSTM and GRU are read"),
    ],
)
def test_a_cell_that_is_not_says_why(kind, config, expected):
    assert expected in LayerConfig(kind, config).refusal


def test_the_cells_that_a_layer_runs():
    alone = LayerConfig("RNN", {"cell": layer("GRUCell", "a")})
    assert [cell.kind for cell in alone.cells] == ["GRUCell"]
    stacked = layer("StackedRNNCells", cells=[layer("GRUCell", "a"), 5])
    assert [c and c.kind for c in LayerConfig("RNN", {"cell": stacked}).cells] == ["GRUCell", None]
    assert LayerConfig("RNN", {}).cells == (None,)


@pytest.mark.parametrize(
    "root", [None, [], 5, {}, {"class_name": 5, "config": []}, layer("Mine", "m", layers="no")]
)
def test_a_description_that_says_nothing_is_no_error(root):
    config = read(root)
    assert config.below == {}
    assert list(config.stacks()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(content):
    with pytest.raises(InputError, match=r"its config\.json is no JSON"):
        read_config(content)
