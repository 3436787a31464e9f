"""The network that stands in a file or in the experiment, and what is fed to it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.experiment.given import fed, given_network
from bpttcli.experiment.schema import Model
from bpttcli.tasks.layout import lay_out

PARAMETERS = {"weight_ih_l0": [[1.0, 0.0]] * 3, "weight_hh_l0": np.eye(3).tolist()}
TOKENS = lay_out({"x": np.array([[0, 2], [3, 1], [0, 0]])})
REALS = lay_out({"x": np.arange(12.0).reshape(3, 2, 2), "lengths": np.array([3, 2])})


@pytest.fixture
def model(tmp_path):
    """A model whose file holds a network called rnn, and layers around it."""

    def save(**layers):
        arrays = {f"rnn.{name}": np.asarray(value) for name, value in PARAMETERS.items()}
        path = tmp_path / "model.npz"
        np.savez(path, **arrays, **{f"{name}.weight": w for name, w in layers.items()})
        return Model(file=str(path), cell="relu")

    return save


def read(model):
    warnings = []
    return given_network(model, warnings), warnings


def feed(model, sequences):
    warnings = []
    return *fed(read(model)[0], model, sequences, warnings), warnings


def test_where_nothing_is_given_the_parameters_are_to_be_drawn():
    assert read(Model()) == (None, [])


def test_parameters_of_the_experiment_itself_have_no_names_to_tell():
    given, warnings = read(Model(parameters=PARAMETERS))
    assert given.network.cell.name == "tanh"
    assert "tanh is assumed" in warnings[0]
    assert given.model == Model(parameters=PARAMETERS)


def test_what_was_taken_is_resolved_and_asking_for_it_gives_the_same(model):
    given, warnings = read(model(fc=np.ones((4, 3)), emb=np.ones((5, 2))))
    assert warnings == []
    assert (given.model.recurrent, given.model.readout, given.model.embedding) == (
        "rnn",
        "fc",
        "emb",
    )
    assert given.network.n_outputs == 4
    again, _ = read(given.model)
    assert again.model == given.model


@pytest.mark.parametrize("key", ["hidden", "layers"])
def test_sizes_that_contradict_the_file_are_refused(key, model):
    with pytest.raises(InputError, match=r"as in model\.file, got 7") as caught:
        read(msgspec.structs.replace(model(), **{key: 7}))
    assert caught.value.key == f"model.{key}"


def test_tokens_become_the_vectors_of_the_embedding(model):
    vectors = np.arange(8.0).reshape(4, 2)
    resolved, sequences, _ = feed(model(emb=vectors), TOKENS)
    np.testing.assert_array_equal(sequences.x, vectors[TOKENS.x])
    assert (sequences.n_inputs, resolved.embedding) == (2, "emb")


def test_where_x_is_real_the_embedding_is_not_used(model):
    resolved, sequences, _ = feed(model(emb=np.ones((4, 2))), REALS)
    assert sequences.x is REALS.x
    assert resolved.embedding is None


def test_without_an_embedding_symbols_stay_symbols(model):
    _, sequences, warnings = feed(model(), TOKENS)
    assert sequences.x is TOKENS.x
    assert warnings == []


def test_an_embedding_that_does_not_fit_is_no_silence(model):
    _, sequences, warnings = feed(model(emb=np.ones((4, 5))), TOKENS)
    assert sequences.x is TOKENS.x
    assert "one-hot vectors: 'emb' of the file does not fit the 2 inputs" in warnings[0]


def test_an_embedding_that_is_not_used_is_not_read(model):
    broken = model(emb=np.full((4, 2), np.nan))
    assert feed(broken, REALS)[1].x is REALS.x
    with pytest.raises(InputError, match=r"holds nan in 'emb\.weight'"):
        feed(broken, TOKENS)


def test_a_token_beyond_the_embedding_is_refused(model):
    with pytest.raises(InputError, match=r"from 0 to 2 .* has 3 vectors\), got 3") as caught:
        feed(model(emb=np.ones((3, 2))), TOKENS)
    assert caught.value.key == "task.x"


def test_the_reverse_direction_turns_each_sequence_round_within_its_length():
    files = Path(__file__).parents[1] / "models" / "files"
    model = Model(file=str(files / "bidirectional.pt"), direction="reverse")
    resolved, sequences, warnings = feed(model, REALS)
    assert resolved.direction == "reverse"
    np.testing.assert_array_equal(sequences.x[:, 0], REALS.x[::-1, 0])
    np.testing.assert_array_equal(sequences.x[:2, 1], REALS.x[1::-1, 1])
    assert "step 1 is the last one of the data" in warnings[0]
