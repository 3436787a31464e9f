"""The report of train: the keys that scripts depend on, and what a person is told."""

from io import StringIO

import msgspec
import pytest
from rich.console import Console

from bpttcli.report.report import Run, render, rows_of
from bpttcli.report.training import Trained, TrainingReport
from bpttcli.report.training_rows import COLUMNS, log_grid
from tests.report.test_gradient_norms import EXPERIMENT, report, scalar

EXPERIMENT = EXPERIMENT | {
    "loss": {"name": "mse", "at": "last"},
    "train": {"optimizer": "adam", "lr": 0.001},
    "truncation": {"name": "fixed", "length": 20},
    "clip": {"norm": 1.0, "value": None},
}
TROUBLE = {
    "update": 3,
    "action": "stop",
    "sentence": "diverged at update 3: the hidden state h_l0 is inf at step 9, unit 2",
}


def row(update, **more):
    plain = dict.fromkeys(COLUMNS) | {
        "update": update,
        "loss": 0.5 / (update + 1),
        "held_out": 0.6 / (update + 1),
        "baseline": 1 / 6,
        "learning_rate": 1e-3,
        "grad_norm": 4.0,
        "grad_norm_clipped": 1.0,
        "clip_factor": 0.25,
        "clip_cosine": 1.0,
        "clipped": None if update == 0 else 1.0,
        "grad_norm_max": None if update == 0 else 7.5,
        "growth_per_step": 0.9 + update / 1000,
        "horizon": 10 + update,
        "spectral_radius": 0.95 + update / 100,
        "spectral_norm": 1.2,
        "saturated": 0.25,
        "seconds": update / 10,
    }
    return plain | more


def trained(log=None, experiment=EXPERIMENT, **more):
    log = [row(update) for update in (0, 5, 10)] if log is None else log
    plain = {
        "log": log,
        "stopped_by": "updates",
        "updates": 10,
        "first": report(scalar(0.5)),
        "final": report(scalar(0.9)),
        "best": 0.05,
        "best_update": 10,
        "troubles": [],
        "estimator": "fixed(20)",
    }
    return TrainingReport(Trained(**plain | more), Run(experiment, 1 / 6))


def text(made, form="table"):
    console = Console(file=StringIO(), width=80, color_system=None)
    return render(made, form, console)


def test_the_keys_of_the_document_are_a_contract():
    document = trained().document()
    assert list(document) == [
        *("command", "version", "experiment", "baseline", "warnings", "stopped_by", "updates"),
        *("best", "troubles", "sample", "log", "first", "final"),
    ]
    assert document["command"] == "train"
    assert document["first"] == report(scalar(0.5)).document()
    assert msgspec.json.decode(msgspec.json.encode(document)) == document


def test_the_rows_are_the_log():
    assert rows_of(trained().columns()) == trained().document()["log"]


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_a_run_reads_from_first_to_last(golden, form):
    suffix = {"table": "txt", "markdown": "md"}[form]
    golden(f"training.{suffix}", text(trained(), form))


def test_a_run_that_diverged_says_where_and_shows_what_came_before(golden):
    made = trained(stopped_by="diverged", updates=2, troubles=[TROUBLE], final=None)
    golden("training-diverged.txt", text(made))


@pytest.mark.parametrize(
    ("log", "says"),
    [
        ([row(0), row(9)], "ρ(B) grew to 1.04 from 0.95 while clipping fired at every update"),
        ([row(0), row(9, clipped=0.99)], "clipping fired at nearly every update"),
        ([row(0), row(9, horizon=10)], "the horizon stayed at 10 steps"),
        ([row(0, spectral_radius=0.0), row(9, clipped=0.0)], "the horizon went from 10 to 19"),
        ([row(0), row(9, clipped=0.4)], "clipping fired at 40% of the updates"),
        ([row(0), row(9, clipped=0.001)], "clipping fired at a few updates"),
        ([row(0), row(9, clipped=0.0, spectral_radius=0.5)], "ρ(B) fell to 0.5 from 0.95; the"),
        ([row(0), row(9, clipped=0.0, spectral_radius=0.951)], "ρ(B) stood still at 0.951; the"),
        ([row(0), row(9)], "the horizon went from 10 to 19 steps"),
    ],
)
def test_what_the_rows_show_together_is_said_in_a_sentence(log, says):
    seen = dict(trained(log).view().sentences)["Seen"]
    assert says in seen
    assert seen[0] in "ρt"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {},
            "held-out loss 0.6 → 0.05455 in 10 updates, below the baseline 0.1667: "
            "all updates are done",
        ),
        ({"log": [row(0), row(1)], "updates": 1}, "in 1 update, above the baseline"),
        ({"log": [row(0), row(9, held_out=0.18)]}, "about the baseline 0.1667"),
        ({"log": [row(0), row(9, held_out=0.15)]}, "about the baseline 0.1667"),
        ({"log": [row(0), row(9, held_out=0.14)]}, "below the baseline 0.1667"),
        ({"stopped_by": "patience"}, "the loss has stopped falling"),
        ({"stopped_by": "minutes"}, "the time is up"),
        ({"stopped_by": "target_loss"}, "the target loss is reached"),
    ],
)
def test_the_headline_compares_the_losses_and_says_what_ended_it(more, says):
    assert says in trained(**more).view().headline[1]


