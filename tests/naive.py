"""The slow, obvious twin of the engine: one sequence, one step, one derivative at a time.

Everything accepts complex numbers, so that a derivative can be had as Im f(x + iε)/ε, which
neither subtracts nor cancels (Squire & Trapp 1998); and the chain rule of a linear network is
written a second time in exact fractions, which have no range to leave.
"""

import math
from fractions import Fraction

import numpy as np

NUDGE = 1e-40


def elman(phi):
    def step(layer, x, states, nudge):
        a = layer["weight_ih"] @ x + layer["weight_hh"] @ states[0]
        return (phi(a + layer["bias_ih"] + layer["bias_hh"]) + nudge[0],)

    return step


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm(layer, x, states, nudge):
    h, cell = states
    a = layer["weight_ih"] @ x + layer["weight_hh"] @ h + layer["bias_ih"] + layer["bias_hh"]
    i, f, g, o = np.split(a, 4)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g) + nudge[1]
    return sigmoid(o) * np.tanh(cell) + nudge[0], cell


def gru(layer, x, states, nudge):
    (h,) = states
    r, z, n = np.split(layer["weight_ih"] @ x + layer["bias_ih"], 3)
    r_h, z_h, n_h = np.split(layer["weight_hh"] @ h + layer["bias_hh"], 3)
    z = sigmoid(z + z_h)
    return ((1 - z) * np.tanh(n + sigmoid(r + r_h) * n_h) + z * h + nudge[0],)


STEPS = {
    "tanh": elman(np.tanh),
    "relu": elman(lambda a: np.where(a.real > 0, a, 0)),
    "linear": elman(lambda a: a),
    "lstm": lstm,
    "gru": gru,
}
"""One step of each cell: (parameters of the layer, input, states, nudges) → states, h first.

A nudge is added to a state as soon as it is there, before anything else reads it.
"""

STATES = {"tanh": 1, "relu": 1, "linear": 1, "lstm": 2, "gru": 1}
"""How many states each cell carries."""


def cross_entropy(y):
    def term(t, n, h, o):
        return np.log(np.exp(o - o[y[t, n]]).sum())

    return term


def squared_error(y):
    def term(t, n, h, o):
        return ((o - y[t, n]) ** 2).sum() / len(o)

    return term


def probe(vector):
    def term(t, n, h, o):
        return h @ vector[n]

    return term


