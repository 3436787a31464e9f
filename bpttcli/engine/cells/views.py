"""The arrays of a backward sweep, as a loop over its steps wants them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

import numpy as np

from bpttcli.engine.scaled import Array

# Numbers in a step up to which a copy for every row costs less than to broadcast at each step.
_FEW = 512


class Views:
    """The arrays of a backward sweep, as its loop wants them.

    R rows share one trajectory, so what is done unit by unit broadcasts over R, while the
    product with B takes rows and sequences together. With one row neither needs the other's
    axes, and NumPy is faster without them.

    Parameters
    ----------
    adjoint : tuple of (n+1, R, N, H) arrays
    inject : (n, R′, N, H) array or None
        What enters the first R′ ≤ R rows.
    edges : (n, R, 1, 1) array or None
    """

    def __init__(
        self, adjoint: tuple[Array, ...], inject: Array | None, edges: Array | None
    ) -> None:
        n, rows, batch, hidden = adjoint[0].shape
        self.flat = adjoint[0].reshape(n, rows * batch, hidden)
        one = rows == 1
        self._copies = rows if 1 < rows <= _FEW // (batch * hidden) else 0
        self.states = tuple(state[:, 0] if one else state for state in adjoint)
        # From the last step: what enters, None for nothing, and the rows that it enters.
        self.inject: Iterable[Array | None] = repeat(None, n - 1)
        self.entered = self.states[0][:0:-1]
        if inject is not None:
            self.inject = inject[::-1, 0] if one else inject[::-1]
            self.entered = self.entered if one else self.entered[:, : inject.shape[1]]
        self.edges = edges[:, 0] if one and edges is not None else edges

    def by_row(self, factor: Array) -> Array:
        """Prepare a factor (n, N, H) of the adjoints at each step, the same for every row."""
        if not self._copies:
            return factor
        return np.repeat(factor[:, None], self._copies, axis=1)
