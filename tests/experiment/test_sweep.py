"""A sweep is every combination of the values of its keys."""

import pytest

from bpttcli.errors import InputError
from bpttcli.experiment.sweep import sweep_points


def values(*texts):
    return [tuple(option.value for option in point) for point in sweep_points(texts)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("model.cell=tanh", ["tanh"]),
        ("model.cell=tanh, lstm", ["tanh", "lstm"]),
        ("task.steps=10,1e3", [10, 1000.0]),
        ("loss.vector=[1, 2],[3, 4]", [[1, 2], [3, 4]]),
        ("task.file='a,b.npz','c'", ["a,b.npz", "c"]),
        (
            "model={cell: gru, hidden: 3},{cell: tanh}",
            [{"cell": "gru", "hidden": 3}, {"cell": "tanh"}],
        ),
        (" seed =1", [1]),
    ],
)
def test_values_are_yaml_between_commas(text, wanted):
    assert values(text) == [(value,) for value in wanted]


def test_several_sweeps_are_combined_and_the_last_changes_fastest():
    assert values("a=1,2", "b=u,v") == [(1, "u"), (1, "v"), (2, "u"), (2, "v")]
    first, _ = sweep_points(["a=1", "b=u,v"])
    assert [(option.name, option.key) for option in first] == [("--sweep", "a"), ("--sweep", "b")]


def test_nothing_swept_is_one_experiment():
    assert sweep_points([]) == [()]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["model.cell"], "must be KEY=V1,V2"),
        (["model.cell="], "must be KEY=V1,V2"),
        (["=1,2"], "must be KEY=V1,V2"),
        (["a=1", "a=2"], "'a' is given twice"),
        (["a=1,,2"], "--sweep: a is not valid YAML"),
        (["a=]"], "--sweep: a is not valid YAML"),
        (["a=1],[2"], "--sweep: a is not valid YAML"),
        (["a=1,2", f"b={'1,' * 500}1"], "at most 1000 experiments, got 1002"),
    ],
)
def test_what_is_no_sweep_is_refused(texts, message):
    with pytest.raises(InputError) as caught:
        sweep_points(texts)
    assert message in str(caught.value)
