"""A checkpoint as bytes: everything comes back, and damage is seen."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.errors import InputError
from bpttcli.training.checkpoint import Checkpoint, from_bytes, to_bytes

ARRAYS = {
    "parameter/weight": np.array([[1.0, -0.0], [np.pi, 5e-324]]),
    "optimiser/updates": np.array([7.0]),
    "none": np.empty((0, 3)),
}
VALUES = {"progress": {"update": 7, "rows": [{"loss": 0.1, "held_out": None}]}, "text": "ρ(B)"}
WRITTEN = to_bytes(Checkpoint(ARRAYS, VALUES))


def test_what_was_written_is_read_to_the_last_bit():
    found = from_bytes(WRITTEN)
    assert found.values == VALUES
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (found.arrays[name].shape, found.arrays[name].dtype) == (array.shape, array.dtype)
        assert found.arrays[name].tobytes() == array.tobytes()


def test_arrays_are_grouped_by_what_stands_before_the_slash():
    assert list(from_bytes(WRITTEN).group("parameter")) == ["weight"]
    assert from_bytes(WRITTEN).group("nothing") == {}


def test_numpy_alone_can_read_it():
    with np.load(io.BytesIO(WRITTEN)) as file:
        np.testing.assert_array_equal(file["parameter/weight"], ARRAYS["parameter/weight"])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(WRITTEN) - 1), st.integers(1, 255))
def test_a_changed_byte_is_seen_or_changes_nothing(at, by):
    """Some bytes of a zip file, its dates for one, say nothing of what is in it."""
    changed = bytearray(WRITTEN)
    changed[at] ^= by
    try:
        found = from_bytes(bytes(changed))
    except InputError:
        return
    assert to_bytes(found) == to_bytes(from_bytes(WRITTEN))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(WRITTEN) - 1))
def test_a_file_that_was_cut_is_refused(length):
    with pytest.raises(InputError, match="damaged or no checkpoint"):
        from_bytes(WRITTEN[:length])


def test_arrays_that_were_exchanged_are_refused():
    """A zip file whose parts are whole, but not those that were written."""
    with np.load(io.BytesIO(WRITTEN)) as file:
        held = {name: file[name] for name in file.files}
    held["optimiser/updates"] = np.array([8.0])
    stream = io.BytesIO()
    np.savez(stream, **held)
    with pytest.raises(InputError, match="the content that was written"):
        from_bytes(stream.getvalue())


def test_another_file_of_arrays_is_refused():
    stream = io.BytesIO()
    np.savez(stream, weight=np.ones(3))
    with pytest.raises(InputError, match="no checkpoint"):
        from_bytes(stream.getvalue())
