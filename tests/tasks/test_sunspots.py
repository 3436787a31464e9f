"""The yearly sunspot numbers."""

import csv

import numpy as np
import pytest

from bpttcli.errors import InputError
from bpttcli.tasks import sunspots
from bpttcli.tasks.sunspots import Sunspots


def rows():
    with open(sunspots._FILE, encoding="utf-8", newline="") as file:
        return [(int(row["year"]), float(row["sunspots"])) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("year", "number"), [(1700, 5), (1778, 154.4), (1957, 190.2), (2008, 2.9)])
def test_the_series_holds_the_numbers_of_the_years_1700_to_2008(year, number):
    assert [row[0] for row in rows()] == list(range(1700, 2009))
    assert dict(rows())[year] == number


def test_the_whole_series_is_standardised():
    sequences = Sunspots(steps=308).sequences(np.random.default_rng(0))
    series = np.append(sequences.x[:, 0, 0], sequences.y[-1, 0, 0])
    assert abs(series.mean()) < 1e-14
    assert abs(series.std() - 1) < 1e-14
    numbers = np.array([number for _, number in rows()])
    np.testing.assert_allclose(np.corrcoef(series, numbers)[0, 1], 1.0, rtol=1e-14)


def test_answering_the_same_number_again_costs_the_baseline():
    sequences = Sunspots(steps=30, batch=7).sequences(np.random.default_rng(0))
    np.testing.assert_array_equal(sequences.y[:-1], sequences.x[1:])
    cost = np.mean(
        [
            np.mean(np.diff(np.append(x[:1], y)) ** 2)
            for x, y in zip(sequences.x[..., 0].T, sequences.y[..., 0].T, strict=True)
        ]
    )
    np.testing.assert_allclose(sequences.baseline, cost, rtol=1e-14)


def test_a_window_is_no_longer_than_the_series():
    with pytest.raises(InputError, match=r"at most 308 .*309 years.*, got 309") as error:
        Sunspots(steps=309).sequences(np.random.default_rng(0))
    assert error.value.key == "task.steps"
