"""The chain rule as a person reads it: in full for a pencil, folded for a long run."""

import numpy as np
import pytest

from tests.report.explained import grid, report, text

BOTH = ["three-steps", "three-steps-every"]


@pytest.mark.parametrize("name", BOTH)
def test_in_a_terminal_of_80_columns(name, golden):
    golden(f"{name}.txt", text(report(name)))


@pytest.mark.parametrize("name", BOTH)
def test_in_a_plain_terminal(name, golden):
    golden(f"{name}-ascii.txt", text(report(name), encoding="ascii"))


def test_as_markdown(golden):
    golden("three-steps.md", text(report("three-steps"), "markdown"))


def test_the_slope_of_tanh_and_a_cut(golden):
    cut = "truncation.name=fixed", "truncation.length=2"
    made = report("three-steps-every", "model.cell=tanh", *cut, clip_factor=0.5)
    golden("three-steps-cut.txt", text(made))


@pytest.mark.parametrize(
    ("name", "form", "encoding"),
    [
        ("three-steps-fixed.txt", "table", "utf-8"),
        ("three-steps-fixed-ascii.txt", "table", "ascii"),
        ("three-steps-fixed.md", "markdown", "utf-8"),
    ],
)
def test_a_truncation_with_both_kinds_of_clipping(name, form, encoding, golden):
    sets = "truncation.name=fixed", "truncation.length=2", "clip.value=5", "clip.norm=4"
    golden(name, text(report("three-steps", *sets), form, encoding=encoding))


def test_windows_that_overlap(golden):
    cut = "truncation.name=sliding", "truncation.length=2"
    golden("three-steps-sliding.txt", text(report("three-steps-every", *cut)))


WIDE = [
    ("adding", "model.hidden=4"),
    ("adding", "model.hidden=4", "model.init.gain=0.1"),
    ("adding", "model.hidden=4", "model.init.gain=5", "model.cell=linear"),
    ("adding", "model.hidden=4", "model.cell=lstm", "model.layers=2"),
    ("adding", "model.hidden=4", "model.cell=gru", "task.batch=3"),
    ("text", "model.hidden=3", "model.cell=relu"),
    ("identity-relu",),
    ("scalar-linear",),
]


LIMITS = "clip.norm=0.01", "clip.value=0.002"
SLIDING = "truncation.name=sliding", "truncation.length=9"
WIDE += [
    ("adding", "model.hidden=4", "truncation.name=fixed", "truncation.length=7", *LIMITS),
    ("adding", "model.hidden=4", "truncation.name=randomized", "model.cell=lstm", *LIMITS),
    ("adding", "task.name=sine", "loss.at=every", "model.hidden=4", *SLIDING, *LIMITS),
    ("text", "model.hidden=4", "model.cell=gru", "model.layers=2", *SLIDING),
]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("sets", WIDE, ids=" ".join)
def test_nothing_is_wider_than_80_columns_or_left_out(sets, encoding):
    printed = text(report(*sets), encoding=encoding)
    assert max(map(len, printed.splitlines())) <= 80
    assert "wider terminal" not in printed
    if encoding == "ascii":
        assert printed.isascii()
        assert "?" not in printed


@pytest.mark.parametrize("form", ["markdown", "html"])
@pytest.mark.parametrize("sets", WIDE, ids=" ".join)
def test_every_network_has_a_page(sets, form):
    assert "What repeats" in text(report(*sets), form)


@pytest.mark.parametrize(("steps", "folded"), [(12, False), (13, True)])
def test_beyond_twelve_steps_the_middle_is_folded_and_said_to_be(steps, folded):
    made = report("scalar-linear", f"task.steps={steps}")
    for title in ("Forward", "Backward", "∂L/∂B"):
        assert ("Steps 7 to 7 are folded" in grid(made, title).note) == folded
        words = {word for row in grid(made, title).rows for word in row[:2]}
        assert bool({"steps 7 … 7 are folded", "7 … 7 together"} & words) == folded


