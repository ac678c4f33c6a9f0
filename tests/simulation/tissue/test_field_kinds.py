"""Fields, effects and rules that are declared: what they do, how they are kept, and what is refused."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from experiments.lab import legend
from experiments.lab import tissue as lab_tissue
from simulation import (
    CellAgent,
    CellKind,
    Effect,
    FieldKind,
    Process,
    Rule,
    Treatment,
    TumorLabError,
    TumorModel,
    check_treatment,
    plots,
)
from simulation.plots.style import context
from simulation.readouts.export import to_vtk
from simulation.results.results import COLUMNS
from simulation.rules import RULES
from simulation.state import further
from simulation.tissue.field_kind import FIELD_KINDS

from ...dish import dish, sow

PAYLOAD = FieldKind("payload", "nM", "fine", diffusion=2e5, decay=2.0, words="payload")
"""A field that remembers; nobody gives it of himself."""
NUTRIENT = FieldKind(
    "nutrient", "mM", "wide", 2e6, 1.0, quasi_steady=True, supply=600.0, in_vessels=5.0, initial=5.0
)
"""A field that vessels bring."""
HUNGER = Effect("nutrient", rule="division", kind="tumor_cell", most=1.0, half=5.0)


class Mast(CellAgent):
    """A cell that gives a payload."""

    kind = "mast_cell"


RELEASE = Rule("degranulation", "/h", "mast cells that give all they have")


def degranulate(model):
    """Count the mast cells and how fast they degranulate."""
    kept = model.process_state["degranulate"]
    kept["seen"] = model.count("mast_cell")
    kept["rate"] = model.rules.degranulation.value["mast_cell"]


DEGRANULATE = Process("degranulate", "sense", degranulate)
MAST = CellKind(
    "mast_cell",
    agent=Mast,
    rates={"payload_secretion": 30.0, "payload_uptake": 0.5, "degranulation": 0.25},
    rules=(RELEASE,),
    fields=(PAYLOAD,),
    effects=(Effect("payload", rule="death", kind="tumor_cell", most=4.0, half=2.0),),
)


class Trap(Treatment):
    """Brings a payload into the tissue, and makes T cells take it up; it stops T cells."""

    fields = (PAYLOAD,)
    field_effects = (Effect("payload", rule="kill", kind="t_cell", most=-1.0, half=1.0),)

    def modify(self, rules, model):
        rules.supply("payload", 2.0 * self.level(model, 24.0))
        rules.payload_uptake.add(3.0, kind="t_cell")


def crowd(seed=3, **more):
    """A little tumour among mast cells, with everything that can be declared."""
    given = {"fields": NUTRIENT, "cell_kinds": MAST, "effects": HUNGER, **more}
    model = TumorModel(shape=(31, 31), seed=seed, tumor_cells=120, processes=DEGRANULATE, **given)
    for position in itertools.product((2, 28), (5, 15, 25)):
        Mast(model, position)
    return model


def trace(model):
    """Everything of a model that a later step reads."""
    cells = {name: model.cells[name].tobytes() for name in model.cells.columns}
    return cells | {name: field.values.tobytes() for name, field in model.fields.items()}


def test_the_four_fields_are_the_first_and_without_further_ones_nothing_more_is_kept():
    model = TumorModel(shape=(9, 9), seed=1, tumor_cells=5)
    assert list(model.fields) == ["oxygen", "ifn_gamma", "il2", "chemokine"]
    assert model.tissue.kinds == {kind.name: kind for kind in FIELD_KINDS}
    assert tuple(model.kinds.rules[: len(RULES)]) == RULES, "loops know where these stand"
    model.step()
    assert not model.rates.slot.any()
    assert set(model.results.timeseries) - {"arm"} <= set(COLUMNS) and further(model) == {}


@pytest.mark.parametrize("mesh", ["wide", "fine"])
@pytest.mark.parametrize("quasi_steady", [True, False])
@pytest.mark.parametrize("shape", [(23, 29), (11, 9, 10)])
def test_what_cells_give_is_what_a_field_holds_and_loses(mesh, quasi_steady, shape):
    """In balance, secretion equals decay and uptake of the whole tissue, on both meshes, remembered or not, in 2-D and 3-D."""
    kind = FieldKind("signal", mesh=mesh, diffusion=3e5, decay=0.4, quasi_steady=quasi_steady)
    giver = CellKind("mast_cell", agent=Mast, rates={"signal_secretion": 12.0}, fields=(kind,))
    model = dish(shape, 1, cell_kinds=giver)
    sow(model, "mast_cell", np.array(list(itertools.product(*[(1, 4, 6)] * len(shape)))))
    for _ in range(40):
        model.step()
    field = model.fields["signal"]
    held = (field.values * field.mesh.sites_per_node).sum()
    assert held * 0.4 == pytest.approx(12.0 * model.count("mast_cell"), rel=1e-4)
    assert field.values.max() > field.values.min() > 0


def test_in_blood_a_field_is_one_level_and_what_joins_a_running_model_acts_at_once():
    model = dish((9, 9), 1, liquid=True)
    model.step()
    model.add_kind(MAST)
    assert model.rules.payload_uptake.value["mast_cell"] == 0.5, "told before the next step"
    for _ in range(9):
        Mast(model)
    model.diffuse()
    for _ in range(20):
        model.step()
    gone = 2.0 + 0.5 * 9 / 81
    assert model.fields["payload"].values == pytest.approx([30.0 * 9 / 81 / gone], rel=1e-6)


def test_uptake_lowers_a_field_as_decay_does():
    """Where everybody takes up at a rate, the level is supply / (decay + rate), also where a treatment adds it."""

    class Drink(Treatment):
        def modify(self, rules, model):
            rules.supply("payload", 10.0)
            rules.payload_uptake.add(3.0, kind="tumor_cell")

    model = dish((9, 9), 1, fields=PAYLOAD, treatments=[Drink()])
    sow(model, "tumor_cell", list(itertools.product(range(9), repeat=2)))
    for _ in range(20):
        model.step()
    assert model.fields["payload"].values == pytest.approx(10.0 / 5.0, rel=1e-6)
    assert model.concentration("payload", model.cells["site"]) == pytest.approx(2.0, rel=1e-6)


def test_secretion_as_active_as_a_cell_is_and_as_interferon_induces_it():
    """Half vigour and half stimulation give a quarter; interferon of half effect gives half of what is induced."""
    kind = FieldKind("signal", decay=1.0, quasi_steady=True, secretion="active", induced=True)

    class Induce(Treatment):
        def modify(self, rules, model):
            rules.signal_secretion.add(8.0, kind="t_cell")
            rules.signal_induced.add(6.0, kind="tumor_cell")
            rules.interferon.add(1.0)

    def level(cell):
        model = dish(
            (8, 8), 1, {"t_cell.forgetting_rate": 0.01}, fields=kind, treatments=[Induce()]
        )
        sow(model, cell, list(itertools.product(range(8), repeat=2)))
        model.cells["stimulation"][:], model.cells["exhaustion"][:] = 0.5, 0.5
        model.step()
        return model.fields["signal"].values.mean()

    assert level("t_cell") == pytest.approx(8.0 / 4, rel=1e-3)
    assert level("tumor_cell") == pytest.approx(6.0 / 2, rel=1e-3)


@pytest.mark.parametrize("most", [-1.0, -0.4, 0.0, 2.0])
@pytest.mark.parametrize("kind", ["t_cell", None])
def test_an_effect_is_what_a_treatment_would_do_that_knew_the_concentration(most, kind):
    """A field that is the same everywhere does to the last bit what its factor does as a treatment."""
    even = FieldKind("even", initial=0.5)  # nothing makes, moves or removes it
    factor = 1.0 + most * 0.5 / (2.0 + 0.5)

    class Factor(Treatment):
        def modify(self, rules, model):
            rules.kill.scale(factor, where=model.cells.alive, kind=kind)

    crowded = {"shape": (25, 25), "seed": 4, "tumor_cells": 200}
    crowded["overrides"] = {"t_cell.initial_density": 600, "t_cell.base_influx": 0}
    effect = Effect("even", rule="kill", kind=kind, most=most, half=2.0)
    felt = TumorModel(fields=even, effects=effect, **crowded)
    told = TumorModel(treatments=[Factor()], **crowded)
    for _ in range(24):
        felt.step()
        told.step()
        assert felt.fields["even"].values == pytest.approx(0.5, rel=1e-6)
    assert felt.counters["kills"].sum() == told.counters["kills"].sum()
    assert felt.cells["name"].tobytes() == told.cells["name"].tobytes()


def test_effects_and_treatments_multiply_cell_by_cell_and_the_dead_follow_nothing():
    model = dish((12, 12), 1, fields=[PAYLOAD, FieldKind("adenosine", initial=1.0)])
    sow(model, "t_cell", list(itertools.product(range(12), (0, 5))))
    sow(model, "nk_cell", list(itertools.product(range(12), (9,))))
    model.kill([3])
    model.fields["payload"].values[:] = np.arange(36) / 10
    model.add_effect(Effect("payload", rule="kill", kind="t_cell", most=-0.5, half=1.0))
    model.add_effect(Effect("adenosine", rule="kill", most=1.0, half=3.0))
    chosen = model.cells["name"] % 2 == 0

    class Half(Treatment):
        def modify(self, rules, model):
            rules.kill.scale(0.5, where=chosen)
            rules.kill.add(0.1, kind="t_cell")

    model.give(Half())
    level = model.concentration("payload", model.cells["site"])
    model.treat()
    own = model.cells.own[model.rates.slot[model.kinds.places["kill"]], : model.cells.rows]
    t_cell, nk_cell = model.rows("t_cell"), model.rows("nk_cell")
    factor = np.where(chosen, 0.5, 1.0) * 1.25 * np.where(t_cell, 1 - 0.5 * level / (1 + level), 1)
    base = np.where(t_cell, model.parameters.t_cell.kill_rate, model.parameters.nk_cell.kill_rate)
    living = model.cells.alive
    assert own[living] == pytest.approx((base * factor + 0.1 * t_cell)[living], rel=1e-12)
    assert np.isnan(own[3]) and nk_cell.sum() == 12
    told = str(model.rules.kill)
    assert "(payload)" in told and "x 1.25 to 1.25 (adenosine)" in told and "(half" in told


def test_everything_declared_is_saved_loaded_and_forked_to_the_last_bit(tmp_path):
    whole, parted = crowd(), crowd()
    for model in (whole, parted):
        model.give(Trap())
        model.add_effect(Effect("ifn_gamma", rule="move", kind="t_cell", most=-0.5, half=0.5))
        for _ in range(5):
            model.step()
    parted.save(tmp_path / "saved")
    loaded = TumorModel.load(tmp_path / "saved")
    for other in (parted, parted.fork(), loaded, loaded.fork().fork()):
        assert (
            list(other.fields)
            == list(whole.fields)
            == [*list(other.fields)[:4], "nutrient", "payload"]
        )
        assert other.tissue.effects == whole.tissue.effects and len(whole.tissue.effects) == 4
        assert other.tissue.kinds == whole.tissue.kinds
    copies = [parted, loaded, parted.fork(), loaded.fork()]
    for model in (whole, *copies):
        for _ in range(5):
            model.step()
    for copy in copies:
        assert trace(copy) == trace(whole)
        assert (
            copy.process_state == whole.process_state == {"degranulate": {"seen": 6, "rate": 0.25}}
        )
    assert parted.fork(seed=9).reseed(10) is None, "another seed keeps the fields"


def test_pictures_exports_and_the_lab_take_a_fifth_field(tmp_path):
    model = crowd()
    model.run(days=0.5, snapshot_every=0.25)
    model.fields["payload"].values[3] = 1.0
    snapshot = model.snapshot()
    assert snapshot.fields["payload"].shape == (16, 16) and snapshot.fields["nutrient"].shape == (
        8,
        8,
    )
    assert {"mean_payload", "mean_nutrient"} <= set(model.results.timeseries)
    with context():
        assert plots.tissue(snapshot, "payload").axes
    to_vtk(snapshot, tmp_path / "lattice.vti")
    assert 'Name="payload"' in (tmp_path / "lattice.vti").read_text()
    assert "payload" in lab_tissue.views(False, model.fields)
    assert "payload" not in lab_tissue.views(True, model.fields)
    drawn = Image.open(io.BytesIO(lab_tissue.picture(snapshot, "payload", 1.0)))
    assert len(drawn.getcolors()) > 2, "it is shaded"
    assert "payload" in legend.legend("payload", [snapshot], 1.0)
    assert legend.at(snapshot, 0.5, 0.5, "payload").count("payload 0") == 1
    assert legend.unit_of("payload") == " nM"


def test_a_treatment_may_bring_a_field_and_keeps_every_promise():
    check_treatment(Trap)


def test_a_drug_in_a_field_of_its_own_acts_and_is_gone_when_it_is_washed_out():
    """Kills under the trap are fewer than in the control arm, paired."""
    crowded = {"shape": (31, 31), "tumor_cells": 300, "overrides": {"t_cell.initial_density": 800}}
    kills = []
    for seed in range(1, 5):
        arms = [TumorModel(seed=seed, treatments=t, **crowded).run(days=1) for t in ((), [Trap()])]
        kills.append([arm.counters["kills"].sum() for arm in arms])
    fewer = np.diff(kills, axis=1).ravel()
    assert fewer.mean() < -3 * fewer.std(ddof=1) / np.sqrt(len(fewer)), kills


OTHER = FieldKind("payload", "nM", "wide")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: FieldKind("TGF beta"), "a field is named like a variable, not 'TGF beta'"),
        (lambda: FieldKind("x", mesh="fin"), "field 'x': mesh = 'fin' .*did you mean 'fine'"),
        (lambda: FieldKind("x", secretion="Active"), "did you mean 'active'"),
        (lambda: FieldKind("x", decay=-1.0), "decay = -1.0 is not allowed"),
        (lambda: FieldKind("x", diffusion="fast"), "diffusion = 'fast' is not allowed"),
        (lambda: FieldKind("x", initial=float("nan")), "initial = nan is not allowed"),
        (lambda: Effect("il2", "kill", most=-1.5), "effect of 'il2' on 'kill': most = -1.5"),
        (lambda: Effect("il2", "kill", half=True), "half = True is not allowed"),
        (lambda: crowd(effects=Effect("il2", "kill", half=0.0)), "half above 0"),
        (lambda: crowd(effects=Effect("ifn_gama", "kill")), "no field 'ifn_gama'.*'ifn_gamma'"),
        (lambda: crowd(effects=Effect("il2", "kil")), "no rule 'kil' .did you mean 'kill'"),
        (lambda: crowd(effects=Effect("il2", "kill", "t_cel")), "kind of cell 't_cel'.*'t_cell'"),
        (lambda: crowd(effects=Effect("il2", "influx")), "cells that are still to come"),
        (lambda: crowd(effects="il2"), "there is no effect 'il2'"),
        (lambda: crowd(fields=MAST), "is not a FieldKind"),
        (lambda: crowd(fields=OTHER), "there is another field 'payload' already"),
        (lambda: crowd(fields=FieldKind("antigen")), "there is a trait 'antigen' already"),
        (lambda: crowd(fields=FieldKind("pull")), "there is another field 'pull' already"),
        (lambda: crowd(fields=FieldKind("x", decay="fields.x")), "x"),
        (
            lambda: CellKind("m", Mast, fields=PAYLOAD),
            "fields = .* not a tuple of simulation.FieldKind",
        ),
        (lambda: CellKind("m", Mast, rules=RELEASE), "not a tuple of simulation.Rule"),
        (
            lambda: CellKind("m", Mast, rates={"kil": 1}),
            r"no rule 'kil' \(did you mean 'kill'\?\)$",
        ),
        (lambda: CellKind("m", Mast, rates={"payload_secretion": 1}), "a kind names in fields="),
        (
            lambda: CellKind("m", Mast, rates={"payload_secretoin": 1}, fields=(PAYLOAD,)),
            "did you mean 'payload_secretion'",
        ),
        (
            lambda: crowd(cell_kinds=CellKind("m", Mast, rules=(Rule("kill", "", "another"),))),
            "kind 'm': there is another rule 'kill' already",
        ),
        (
            lambda: crowd(cell_kinds=CellKind("m", Mast, rules=(Rule("feel", "", "a door"),))),
            "another rule 'feel'",
        ),
        (lambda: crowd().rules.payload_secretoin, "did you mean 'payload_secretion'"),
        (
            lambda: TumorModel(shape=(9, 9), tumor_cells=5).rules.payload_secretion,
            "no rule 'payload_secretion'",
        ),
        (lambda: setattr(crowd().rules, "payload_uptake", 1), "cannot be assigned to"),
        (lambda: crowd().concentration("paylod", [0]), "did you mean 'payload'"),
    ],
)
def test_what_is_declared_wrongly_is_refused_in_one_sentence(wrong, sentence):
    with pytest.raises(TumorLabError, match=sentence) as caught:
        wrong()
    assert "\n" not in str(caught.value)


def test_a_treatment_bends_the_rules_of_a_field_and_the_report_says_who():
    class Double(Treatment):
        def modify(self, rules, model):
            rules.payload_secretion.scale(2.0, kind="mast_cell")

    model = crowd(treatments=[Double()])
    model.step()
    assert str(model.rules.payload_secretion) == (
        "payload_secretion = 30 nM/h x 2 (double) = 60 nM/h"
    )
    assert {"payload_uptake", "degranulation", "kill"} <= set(dir(model.rules))
    assert model.rules.degranulation.value["mast_cell"] == 0.25
