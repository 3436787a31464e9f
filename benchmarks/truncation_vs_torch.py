"""fixed(K) against the loop that people write in PyTorch: a chunk forward, backward, detach.

T = 1000, I = O = 8, cross-entropy at every step, float64. Needs torch (CPU) beside this package.
"""

import time

import numpy as np
import torch

from bpttcli import CrossEntropy, Network, cell_named, target_weights, unroll
from bpttcli.truncation.estimate import estimate
from bpttcli.truncation.fixed import Fixed

STEPS, RUNS = 1000, 5


def best(function):
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times) * 1e3


def compare(batch, hidden, length):
    torch.manual_seed(0)
    rnn = torch.nn.RNN(8, hidden).double()
    readout = torch.nn.Linear(hidden, 8).double()
    x = torch.randn(STEPS, batch, 8, dtype=torch.float64)
    y = torch.randint(0, 8, (STEPS, batch))

    def chunks():
        rnn.zero_grad()
        readout.zero_grad()
        h = torch.zeros(1, batch, hidden, dtype=torch.float64)
        for first in range(0, STEPS, length):
            part = slice(first, first + length)
            out, h = rnn(x[part], h.detach())
            o = readout(out).flatten(0, 1)
            loss = torch.nn.functional.cross_entropy(o, y[part].flatten(), reduction="sum")
            (loss / (STEPS * batch)).backward()

    parameters = {name: value.detach().numpy() for name, value in rnn.named_parameters()}
    parameters |= {f"readout.{n}": v.detach().numpy() for n, v in readout.named_parameters()}
    network = Network.from_parameters(cell_named("tanh"), parameters)
    targets = np.ones((STEPS, batch), dtype=bool)
    objective = CrossEntropy(y.numpy(), target_weights(targets))
    edges = Fixed(length).mean(targets.any(axis=1))

    def ours():
        return estimate(unroll(network, x.numpy()), objective, edges)

    chunks()
    theirs = rnn.weight_hh_l0.grad.numpy()
    found = ours().gradient["weight_hh_l0"].value
    assert np.allclose(found, theirs, rtol=1e-10, atol=1e-14)
    took = best(ours)
    print(
        f"N = {batch:3}  H = {hidden:3}  K = {length:3}  ours {took:6.1f} ms   "
        f"detach loop {best(chunks) / took:5.2f} x"
    )


for sizes in ((1, 64, 20), (1, 64, 100), (32, 64, 20), (32, 128, 100)):
    compare(*sizes)
