"""What every treatment promises, and how ``check_treatment`` tries it."""

import difflib
import inspect
import json
import math
import warnings
from collections.abc import Iterator
from functools import cached_property
from numbers import Real

from .. import addresses
from ..errors import StateError
from ..kinds.shipped import KINDS
from ..model import TumorModel
from ..parameters.bibliography import is_known
from ..parameters.parameter import nearest
from ..rules import RECEPTORS
from ..treatments import Aldesleukin, Nivolumab, Treatment, TreatmentError
from ..treatments.base import checked_name
from ..treatments.regimen import treatment_from, treatment_state
from ..treatments.schedule import Schedule
from ..values import decoded, encoded
from .small_tissues import HALF, Broken, continued, faults, odd_tissues, run, told, under_attack
from .witness import HOOKS, KEPT, Witness, differences

BRISK = Schedule(every="8 hours")
OTHERS = {
    bool: lambda default: (not default,),
    int: lambda default: (default + 1, default - 1),
    float: lambda default: (default * 0.5 + 0.1, default + 1.0),
    str: lambda default: (*(kind.name for kind in KINDS), *RECEPTORS),
}
"""Other values that an argument of a constructor may take, by the type of its default."""


class Trial:
    """One treatment on the bench."""

    def __init__(self, cls: type[Treatment]):
        self.cls = cls

    @cached_property
    def treated(self) -> TumorModel:
        """The tissue after the whole trial."""
        return run(self.arm(self.drug()))

    def made(self, **keywords) -> Treatment:
        """The treatment from its constructor. Raises Broken when that fails."""
        if keywords:
            self.made()
        try:
            return self.cls(**keywords)
        except Exception as error:
            words = f"with {', '.join(keywords)} by keyword" if keywords else "without arguments"
            raise Broken(
                f"it cannot be constructed {words} ({told(error)}): an __init__ of your own has defaults for "
                "all arguments and passes name, schedule and **parameters on to super().__init__"
            ) from None

    def drug(self, **keywords) -> Treatment:
        """The treatment with many doses in little time. Raises Broken when it cannot be given to a model."""
        drug = self.made(**{"schedule": BRISK, "first_dose": self.cls.first_dose.low, **keywords})
        try:
            drug.copy()
        except Exception as error:
            raise Broken(
                f"copy() raises {told(error)}: let attributes hold numbers, texts and arrays only"
            ) from None
        return drug

    @property
    def findable(self) -> bool:
        """Whether a saved model with it can be loaded."""
        try:
            return bool(addresses.of_class(self.cls))
        except StateError:
            return False

    @cached_property
    def drugs(self) -> dict[str, Treatment]:
        """The treatment as it is, and by argument of its constructor, with another value of that where one is found."""
        arguments = inspect.signature(self.cls).parameters.values()
        others = {
            each.name: self._other(each.name, each.default)
            for each in arguments
            if each.name not in ("name", "schedule", *self.cls.parameters())
        }
        return {"": self.drug()} | {name: drug for name, drug in others.items() if drug}

    def _other(self, name: str, default: object) -> Treatment | None:
        for value in OTHERS.get(type(default), lambda default: ())(default):
            try:
                drug = self.drug(**{name: value})
                if value != default and not any(faults(self.arm(drug), hours=3, where="")):
                    return drug
            except Broken:  # its constructor does not take this value
                continue
        return None

    def arm(self, *treatments, tissue: TumorModel | None = None) -> TumorModel:
        """A fork of the tissue under these treatments."""
        return (tissue or under_attack()).fork(treatments=treatments)


# ---------------------------------------------------------------- what it declares


def constructed(trial: Trial) -> None:
    """It is constructed without arguments."""
    trial.made()


def described(trial: Trial) -> Iterator[str]:
    """The first line of its docstring says what it is."""
    line = (vars(trial.cls).get("__doc__") or "").strip().partition("\n")[0]
    if not 0 < len(line) <= 120:
        yield (
            'the first line of its docstring does not say what it is: write """What it is, when given.""", at '
            "most 120 characters, below the line of the class"
        )


def sourced(trial: Trial) -> Iterator[str]:
    """Every parameter names its source."""
    for name, parameter in trial.cls.parameters().items():
        if not is_known(parameter.source):
            yield (
                f"the source {parameter.source!r} of parameter {name} is not known: name a key of "
                "simulation/parameters/references.bib, or write assumed('the reason')"
            )


def named(trial: Trial) -> Iterator[str]:
    """Its name is a word, and another can be given."""
    for drug, expected in ((trial.made(), None), (trial.made(name="another_name"), "another_name")):
        try:
            checked_name(drug.name)
        except TreatmentError as error:
            yield f"its name cannot be used: {error}"
        if expected not in (None, drug.name):
            yield f"it was named 'another_name' and calls itself {drug.name!r}: pass name on to super().__init__"


