"""One sequence from a csv file."""

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks.csv_table import read_csv
from bpttcli.tasks.files import InputFile

FILE = InputFile("f.csv", "task.file")


def test_without_a_header_all_columns_are_inputs():
    arrays = read_csv("1,2.5\n3,-4e-1\n", FILE)
    assert list(arrays) == ["x"]
    np.testing.assert_array_equal(arrays["x"], [[1, 2.5], [3, -0.4]])


@pytest.mark.parametrize(
    ("header", "inputs", "targets"),
    [
        ("a,b,c", [0, 1, 2], []),
        ("x1,x2,y", [0, 1], [2]),
        ("y1,x,y2", [1], [0, 2]),
        ("time,target,Y", [0], [1, 2]),
        ("year,yield,target3", [0, 1], [2]),
        (' "a" , b,y', [0, 1], [2]),
    ],
)
def test_columns_named_y_or_target_are_targets(header, inputs, targets):
    arrays = read_csv(f"{header}\n0,1,2\n3,4,5", FILE)
    table = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(arrays["x"], table[:, inputs])
    if targets:
        np.testing.assert_array_equal(arrays["y"].reshape(2, -1), table[:, targets])
        assert arrays["y"].ndim == (1 if len(targets) == 1 else 2)
    else:
        assert "y" not in arrays


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [("1,2", np.int64), ("+1, -2 ", np.int64), ("1,2.0", np.float64), ("1e3,2", np.float64)],
)
def test_numbers_are_integers_if_all_are_written_so(cells, dtype):
    assert read_csv(cells, FILE)["x"].dtype == dtype


def test_integers_beyond_64_bits_are_real():
    np.testing.assert_array_equal(read_csv("9223372036854775808,1", FILE)["x"], [[2.0**63, 1]])


@pytest.mark.parametrize(
    "text", ["a,b\n\n1,2\n , \n3,4\n\n", '"a","b"\n"1","2"\n3,4', "a,b\n1,2\n3,4"]
)
def test_empty_lines_and_quotes_do_not_count(text):
    np.testing.assert_array_equal(read_csv(text, FILE)["x"], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,2\n3,abc", "line 2, column 2 must be a finite number, got 'abc'"),
        ("a,b\n1,2\n\nx,4", "line 4, column 1 must be a finite number, got 'x'"),
        ("1,abc\n3,4", "line 1, column 2 must be a finite number, got 'abc'"),
        ("a,b\n1,\n", "line 2, column 2 must be a finite number, got nothing"),
        ("a\nnan", "line 2, column 1 must be a finite number, got 'nan'"),
        ("1\n-inf", "line 2, column 1 must be a finite number, got '-inf'"),
        ("1\n1e999", "line 2, column 1 must be a finite number, got '1e999'"),
        ("1\n" + "9" * 400, "line 2, column 1 must be a finite number, got '9"),
        ("1\n1_000", "line 2, column 1 must be a finite number, got '1_000'"),
        ("1\n0x10", "line 2, column 1 must be a finite number, got '0x10'"),
        ("1\n\x1b[1m", r"line 2, column 1 must be a finite number, got '\\x1b\[1m'"),
        ("a;b\n1;2", "got '1;2'.*columns stand between commas"),
        ("a\tb\n1\t2", r"got '1\\t2'.*columns stand between commas"),
        ("1,2\n3", "line 2 must have 2 columns, got 1"),
        ("a,b\n1,2,3", "line 2 must have 2 columns, got 3"),
        ("a,b", "has no row of numbers"),
        ("\n\n", "has no row of numbers"),
        ("y,target\n1,2", "has only targets"),
        ("a,,b\n1,2,3", "line 1, column 2 must be a name, got nothing"),
        ("a,b,a\n1,2,3", "line 1 must name each column once, got 'a' 2 times"),
        ("1," + "9" * 200_000, "line 1 is not csv"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused_with_its_place(text, reason):
    with pytest.raises(InputError, match=f"^'f.csv' .*{reason}") as error:
        read_csv(text, FILE)
    assert error.value.key == "task.file"
