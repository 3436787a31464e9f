"""Pictures of characters: where the marks stand, and that ASCII is enough."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.report.character_plot import Curve, complex_plane, log_log


def marks(lines, mark):
    return {(i, k) for i, line in enumerate(lines) for k, c in enumerate(line) if c == mark}


def test_the_plane_has_its_origin_in_the_middle():
    lines = complex_plane([0j])
    assert marks(lines, "o") == {(12, 24)}


def test_a_pair_stands_in_one_column_above_and_below_the_axis():
    (high, column), (low, other) = sorted(marks(complex_plane([0.3 + 0.6j, 0.3 - 0.6j]), "o"))
    assert column == other > 24
    assert high - 12 == 12 - low < 0


def test_several_in_one_place_are_told_from_one():
    lines = complex_plane([0.9 + 0j, 0.9 + 0j, -0.5 + 0j])
    assert len(marks(lines, "8")) == len(marks(lines, "o")) == 1


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.complex_numbers(max_magnitude=1e300, allow_nan=False, allow_infinity=False), max_size=9
    )
)
def test_everything_fits_whatever_its_size(values):
    lines = complex_plane(values)
    assert len(lines) == 25
    assert max(len(line) for line in lines) <= 49
    assert "".join(lines).isascii()
    assert bool(marks(lines, "o") | marks(lines, "8")) == bool(values)


def test_a_power_law_is_a_straight_line():
    points = [(float(k), 2 * np.log10(k)) for k in (1, 10, 100, 1000)]
    places = sorted(marks(log_log([Curve("o", "k^2", points)])[:15], "o"))
    rows, columns = (np.diff(part) for part in np.array(places).T)
    assert np.ptp(rows) <= 1
    assert np.ptp(columns) <= 1


def test_the_axes_name_their_ends_and_the_legend_the_curves():
    lines = log_log([Curve("x", "product", [(1.0, 0.0), (500.0, -1000.0)])])
    assert lines[0].startswith("   1e+0.0 |x")
    assert lines[14].startswith("1e-1000.0 |")
    assert lines[-2].endswith("k = 500")
    assert lines[-1].endswith("x product")


def test_what_hardly_changes_is_flat():
    lines = log_log([Curve("o", "one", [(1.0, 0.0), (10.0, 1e-9), (100.0, -1e-9)])])
    assert len({row for row, _ in marks(lines[:15], "o")}) == 1


@pytest.mark.parametrize("curves", [[], [Curve("o", "none", [])]])
def test_nothing_to_draw_is_no_picture(curves):
    assert log_log(curves) == []
