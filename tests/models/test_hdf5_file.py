"""What an HDF5 file holds, found out by a program that may crash."""

import subprocess
import sys

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.models import hdf5_listing
from bpttcli.models.hdf5_file import read_hdf5, rows

h5py = pytest.importorskip("h5py")

MATRIX = np.arange(6.0).reshape(2, 3)


@pytest.fixture
def written(tmp_path):
    """A file with a thing of every kind."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["a/vars/0"] = MATRIX
        file["a/vars"].attrs["name"] = "layer"
        file["a/vars"].attrs["other"] = 5
        file["single"], file["half"] = np.float32(0.5), np.float16([1, 2])
        file["none"] = np.zeros((0, 3))
        file["count"], file["text"], file["big"] = 7, "text", MATRIX.astype(">f8")
        file.create_dataset("chunks", data=MATRIX, chunks=(1, 3))
        file.create_dataset("empty", data=h5py.Empty("f8"))
        file["soft"], file["hard"] = h5py.SoftLink("/a"), file["a"]
        file["a"].attrs["name"] = "line\nbreak"
    return path


def test_arrays_of_reals_in_one_piece_are_found_and_others_passed_by(written):
    found = read_hdf5(written, 0, written.stat().st_size)
    # A hard link is another name of the same thing; a soft one is not followed.
    assert found.tensors.keys() == {"a/vars/0", "hard/vars/0", "single", "half"}
    np.testing.assert_array_equal(found.tensors["a/vars/0"].read(), MATRIX)
    assert found.tensors["single"].read() == 0.5
    assert found.names == {"a/vars": "layer", "hard/vars": "layer"}


def test_a_file_may_be_a_part_of_another(written, tmp_path):
    content = written.read_bytes()
    (tmp_path / "whole").write_bytes(b"before" + content + b"after")
    found = read_hdf5(tmp_path / "whole", 6, len(content))
    np.testing.assert_array_equal(found.tensors["a/vars/0"].read(), MATRIX)


def test_a_group_that_contains_itself_ends_in_a_refusal(tmp_path):
    with h5py.File(tmp_path / "a", "w") as file:
        file["a"] = file["/"]
        file["b"] = file["/"]
    with pytest.raises(InputError, match="or cut off or damaged"):
        read_hdf5(tmp_path / "a", 0, (tmp_path / "a").stat().st_size)


def test_a_program_that_crashes_or_never_ends_is_a_refusal(written, tmp_path, monkeypatch):
    (tmp_path / "crash.py").write_text("import os; os.abort()")
    (tmp_path / "loop.py").write_text("while True: pass")
    (tmp_path / "nonsense.py").write_text("print('nonsense')")
    monkeypatch.setattr("bpttcli.models.hdf5_file._SECONDS", 1)
    for name, expected in (
        ("crash", "cut off or damaged"),
        ("loop", "cannot be listed in 1 seconds"),
        ("nonsense", "its names are not text"),
    ):
        monkeypatch.setattr(hdf5_listing, "__file__", str(tmp_path / f"{name}.py"))
        with pytest.raises(InputError, match=expected):
            read_hdf5(written, 0, 1)


def test_the_memory_of_the_program_is_bounded(tmp_path):
    pytest.importorskip("resource")
    code = (
        "from bpttcli.models import hdf5_listing as program\n"
        "program._limit()\n"
        "try: bytes(program._MOST_MEMORY)\n"
        "except MemoryError: print('bounded')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "bounded\n"


def test_a_matrix_is_transposed_and_its_blocks_are_put_in_order(written):
    stored = read_hdf5(written, 0, written.stat().st_size).tensors
    blocks = rows(stored["a/vars/0"], (1, 2, 0))
    np.testing.assert_array_equal(np.concatenate([b.read() for b in blocks]), MATRIX.T[[1, 2, 0]])
    assert [block.read().tolist() for block in rows(stored["half"], (1, 0))] == [[2], [1]]
