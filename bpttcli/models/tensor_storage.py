"""A tensor that stays in its file until it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.engine.scaled import Array
from bpttcli.errors import InputError
from bpttcli.models.model_file import KEY, quoted, reading
from bpttcli.models.tensor import Tensor

# NumPy has no bfloat16: it is the upper half of a float32 and travels as 16 plain bits.
_CODES = {
    "float64": "<f8",
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "int64": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "|i1",
    "uint8": "|u1",
    "bool": "|u1",
    "complex64": "<c8",
    "complex128": "<c16",
}

#: Bytes of one number, by the name of its dtype.
ITEM_SIZE = {name: np.dtype(code).itemsize for name, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class LazyTensor:
    """Where a tensor lies in a file, and how.

    Parameters
    ----------
    path : Path
        The file.
    start : int
        Byte of the file at which the first element stands.
    dtype : str
        A name from `ITEM_SIZE`.
    shape : tuple of int
        Sizes, the file's own.
    strides : tuple of int
        Elements, not bytes, from one index to the next; never negative.
    """

    path: Path
    start: int
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def extent(self) -> int:
        """Bytes from the first element to the end of the last one."""
        if 0 in self.shape:
            return 0
        last = sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        return (1 + last) * ITEM_SIZE[self.dtype]

    def read(self) -> NDArray[Any]:
        """Read the numbers, and no more of the file than from the first to the last of them.

        Returns
        -------
        float64 or int64 array
            Of `shape`, contiguous; the values of the file exactly.

        Raises
        ------
        InputError
            Complex numbers, none at all, or a file that has become shorter.
        """
        if self.dtype.startswith("complex") or self.size == 0:
            kind = "an empty tensor" if self.size == 0 else f"{self.dtype} numbers"
            raise InputError(f"holds {kind} where real numbers are expected", key=KEY)
        with reading(self.path), self.path.open("rb") as file:
            file.seek(self.start)
            data = file.read(self.extent)
            if len(data) < self.extent:
                raise InputError("was cut off while it was read")
        # The stride of an axis of one is never used and may be any number.
        steps = [
            step * ITEM_SIZE[self.dtype] if n > 1 else 0
            for n, step in zip(self.shape, self.strides, strict=True)
        ]
        stored: NDArray[Any] = np.ndarray(self.shape, _CODES[self.dtype], data, 0, steps)
        if self.dtype == "bfloat16":
            stored = (stored.astype(np.uint32) << 16).view(np.float32)
        wide = np.float64 if "float" in self.dtype else np.int64
        with np.errstate(invalid="ignore"):  # a signalling NaN is for the caller to refuse
            return np.ascontiguousarray(stored, dtype=wide).reshape(self.shape)


def read_weights(name: str, tensor: Tensor) -> Array:
    """Read a tensor whose numbers are to be computed with.

    Parameters
    ----------
    name : str
        Its name in the file, for the message.
    tensor : Tensor

    Returns
    -------
    float64 array
        Of the tensor's shape.

    Raises
    ------
    InputError
        Numbers that are not floating-point or not finite.
    """
    if "float" not in tensor.dtype:
        raise InputError(
            f"holds {quoted(name)} as {tensor.dtype}, expected floating-point numbers", key=KEY
        )
    values: Array = tensor.read()
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise InputError(
            f"holds {values[index]} in {quoted(name)} at index {index}, expected finite numbers",
            key=KEY,
        )
    return values


def expect_shape(name: str, tensor: Tensor, shape: tuple[int | None, ...]) -> None:
    """Compare a tensor's shape with the one that other tensors ask for.

    Parameters
    ----------
    name : str
        Its name in the file, for the message.
    tensor : Tensor
    shape : tuple of int or None
        What it must be; None for any size but 0.

    Raises
    ------
    InputError
        Another shape.
    """
    fits = len(tensor.shape) == len(shape) and all(
        have > 0 and want in (None, have) for have, want in zip(tensor.shape, shape, strict=True)
    )
    if not fits:
        raise InputError(
            f"holds {quoted(name)} of shape {shown_shape(tensor.shape)}, "
            f"expected {shown_shape(shape)}",
            key=KEY,
        )


def shown_shape(shape: tuple[int | None, ...]) -> str:
    """Write a shape as NumPy does, None as any; of many axes the first four.

    Examples
    --------
    >>> shown_shape((8, None)), shown_shape((8,))
    ('(8, any)', '(8,)')
    """
    sizes = ["any" if n is None else str(n) for n in shape[:4]] + ["…"] * (len(shape) > 4)
    return f"({', '.join(sizes)}{',' if len(shape) == 1 else ''})"
