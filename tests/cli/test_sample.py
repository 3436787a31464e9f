"""``bptt train --sample``: what the network says after training."""

import json

import numpy as np
import pytest

from bpttcli.cli.main import main

SMALL = ["--hidden", "6", "--batch", "2", "--steps", "5", "--updates", "3"]
WORDS = ["--set", "task.symbols=word"]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("one two three four five six seven eight nine ten\n" * 3)
    return str(path)


def run(capsys, *arguments):
    status = main(["train", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def sample(capsys, *arguments):
    status, out, err = run(capsys, *SMALL, *arguments, "--format", "json")
    assert status == 0, err
    return json.loads(out)["sample"]


def test_without_it_nothing_is_said(capsys, text):
    assert sample(capsys, "--text", text) is None


def test_it_says_as_many_symbols_as_asked_for_after_the_prompt(capsys, text):
    said = sample(capsys, "--text", text, "--sample", "20", "--prompt", "two t")
    assert said.startswith("two t")
    assert len(said) == 25
    words = sample(capsys, "--text", text, *WORDS, "--sample", "4", "--prompt", "six").split()
    assert (words[0], len(words)) == ("six", 5)


def test_the_same_seed_says_the_same(capsys, text):
    asked = ["--text", text, "--sample", "40"]
    assert sample(capsys, *asked) == sample(capsys, *asked)
    assert sample(capsys, *asked) != sample(capsys, *asked, "--seed", "1")


def test_at_temperature_0_chance_plays_no_part(capsys, text):
    """A hot network is a die: it says other things than a cold one."""
    asked = ["--text", text, "--sample", "40", "--prompt", "o", "--temperature"]
    assert sample(capsys, *asked, "0") == sample(capsys, *asked, "1e-9")
    assert sample(capsys, *asked, "0") != sample(capsys, *asked, "9")


def test_training_is_the_same_with_and_without_it(capsys, text):
    def losses(*more):
        _, out, _ = run(capsys, *SMALL, "--text", text, *more, "--format", "json")
        return [row["loss"] for row in json.loads(out)["log"]]

    assert losses() == losses("--sample", "9")


def test_a_finished_run_can_be_asked_again(capsys, text, tmp_path):
    folder = str(tmp_path / "run")
    asked = ["--sample", "30", "--prompt", "five", "--format", "json"]
    _, first, _ = run(capsys, *SMALL, "--text", text, "--checkpoint", folder, *asked)
    status, again, _ = run(capsys, "--resume", folder, *asked)
    assert status == 0
    assert json.loads(first)["sample"] == json.loads(again)["sample"]


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_people_read_it_under_its_own_heading(capsys, text, form):
    _, out, _ = run(
        capsys, *SMALL, "--text", text, *WORDS, "--sample", "3", "--prompt", "one", "--format", form
    )
    _, *lines = out[out.index("What the network says") :].splitlines()
    assert next(line for line in lines if line.startswith("one")).count(" ") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sample", "5"], "--sample must stand with a text (--task text), not with adding"),
        (["--sample", "5", "--task", "sine"], "--sample must stand with a text"),
        (["--sample", "0", "--task", "text"], "--sample must be an integer of at least 1, got"),
        (
            ["--sample", "5", "--task", "text", "--format", "csv"],
            "--sample must not stand with --format csv, which has rows alone",
        ),
        (["--prompt", "a"], "--prompt must stand with --sample"),
        (["--temperature", "1"], "--temperature must stand with --sample"),
        (
            ["--sample", "5", "--task", "text", "--temperature", "hot"],
            "--temperature must be a number of at least 0, got 'hot'",
        ),
        (
            ["--sample", "5", "--task", "text", "--temperature=-1"],
            "--temperature must be a number of at least 0, got '-1'",
        ),
        (
            ["--sample", "5", "--task", "text", *WORDS, "--prompt", "a rivr"],
            "--prompt must be words of the text, got 'rivr': did you mean 'river'?",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_before_training(capsys, arguments, message):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_network_that_reads_symbols_in_another_way_cannot_say_them(capsys, tmp_path):
    """Through an embedding, the inputs are not the symbols."""
    rng = np.random.default_rng(0)
    text = tmp_path / "abc.txt"
    text.write_text("abcabcabcabc")
    model = tmp_path / "model.npz"
    np.savez(
        model,
        **{
            "embedding.weight": rng.normal(size=(3, 2)),
            "rnn.weight_ih_l0": rng.normal(size=(4, 2)),
            "rnn.weight_hh_l0": rng.normal(size=(4, 4)),
            "readout.weight": rng.normal(size=(3, 4)),
        },
    )
    asked = ["--model", str(model), "--cell", "tanh", "--text", str(text), "--steps", "4"]
    status, out, err = run(capsys, *asked, "--updates", "2", "--sample", "3")
    assert (status, out) == (2, "")
    assert "--sample cannot be had: the network must have an input and an output for each" in err
