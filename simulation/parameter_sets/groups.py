"""The parameters every model has, with the values that the named sets start from."""

from ..parameters.parameter import Parameter, ParameterGroup, Parameters

MODEL = "assumed: tried together with the other contact rules so that killing falls in the measured range"


class TumorParameters(ParameterGroup):
    """Tumour cells: what they show, how they grow, how they change."""

    initial_cells = Parameter(500, "cells", "tumour cells at the start, as a disc in the middle",
                              source="assumed: a nodule of about 0.4 mm", range=(0, 10_000_000), integer=True)
    antigen = Parameter(1.0, "1", "mean antigen; 1 is about 30 peptide-MHC a cell at full MHC-I",
                        source="Purbhoo2004", range=(0, 10))
    antigen_spread = Parameter(0.3, "1", "sigma of ln antigen between cells at the start",
                               source="assumed: 0.3 to 0.6 measured within cell lines, 0.8 to 1.2 between",
                               range=(0, 2))
    antigen_negative_share = Parameter(0.0, "1", "share of cells without antigen at the start",
                                       source="assumed: pre-existing negatives are 0.1 to 20 % where reported",
                                       range=(0, 1))
    car_target = Parameter(1.0, "1", "mean CAR target; 1 is 10^4 molecules a cell",
                           source="Majzner2018", range=(0, 100))
    car_target_spread = Parameter(0.3, "1", "sigma of ln CAR target between cells at the start",
                                  source="assumed: as for antigen", range=(0, 2))
    car_target_negative_share = Parameter(0.0, "1", "share of cells without CAR target at the start",
                                          source="assumed: as for antigen", range=(0, 1))
    mhc = Parameter(1.0, "1", "mean MHC-I capacity", source="assumed: 1 is the normal of the tissue", range=(0, 1))
    pdl1 = Parameter(0.1, "1", "mean constitutive PD-L1; 1 is strongly positive", source="assumed: PD-L1-low disease",
                     range=(0, 10))
    pdl1_spread = Parameter(0.3, "1", "sigma of ln PD-L1 between cells at the start", source="assumed: as for antigen",
                            range=(0, 2))
    pdl1_induced = Parameter(0.5, "1", "PD-L1 added by saturating interferon", source="Hoekstra2020", range=(0, 10))
    mhc_resting = Parameter(0.5, "1", "share of MHC-I capacity shown without interferon",
                            source="assumed: interferon raises surface MHC-I two- to ten-fold", range=(0, 1))
    stress_ligand = Parameter(0.5, "1", "mean ligand for activating NK receptors",
                              source="assumed: half-effect 10^3 to 10^4 molecules, measured poorly", range=(0, 10))
    stress_ligand_spread = Parameter(0.3, "1", "sigma of ln stress ligand between cells at the start",
                                     source="assumed: as for antigen", range=(0, 2))
    mutation_spread = Parameter(0.05, "1", "sigma of the log-normal step of a daughter's antigen, target, PD-L1, ligand",
                                source="assumed: small against the spread between cells", range=(0, 1))
    antigen_loss = Parameter(1e-5, "1", "probability per daughter that antigen is lost for good",
                             source="assumed: measured 1e-6 to 1e-4 per division", range=(0, 0.1))
    car_target_loss = Parameter(1e-5, "1", "probability per daughter that the CAR target is lost for good",
                                source="assumed: measured 1e-6 to 1e-4 per division", range=(0, 0.1))
    mhc_loss = Parameter(1e-5, "1", "probability per daughter that MHC-I is lost for good",
                         source="assumed: measured 1e-6 to 1e-4 per division", range=(0, 0.1))
    mhc_halving = Parameter(1e-5, "1", "probability per daughter that MHC-I capacity is halved",
                            source="assumed: as loss; HLA loss of one copy is found in 17 % of cancers", range=(0, 0.1))
    division_rate = Parameter(0.69, "1/day", "divisions of a cell with room and oxygen in plenty",
                              source="assumed: mouse tumours double in 1 to 3 days", range=(0, 5))
    death_rate = Parameter(0.10, "1/day", "spontaneous death",
                           source="assumed: 0.05 to 0.3 gives loss factors of 0.3 to 0.7",
                           range=(0, 5))
    interferon_arrest = Parameter(0.5, "1", "share of division lost at saturating interferon", source="Beck2019",
                                  range=(0, 1))
    oxygen_half = Parameter(15, "mmHg", "oxygen at which division is half as fast", source="PhysiCell", range=(0, 100))
    necrosis_threshold = Parameter(5, "mmHg", "oxygen below which cells die of hypoxia",
                                   source="PhysiCell", range=(0, 100))
    necrosis_rate = Parameter(0.7, "1/day", "death below that threshold", source="assumed: most die within two days",
                              range=(0, 10))
    repair_rate = Parameter(1.2, "1/hour", "repair of one unit of damage", source="Weigelin2021", range=(0, 60))
    lethal_hits = Parameter(3, "hits", "damage at which a cell dies",
                            source="Weigelin2021", range=(1, 100), integer=True)
    chemokine_secretion = Parameter(30, "1/hour", "chemokine made without interferon, half-effects in the cell's own site",
                                    source="assumed: inflamed tumours lure T cells from some hundred um",
                                    range=(0, 1000))
    chemokine_induced = Parameter(60, "1/hour", "further chemokine at saturating interferon",
                                  source="assumed: CXCL9 and CXCL10 are interferon-induced", range=(0, 1000))
    oxygen_uptake = Parameter(10, "1/minute", "oxygen consumed in packed tissue", source="PhysiCell", range=(0, 100))


