"""Every key has its type, its bounds and its place; every error names where it stands."""

import pytest

from bpttcli.experiment.document import parse
from bpttcli.experiment.tree import Origin, Origins
from bpttcli.experiment.validate import validate


def problems(text: str) -> list[str]:
    root, found = parse(text, Origin("deep.yaml", 1, "/data"))
    assert found == []
    experiment, found = validate(root.value, Origins(root))
    assert (experiment is None) == bool(found)
    return [str(problem) for problem in found]


def experiment(text: str):
    root, _ = parse(text, Origin("deep.yaml", 1, "/data"))
    return validate(root.value, Origins(root))[0]


ONE_OF_TASKS = "must be one of adding, "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # types and bounds
        ("seed: -1", ":1: seed must be an integer of at least 0, got -1"),
        ("task:\n  steps: 0", ":2: task.steps must be an integer of at least 1, got 0"),
        ("task: {steps: ten}", ":1: task.steps must be an integer of at least 1, got 'ten'"),
        ("model: {hidden: 1.5}", ":1: model.hidden must be an integer of at least 1, got 1.5"),
        ("model: {cell: 3}", ":1: model.cell must be one of tanh, relu, linear, lstm, gru, got 3"),
        ("model: {cell: rulu}", "got 'rulu'; did you mean 'relu'?"),
        ("model: {init: {gain: 0}}", ":1: model.init.gain must be a number above 0, got 0"),
        ("model: {init: {gain: 1e999}}", "got 1e999, which is not a finite number"),
        ("report: {epsilon: 1}", "report.epsilon must be a number above 0 and below 1, got 1"),
        ("loss: {vector: 3}", "loss.vector must be a list of numbers, or of lists of numbers"),
        ("model: {parameters: [1]}", "must be a mapping of names to lists of numbers, got [1]"),
        ("model:\n  parameters:\n    bias_ih_l0: [a]", ":3: model.parameters.bias_ih_l0 must be a"),
        ("model: {parameters: {bias_ih_l0: ~}}", "bias_ih_l0 must be a list of numbers"),
        # surprises of YAML
        ("model: {cell: no}", "got no, which YAML may take for false"),
        ("seed: 010", "seed must be an integer of at least 0, got 010, which YAML may take for"),
        ("seed: 1:30", "got 1:30, which YAML may take for a number in base 60"),
        ("seed: ~", ":1: seed must be an integer of at least 0, got null"),
        ("task: {name: off}", f":1: task.name {ONE_OF_TASKS}"),
        ("task: {name: data, x: [1,\n 010]}", ":2: task.x[1] must be a number, got 010"),
        ("task: {name: data, x: [[.nan]]}", "task.x[0][0] must be a number, got .nan"),
        ("task: {name: data, x: &x [1]}", "task.x must be a list, got the anchor &x"),
        ("loss: {vector: [*x]}", "loss.vector[0] must be a number, got the alias *x"),
        # mappings
        ("task: 5", ":1: task must be a mapping of keys (name, steps, batch"),
        ("model: [1]", ":1: model must be a mapping of keys (cell, hidden, layers, file, paramet"),
        (
            "model:\n  init: !!map {}",
            ":2: model.init must be a mapping of keys (name, gain, std, spec",
        ),
        # names
        ("task: {name: addign}", "got 'addign'; did you mean 'adding'?"),
        ("task: {name: [adding]}", f"task.name {ONE_OF_TASKS}"),
        ("task: {name: ~}", f"task.name {ONE_OF_TASKS}"),
        ("sede: 1", ":1: sede is not a known key, did you mean 'seed'? (known: seed, task, "),
        ("model: {hiden: 1}", "model.hiden is not a known key, did you mean 'hidden'?"),
        ("hidden: 1", ":1: hidden is not a known key here: it belongs to model"),
        ("model:\n  steps: 1", ":2: model.steps is not a known key here: it belongs to task"),
        ("model: {gain: 1}", "model.gain is not a known key here: it belongs to model.init"),
        ("model: {seed: 1}", "model.seed is not a known key here: it belongs to the top level"),
        ("period: 1", "period is not a known key here: it belongs to task"),
        ("task: {period: 1}", "task.period is not a key of this task, but of sine"),
        ("model.hidden: 1", "model.hidden is not a known key here: hidden belongs to model"),
        ("1: 2", ":1: 1 is not a known key, known: seed"),
        ('"a\\n": 2', ":1: a\\n is not a known key"),
        # keys that are right alone
        ("report:\n  vanishing_below: 1e4", ":1: report.exploding_above must be above report.van"),
        ("model:\n  parameters:\n    w: [1]", ":3: model.parameters.w is not a parameter"),
        # paths
        ("model: {file: ''}", "model.file must be a path, got ''"),
        ('model: {file: "a\\0b"}', "model.file must be a path, got 'a\\x00b'"),
        ("model: {file: 5}", "model.file must be text, got 5: quote it if a name is meant"),
    ],
)
def test_an_error_is_one_line_with_its_place(text, problem):
    (found,) = problems(text)
    assert found.startswith("deep.yaml:")
    assert problem in found


def test_errors_of_all_sections_are_found_together():
    text = "seed: x\ntask: {steps: 0, batch: 0}\nmodel: {hiden: 1, init: {gain: -1}}\nreport: 3"
    assert [found.split()[1] for found in problems(text)] == [
        "seed",
        "task.steps",
        "task.batch",
        "model.hiden",
        "model.init.gain",
        "report",
    ]


def test_the_name_of_a_task_chooses_its_keys_and_defaults():
    assert experiment("task: {name: sine, period: 9}").task.period == 9.0
    assert experiment("task: {inputs: 3, name: noise}").task.inputs == 3
    assert experiment("model: {file: m.npz}").task.name == "noise"
    assert experiment("model: {file: m.npz}\ntask:").task.name == "noise"


@pytest.mark.parametrize("text", ["task:\nmodel: ~\nloss:", "model: {init: , file: ~}", "loss: {}"])
def test_nothing_where_a_section_or_an_optional_key_stands_is_the_default(text):
    assert experiment(text) == experiment("{}")


@pytest.mark.parametrize(
    ("path", "resolved"), [("m.npz", "/data/m.npz"), ("../m.npz", "/m.npz"), ("/a/m", "/a/m")]
)
def test_a_path_in_a_file_is_relative_to_that_file(path, resolved):
    assert experiment(f"model: {{file: {path}}}").model.file == resolved
    assert experiment(f"task: {{name: text, file: {path}}}").task.file == resolved
