"""``bptt spectrum``: what B does, and what it does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bpttcli.cli.flags import signature
from bpttcli.cli.options import SHARED, SPECTRUM

if TYPE_CHECKING:
    from bpttcli.cli.job import Job
    from bpttcli.diagnostics.network_spectrum import NetworkSpectrum
    from bpttcli.report.report import Run

FLAGS = (*SHARED, *SPECTRUM)

# What may stand beside --matrix; every other option is about a network.
_BESIDE_MATRIX = {"matrix", "leak", "powers", "top", "full", "all", "plot"}
_BESIDE_MATRIX |= {"format", "output", "quiet", "debug"}

_EXACT = "a spectrum is of the exact gradient: truncation and clipping change nothing in it"
_NO_TRAJECTORY = (
    "no trajectory was followed: --leak is about the matrix (1-a)I + aB alone, as no cell of "
    "this tool leaks"
)


@signature(FLAGS)
def command(experiment: str | None, given: dict[str, Any]) -> None:
    """Show the spectrum of B beside what the Jacobians do along a trajectory.

    Examples
    --------
    bptt spectrum --steps 1000 --init orthogonal
    bptt spectrum edge-of-chaos
    bptt spectrum --model model.npz --data batch.npz --format json
    bptt spectrum --matrix B.npy --powers 1,10,100 --plot B.png
    """
    from bpttcli.cli.job import Job

    with Job(FLAGS, experiment, given) as job:
        path, plot = job.text("--matrix"), job.text("--plot")
        if plot is not None:
            from bpttcli.report.plot import check_plot

            check_plot(plot)
        run: Run | None = None
        if path is not None:
            _refuse_network(experiment, given)
            result = _bare(job, path)
        else:
            result, run = _network(job)

        from bpttcli.report.spectrum import SpectrumReport

        report = SpectrumReport(result, run, matrix=path, everything=job.switch("--all"))
        if plot is not None:
            from bpttcli.report.plot import save_figure
            from bpttcli.report.spectrum_picture import spectrum_picture

            save_figure(spectrum_picture(report.document()), plot)
        job.write(report, result.warnings)


def _refuse_network(experiment: str | None, given: dict[str, Any]) -> None:
    """A bare matrix has no network and no sequences."""
    from bpttcli.errors import InputError

    beside = [f"--{name.replace('_', '-')}" for name in given if name not in _BESIDE_MATRIX]
    if experiment is not None:
        beside.insert(0, experiment)
    if beside:
        raise InputError(f"stands alone: no network is needed, got {beside[0]}", key="matrix")


def _asked(job: Job) -> dict[str, Any]:
    """Read what is asked of the matrices."""
    from bpttcli.diagnostics.spectrum import DEFAULT_POWERS

    powers = job.text("--powers")
    return {
        "powers": DEFAULT_POWERS if powers is None else [_whole(k) for k in powers.split(",")],
        "full": job.switch("--full"),
        "top": job.count("--top"),
    }


def _whole(text: str) -> Any:
    """Read a number; 1e3 is an integer, and what is none is left for others to refuse."""
    from bpttcli.experiment.scalars import read_plain

    number = read_plain(text.strip())
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _leak(job: Job) -> float | None:
    """Read the rate of leaky units."""
    from bpttcli.errors import InputError
    from bpttcli.experiment.scalars import read_plain

    given = job.text("--leak")
    if given is None:
        return None
    leak = read_plain(given)
    if isinstance(leak, bool) or not isinstance(leak, int | float):
        raise InputError(f"must be a number, got {given}", key="leak")
    return float(leak)


def _bare(job: Job, path: str) -> NetworkSpectrum:
    """Examine a matrix from a file."""
    from bpttcli.diagnostics.bare_matrix import checked_matrix
    from bpttcli.diagnostics.network_spectrum import Block, NetworkSpectrum, leaky
    from bpttcli.diagnostics.spectrum import spectrum_of
    from bpttcli.tasks.matrix_file import read_matrix

    asked, leak = _asked(job), _leak(job)
    matrix = leaky(checked_matrix(read_matrix(path)), leak)
    return NetworkSpectrum((Block(0, None, spectrum_of(matrix, **asked)),), leak)


def _network(job: Job) -> tuple[NetworkSpectrum, Run]:
    """Examine a network, and unless it is a leaky one its trajectory."""
    import numpy as np

    from bpttcli.diagnostics.network_spectrum import (
        NetworkSpectrum,
        block_spectra,
        network_spectrum,
    )
    from bpttcli.diagnostics.state_jacobian import state_size
    from bpttcli.diagnostics.trajectory_spectrum import trajectory_spectrum
    from bpttcli.engine.backpropagate import backpropagate
    from bpttcli.engine.unroll import unroll
    from bpttcli.report.report import Run

    asked, leak = _asked(job), _leak(job)
    exponents, transient = _exponents(job), job.count("--transient", least=0)
    problem = job.build()
    if problem.estimator.label != "full" or problem.clip.active:
        job.terminal.note(_EXACT)
    network = problem.network
    blocks = block_spectra(network, leak=leak, **asked)
    run = Run(**problem.run)
    if leak is not None:
        return NetworkSpectrum(blocks, leak, warnings=(_NO_TRAJECTORY,)), run
    trajectory = unroll(network, problem.sequences.x, problem.start)
    adjoints = backpropagate(trajectory, problem.objective, progress=job.progress.part(0, 0.2))
    # The fifth child of the seed: an experiment spawns the first four.
    directions = np.random.SeedSequence(problem.experiment.seed, spawn_key=(4,))
    followed = trajectory_spectrum(
        trajectory,
        adjoints.layers[-1].norm[0].mean(axis=1),
        np.random.default_rng(directions),
        exponents=state_size(network) if exponents == "all" else exponents,
        transient=transient,
        lags=asked["powers"],
        every_lag=job.switch("--all"),
        full=asked["full"],
        progress=job.progress.part(0.2, 1),
    )
    return network_spectrum(network, blocks, followed), run


def _exponents(job: Job) -> int | Literal["all"] | None:
    """Read how many exponents are wanted."""
    return "all" if job.text("--lyapunov") == "all" else job.count("--lyapunov", least=0)
