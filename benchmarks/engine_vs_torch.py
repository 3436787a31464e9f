"""Engine against PyTorch: T = 1000, I = O = 8, cross-entropy at every step, float64.

``bptt`` computes all norms of every step; ``nn.RNN`` only the gradients; the cell loop with
``retain_grad`` is what people write to see adjoints. Needs torch (CPU) beside this package.

Without an argument both run with the threads that they take by themselves; with ``cpu`` in one
thread each, by processor time, which a busy machine does not change.
"""

import sys
import time

CPU = sys.argv[1:] == ["cpu"]
if CPU:
    from bpttcli.cli.threads import use_one_thread

    use_one_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402

from bpttcli import (  # noqa: E402
    CrossEntropy,
    Network,
    backpropagate,
    cell_named,
    target_weights,
    unroll,
)

STEPS, RUNS = 1000, 5
CLOCK = time.process_time if CPU else time.perf_counter
if CPU:
    torch.set_num_threads(1)


def best(function):
    times = []
    for _ in range(RUNS):
        began = CLOCK()
        function()
        times.append(CLOCK() - began)
    return min(times) * 1e3


def compare(batch, hidden):
    torch.manual_seed(0)
    rnn = torch.nn.RNN(8, hidden).double()
    readout = torch.nn.Linear(hidden, 8).double()
    x = torch.randn(STEPS, batch, 8, dtype=torch.float64)
    y = torch.randint(0, 8, (STEPS, batch))

    def fused():
        h, _ = rnn(x)
        torch.nn.functional.cross_entropy(readout(h).flatten(0, 1), y.flatten()).backward()

    def loop():
        A, B, b, c = rnn.all_weights[0]
        h, kept = torch.zeros(batch, hidden, dtype=torch.float64), []
        for x_t in x:
            h = torch.tanh(x_t @ A.T + b + h @ B.T + c)
            h.retain_grad()
            kept.append(h)
        o = readout(torch.stack(kept))
        torch.nn.functional.cross_entropy(o.flatten(0, 1), y.flatten()).backward()

    parameters = {name: value.detach().numpy() for name, value in rnn.named_parameters()}
    parameters |= {f"readout.{n}": v.detach().numpy() for n, v in readout.named_parameters()}
    network = Network.from_parameters(cell_named("tanh"), parameters)
    objective = CrossEntropy(y.numpy(), target_weights(np.ones((STEPS, batch), dtype=bool)))
    ours = best(lambda: backpropagate(unroll(network, x.numpy()), objective))
    theirs, theirs_loop = best(fused), best(loop)
    print(
        f"N = {batch:3}  H = {hidden:3}  ours {ours:6.1f} ms   nn.RNN {theirs / ours:5.2f} x   "
        f"retain_grad loop {theirs_loop / ours:5.2f} x"
    )


for sizes in ((1, 64), (8, 64), (32, 64), (32, 128), (32, 256)):
    compare(*sizes)
