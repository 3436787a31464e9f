"""What a network says next."""

from collections import Counter

import numpy as np
import pytest

from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.unroll import unroll
from bpttcli.errors import InputError, RunError
from bpttcli.models.initialise import initialise
from bpttcli.tasks.symbols import characters, lines
from bpttcli.tasks.vocabulary import Vocabulary
from bpttcli.training.sample import sample

ABC = Vocabulary(("a", "b", "c"), "char")


def counting(names="abc", sharpness=50.0, **more):
    """A network that says the symbol after the one it heard, the first after the last."""
    size = len(names)
    parameters = {
        "weight_ih_l0": np.eye(size),
        "weight_hh_l0": np.zeros((size, size)),
        "readout.weight": sharpness * np.roll(np.eye(size), 1, axis=0),
    }
    return Network.from_parameters(cell_named("linear"), parameters | more)


def say(network=None, vocabulary=ABC, n=4, seed=0, **options):
    network = counting() if network is None else network
    return sample(network, vocabulary, np.random.default_rng(seed), n, **options)


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1.0])
def test_it_goes_on_from_the_prompt(temperature):
    assert say(prompt="ab", n=5, temperature=temperature) == "abcabca"


def test_nothing_is_said_if_nothing_is_asked_for():
    assert say(prompt="b", n=0) == "b"
    assert say(n=0) == ""


def test_without_a_prompt_it_begins_with_what_the_readout_says_of_no_state():
    biased = counting(**{"readout.bias": np.array([0.0, 0.0, 20.0])})
    assert say(biased, n=3, temperature=0) == "cab"


def test_the_same_seed_says_the_same_and_another_something_else():
    dull = counting(sharpness=0.0)
    assert say(dull, n=30) == say(dull, n=30)
    assert say(dull, n=30) != say(dull, n=30, seed=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_a_symbol_is_as_frequent_as_its_output_over_the_temperature_says(temperature):
    """Outputs 0, 1, 2 whatever was heard; each share within four standard errors."""
    o = np.arange(3.0)
    network = counting(sharpness=0.0, **{"readout.bias": o})
    n = 4000
    shares = Counter(say(network, n=n, temperature=temperature))
    p = np.exp(o / temperature) / np.exp(o / temperature).sum()
    for name, expected in zip("abc", p, strict=True):
        assert abs(shares[name] / n - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


@pytest.mark.parametrize("cell", CELLS)
def test_greedy_words_are_those_of_the_whole_sequence_run_again(cell):
    """Step by step with the state carried, as at once: what was said predicts itself."""
    rng = np.random.default_rng(0)
    network = initialise(
        cell_named(cell), rng, n_inputs=3, hidden=8, n_outputs=3, layers=2, gain=1.5
    )
    text = say(network, prompt="cab", n=20, temperature=0)
    x = ABC.encode(text)
    (window,) = unroll(network, x[:-1, None]).windows()
    o = window.tapes[-1].states[0][1:, 0] @ network.C.T
    assert ABC.decode(o.argmax(axis=1)[2:]) == text[3:]


def test_lines_begin_afresh():
    """A network that counts the symbols since h = 0 says the same line again and again."""
    _, vocabulary = lines("ab", "char")
    assert vocabulary.names == ("\n", "a", "b")
    # h counts the steps, the line end in front included; o is largest for its own count.
    network = Network.from_parameters(
        cell_named("linear"),
        {
            "weight_ih_l0": np.ones((1, 3)),
            "weight_hh_l0": np.ones((1, 1)),
            "readout.weight": np.array([[6.0], [2.0], [4.0]]),
            "readout.bias": -np.array([9.0, 1.0, 4.0]),
        },
    )
    assert say(network, vocabulary, n=7, temperature=0) == "ab\nab\na"
    assert say(network, vocabulary, n=4, temperature=0, prompt="a") == "ab\nab"
    assert say(network, vocabulary, n=2, temperature=0, prompt="b\nbb\na") == "b\nbb\nab\n"


def test_words_are_written_with_their_spaces():
    vocabulary = Vocabulary(("cats", "eat", "fish"), "word")
    assert say(counting("xyz"), vocabulary, n=2, prompt="cats") == "cats eat fish"


def test_a_word_that_the_text_does_not_have_is_refused():
    vocabulary = Vocabulary(("cats", "eat", "fish"), "word")
    with pytest.raises(InputError, match="must be words of the text, got 'dogs'"):
        say(counting("xyz"), vocabulary, prompt="dogs")


@pytest.mark.parametrize("temperature", [-0.1, float("nan"), float("inf")])
def test_a_temperature_is_not_negative(temperature):
    with pytest.raises(InputError, match="must be a number of at least 0") as caught:
        say(temperature=temperature)
    assert caught.value.key == "temperature"


def test_a_network_of_another_width_is_refused():
    with pytest.raises(InputError, match="each of the 3 symbols, got 2 inputs and 2 outputs"):
        say(counting("ab"))


def test_a_network_without_a_readout_is_refused():
    mute = Network.from_parameters(
        cell_named("tanh"), {"weight_ih_l0": np.eye(3), "weight_hh_l0": np.eye(3)}
    )
    with pytest.raises(InputError, match="got 3 inputs and no outputs"):
        say(mute)


def test_an_output_that_is_not_finite_is_said():
    loud = counting(sharpness=1e308, **{"readout.bias": np.array([0.0, 1e308, 0.0])})
    with pytest.raises(RunError, match="output 2 is not a finite number"):
        say(loud, prompt="a")


def test_a_text_learnt_by_heart_is_said():
    """Any text of characters that are all different goes round in a counting network."""
    _, vocabulary = characters("the quick")
    names = vocabulary.names
    assert say(counting(names), vocabulary, n=len(names), prompt=names[0])[1:] == "".join(
        [*names[1:], names[0]]
    )
