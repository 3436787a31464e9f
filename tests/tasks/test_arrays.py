"""Arrays that NumPy saved."""

import io
import warnings
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.arrays import is_saved_by_numpy, read_arrays
from bpttcli.tasks.files import InputFile

FILE = InputFile("f.npz", "task.file")
X = np.arange(6.0).reshape(3, 2)


def npz(save=np.savez, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_gives_its_arrays_by_name(save):
    arrays = read_arrays(npz(save, x=X, y=np.array([1, 2])), FILE)
    assert list(arrays) == ["x", "y"]
    np.testing.assert_array_equal(arrays["x"], X)
    np.testing.assert_array_equal(arrays["y"], [1, 2])


def test_the_array_of_an_npy_gets_the_name_that_it_is_read_for():
    np.testing.assert_array_equal(read_arrays(npy(X), FILE)["x"], X)
    np.testing.assert_array_equal(read_arrays(npy(X), FILE, sole="B")["B"], X)


def test_an_npz_without_arrays_gives_none():
    assert read_arrays(npz(), FILE) == {}


@pytest.mark.parametrize(
    ("content", "saved"),
    [(npy(X), True), (npz(x=X), True), (npz(), True), (b"PK,value\n1,2", False)],
)
def test_what_numpy_saved_is_told_by_its_first_bytes(content, saved):
    assert is_saved_by_numpy(content, InputFile("data", "task.file")) is saved


@pytest.mark.parametrize("name", ["f.npz", "F.NPY"])
def test_a_file_that_is_not_what_its_name_says_is_refused(name):
    with pytest.raises(InputError, match=f"'{name}' is not what it is called.* {name[2:].lower()}"):
        is_saved_by_numpy(b"1,2", InputFile(name, "task.file"))


class Pickled:
    """Unpickling it would fail the test."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize("values", [[Pickled(), 1], [None]])
@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_python_objects_are_never_unpickled(kind, values):
    objects = np.array(values, dtype=object)
    content = npz(h0=X, y=objects) if kind == "npz" else npy(objects, allow_pickle=True)
    name = "y" if kind == "npz" else "x"
    with pytest.raises(
        InputError, match=f"'f.npz' holds Python objects in the array '{name}'.*asarray"
    ):
        read_arrays(content, FILE)


@pytest.mark.parametrize("content", [npz(x=X), npz(np.savez_compressed, x=X), npy(X)])
def test_a_file_cut_anywhere_is_refused_in_one_sentence(content):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for length in range(6, len(content), 7):
            with pytest.raises(InputError, match=r"^'f.npz' is truncated or damaged"):
                read_arrays(content[:length], FILE)


@pytest.mark.parametrize("content", [npz(x=X), npz(np.savez_compressed, x=X), npy(X)])
def test_a_file_with_any_byte_changed_is_read_or_refused(content):
    for at in range(6, len(content), 3):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        with suppress(InputError):
            arrays = read_arrays(bytes(damaged), FILE)
            assert all(isinstance(array, np.ndarray) for array in arrays.values())


def test_a_header_that_promises_more_than_memory_is_refused():
    header = npy(X).replace(b"(3, 2)", b"(3, 2" + b"0" * 15 + b")")
    header = header.replace(b" " * 15 + b"\n", b"\n")
    with pytest.raises(InputError, match="truncated or damaged"):
        read_arrays(header, FILE)


def test_a_zip_of_other_things_is_refused():
    with pytest.raises(InputError, match=r"holds 'data\.pkl', which is not an array"):
        read_arrays(zipped(**{"data.pkl": "abc"}), FILE)
