"""The keys of an experiment, their defaults, and what one key alone cannot show."""

import msgspec
import pytest

from bpttcli.engine.cells import CELLS
from bpttcli.errors import InputError
from bpttcli.experiment.schema import Experiment, Loss, Model, Report
from bpttcli.experiment.train_keys import Schedule, Train


def test_the_defaults_are_those_of_the_design():
    experiment = Experiment()
    assert (experiment.seed, experiment.task.name, experiment.task.steps) == (0, "adding", 100)
    # What a model file might decide is left open until there is none.
    model = experiment.model
    assert (model.cell, model.hidden, model.layers) == (None, None, None)
    assert (experiment.model.init.name, experiment.model.init.gain) == ("gaussian", 1.0)
    assert (experiment.report.epsilon, experiment.task.batch) == (0.01, 1)


def test_a_whole_experiment_is_plain_values():
    tree = Experiment(seed=3).to_dict()
    sections = ["seed", "task", "model", "loss", "truncation", "clip", "compare", "train", "report"]
    assert list(tree) == sections
    assert tree["seed"] == 3
    assert msgspec.json.decode(msgspec.json.encode(tree)) == tree


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_of_the_engine_can_be_named(cell):
    assert msgspec.convert({"cell": cell}, Model).cell == cell


def _sections(struct):
    for field in msgspec.structs.fields(struct):
        yield struct.__name__, field
        kind = getattr(field.type, "__origin__", None)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _sections(kind)


@pytest.mark.parametrize(
    "field", [pytest.param(field, id=f"{of}.{field.name}") for of, field in _sections(Experiment)]
)
def test_every_key_says_what_it_means(field):
    metas = getattr(field.type, "__metadata__", ())
    assert any(meta.description for meta in metas) or field.name in ("name", "steps", "batch")


@pytest.mark.parametrize(
    ("build", "key", "message"),
    [
        (lambda: Model(parameters={"weight_hh_0": [[1.0]]}), "weight_hh_0", "mean 'weight_hh_l0'"),
        (lambda: Model(parameters={"weight_hh_l0": [1.0]}), "weight_hh_l0", "rows of one length"),
        (lambda: Model(parameters={"weight_hh_l1": [[1.0], []]}), "weight_hh_l1", "rows of one"),
        (lambda: Model(parameters={"bias_ih_l0": [[1.0]]}), "bias_ih_l0", "a list of numbers"),
        (lambda: Model(parameters={"readout.bias": []}), "readout.bias", "a list of numbers"),
    ],
)
def test_a_parameter_has_a_known_name_and_its_rank(build, key, message):
    with pytest.raises(InputError, match=message) as caught:
        build()
    assert caught.value.key == f"model.parameters.{key}"


@pytest.mark.parametrize(
    ("build", "key"),
    [
        (lambda: Model(file="m.npz", parameters={}), "model.parameters"),
        (lambda: Loss(name="mse", vector=[1.0]), "loss.vector"),
        (lambda: Loss(vector=[]), "loss.vector"),
        (lambda: Loss(vector=[[1.0], [1.0, 2.0]]), "loss.vector"),
        (lambda: Loss(vector=[1.0, [1.0]]), "loss.vector"),
        (lambda: Train(only=[]), "train.only"),
        (lambda: Train(only=["weight_hh_l0", "weight_hh"]), "train.only"),
        (lambda: Train(chunk=10), "train.chunk"),
        (lambda: Schedule(factor=0.1), "train.schedule.factor"),
        (lambda: Schedule(name="step", floor=0.1), "train.schedule.floor"),
        (lambda: Train(momentum=0.9), "train.momentum"),
        (lambda: Train(optimizer="sgd", beta1=0.5), "train.beta1"),
        (lambda: Train(optimizer="rmsprop", beta2=0.5), "train.beta2"),
        (lambda: Train(alpha=0.5), "train.alpha"),
        (lambda: Train(optimizer="nesterov", eps=1e-3), "train.eps"),
        (lambda: Report(vanishing_below=1.0, exploding_above=1.0), "report.exploding_above"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(build, key):
    with pytest.raises(InputError) as caught:
        build()
    assert caught.value.key == key
