"""A run from its first row to its ending."""

import numpy as np
import pytest

from bpttcli.training.progress import Progress
from bpttcli.training.run import Ending
from tests.training.runs import listened, run_of


def test_a_row_before_the_first_update_and_one_after_the_last():
    run = run_of(train__updates=10, train__log_every=4)
    ears = listened(run)
    assert [row["update"] for row in ears.rows] == [0, 4, 8, 10]
    assert run.progress.stopped_by == "updates"
    assert run.progress.rows == ears.rows


def test_twenty_rows_unless_told_otherwise():
    assert len(listened(run_of(train__updates=100)).rows) == 21


def test_the_loss_of_a_row_is_the_mean_since_the_row_before():
    fine = listened(run_of(train__updates=6, train__log_every=1)).rows
    coarse = listened(run_of(train__updates=6, train__log_every=3)).rows
    for n in (1, 2):
        part = [row["loss"] for row in fine[3 * n - 2 : 3 * n + 1]]
        assert coarse[n]["loss"] == pytest.approx(np.mean(part), rel=1e-14)
    assert coarse[2]["grad_norm_max"] == max(row["grad_norm"] for row in fine[4:])


def test_how_often_a_row_is_measured_changes_nothing_of_the_run():
    fine, coarse = run_of(train__updates=9, train__log_every=1), run_of(train__updates=9)
    listened(fine), listened(coarse)
    assert fine.updates.parameters.theta.tobytes() == coarse.updates.parameters.theta.tobytes()


def test_a_clip_is_logged_before_and_after_with_how_often_it_fired():
    keys = {"train__updates": 8, "train__log_every": 4}
    free, held = listened(run_of(**keys)), listened(run_of(**keys, clip__norm=1e-3))
    for row in free.rows:
        assert (row["clip_factor"], row["clip_cosine"]) == (1.0, 1.0)
        assert row["grad_norm"] == row["grad_norm_clipped"]
    for row in held.rows:
        assert row["grad_norm_clipped"] == pytest.approx(1e-3, rel=1e-12)
        assert row["clip_factor"] == pytest.approx(1e-3 / row["grad_norm"], rel=1e-12)
        assert row["clip_cosine"] == 1.0
    assert [row["clipped"] for row in held.rows] == [None, 1.0, 1.0]
    assert [row["clipped"] for row in free.rows] == [None, 0.0, 0.0]


def test_a_clip_by_value_says_what_it_turns():
    rows = listened(run_of(train__updates=4, clip__value=1e-2)).rows
    assert all(0 < row["clip_cosine"] < 1 for row in rows)


def test_a_clip_that_never_fires_changes_no_bit():
    free, held = run_of(train__updates=9), run_of(train__updates=9, clip__norm=1e9)
    listened(free), listened(held)
    assert free.updates.parameters.theta.tobytes() == held.updates.parameters.theta.tobytes()


def test_the_best_are_those_of_the_smallest_held_out_loss():
    run = run_of(train__updates=20, train__lr=0.3, train__optimizer="sgd", train__log_every=1)
    ears = listened(run)
    losses = [row["held_out"] for row in ears.rows]
    best = int(np.argmin(losses))
    assert (run.progress.best, run.progress.best_update) == (losses[best], best)
    falls = sum(loss < min(losses[:n], default=np.inf) for n, loss in enumerate(losses))
    assert len(ears.bests) == falls


def test_without_a_test_the_training_loss_is_judged():
    run = run_of(train__updates=5, train__held_out_batch=0)
    ears = listened(run)
    assert {row["held_out"] for row in ears.rows} == {None}
    assert run.progress.best == min(row["loss"] for row in ears.rows)


def test_how_many_updates_there_will_be_is_a_matter_of_updates_and_minutes():
    half = Progress(update=10, seconds=30.0)
    assert Ending(100).expected(half) == 100
    assert Ending(100, minutes=1.0).expected(half) == 20
    assert Ending(15, minutes=1.0).expected(half) == 15
    assert Ending(100, minutes=0.1).expected(half) == 10  # over already
    assert Ending(100, minutes=1.0).expected(Progress()) == 100


def test_it_is_saved_every_so_often_and_at_its_end():
    assert listened(run_of(train__updates=10, train__checkpoint_every=4)).saved == [4, 8, 10]


def test_an_interruption_ends_it_after_an_update_and_adds_no_row():
    run = run_of(train__updates=100, train__log_every=10)
    ears = listened(run, until=13)
    assert (run.progress.update, run.progress.stopped_by) == (13, None)
    assert [row["update"] for row in ears.rows] == [0, 10]
    assert ears.saved == [13]


def test_it_goes_on_after_an_interruption_as_if_there_had_been_none():
    run, whole = (run_of(train__updates=30, train__log_every=7) for _ in range(2))
    listened(whole)
    listened(run, until=13)
    listened(run)
    assert run.updates.parameters.theta.tobytes() == whole.updates.parameters.theta.tobytes()
    for first, second in zip(run.progress.rows, whole.progress.rows, strict=True):
        assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_it_can_end_where_it_was_left_without_another_update():
    """And its last row tells of the gradient that was then."""
    run, whole = run_of(train__updates=100, train__log_every=10), run_of(train__updates=13)
    listened(run, until=13)
    run.ending = Ending(13)
    rows = listened(run).rows
    last = listened(whole).rows[-1]
    assert (run.progress.stopped_by, rows[-1]["update"]) == ("updates", 13)
    for name in ("grad_norm", "grad_norm_clipped", "clip_factor", "clip_cosine", "held_out"):
        assert rows[-1][name] == last[name]


@pytest.mark.parametrize(
    ("keys", "reason", "updates"),
    [
        ({"train__target_loss": 1e9}, "target_loss", 0),
        ({"train__patience": 3, "train__lr": 1e-300}, "patience", 6),
        ({"train__minutes": 1e-9}, "minutes", 1),
        ({}, "updates", 40),
    ],
)
def test_the_reason_for_an_ending(keys, reason, updates):
    run = run_of(train__updates=40, train__log_every=2, **keys)
    listened(run)
    assert run.progress.stopped_by == reason
    assert run.progress.update <= updates
