"""Lengths and angles of gradients, group by group."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bpttcli.diagnostics.gradient_geometry import Geometry
from bpttcli.engine.scaled import Scaled

ENTRIES = st.floats(-8, 8).filter(lambda v: v == 0 or abs(v) > 1e-6)
NAMES = ("weight_ih_l0", "weight_hh_l0", "readout.weight", "readout.bias")


def gradient(a=(3.0,), b=(4.0, 0.0), c=(12.0,), d=(0.0,), exponent=0):
    """Parameters of two groups each, under one exponent."""
    return {
        name: Scaled(np.array(values, dtype=float), np.array(exponent))
        for name, values in zip(NAMES, (a, b, c, d), strict=True)
    }


@pytest.mark.parametrize("exponent", [0, 4000, -4000])
def test_figures_do_not_depend_on_the_range(exponent):
    geometry = Geometry(gradient(exponent=exponent))
    other = gradient(b=(0.0, 4.0), exponent=exponent)
    flat = geometry.flat(other, "all")
    assert geometry.length(flat, "all") == pytest.approx(1, rel=1e-15)
    assert geometry.distance(flat, "all") == pytest.approx(math.sqrt(32) / 13, rel=1e-15)
    assert geometry.projection(flat, "all") == pytest.approx(153 / 169, rel=1e-15)
    assert geometry.cosine(flat, "all") == pytest.approx(153 / 169, rel=1e-15)
    assert geometry.cosine(geometry.flat(other, "B"), "B") == 0
    size = geometry.size("all")
    assert size.log2 == pytest.approx(exponent + math.log2(13), rel=1e-15)
    twice = Scaled(np.array(26.0), np.array(exponent))
    assert geometry.relative(twice, "all") == pytest.approx(2, rel=1e-15)
    square = Scaled(np.array(169.0), np.array(2 * exponent))
    assert geometry.relative_square(square, "all") == pytest.approx(1, rel=1e-15)


@given(arrays(float, 3, elements=ENTRIES), arrays(float, 3, elements=ENTRIES))
def test_a_cosine_keeps_within_its_ends(one, other):
    geometry = Geometry(gradient(a=one[:1], b=one[1:], c=(0.0,)))
    if geometry.is_zero("all"):
        return
    flat = geometry.flat(gradient(a=other[:1], b=other[1:], c=(0.0,)), "all")
    cosine = geometry.cosine(flat, "all")
    assert math.isnan(cosine) if not other.any() else -1 <= cosine <= 1


@given(arrays(float, 4, elements=ENTRIES), st.integers(-3000, 3000))
def test_a_gradient_is_itself_to_the_last_bit(entries, exponent):
    whole = gradient(entries[:1], entries[1:3], entries[3:], exponent=exponent)
    geometry = Geometry(whole, each=True)
    for group in geometry.groups:
        if not geometry.is_zero(group):
            flat = geometry.flat(whole, group)
            assert geometry.cosine(flat, group) == 1
            assert geometry.distance(flat, group) == 0
            assert geometry.length(flat, group) == 1


def test_what_is_left_out_counts_as_zero():
    geometry = Geometry(gradient())
    flat = geometry.flat({"weight_ih_l0": gradient()["weight_ih_l0"]}, "all")
    assert geometry.length(flat, "all") == pytest.approx(3 / 13, rel=1e-15)


@pytest.mark.parametrize("entry", [0.0, math.nan, math.inf])
def test_there_is_nothing_to_measure_by_zero_or_by_no_number(entry):
    geometry = Geometry(gradient(a=(entry,)))
    assert geometry.is_zero("A")
    assert not geometry.is_zero("B")
    assert geometry.is_zero("all") == (entry != 0)


def test_single_parameters_are_groups_on_demand():
    assert list(Geometry(gradient()).groups) == ["all", "A", "B", "C", "biases"]
    assert set(Geometry(gradient(), each=True).groups) > set(NAMES)
