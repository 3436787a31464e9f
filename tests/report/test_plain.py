"""Notation becomes words where an encoding does not have it."""

import pytest

from bpttcli.report.plain import can_print, spell


@pytest.mark.parametrize(
    ("encoding", "prints"),
    [
        ("utf-8", True),
        ("utf-16", True),
        ("cp1252", False),
        ("cp437", False),
        ("ascii", False),
        ("latin-1", False),
        (None, False),
        ("no-such-encoding", False),
    ],
)
def test_an_encoding_has_all_of_the_notation_or_does_not_count(encoding, prints):
    assert can_print(encoding) == prints


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", None, "no-such-encoding"])
def test_notation_is_spelled_and_nothing_is_left_that_cannot_be_written(encoding):
    spelled = spell("ρ(B) ≥ 1 · ‖g_t‖ → ∂ℓ/∂c_t − 時", encoding)
    assert spelled == "rho(B) >= 1 * ||g_t|| -> dl/dc_t - ?"


def test_utf_8_is_left_alone():
    assert spell("ρ(B) · 時", "utf-8") == "ρ(B) · 時"
