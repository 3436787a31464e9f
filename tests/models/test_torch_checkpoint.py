"""PyTorch's files, read without PyTorch."""

import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings

from bpttcli.errors import InputError
from bpttcli.models.find_network import find_network
from bpttcli.models.torch_checkpoint import read_torch
from tests.damage import EDITS, damaged

FLOATS = np.arange(6, dtype=np.float32)


def test_pytorch_is_not_needed(files):
    read_torch(files / "elman.pt")
    assert "torch" not in sys.modules


@pytest.mark.parametrize("name", ["views.pt", "views-legacy.pt"])
def test_views_of_one_storage_are_read_as_pytorch_cuts_them(files, name):
    """The storage holds 0/7 … 59/7 in float32; m is its elements 4 to 51 in six rows."""
    whole = (np.arange(60, dtype=np.float32) / np.float32(7)).astype(np.float64)
    m = whole[4:52].reshape(6, 8)
    expected = {
        "transposed": m.T,
        "strided": m[::2, 1::3],
        "column": m[:, 5],
        "offset": whole[3:9],
        "parameter": whole[2:5],
        "scalar": whole[59],
        "expanded": np.full(5, whole[7]),
        "permuted": whole[:24].reshape(2, 3, 4).transpose(2, 0, 1),
    }
    tensors = read_torch(files / name)
    assert len(tensors) >= 4
    for key in tensors.keys() - {"empty"}:
        np.testing.assert_array_equal(tensors[key].read(), expected[key])


def test_numbers_of_every_type_keep_their_value(files):
    tensors = read_torch(files / "dtypes.pt")
    float32 = np.array([1 / 3, -2.5, 65504.0, 6e-8, 0.0], dtype=np.float32)
    expected = {
        "float64": float32,
        "float32": float32,
        "float16": float32.astype(np.float16),
        "bfloat16": [0.333984375, -2.5, 65536.0, 2.0**-24 * (1 + 2.0**-7), 0.0],
        "int64": [-(2**62), 5],
        "int32": [-(2**31), 5],
        "int16": [-(2**15), 5],
        "int8": [-128, 5],
        "uint8": [255, 5],
        "bool": [1, 0],
    }
    assert {name: tensor.dtype for name, tensor in tensors.items()} == {n: n for n in tensors}
    for name, numbers in expected.items():
        np.testing.assert_array_equal(tensors[name].read(), numbers)
    assert tensors.keys() - expected.keys() == {"complex64"}


def test_the_network_is_unwrapped_from_a_training_checkpoint(files):
    """Beside it lie optimiser and scheduler states, a vocabulary, a NumPy scalar, a set, …"""
    assert list(read_torch(files / "training.pt")) == list(read_torch(files / "embedding.pt"))


def test_a_checkpoint_of_several_parts_with_weights_keeps_their_names(files):
    names = list(read_torch(files / "parts.pt"))
    assert names[0] == "rnn.weight_ih_l0"
    assert names[-1] == "fc.bias"


def test_containers_of_every_kind_give_dotted_names(tmp_path, forge):
    one = forge.tensor((2,), (1,))
    root = forge.dictionary({"a": b"](" + one + b"}" + forge.literal("b") + one + b"se", 3: one})
    path = forge.archive(tmp_path / "a.pt", root, {"0": FLOATS.tobytes()})
    assert list(read_torch(path)) == ["a.0", "a.1.b", "3"]


def test_an_ordered_dict_of_python_2_is_read(tmp_path, forge):
    items = b"](](" + forge.literal("weight") + forge.tensor((2,), (1,)) + b"ee"
    root = b"ccollections\nOrderedDict\n(" + items + b"tR"
    path = forge.archive(tmp_path / "a.pt", root, {"0": FLOATS.tobytes()})
    assert list(read_torch(path)) == ["weight"]


def test_a_view_of_a_part_of_a_storage_counts_from_there(tmp_path, forge):
    stored = forge.storage("a", view=("v", 2, 4))
    root = forge.dictionary({"w": forge.tensor((2,), (1,), offset=1, stored=stored)})
    path = forge.legacy(tmp_path / "a.pt", root, {"a": (6, FLOATS.tobytes())})
    assert read_torch(path)["w"].read().tolist() == [3.0, 4.0]


@pytest.mark.parametrize("key", [None, 1.5, "", "a\nb", "\ud800", "x" * 501, (1, 2), -1, 10**30])
def test_a_tensor_under_no_printable_name_is_passed_by(tmp_path, forge, key):
    one = forge.tensor((2,), (1,))
    path = forge.archive(
        tmp_path / "a.pt", forge.dictionary({key: one, "w": one}), {"0": FLOATS.tobytes()}
    )
    assert list(read_torch(path)) == ["w"]


