"""PyTorch's files, read without PyTorch: names, shapes and places, not yet a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bpttcli.errors import InputError
from bpttcli.models.model_file import quoted, reading
from bpttcli.models.restricted_pickle import Builder, Pairs
from bpttcli.models.tensor_storage import ITEM_SIZE, LazyTensor
from bpttcli.models.torch_containers import Contents, Storage, StorageType, index, open_contents

#: PyTorch's own limit on the number of axes.
_MOST_AXES = 64
_MOST_TENSORS = 100_000
#: No parameter has a longer name; it bounds what a chain of long keys can add up to.
_LONGEST_NAME = 500
#: Tensors may share their numbers, as tied layers do. More numbers than this a byte of the file
#: (64 layers tied in float32) are not shared weights but a trap for the memory.
_NUMBERS_PER_BYTE = 16
_FEW_NUMBERS = 1 << 16
#: {"checkpoint": {"model": {"state_dict": …}}} is as deep as people nest.
_MOST_WRAPPERS = 8


@dataclass(frozen=True, slots=True)
class View:
    """A tensor as the pickle describes it; offset and strides count elements of the storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch(path: str | Path) -> dict[str, LazyTensor]:
    """Read the names, shapes and places of the tensors of a file that torch.save wrote.

    The zip format and the one before it; a state_dict alone or inside a training checkpoint,
    of which the part that holds the network is taken. No code from the file runs, and of its
    numbers none is read.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to LazyTensor
        In the file's order, under dotted names without the keys that wrap the whole network.

    Raises
    ------
    InputError
        A file that is empty, cut off, damaged, not PyTorch's, or that holds anything but
        tensors and plain containers; a tensor outside its storage.
    """
    path = Path(path)
    with reading(path), path.open("rb") as file:
        contents = open_contents(file, _ALLOWED)
        views = _flatten(_network_part(contents.root))
        tensors = {name: _locate(path, name, view, contents) for name, view in views.items()}
        most = _NUMBERS_PER_BYTE * path.stat().st_size + _FEW_NUMBERS
        if sum(tensor.size for tensor in tensors.values()) > most:
            raise InputError("claims far more numbers than a file of its size can hold")
        return tensors


def _locate(path: Path, name: str, view: View, contents: Contents) -> LazyTensor:
    """Turn a view of a storage into a place in the file, inside that storage."""
    dtype = view.storage.dtype
    if view.storage.key not in contents.places:
        raise InputError(f"is cut off or damaged: the numbers of {quoted(name)} are missing")
    start, size = contents.places[view.storage.key]
    before = (view.storage.first + view.offset) * ITEM_SIZE[dtype]
    tensor = LazyTensor(path, start + before, dtype, view.shape, view.strides)
    if before + tensor.extent > size:
        raise InputError(f"is damaged: {quoted(name)} reaches beyond its storage")
    return tensor


def _network_part(root: object) -> object:
    """Unwrap a training checkpoint for as long as one part alone holds all the weights."""
    for _ in range(_MOST_WRAPPERS):
        if not isinstance(root, Pairs) or any(isinstance(value, View) for _, value in root):
            break
        parts = {id(value): value for _, value in root if isinstance(value, Pairs)}
        weighty = [part for part in parts.values() if any(map(_is_weight, _flatten(part)))]
        if len(weighty) != 1:
            break
        root = weighty[0]
    return root


def _is_weight(name: str) -> bool:
    """Tell a layer's tensor from an optimiser's (exp_avg, momentum_buffer)."""
    return name.rpartition(".")[2].startswith("weight")


def _flatten(root: object) -> dict[str, View]:
    """Collect the tensors of nested containers under dotted names, in the file's order.

    A container is entered once, so that shared and circular ones cost nothing; a branch whose
    name is no text, unprintable or too long names nobody's parameter and is passed by.
    """
    found: dict[str, View] = {}
    entered: set[int] = set()
    pending: list[tuple[str, object, object]] = [("", None, root)]
    while pending:
        prefix, key, value = pending.pop()
        # Joined only here: what waits shares its prefix, however long.
        name = prefix if key is None else _joined(prefix, key)
        if name is None or id(value) in entered:
            continue
        if isinstance(value, View):
            found[name] = value
            if len(found) > _MOST_TENSORS:
                raise InputError(f"holds more than {_MOST_TENSORS} tensors")
        elif isinstance(value, list | tuple):
            entered.add(id(value))
            items = value if isinstance(value, Pairs) else list(enumerate(value))
            pending.extend(
                (name, inner, child)
                for inner, child in reversed(items)
                if inner is not None and isinstance(child, View | list | tuple)
            )
    return found


def _joined(prefix: str, key: object) -> str | None:
    """Extend a dotted name by a key, or say that this is not how a parameter is called."""
    if isinstance(key, int):
        key = str(key) if 0 <= key < _MOST_TENSORS else ""
    if not isinstance(key, str) or not key or len(prefix) + len(key) >= _LONGEST_NAME:
        return None
    return (f"{prefix}.{key}" if prefix else key) if key.isprintable() else None


def _tensor(storage: object, offset: object, shape: object, strides: object, *_: object) -> View:
    """Stand in for torch._utils._rebuild_tensor_v2."""
    if not isinstance(storage, Storage) or not isinstance(shape, tuple):
        raise TypeError("not a tensor")
    if not isinstance(strides, tuple) or not len(strides) == len(shape) <= _MOST_AXES:
        raise TypeError("not the strides of the tensor")
    return View(storage, index(offset), tuple(map(index, shape)), tuple(map(index, strides)))


def _first(data: object, *_: object) -> object:
    """Stand in for what wraps its first argument: a parameter, a set."""
    return data


def _nothing(*_: object) -> None:
    """Stand in for a value that is no container and no tensor: it names no parameter."""


def _ordered_dict(items: object = ()) -> Pairs:
    """Stand in for OrderedDict, which Python 2 pickled with a list of [key, value]."""
    if not isinstance(items, list) and items != ():
        raise TypeError("not the items of a dictionary")
    pairs = Pairs((key, value) for key, value in items)
    if isinstance(items, list):
        items.clear()  # moved, not copied: a file may pass the same list a million times
    return pairs


_STORAGE_TYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
_BUILDERS: dict[Callable[..., object], tuple[str, ...]] = {
    _tensor: ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"),
    _first: (
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch.Size",
        "collections.Counter",
        *("builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset"),
    ),
    _ordered_dict: ("collections.OrderedDict",),
    _nothing: (
        "torch.device",
        "_codecs.encode",  # bytes, as pickle protocol 2 writes them
        *("builtins.bytes", "__builtin__.bytes", "builtins.bytearray", "__builtin__.bytearray"),
        "numpy.core.multiarray.scalar",  # a loss that was kept beside the weights
        "numpy._core.multiarray.scalar",
        "numpy.dtype",
    ),
}
#: What the names in a file stand for. Nothing here is a function of anybody else's.
_ALLOWED: dict[str, object] = {
    **{name: Builder(build) for build, names in _BUILDERS.items() for name in names},
    **{f"torch.{name}": StorageType(dtype) for name, dtype in _STORAGE_TYPES.items()},
    **{f"torch.{dtype}": None for dtype in ITEM_SIZE},
}
