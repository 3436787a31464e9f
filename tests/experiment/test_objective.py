"""Which loss stands where, and whether the targets are of its kind."""

import numpy as np
import pytest

from bpttcli.engine.losses import CrossEntropy, Probe, SquaredError
from bpttcli.errors import InputError
from bpttcli.experiment.objective import objective_of, resolve_loss
from bpttcli.experiment.schema import Loss
from bpttcli.tasks.sequences import Sequences
from tests.runs import network

T, N = 4, 3
NETWORK = network("tanh", np.ones((2, 1)), np.eye(2), **{"readout.weight": np.ones((5, 2))})
BARE = network("tanh", np.ones((2, 1)), np.eye(2))


def sequences(kind=None, *, at="every", mask=None):
    """With targets of a kind: classes, values or none."""
    length = 1 if at == "last" else T
    y = {
        None: None,
        "classes": np.zeros((length, N), dtype=np.int64),
        "values": np.zeros((length, N, 5)),
    }[kind]
    return Sequences(
        x=np.zeros((T, N, 1)),
        n_inputs=1,
        y=y,
        n_outputs=None if y is None else 5,
        loss={None: None, "classes": "cross_entropy", "values": "mse"}[kind],
        at=at,
        mask=mask,
    )


def resolved(loss, given, network=NETWORK):
    warnings = []
    found = resolve_loss(loss, given, network, warnings)
    return (found.name, found.at), warnings


def refusal(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    return caught.value.key, str(caught.value)


@pytest.mark.parametrize(
    ("kind", "at", "wanted"),
    [
        ("classes", "every", ("cross_entropy", "every")),
        ("classes", "last", ("cross_entropy", "last")),
        ("values", "every", ("mse", "every")),
        ("values", "last", ("mse", "last")),
    ],
)
def test_the_loss_is_the_tasks_own_where_nothing_is_said(kind, at, wanted):
    assert resolved(Loss(), sequences(kind, at=at)) == (wanted, [])


@pytest.mark.parametrize(
    ("kind", "network", "reason"),
    [(None, NETWORK, "no targets"), ("values", BARE, "no readout")],
)
def test_a_probe_stands_in_with_a_note_where_targets_or_readout_are_missing(kind, network, reason):
    found, (note,) = resolved(Loss(), sequences(kind), network)
    assert found == ("probe", "last")
    assert reason in note
    key, message = refusal(resolved, Loss(name="mse"), sequences(kind), network)
    assert (key, reason in message) == ("loss.name", True)


def test_a_probe_that_is_asked_for_needs_no_note():
    assert resolved(Loss(name="probe"), sequences(None)) == (("probe", "last"), [])
    assert resolved(Loss(vector=[1, 2]), sequences("values")) == (("probe", "last"), [])
    assert resolved(Loss(name="probe", at="every"), sequences()) == (("probe", "every"), [])


def test_a_mask_decides_where_the_loss_stands():
    mask = np.eye(T, N, dtype=bool)
    assert resolved(Loss(), sequences("values", mask=mask)) == (("mse", None), [])
    assert refusal(resolved, Loss(at="last"), sequences("values", mask=mask))[0] == "loss.at"
    loss = Loss(name="mse")
    objective = objective_of(loss, sequences("values", mask=mask), NETWORK, None)
    assert objective.weights.tolist() == mask.astype(float).tolist()


def test_targets_of_the_last_step_cannot_stand_at_every_step():
    given = sequences("values", at="last")
    assert refusal(resolved, Loss(at="every"), given)[0] == "loss.at"


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("cross_entropy", "classes", CrossEntropy),
        ("mse", "values", SquaredError),
        ("probe", None, Probe),
    ],
)
@pytest.mark.parametrize("at", ["every", "last"])
def test_weights_are_the_mean_over_the_target_steps(name, kind, made, at):
    loss = Loss(name=name, at=at)
    objective = objective_of(loss, sequences(kind), NETWORK, np.random.default_rng(0))
    assert isinstance(objective, made)
    wanted = np.full((T, N), 1 / T) if at == "every" else np.eye(T)[:, -1:].repeat(N, axis=1)
    assert objective.weights.tolist() == wanted.tolist()


@pytest.mark.parametrize(("name", "kind"), [("mse", "classes"), ("cross_entropy", "values")])
def test_targets_of_the_other_kind_are_refused_with_the_loss_that_fits(name, kind):
    other = {"mse": "cross_entropy", "cross_entropy": "mse"}[name]
    loss = Loss(name=name, at="every")
    key, message = refusal(objective_of, loss, sequences(kind), NETWORK, None)
    assert (key, other in message) == ("loss.name", True)


@pytest.mark.parametrize(("name", "kind"), [("cross_entropy", "classes"), ("mse", "values")])
def test_targets_that_the_readout_is_too_narrow_for_are_refused(name, kind):
    narrow = network("tanh", np.ones((2, 1)), np.eye(2), **{"readout.weight": np.ones((3, 2))})
    given = sequences(kind)
    if kind == "classes":
        given = Sequences(
            x=given.x, n_inputs=1, y=given.y + 4, n_outputs=5, loss="cross_entropy", at="every"
        )
    assert refusal(objective_of, Loss(name=name, at="every"), given, narrow, None)[0] == "task.y"


def test_a_probe_is_drawn_as_unit_vectors_or_taken_as_given():
    loss = Loss(name="probe", at="last")
    drawn = objective_of(loss, sequences(), NETWORK, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(drawn.vector, axis=1), 1, rtol=1e-15)
    for vector in ([3.0, 4.0], [[3.0, 4.0]] * N):
        given = objective_of(
            Loss(name="probe", at="last", vector=vector), sequences(), NETWORK, None
        )
        assert given.vector.tolist() == [[3, 4]] * N
    for wrong in ([1.0], [[1.0, 2.0]]):
        loss = Loss(name="probe", at="last", vector=wrong)
        assert refusal(objective_of, loss, sequences(), NETWORK, None)[0] == "loss.vector"
