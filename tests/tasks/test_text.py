"""Next-symbol prediction."""

import math
from collections import Counter

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.text import Text

LINE = "the cat, 猫和狗 and the dog\n"


def sequences(**keys):
    return Text(**keys).sequences(np.random.default_rng(0))


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "text.txt"
    file.write_bytes(LINE.encode())
    return str(file)


def test_one_character_is_one_symbol_in_any_script(path):
    text = sequences(file=path, steps=None)
    alphabet = sorted(set(LINE))
    symbols = np.append(text.x[:, 0], text.y[-1])
    assert "".join(alphabet[symbol] for symbol in symbols) == LINE
    assert text.n_inputs == text.n_outputs == len(alphabet)


def test_one_word_is_one_symbol_and_a_chinese_character_is_a_word(path):
    text = sequences(file=path, steps=None, symbols="word")
    expected = ["the", "cat", ",", "猫", "和", "狗", "and", "the", "dog"]
    alphabet = sorted(set(expected))
    assert [alphabet[symbol] for symbol in [*text.x[:, 0], text.y[-1, 0]]] == expected


@pytest.mark.parametrize(
    ("symbols", "counted"), [("char", LINE), ("word", "t c , 猫 和 狗 a t d".split())]
)
def test_the_baseline_is_the_entropy_of_the_whole_file(path, symbols, counted):
    text = sequences(file=path, steps=3, batch=2, symbols=symbols)
    shares = [count / len(counted) for count in Counter(counted).values()]
    assert math.isclose(text.baseline, -sum(p * math.log(p) for p in shares), rel_tol=1e-14)
    assert (text.loss, text.at) == ("cross_entropy", "every")


def test_a_window_is_a_run_of_the_text_and_the_target_its_next_symbol(path):
    whole = sequences(file=path, steps=None)
    run = [*whole.x[:, 0], whole.y[-1, 0]]
    drawn = sequences(file=path, steps=5, batch=30)
    runs = {tuple(run[i : i + 6]) for i in range(len(run) - 5)}
    assert {(*x, y[-1]) for x, y in zip(drawn.x.T, drawn.y.T, strict=True)} <= runs
    np.testing.assert_array_equal(drawn.x[1:], drawn.y[:-1])


def test_byte_order_mark_and_crlf_are_as_if_they_were_not_there(path, tmp_path):
    marked = tmp_path / "marked.txt"
    marked.write_bytes(b"\xef\xbb\xbf" + LINE.replace("\n", "\r\n").encode())
    one, other = (sequences(file=file, steps=None) for file in (path, str(marked)))
    np.testing.assert_array_equal(one.x, other.x)


def test_the_text_that_comes_along_is_english_and_chinese():
    text = sequences()
    assert text.steps == 100
    assert text.n_inputs > 100
    assert sequences(symbols="word", steps=None).steps > 700


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "at least 2 characters, got 0"),
        (b"a", "at least 2 characters, got 1"),
        ("naïve".encode("latin-1"), "must be UTF-8, got the byte 0xef at position 2"),
        ("naïve".encode("utf-16"), "must be UTF-8, got the byte 0xff at position 0"),
        ("中文".encode("gbk"), "must be UTF-8, got the byte 0xd6 at position 0"),
        (b"ab\0cd", "got the byte 0x00 at position 2"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, reason):
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason) as error:
        sequences(file=str(file))
    assert error.value.key == "task.file"
    assert "text.txt" in str(error.value)


def test_a_text_of_white_space_holds_no_words(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(" \n \n")
    with pytest.raises(InputError, match="at least 2 words, got 0"):
        sequences(file=str(file), symbols="word")


def test_a_text_of_one_symbol_has_no_entropy(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("aaaa")
    assert str(sequences(file=str(file), steps=2).baseline) == "0.0"


def test_a_window_longer_than_the_text_is_refused_with_both_lengths(path):
    with pytest.raises(
        InputError, match=r"at most 24 \(there are 25 characters.*, got 27"
    ) as error:
        sequences(file=path, steps=27)
    assert error.value.key == "task.steps"


def test_the_whole_text_is_one_sequence(path):
    with pytest.raises(InputError, match=r"must be 1 .* got 2") as error:
        sequences(file=path, steps=None, batch=2)
    assert error.value.key == "task.batch"