def scheduled(trial: Trial) -> Iterator[str]:
    """Its schedule is a Schedule, and another can be given."""
    if not isinstance(trial.cls.schedule, Schedule):
        yield f'its schedule is {trial.cls.schedule!r}: write schedule = Schedule(every="3 weeks")'
    elif trial.made(schedule=BRISK).schedule != BRISK:
        yield "it keeps its own schedule when another is given: pass schedule on to super().__init__"


def hooked(trial: Trial) -> Iterator[str]:
    """Its hooks have the documented names and arguments."""
    for hook, arguments in HOOKS.items():
        signature = inspect.signature(getattr(trial.cls, hook))
        taken = [*signature.parameters][1:]
        try:
            signature.bind(None, *arguments)
            fits = set(taken) != set(arguments) or taken == [*arguments]
        except TypeError:
            fits = False
        if not fits:
            yield f"{hook}() takes ({', '.join(taken)}): write def {hook}(self, {', '.join(arguments)})"
    own = {
        name
        for cls in trial.cls.__mro__
        for name, member in vars(cls).items()
        if inspect.isfunction(member)
    }
    for name in sorted(own - set(dir(Treatment))):
        if near := difflib.get_close_matches(name, HOOKS, n=1, cutoff=0.8):
            yield f"{name}() is never called by the model{nearest(name, near)}"


def importable(trial: Trial) -> Iterator[str]:
    """It can be found again as module:Class, so that a saved model can be loaded."""
    try:
        addresses.of_class(trial.cls)
    except StateError as error:
        if not addresses.in_script(trial.cls.__module__):
            yield str(error)
        else:
            warnings.warn(f"a model with {error}", stacklevel=5)


def copied(trial: Trial) -> Iterator[str]:
    """It can be printed and copied, and the copy is independent."""
    drug = trial.drug()
    twin = drug.copy()
    if type(drug).__name__ not in repr(drug):
        yield f"repr() gives {repr(drug)!r}, which does not name it: leave __repr__ to Treatment"
    alike = [
        (type(each), each.name, each.schedule, each.changed(), each.state) for each in (drug, twin)
    ]
    if alike[0] != alike[1] or twin.state is drug.state or twin.doses is drug.doses:
        yield "copy() does not give an equal and independent treatment: leave copy to Treatment"


def sweepable(trial: Trial) -> Iterator[str | Broken]:
    """Every parameter can be set to either end of its range, in the constructor or later, and the model runs."""
    for name, parameter in trial.cls.parameters().items():
        for end in (parameter.low, parameter.high):
            value = int(end) if parameter.integer else end
            drug, later = trial.made(**{name: value}), trial.made()
            later.set(**{name: value})
            one, other = attributes(drug), attributes(later)
            if drug.value(name) != value:
                yield f"the constructor loses {name} = {value:g}: pass **parameters on to super().__init__"
            elif stale := [key for key in one if one[key] != other.get(key)]:
                yield f"self.{stale[0]} does not follow {name} when that is set after construction: make it a property"
            elif name != "first_dose":
                where = f", with {name} = {value:g} {parameter.unit}"
                yield from faults(trial.arm(trial.drug(**{name: value})), hours=3, where=where)
                continue
            break


def attributes(drug: Treatment) -> dict[str, str]:
    """What it holds beside its parameters and what every treatment has."""
    return {
        name: repr(value)
        for name, value in vars(drug).items()
        if name not in KEPT and " at 0x" not in repr(value)
    }


# ---------------------------------------------------------------- what it does


def discreet(trial: Trial) -> Iterator[str]:
    """Its hooks write only their own traits and state; all else goes through rules and the verbs of the model."""
    model = trial.arm()
    witness = Witness(model, model.give(trial.drug()))
    run(model)
    yield from witness.sentences()


def savable(trial: Trial) -> Iterator[str]:
    """Its state and its attributes hold only what can be saved."""
    for drug in trial.treated.treatments.values():
        try:
            treatment_state(drug, encoded)
        except StateError as error:
            yield str(error)


def repeatable(trial: Trial) -> Iterator[str]:
    """The same seed gives the same run."""
    if found := differences(trial.treated, run(trial.arm(trial.drug()))):
        yield f"two runs with one seed differ in {found}: draw with model.randomness, and remember only in self.state"


