"""The two containers of torch.save: a zip archive, and before that pickles and bytes in a row."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.models.torch_containers import Storage, StorageType, open_contents

ALLOWED = {"torch.FloatStorage": StorageType("float32"), "torch.LongStorage": StorageType("int64")}
NUMBERS = np.arange(3, dtype=np.float32).tobytes()


def contents(path):
    with path.open("rb") as file:
        return open_contents(file, ALLOWED)


def test_a_storage_of_a_zip_file_lies_where_its_member_does(tmp_path, forge):
    path = forge.archive(tmp_path / "a", forge.storage("7"), {"7": NUMBERS, "8": b"x"})
    got = contents(path)
    start, size = got.places["7"]
    assert got.root == Storage("float32", "7", 0)
    assert path.read_bytes()[start : start + size] == NUMBERS


def test_the_storages_of_an_older_file_lie_behind_its_pickles(tmp_path, forge):
    root = b"(" + forge.storage("a", "LongStorage") + forge.storage("b") + b"l"
    path = forge.legacy(tmp_path / "a", root, {"a": (1, b"LONGLONG"), "b": (3, NUMBERS)})
    got = contents(path)
    start, size = got.places["b"]
    assert path.read_bytes()[start : start + size] == NUMBERS
    assert got.places["a"] == (start - 16, 8)


def test_a_storage_of_an_older_file_may_be_a_part_of_another(tmp_path, forge):
    path = forge.legacy(tmp_path / "a", forge.storage("a", view=("v", 2, 1)), {"a": (3, NUMBERS)})
    assert contents(path).root == Storage("float32", "a", 2)


def test_a_zip_file_without_checksums_is_read(tmp_path, forge):
    """torch.save can be told to leave them out."""
    path = forge.archive(tmp_path / "a", b"K\x05")
    data = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        checksum = file.getinfo("archive/data.pkl").CRC.to_bytes(4, "little")
    path.write_bytes(data.replace(checksum, b"\0\0\0\0"))
    assert contents(path).root == 5


def test_the_numbers_of_a_file_are_not_read(tmp_path, forge):
    """Of 8 MB of numbers only the headers around them."""
    path = forge.archive(tmp_path / "a", forge.storage(), {"0": bytes(8 << 20)})

    class Counted(io.FileIO):
        total = 0

        def read(self, size=-1):
            data = super().read(size)
            self.total += len(data)
            return data

    with Counted(path) as file:
        open_contents(file, ALLOWED)
        assert file.total < 1 << 18


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"hello", "is not a file of torch.save: it is neither"),
        (b"PK\x03\x04 and then nothing", "is cut off or damaged: it has no readable zip dir"),
        (b"\x80\x02", "holds a pickle that is cut off"),
        (pickle.dumps({"weight": 1}), "is a pickle, but not one that torch.save has written"),
        (pickle.dumps(0x1950A86A20F9469CFC6C, 2), "cut off"),
        (b"\x80\x02cposix\nsystem\n.", "needs 'posix.system'"),
    ],
)
def test_what_is_no_file_of_torch_save_is_refused(tmp_path, data, message):
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        contents(path)


def test_a_zip_file_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(2))
    with pytest.raises(InputError, match=r"without the data\.pkl that torch\.save writes"):
        contents(tmp_path / "a.npz")


def test_a_compressed_zip_file_is_refused_before_it_can_grow(tmp_path, forge):
    path = forge.archive(tmp_path / "a", b"N", {"0": bytes(1 << 20)}, None, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 12
    with pytest.raises(InputError, match="is a compressed zip archive"):
        contents(path)


def test_a_pickle_of_excessive_length_is_refused_unread(tmp_path, forge, monkeypatch):
    monkeypatch.setattr("bpttcli.models.torch_containers.MOST_BYTES", 100)
    path = forge.archive(tmp_path / "a", b"N0" * 100 + b"N")
    with pytest.raises(InputError, match=r"holds a data\.pkl of 204 bytes, too many"):
        contents(path)


def test_another_byte_order_is_refused(tmp_path, forge):
    new = forge.archive(tmp_path / "a", b"N", members={"archive/byteorder": b"big"})
    old = forge.legacy(tmp_path / "b", b"N", {}, little_endian=False)
    for path in (new, old):
        with pytest.raises(InputError, match="another byte order"):
            contents(path)


def test_a_zip_file_is_refused_wherever_it_is_cut(tmp_path, forge):
    data = forge.archive(tmp_path / "a", forge.storage(), {"0": NUMBERS}).read_bytes()
    for end in range(0, len(data), 5):
        (tmp_path / "a").write_bytes(data[:end])
        with pytest.raises(InputError):
            contents(tmp_path / "a")


def test_an_older_file_is_refused_wherever_it_is_cut(tmp_path, forge):
    data = forge.legacy(tmp_path / "a", forge.storage(), {"0": (3, NUMBERS)}).read_bytes()
    for end in range(0, len(data), 5):
        (tmp_path / "a").write_bytes(data[:end])
        with pytest.raises(InputError):
            contents(tmp_path / "a")


@pytest.mark.parametrize(
    "identity",
    [
        "storage",
        (),
        ("storage", 1, "0", "cpu", 3),
        ("module", None, "0", "cpu", 3),
        ("storage", None, "0", "cpu", 3, None, None),
    ],
)
def test_a_persistent_id_that_is_no_storage_is_refused(tmp_path, forge, identity):
    path = forge.archive(tmp_path / "a", forge.literal(identity) + b"Q")
    with pytest.raises(InputError, match="damaged"):
        contents(path)


@pytest.mark.parametrize("view", [(), ("v", -1, 1), ("v", 2**63, 1), ("v", "0", 1), 5])
def test_a_part_of_a_storage_that_cannot_be_is_refused(tmp_path, forge, view):
    path = forge.archive(tmp_path / "a", forge.storage(view=view))
    with pytest.raises(InputError, match="damaged"):
        contents(path)


def test_one_storage_of_two_types_is_refused(tmp_path, forge):
    root = b"(" + forge.storage("a") + forge.storage("a", "LongStorage") + b"l"
    with pytest.raises(InputError, match="damaged"):
        contents(forge.legacy(tmp_path / "a", root, {"a": (3, NUMBERS)}))
