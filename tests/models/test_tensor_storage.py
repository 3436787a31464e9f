"""A tensor that stays in its file until it is read."""

import tracemalloc

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.models.tensor_storage import LazyTensor, expect_shape, read_weights


def stored(folder, array, shape=None, strides=(1,), start=0, dtype=None):
    """Write numbers and describe where they lie."""
    path = folder / "numbers"
    path.write_bytes(array.tobytes())
    shape = array.shape if shape is None else shape
    return LazyTensor(path, start, dtype or array.dtype.name, shape, strides)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_floating_point_numbers_become_the_same_float64(tmp_path, dtype):
    numbers = np.array([1 / 3, -2.5, 6e-8, 65504.0, -0.0]).astype(dtype)
    got = stored(tmp_path, numbers).read()
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, numbers.astype(np.float64))
    np.testing.assert_array_equal(np.signbit(got), np.signbit(numbers))


@pytest.mark.parametrize(
    ("bits", "value"),
    [(0x3F80, 1.0), (0xC020, -2.5), (0x0001, 2.0**-133), (0x7F7F, (2 - 2**-7) * 2.0**127)],
)
def test_a_bfloat16_is_the_upper_half_of_a_float32(tmp_path, bits, value):
    numbers = np.array([bits], dtype=np.uint16)
    assert stored(tmp_path, numbers, dtype="bfloat16").read().tolist() == [value]


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
def test_integers_become_the_same_int64(tmp_path, dtype):
    limits = np.iinfo(dtype)
    got = stored(tmp_path, np.array([limits.min, limits.max], dtype=dtype)).read()
    assert got.dtype == np.int64
    assert got.tolist() == [limits.min, limits.max]


@pytest.mark.parametrize(
    ("shape", "strides", "start", "view"),
    [
        ((4, 6), (6, 1), 0, lambda a: a),
        ((6, 4), (1, 6), 0, lambda a: a.T),
        ((2, 3), (12, 2), 0, lambda a: a[::2, ::2]),
        ((4,), (6,), 5, lambda a: a[:, 5]),
        ((3, 6), (0, 1), 6, lambda a: np.broadcast_to(a[1], (3, 6))),
        ((1, 2), (2**62, 1), 0, lambda a: a[:1, :2]),
        ((), (), 23, lambda a: a[3, 5]),
    ],
)
def test_any_view_is_read_as_numpy_would_cut_it(tmp_path, shape, strides, start, view):
    whole = np.arange(24.0).reshape(4, 6)
    tensor = stored(tmp_path, whole, shape, strides, start * 8)
    got = tensor.read()
    assert got.flags.c_contiguous
    assert got.shape == shape
    np.testing.assert_array_equal(got, view(whole))


def test_no_more_is_read_than_the_tensor_spans(tmp_path):
    tensor = stored(tmp_path, np.zeros(1 << 20), (3,), (1,), 1 << 22)
    tracemalloc.start()
    tensor.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 18  # of 8 MB


def test_a_file_that_has_become_shorter_is_refused(tmp_path):
    tensor = stored(tmp_path, np.zeros(3), (4,))
    with pytest.raises(InputError, match=r"numbers' was cut off while it was read"):
        tensor.read()


@pytest.mark.parametrize(
    ("dtype", "shape", "message"), [("complex64", (2,), "complex64"), ("float64", (0,), "empty")]
)
def test_what_has_no_real_numbers_is_refused(tmp_path, dtype, shape, message):
    with pytest.raises(InputError, match=message):
        stored(tmp_path, np.zeros(2, np.complex64), shape, dtype=dtype).read()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_is_named_with_its_index(tmp_path, bad):
    numbers = np.array([[1.0, bad]])
    with pytest.raises(InputError, match=rf"holds {bad} in 'w' at index \(0, 1\), expected finite"):
        read_weights("w", stored(tmp_path, numbers, strides=(2, 1)))


def test_a_signalling_nan_is_refused_without_a_warning(tmp_path):
    numbers = np.array([0x7FA00000], dtype=np.uint32)
    with pytest.raises(InputError, match="holds nan"):
        read_weights("w", stored(tmp_path, numbers, dtype="float32"))


def test_integers_are_no_weights(tmp_path):
    with pytest.raises(InputError, match="'w' as int8, expected floating-point numbers"):
        read_weights("w", stored(tmp_path, np.zeros(2, np.int8)))


@pytest.mark.parametrize("expected", [(3,), (2, 4), (2, 3, 1), (None,)])
def test_another_shape_is_refused_with_both(tmp_path, expected):
    tensor = stored(tmp_path, np.zeros((2, 3)), strides=(3, 1))
    with pytest.raises(InputError, match=r"'w' of shape \(2, 3\), expected \("):
        expect_shape("w", tensor, expected)


def test_any_size_is_any_but_zero(tmp_path):
    expect_shape("w", stored(tmp_path, np.zeros((2, 3)), strides=(3, 1)), (None, 3))
    with pytest.raises(InputError):
        expect_shape("w", stored(tmp_path, np.zeros((0, 3)), strides=(3, 1)), (None, 3))
