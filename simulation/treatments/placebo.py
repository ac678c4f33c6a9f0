"""The smallest treatment: dosed and counted, and nothing else."""

from .base import Treatment
from .schedule import Schedule


class Placebo(Treatment):
    """An infusion without effect, every 3 weeks; its arm equals the control to the last bit."""

    schedule = Schedule(every="3 weeks")
