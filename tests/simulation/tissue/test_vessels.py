"""Vessels that come and go while a model runs."""

import numpy as np
import pytest

from simulation import (
    CheckFailed,
    Process,
    Schedule,
    Treatment,
    TumorLabError,
    TumorModel,
    check_treatment,
)

from ...dish import dish
from .test_field_kinds import NUTRIENT, trace


def tissue(seed=2, **more):
    """A tumour of 31 x 31 sites with few vessels."""
    given = {"overrides": {"recruitment.vessel_density": 30}, **more}
    return TumorModel(shape=(31, 31), seed=seed, tumor_cells=300, **given)


def test_sprouts_bring_oxygen_as_if_they_had_always_been_there_and_no_field_is_emptied():
    grown, laid = tissue(fields=NUTRIENT), tissue(fields=NUTRIENT)
    for _ in range(10):
        grown.step()
    ahead = grown.fork()
    before = {name: field.values.copy() for name, field in grown.fields.items()}
    sprouts = grown.cells["site"][grown.rows("tumor_cell")][:40:4]
    assert grown.vessels.grow(sprouts) == 10 and grown.vessels.grow(sprouts) == 0
    for name, values in before.items():
        assert (grown.fields[name].values == values).all(), name
    for model in (grown, ahead):
        model.diffuse()
    laid.vessels.grow(sprouts)
    assert (
        grown.tissue.vessel_share(grown.tissue.fine) == laid.tissue.vessel_share(laid.tissue.fine)
    ).all()
    for name in ("oxygen", "nutrient"):
        more = grown.concentration(name, sprouts) - ahead.concentration(name, sprouts)
        assert more.min() > 0, f"more {name} at every sprout"
    assert (grown.fields["il2"].values == ahead.fields["il2"].values).all()
    assert grown.fields["oxygen"].values.max() <= 38.0 * (1 + 1e-6)


def test_to_grow_and_to_prune_again_leaves_no_trace():
    there, never = tissue(), tissue()
    for _ in range(12):
        sites = there.lattice.interior[::7]
        old = there.vessels.sites
        there.vessels.grow(sites)
        there.vessels.prune(np.setdiff1d(sites, old))
        there.step()
        never.step()
    assert (
        trace(there) == trace(never)
        and there.vessels.sites.tobytes() == never.vessels.sites.tobytes()
    )


def test_a_tissue_whose_vessels_were_all_pruned_suffocates():
    model = tissue()
    for _ in range(3):
        model.step()
    assert model.vessels.prune(model.vessels.sites) > 0 == len(model.vessels.sites)
    model.step()
    assert model.fields["oxygen"].values.max() < 1.0
    model.vessels.grow(model.lattice.interior[200])
    model.step()
    assert model.fields["oxygen"].values.max() > 20.0


def test_cells_come_in_where_vessels_are_now_and_as_many_as_before():
    """The influx per area is kept, two-sided within 4 standard errors, and nobody comes where no vessel is any more."""
    came, corner = [], []
    for seed in range(1, 9):
        model = dish(
            (41, 41),
            seed,
            {
                "t_cell.base_influx": 200,
                "recruitment.rim_share": 0,
                "recruitment.vessel_density": 50,
            },
            immune_cells=True,
        )
        model.vessels.prune(model.vessels.sites)
        model.vessels.grow(
            [model.lattice.site((x, y)) for x in range(5, 17, 2) for y in range(5, 17, 2)]
        )
        for _ in range(24):
            model.step()
        came.append(model.count("t_cell"))
        corner.append(model.lattice.coordinates(model.cells["site"][model.rows("t_cell")]).max())
    expected = 200 * model.lattice.extent
    assert abs(np.mean(came) - expected) < 4 * np.sqrt(expected / len(came)), (came, expected)
    assert max(corner) <= 15 + model.vessels.reach


class Infusion(Treatment):
    """Sixty T cells."""

    def on_dose(self, model, dose):
        model.infuse("t_cell", 60, by=self)


def test_an_infusion_enters_through_the_vessels_of_the_moment():
    model = dish((41, 41), 1, {"recruitment.vessel_density": 50})
    model.vessels.prune(model.vessels.sites)
    model.vessels.grow([model.lattice.site((x, 39)) for x in range(40)])
    model.give(Infusion())
    model.treat()
    assert model.count("t_cell") == 60
    assert (
        model.lattice.coordinates(model.cells["site"][model.rows("t_cell")])[:, 1].min()
        >= 39 - model.vessels.reach
    )


def sprout(model):
    """Tumour cells in want of oxygen call vessels, which fade elsewhere."""
    sites = model.cells["site"][model.rows("tumor_cell")]
    hungry = sites[model.concentration("oxygen", sites) < 10.0]
    model.vessels.grow(hungry[model.randomness.uniform("sprout", model.clock, hungry) < 0.05])
    old = model.vessels.sites
    model.vessels.prune(old[model.randomness.uniform("fade", model.clock, old) < 0.01])


SPROUT = Process("sprout", "settle", sprout)


def test_vessels_that_came_and_went_are_saved_and_forked(tmp_path):
    whole = tissue(processes=SPROUT)
    laid = whole.vessels.sites.copy()
    for _ in range(15):
        whole.step()
    assert not np.array_equal(whole.vessels.sites, laid)
    whole.save(tmp_path / "saved")
    copies = [whole.fork(), TumorModel.load(tmp_path / "saved")]
    for model in (whole, *copies):
        for _ in range(10):
            model.step()
    for copy in copies:
        assert copy.vessels.sites.tobytes() == whole.vessels.sites.tobytes()
        assert trace(copy) == trace(whole)
    other = whole.fork(seed=5)
    assert other.vessels.sites.tobytes() == whole.vessels.sites.tobytes(), "another seed keeps them"


class Starvation(Treatment):
    """An anti-angiogenic drug: after a dose vessels fade, each by a draw of its own."""

    schedule = Schedule(every="8 hours")

    def on_step(self, model):
        sites = model.vessels.sites
        draws = model.randomness.uniform(f"{self.prefix}.fade", model.clock, sites)
        model.vessels.prune(sites[draws < 0.2 * self.level(model, 6.0)])


class Meddler(Starvation):
    """Does it when rules are bent, which is no moment for it."""

    def modify(self, rules, model):
        model.vessels.grow(model.lattice.interior[:3])


def test_a_drug_may_prune_vessels_and_keeps_every_promise():
    check_treatment(Starvation)
    with pytest.raises(CheckFailed, match="calls model.vessels.grow"):
        check_treatment(Meddler)


@pytest.mark.parametrize("sites", [[0], [-5], [10**9], 0.5, [[1.0]], "here", [True], None])
@pytest.mark.parametrize("verb", ["grow", "prune"])
def test_what_is_no_site_of_the_tissue_is_refused_and_nothing_changes(verb, sites):
    model = tissue()
    before = model.vessels.sites
    with pytest.raises(TumorLabError, match=f"vessels.{verb} takes sites"):
        getattr(model.vessels, verb)(sites)
    assert model.vessels.sites is before


def test_in_blood_and_in_3d_vessels_come_and_go_as_well():
    for given in ({"parameters": "b_all", "shape": (15, 15)}, {"shape": (9, 9, 9)}):
        model = TumorModel(seed=1, tumor_cells=40, **given)
        model.vessels.prune(model.vessels.sites)
        model.step()
        without = model.fields["oxygen"].values.mean()
        model.vessels.grow(model.lattice.interior[::20])
        assert model.vessels.grow([]) == 0
        model.step()
        assert model.fields["oxygen"].values.mean() > without + 5
