"""What a user wrote is printed in one short line."""

import pytest

from bpttcli.experiment.wording import printable, shown


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("[bold]x[/].yaml", "[bold]x[/].yaml"),
        ("時間.yaml", "時間.yaml"),
        ("a\nb\x1b[31m\u202e", "a\\nb\\x1b[31m\\u202e"),
        ("\udcff", "\\udcff"),
    ],
)
def test_only_what_a_terminal_obeys_is_escaped(text, printed):
    assert printable(text) == printed


@pytest.mark.parametrize("value", ["x" * 1000, list(range(1000)), 10**999, [["a" * 99] * 99]])
def test_a_long_value_is_cut_at_sixty_characters(value):
    assert len(shown(value)) == 60
    assert shown(value).endswith("…")
