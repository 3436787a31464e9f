"""The options by which a trained network is asked to go on with its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpttcli.errors import InputError
from bpttcli.experiment.scalars import read_plain
from bpttcli.experiment.wording import shown
from bpttcli.record import Record

if TYPE_CHECKING:
    from bpttcli.cli.job import Job
    from bpttcli.engine.network import Network
    from bpttcli.experiment.build import Problem

# Formats that have no place for a text.
_ROWS_ALONE = ("csv", "jsonl")
# Spawn key of what is said; those up to 8 belong to the run.
_SAID = 9


class Sampling(Record, frozen=True):
    """How much a network shall say, and upon what.

    Parameters
    ----------
    n : int
        Symbols.
    temperature : float
    prompt : str
    """

    n: int
    temperature: float
    prompt: str

    @classmethod
    def of(cls, job: Job) -> Sampling | None:
        """Read the options; None where nothing is asked for.

        Raises
        ------
        InputError
            One of them is wrong, or stands alone.
        """
        n = job.count("--sample")
        if n is None:
            for flag in ("--temperature", "--prompt"):
                if job.text(flag) is not None:
                    raise InputError(f"{flag} must stand with --sample")
            return None
        form = job.text("--format")
        if form in _ROWS_ALONE:
            raise InputError(f"--sample must not stand with --format {form}, which has rows alone")
        return cls(n, _temperature(job.text("--temperature")), job.text("--prompt") or "")

    def check(self, problem: Problem) -> None:
        """Refuse, before anything is trained, what could not be said after it.

        Raises
        ------
        InputError
            There are no symbols to say, or not those of the prompt, or the network reads them
            in another way: through an embedding, or backward.
        """
        from bpttcli.training.sample import check_widths

        vocabulary = problem.sequences.vocabulary
        if vocabulary is None or problem.experiment.loss.name != "cross_entropy":
            task = problem.experiment.task.name
            raise InputError(f"must stand with a text (--task text), not with {task}", key="sample")
        try:
            check_widths(problem.network, vocabulary)
        except InputError as error:
            raise InputError(f"cannot be had: the network {error}", key="sample") from None
        if problem.experiment.model.direction == "reverse":
            raise InputError("cannot be had: the network reads backward", key="sample")
        try:
            vocabulary.encode(self.prompt)
        except InputError as error:
            raise InputError(str(error), key="prompt") from None

    def say(self, network: Network, problem: Problem) -> str:
        """Let a network go on from the prompt; the same seed says the same."""
        import numpy as np

        from bpttcli.training.sample import sample

        vocabulary = problem.sequences.vocabulary
        assert vocabulary is not None
        seed = np.random.SeedSequence(problem.experiment.seed, spawn_key=(_SAID,))
        return sample(
            network,
            vocabulary,
            np.random.default_rng(seed),
            self.n,
            prompt=self.prompt,
            temperature=self.temperature,
        )


def _temperature(given: str | None) -> float:
    """Read a temperature, 1 unless given."""
    value = 1.0 if given is None else read_plain(given)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e308:
        got = shown(given)
        raise InputError(f"must be a number of at least 0, got {got}", key="temperature")
    return float(value)
