"""Small runs of training, put together by hand or from an experiment."""

from bpttcli.experiment.build import build
from bpttcli.experiment.load import load
from bpttcli.experiment.settings import Option
from bpttcli.experiment.training import build_run

SMALL = {"task.steps": 8, "task.batch": 3, "model.hidden": 4, "train.held_out_batch": 5}


def problem_of(**keys):
    """The objects of a small experiment; of a key `__` is a dot."""
    set_keys = SMALL | {key.replace("__", "."): value for key, value in keys.items()}
    return build(load(options=[Option("", *pair) for pair in set_keys.items()]).experiment)


def run_of(progress=None, **keys):
    """A small run, before its first update."""
    return build_run(problem_of(**keys), progress)


class Ears:
    """Listens, and keeps what it hears; interrupts after so many updates."""

    def __init__(self, until=None):
        self.rows, self.saved, self.bests, self.heard = [], [], [], 0
        self._until = until

    def row(self, row):
        self.rows.append(row)

    def update(self, progress):
        self.heard = progress.update

    def best(self, parameters):
        self.bests.append(parameters)

    def save(self, run):
        self.saved.append(run.progress.update)

    @property
    def interrupted(self):
        return self._until is not None and self.heard >= self._until


def listened(run, until=None):
    ears = Ears(until)
    run.go(ears)
    return ears