def test_all_steps_on_request():
    made = report("scalar-linear", "task.steps=40", everything=True)
    assert "folded" not in text(made)
    assert len(grid(made, "∂L/∂B").rows) == 41


def test_folded_terms_are_added_up_so_that_the_column_still_adds_up():
    """a = b = c = 1, y = 0: h_20 = 20, δ_t = 40, so step t adds 40 (t − 1) to ∂L/∂B."""
    made = report("scalar-linear", "task.steps=20", "model.parameters.weight_hh_l0=[[1]]")
    terms = {row[0]: float(row[-1]) for row in grid(made, "∂L/∂B").rows}
    assert terms["7 … 14 together"] == 40 * sum(range(6, 14))
    total = terms.pop("sum")
    assert sum(terms.values()) == total == 40 * 190


def test_the_same_parameter_is_seen_at_every_step():
    said = dict(report("three-steps").view().sentences)
    assert said["B"].endswith("the same B in a_1, a_2, a_3.")
    said = dict(report("scalar-linear").view().sentences)
    assert said["C"].endswith("the same C in o_1, …, o_1000.")


@pytest.mark.parametrize(("b", "wanted"), [("1.1", "1.1^100 = 13781"), ("0.9", "2.66e-05")])
def test_a_hundred_steps_of_a_factor_are_seen_to_come_from_B(b, wanted):
    sets = "task.steps=101", f"model.parameters.weight_hh_l0=[[{b}]]"
    table = grid(report("scalar-linear", *sets), "What repeats")
    assert wanted in table.note
    last = table.rows[-1]
    assert last[0] == "100"
    assert last[2] == wanted.rpartition(" ")[2]


def test_a_slope_stands_beside_the_powers_it_shrinks():
    table = grid(report("three-steps", "model.cell=tanh"), "What repeats")
    assert table.headers[4] == "φ′, k times"
    assert "slope φ′ of tanh" in table.note


def test_a_gated_cell_has_its_gate_instead_of_powers():
    made = report("adding", "model.cell=gru", "model.hidden=3", "task.steps=4")
    table = grid(made, "What repeats")
    assert table.headers == ["k", "z, k times", "‖p‖", "p"]
    assert "gate z passes a unit's own past on" in table.note


def test_where_windows_overlap_the_loss_that_is_cut_is_named():
    """sliding(2): on its way from h_2 to h_1 the loss of step 3 is left behind."""
    cut = "truncation.name=sliding", "truncation.length=2"
    made = report("three-steps-every", *cut)
    rows = grid(made, "Backward").rows
    at = rows.index(["through h_2", "Bᵀ ∂L/∂a_2, ✂ L_3 cut here", "(-1.5 -2)"])
    assert rows[at + 1] == ["lost", "of L_3, uncut", "(5.5 8)"]
    assert ("losses reach", "L_3 back to step 2") in made.view().facts


def test_of_many_windows_the_later_losses_are_lost_before():
    cut = "truncation.name=sliding", "truncation.length=2", "task.steps=9", "model.hidden=2"
    made = report("adding", "task.name=sine", "loss.at=every", *cut)
    says = [row[1] for row in grid(made, "Backward").rows if row[0] == "lost"]
    assert says[:2] == ["of L_9, uncut", "of L_8 and later, uncut"]
    facts = dict(made.view().facts)
    assert facts["losses reach"].startswith("L_9 back to step 8, L_8 back to step 7, ")
    assert facts["losses reach"].count("back") == 7


def test_of_many_cuts_the_first_and_the_last_are_listed():
    cut = "truncation.name=fixed", "truncation.length=1"
    facts = dict(report("scalar-linear", "task.steps=30", *cut).view().facts)
    assert facts["cut between steps"] == "1|2, 2|3, 3|4, 4|5, 5|6, 6|7, …, 29|30"


