"""Updates per second against the same training loop in PyTorch, and memory over many updates.

The adding problem, T = 100, tanh, Adam, norm clip 1, fresh sequences for every update; PyTorch
in float64, as here, and in its own default, float32. Needs torch (CPU) beside this package.

Without an argument both run with the threads that they take by themselves (``bptt train`` takes
one); with ``cpu`` in one thread each, by processor time, which a busy machine does not change;
with ``memory`` the resident size over 10,000 updates is shown.
"""

import resource
import sys
import time

from bpttcli.cli.threads import use_one_thread

use_one_thread()

import numpy as np  # noqa: E402

from bpttcli.experiment.build import build  # noqa: E402
from bpttcli.experiment.load import load  # noqa: E402
from bpttcli.experiment.settings import Option  # noqa: E402
from bpttcli.experiment.training import build_run  # noqa: E402

STEPS, SECONDS, TURNS = 100, 1.0, 5


def problem(batch, hidden):
    keys = {"task.steps": STEPS, "task.batch": batch, "model.hidden": hidden, "clip.norm": 1.0}
    return build(load(options=[Option("", key, value) for key, value in keys.items()]).experiment)


def ours(made):
    updates, done = build_run(made).updates, 0

    def update():
        nonlocal done
        done += 1
        updates.carry_out(done)

    return update


def theirs(made, dtype):
    import torch

    network, task = made.network, made.experiment.task
    batch, hidden = made.sequences.batch, network.layers[0].hidden
    rnn = torch.nn.RNN(2, hidden).to(dtype)
    readout = torch.nn.Linear(hidden, 1).to(dtype)
    with torch.no_grad():
        for name, value in network.parameters.items():
            module, key = (readout, name[8:]) if name.startswith("readout") else (rnn, name)
            getattr(module, key).copy_(torch.from_numpy(value))
    parameters = [*rnn.parameters(), *readout.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=1e-3)
    rng = np.random.default_rng(0)
    h0 = torch.zeros(1, batch, hidden, dtype=dtype)

    def update():
        drawn = task.sequences(rng)
        x, y = (torch.tensor(array, dtype=dtype) for array in (drawn.x, drawn.y))
        h, _ = rnn(x, h0)
        loss = torch.nn.functional.mse_loss(readout(h[-1]), y[0])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        loss.item()

    return update


def rates(clock, *functions):
    """Updates per second of each, the best of a few turns taken in alternation."""
    best = [0.0] * len(functions)
    for function in functions:
        function()
    for _ in range(TURNS):
        for i, function in enumerate(functions):
            began, done = clock(), 0
            while (spent := clock() - began) < SECONDS / TURNS * 2:
                function()
                done += 1
            best[i] = max(best[i], done / spent)
    return best


def compare(batch, hidden, clock):
    import torch

    if clock is time.process_time:
        torch.set_num_threads(1)
    made = problem(batch, hidden)
    ours_, double, single = rates(
        clock, ours(made), theirs(made, torch.float64), theirs(made, torch.float32)
    )
    print(
        f"N = {batch:2}  H = {hidden:3}  ours {ours_:6.0f} updates/s   "
        f"PyTorch float64 {double:5.0f} ({ours_ / double:4.1f} x)   "
        f"float32 {single:5.0f} ({ours_ / single:4.1f} x)"
    )


def memory():
    update = ours(problem(8, 32))
    for done in range(10_001):
        update()
        if done % 2000 == 0:
            print(f"{done:6} updates  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} KiB")


if sys.argv[1:] == ["memory"]:
    memory()
else:
    for sizes in ((1, 64), (1, 128), (32, 64), (32, 128)):
        compare(*sizes, time.process_time if sys.argv[1:] == ["cpu"] else time.perf_counter)
