"""Parameters from an npz file, under PyTorch's names."""

from __future__ import annotations

import re
from pathlib import Path

from bpttcli.errors import InputError, nearest
from bpttcli.models.model_file import KEY, quoted
from bpttcli.models.tensor import HeldTensor, Tensor
from bpttcli.tasks.arrays import is_saved_by_numpy, read_arrays
from bpttcli.tasks.files import InputFile

_READOUT = ("readout.weight", "readout.bias")
_OWN = re.compile(r"(weight|bias)_(ih|hh|hr)(_l\d+)?(_reverse)?|readout\.(weight|bias)")
_KNOWN = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", *_READOUT]


def read_npz(path: str | Path) -> dict[str, Tensor]:
    """Read the arrays of an npz file.

    Where other modules stand beside the network, as in a whole state_dict, they are passed by.
    A file of nothing but the names that a network and its readout have here is a network
    written by hand or by this tool, and a name that has no place in it is a slip.

    Parameters
    ----------
    path : str or Path
        An npz file; each array is one parameter.

    Returns
    -------
    dict of str to Tensor
        By dotted name.

    Raises
    ------
    InputError
        No such file, not an npz file, Python objects, or a name that has no place.
    """
    file = InputFile(str(path), KEY)
    content = file.read()
    if not is_saved_by_numpy(content, file) or content.startswith(b"\x93"):
        raise file.error("must be an npz file of parameters under PyTorch's names")
    arrays = read_arrays(content, file)
    if all("." not in name or name in _READOUT for name in arrays):
        _check_names(list(arrays), file)
    return {name: HeldTensor(array) for name, array in arrays.items() if name.isprintable()}


def _check_names(names: list[str], file: InputFile) -> None:
    """Refuse a name that is no parameter of a network that stands alone."""
    for name in names:
        if not _OWN.fullmatch(name):
            raise file.error(f"has no place for {quoted(name)}: {nearest(name, _KNOWN)}")
    if "readout.bias" in names and "readout.weight" not in names:
        raise InputError("has readout.bias without readout.weight", key=KEY)
