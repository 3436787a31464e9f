"""A person is shown a choice of steps, densest near the loss, and what ran."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpttcli.report.view import (
    chosen_steps,
    counted,
    describe_estimate,
    describe_file,
    describe_run,
)


@given(st.integers(1, 3_000_000))
def test_some_six_steps_a_decade_of_lag_the_last_and_the_first_among_them(steps):
    chosen = chosen_steps(steps)
    assert chosen == sorted(set(chosen), reverse=True)
    assert (chosen[0], chosen[-1]) == (steps - 1, 0)
    assert len(chosen) <= max(24, 6 * len(str(steps)) + 1)


def test_a_short_sequence_is_shown_whole():
    assert chosen_steps(24) == list(range(23, -1, -1))


@given(st.integers(1, 500), st.integers(1, 600))
def test_every_shows_the_lags_it_divides_and_the_first_step(steps, every):
    chosen = chosen_steps(steps, every=every)
    assert {steps - 1 - i for i in chosen} == {*range(0, steps, every), steps - 1}


def test_everything_is_every_step():
    assert chosen_steps(100, everything=True) == list(range(99, -1, -1))


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("last", "mse at the last step"),
        ("every", "mse at every step"),
        (None, "mse at the steps of the mask"),
    ],
)
def test_a_run_is_described_in_a_line(at, said):
    experiment = {
        "seed": 3,
        "task": {"name": "data"},
        "model": {"cell": "tanh", "hidden": 1, "layers": 2},
        "loss": {"name": "mse", "at": at},
    }
    assert describe_run(experiment) == f"data · tanh, 1 unit · 2 layers · {said} · seed 3"


@pytest.mark.parametrize(
    ("recurrent", "readout", "embedding", "direction", "said"),
    [
        ("", None, None, None, "model.pt"),
        ("", "readout", None, None, "model.pt"),
        ("rnn", "fc", None, None, "rnn → fc of model.pt"),
        ("rnn", "fc", "emb", None, "emb → rnn → fc of model.pt"),
        ("rnn", None, None, "reverse", "rnn (reverse) of model.pt, no readout"),
        ("", "fc", None, None, "the network → fc of model.pt"),
        ("rnn", "", None, None, "rnn → the linear layer of model.pt"),
    ],
)
def test_what_was_taken_from_a_file_is_named_from_the_input_upward(
    recurrent, readout, embedding, direction, said
):
    parts = {"recurrent": recurrent, "readout": readout, "embedding": embedding}
    assert describe_file({"file": "/a/model.pt", **parts, "direction": direction}) == said


def test_the_name_of_a_file_cannot_reach_the_terminal_s_controls():
    parts = dict.fromkeys(("readout", "embedding", "direction"))
    assert describe_file({"file": "a\x1b[1m", "recurrent": "", **parts}) == "a\\x1b[1m"


@pytest.mark.parametrize(
    ("truncation", "said"),
    [
        ({"name": "full", "length": None}, "seed 3"),
        ({"name": "fixed", "length": 20, "probability": None}, "seed 3 · fixed(20)"),
        ({"name": "sliding", "length": 5}, "seed 3 · sliding(5)"),
        ({"name": "randomized", "probability": 0.1}, "seed 3 · one draw of randomized(0.1)"),
        (
            {"name": "randomized", "probability": 0.1, "reweight": False},
            "seed 3 · one draw of unreweighted(0.1)",
        ),
    ],
)
def test_an_estimate_is_described_by_its_estimator_if_it_is_not_exact(truncation, said):
    experiment = {
        "seed": 3,
        "task": {"name": "data"},
        "model": {"cell": "tanh", "hidden": 1, "layers": 2},
        "loss": {"name": "mse", "at": "last"},
        "truncation": truncation,
    }
    assert describe_estimate(experiment).endswith(said)


def test_one_step_is_no_steps():
    assert [counted(n, "step") for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]
