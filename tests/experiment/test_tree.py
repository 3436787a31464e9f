"""Every key knows where it was set, and every problem says so."""

import pytest

from bpttcli.errors import InputError
from bpttcli.experiment.tree import Node, Origin, Origins, Problem

FILE = Origin("deep.yaml", 1)
LIST = Node([], FILE._replace(line=3))
TASK = Node({"x": LIST, "file": Node(None, FILE._replace(line=4))}, FILE._replace(line=2))
SEED = Node(1, Origin("--seed"))
ORIGINS = Origins(Node({"task": TASK, "seed": SEED}, FILE))


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("task.x", "deep.yaml:3"),
        ("task.x[2][0]", "deep.yaml:3"),
        ("task.steps", "deep.yaml:2"),
        ("task", "deep.yaml:2"),
        ("seed", "--seed"),
        ("model.parameters.readout.weight", "None"),
    ],
)
def test_a_key_that_nobody_set_is_where_the_nearest_key_around_it_is(key, where):
    assert str(ORIGINS.locate(key)) == where


@pytest.mark.parametrize(
    ("key", "given"), [("task.x", True), ("task.file", False), ("task.steps", False)]
)
def test_a_key_is_given_if_this_very_key_is_set_and_not_to_null(key, given):
    assert ORIGINS.given(key) is given


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("task.x", "deep.yaml:3: task.x must be a list"),
        ("seed", "--seed: seed must be a list"),
        ("model.hidden", "model.hidden must be a list"),
        (None, "must be a list"),
    ],
)
def test_an_error_of_a_later_floor_is_explained_by_its_key(key, line):
    assert ORIGINS.explain(InputError("must be a list", key=key)) == line


def test_a_key_that_stands_in_its_origin_is_not_repeated():
    problem = Problem(Origin("--set task.steps"), "task.steps", "must be 1")
    assert str(problem) == "--set task.steps: must be 1"
    assert str(problem._replace(key="task")) == "--set task.steps: task must be 1"


def test_control_characters_of_a_file_or_a_key_are_escaped():
    problem = Problem(Origin("a\x1b.yaml", 2), "b\nc", "is not a known key")
    assert str(problem) == "a\\x1b.yaml:2: b\\nc is not a known key"
