"""A YAML text becomes a tree that knows its lines; what an experiment may not have is named."""

import pytest
import yaml

from bpttcli.errors import InputError
from bpttcli.experiment import document
from bpttcli.experiment.document import parse
from bpttcli.experiment.tree import Node, Origin, Refused, plain

START = Origin("deep.yaml", 1)


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def _loader(request, monkeypatch):
    """Both of PyYAML's parsers, for not every machine has the one in C."""
    monkeypatch.setattr(document, "_LOADER", getattr(yaml, request.param))


def lines(node: Node) -> object:
    """Replace every value of a tree by its line."""
    if isinstance(node.value, dict):
        return {name: lines(entry) for name, entry in node.value.items()}
    if isinstance(node.value, list):
        return [lines(item) for item in node.value]
    return node.origin.line


TEXT = "seed: 1\n\ntask:\n  name: 'no'\n  x: [1,\n    2e0]\n"


def test_values_are_read_and_keys_know_their_line():
    root, problems = parse(TEXT, START)
    assert plain(root) == {"seed": 1, "task": {"name": "no", "x": [1, 2.0]}}
    assert lines(root) == {"seed": 1, "task": {"name": 4, "x": [5, 6]}}
    assert problems == []


@pytest.mark.parametrize("text", ["\ufeff" + TEXT, TEXT.replace("\n", "\r\n"), TEXT.rstrip()])
def test_byte_order_mark_line_ends_and_a_missing_last_one_are_read_as_if_not_there(text):
    assert parse(text, START) == parse(TEXT, START)


@pytest.mark.parametrize("text", ["# nothing", "---", "--- ~", ""])
def test_a_text_without_content_is_null(text):
    assert parse(text, START)[0].value is None


def test_json_is_read_too():
    root, _ = parse('{"seed": 1, "model": {"file": null, "init": {"gain": 1e-05}}}', START)
    assert plain(root) == {"seed": 1, "model": {"file": None, "init": {"gain": 1e-05}}}


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("*base", "the alias *base"),
        ("&base 3", "the anchor &base"),
        ("&base {gain: 1}", "the anchor &base"),
        ("!!int 3", "the tag !!int"),
        ("!!python/tuple [1, 2]", "the tag !!python/tuple"),
        ("!mine 'x'", "the tag !mine"),
        ("! x", "the tag !"),
    ],
)
def test_aliases_anchors_and_tags_are_refused_values(value, got):
    root, problems = parse(f"a: {value}\nb: 1", START)
    assert isinstance(root.value["a"].value, Refused)
    assert root.value["a"].value.got.startswith(got)
    assert root.value["b"].value == 1
    assert problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3", "deep.yaml:3: a is given twice, first on line 1"),
        ("t:\n  a: 1\n  'a': 3", "deep.yaml:3: t.a is given twice, first on line 2"),
        ("t: {a: 1, a: {b: 2}}", "deep.yaml:1: t.a is given twice, first on line 1"),
        ("a: 1\n---\na: 1", "deep.yaml:2: must be one document, a second one starts here"),
        ("? [a, b]\n: 1", "deep.yaml:1: must have plain names as its keys"),
        ("t:\n  ? {a: b}\n  : 1", "deep.yaml:2: t must have plain names as its keys"),
        ("t: {&k a: 1}", "deep.yaml:1: t must have plain names as its keys"),
        ("t: {!!str a: 1}", "deep.yaml:1: t must have plain names as its keys"),
    ],
)
def test_what_the_tree_cannot_show_is_a_problem_with_its_line(text, problem):
    assert [str(found) for found in parse(text, START)[1]] == [problem]


def test_of_a_repeated_key_the_first_one_stands_and_every_other_one_is_named():
    root, problems = parse("a: 1\na: 2\na: 3", START)
    assert plain(root) == {"a": 1}
    assert [problem.origin.line for problem in problems] == [2, 3]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a:\n\tb: 1", 2, "indented with a tab"),
        ("a: 1\nb: @x", 2, "cannot start any token"),
        ("a: b: c", 1, "mapping values are not allowed"),
        ("a: 1\nb: {c: 1", 2, ""),
        ("a: 'x", 1, "unexpected end of stream"),
        ("task:\n  steps: 3\n  st\n", 3, ""),
        ("a: 1\nb: \x00", 2, "character \\x00 is not allowed"),
        ("a: \x1b[31m", 1, "character \\x1b is not allowed"),
        ("a: \udcff", 1, "character \\udcff is not allowed"),
        ("seed: 1\nx: " + "[" * 100_000, 2, "nest"),
        ("".join("  " * k + "a:\n" for k in range(500)), 22, "nest"),
        ('a: "\\U99999999"', 1, ""),
    ],
)
def test_what_is_not_yaml_is_said_in_one_line(text, line, reason):
    with pytest.raises(InputError) as caught:
        parse(text, START)
    message = str(caught.value)
    assert reason in message
    assert message.isprintable()
    assert message.startswith((f"deep.yaml:{line}: is not valid", f"deep.yaml:{line + 1}: is not"))


def test_a_value_of_the_command_line_has_no_lines():
    root, problems = parse("{a: 1, a: 2}", Origin("--set task"), "task")
    assert root.value["a"].origin == Origin("--set task")
    assert [str(problem) for problem in problems] == ["--set task: task.a is given twice"]
    with pytest.raises(InputError, match=r"^--set task: is not valid YAML: "):
        parse("[1", Origin("--set task"), "task")
