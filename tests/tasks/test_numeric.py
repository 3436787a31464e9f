"""What counts as numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from bpttcli.errors import InputError
from bpttcli.tasks.numeric import flags, from_lists, numbers


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "g"])
def test_reals_of_any_width_and_byte_order_are_float64(dtype):
    taken = numbers(np.array([[0.5, -2.0]], dtype=dtype), "task.x")
    assert taken.dtype == np.float64
    np.testing.assert_array_equal(taken, [[0.5, -2.0]])


@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", ">i8", "u8"])
def test_integers_of_any_width_and_byte_order_are_int64(dtype):
    taken = numbers(np.array([0, 7], dtype=dtype), "task.x")
    assert taken.dtype == np.int64
    np.testing.assert_array_equal(taken, [0, 7])


def test_what_is_right_already_is_not_copied():
    values = np.zeros(3)
    assert np.shares_memory(numbers(values, "task.x"), values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.array([True]), "the type bool"),
        (np.array([1j]), "the type complex128"),
        (np.array(["1"]), "the type str32"),
        (np.array([None]), "the type object"),
        (np.array(["2020"], dtype="M8[Y]"), "the type datetime64"),
        (np.array([(1, 2.0)], dtype="i4,f8"), "the type void"),
        (np.zeros((2, 0)), r"not be empty, got the shape \(2, 0\)"),
        (np.array([[0, 1], [np.nan, np.inf]]), r"finite, got nan at index \(1, 0\)"),
        (np.array([1, -np.inf], dtype=np.float16), r"finite, got -inf at index \(1,\)"),
        (np.array(np.nan), r"finite, got nan at index \(\)"),
        (np.array([1, 2**63], dtype=np.uint64), r"below 2\*\*63, got 9223372036854775808"),
        (np.array(["1e999"]).astype(np.longdouble), r"finite, got .* at index \(0,\)"),
    ],
)
def test_what_is_no_finite_number_is_refused(values, reason):
    with pytest.raises(InputError, match=reason) as error:
        numbers(values, "task.y")
    assert error.value.key == "task.y"


@pytest.mark.parametrize("values", [[True, False], [1, 0], [1.0, 0.0]])
def test_flags_are_booleans_or_0_and_1(values):
    np.testing.assert_array_equal(flags(np.array(values), "task.mask"), [True, False])


@pytest.mark.parametrize("values", [[0, 2], [0.5], [-1], ["yes"], [np.nan]])
def test_other_flags_are_refused(values):
    with pytest.raises(InputError) as error:
        flags(np.array(values), "task.mask")
    assert error.value.key == "task.mask"


_SHAPES = array_shapes(min_dims=1, max_dims=3, max_side=4)


@settings(max_examples=40, deadline=None)
@given(arrays(np.int64, _SHAPES) | arrays(np.bool_, _SHAPES) | arrays(np.float64, _SHAPES))
def test_nested_lists_give_back_the_array_that_they_were(array):
    again = from_lists(array.tolist(), "task.x")
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


def test_one_real_number_makes_all_of_them_real():
    assert from_lists([[1, 2], [3, 4.0]], "task.x").dtype == np.float64


def test_integers_beyond_64_bits_are_real():
    np.testing.assert_array_equal(from_lists([2**63, 1], "task.x"), [2.0**63, 1.0])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (3, "must be a list, got the type int"),
        ([[1, 2], [3]], "rows of one length, got 1 and 2"),
        ([[1, 2], 3], "rows of one length, got 2 and a single value"),
        ([1, [2]], "rows of one length, got 1 and a single value"),
        ([[[[1]]]], "at most 3 lists deep"),
        ([[1, "a"]], r"must hold numbers, got 'a' at index \(0, 1\)"),
        ([[1], [None]], r"must hold numbers, got 'None' at index \(1, 0\)"),
        ([1, True], r"must hold numbers, got 'True' at index \(1,\)"),
        ([{"a": 1}], "must hold numbers, got"),
        ([10**400], "within the range of float64"),
    ],
)
def test_lists_that_are_no_array_are_refused(values, reason):
    with pytest.raises(InputError, match=reason) as error:
        from_lists(values, "task.x")
    assert error.value.key == "task.x"


@pytest.mark.parametrize("values", [[], [[]], [[], []]])
def test_lists_of_nothing_are_empty_arrays(values):
    assert from_lists(values, "task.x").size == 0


def test_a_deep_nesting_does_not_exhaust_the_stack():
    values = [1]
    for _ in range(10_000):
        values = [values]
    with pytest.raises(InputError, match="at most 3 lists deep"):
        from_lists(values, "task.x")
