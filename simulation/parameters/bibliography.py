"""The papers, labels and published models that parameters rely on, and what each is relied on for."""

from collections.abc import Iterable

BIBLIOGRAPHY: dict[str, str] = {
    # killing by T cells
    "Weigelin2021": "Weigelin 2021, Nat Commun: three serial hits within 50 min kill a solid tumour cell",
    "Halle2016": "Halle 2016, Immunity 44:233: 2 to 16 kills per T cell and day in vivo; killing cooperates",
    "Breart2008": "Breart 2008, J Clin Invest 118:1390: one T cell needs 6 h per cell of a solid tumour",
    "Jenkins2015": "Jenkins 2015, J Exp Med 212:307: contacts end 8.5 min after a kill, after 38 to 42 min without",
    "Ronteix2022": "Ronteix 2022, Nat Commun 13:3111: the first T cells speed the recruitment of the others",
    "Liadi2013": "Liadi 2013, SITC P36: kills by single CD19 CAR T cells in nanowells within 6 h",
    "Liadi2015": "Liadi 2015: activation-induced death of CAR T cells after restimulation",
    "Graw2009": "Graw and Regoes 2009, PLoS Comput Biol: killing saturates in the number of T cells",
    "Ganusov2011": "Ganusov and De Boer 2011, PLoS ONE: mass action over a 1000-fold range of effectors in spleen",
    "Budhu2010": "Budhu 2010, J Exp Med 207:223: T-cell density that holds B16 melanoma in a gel",
    "Beck2019": "Beck 2019, Cancer Res: contact killing alone does not regress EG7; IFN-gamma arrest is needed",
    "Khazen2019": "Khazen 2019, Sci Rep 9: per-capita killing is higher at lower T-cell density",
    "Regoes2007": "Regoes 2007, PNAS 104:1599: target half-lives in mouse spleen",
    "Yates2007": "Yates 2007, PLoS ONE: effectors kill about twice as fast as memory T cells",
    "Vasconcelos2015": "Vasconcelos 2015: differences in killing between single T cells",
    "Kuznetsov1994": "Kuznetsov 1994: intrinsic growth of BCL1 lymphoma",
    # movement, life and exhaustion of T cells
    "Textor2011": "Textor 2011, PNAS: random walk of naive T cells in lymph nodes",
    "Miller2002": "Miller 2002, 2003: speed and motility coefficient of T cells in lymph nodes",
    "Torres2023": "Torres 2023, eLife 84916: activated CD8 T cells move at 2 to 10 um/min in tissues",
    "Boissonnas2007": "Boissonnas 2007, J Exp Med: T cells arrest on antigen-positive cells, then migrate on",
    "Mrass2006": "Mrass 2006: speed of T cells in tumours",
    "Salmon2012": "Salmon 2012: T cells are slow in dense stroma of human lung tumours",
    "Beltman": "Beltman: persistence time of moving T cells",
    "Yoon2010": "Yoon 2010, PLoS ONE: first divisions of CD8 T cells can take as little as 2 h",
    "Mishima2014": "Mishima 2014: lag and first cycles of CD4 T cells",
    "Whitmire2008": "Whitmire 2008, PLoS Pathog: proliferation starts about 3 d after infection",
    "Marchingo2014": "Marchingo 2014: division destiny with costimulation and IL-2; IL-2 half-effect 0.32 nM",
    "Philip2017": "Philip 2017, Nature: exhaustion is first plastic, then fixed",
    "Schietinger2016": "Schietinger 2016: exhaustion becomes fixed between about day 8 and 14",
    "Boldajipour2016": "Boldajipour 2016, JCI Insight: dysfunction starts in the first days in the tumour",
    "Siddiqui2019": "Siddiqui 2019: progenitor-exhausted cells carry the response to PD-1 blockade",
    "Miller2019": "Miller 2019: progenitor-exhausted cells carry the response to PD-1 blockade",
    # antigen
    "Purbhoo2004": "Purbhoo 2004, Nat Immunol: 3 peptide-MHC for killing, about 10 for a mature synapse",
    "Sykulev1996": "Sykulev 1996, Immunity: half-maximal lysis at about 3 peptide-MHC per target",
    "Watanabe2015": "Watanabe 2015, J Immunol: CAR lysis needs about 200 molecules, cytokines about ten times more",
    "Majzner2018": "Majzner 2018, Blood 132:963: about 2,000 CD19 per blast for cytokine and response",
    "Majzner2020": "Majzner 2020, Cancer Discov: the CAR's design sets the antigen it needs",
    "Walker2017": "Walker 2017, Mol Ther: antigen and CAR density both set CAR T efficacy",
    "Harris2018": "Harris 2018: CARs are less sensitive than T-cell receptors",
    "Gudipati2020": "Gudipati 2020: CARs are less sensitive than T-cell receptors",
    "Burton2023": "Burton 2023: CARs are less sensitive than T-cell receptors",
    "Fry2018": "Fry 2018: CD22 density falls at relapse after CD22 CAR T cells",
    # NK cells
    "Vanherberghen2013": "Vanherberghen 2013, Blood: a minority of NK cells does most of the killing",
    "Guldevall2016": "Guldevall 2016, Front Immunol: most resting NK cells do not kill, some kill three or more",
    "Bhat2007": "Bhat and Watzl 2007: an NK cell kills 4 to 7 targets before it is spent; IL-2 restores it",
    "Choi2013": "Choi and Mitchison 2013: serial killing by NK cells",
    "Deguine2010": "Deguine 2010, Immunity: NK contacts in tumours are transient, T-cell contacts stable",
    "dePillis": "de Pillis: NK kill constants with and without NKG2D ligand",
    "Brodin2010": "Brodin 2010, PLoS ONE: MHC-I well below half of normal is still tolerated by NK cells",
    "Joncker2009": "Joncker 2009: NK responsiveness scales with inhibitory receptors for self MHC",
    "Ichise2022": "Ichise 2022, as told by eLife: NK cells patrolling lung capillaries",
    # PD-1, PD-L1, CTLA-4 and antibodies
    "Cheng2013": "Cheng 2013: affinity of PD-1 for PD-L1 and PD-L2",
    "vanderMerwe1997": "van der Merwe 1997: affinity of CD28 for its ligands",
    "Collins2002": "Collins 2002: affinity of CD28 for its ligands",
    "Wang2014": "Wang 2014: affinity and blocking potency of nivolumab",
    "Brown2020": "Brown 2020: affinity of checkpoint antibodies, as used in QSPIO",
    "Jafarnejad2019": "Jafarnejad 2019: half-inhibition by the PD-1/PD-L1 complex, Hill coefficient 2",
    "Shin2017": "Shin 2017: PD-L1 under IFN-gamma, as used in QSPIO",
    "Mimura2018": "Mimura 2018: PD-L1 under IFN-gamma, as used in QSPIO",
    "Hsu2018": "Hsu 2018: PD-L1 under IFN-gamma, as used in QSPIO",
    "Chen2019": "Chen, Topalian 2019, JITC: time course of PD-L1 under IFN-gamma in 32 tumour lines",
    "Brahmer2010": "Brahmer 2010, J Clin Oncol: PD-1 occupancy by nivolumab stays above 70 % for two months",
    "Thurber2008": "Thurber 2008: antibodies spread unevenly in tumours",
    # substances
    "Busse2010": "Busse 2010, PNAS: diffusion and range of IL-2",
    "Thurley2015": "Thurley 2015, PLoS Comput Biol: IL-2 acts over a few cell diameters",
    "OylerYaniv2017": "Oyler-Yaniv 2017: size of cytokine niches",
    "Francis1997": "Francis and Palsson 1997: range and set-up time of signals between cells",
    "Lotze1985": "Lotze 1985: clearance of IL-2 from serum",
    "Hofstra1998": "Hofstra 1998: degradation of IFN-gamma",
    "Hoekstra2020": "Hoekstra 2020, Nat Cancer: IFN-gamma spreads more than 800 um through a tumour",
    "Thibaut2020": "Thibaut 2020, Nat Cancer: bystander cells change after several hours of IFN-gamma",
    "AltanBonnet2019": "Altan-Bonnet 2019: half-effects of IL-10 and IL-12",
    # tumours: growth, infiltration, escape
    "Melanoma-xenograft": "Human melanoma in nude mice (scilit dcff0139): cycle 34 to 44 h, loss 52 to 69 %",
    "B16-mitoses": "B16 melanoma in vivo, colchicine (scilit 77246a18): doubling in 2.8 d",
    "Conger1983": "Conger 1983: spheroids grow linearly in radius with a proliferating rim",
    "Liver-metastases1988": "Br J Surg 1988;75:641: doubling times of 29 colorectal liver metastases",
    "Abramczyk2015": "Abramczyk 2015: diameter of tumour cells",
    "Chapman1981": "Chapman 1981: diameter of T cells",
    "DelMonte2009": "Del Monte 2009: number of cells in a millilitre of tumour",
    "Barnes2016": "Barnes 2016: density of tumour cells",
    "Erdag2012": "Erdag 2012: immune infiltrates of melanoma metastases",
    "Tumeh2014": "Tumeh 2014: CD8 density at the invasive margin and response to PD-1 blockade",
    "Galon": "Galon: CD8 density in colorectal cancer",
    "Aasebo2021": "Aasebo 2021, Br J Cancer: CD8 density and microsatellite instability",
    "SadeFeldman2017": "Sade-Feldman 2017: B2M loss in melanoma under checkpoint blockade",
    "Zaretsky2016": "Zaretsky 2016: JAK1, JAK2 and B2M loss in late relapse",
    "McGranahan2017": "McGranahan 2017: HLA loss in 40 % of lung cancers",
    "Montesion2021": "Montesion 2021: HLA loss in 17 % of 83,644 tumours",
    "Wang2017": "Wang 2017, Cancer Immunol Res: acquired resistance to PD-1 blockade",
    # CAR T cells in patients
    "Mueller2017": "Mueller 2017: kinetics of tisagenlecleucel",
    "Mueller2018": "Mueller 2018, Clin Cancer Res: peak and exposure of tisagenlecleucel in responders",
    "Stein2019": "Stein 2019, CPT-PSP: doubling 0.78 d, contraction half-life 4.3 d, terminal half-life 220 d",
    "ZUMA-1": "ZUMA-1, five-year report: axicabtagene ciloleucel, 2 million cells per kg",
    "ZUMA-12": "ZUMA-12: axicabtagene ciloleucel peaks at day 8 (median)",
    "JULIET": "JULIET, kinetics: persistence of tisagenlecleucel in lymphoma",
    "PMC10294746": "PMC10294746, Table 1: doses of tisagenlecleucel",
    "Davila": "Davila: 19-28z CAR T cells, 3 million per kg",
    # labels and drug guides
    "label:pembrolizumab": "Label of pembrolizumab: 200 mg every 3 weeks or 400 mg every 6 weeks; half-life 22 d",
    "label:nivolumab": "Label and drug guide of nivolumab: 240 mg every 2 weeks; half-life 25 to 26.7 d",
    "label:atezolizumab": "Label of atezolizumab: 1200 mg every 3 weeks; half-life 27 d",
    "label:ipilimumab": "Label of ipilimumab: 3 mg/kg every 3 weeks x 4; half-life 15.4 d",
    "label:aldesleukin": "Label of aldesleukin: 600,000 IU/kg every 8 h x 14, 9 d rest, again; half-life 85 min",
    "label:interferon_alfa_2b": "Label of interferon alfa-2b: 20 MIU/m2 5 days a week; half-life 2 to 3 h",
    "label:peginterferon_alfa_2b": "Label of peginterferon alfa-2b: 6 ug/kg weekly x 8, then 3; half-life 22 to 60 h",
    "label:tisagenlecleucel": "Label of tisagenlecleucel: one infusion, 0.2 to 5 million CAR T cells per kg",
    "label:axicabtagene_ciloleucel": "Label of axicabtagene ciloleucel: one infusion, 2 million CAR T cells per kg",
    "label:rituximab": "Label of rituximab: 375 mg/m2 weekly x 4; half-life 22 d",
    # response on scans
    "RECIST1.1": "RECIST 1.1: response evaluation criteria in solid tumours, one diameter per lesion",
    "iRECIST": "iRECIST: a first progression under immunotherapy waits for confirmation at 4 to 8 weeks",
    "C-144-01": "C-144-01: trial of lifileucel in melanoma, median target sum of diameters 97.8 mm",
    # published models
    "PhysiCell": "PhysiCell, sample project cancer_immune (github MathCancer/PhysiCell)",
    "Kather2017": "Kather 2017, lattice model of colorectal cancer (github jnkather/immunoABM)",
    "SPQSP": "SPQSP_IO, lattice model of lung cancer (Gong, Popel; github popellab/SPQSP_IO)",
    "SPQSP_PDAC": "SPQSP_PDAC, lattice model of pancreatic cancer (Popel)",
    "QSPIO": "QSPIO-TNBC, compartment model of breast cancer and its parameter file",
    "RobertsonTessi": "Robertson-Tessi, model of tumour and immune system, as used in QSPIO",
}


def keys_in(source: str) -> list[str]:
    """The bibliography keys in a parameter's source: ``"Halle2016: kills per day; Breart2008"`` names two."""
    return list(dict.fromkeys(key for key in _first_words(source) if key in BIBLIOGRAPHY))


def is_known(source: str) -> bool:
    """Whether every part of a source is a key of the bibliography, up to a part ``assumed: the reason``."""
    named, assumed, reason = source.partition("assumed:")
    words = _first_words(named)
    return all(key in BIBLIOGRAPHY for key in words) and (
        bool(reason.strip()) if assumed else bool(words)
    )


def references(sources: Iterable[str]) -> list[str]:
    """Each paper that any of the sources names, once, in alphabetical order."""
    keys = {key for source in sources for key in keys_in(source)}
    return sorted(f"{BIBLIOGRAPHY[key]} [{key}]" for key in keys)


def _first_words(source: str) -> list[str]:
    return [part.split()[0].rstrip(":,") for part in source.split(";") if part.strip()]