def independent(trial: Trial) -> Iterator[str]:
    """Two models do not influence each other."""
    if any(repeatable(trial)):
        return  # said already
    beside = trial.arm(trial.drug())
    run(beside, trial.arm(trial.drug(), tissue=under_attack().fork(seed=12)))
    if found := differences(trial.treated, beside):
        yield f"a second model beside the first changes {found}: remember only in self.state, not in class or module"


def resumable(trial: Trial) -> Iterator[str]:
    """A run that is forked, or saved and loaded, goes on to the last bit."""
    if any(savable(trial)):
        return  # said already
    for drug in trial.drugs.values():
        whole = run(trial.arm(drug))
        for word, other in continued(run(trial.arm(drug), hours=HALF), saved=trial.findable):
            if found := differences(whole, other):
                yield (
                    f"when the model is {word}, the run goes on differently in {found}: remember only in self.state, "
                    "and draw with model.randomness"
                )


def lasting(trial: Trial) -> Iterator[str]:
    """What its constructor was told survives when it is copied, forked, or saved and loaded."""
    if any(savable(trial)):
        return  # said already
    for name, drug in trial.drugs.items():
        told = treatment_state(drug, encoded)
        if name and told == treatment_state(trial.drug(), encoded):
            yield f"its argument {name} leaves no trace in it: keep it as an attribute, self.{name} = {name}"
        ((_, forked),) = trial.arm(drug).fork().regimen.pending
        loaded = treatment_from(trial.cls, json.loads(json.dumps(told)), decoded)
        for word, other in (
            ("copied", drug.copy()),
            ("forked", forked),
            ("saved and loaded", loaded),
        ):
            found = treatment_state(other, encoded)
            lost = [
                *(
                    name
                    for name in told["attributes"]
                    if told["attributes"][name] != found["attributes"].get(name)
                ),
                *(name for name in told if told[name] != found[name]),
            ]
            if type(other) is not trial.cls or lost:
                yield f"when it is {word}, it loses {lost[0] if lost else 'its class'}: leave copy to Treatment"


def orderless(trial: Trial) -> Iterator[str]:
    """The order of the list of treatments does not matter."""
    others = Aldesleukin(name="a_cytokine"), Nivolumab(name="z_antibody")
    one, other = trial.arm(trial.drug(), *others), trial.arm(*others[::-1], trial.drug())
    if found := differences(run(one), run(other)):
        yield f"the order of the list of treatments changes {found}: on_start() must not look at other treatments"


class TimesOne(Treatment):
    """Every rule of every second cell times one and plus nothing."""

    def modify(self, rules, model):
        """Chosen cells keep their rates, by a factor of one and an addition of zero."""
        chosen = model.cells.alive & (model.cells["name"] % 2 == 0)
        for rule in model.kinds.rules:
            if rule.of_cells:
                getattr(rules, rule.name).scale(1.0, where=chosen)
                getattr(rules, rule.name).add(0.0, where=chosen)


def undisturbed(trial: Trial) -> Iterator[str]:
    """Another treatment that multiplies by one, for chosen cells, changes nothing."""
    if found := differences(trial.treated, run(trial.arm(trial.drug(), TimesOne()))):
        yield (
            f"beside a treatment that multiplies every rule by one it changes {found}: bend rules by scale() and add(), and "
            "look neither at model.rates nor at other treatments"
        )


def patient(trial: Trial) -> Iterator[str]:
    """Before its first dose it leaves no trace."""
    model = run(trial.arm(drug := trial.drug(first_dose=min(30.0, trial.cls.first_dose.high))))
    if not model.treatments[drug.name].doses and (found := differences(run(trial.arm()), model)):
        yield (
            f"it changes {found} although its first dose has not been given: act in on_dose(), or in proportion to "
            "self.level(model, half_life)"
        )


def sturdy(trial: Trial) -> Iterator[str | Broken]:
    """It runs without tumour cells, without immune cells, in 3-D and in liquid, and measures finite numbers."""
    for where, tissue in odd_tissues().items():
        model = trial.arm(tissue=tissue)
        drug = model.give(trial.drug())
        failed = [*faults(model, hours=10, where=f", {where}")]
        yield from failed
        found = {} if failed else drug.measure(model)
        if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
            yield f'measure() returns {found!r}: return a table such as {{"level": 0.5}}'
            continue
        for name, value in found.items():
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                yield Broken(
                    f"measure() returns {name} = {value!r}, which is no finite number", f", {where}"
                )


PROMISES = (
    constructed,
    described,
    sourced,
    named,
    scheduled,
    hooked,
    importable,
    copied,
    sweepable,
    discreet,
    savable,
    repeatable,
    independent,
    resumable,
    lasting,
    orderless,
    undisturbed,
    patient,
    sturdy,
)