def layers_of(parameters):
    """The parameters by layer; a bias that is missing is 0."""
    layers = []
    while f"weight_hh_l{len(layers)}" in parameters:
        k = len(layers)
        rows = len(parameters[f"weight_hh_l{k}"])
        layers.append(
            {
                name: parameters.get(f"{name}_l{k}", np.zeros(rows))
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
        )
    return layers


def run(cell, parameters, x, start=None, nudge=None):
    """Run one sequence: the states [k][s] of every layer, for t = 0 … T.

    `nudge` (k, s, t, vector) is added to state s of layer k at step t.
    """
    layers = layers_of(parameters)
    now = []
    for k, layer in enumerate(layers):
        zeros = (np.zeros(layer["weight_hh"].shape[1]),) * STATES[cell]
        now.append(tuple(zeros if start is None else start[k]))
    history = [now]
    for t in range(1, len(x) + 1):
        below, now = x[t - 1], list(now)
        for k, layer in enumerate(layers):
            if np.ndim(below) == 0:
                below = np.eye(layer["weight_ih"].shape[1])[below]
            nudges = [0.0] * STATES[cell]
            if nudge is not None and (nudge[0], nudge[2]) == (k, t):
                nudges[nudge[1]] = nudge[3]
            now[k] = STEPS[cell](layer, below, now[k], nudges)
            below = now[k][0]
        history.append(now)
    return history


def sequence_loss(cell, parameters, x, term, weights, n, start=None, nudge=None):
    """ℓ_n, the weighted sum over the steps of sequence n."""
    begin = None if start is None else [tuple(s[n] for s in layer) for layer in start]
    total = 0.0
    for t, states in enumerate(run(cell, parameters, x[:, n], begin, nudge)[1:]):
        if weights[t, n]:
            h, o = states[-1][0], None
            if "readout.weight" in parameters:
                o = parameters["readout.weight"] @ h + parameters.get("readout.bias", 0.0)
            total = total + weights[t, n] * term(t, n, h, o)
    return total


def loss(cell, parameters, x, term, weights, start=None):
    """L, the mean of ℓ_n over the batch."""
    batch = x.shape[1]
    each = (sequence_loss(cell, parameters, x, term, weights, n, start) for n in range(batch))
    return sum(each) / batch


def derivative(function, array):
    """∂f/∂array, entry by entry, by complex steps."""
    result = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        moved = array.astype(complex)
        moved[index] += 1j * NUDGE
        result[index] = np.imag(function(moved)) / NUDGE
    return result


def gradient(cell, parameters, x, term, weights, start=None):
    """∂L/∂θ of every parameter."""
    return {
        name: derivative(
            lambda moved, name=name: loss(
                cell, {**parameters, name: moved}, x, term, weights, start
            ),
            value,
        )
        for name, value in parameters.items()
    }


def adjoints(cell, parameters, x, term, weights, k, s=0, start=None):
    """∂ℓ_n/∂(state s of layer k) after every step, (T, N, H)."""
    steps, batch = x.shape[:2]
    hidden = parameters[f"weight_hh_l{k}"].shape[1]

    def part(t, n):
        return derivative(
            lambda moved: sequence_loss(
                cell, parameters, x, term, weights, n, start, (k, s, t, moved)
            ),
            np.zeros(hidden),
        )

    return np.array([[part(t, n) for n in range(batch)] for t in range(1, steps + 1)])


def start_gradient(cell, parameters, x, term, weights, start, k, s=0):
    """∂L/∂(state s of layer k) before the first step, (N, H)."""

    def moved_loss(moved):
        states = [list(layer) for layer in start]
        states[k][s] = moved
        return loss(cell, parameters, x, term, weights, states)

    return derivative(moved_loss, start[k][s])


def exact_adjoints(layers, source, slopes=None):
    """Adjoints of stacked layers (A, B) by the chain rule in fractions, [k][t] from t = 0.

    g_t = (source of t, or Aᵀδ_t of the layer above) + Bᵀδ_{t+1} with δ_t = slope_t ∘ g_t;
    source (T, H) enters the top layer, slopes (layers, T, H) are 1 unless given.
    """
    steps = len(source)
    entering = [[Fraction(float(v)) for v in row] for row in source]
    result = []
    for k in reversed(range(len(layers))):
        A, B = (_fractions(weights) for weights in layers[k])
        g, delta = [None] * steps, [None] * steps
        for t in reversed(range(steps)):
            g[t] = entering[t]
            if t + 1 < steps:
                g[t] = [a + b for a, b in zip(g[t], _transposed(B, delta[t + 1]), strict=True)]
            slope = [1] * len(g[t]) if slopes is None else [Fraction(v) for v in slopes[k][t]]
            delta[t] = [a * b for a, b in zip(slope, g[t], strict=True)]
        entering = [_transposed(A, d) for d in delta]
        result.insert(0, g)
    return result


def truncated_variance(J, E, said, mean, variance):
    """Variances of the gradient's entries when factors ξ stand on the edges, (P,).

    The cuts are revealed from the end: that of the edge t → t + 1 changes the expected
    gradient by (ξ − E ξ) ĝ_{t+1}ᵀ J_{t+1} D_t, with D_t the derivative of the states by the
    parameters when every earlier edge has its mean factor. J (T, S, S), E (T, S, P) and said
    (T, S) may hold fractions.
    """
    D = [E[0]]
    for t in range(1, len(J)):
        D.append(E[t] + mean * (J[t] @ D[-1]))
    g = said[-1]
    second = g[:, None] * g[None, :]
    total = 0 * E[0][0]
    for t in range(len(J) - 2, -1, -1):
        moved = J[t + 1] @ D[t]
        total = total + variance * (moved * (second @ moved)).sum(axis=0)
        v, s = mean * (g @ J[t + 1]), said[t]
        mixed = s[:, None] * v[None, :]
        second = (mean**2 + variance) * (J[t + 1].T @ second @ J[t + 1])
        second = second + s[:, None] * s[None, :] + mixed + mixed.T
        g = s + v
    return total


def log10_norm(vector):
    """log10 of the Euclidean norm of fractions of any size; −inf for zero."""
    return log10_of(sum(v * v for v in vector)) / 2


def log10_of(number):
    """log10 of the magnitude of a fraction of any size; −inf for zero."""
    fraction = abs(Fraction(number))
    if fraction == 0:
        return -math.inf
    return math.log10(fraction.numerator) - math.log10(fraction.denominator)


def _fractions(matrix):
    return [[Fraction(float(v)) for v in row] for row in matrix]


def _transposed(matrix, vector):
    """matrixᵀ vector."""
    columns = zip(*matrix, strict=True)
    return [sum(a * b for a, b in zip(column, vector, strict=True)) for column in columns]
