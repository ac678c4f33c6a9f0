"""Why a tumour is gone before day 0, and what to do about it."""

from .scenario import Scenario


def gone(scenario: Scenario, arm: str) -> tuple[str, str]:
    """The reason why an arm has no tumour on day 0, and the remedy; a fork's tumour is the common one."""
    values = scenario.model_parameters(None if scenario.arms[arm].start == "fork" else arm)
    division, death = values["tumor.division_rate"], values["tumor.death_rate"]
    if scenario.tumor_cells is None and values["tumor.initial_cells"] < 1:
        return "no tumour cell was planted", "raise tumor.initial_cells"
    if death >= division:
        return (
            f"its cells died faster than they divided, {death:g} against {division:g} a day",
            "raise tumor.division_rate or lower tumor.death_rate",
        )
    if scenario.grow and scenario.grow.immune_cells:
        return (
            "immune cells eliminated it while it grew",
            "[grow] immune_cells = false keeps them out until day 0; a higher "
            "tumor.pdl1 or a lower tumor.antigen protects it",
        )
    return "its last cells died by chance", "raise tumor.initial_cells, or take another seed"
