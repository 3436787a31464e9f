"""Options stand over --set, --set over the file, the file over the defaults."""

import pytest

from bpttcli.experiment.document import parse
from bpttcli.experiment.settings import Option, overlay, task_name
from bpttcli.experiment.tree import Node, Origin, plain


def tree(text: str) -> dict[str, Node]:
    root, problems = parse(text, Origin("deep.yaml", 1))
    assert problems == []
    return root.value or {}


def laid_over(text, sets=(), options=()):
    root = tree(text)
    problems = overlay(root, sets, options)
    return plain(Node(root, Origin(""))), [str(problem) for problem in problems]


STEPS_5 = Option("--steps", "task.steps", 5)


@pytest.mark.parametrize(
    ("sets", "options", "steps", "origin"),
    [
        ([], [], 3, "deep.yaml:1"),
        (["task.steps=4"], [], 4, "--set task.steps"),
        (["task.steps=4"], [STEPS_5], 5, "--steps"),
        ([], [STEPS_5], 5, "--steps"),
        (["task.steps=4", "task.steps=6"], [], 6, "--set task.steps"),
        (["task={steps: 4}"], [], 4, "--set task"),
    ],
)
def test_the_higher_one_counts_and_is_the_origin(sets, options, steps, origin):
    root = tree("task: {steps: 3}")
    assert overlay(root, sets, options) == []
    node = root["task"].value["steps"]
    assert (node.value, str(node.origin)) == (steps, origin)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("seed=1e3", {"seed": 1000.0}),
        ("model.cell='no'", {"model": {"cell": "no"}}),
        ("task.x=[1, [2]]", {"task": {"x": [1, [2]]}}),
        ("task.file=", {"task": {"file": None}}),
        ("task.file=a=b", {"task": {"file": "a=b"}}),
        ("model.init.gain=2", {"model": {"init": {"gain": 2}}}),
        ("model.parameters.readout.bias=[1]", {"model": {"parameters": {"readout.bias": [1]}}}),
        (
            "model={parameters: {readout.bias: [1]}}",
            {"model": {"parameters": {"readout.bias": [1]}}},
        ),
        ("model.init={}", {}),
    ],
)
def test_a_set_reads_its_value_as_yaml(assignment, expected):
    assert laid_over("", [assignment]) == (expected, [])


def test_a_mapping_sets_its_keys_one_by_one():
    text = "model: {init: {name: orthogonal, gain: 2}}"
    merged, _ = laid_over(text, ["model.init={name: identity}"])
    assert merged == {"model": {"init": {"name": "identity", "gain": 2}}}


def test_an_empty_section_of_the_file_can_be_filled():
    assert laid_over("task:", ["task.steps=4"])[0] == {"task": {"steps": 4}}


@pytest.mark.parametrize("assignment", ["steps", "", "=3", "task.=3", ".steps=3", "a..b=3"])
def test_a_set_without_key_and_value_is_a_problem(assignment):
    _, problems = laid_over("", [assignment])
    assert problems == [f"--set: must be KEY=VALUE, as in task.steps=100, got '{assignment}'"]


def test_a_key_below_a_value_is_a_problem():
    merged, problems = laid_over("seed: 1", ["seed.x=3"])
    assert merged == {"seed": 1}
    assert problems == ["--set seed.x: cannot be set: seed is not a section"]


def test_options_for_one_key_must_agree():
    task, text = Option("--task", "task.name", "adding"), Option("--text", "task.name", "text")
    _, problems = laid_over("", options=[task, text])
    assert problems == ["--text: task.name is 'text' here and 'adding' by --task"]
    assert laid_over("", options=[text, text._replace(name="--task")])[1] == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "adding"),
        ("model: {file: m.npz}", "noise"),
        ("model: {file: ~}", "adding"),
        ("model: {file: m.npz}\ntask: {name: sine}", "sine"),
        ("task: {name: ~}", "adding"),
        ("task: 5", "adding"),
    ],
)
def test_the_task_is_adding_unless_named_and_noise_for_a_model_file(text, name):
    assert task_name(tree(text)) == name


SINE = "task: {name: sine, period: 9, steps: 7, perriod: 1}"


@pytest.mark.parametrize("replacement", ["--task", "--set"])
def test_keys_that_only_the_replaced_task_knows_go_with_it(replacement):
    sets = ["task.name=noise"] if replacement == "--set" else []
    options = [] if sets else [Option("--task", "task.name", "noise")]
    merged, problems = laid_over(SINE, sets, options)
    assert merged["task"] == {"name": "noise", "steps": 7, "perriod": 1}
    assert problems == []


@pytest.mark.parametrize("name", ["sine", "sien"])
def test_nothing_goes_where_no_task_is_replaced_by_another(name):
    merged, _ = laid_over(SINE, options=[Option("--task", "task.name", name)])
    assert merged["task"]["period"] == 9


def test_a_key_that_the_command_line_sets_never_goes():
    merged, _ = laid_over(SINE, ["task.name=noise", "task.period=3"])
    assert merged["task"]["period"] == 3


FIXED = "truncation: {name: fixed, length: 9, lenght: 1}"


@pytest.mark.parametrize("replacement", ["--truncation", "--set"])
def test_keys_that_only_the_replaced_estimator_knows_go_with_it(replacement):
    sets = ["truncation.name=artbp"] if replacement == "--set" else []
    options = [] if sets else [Option("--truncation", "truncation.name", "artbp")]
    merged, problems = laid_over(FIXED, sets, options)
    assert merged["truncation"] == {"name": "artbp", "lenght": 1}
    assert problems == []


@pytest.mark.parametrize("name", ["fixed", "sliding", "fixd"])
def test_keys_of_an_estimator_stay_where_it_has_them_too(name):
    merged, _ = laid_over(FIXED, options=[Option("--truncation", "truncation.name", name)])
    assert merged["truncation"]["length"] == 9


def test_a_key_of_another_estimator_that_the_command_line_sets_stays():
    merged, _ = laid_over(FIXED, ["truncation.name=artbp", "truncation.length=3"])
    assert merged["truncation"]["length"] == 3
