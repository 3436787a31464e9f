"""Parameters in the groups that are reported."""

import numpy as np
import pytest

from bpttcli.diagnostics.parameter_groups import GROUPS, group_of, grouped
from bpttcli.engine.cells import CELLS, cell_named
from bpttcli.engine.network import Network
from tests.runs import random_parameters


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("weight_ih_l0", "A"), ("weight_ih_l11", "A"), ("weight_hh_l0", "B"),
        ("bias_ih_l0", "biases"), ("bias_hh_l3", "biases"),
        ("readout.weight", "C"), ("readout.bias", "biases"),
    ],
)  # fmt: skip
def test_a_name_says_where_a_parameter_belongs(name, group):
    assert group_of(name) == group


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_the_groups_share_every_parameter_out_and_all_has_them(cell):
    rng = np.random.default_rng(0)
    parameters = random_parameters(rng, len(cell_named(cell).gates), layers=2, outputs=2)
    names = list(Network.from_parameters(cell_named(cell), parameters).parameters)
    groups = grouped(names)
    assert groups["all"] == names
    shared = [name for group in GROUPS[1:] for name in groups[group]]
    assert sorted(shared) == sorted(names)


def test_a_group_without_parameters_is_not_there():
    assert list(grouped(["weight_ih_l0", "weight_hh_l0"])) == ["all", "A", "B"]


def test_each_parameter_by_itself_comes_last():
    groups = grouped(["weight_hh_l0", "weight_hh_l1"], each=True)
    assert list(groups) == ["all", "B", "weight_hh_l0", "weight_hh_l1"]
    assert groups["weight_hh_l1"] == ["weight_hh_l1"]
