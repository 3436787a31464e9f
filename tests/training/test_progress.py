"""How far a run has come, between two rows of its log."""

import msgspec
import pytest

from bpttcli.training.progress import Progress, judged


@pytest.mark.parametrize(
    ("row", "loss"),
    [
        ({"loss": 2, "held_out": 3.0}, 3.0),
        ({"loss": 2, "held_out": None}, 2.0),
        ({"loss": None, "held_out": 0.0}, 0.0),
        ({"loss": None, "held_out": None}, None),
    ],
)
def test_a_row_is_judged_by_what_is_held_out_where_something_is(row, loss):
    assert judged(row) == loss


def test_updates_add_up_until_a_row_begins_anew():
    progress = Progress()
    for loss, norm, fired in ((1.0, 5.0, True), (3.0, 2.0, False)):
        progress.count(loss, norm, fired=fired)
    assert (progress.losses, progress.largest_norm, progress.fired, progress.counted) == (
        *(4.0, 5.0, 1),
        2,
    )
    progress.start_row()
    assert progress == Progress()


def test_it_is_plain_values_that_come_back_from_json():
    progress = Progress(update=7, rows=[{"update": 7, "loss": 0.1}], troubles=[{"update": 3}])
    text = msgspec.json.encode(msgspec.to_builtins(progress))
    assert msgspec.convert(msgspec.json.decode(text), Progress) == progress
