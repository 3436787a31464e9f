"""A view put together by hand: every kind of cell, and text that looks like markup."""

from bpttcli.report.view import Bar, Grid, View

VIEW = View(
    title="data · tanh, 2 units",
    headline=("vanishing", "at step 1 the gradient is 1.00e-09 times what it is at step 3"),
    sentences=[
        ("Why", "B (hidden → hidden) of spectral radius ρ = 0.5 [bold]shrinks[/] it."),
        ("Try", "An orthogonal start."),
    ],
    facts=[("spectral radius ρ(B)", "0.5"), ("saturated units", "–")],
    grids=[
        Grid(
            "By step | the adjoint",
            ["t", "‖g_t‖", "A", "log scale"],
            [
                ["3", "1.00e+00", "0", Bar(1.0)],
                ["2", "3.16e-05", "1.50e-1000", Bar(0.5)],
                ["1", "1.00e-09", "–", Bar(0.0)],
            ],
            frozenset({3}),
        ),
        Grid("By parameter", ["parameter", "‖∂L/∂θ‖"], [["weight_ih_l0", "2"]], frozenset({0})),
    ],
)
