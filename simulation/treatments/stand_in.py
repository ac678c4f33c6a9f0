"""A treatment of one's own as a folder describes it: everything that can be read about it, without its code."""

from typing import Any, ClassVar

from ..contract import Model
from ..kinds.kind import CellKind
from ..kinds.stand_in import description as of_kind
from ..kinds.stand_in import stand_in as kind_stand_in
from ..parameters.described import declared, described
from ..plug_ins import class_path
from .base import Treatment, TreatmentError
from .schedule import Schedule


class StandIn(Treatment):
    """A treatment of which the description is there and not the code; it can be read about, not given."""

    described: ClassVar[bool] = True
    """Whether its parameters are known."""

    @classmethod
    def takes(cls, name: str) -> bool:
        """Whether it has a parameter of that name; any, where none are described."""
        return not cls.described or super().takes(name)

    def set(self, **parameters: Any) -> None:
        """Take the values of what is described; words that its own constructor takes are passed over."""
        super().set(
            **{name: value for name, value in parameters.items() if name in self.parameters()}
        )

    def on_start(self, model: Model) -> None:
        """Raises TreatmentError: a description acts on no cell."""
        raise TreatmentError(
            f"{self.name} is only described here; without its code it cannot be given"
        )


def description(cls: type[Treatment]) -> dict[str, Any]:
    """What can be read about a treatment, as JSON holds it."""
    return {
        "class": class_path(cls),
        "meaning": cls.describe(),
        "schedule": cls.schedule.to_dict(),
        "parameters": described(cls),
    } | ({"kinds": [of_kind(kind) for kind in cls.kinds]} if cls.kinds else {})


def stand_in(path: str, about: dict[str, Any] | None = None) -> type[StandIn]:
    """The treatment called ``module:Class`` with that description; without one, a name alone. Raises TreatmentError."""
    nothing: dict[str, Any] = {
        "class": path,
        "meaning": "a treatment of your own",
        "schedule": {},
        "parameters": {},
    }
    known = nothing if about is None else about
    try:
        module, _, name = known["class"].partition(":")
        members: dict[str, Any] = {**declared(known["parameters"])}
        members |= {
            "__module__": module,
            "__doc__": known["meaning"],
            "schedule": Schedule.from_dict(known["schedule"]),
            "kinds": tuple(kind_stand_in(path, CellKind, each) for each in known.get("kinds", ())),
        }
        return type(name, (StandIn,), members | {"described": about is not None})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise TreatmentError(
            f"the description of treatment {path!r} is not what was written ({error})"
        ) from None
