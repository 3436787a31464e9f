"""Endless sequences, chunk by chunk."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.registry import task_class
from bpttcli.tasks.streams import Passage, spread

TEXT = "abcdefghijklmnopqrstuvw"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "text.txt"
    path.write_text(TEXT)
    return str(path)


@pytest.fixture
def make(text):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(11, 2, 3)).tolist(), rng.normal(size=(11, 2, 1)).tolist()
    keys = {"text": {"file": text}, "data": {"x": x, "y": y}}

    def stream(name, steps=5, batch=2, seed=0):
        task = task_class(name)(name=name, steps=steps, batch=batch, **keys.get(name, {}))
        return task.stream(np.random.default_rng(seed))

    return stream


STREAMS = ["constant", "data", "sine", "sunspots", "text"]


def joined(stream, chunks):
    """x and y of the first chunks, one after the other."""
    parts = [stream.chunk(k) for k in range(chunks)]
    return [np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y")]


@pytest.mark.parametrize("name", STREAMS)
def test_a_chunk_is_as_large_as_asked_for(make, name):
    chunk = make(name, steps=4).chunk(3)
    assert (chunk.steps, chunk.batch, chunk.y.shape[:2]) == (4, 2, (4, 2))


@pytest.mark.parametrize("name", STREAMS)
def test_a_chunk_depends_on_its_number_alone(make, name):
    """Asked for in any order, by one object or another."""
    stream = make(name)
    forward = [stream.chunk(k) for k in range(6)]
    for k in (5, 2, 0, 3):
        again = make(name).chunk(k)
        np.testing.assert_array_equal(again.x, forward[k].x)
        np.testing.assert_array_equal(again.y, forward[k].y)


@pytest.mark.parametrize("name", ["constant", "data", "sunspots", "text"])
def test_how_it_is_cut_into_chunks_makes_no_difference(make, name):
    for fine, coarse in zip(
        joined(make(name, steps=4), 15), joined(make(name, steps=10), 6), strict=True
    ):
        np.testing.assert_array_equal(fine, coarse)


@pytest.mark.parametrize("name", ["sine", "sunspots", "text"])
def test_the_target_is_the_next_input_across_chunks_too(make, name):
    x, y = joined(make(name), 20)
    np.testing.assert_array_equal(x[1:], y[:-1])


def test_a_sine_without_noise_is_one_wave_for_ever():
    task = task_class("sine")(steps=7, batch=3, period=9.0, noise=0.0)
    x, _ = joined(task.stream(np.random.default_rng(0)), 30)
    np.testing.assert_allclose(x[2:], 2 * np.cos(2 * np.pi / 9) * x[1:-1] - x[:-2], atol=1e-12)


def test_the_noise_of_a_sine_is_independent_from_chunk_to_chunk():
    task = task_class("sine")(steps=9, batch=200, period=9.0, noise=1.0)
    stream = task.stream(np.random.default_rng(0))
    still = task_class("sine")(steps=9, batch=200, period=9.0, noise=0.0)
    wave = still.stream(np.random.default_rng(0))
    one, other = ((stream.chunk(k).x - wave.chunk(k).x).ravel() for k in (0, 1))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(1800)


def test_streams_start_where_they_divide_the_text_and_its_end_meets_its_beginning(make):
    stream = make("text", steps=5, batch=2)
    names = stream.chunk(0).vocabulary.names
    x, y = joined(stream, 10)
    for n, start in enumerate((0, 11)):
        whole = (TEXT * 4)[start : start + 51]
        assert "".join(names[k] for k in [*x[:, n], y[-1, n]]) == whole


def test_chunks_may_be_longer_than_the_text(make):
    x, _ = joined(make("text", steps=60, batch=1), 1)
    assert "".join(sorted(TEXT)[k] for k in x[:, 0]) == (TEXT * 3)[:60]


def test_a_stream_may_be_any_number_of_chunks_long(make):
    """At chunk 23 · 10^20 of a text of 23 symbols it begins anew."""
    np.testing.assert_array_equal(make("text").chunk(23 * 10**20).x, make("text").chunk(0).x)


@pytest.mark.parametrize("batch", [1, 3, 7, 30])
def test_places_are_spread_evenly(batch):
    gaps = np.diff(np.append(spread(23, batch), 23))
    assert gaps.max() - gaps.min() <= 1


def test_a_passage_keeps_further_axes():
    series = np.arange(12.0).reshape(6, 2)
    passage = Passage(series, spread(6, 2), 2, lambda x, y: (x, y))
    x, y = passage.chunk(1)
    np.testing.assert_array_equal(x, series[[[2, 5], [3, 0]]])
    np.testing.assert_array_equal(y, series[[[3, 0], [4, 1]]])


@pytest.mark.parametrize("name", ["adding", "copy", "temporal-order", "noise", "autonomous"])
def test_sequences_that_have_an_end_are_no_stream(make, name):
    with pytest.raises(InputError, match=f"false for the task {name}") as caught:
        make(name, steps=30)
    assert caught.value.key == "train.carry_state"


@pytest.mark.parametrize("more", [{}, {"y": [1.0, 2.0]}])
def test_data_without_a_target_at_each_step_are_no_stream(more):
    data = task_class("data")(
        name="data", x=[[[1.0], [2.0]], [[1.0], [2.0]], [[0.0], [0.0]]], **more
    )
    with pytest.raises(InputError, match="not a target for each step"):
        data.stream(np.random.default_rng(0))


def test_the_steps_of_data_that_carry_a_target_go_round_with_them():
    data = task_class("data")(
        name="data", x=[1.0, 2.0, 3.0], y=[1.0, 2.0, 3.0], mask=[True, False, True], steps=2
    )
    stream = data.stream(np.random.default_rng(0))
    marked = np.concatenate([stream.chunk(k).mask[:, 0] for k in range(3)])
    np.testing.assert_array_equal(marked, [True, False, True] * 2)


@pytest.mark.parametrize("name", ["text", "sunspots", "data", "adding", "sine"])
def test_what_is_read_once_draws_what_the_task_draws(text, name):
    keys = {"text": {"file": text}, "data": {"x": [1.0, 2.0], "steps": 2}}.get(name, {})
    task = task_class(name)(name=name, **{"steps": 5} | keys)
    supply = task.supply()
    for seed in (1, 2):
        one, other = (each.sequences(np.random.default_rng(seed)) for each in (supply, task))
        np.testing.assert_array_equal(one.x, other.x)
