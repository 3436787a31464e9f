"""The bundled experiments show what they say they show."""

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest


def train(*arguments):
    """The document of a run, in a process of its own: it decides on its threads as it starts."""
    command = [sys.executable, "-m", "bpttcli", "train", *arguments, "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def course(document, name):
    return [row[name] for row in document["log"] if row[name] is not None]


class TestSentences:
    """12 steps (English) and 14 (Chinese) from the first word to the last; 1 in 8 is chance."""

    LOSS_WITHOUT_THE_LAST_WORD = 0.55

    def test_they_are_learnt_when_the_gradient_goes_all_the_way(self):
        document = train("sentences", "--sample", "40", "--prompt", "Bears")
        assert document["log"][-1]["accuracy"] == 1.0
        said = document["sample"].split("\n")[0].split()
        assert (said[0], said[-1], len(said)) == ("Bears", "honey", 14)

    @pytest.mark.parametrize("seed", ["0", "1"])
    def test_cut_before_the_dependence_all_but_the_last_word_is_learnt(self, seed):
        cut = ["--truncation", "fixed", "--length", "13", "--seed", seed]
        document = train("sentences", *cut)
        assert document["log"][-1]["accuracy"] <= 0.125
        assert document["log"][-1]["held_out"] < self.LOSS_WITHOUT_THE_LAST_WORD
        assert document["baseline"] > 4

    def test_cut_between_the_two_lengths_one_language_is_learnt(self):
        """14 steps hold an English sentence whole, and no Chinese one."""
        document = train("sentences", "--truncation", "fixed", "--length", "14")
        assert 0.3 < document["log"][-1]["accuracy"] < 0.7


class TestAddingIRNN:
    def test_rectified_units_fall_far_below_the_baseline(self):
        document = train("adding-irnn")
        assert document["stopped_by"] == "target_loss"
        assert document["baseline"] == pytest.approx(1 / 6)
        assert document["log"][-1]["held_out"] < 0.02
        assert document["log"][-1]["spectral_radius"] > 1
        assert document["log"][-1]["horizon"] == 99

    def test_tanh_stays_at_the_baseline_and_its_horizon_shrinks(self):
        document = train("adding-irnn", "--cell", "tanh", "--updates", "600")
        assert min(course(document, "loss")[3:]) > 0.14
        assert document["log"][-1]["horizon"] <= 5 < document["log"][0]["horizon"]
        assert document["log"][-1]["spectral_radius"] > 1.3


class TestTemporalOrder:
    def test_with_the_clip_it_is_solved_after_the_radius_has_passed_1(self):
        document = train("temporal-order-clipping", "--seed", "2")
        assert document["stopped_by"] == "target_loss"
        assert document["log"][-1]["accuracy"] > 0.98
        radius = course(document, "spectral_radius")
        assert radius[0] < 1 < radius[-1]
        assert max(course(document, "grad_norm_max")) > 10

    def test_without_the_clip_the_same_start_has_learnt_nothing_by_then(self):
        arguments = ["--seed", "2", "--set", "clip.norm=null", "--updates", "1000"]
        document = train("temporal-order-clipping", *arguments)
        assert document["stopped_by"] == "updates"
        assert document["log"][-1]["accuracy"] < 0.5


class TestInfluenceBalancing:
    """THEORY: θ* = −1/6, from θ = 0.5 over 30,000 time steps."""

    def theta(self, tmp_path, *arguments):
        path = tmp_path / "model.npz"
        document = train("influence-balancing", "--save-model", str(path), *arguments)
        with np.load(path) as model:
            first = model["weight_ih_l0"]
            assert not first[1:].any()  # the entries that have no gradient
            return document, float(first[0, 0])

    def test_chunks_of_200_steps_reach_it(self, tmp_path):
        _, theta = self.theta(tmp_path)
        assert abs(theta + 1 / 6) == pytest.approx(2.2e-6, rel=0.01)

    @pytest.mark.parametrize("seed", ["0", "1", "2"])
    def test_cuts_at_random_reach_it(self, tmp_path, seed):
        random = ["--truncation", "artbp", "--seed", seed]
        document, theta = self.theta(tmp_path, *random)
        assert theta == pytest.approx(-1 / 6, abs=1e-8)
        assert document["experiment"]["truncation"]["mean_length"] == 16

    def test_chunks_of_100_steps_move_away(self, tmp_path):
        chunks = ["--length", "100", "--lr", "1.5e-3", "--updates", "300"]
        _, theta = self.theta(tmp_path, *chunks)
        assert theta == pytest.approx(7.6, abs=0.05)

    def test_chunks_of_10_steps_diverge(self, tmp_path):
        chunks = ["--length", "10", "--lr", "1.5e-4", "--updates", "3000"]
        document, _ = self.theta(tmp_path, *chunks)
        assert document["stopped_by"] == "diverged"
        losses = course(document, "loss")[3:]
        assert all(after > before for before, after in itertools.pairwise(losses))
