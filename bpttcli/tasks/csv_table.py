"""One sequence from a csv file: a row is a step, a column an input or a target."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpttcli.tasks.files import InputFile

_TARGET = re.compile(r"(y|target)\d*", re.IGNORECASE)
_INTEGER = re.compile(r"\s*[-+]?[0-9]+\s*")
_INT64 = 2**63


def read_csv(text: str, file: InputFile) -> dict[str, NDArray[Any]]:
    """Read the columns of a csv file.

    If no cell of the first row is a number it is a header: columns named y, y1, y2, … or
    target, target1, … are targets, all others inputs. Without a header all are inputs.

    Parameters
    ----------
    text : str
        Cells between commas; empty lines do not count.
    file : InputFile
        Where it came from.

    Returns
    -------
    dict of str to array
        ``x`` (T, I) and, if there are targets, ``y`` (T, O), or (T,) if there is one. Each
        int64 if all its numbers are written as integers, else float64.

    Raises
    ------
    InputError
        No rows, rows of several lengths, no inputs, columns without a name or with the same
        one, or a cell that is not a finite number; the message has line and column.
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                lines.append(reader.line_num)
                rows.append(row)
    except csv.Error as error:
        raise file.error(f"line {reader.line_num} is not csv: {error}") from None
    names = None
    if rows and all(_number(cell) is None for cell in rows[0]):
        names = _names(rows.pop(0), lines.pop(0), file)
    if not rows:
        raise file.error("has no row of numbers")
    width = len(names or rows[0])
    for line, row in zip(lines, rows, strict=True):
        if len(row) != width:
            raise file.error(f"line {line} must have {width} columns, got {len(row)}")
    table = [
        [_require(cell, line, column, file) for column, cell in enumerate(row, start=1)]
        for line, row in zip(lines, rows, strict=True)
    ]
    targets = [i for i, name in enumerate(names or []) if _TARGET.fullmatch(name)]
    inputs = [i for i in range(width) if i not in targets]
    if not inputs:
        raise file.error("has only targets: a column must have another name to be an input")
    arrays = {"x": _columns(table, inputs)}
    if targets:
        y = _columns(table, targets)
        arrays["y"] = y[:, 0] if len(targets) == 1 else y
    return arrays


def _names(row: list[str], line: int, file: InputFile) -> list[str]:
    """Read the header."""
    names = [cell.strip() for cell in row]
    if "" in names:
        raise file.error(f"line {line}, column {names.index('') + 1} must be a name, got nothing")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise file.error(f"line {line} must name each column once, got {name!r} {times} times")
    return names


def _number(cell: str) -> int | float | None:
    """Read a number as csv writers write it; None if it is none."""
    if "_" in cell:  # Python's own notation
        return None
    try:
        number = float(cell)
        return int(cell) if _INTEGER.fullmatch(cell) and abs(number) < _INT64 else number
    except ValueError:
        return None


def _require(cell: str, line: int, column: int, file: InputFile) -> int | float:
    """Read a cell that must be a finite number."""
    number = _number(cell)
    if number is None or not math.isfinite(number):
        got = repr(cell[:40]) if cell.strip() else "nothing"
        hint = " (columns stand between commas)" if re.search("[;\t]", cell) else ""
        message = f"line {line}, column {column} must be a finite number, got {got}{hint}"
        raise file.error(message)
    return number


def _columns(table: list[list[int | float]], which: list[int]) -> NDArray[Any]:
    """Take some columns as one array."""
    values = [[row[i] for i in which] for row in table]
    integers = all(isinstance(value, int) for row in values for value in row)
    return np.array(values, dtype=np.int64 if integers else np.float64)
