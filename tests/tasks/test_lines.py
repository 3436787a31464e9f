"""Each line of a text as a sequence of its own."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.symbols import lines
from bpttcli.tasks.text import Text

POEM = "one two three\n\n   \r\n猫吃鱼呢\nfour\n"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "poem.txt"
    file.write_bytes(POEM.encode())
    return str(file)


def poem(path, **keys):
    return Text(file=path, lines=True, **{"steps": None, "symbols": "word"} | keys)


def drawn(path, seed=0, **keys):
    return poem(path, **keys).sequences(np.random.default_rng(seed))


def test_lines_of_white_space_are_left_out():
    found, vocabulary = lines(POEM.replace("\r", ""), "word")
    assert [vocabulary.decode(line[1:-1]) for line in found] == [
        "one two three",
        "猫吃鱼呢",
        "four",
    ]


def test_a_line_stands_between_line_ends_and_is_as_long_as_it_is(path):
    sequences = drawn(path, batch=30)
    end = sequences.vocabulary.names.index("\n")
    assert sequences.steps == 5  # four characters and a line end
    said = set()
    for n in range(30):
        there = sequences.mask[:, n]
        steps = there.sum()
        assert there[:steps].all()
        assert sequences.x[0, n] == end == sequences.y[steps - 1, n]
        np.testing.assert_array_equal(sequences.x[1:steps, n], sequences.y[: steps - 1, n])
        said.add(sequences.vocabulary.decode(sequences.y[: steps - 1, n]))
    assert said == {"one two three", "猫吃鱼呢", "four"}


def test_what_is_measured_is_the_last_symbol_of_the_line(path):
    sequences = drawn(path, batch=30)
    assert (sequences.measured.sum(axis=0) == 1).all()
    last = sequences.vocabulary.decode(sequences.y[sequences.measured])
    assert set(last.split()) >= {"three", "four"}
    assert "呢" in last


def test_the_baseline_is_what_frequencies_cost_averaged_as_the_loss_is(path):
    """The line end is 3 of 11 targets, each other symbol 1."""
    rare, end = np.log(11), np.log(11 / 3)
    costs = [(words * rare + end) / (words + 1) for words in (3, 4, 1)]
    assert drawn(path).baseline == pytest.approx(np.mean(costs), rel=1e-14)


def test_characters_come_by_the_line_too(path):
    sequences = drawn(path, symbols="char", batch=20)
    assert sequences.steps == len("one two three") + 1
    assert sequences.vocabulary.by_line


def test_steps_may_be_more_than_a_line_needs_but_not_fewer(path):
    one, other = drawn(path, batch=8), drawn(path, batch=8, steps=9)
    assert other.steps == 9
    np.testing.assert_array_equal(other.x[:5], one.x)
    assert not other.mask[5:].any()
    assert other.baseline == one.baseline
    with pytest.raises(InputError, match=r"at least 5, the steps of the longest line .*, got 4"):
        drawn(path, steps=4)


def test_a_file_without_a_line_is_refused(tmp_path):
    file = tmp_path / "empty.txt"
    file.write_text(" \n\t\n")
    with pytest.raises(InputError, match="must have a line with words, got none") as caught:
        drawn(str(file))
    assert caught.value.key == "task.file"


def test_what_is_read_once_draws_what_is_read_each_time(path):
    supply = poem(path, batch=5).supply()
    for seed in (0, 1):
        once = supply.sequences(np.random.default_rng(seed))
        np.testing.assert_array_equal(once.x, drawn(path, seed, batch=5).x)


def test_lines_are_no_stream(path):
    with pytest.raises(InputError, match="each starts afresh") as caught:
        poem(path).stream(np.random.default_rng(0))
    assert caught.value.key == "train.carry_state"