class LymphocyteParameters(ParameterGroup):
    """What T and NK cells share; each kind restates what differs."""

    initial_density = Parameter(0, "cells/mm2", "cells scattered over the tissue at the start (per mm3 in 3-D)",
                                source="assumed: set by the disease", range=(0, 4000))
    base_influx = Parameter(0, "cells/mm2/day", "cells that enter without antigen release (per mm3 in 3-D)",
                            source="assumed: set by the disease", range=(0, 1000))
    influx_gain = Parameter(0, "cells/mm2/day", "further cells that enter at saturating antigen release",
                            source="assumed: set by the disease", range=(0, 1000))
    speed = Parameter(4, "um/minute", "speed of a searching cell", source="Boissonnas2007", range=(0, 30))
    persistence = Parameter(0.7, "1", "probability of keeping the heading at each step",
                            source="assumed: persistence of a few minutes in tissue", range=(0, 1))
    chemokine_bias = Parameter(0.3, "1", "probability of heading up the chemokine where it saturates",
                               source="assumed: PhysiCell uses 0.5", range=(0, 1))
    squeeze = Parameter(0.05, "1", "probability that a step onto a tumour cell exchanges places",
                        source="assumed: a packed tumour would be impenetrable without", range=(0, 1))
    engage_rate = Parameter(12, "1/hour", "contacts with a fully recognised neighbour",
                            source="PhysiCell", range=(0, 600))
    kill_rate = Parameter(2, "1/hour", "lytic hits of an engaged cell", source=MODEL, range=(0, 600))
    potency = Parameter(1, "hits", "damage units of one hit", source="Weigelin2021", range=(1, 100), integer=True)
    detach_rate = Parameter(1.5, "1/hour", "contacts that end by themselves; 40 minutes when the kill fails",
                            source="Jenkins2015", range=(0, 600))
    exhaustion_rate = Parameter(0.25, "1/day", "plastic exhaustion while engaged with a fully recognised cell",
                                source="assumed: dysfunction starts in the first days", range=(0, 10))
    recovery_rate = Parameter(0.2, "1/day", "recovery from plastic exhaustion", source="assumed: days", range=(0, 10))
    fixation_rate = Parameter(0.05, "1/day", "plastic exhaustion becoming fixed",
                              source="assumed: fixed by about two weeks (Philip 2017 has the states, not the rate)",
                              range=(0, 10))
    division_rate = Parameter(0.5, "1/day", "divisions of a fully stimulated cell",
                              source="assumed: 8 to 24 h in a lymph node, far slower in tumours",
                              range=(0, 5))
    division_limit = Parameter(4, "divisions", "divisions without IL-2",
                               source="Marchingo2014", range=(0, 50), integer=True)
    il2_divisions = Parameter(7, "divisions", "further divisions at saturating IL-2",
                              source="Marchingo2014", range=(0, 50))
    il2_drive = Parameter(0.5, "1", "drive to divide from saturating IL-2 alone",
                          source="assumed: high-dose IL-2 expands lymphocytes without antigen", range=(0, 1))
    sensitivity = Parameter(1, "1", "stimulation from a share of time in stimulating contact; it saturates at 1",
                            source="assumed: in tissue, contact all the time stimulates fully", range=(0, 100))
    forgetting_rate = Parameter(1.41, "1/day", "fading of stimulation; a memory of 17 hours",
                                source="assumed: about one day",
                                range=(0.01, 100))
    death_rate = Parameter(0.2, "1/day", "death; its inverse is the lifespan in tissue", source="SPQSP", range=(0, 5))
    ifn_gamma_secretion = Parameter(40, "1/hour", "IFN-gamma of an active cell, half-effects in its own site",
                                    source="assumed: one active cell in a hundred sites then gives about one half-effect",
                                    range=(0, 1000))
    il2_secretion = Parameter(0, "nM/hour", "IL-2 of an active cell in its own site",
                              source="assumed: none", range=(0, 1000))
    il2_uptake = Parameter(54, "1/hour", "IL-2 cleared by one cell; 51 um3/s from a site of 15 um", source="Busse2010",
                           range=(0, 10_000))
    oxygen_uptake = Parameter(1, "1/minute", "oxygen consumed in packed tissue",
                              source="assumed: a tenth of a tumour cell",
                              range=(0, 100))


