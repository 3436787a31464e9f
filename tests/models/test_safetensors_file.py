"""Files of safetensors."""

import json
import struct
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpttcli.errors import InputError
from bpttcli.models.safetensors_file import read_safetensors

OLD = SimpleNamespace(safe_open=object, SafetensorError=Exception)


@pytest.mark.parametrize("library", [None, OLD], ids=["none", "old"])
def test_without_a_library_that_will_do_the_extra_is_named(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, "safetensors", library)
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(InputError, match=r"a' needs the safetensors library, .*'bptt\[safetensors"):
        read_safetensors(tmp_path / "a")


@pytest.fixture
def library():
    return pytest.importorskip("safetensors")


def written(path, entries):
    """Write a file of (name, dtype, shape, bytes) by hand."""
    header, end = {}, 0
    for name, dtype, shape, data in entries:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        end += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(e[3] for e in entries))
    return path


ENTRIES = [
    ("b", "F32", [2, 3], np.arange(6, dtype="<f4").tobytes()),
    ("half", "BF16", [2], struct.pack("<2H", 0x3F80, 0xC020)),
    ("a", "F64", [], struct.pack("<d", 1 / 3)),
    ("cube", "F16", [2, 1, 2], np.arange(4, dtype="<f2").tobytes()),
    ("count", "I64", [1], struct.pack("<q", -5)),
    ("none", "F32", [0, 3], b""),
    ("flag", "BOOL", [2], b"\1\0"),
]
EXPECTED = {
    "b": np.arange(6.0).reshape(2, 3),
    "half": [1.0, -2.5],
    "a": 1 / 3,
    "cube": np.arange(4.0).reshape(2, 1, 2),
    "count": [-5],
    "flag": [1, 0],
}


def test_numbers_of_every_type_keep_their_value(library, tmp_path):
    tensors = read_safetensors(written(tmp_path / "a", ENTRIES))
    assert tensors.keys() == EXPECTED.keys() | {"none"}
    assert tensors["half"].dtype == "bfloat16"
    assert tensors["none"].shape == (0, 3)
    for name, numbers in EXPECTED.items():
        np.testing.assert_array_equal(tensors[name].read(), numbers)


def test_only_what_is_asked_for_is_read(library, tmp_path):
    large = ("large", "F32", [1 << 20], bytes(4 << 20))
    path = written(tmp_path / "a", [large, *ENTRIES])
    tracemalloc.start()
    read_safetensors(path)["a"].read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_name_that_cannot_be_printed_is_passed_by(library, tmp_path):
    path = written(tmp_path / "a", [("x\n", "U8", [1], b"x"), ("w", "U8", [1], b"y")])
    tensors = read_safetensors(path)
    assert list(tensors) == ["w"]
    assert tensors["w"].read().tolist() == [ord("y")]


@pytest.mark.parametrize("end", [1, 8, 50, -1])
def test_a_file_that_is_cut_off_is_refused(library, tmp_path, end):
    path = written(tmp_path / "a", ENTRIES)
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(InputError, match="is no safetensors file, or cut off or damaged"):
        read_safetensors(path)


@pytest.mark.parametrize("data", [b"PK\3\4" * 20, b"\xff" * 100, b"hello, this is no such file"])
def test_something_else_is_refused(library, tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(InputError, match="is no safetensors file"):
        read_safetensors(tmp_path / "a")


def test_an_empty_or_a_missing_file_or_a_folder_is_refused(library, tmp_path):
    (tmp_path / "a").write_bytes(b"")
    for name, message in (("a", "is empty"), ("b", "no such file"), (".", "cannot be read")):
        with pytest.raises(InputError, match=message):
            read_safetensors(tmp_path / name)


def test_a_type_that_is_not_read_is_named(library, tmp_path):
    path = written(tmp_path / "a", [("w", "F8_E4M3", [2], b"xx")])
    with pytest.raises(InputError, match="holds 'w' as F8_E4M3, which is not read"):
        read_safetensors(path)


@given(at=st.integers(0, 700), new=st.binary(max_size=4), cut=st.integers(0, 4))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_gives_tensors_or_one_line(library, tmp_path, at, new, cut):
    path = written(tmp_path / "a", ENTRIES)
    data = path.read_bytes()
    path.write_bytes(data[:at] + new + data[at + cut :])
    refusal = ""
    try:
        for tensor in read_safetensors(path).values():
            if tensor.size:
                tensor.read()
    except InputError as error:
        refusal = str(error)
    assert refusal.isprintable()
