"""The tables of a sweep file: what varies, what is kept, and what is made of it."""

from typing import Literal

from pydantic import Field

from experiments.scenarios.toml_tables import Table, Value


def axis_table(table: object) -> object:
    """A list of values stands for a table that holds it."""
    return {"values": table} if isinstance(table, list) else table


class Vary(Table):
    """How one parameter varies: a list of values, or a range; with neither, over the parameter's own range."""

    values: list[Value] | None = Field(None, description="a list of values")
    low: Value | None = Field(None, description="a number in the declared unit")
    high: Value | None = Field(None, description="a number in the declared unit")
    scale: Literal["linear", "log"] = Field("linear", description='"linear" or "log"')
    steps: int | None = Field(None, ge=2, description="a whole number of at least 2")


class Precision(Table):
    """How exactly an outcome is wanted; a pilot says beforehand how many seeds that takes."""

    arm: str = Field(description="the name of an arm")
    quantity: str = Field("effect", description="a column of the outcomes")
    width: float = Field(gt=0, description="half the width of a 95 % interval, above 0")
    pilot: int = Field(5, ge=3, description="a whole number of seeds, at least 3")


class Sensitivity(Table):
    """Which outcomes a Morris or Saltelli design explains."""

    arm: str = Field(description="the name of an arm")
    quantities: list[str] = Field(["effect"], min_length=1, description="columns of the outcomes")


class Surface(Table):
    """Two doses of one arm, looked at as a surface; doses of 0 stand for the drugs alone."""

    arm: str = Field(description="the name of the arm that has both drugs")
    x: str = Field(description="a dotted name that varies")
    y: str = Field(description="a dotted name that varies")
    quantity: str = Field("end_cells", description="a column of the outcomes")
    level: float = Field(
        0.5, gt=0, lt=1, description="the share removed of the middle isobole, between 0 and 1"
    )
    sham: bool = Field(
        True,
        description="true or false: whether each drug is also run with a copy of itself, as a null",
    )


class Schedules(Table):
    """Regimens of one arm, ranked."""

    arm: str = Field(description="the name of an arm")
    quantity: str = Field("effect", description="a column of the outcomes; less is better")