class TCellParameters(LymphocyteParameters):
    """CD8 T cells."""

    initial_density = Parameter(20, "cells/mm2", "cells scattered over the tissue at the start (per mm3 in 3-D)",
                                source="assumed: before the tumour is noticed", range=(0, 4000))
    base_influx = Parameter(5, "cells/mm2/day", "cells that enter without antigen release (per mm3 in 3-D)",
                            source="assumed: inflamed tissue; density is about influx x lifespan", range=(0, 1000))
    influx_gain = Parameter(25, "cells/mm2/day", "further cells that enter at saturating antigen release",
                            source="assumed: gives a few hundred CD8 a mm2 in inflamed tumours", range=(0, 1000))
    half_antigen = Parameter(0.3, "1", "antigen x presented MHC-I of half recognition, about 10 peptide-MHC",
                             source="Purbhoo2004", range=(0.001, 10))
    bystander_share = Parameter(0.0, "1", "share of entering T cells that do not know the tumour",
                                source="assumed: cells are counted as tumour-specific", range=(0, 1))
    il2_secretion = Parameter(17.7, "nM/hour", "IL-2 of an active cell in its own site; 10 molecules a second",
                              source="assumed: measured 1 to 100 molecules a second", range=(0, 1000))


class CarTCellParameters(LymphocyteParameters):
    """CAR T cells."""

    half_lysis = Parameter(0.03, "1", "CAR target of half recognition for lysis, about 300 molecules",
                           source="Watanabe2015", range=(0.0001, 10))
    half_drive = Parameter(0.3, "1", "CAR target of half stimulation, ten times more than for lysis",
                           source="Watanabe2015", range=(0.0001, 10))
    division_rate = Parameter(0.9, "1/day", "divisions of a fully stimulated cell",
                              source="assumed: doubling in about 0.8 days",
                              range=(0, 5))
    division_limit = Parameter(12, "divisions", "divisions without IL-2",
                               source="assumed: expansion a thousand-fold and more in patients",
                               range=(0, 50), integer=True)
    il2_divisions = Parameter(3, "divisions", "further divisions at saturating IL-2",
                              source="assumed: less dependent than CD8",
                              range=(0, 50))
    death_rate = Parameter(0.15, "1/day", "death; contraction half-life about 4.3 days",
                           source="assumed: Stein 2019 as remembered",
                           range=(0, 5))
    il2_secretion = Parameter(17.7, "nM/hour", "IL-2 of an active cell in its own site; 10 molecules a second",
                              source="assumed: as CD8", range=(0, 1000))
    exhaustion_rate = Parameter(0.08, "1/day", "plastic exhaustion while engaged with a fully recognised cell",
                                source="assumed: a 4-1BB CAR tires more slowly than a CD8 receptor", range=(0, 10))
    fixation_rate = Parameter(0.02, "1/day", "plastic exhaustion becoming fixed", source="assumed: as its exhaustion",
                              range=(0, 10))


