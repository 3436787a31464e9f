"""What lies beyond each lag, with the loss at one step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpttcli.diagnostics.lag_tails import LagTails
from bpttcli.engine.cells import CELLS
from bpttcli.engine.unroll import unroll
from bpttcli.errors import InputError
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.sliding import Sliding
from tests.runs import close, mask_of, network, probe
from tests.truncation.cases import every, run, targets


@given(
    st.sampled_from(sorted(CELLS)), st.integers(1, 3), st.integers(1, 2), st.integers(1, 40),
    st.integers(0, 99),
)  # fmt: skip
@settings(deadline=None, max_examples=50)
def test_they_are_what_windows_of_every_length_leave_out(cell, batch, layers, at, seed):
    steps = 40
    mask = mask_of(steps, *[[at]] * batch)
    trajectory, objective = run(cell, seed=seed, steps=steps, batch=batch, layers=layers, mask=mask)
    exact = estimate(trajectory, objective).gradient
    tails = LagTails(trajectory, objective)
    assert tails.lags == at
    for name in ("weight_hh_l0", f"weight_ih_l{layers - 1}", "bias_hh_l0"):
        found, along = tails.of(name), tails.along(name, exact[name])
        size = found.norm.value[0]
        for lag in sorted({0, 1, 2, at // 2, at - 1} & set(range(at))):
            kept = 0.0
            if lag:
                edges = Sliding(lag).mean(targets(objective))
                kept = estimate(trajectory, objective, edges).gradient[name].value
            rest = exact[name].value - kept
            # A difference of two gradients is good to their last digits, a tail to its own.
            noise = 1e-13 * max(size, np.abs(exact[name].value).max())
            assert abs(found.norm.value[lag] - np.linalg.norm(rest)) <= noise
            inner = (rest * exact[name].value).sum()
            assert abs(along.value[lag] - inner) <= noise * np.abs(exact[name].value).sum()
        total = np.linalg.norm(exact[name].value)
        assert found.norm.value[0] == pytest.approx(total, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("b", [0.9, 0.1, -0.5, 1.5])
def test_a_scalar_far_beyond_the_range(b, batch):
    """x ≡ 1, ℓ = h_T: w_k of ∂ℓ/∂a is b^k, so R_j = (b^j − b^T)/(1 − b)."""
    steps = 700
    net = network("linear", 1.0, b)
    x = np.ones((steps, batch, 1))
    tail = LagTails(unroll(net, x), probe(net, x)).of("weight_ih_l0")
    lag = np.arange(steps)
    np.testing.assert_allclose(tail.term.log10, lag * np.log10(abs(b)), rtol=0, atol=1e-11)
    reach = np.log10(np.abs((1 - b ** (steps - lag).astype(float)) / (1 - b)))
    np.testing.assert_allclose(tail.norm.log10, lag * np.log10(abs(b)) + reach, rtol=0, atol=1e-11)


def test_terms_that_cancel_keep_their_digits():
    """x alternates and b = 1: the tails of ∂ℓ/∂a are 1, 0, 1, 0, … times 1e8, plus 1."""
    steps = 200
    net = network("linear", 1.0, 1.0)
    x = 1e8 * (-1.0) ** np.arange(steps)[:, None, None]
    x[0] = 1.0
    tail = LagTails(unroll(net, x), probe(net, x)).of("weight_ih_l0")
    wanted = np.abs(np.cumsum(x[:, 0, 0]))[::-1]
    np.testing.assert_allclose(tail.norm.value, wanted, rtol=1e-12)


def test_it_takes_a_loss_at_one_step():
    trajectory, objective = run(mask=every())
    with pytest.raises(InputError, match="must stand at one step"):
        LagTails(trajectory, objective)


def test_symbols_are_inputs_like_others():
    net = network("tanh", np.array([[0.3, -0.7]]), 0.5)
    symbols = np.array([[0], [1], [1], [0], [1]])
    spelt = np.eye(2)[symbols]
    found = LagTails(unroll(net, symbols), probe(net, spelt)).of("weight_ih_l0")
    wanted = LagTails(unroll(net, spelt), probe(net, spelt)).of("weight_ih_l0")
    close(found.norm.value, wanted.norm.value, rtol=1e-14)
