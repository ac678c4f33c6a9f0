"""Treatments, one file per family, each written with the public interface alone."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType

from ..parameters.given import quoted, shortened
from ..parameters.parameter import nearest
from ..plug_ins import at
from .base import Treatment, TreatmentError, snake_case
from .car_t import CarT
from .checkpoint_blockade import Atezolizumab, Nivolumab, PD1Blockade, PDL1Blockade, Pembrolizumab
from .cytokines import Aldesleukin, InterferonAlfa
from .placebo import Placebo

__all__ = [
    "Aldesleukin",
    "Atezolizumab",
    "CarT",
    "InterferonAlfa",
    "Nivolumab",
    "PD1Blockade",
    "PDL1Blockade",
    "Pembrolizumab",
    "Placebo",
    "Treatment",
    "TreatmentError",
    "build",
    "find",
    "names",
]

SHIPPED = {
    snake_case(cls.__name__): cls
    for cls in (Aldesleukin, Atezolizumab, CarT, InterferonAlfa, Nivolumab, Pembrolizumab, Placebo)
}


def names() -> list[str]:
    """Names of the treatments that ship, in alphabetical order."""
    return sorted(SHIPPED)


def find(word: str, own: Mapping[str, type[Treatment]] = MappingProxyType({})) -> type[Treatment]:
    """A treatment class by snake_case name or ``module:Class``. Raises TreatmentError with the nearest names.

    ``own``: classes by name beside those that ship.
    """
    known = [*own, *names()]
    if not isinstance(word, str):
        raise TreatmentError(f"{quoted(word)} is not the name of a treatment{nearest('', known)}")
    if word in SHIPPED or word in own:
        return SHIPPED[word] if word in SHIPPED else own[word]
    module, _, name = word.rpartition(":")
    if not (module and name):
        raise TreatmentError(
            f"there is no treatment {quoted(word)}{nearest(word, known)}; one of your own is module:Class"
        )
    try:
        found = at(word, Treatment)
    except ImportError as error:
        raise TreatmentError(
            f"module {quoted(module)} cannot be imported ({shortened(error)})",
            key=f"treatment {quoted(word)}",
        ) from None
    except AttributeError:
        raise TreatmentError(
            f"module {quoted(module)} has no class {quoted(name)}", key=f"treatment {quoted(word)}"
        ) from None
    if not (inspect.isclass(found) and issubclass(found, Treatment)):
        raise TreatmentError(
            f"{shortened(name)} is not a subclass of simulation.Treatment",
            key=f"treatment {quoted(word)}",
        )
    return found


def build(what: object, own: Mapping[str, type[Treatment]] = MappingProxyType({})) -> Treatment:
    """A treatment from an instance (copied), a class, a name, or a table ``{"drug": ..., parameters...}``.

    ``own``: classes by name beside those that ship.
    """
    if isinstance(what, Treatment):
        return what.copy()
    if inspect.isclass(what) and issubclass(what, Treatment):
        return what()
    if isinstance(what, str):
        return find(what, own)()
    if isinstance(what, Mapping):
        table = dict(what)
        if "drug" not in table:
            raise TreatmentError('a treatment table needs drug = "a name"' + nearest("", names()))
        cls = find(table.pop("drug"), own)
        return cls(**table)
    raise TreatmentError(
        f"{quoted(what)} is not a treatment: give a name, a class, an instance or a table with drug = ..."
    )