class NKCellParameters(LymphocyteParameters):
    """Natural killer cells."""

    initial_density = Parameter(5, "cells/mm2", "cells scattered over the tissue at the start (per mm3 in 3-D)",
                                source="assumed: NK cells are rare in tumours", range=(0, 4000))
    base_influx = Parameter(1, "cells/mm2/day", "cells that enter without antigen release (per mm3 in 3-D)",
                            source="assumed: NK cells are rare in tumours", range=(0, 1000))
    influx_gain = Parameter(2, "cells/mm2/day", "further cells that enter at saturating antigen release",
                            source="assumed: as rare as before", range=(0, 1000))
    chemokine_bias = Parameter(0.05, "1", "probability of heading up the chemokine where it saturates",
                               source="assumed: NK cells stay in the stroma more than T cells do", range=(0, 1))
    half_mhc = Parameter(0.15, "1", "presented MHC-I of half inhibition", source="Brodin2010", range=(0.001, 1))
    engage_rate = Parameter(0.6, "1/hour", "contacts with a fully activating neighbour",
                            source="assumed: contacts in tumours are transient", range=(0, 600))
    kill_rate = Parameter(2, "1/hour", "lytic hits of an engaged cell", source=MODEL, range=(0, 600))
    potency = Parameter(3, "hits", "damage units of one hit: one NK hit is lethal",
                        source="assumed: the kill rate counts whole kills", range=(1, 100), integer=True)
    detach_rate = Parameter(0.9, "1/hour", "contacts that end by themselves; 68 minutes when the kill fails",
                            source="Jenkins2015", range=(0, 600))
    capacity = Parameter(5, "1", "kills before granules are spent", source="Bhat2007", range=(1, 100))
    refill_rate = Parameter(1, "1/day", "kills regained",
                            source="assumed: days to refill; IL-2 restores", range=(0, 100))
    il2_refill = Parameter(3, "1", "how many times faster at saturating IL-2, beyond 1",
                           source="assumed: IL-2 restores",
                           range=(0, 100))
    exhaustion_rate = Parameter(0, "1/day", "plastic exhaustion while engaged",
                                source="assumed: limited by granules instead",
                                range=(0, 10))
    division_rate = Parameter(0.5, "1/day", "divisions of a fully stimulated cell",
                              source="assumed: as CD8", range=(0, 5))
    il2_drive = Parameter(1.0, "1", "drive to divide from saturating IL-2 alone",
                          source="assumed: NK cells carry the intermediate IL-2 receptor without activation",
                          range=(0, 1))
    death_rate = Parameter(0.1, "1/day", "death", source="assumed: turnover of 5 to 15 days", range=(0, 5))
    ifn_gamma_secretion = Parameter(20, "1/hour", "IFN-gamma of an active cell, half-effects in its own site",
                                    source="assumed: half of a T cell", range=(0, 1000))
    il2_uptake = Parameter(5, "1/hour", "IL-2 cleared by one cell",
                           source="assumed: a tenth of the receptors of a T cell",
                           range=(0, 10_000))


