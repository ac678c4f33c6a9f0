"""The promises every plug-in keeps, for its author to run: ``check_treatment(Drug)``, ``check_cell_kind(KIND)``, or as tests."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from ..errors import TumorLabError
from ..kinds.kind import CellKind
from ..treatments import Treatment, find
from . import kind_promises, treatment_promises
from .small_tissues import Broken


class CheckFailed(TumorLabError, AssertionError):
    """A plug-in breaks promises; ``broken`` has one sentence for each: what is wrong, and the right form."""

    def __init__(self, name: str, broken: list[str]):
        self.broken = list(broken)
        many = "a promise" if len(broken) == 1 else f"{len(broken)} promises"
        super().__init__("\n- ".join([f"{name} breaks {many}:", *broken]))


Promise = Callable[[Any], Iterator | None]
"""Tried on one subject: gives a sentence (or Broken) for each way in which it fails. Its docstring is the promise."""


def check_treatment(treatment: type[Treatment] | str) -> list[str]:
    """Try every promise of a treatment (a class, a name, or ``module:Class``) in small tissues; takes a few seconds.

    Returns the promises kept. Raises CheckFailed with one sentence for every one that is broken.
    """
    return keep(*_of_treatment(treatment))


def check_cell_kind(kind: CellKind) -> list[str]:
    """Try every promise of a kind of cell in small tissues; takes a few seconds.

    Returns the promises kept. Raises CheckFailed with one sentence for every one that is broken.
    """
    return keep(*_of_kind(kind))


def parametrize_with_promises(
    *plug_ins: type[Treatment] | CellKind | str,
) -> Callable[[Callable], Callable]:
    """Decorates a test of pytest that takes ``promise``: it becomes one test for each promise of treatments and kinds of cells.

    ``promise()`` tries it in small tissues and raises CheckFailed where it is broken. The tests are called
    ``Chemotherapy-resumable``: plug-in and promise.

    >>> @parametrize_with_promises("pembrolizumab")
    ... def test_my_treatment(promise):
    ...     promise()
    """
    import pytest  # of those who write plug-ins; the simulation itself does without

    cases = []
    for plug_in in plug_ins:
        name, promises, subject = (_of_kind if isinstance(plug_in, CellKind) else _of_treatment)(
            plug_in
        )
        short = plug_in.name if isinstance(plug_in, CellKind) else name
        cases += [
            pytest.param(partial(keep, name, [promise], subject), id=f"{short}-{promise.__name__}")
            for promise in promises
        ]
    return pytest.mark.parametrize("promise", cases)


def _of_treatment(treatment: type[Treatment] | str) -> tuple[str, Sequence[Promise], Any]:
    """Its name, its promises, and the treatment on the bench; raises CheckFailed for what is no treatment."""
    cls = find(treatment) if isinstance(treatment, str) else treatment
    if not (isinstance(cls, type) and issubclass(cls, Treatment)):
        raise CheckFailed(
            f"{cls!r}",
            ["it is not a subclass of simulation.Treatment: write class Drug(Treatment)"],
        )
    return cls.__name__, treatment_promises.PROMISES, treatment_promises.Trial(cls)


def _of_kind(kind: CellKind) -> tuple[str, Sequence[Promise], Any]:
    """Its name, its promises, and the kind on the bench; raises CheckFailed for what is no kind."""
    if not isinstance(kind, CellKind):
        raise CheckFailed(
            f"{kind!r}", ["it is not a CellKind: write CellKind('my_cell', agent=MyCell, ...)"]
        )
    return f"kind {kind.name!r}", kind_promises.PROMISES, kind_promises.Nursery(kind)


def keep(name: str, promises: Iterable[Promise], subject) -> list[str]:
    """Try promises on one subject; returns those kept, raises CheckFailed with the sentences of all that are broken."""
    kept, broken = [], {}
    for promise in promises:
        found = []
        try:
            for each in promise(subject) or ():
                found.append(each if isinstance(each, Broken) else Broken(each))
        except Broken as error:
            found.append(error)
        except Exception as error:
            found.append(
                Broken(
                    f"{type(error).__name__}: {error}", f", when this was tried: {promise.__doc__}"
                )
            )
        for each in found:
            broken.setdefault(
                each.sentence, str(each)
            )  # one fault may break several promises: it is told once
        if not found:
            kept.append(promise.__doc__)
    if broken:
        raise CheckFailed(name, [*broken.values()])
    return kept
