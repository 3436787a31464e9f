"""Tensors wherever their numbers lie."""

import numpy as np
import pytest

from bpttcli.models.tensor import HeldTensor, StackedTensor


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.bool_, ">f4"])
def test_an_array_in_memory_gives_its_numbers_as_float64(dtype):
    tensor = HeldTensor(np.array([[1, 0, 1]], dtype=dtype))
    assert (tensor.shape, tensor.size) == ((1, 3), 3)
    assert tensor.dtype.startswith("float")
    assert tensor.read().dtype == np.float64
    assert tensor.read().tolist() == [[1, 0, 1]]


@pytest.mark.parametrize("values", [np.array([1j]), np.array(["a"])])
def test_what_is_no_real_number_keeps_the_name_of_its_type(values):
    assert HeldTensor(values).dtype == values.dtype.name


def test_stacked_tensors_are_one():
    parts = tuple(HeldTensor(np.full((2, 3), float(k))) for k in (2, 0, 1))
    tensor = StackedTensor(parts)
    assert (tensor.shape, tensor.size, tensor.dtype) == ((6, 3), 18, "float64")
    assert tensor.read()[:, 0].tolist() == [2, 2, 0, 0, 1, 1]
