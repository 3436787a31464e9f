"""Errors are one sentence each; a misspelt name is answered with the nearest."""

import pytest

from bpttcli.errors import BpttError, InputError, RunError, nearest


@pytest.mark.parametrize("error", [InputError("must be 1, got 0"), RunError("the disk is full")])
def test_an_error_reads_as_its_sentence(error):
    assert isinstance(error, BpttError)
    assert str(error) in ("must be 1, got 0", "the disk is full")


def test_an_input_error_knows_the_key_that_it_is_about():
    assert InputError("must be 1", key="task.steps").key == "task.steps"
    assert InputError("must be 1").key is None


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("fixd", "did you mean 'fixed'? (known: full, fixed, sliding)"),
        ("slidng", "did you mean 'sliding'? (known: full, fixed, sliding)"),
        ("x", "known: full, fixed, sliding"),
        ("", "known: full, fixed, sliding"),
    ],
)
def test_the_nearest_name_is_offered_beside_the_known_ones(name, answer):
    assert nearest(name, ["full", "fixed", "sliding"]) == answer


def test_known_names_may_come_once():
    assert nearest("b", iter(["a", "c"])) == "known: a, c"