def test_what_repeats_is_said_to_be_uncut():
    cut = "truncation.name=fixed", "truncation.length=2"
    assert "if nothing is cut" in grid(report("three-steps", *cut), "What repeats").note
    assert "if nothing is cut" not in grid(report("three-steps"), "What repeats").note


def test_the_note_compares_the_terms_with_the_estimate_and_the_whole_with_a_difference():
    cut = "truncation.name=fixed", "truncation.length=2"
    note = grid(report("three-steps", *cut), "∂L/∂A").note
    assert note.startswith("The terms add up to the engine's estimate to 1e-12 of its norm.")
    assert "With what is lost, its entry (2, 1) is 22; a finite difference" in note
    assert note.endswith("gives 22.")


def test_a_cut_is_marked_and_what_is_lost_stands_beside_it():
    made = report("three-steps", edges=np.array([1.0, 0.0, 1.0]))
    rows = grid(made, "Backward").rows
    at = rows.index(["through h_2", "✂ cut here", "(0 0)"])
    assert rows[at + 1] == ["lost", "Bᵀ ∂L/∂a_2, uncut", "(5.5 8)"]
    table = grid(made, "∂L/∂A")
    assert table.headers[-1] == "lost"
    assert [row[-1] for row in table.rows][-2:] == ["(11)\n(16)", "(11)\n(16)"]
    assert ("cut between steps", "1|2") in made.view().facts


def test_an_edge_that_is_weighted_says_by_how_much():
    made = report("three-steps", edges=np.array([1.0, 1.25, 1.0]))
    assert ["through h_2", "1.25 times Bᵀ ∂L/∂a_2", "(6.875 10)"] in grid(made, "Backward").rows


def test_clipping_shows_its_factor_and_what_is_left():
    table = grid(report("three-steps", clip_factor=0.25), "∂L/∂C")
    assert table.rows[-1] == ["times 0.25", "", "", "(1 3)"]


def test_a_value_clip_says_its_limit_and_what_is_within_it():
    table = grid(report("three-steps", "clip.value=5"), "∂L/∂C")
    assert table.rows[-1] == ["within ±5", "", "", "(4 5)"]
    both = report("three-steps", "clip.value=5", "clip.norm=0.01")
    assert grid(both, "∂L/∂C").rows[-1][0].startswith("within ±5\ntimes 7.6")


def test_a_clip_that_did_not_fire_adds_no_row():
    table = grid(report("three-steps", "clip.norm=1e9", "clip.value=1e9"), "∂L/∂C")
    assert table.rows[-1][0] == "sum"


def test_a_factor_does_not_end_where_float64_does():
    sets = "task.steps=400", "task.input=0", "loss.name=probe", "loss.vector=[1]", "loss.at=last"
    B = "model.parameters={weight_hh_l0: [[10]], bias_ih_l0: [0]}"
    made = report("scalar-linear", *sets, B, "clip.norm=1")
    last = grid(made, "∂L/∂b").rows[-1]
    assert last[0] == "times 9.00e-400"
    assert float(last[-1]) == 1.0


def test_a_batch_says_whose_numbers_these_are():
    facts = dict(report("adding", "task.batch=3", "task.steps=4").view().facts)
    assert facts["shown"].startswith("step by step sequence 1 of 3")


def test_a_probe_needs_no_output():
    made = report("three-steps", "loss.name=probe", "loss.vector=[3, 4]")
    rows = grid(made, "Backward").rows
    assert rows[0] == ["through L", "the probe v", "(3 4)"]
    assert ["L_3", "⟨v, h_3⟩", "30"] in grid(made, "Forward").rows


def test_classes_and_symbols_are_named():
    made = report("text", "task.steps=3", "model.hidden=3")
    rows = grid(made, "Forward").rows
    assert rows[0][2].startswith("symbol ")
    assert any(row[2].startswith("class ") for row in rows)


def test_csv_has_the_rows_of_the_report():
    assert text(report("three-steps"), "csv").splitlines()[0].startswith("layer,t,lag,hidden")
