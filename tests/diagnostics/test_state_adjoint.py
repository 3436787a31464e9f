"""The adjoint of all states of all layers."""

import numpy as np
import pytest

from bpttcli.diagnostics.state_adjoint import state_adjoint
from bpttcli.engine.cells import CELLS
from bpttcli.engine.sweep import Sweep
from bpttcli.engine.unroll import unroll
from tests.runs import close, network, probe
from tests.truncation.cases import every, run


def swept(trajectory, objective):
    """The layers of one window."""
    (window,) = trajectory.windows()
    source = objective.source(
        trajectory.network, window.tapes[-1].states[0][1:], window.start, window.stop
    )
    return Sweep(trajectory.network, trajectory.batch).through(window, source.hidden[:, None])


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_it_is_the_length_of_all_of_them_in_one_vector(cell, layers):
    found = swept(*run(cell, layers=layers, mask=every()))
    parts = [state * 2.0 ** part.exponent[..., None] for part in found for state in part.adjoint]
    close(
        state_adjoint(found).value, np.linalg.norm(np.concatenate(parts, axis=-1), axis=-1), 1e-13
    )


def test_it_does_not_end_where_float64_does():
    steps = 900
    net, x = network("linear", 1.0, 10.0), np.zeros((steps, 1, 1))
    found = state_adjoint(swept(unroll(net, x), probe(net, x)))
    np.testing.assert_allclose(found.log10[::-1, 0, 0], np.arange(steps), atol=1e-9)
