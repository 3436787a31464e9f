"""LSTM and GRU against PyTorch: T = 1000, H = 64, cross-entropy at every step, float64.

``bptt`` computes every adjoint, its norm, and what the gates and the own path do at every step;
``nn.LSTM`` and ``nn.GRU`` only the gradients of the parameters; the cell loop with
``retain_grad`` is what people write to see adjoints. Needs torch (CPU) beside this package.
"""

import time

import numpy as np
import torch

from bpttcli import CrossEntropy, Network, backpropagate, cell_named, target_weights, unroll

STEPS, HIDDEN, WIDTH, RUNS = 1000, 64, 8, 5
FUSED = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
LOOPED = {"lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}


def best(*functions):
    """Milliseconds of each, the least of a few turns taken in alternation."""
    times = [[] for _ in functions]
    for _ in range(RUNS):
        for function, taken in zip(functions, times, strict=True):
            began = time.perf_counter()
            function()
            taken.append(time.perf_counter() - began)
    return [1e3 * min(taken) for taken in times]


def compare(name, batch):
    torch.manual_seed(0)
    fused = FUSED[name](WIDTH, HIDDEN).double()
    looped = LOOPED[name](WIDTH, HIDDEN).double()
    readout = torch.nn.Linear(HIDDEN, WIDTH).double()
    x = torch.randn(STEPS, batch, WIDTH, dtype=torch.float64)
    y = torch.randint(0, WIDTH, (STEPS, batch))

    def backward(h):
        torch.nn.functional.cross_entropy(readout(h).flatten(0, 1), y.flatten()).backward()

    def loop():
        zeros = torch.zeros(batch, HIDDEN, dtype=torch.float64)
        state = (zeros, zeros) if name == "lstm" else (zeros,)
        kept = []
        for x_t in x:
            given = state if name == "lstm" else state[0]
            after = looped(x_t, given)
            state = after if name == "lstm" else (after,)
            for part in state:
                part.retain_grad()
            kept.append(state[0])
        backward(torch.stack(kept))

    parameters = {n: v.detach().numpy() for n, v in fused.named_parameters()}
    parameters |= {f"readout.{n}": v.detach().numpy() for n, v in readout.named_parameters()}
    network = Network.from_parameters(cell_named(name), parameters)
    objective = CrossEntropy(y.numpy(), target_weights(np.ones((STEPS, batch), dtype=bool)))

    ours, theirs, theirs_loop = best(
        lambda: backpropagate(unroll(network, x.numpy()), objective),
        lambda: backward(fused(x)[0]),
        loop,
    )
    print(
        f"{name:4}  N = {batch:2}  ours {ours:6.1f} ms   fused {theirs / ours:5.2f} x   "
        f"retain_grad loop {theirs_loop / ours:5.2f} x"
    )


for cell in FUSED:
    for size in (1, 32):
        compare(cell, size)
