"""How long the adjoint of all that a stack carries from step to step is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpttcli.engine.scaled import Scaled
from bpttcli.engine.sweep_layer import LayerSweep


def state_adjoint(layers: Sequence[LayerSweep]) -> Scaled:
    """‖∂ℓ_n/∂(all states of all layers)‖ of a sweep's steps.

    Of one layer without a cell state it is ‖∂ℓ_n/∂h_t‖. A gradient that travels through a
    lower layer, or through a cell state, is seen here although the top layer's may be 0.

    Parameters
    ----------
    layers : sequence of LayerSweep
        Of n steps and R rows.

    Returns
    -------
    Scaled of shape (n, R, N)
    """
    norms = [norm for layer in layers for norm in layer.norm]
    if len(norms) == 1:
        return norms[0]
    squares = Scaled(
        np.stack([norm.mantissa**2 for norm in norms]),
        np.stack([np.broadcast_to(2 * norm.exponent, norm.mantissa.shape) for norm in norms]),
    )
    return squares.sum(axis=0).sqrt()
