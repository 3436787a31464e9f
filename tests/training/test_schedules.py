"""Learning rates against PyTorch's schedulers, and where a warm-up joins them."""

import json
from pathlib import Path

import pytest

from bpttcli.errors import InputError
from bpttcli.training.schedules import SCHEDULES, Schedule

STORED = json.loads((Path(__file__).parent / "files" / "optimisers.json").read_text())["schedules"]


@pytest.mark.parametrize("case", STORED.values(), ids=STORED)
def test_rates_are_those_of_pytorch(case):
    schedule = Schedule(0.3, **case["options"])
    found = [schedule.rate(n) for n in range(1, len(case["rates"]) + 1)]
    assert found == pytest.approx(case["rates"], rel=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_warm_up_ends_at_the_rate_from_which_the_rest_starts(name):
    options = {"every": 2, "factor": 0.5, "length": 9}
    plain = Schedule(0.3, name, **options)
    warmed = Schedule(0.3, name, warmup=4, **options)
    assert [warmed.rate(n) for n in range(1, 5)] == pytest.approx([0.075, 0.15, 0.225, 0.3])
    assert [warmed.rate(n + 4) for n in range(1, 15)] == [plain.rate(n) for n in range(1, 15)]


def test_a_cosine_stays_at_its_floor():
    schedule = Schedule(0.3, "cosine", length=5, floor=0.1)
    assert {schedule.rate(n) for n in (6, 7, 1000)} == {0.1}


def test_a_misspelt_schedule_gets_the_nearest():
    with pytest.raises(InputError, match="mean 'cosine'"):
        Schedule(0.1, "cosin")
