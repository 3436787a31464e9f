"""A million steps of one sequence and 64 units: seconds, memory, and how both grow with T.

Each length runs in a process of its own, since the peak of resident memory never falls. The
aims: under 15 s, under 100 MB above the imports, time linear in T.

    python benchmarks/long_sequence.py [LONGEST]
"""

import resource
import subprocess
import sys
import time


def peak_mb():
    """Peak of this process's resident memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def run(steps):
    """One length; the input and the result's norms, four arrays of T numbers, count too."""
    import numpy as np

    from bpttcli import Probe, backpropagate, cell_named, grad_norms, initialise, unroll
    from bpttcli.engine.losses import last_step, target_weights, unit_vectors

    rng = np.random.default_rng(0)
    network = initialise(cell_named("tanh"), rng, n_inputs=1, hidden=64, layers=1)
    probe = Probe(unit_vectors(rng, 1, 64), target_weights(last_step(steps, 1)))
    x = rng.normal(size=(steps, 1, 1))
    backpropagate(unroll(network, x[:10]), Probe(probe.vector, target_weights(last_step(10, 1))))
    before, began = peak_mb(), time.perf_counter()
    result = grad_norms(network, backpropagate(unroll(network, x), probe))
    seconds = time.perf_counter() - began
    print(seconds, peak_mb() - before, result.hidden_log10[0])


def measured(steps):
    """Seconds, MB and the decimal logarithm of the first norm, from a new process."""
    command = [sys.executable, __file__, "--one", str(steps)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(figure) for figure in done.stdout.split()]


if sys.argv[1:2] == ["--one"]:
    run(int(sys.argv[2]))
else:
    longest = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rows = []
    for steps in (longest // 100, longest // 10, longest):
        rows.append(measured(steps))
        seconds, megabytes, log10 = rows[-1]
        print(
            f"T = {steps:9,}  {seconds:6.2f} s  {megabytes:6.1f} MB above the imports  "
            f"first norm 1e{log10:.0f}"
        )
    print(f"ten times the steps: {rows[-1][0] / rows[-2][0]:.1f} times the time")
