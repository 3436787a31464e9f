"""What a file of parameters holds besides the tensors that every kind of file has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bpttcli.models.tensor import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Tensors under PyTorch's names, and what the file says of its layers.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        By dotted name, the last part one of PyTorch's.
    cells : mapping of str to str
        By recurrent module, the cell that it is, where the file says so.
    refused : mapping of str to str
        By recurrent module or layer, why it cannot be taken.
    notes : mapping of str to str
        By recurrent module or layer, what had to be assumed of it.
    """

    tensors: Mapping[str, Tensor]
    cells: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