def test_circular_and_endlessly_shared_containers_are_walked_once(tmp_path, forge):
    """Walked by every path, the second would take 2^60 steps and the first never end."""
    doubling = b"".join(
        b"}q\x01"
        if k == 0
        else b"}" + b"".join(forge.literal(s) + b"h\x01s" for s in "ab") + b"q\x01"
        for k in range(60)
    )
    circle = b"}q\x02" + forge.literal("self") + b"h\x02s"
    root = b"](" + doubling + circle + b"e"
    assert read_torch(forge.archive(tmp_path / "a.pt", root)) == {}


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((7,), (1,), 0),
        ((6,), (1,), 1),
        ((2, 3), (4, 1), 0),
        ((1,), (1,), 2**62),
        ((2**62, 2**62), (1, 1), 0),
        ((2,), (2**62,), 0),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(tmp_path, forge, shape, strides, offset):
    root = forge.dictionary({"w": forge.tensor(shape, strides, offset)})
    path = forge.archive(tmp_path / "a.pt", root, {"0": FLOATS.tobytes()})
    with pytest.raises(InputError, match=r"a\.pt' is damaged: 'w' reaches beyond its storage"):
        read_torch(path)


def test_a_tensor_without_its_storage_is_refused(tmp_path, forge):
    path = forge.archive(tmp_path / "a.pt", forge.dictionary({"w": forge.tensor((2,), (1,))}))
    with pytest.raises(InputError, match="the numbers of 'w' are missing"):
        read_torch(path)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((-1,), (1,), 0),
        ((2,), (-1,), 1),
        ((2,), (1,), -1),
        ((2, 2), (1,), 0),
        ((2.0,), (1,), 0),
        ((True,), (1,), 0),
        ((2**63,), (0,), 0),
        ([2], (1,), 0),
        ((1,) * 65, (1,) * 65, 0),
        ((2,), None, 0),
    ],
)
def test_a_tensor_that_cannot_be_is_refused(tmp_path, forge, shape, strides, offset):
    root = forge.dictionary({"w": forge.tensor(shape, strides, offset)})
    path = forge.archive(tmp_path / "a.pt", root, {"0": FLOATS.tobytes()})
    with pytest.raises(InputError, match="damaged"):
        read_torch(path)


def test_numbers_that_the_file_repeats_without_end_are_refused(tmp_path, forge):
    """A stride of 0 repeats one number: 24 bytes would fill any memory."""
    root = forge.dictionary({"w": forge.tensor((2**40, 2**20), (0, 0))})
    path = forge.archive(tmp_path / "a.pt", root, {"0": FLOATS.tobytes()})
    with pytest.raises(InputError, match="claims far more numbers than a file of its size"):
        read_torch(path)


def test_a_thousand_names_of_one_storage_are_refused_when_they_add_up(tmp_path, forge):
    view = forge.tensor((1000,), (1,))
    root = forge.dictionary({f"w{k}": view if k == 0 else b"h\x63" for k in range(1000)})
    root = root.replace(view, view + b"q\x63", 1)
    path = forge.archive(tmp_path / "a.pt", root, {"0": bytes(4000)})
    with pytest.raises(InputError, match="claims far more numbers"):
        read_torch(path)


def test_a_list_that_is_passed_again_and_again_is_not_copied(tmp_path, forge):
    items = b"](" + b"K\x01K\x02\x86" * 1000 + b"eq\x05"
    calls = b"0ccollections\nOrderedDict\nh\x05\x85R" * 1000
    path = forge.archive(tmp_path / "a.pt", items + calls)
    tracemalloc.start()
    read_torch(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20  # copies would take 64 MB if they were kept, and as long as a million


@pytest.mark.parametrize(
    ("name", "needs"), [("whole-module.pt", "torch.nn.modules.rnn.RNN"), (None, "posix.system")]
)
def test_a_file_that_needs_code_is_refused_by_name(tmp_path, files, forge, name, needs):
    call = b"cposix\nsystem\n" + forge.literal("touch PWNED") + b"\x85R"
    path = files / name if name else forge.archive(tmp_path / "a.pt", forge.dictionary({"w": call}))
    with pytest.raises(InputError, match=f"needs '{needs}', .* save model.state_dict") as raised:
        read_torch(path)
    assert raised.value.key == "model.file"
    assert not (path.parent / "PWNED").exists()


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.pt' cannot be read: no such file"):
        read_torch(tmp_path / "none.pt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", ["elman.pt", "views-legacy.pt", "training.pt"])
@given(edits=EDITS)
@settings(max_examples=40, deadline=1000)
def test_a_damaged_file_gives_a_network_or_one_line(folder, files, name, edits):
    path = folder / name
    path.write_bytes(damaged((files / name).read_bytes(), edits))
    refusal = ""
    tracemalloc.start()
    try:
        tensors = read_torch(path)
        find_network(tensors)
    except InputError as error:
        refusal = str(error)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert refusal.isprintable()
    assert peak < 4 << 20
