"""Files of safetensors; the library checks the header, the numbers stay in the file."""

from __future__ import annotations

from pathlib import Path

from bpttcli.errors import InputError
from bpttcli.models.model_file import quoted, reading
from bpttcli.models.tensor_storage import LazyTensor

_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}


def read_safetensors(path: str | Path) -> dict[str, LazyTensor]:
    """Read the names, shapes and places of the tensors of a safetensors file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to LazyTensor
        In the order in which they lie in the file.

    Raises
    ------
    InputError
        The library is not installed or too old; a file that is empty, cut off, damaged or not
        of this format; a dtype that is not read.
    """
    path = Path(path)
    with reading(path):
        try:
            from safetensors import SafetensorError, safe_open

            if not hasattr(safe_open, "offset_keys"):
                raise ImportError("older than 0.6")
        except ImportError as error:
            raise InputError(
                "needs the safetensors library, 0.6 or newer: pip install 'bptt[safetensors]'"
            ) from error
        size = path.stat().st_size
        if size == 0:
            raise InputError("is empty")
        try:
            with safe_open(path, framework="numpy") as file:
                headers = {name: file.get_slice(name) for name in file.offset_keys()}
                kinds = {name: header.get_dtype() for name, header in headers.items()}
                shapes = {name: tuple(header.get_shape()) for name, header in headers.items()}
        except SafetensorError as error:
            raise InputError(
                f"is no safetensors file, or cut off or damaged ({quoted(str(error))})"
            ) from error
        unread = [name for name, kind in kinds.items() if kind not in _DTYPES]
        if unread:
            raise InputError(f"holds {quoted(unread[0])} as {kinds[unread[0]]}, which is not read")
        return _locate(path, size, {name: _DTYPES[kind] for name, kind in kinds.items()}, shapes)


def _locate(
    path: Path, end: int, dtypes: dict[str, str], shapes: dict[str, tuple[int, ...]]
) -> dict[str, LazyTensor]:
    """Find the first byte of each tensor.

    The library has checked that they fill the end of the file in this order, without a gap.
    NumPy has no bfloat16 for it to return, and so the bytes are ours to read.
    """
    tensors = {}
    for name, shape in reversed(shapes.items()):
        strides = [1] * len(shape)
        for axis in reversed(range(len(shape) - 1)):
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        tensor = LazyTensor(path, end, dtypes[name], shape, tuple(strides))
        end -= tensor.extent
        tensors[name] = LazyTensor(path, end, dtypes[name], shape, tuple(strides))
    return {name: tensors[name] for name in shapes if name.isprintable()}
