"""T cells of one kind whose clones see one of two peptides: two channels of one recognition."""

from simulation import CellAgent, CellKind, Recognition, Trait

ANTIGENS = ("antigen", "second_antigen")


class Clone(CellAgent):
    """A CD8 T cell that sees the antigen of its receptor."""

    kind = "clone"


def see_peptides(model, score, stimulus):
    """A row for each antigen, as T cells see the first."""
    half = model.parameters.t_cell.half_antigen
    for channel, antigen in enumerate(ANTIGENS):
        shown = model.cells[antigen] * model.cells["presented_mhc"]
        score[channel] = shown * shown / (half * half + shown * shown)
        stimulus[channel] = score[channel]


PEPTIDES = Recognition("peptides", "T-cell receptors on two peptides", see_peptides, channels=2)
CLONE = CellKind(
    "clone",
    agent=Clone,
    traits=(Trait("second_antigen"),),
    rates={
        "brake": "checkpoint.brake",
        "move": "t_cell.speed",
        "persistence": "t_cell.persistence",
        "squeeze": "t_cell.squeeze",
        "engage": "t_cell.engage_rate",
        "kill": "t_cell.kill_rate",
        "potency": 1,
        "detach": "t_cell.detach_rate",
        "exhaustion": "t_cell.exhaustion_rate",
        "sensitivity": "t_cell.sensitivity",
        "forgetting": "t_cell.forgetting_rate",
        "division": "t_cell.division_rate",
        "division_limit": "t_cell.division_limit",
        "death": "t_cell.death_rate",
    },
    engages={"tumor_cell": PEPTIDES},
    motile=True,
    driven=True,
    words="T-cell clones",
    color="#0064B4",
)
