"""What a network is trained on has nothing in common with what it is tested on."""

import numpy as np
import pytest

from bpttcli.tasks.parts import chosen_aside, set_aside
from bpttcli.tasks.registry import TASKS, task_class

RNG = np.random.default_rng


def parts(name, share=0.2, tested=5, seed=0, **keys):
    return task_class(name)(name=name, **keys).parts(RNG(seed), share, tested)


def data(sequences=10, steps=4):
    x = np.arange(steps * sequences, dtype=float).reshape(steps, sequences)
    return {"x": x[:, :, None].tolist(), "y": x[:, :, None].tolist()}


@pytest.mark.parametrize("name", [name for name in TASKS if name != "data"])
def test_every_task_can_be_parted(name):
    """With a test as large as asked for, or none; and the same one whenever asked."""
    made = parts(name, steps=30, batch=3) if name != "constant" else parts(name)
    if made.held_out is not None:
        found, again = (made.held_out.sequences(RNG(1)) for _ in range(2))
        assert found.batch == 5
        np.testing.assert_array_equal(found.x, again.x)
    assert made.train.sequences(RNG(1)).x.shape[0] > 0


@pytest.mark.parametrize("name", ["adding", "text", "sunspots"])
def test_no_test_is_made_that_is_not_asked_for(name):
    assert parts(name, tested=0, steps=30).held_out is None


def test_the_end_of_a_text_is_kept_aside(tmp_path):
    """Its letters stand in the order of the alphabet, so that a letter tells its place."""
    path = tmp_path / "text.txt"
    path.write_text("abcdefghijklmnopqrst")
    made = parts("text", share=0.25, file=str(path), steps=3, batch=50)
    assert made.train.sequences(RNG(0)).y.max() == 14
    assert made.held_out.sequences(RNG(0)).x.min() == 15
    stream = made.stream(RNG(0))
    assert max(stream.chunk(k).y.max() for k in range(20)) == 14


def test_a_text_too_short_to_be_parted_is_trained_on_whole(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("abcdefg")
    made = parts("text", file=str(path), steps=5, batch=50)
    assert made.held_out is None
    assert made.train.sequences(RNG(0)).y.max() == 6


def test_the_baseline_of_a_part_of_a_text_is_that_of_the_whole(tmp_path):
    """Letters that do not occur in a part leave no 0 · log 0 behind."""
    path = tmp_path / "text.txt"
    path.write_text("a" * 30 + "b" * 10)
    made = parts("text", file=str(path), steps=3)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    for supply in (made.train, made.held_out):
        assert supply.sequences(RNG(0)).baseline == pytest.approx(entropy, rel=1e-12)


def test_lines_are_parted_at_random():
    made = parts("text", lines=True, steps=None, symbols="word", tested=300)
    seen = {tuple(line) for line in made.train.symbols}
    aside = {tuple(line) for line in made.held_out.symbols}
    assert len(aside) == pytest.approx(0.2 * (len(seen) + len(aside)), rel=0.05)


def test_sequences_of_a_data_set_are_in_one_part():
    made = parts("data", **data())
    first = made.train.sequences(RNG(0)).x[0, :, 0]
    aside = made.held_out.sequences(RNG(0)).x[0, :, 0]
    assert (len(first), len(aside)) == (8, 2)
    assert set(first) | set(aside) == set(range(10))
    assert made.stream(RNG(0)).chunk(0).batch == 8


def test_a_single_sequence_is_trained_on():
    made = parts("data", **data(sequences=1))
    assert made.held_out is None
    assert made.train.sequences(RNG(0)).batch == 1


@pytest.mark.parametrize(("length", "share", "window"), [(100, 0.0, 5), (9, 0.1, 5), (1, 0.5, 1)])
def test_nothing_is_kept_aside_of_a_series_too_short(length, share, window):
    assert set_aside(length, share, window) == 0


def test_something_is_always_left_to_train_on():
    train, aside = chosen_aside(3, 0.99, RNG(0))
    assert (len(train), len(aside)) == (1, 2)
