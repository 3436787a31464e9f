"""Lyapunov spectrum of 64 tanh units over 10,000 steps: this tool, NumPy's QR, PyTorch's QR.

All three follow the same trajectory from the same first directions and are run in turn; what
counts is the ratio within one run. The loops are what people write: a Jacobian, a product and
a QR at every step. PyTorch is optional.

    python benchmarks/lyapunov.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from bpttcli.diagnostics.lyapunov import lyapunov_spectrum
from bpttcli.engine.cells import cell_named
from bpttcli.engine.network import Network
from bpttcli.engine.scaled import Array
from bpttcli.engine.unroll import Trajectory, unroll

UNITS, STEPS, TRANSIENT, ROUNDS = 64, 10_000, 2_500, 3


def trajectory(gain: float = 1.5) -> Trajectory:
    """A random tanh network left alone."""
    rng = np.random.default_rng(0)
    B = gain * rng.normal(size=(UNITS, UNITS)) / np.sqrt(UNITS)
    parameters = {"weight_ih_l0": np.zeros((UNITS, 1)), "weight_hh_l0": B}
    network = Network.from_parameters(cell_named("tanh"), parameters)
    return unroll(network, np.zeros((STEPS, 1, 1)), ((rng.normal(size=(1, UNITS)),),))


def slopes_and_directions(run: Trajectory) -> tuple[Array, Array]:
    """φ′ of every step, and the directions that `lyapunov_spectrum` draws."""
    slopes = [window.tapes[0].slopes[0][:, 0] for window in run.windows(backward=False)]
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((UNITS, UNITS)))[0]
    return np.concatenate(slopes), Q


def this_tool(run: Trajectory) -> Array:
    return lyapunov_spectrum(run, np.random.default_rng(1), transient=TRANSIENT).exponents


def numpy_loop(run: Trajectory) -> Array:
    slopes, Q = slopes_and_directions(run)
    B, total = run.network.layers[0].B, np.zeros(UNITS)
    for t, slope in enumerate(slopes):
        Q, R = np.linalg.qr((slope[:, None] * B) @ Q)
        if t >= TRANSIENT:
            total += np.log(np.abs(np.diag(R)))
    return np.sort(total / (STEPS - TRANSIENT))[::-1]


def torch_loop(run: Trajectory) -> Array:
    import torch

    slopes, Q = (torch.from_numpy(array) for array in slopes_and_directions(run))
    B, total = torch.from_numpy(run.network.layers[0].B.copy()), torch.zeros(UNITS).double()
    for t, slope in enumerate(slopes):
        Q, R = torch.linalg.qr((slope[:, None] * B) @ Q)
        if t >= TRANSIENT:
            total += R.diagonal().abs().log()
    return np.sort((total / (STEPS - TRANSIENT)).numpy())[::-1]


def main() -> None:
    ways: dict[str, Callable[[Trajectory], Array]] = {"this tool": this_tool, "NumPy": numpy_loop}
    try:
        import torch  # noqa: F401
    except ImportError:
        print("PyTorch is not installed: left out")
    else:
        ways["PyTorch"] = torch_loop
    run = trajectory()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            found[name] = way(run)
            seconds[name].append(time.perf_counter() - began)
    ours = min(seconds["this tool"])
    for name, taken in seconds.items():
        apart = np.abs(found[name] - found["this tool"]).max()
        print(
            f"{name:>9}: {min(taken):6.2f} s, {min(taken) / ours:4.1f} times this tool's, "
            f"exponents within {apart:.0e}"
        )


if __name__ == "__main__":
    main()
