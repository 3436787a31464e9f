"""Every wrong matrix, power and count is one sentence about its key."""

import numpy as np
import pytest

from bpttcli.diagnostics.bare_matrix import checked_matrix, checked_powers, checked_top
from bpttcli.errors import InputError


@pytest.mark.parametrize(
    ("matrix", "complaint"),
    [
        (np.zeros((3, 2)), "must be square with at least one row, got shape (3, 2)"),
        (np.zeros((0, 0)), "must be square with at least one row, got shape (0, 0)"),
        (np.zeros(3), "must be square with at least one row, got shape (3,)"),
        (np.zeros((2, 2, 2)), "must be square with at least one row, got shape (2, 2, 2)"),
        (1.0, "must be square with at least one row, got shape ()"),
        ([[1.0, 2.0], [3.0]], "must be square, got rows of unequal length"),
        ([[1.0, np.nan], [0.0, 1.0]], "must be finite, got nan at row 1, column 2"),
        ([[1.0, 0.0], [-np.inf, 1.0]], "must be finite, got -inf at row 2, column 1"),
        (np.eye(2, dtype=complex), "must hold real numbers, got type complex128"),
        (np.eye(2, dtype=object), "must hold real numbers, got type object"),
        (np.eye(2, dtype=bool), "must hold real numbers, got type bool"),
        ([["a"]], "must hold real numbers, got type <U1"),
    ],
)
def test_a_wrong_matrix_is_refused_with_what_was_expected_and_what_came(matrix, complaint):
    with pytest.raises(InputError) as error:
        checked_matrix(matrix)
    assert str(error.value) == complaint
    assert error.value.key == "matrix"


def test_an_extended_float_beyond_float64_is_not_finite():
    too_large = np.array([[np.longdouble(10) ** 400]])
    if not np.isfinite(too_large).all():
        pytest.skip("no extended floats on this platform")
    with pytest.raises(InputError, match="must be finite"):
        checked_matrix(too_large)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float16, np.float32, np.float64])
def test_every_kind_of_real_number_becomes_float64(dtype):
    B = checked_matrix(np.eye(2, dtype=dtype))
    assert B.dtype == np.float64
    np.testing.assert_array_equal(B, np.eye(2))


@pytest.mark.parametrize("k", [-1, 1.0, 0.5, np.nan, "3", True, np.True_, None, 1_000_001])
def test_a_power_is_an_integer_from_0_to_a_million(k):
    with pytest.raises(InputError, match="must be an integer from 0 to 1000000, got") as error:
        checked_powers([1, k])
    assert error.value.key == "powers"


@pytest.mark.parametrize("powers", [5, "1,2", None])
def test_powers_are_a_list(powers):
    with pytest.raises(InputError, match="must be a list of integers") as error:
        checked_powers(powers)
    assert error.value.key == "powers"


def test_powers_keep_their_order_and_may_be_numpy_integers():
    assert checked_powers(np.array([10, 0, 1])) == [10, 0, 1]
    assert checked_powers(()) == []


@pytest.mark.parametrize("top", [0, 5, -1, 2.0, True])
def test_top_is_an_integer_up_to_the_size_of_the_matrix(top):
    with pytest.raises(InputError, match=r"from 1 to 4 \(the size of the matrix\)") as error:
        checked_top(top, 4)
    assert error.value.key == "top"
