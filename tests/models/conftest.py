"""Files as torch.save would write them, and as it never would, put together by hand."""

import pickle
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest


def literal(value):
    """The instructions that put a plain value on the stack."""
    return pickle.dumps(value, protocol=2)[2:-1]


def storage(key="0", kind="FloatStorage", view=None):
    """The instructions for a storage by its persistent id; only old files have a view."""
    last = b"" if view is None else literal(view)
    head = literal("storage") + b"ctorch\n%b\n" % kind.encode()
    return b"(" + head + literal(key) + literal("cpu") + literal(0) + last + b"tQ"


def tensor(shape, strides, offset=0, stored=None):
    """The instructions for a tensor that looks at a storage."""
    where = stored or storage()
    hooks = b"ccollections\nOrderedDict\n)R"
    arguments = where + literal(offset) + literal(shape) + literal(strides) + b"\x89" + hooks
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def dictionary(items):
    """The instructions for a dictionary of such values."""
    return b"}(" + b"".join(literal(key) + value for key, value in items.items()) + b"u"


def program(instructions):
    """A whole pickle."""
    return b"\x80\x02" + instructions + b"."


def archive(path, instructions, storages=None, members=None, compression=zipfile.ZIP_STORED):
    """A zip file of torch.save."""
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("archive/data.pkl", program(instructions))
        for key, data in (storages or {}).items():
            file.writestr(f"archive/data/{key}", data)
        for name, data in (members or {}).items():
            file.writestr(name, data)
    return path


def legacy(path, instructions, storages, little_endian=True):
    """A file of torch.save before the zip format; storages are (numbers, bytes)."""
    machine = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": {}}
    plain = (0x1950A86A20F9469CFC6C, 1001, machine)
    head = b"".join(pickle.dumps(value, protocol=2) for value in plain)
    keys = pickle.dumps(list(storages), protocol=2)
    data = b"".join(struct.pack("<q", count) + numbers for count, numbers in storages.values())
    path.write_bytes(head + program(instructions) + keys + data)
    return path


@pytest.fixture
def forge():
    """How to put a file together."""
    return SimpleNamespace(
        literal=literal,
        storage=storage,
        tensor=tensor,
        dictionary=dictionary,
        program=program,
        archive=archive,
        legacy=legacy,
    )


@pytest.fixture(scope="session")
def files():
    """A folder of small files written by torch.save of PyTorch 2.13, on a CPU.

    They hold state_dicts of nn.RNN, nn.GRU, nn.LSTM, nn.LSTMCell, nn.Embedding and nn.Linear
    with 2 or 3 inputs and 3 or 4 units, whose weights are as PyTorch draws them, but for
    views.pt, views-legacy.pt and dtypes.pt, of which the tests know the numbers.
    """
    return Path(__file__).parent / "files"
