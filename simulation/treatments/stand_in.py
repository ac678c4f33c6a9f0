"""A treatment of one's own as a folder describes it: everything that can be read about it, without its code."""

from typing import Any, ClassVar

from ..contract import Model
from ..parameters.parameter import Parameter
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
    parameters = {
        name: {
            "value": each.default,
            "unit": each.unit,
            "meaning": each.meaning,
            "source": each.source,
            "range": [each.low, each.high],
            "integer": each.integer,
        }
        for name, each in cls.parameters().items()
    }
    return {
        "class": class_path(cls),
        "meaning": cls.describe(),
        "schedule": cls.schedule.to_dict(),
        "parameters": parameters,
    }


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
        members: dict[str, Any] = {
            key: Parameter(**each) for key, each in known["parameters"].items()
        }
        members |= {
            "__module__": module,
            "__doc__": known["meaning"],
            "schedule": Schedule.from_dict(known["schedule"]),
        }
        return type(name, (StandIn,), members | {"described": about is not None})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise TreatmentError(
            f"the description of treatment {path!r} is not what was written ({error})"
        ) from None
