"""What estimators cost beside one exact gradient, forward pass included: T = 1000, H = 64, N = 1.

An exact sweep is the forward pass and the gradient that training takes; ratios of medians.
"""

import statistics
import time

import numpy as np

from bpttcli import CrossEntropy, cell_named, initialise, target_weights, unroll
from bpttcli.diagnostics.comparing import Comparing
from bpttcli.truncation.draws import draw_gradients
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed
from bpttcli.truncation.randomized import Randomized, Unreweighted
from bpttcli.truncation.sliding import Sliding

STEPS, HIDDEN, WIDTH, RUNS = 1000, 64, 8, 9
EIGHT = [
    *(kind(length) for length in (10, 100) for kind in (Fixed, Sliding)),
    *(kind(p) for p in (0.5, 0.1) for kind in (Randomized, Unreweighted)),
]


def seeds(count):
    return np.random.SeedSequence(0).spawn(count)


def median(function, runs=RUNS):
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def eight(trajectory, objective):
    comparing = Comparing(trajectory, objective, seeds=seeds)
    for each in EIGHT:
        comparing.quality(each)


def main():
    rng = np.random.default_rng(0)
    network = initialise(cell_named("tanh"), rng, n_inputs=WIDTH, hidden=HIDDEN, n_outputs=WIDTH)
    x = rng.standard_normal((STEPS, 1, WIDTH))
    y = rng.integers(0, WIDTH, (STEPS, 1))
    everywhere = np.ones((STEPS, 1), dtype=bool)
    last = np.arange(STEPS)[:, None] == STEPS - 1
    for name, mask in (("every step", everywhere), ("last step", last)):
        objective = CrossEntropy(y, target_weights(mask))
        trajectory = unroll(network, x)
        targets = mask.any(axis=1)
        exact = median(lambda o=objective: estimate(unroll(network, x), o))
        print(f"loss at {name}: exact {exact * 1e3:.1f} ms")

        def draw(o=objective, t=trajectory):
            for _ in draw_gradients(t, o, Randomized(0.1), seeds(500)):
                pass

        print(f"  500 draws            {median(draw, 3) / exact:6.1f} exact sweeps")
        for length in (20, 100):
            edges = Sliding(length).mean(targets)
            took = median(lambda o=objective, e=edges: estimate(unroll(network, x), o, e))
            print(f"  sliding({length})".ljust(23) + f"{took / exact:6.1f} exact sweeps")
        if name == "last step":
            took = median(lambda o=objective, t=trajectory: eight(t, o))
            print(f"  eight estimators     {took / exact:6.1f} exact sweeps, no draws")


main()
