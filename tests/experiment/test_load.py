"""One experiment out of file, --set and options; or every error, the first three of them shown."""

import io
import json
import subprocess
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.errors import InputError
from bpttcli.experiment.load import Option, load
from bpttcli.experiment.schema import Experiment


def loaded(text, **settings):
    return load("-", stdin=io.StringIO(text), **settings).experiment


def error(text, **settings):
    with pytest.raises(InputError) as caught:
        loaded(text, **settings)
    return str(caught.value)


def test_without_anything_the_default_experiment_runs():
    experiment, origins = load()
    assert experiment == Experiment()
    assert origins.locate("task.steps") is None


@pytest.mark.parametrize("text", ["# all default", "---", "{}", "task:", "\ufeffseed: 0\r\n"])
def test_what_a_file_leaves_out_is_default(text):
    assert loaded(text) == Experiment()


def test_options_stand_over_sets_and_sets_over_the_file():
    experiment = loaded(
        "seed: 1\ntask: {steps: 11, batch: 2}\nmodel: {hidden: 3}",
        sets=["seed=2", "task.batch=4"],
        options=[Option("--batch", "task.batch", 8)],
    )
    assert (experiment.seed, experiment.task.steps, experiment.task.batch) == (2, 11, 8)
    assert experiment.model.hidden == 3


def test_a_bundled_experiment_with_another_task_keeps_what_both_know():
    experiment = load("adding", options=[Option("--task", "task.name", "noise")]).experiment
    assert (experiment.task.name, experiment.task.steps) == ("noise", 100)


def test_paths_of_the_command_line_are_relative_to_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.yaml").write_text("task: {name: text, file: a.txt}")
    monkeypatch.chdir(tmp_path)
    option = Option("--text", "task.file", "c.txt")
    for sets, options, path in [
        ([], [], "deep/a.txt"),
        (["task.file=b.txt"], [], "b.txt"),
        (["task.file=b.txt"], [option], "c.txt"),
    ]:
        experiment = load("deep/a.yaml", sets=sets, options=options).experiment
        assert experiment.task.file == str(tmp_path / path)


def test_the_first_three_errors_are_shown_in_the_order_of_the_file_and_the_rest_is_counted():
    text = "model: {hidden: 0}\ntask:\n  steps: 3\n  steps: 4\nseed: no\nloss: {at: all}\nx: 1"
    assert error(text, sets=["report.epsilon=2"]).splitlines() == [
        "<stdin>:1: model.hidden must be an integer of at least 1, got 0",
        "<stdin>:4: task.steps is given twice, first on line 3",
        "<stdin>:5: seed must be an integer of at least 0, got no, which YAML may take for false: "
        "write true or false, or quote it if a name is meant",
        "and 3 more",
    ]


def test_errors_of_the_command_line_name_the_option():
    options = [
        Option("--steps", "task.steps", 0),
        Option("--gain", "model.init.gain", float("nan")),
    ]
    assert error("{}", sets=["model.hidden=0"], options=options).splitlines() == [
        "--set model.hidden: must be an integer of at least 1, got 0",
        "--gain: model.init.gain must be a number above 0, got nan, which is not a finite number",
        "--steps: task.steps must be an integer of at least 1, got 0",
    ]


def test_what_an_option_replaces_is_not_judged():
    steps = Option("--steps", "task.steps", 5)
    assert loaded("task: {steps: 0}", options=[steps]).task.steps == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "- 1",
            "<stdin>:1: must be a mapping of sections (seed, task, model, loss, truncation, ",
        ),
        (
            "adding",
            "<stdin>:1: must be a mapping of sections (seed, task, model, loss, truncation, ",
        ),
        ("&a {seed: 1}", "<stdin>:1: must be a mapping of sections"),
        ("seed: [", "<stdin>:1: is not valid YAML"),
        ("", "<stdin>: is empty"),
    ],
)
def test_a_text_that_is_no_experiment_is_refused(text, message):
    assert error(text).startswith(message)


def test_an_error_of_a_later_floor_finds_its_line():
    _, origins = load("-", stdin=io.StringIO("task:\n  steps: 7"), sets=["seed=3"])
    later = InputError("must be at most 5, got 7", key="task.steps")
    assert origins.explain(later) == "<stdin>:2: task.steps must be at most 5, got 7"
    assert origins.explain(InputError("is odd", key="seed")) == "--set seed: is odd"
    assert origins.explain(InputError("is big", key="model.hidden")) == "model.hidden is big"


numbers = st.floats(-1e300, 1e300)
positive = st.floats(1e-300, 1e300)
TASKS = st.one_of(
    st.fixed_dictionaries({"name": st.just("adding"), "steps": st.integers(2, 10**9)}),
    st.fixed_dictionaries({"name": st.just("constant"), "input": numbers, "target": numbers}),
    st.fixed_dictionaries({"name": st.just("text"), "file": st.text("aZ é時/.#:'\"", min_size=1)}),
    st.fixed_dictionaries({"name": st.just("data"), "x": st.lists(numbers, min_size=1)}),
)
MODELS = st.fixed_dictionaries(
    {
        "cell": st.sampled_from(["tanh", "relu", "linear"]),
        "hidden": st.integers(1, 2**62),
        "init": st.fixed_dictionaries({"gain": positive, "spectral_radius": st.none() | positive}),
        "parameters": st.none()
        | st.fixed_dictionaries({"readout.bias": st.lists(numbers, min_size=1)}),
    }
)
EXPERIMENTS = st.fixed_dictionaries(
    {"seed": st.integers(0, 2**62)},
    optional={
        "task": TASKS,
        "model": MODELS,
        "loss": st.just({"name": "probe", "vector": [1, 2.5]}),
        "report": st.fixed_dictionaries({"epsilon": st.floats(1e-300, 0.99)}),
    },
)


@given(EXPERIMENTS)
@settings(max_examples=40)
def test_a_resolved_experiment_loads_to_an_equal_one(tree):
    experiment = loaded(json.dumps(tree, ensure_ascii=False))
    assert loaded(json.dumps(experiment.to_dict(), ensure_ascii=False)) == experiment
    assert loaded(yaml.safe_dump(experiment.to_dict(), allow_unicode=True)) == experiment


@given(st.text(st.sampled_from("ab:-[]{},&*!?#'\"|>%@~ \n\t1.e"), max_size=30))
@settings(max_examples=50)
def test_any_text_is_an_experiment_or_a_line_about_it(text):
    try:
        loaded(text)
    except InputError as wrong:
        for line in str(wrong).splitlines():
            assert line.startswith(("<stdin>:", "and "))


@pytest.mark.parametrize(
    ("call", "unwanted"),
    [
        ("load()", {"yaml", "numpy"}),
        ("load(options=[Option('--steps', 'task.steps', 9)])", {"yaml", "numpy"}),
        ("load('adding', sets=['seed=1'])", {"numpy"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(call, unwanted):
    program = f"from bpttcli.experiment.load import Option, load\n{call}\nimport sys\n"
    program += "print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert unwanted.isdisjoint(modules)