def test_a_run_of_a_single_row_compares_nothing():
    made = trained([row(0)], stopped_by="diverged", updates=1, troubles=[TROUBLE])
    assert made.view().headline == (
        "diverged",
        "held-out loss 0.6 at first, 1 update, then it diverged",
    )
    assert "Seen" not in dict(made.view().sentences)


def test_without_a_test_the_training_loss_stands_in_the_headline():
    made = trained([row(0, held_out=None), row(4, held_out=None)])
    assert made.view().headline[1].startswith("loss 0.5 → 0.1 in")
    assert "held-out" not in made.view().grids[0].headers


def test_the_loss_of_a_guess_of_classes_is_known_better_than_that_of_numbers():
    log = [row(0), row(9, held_out=0.15)]
    experiment = EXPERIMENT | {"loss": {"name": "cross_entropy", "at": "last"}}
    assert "below the baseline" in trained(log, experiment=experiment).view().headline[1]


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("stop", "unit 2"),
        ("skip", "unit 2; 2 updates came to nothing"),
        ("backoff", "; 2 updates came to nothing, and the learning rate is 0.00025 now"),
    ],
)
def test_what_was_done_about_a_divergence_is_counted(action, says):
    troubles = [TROUBLE | {"action": action}] * 2
    made = trained([row(0), row(9, learning_rate=2.5e-4)], troubles=troubles)
    assert dict(made.view().sentences)["Trouble"].endswith(says)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0.254, "0.25 s"),
        (12.4, "12 s"),
        (59.7, "1 min 0 s"),
        (185.0, "3 min 5 s"),
        (7800.0, "2 h 10 min"),
    ],
)
def test_the_time_is_told_in_words_that_fit_it(seconds, says):
    assert dict(trained([row(0), row(9, seconds=seconds)]).view().facts)["time"] == says


def test_the_largest_gradient_of_the_run_is_shown():
    log = [row(0), row(5, grad_norm_max=1234.5), row(10)]
    assert ("largest ‖g‖", "1234") in trained(log).view().facts


def test_columns_without_a_figure_are_left_out():
    plain = {"clipped": 0.0, "grad_norm_clipped": 4.0}
    headers = log_grid([row(0), row(1, **plain)]).headers
    assert {"clipped", "fired", "right", "bits"}.isdisjoint(headers)
    headers = log_grid([row(0), row(1, accuracy=0.5, bits=2.0)]).headers
    assert {"clipped", "fired", "right", "bits"} <= set(headers)


def test_of_many_rows_some_are_shown_and_never_the_first_or_last_left_out():
    log = [row(n) for n in range(101)]
    grid = log_grid(log)
    shown = [int(cells[0]) for cells in grid.rows]
    assert (shown[0], shown[-1], len(shown)) == (0, 100, 24)
    assert grid.note == "77 rows are left out: --all shows them"
    assert len(log_grid(log, everything=True).rows) == 101


def test_the_figures_that_matter_most_fit_into_the_narrowest_terminal():
    lines = text(trained()).splitlines()
    assert max(len(line) for line in lines) <= 80
    header = next(line for line in lines if line.startswith("update "))
    assert all(name in header for name in ("update", "loss", "‖g‖", "horizon", "ρ(B)"))
