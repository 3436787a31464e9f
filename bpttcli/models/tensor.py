"""What a tensor of a file must be able to do, wherever its numbers lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Tensor(Protocol):
    """A tensor whose shape is known and whose numbers may still be in a file."""

    @property
    def dtype(self) -> str:
        """The name of its type, as NumPy has it, or bfloat16."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes."""
        ...

    @property
    def size(self) -> int:
        """Number of elements."""
        ...

    def read(self) -> NDArray[Any]:
        """Return the numbers, as float64 or int64."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HeldTensor:
    """A tensor that is in memory already.

    Parameters
    ----------
    values : array
        Of any type; integers and booleans stand for the real numbers that they are.
    """

    values: NDArray[Any]

    @property
    def dtype(self) -> str:
        """The name of its type; that of float64 where it will become one."""
        return "float64" if self.values.dtype.kind in "biu" else self.values.dtype.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes."""
        return self.values.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.values.size

    def read(self) -> NDArray[Any]:
        """Return the numbers, as float64."""
        with np.errstate(all="ignore"):  # what leaves the range of float64 is refused later
            return np.ascontiguousarray(self.values, dtype=np.float64).reshape(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class StackedTensor:
    """Tensors stacked on their first axis: gates in another order than that of the file.

    Parameters
    ----------
    parts : tuple of Tensor
        At least one, alike in type and in all axes but the first.
    """

    parts: tuple[Tensor, ...]

    @property
    def dtype(self) -> str:
        """The name of the parts' type."""
        return self.parts[0].dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes."""
        return (sum(part.shape[0] for part in self.parts), *self.parts[0].shape[1:])

    @property
    def size(self) -> int:
        """Number of elements."""
        return sum(part.size for part in self.parts)

    def read(self) -> NDArray[Any]:
        """Return the numbers, as float64 or int64."""
        return np.concatenate([part.read() for part in self.parts])
