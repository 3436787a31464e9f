"""Clipping by norm and by value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpttcli.engine.scaled import Scaled
from bpttcli.errors import RunError
from bpttcli.truncation.clipping import Limits, clip, total_norm


def gradient(*arrays):
    return {f"weight_{i}": Scaled.of(np.asarray(a, dtype=float)) for i, a in enumerate(arrays)}


@pytest.mark.parametrize(
    ("entry", "norm_log10"), [(1.0, 1.0), (1e20, 21.0), (1e200, 201.0), (1e308, 309.0)]
)
def test_a_norm_does_not_overflow_on_the_way(entry, norm_log10):
    """100 entries, clipped to norm 1: each is 0.1 after, however large before."""
    found = clip(gradient(np.full((10, 5), entry), np.full(50, entry)), Limits(norm=1.0))
    assert found.norm.log10 == pytest.approx(norm_log10, rel=1e-14)
    for value in found.gradient.values():
        np.testing.assert_allclose(value.value, 0.1, rtol=1e-14)
    assert (found.fired, found.cosine, float(found.clipped_norm.value)) == (True, 1.0, 1.0)


def test_exponents_beyond_float64_are_clipped_too():
    far = {"weight": Scaled(np.array([3.0, 4.0]), np.array(5000))}
    found = clip(far, Limits(norm=10.0))
    np.testing.assert_allclose(found.gradient["weight"].value, [6.0, 8.0], rtol=1e-15)
    assert found.factor == 0.0  # 2^-5000 is no double
    tiny = {"weight": Scaled(np.array([3.0, 4.0]), np.array(-5000))}
    assert clip(tiny, Limits(norm=10.0)).gradient is tiny


def test_a_value_clip_turns_the_gradient():
    found = clip(gradient([3.0, 0.1, -0.2]), Limits(value=0.25))
    np.testing.assert_array_equal(found.gradient["weight_0"].value, [0.25, 0.1, -0.2])
    assert float(found.norm.value) == pytest.approx(3.0083, abs=5e-5)
    assert float(found.clipped_norm.value) == pytest.approx(0.3354, abs=5e-5)
    assert found.cosine == pytest.approx(0.7928, abs=5e-5)
    assert (found.fired, found.factor) == (True, 1.0)


@pytest.mark.parametrize(
    "limits", [Limits(), Limits(norm=6.0), Limits(value=4.0), Limits(norm=5.0, value=4.0)]
)
def test_within_the_limits_nothing_changes(limits):
    given_gradient = gradient([3.0, -4.0])
    found = clip(given_gradient, limits)
    np.testing.assert_array_equal(found.gradient["weight_0"].value, [3.0, -4.0])
    assert (found.fired, found.factor, found.cosine) == (False, 1.0, 1.0)
    assert float(found.norm.value) == float(found.clipped_norm.value) == 5.0


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("limits", [Limits(norm=1.0), Limits(value=1.0), Limits()])
def test_what_is_not_finite_is_named_and_never_spread(bad, limits):
    wrong = np.ones((3, 4))
    wrong[1, 2] = bad
    with pytest.raises(RunError, match=rf"weight_1 is {bad:g} at \(2, 3\)"):
        clip(gradient([1.0], wrong), limits)


def test_a_zero_gradient_stays_one():
    found = clip(gradient([0.0, 0.0]), Limits(norm=1.0, value=1.0))
    assert not found.fired
    assert np.isnan(found.cosine)


finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=1, max_size=6), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_the_result_keeps_within_both_limits(entries, norm, value):
    found = clip(gradient(entries), Limits(norm=norm, value=value))
    assert np.abs(found.gradient["weight_0"].value).max() <= value * (1 + 1e-15)
    assert float(total_norm(found.gradient).value) <= norm * (1 + 1e-14)


@given(st.lists(finite, min_size=1, max_size=6), st.floats(1e-3, 1e3))
def test_a_norm_clip_never_turns_the_gradient(entries, norm):
    found = clip(gradient(entries), Limits(norm=norm))
    before, after = np.array(entries), found.gradient["weight_0"].value
    np.testing.assert_allclose(after, found.factor * before, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize(
    ("step", "said"), [(7, r"\(1, 2\) \(step 7 is the first that makes it so\);"), (None, r"2\);")]
)
def test_the_step_that_made_an_entry_not_finite_is_named_where_it_is_known(step, said):
    asked = []

    def first_step(name, index):
        asked.append((name, index))
        return step

    with pytest.raises(RunError, match=said):
        clip(gradient([1.0], [[0.0, np.inf]]), Limits(norm=1.0), first_step)
    assert asked == [("weight_1", (0, 1))]


@pytest.mark.parametrize("entry", [3.0, 1e300])
@pytest.mark.parametrize("exponent", [0, 5000])
def test_the_factor_does_not_end_where_float64_does(entry, exponent):
    far = {"weight": Scaled(np.array([entry]), np.array(exponent))}
    found = clip(far, Limits(norm=2.0)).scaled_factor
    assert found.log2 == pytest.approx(1 - np.log2(entry) - exponent, rel=1e-14)


def test_where_nothing_was_clipped_the_factor_is_one():
    assert float(clip(gradient([0.0]), Limits(norm=2.0)).scaled_factor.value) == 1.0