class Checkpoint(ParameterGroup):
    """PD-1 on lymphocytes and PD-L1 on what they hold."""

    brake = Parameter(0.45, "1", "probability that a hit is lost and the contact ends, at full signal",
                      source="assumed: full engagement then lowers killing by 50 to 90 %", range=(0, 1))
    half_pdl1 = Parameter(0.5, "1", "shown PD-L1 of half inhibition (Hill 2)", source="QSPIO", range=(0.001, 10))
    exhaustion_gain = Parameter(2, "1", "how much faster a fully inhibited cell exhausts",
                                source="assumed: dysfunction is faster",
                                range=(0, 20))
    max_occupancy = Parameter(0.85, "1", "most of a receptor that antibodies cover", source="Brahmer2010", range=(0, 1))


class Recruitment(ParameterGroup):
    """How immune cells come in."""

    vessel_density = Parameter(100, "vessels/mm2", "entry points (per mm3 in 3-D)",
                               source="assumed: 50 to 200 microvessels a mm2 in tumours", range=(0, 1000))
    rim_share = Parameter(0.0, "1", "share of arrivals that come over the rim of the patch instead",
                          source="assumed: a patch inside a tumour", range=(0, 1))
    entry_reach = Parameter(45, "um", "how far from an entry a free site may lie", source="assumed: perivascular space",
                            range=(0, 300))
    half_release = Parameter(20, "deaths/mm2/day", "antigen-weighted deaths of half the gain",
                             source="assumed: a few per cent of a packed tumour a day", range=(0.01, 10_000))
    delay = Parameter(4, "day", "from antigen release to arrival",
                      source="assumed: effectors arrive day 5 to 8 in mice",
                      range=(0, 30))
    memory = Parameter(3, "day", "how long release is remembered", source="assumed: days", range=(0.1, 60))


class Fields(ParameterGroup):
    """Substances between cells."""

    ifn_gamma_diffusion = Parameter(50, "um2/second", "diffusion of IFN-gamma",
                                    source="assumed: 20 to 100 for its size", range=(0, 1000))
    ifn_gamma_decay = Parameter(7.7, "1/day", "loss of IFN-gamma; with diffusion a reach of 750 um",
                                source="QSPIO", range=(0, 1000))
    il2_diffusion = Parameter(10, "um2/second", "diffusion of IL-2", source="Busse2010", range=(0, 1000))
    il2_decay = Parameter(0.2, "1/minute", "loss of IL-2", source="QSPIO", range=(0, 100))
    il2_half = Parameter(0.32, "nM", "IL-2 of half effect on expansion", source="Marchingo2014", range=(0.001, 100))
    chemokine_diffusion = Parameter(30, "um2/second", "diffusion of CXCL9 and CXCL10",
                                    source="assumed: 10 to 100 for their size", range=(0, 1000))
    chemokine_decay = Parameter(1, "1/hour", "loss of chemokine; with diffusion a reach of 330 um",
                                source="assumed: 1 to 10 an hour", range=(0, 1000))
    oxygen_diffusion = Parameter(1667, "um2/second", "diffusion of oxygen", source="PhysiCell", range=(0, 100_000))
    oxygen_decay = Parameter(0.1, "1/minute", "background use of oxygen", source="PhysiCell", range=(0, 100))
    oxygen_supply = Parameter(1000, "1/minute", "exchange of one vessel with its site",
                              source="assumed: a vessel holds its site near its own level", range=(0, 100_000))
    oxygen_vessel = Parameter(38, "mmHg", "oxygen in vessels", source="PhysiCell", range=(0, 150))


def all_groups() -> Parameters:
    """A fresh set of all groups with their default values."""
    return Parameters(
        {
            "tumor": TumorParameters(),
            "t_cell": TCellParameters(),
            "car_t_cell": CarTCellParameters(),
            "nk_cell": NKCellParameters(),
            "checkpoint": Checkpoint(),
            "recruitment": Recruitment(),
            "fields": Fields(),
        }
    )
