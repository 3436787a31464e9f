"""A bare matrix from a file."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bpttcli.tasks.arrays import is_saved_by_numpy, read_arrays
from bpttcli.tasks.csv_table import read_csv
from bpttcli.tasks.files import InputFile


def read_matrix(path: str) -> NDArray[Any]:
    """Read the array of an npy file or the table of a csv file.

    Parameters
    ----------
    path : str
        An npz file will do if it holds a single array.

    Returns
    -------
    array
        Of any type but Python objects, and any shape.

    Raises
    ------
    InputError
        With the key ``matrix``: the file cannot be read, or holds something else.
    """
    file = InputFile(path, "matrix")
    content = file.read()
    if not is_saved_by_numpy(content, file):
        columns = read_csv(file.decode(content), file)
        if "y" in columns:
            raise file.error("must be the matrix alone, got columns that are named as targets")
        return columns["x"]
    arrays = read_arrays(content, file, sole="matrix")
    if len(arrays) != 1:
        names = ", ".join(arrays) or "none"
        raise file.error(f"must hold a single array, got {names}")
    return next(iter(arrays.values()))
