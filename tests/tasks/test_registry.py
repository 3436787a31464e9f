"""What holds for every task, each of which is found by its name."""

import subprocess
import sys

import msgspec
import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.registry import TASKS, task_class

LISTS = {"x": [[0.5], [1.0], [-2.0]], "y": [1.0, 2.0, 3.0]}
DRAWN = sorted(set(TASKS) - {"data", "constant", "autonomous"})


def task(name, **keys):
    """Make a small task of that name; data has no defaults of its own."""
    return task_class(name)(name=name, **(LISTS if name == "data" else {}), **keys)


def arrays(sequences):
    return [a for a in (sequences.x, sequences.y, sequences.mask) if a is not None]


@pytest.mark.parametrize("name", TASKS)
def test_a_seed_decides_the_sequences(name):
    twice = [task(name).sequences(np.random.default_rng(7)) for _ in range(2)]
    for one, other in zip(*map(arrays, twice), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", DRAWN)
def test_another_seed_draws_other_sequences(name):
    one, other = (task(name).sequences(np.random.default_rng(seed)) for seed in (1, 2))
    assert not np.array_equal(one.x, other.x)


@pytest.mark.parametrize("name", sorted(set(TASKS) - {"data"}))
def test_there_are_as_many_steps_and_sequences_as_asked_for(name):
    sequences = task(name, steps=37, batch=3).sequences(np.random.default_rng(0))
    assert (sequences.steps, sequences.batch) == (37, 3)


@pytest.mark.parametrize("name", sorted(set(TASKS) - {"data"}))
def test_by_default_there_is_one_sequence_of_100_steps(name):
    sequences = task(name).sequences(np.random.default_rng(0))
    assert (sequences.steps, sequences.batch) == (100, 1)


@pytest.mark.parametrize("name", DRAWN)
def test_the_sequences_of_a_batch_are_drawn_apart(name):
    x = task(name, batch=2).sequences(np.random.default_rng(0)).x
    assert not np.array_equal(x[:, 0], x[:, 1])


@pytest.mark.parametrize("name", TASKS)
def test_a_task_survives_the_way_through_json(name):
    there = msgspec.json.encode(task(name))
    assert msgspec.json.decode(there, type=task_class(name)) == task(name)


@pytest.mark.parametrize("name", TASKS)
def test_every_key_but_the_name_says_what_it_means(name):
    schema = msgspec.json.schema(task_class(name))
    properties = schema["$defs"][task_class(name).__name__]["properties"]
    undescribed = [key for key, kind in properties.items() if "description" not in kind]
    assert undescribed == ["name"]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_goes_by_the_name_that_it_is_found_by(name):
    assert task(name).name == name
    if name != "data":
        assert task_class(name)().name == name


@pytest.mark.parametrize("name", TASKS)
def test_an_unknown_key_is_refused(name):
    with pytest.raises(TypeError, match="stepz"):
        task(name, stepz=1)
    with pytest.raises(msgspec.ValidationError, match="unknown field `stepz`"):
        msgspec.convert({"name": name, "stepz": 1}, task_class(name))


@pytest.mark.parametrize(("key", "value"), [("steps", 0), ("steps", 10**10), ("batch", 0)])
@pytest.mark.parametrize("name", TASKS)
def test_sizes_have_bounds(name, key, value):
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert(
            {"name": name, key: value, **(LISTS if name == "data" else {})}, task_class(name)
        )


def test_an_unknown_task_gets_the_nearest_name():
    with pytest.raises(
        InputError, match=r"must be a task, got 'ading': did you mean 'adding'\?"
    ) as e:
        task_class("ading")
    assert e.value.key == "task.name"


def test_the_keys_of_all_tasks_are_known_without_numpy():
    code = (
        "import sys; from bpttcli.tasks.registry import TASKS, task_class;"
        "[task_class(name) for name in TASKS]; assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
