"""What is watched is what grad-norms says of the same sequences."""

import pytest

from bpttcli.diagnostics.gradient_norms import grad_norms
from bpttcli.engine.backpropagate import backpropagate
from bpttcli.engine.unroll import unroll
from bpttcli.training.watch import figures
from tests.training.runs import listened, problem_of, run_of


def measured(problem, network):
    trajectory = unroll(network, problem.sequences.x, problem.start)
    return grad_norms(network, backpropagate(trajectory, problem.objective))


@pytest.mark.parametrize("keys", [{}, {"model__cell": "lstm", "model__layers": 2}], ids=str)
def test_a_row_holds_the_figures_of_the_network_as_it_is_then(keys):
    run = run_of(**keys, train__updates=4)
    rows = listened(run).rows
    problem = problem_of(**keys)
    for row, network in (
        (rows[0], problem.network),
        (rows[-1], run.updates.parameters.network),
    ):
        for name, value in figures(measured(problem, network)).items():
            assert row[name] == pytest.approx(value, rel=1e-14)


def test_of_gates_and_layers_the_largest_radius_counts():
    problem = problem_of(model__cell="gru", model__layers=2)
    found = measured(problem, problem.network)
    each = [value for layer in found.spectral_radius for value in layer.values()]
    assert len(each) == 6
    assert figures(found)["spectral_radius"] == max(each)
