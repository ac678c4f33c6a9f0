"""Tumour cells and lymphocytes as plain Mesa agents: the same rules as the compiled loops, one object a cell.

Where ``draw`` gets its numbers from is all that differs between an ordinary Mesa run and a comparison with those loops.
"""

import math

from mesa.discrete_space import CellAgent

TRIES, HITS_EACH = 3, 16  # moves a searching cell, and hits an engaged one, may make in a sub-step
STATE = (
    "damage",
    "divisions",
    "kills",
    "stimulation",
    "exhaustion",
    "fixed_exhaustion",
    "capacity",
    "specificity",
    "receptor",
)


def happens(draw, rate, hours):
    """Whether an event of this rate falls into the next ``hours``."""
    return draw < -math.expm1(-rate * hours)


def wait(draw, rate):
    """Hours until an event of this rate."""
    return -math.log1p(-draw) / rate if rate > 0.0 else math.inf


def left(rate, hours):
    """The share that is left of something lost at ``rate`` for ``hours``."""
    return math.exp(-rate * hours)


def half_effect(x, half):
    """x^2 / (half^2 + x^2)."""
    return x * x / (half * half + x * x)


class LivingCell(CellAgent):
    """What all cells do: divide where there is room, and die. ``self.cell``, Mesa's word, is the site it stands on."""

    kind, yielding = "", False

    def __init__(self, model, site, name, state):
        super().__init__(model)
        self.cell, self.name, self.mother, self.rates = site, name, 0, model.rates[self.kind]
        for trait in (*STATE, *model.traits):
            setattr(self, trait, state[trait])

    def draw(self, purpose, number=0):
        """A number in [0, 1) of its own for a purpose."""
        return self.model.draws.uniform(purpose, self.name, number)

    def step(self):
        """What a cell does once an hour, after the sub-steps."""
        self.divide()

    def drive(self):
        """How much of its rate of division it uses."""
        return 1.0

    def divide(self):
        """Claim a free neighbouring site for a daughter, as drive, interferon and oxygen allow."""
        model, rates = self.model, self.rates
        signal = model.interferon + rates.interferon
        rate = rates.division * self.drive()
        rate *= 1.0 - rates.interferon_arrest * signal / (1.0 + signal)
        if rates.oxygen_half:
            rate *= model.oxygen / (model.oxygen + rates.oxygen_half)
        if self.draw("divide") < math.expm1(
            rate * model.dt
        ):  # so that the mean grows as exp(rate x time)
            room = [site for site in self.cell.neighborhood if site.is_empty]
            if room:
                model.claim(room[int(self.draw("divide.room") * len(room))], self, "divide.cradle")

    def bear(self, site):
        """A daughter is born; both are copies of the mother but for small steps and rare losses."""
        self.divisions += 1
        daughter = type(self)(
            self.model, site, self.model.draws.name("divide.birth", self.name), vars(self)
        )
        daughter.mother, daughter.damage, daughter.kills = self.name, 0, 0
        for cell in (self, daughter):
            for trait, (spread, loss, halving, high) in self.model.inheritance[self.kind].items():
                cell.inherit(trait, spread, loss, halving, high)

    def inherit(self, trait, spread, loss, halving, high):
        """A trait of a newborn: the spread of its lineage, a halving, a loss."""
        value, stream = getattr(self, trait), f"inherit.{trait}"
        if spread > 0.0:
            radius = math.sqrt(-2.0 * math.log(1.0 - self.draw(stream)))
            normal = radius * math.cos(2.0 * math.pi * self.draw(stream + ".angle"))
            value *= math.exp(spread * normal - 0.5 * spread * spread)
        if halving and self.draw(stream + ".halving") < halving:
            value *= 0.5
        if loss and self.draw(stream + ".loss") < loss:
            value = 0.0
        setattr(self, trait, min(value, high))

    def die(self):
        """Age and hypoxia are hazards, and hazards add."""
        hazard = self.rates.death
        if self.model.oxygen < self.model.parameters.tumor.necrosis_threshold:
            hazard += self.rates.necrosis
        if happens(self.draw("die"), hazard, self.model.dt):
            self.remove()


class TumorCell(LivingCell):
    """Shows PD-L1 and peptide on MHC-I, collects damage and repairs it."""

    kind, yielding = "tumor_cell", True

    def __init__(self, model, site, name, state):
        super().__init__(model, site, name, state)
        self.holders = []

    def show(self):
        """Interferon lifts what is shown."""
        tumor, signal = self.model.parameters.tumor, self.model.interferon + self.rates.interferon
        felt = signal / (1.0 + signal)
        self.presented_mhc = self.mhc * (tumor.mhc_resting + (1.0 - tumor.mhc_resting) * felt)
        self.pdl1_shown = self.pdl1 + tumor.pdl1_induced * felt

    def suffer(self):
        """A sub-step of damage: hits of all who hold it and repair, in the order in which they happen."""
        if self.holders:
            self.fight()
        elif self.damage:
            repair, hours = self.rates.repair, self.model.substep
            self.damage -= sum(
                happens(self.draw("act.repair", unit), repair, hours) for unit in range(self.damage)
            )

    def fight(self):
        """Hits and repairs in the order of time, until one kills or the sub-step is over."""
        hours, checkpoint = self.model.substep, self.model.parameters.checkpoint
        shown, half = self.pdl1_shown, checkpoint.half_pdl1
        signal = self.model.free_receptors * shown * shown / (half * half + shown * shown)
        hits = sorted(
            (time, holder.name, holder) for holder in self.holders for time in holder.hits(signal)
        )
        repairs, killer, last = 0, None, hours
        mended = wait(self.draw("act.repair"), self.rates.repair * self.damage)
        while True:
            struck = hits[0][0] if hits else math.inf
            if min(mended, struck) >= hours:
                break
            if mended < struck:
                now = mended
                self.damage -= 1
            else:
                now, _, attacker = hits.pop(0)
                self.damage += int(attacker.rates.potency)
                if self.damage >= self.rates.lethal_hits:
                    killer, last = attacker, now
                    break
            repairs += 1
            mended = now + wait(self.draw("act.repair", repairs), self.rates.repair * self.damage)
        for holder in list(self.holders):
            ended = max(min(holder.until, last), holder.since)
            holder.remember(self, ended - holder.since, checkpoint.exhaustion_gain * signal)
            holder.since = 0.0
            if killer or holder.until < hours:
                holder.let_go()
                holder.since = ended - hours
        if killer:
            killer.kills += 1
            killer.capacity -= 1.0
            self.remove()

    def remove(self):
        """It dies, and whoever holds it lets go."""
        for holder in list(self.holders):
            holder.let_go()
        super().remove()


class Lymphocyte(LivingCell):
    """Searches, engages a tumour cell it recognises (0 to 1), hits it, is switched off by PD-L1, tires and divides."""

    partner = heading = None
    since = until = strain = contact = (
        0.0  # since: when a contact began, or minus the hours it has not yet searched
    )

    def scores(self, target):
        """How well a target is recognised, 0 to 1, through each channel of its recognition."""
        raise NotImplementedError

    def recognises(self, target):
        """How well it recognises a target, 0 to 1: of all channels it sees that of its receptor."""
        return self.scores(target)[self.receptor]

    def stimulus(self, target):
        """How strongly a target drives its division, 0 to 1."""
        return self.recognises(target)

    def move(self, attempt):
        """Claim the next site: up the chemokine, or on with the last heading, or anywhere."""
        model, rates = self.model, self.rates
        steps = rates.move / model.stride * (model.substep / TRIES)
        if self.partner or self.draw("act.move.go", attempt) >= steps:
            return
        turn, bias = self.draw("act.move.turn", attempt), min(rates.bias, 1.0) * model.pull
        if turn < bias:
            heading = model.uphill
        elif self.heading and turn < bias + (1.0 - bias) * rates.persistence:
            heading = self.heading
        else:
            heading = model.headings[
                int(self.draw("act.move.where", attempt) * len(model.headings))
            ]
        site, self.heading = self.cell.connections.get(heading), None
        if site is None:
            return  # a wall
        for other in site.agents:
            if (
                not other.yielding
                or other.holders
                or self.draw("act.move.push", attempt) >= rates.squeeze
            ):
                return
        self.heading = heading
        model.claim(site, self, "act.move.site", attempt)

    def enter(self, site):
        """Move, or change places with the tumour cell that stands there."""
        origin, there = self.cell, site.agents
        for other in there:
            other.cell = None
        self.cell = site
        for other in there:
            other.cell = origin

    def engage(self, attempt):
        """Look at one neighbouring tumour cell and bind it, as recognition allows; hours left over are searched as well."""
        if self.partner:
            return
        look = self.model.substep / TRIES
        free, self.since = look - self.since, 0.0
        if self.capacity < 1.0 or self.specificity <= 0.0:
            return
        around = [cell for cell in self.cell.neighborhood.agents if isinstance(cell, TumorCell)]
        if around:
            target = around[int(self.draw("act.engage.choose", attempt) * len(around))]
            rate = self.rates.engage * (self.recognises(target) * self.specificity)
            passed = wait(self.draw("act.engage", attempt), rate)
            if passed < free:
                self.since = attempt * look + look - free + passed
                self.partner = target
                target.holders.append(self)

    def hits(self, signal):
        """Times of its hits in this sub-step; in place of a hit, PD-1 may end the contact."""
        rate, time, times = (
            self.rates.kill * ((1.0 - self.exhaustion) * (1.0 - self.fixed_exhaustion)),
            self.since,
            [],
        )
        self.until = self.since + wait(self.draw("act.detach"), self.rates.detach)
        for number in range(HITS_EACH):
            time += wait(self.draw("act.hit", number), rate)
            if time >= self.until or time >= self.model.substep:
                break
            if self.draw("act.brake", number) < self.rates.brake * signal:
                self.until = time
                break
            times.append(time)
        return times

    def remember(self, target, hours, tiring):
        """Add up engagement of ``hours``, as it exhausts and as it stimulates."""
        self.strain += (
            hours * self.recognises(target) * (1.0 + (tiring if self.rates.brake > 0.0 else 0.0))
        )
        self.contact += hours * self.stimulus(target)

    def let_go(self):
        """The contact ends."""
        self.partner.holders.remove(self)
        self.partner = None

    def step(self):
        """It tires, then does what all cells do."""
        self.tire()
        super().step()

    def tire(self):
        """Vigour, stimulation and capacity to kill after an hour."""
        rates, hours = self.rates, self.model.dt
        exhaustion = 1.0 - (1.0 - self.exhaustion) * left(rates.exhaustion, self.strain)
        exhaustion *= left(rates.recovery, max(0.0, hours - self.contact))
        self.fixed_exhaustion = 1.0 - (1.0 - self.fixed_exhaustion) * left(
            rates.fixation * exhaustion, hours
        )
        self.exhaustion, kept = exhaustion, left(rates.forgetting, hours)
        stimulus = min(1.0, rates.sensitivity * self.contact / hours)
        self.stimulation = self.stimulation * kept + (1.0 - kept) * stimulus
        refill = rates.refill * (1.0 + rates.il2_refill * self.fed()) * hours
        self.capacity = min(self.model.full_capacity[self.kind], self.capacity + refill)
        self.strain = self.contact = 0.0

    def fed(self):
        """IL-2 felt, 0 to 1."""
        il2 = self.model.il2 + self.rates.il2
        return il2 / (self.model.parameters.fields.il2_half + il2)

    def drive(self):
        """How strongly it is driven to divide, 0 to 1."""
        fed, rates = self.fed(), self.rates
        if self.divisions >= rates.division_limit + rates.il2_divisions * fed:
            return 0.0
        drive = min(1.0, self.stimulation + rates.il2_drive * fed)
        return drive * (1.0 - self.exhaustion) * (1.0 - self.fixed_exhaustion)

    def remove(self):
        """It dies, and lets go of what it holds."""
        if self.partner:
            self.let_go()
        super().remove()


class TCell(Lymphocyte):
    """Sees peptide on MHC-I."""

    kind = "t_cell"

    def scores(self, target):
        """Peptide on MHC-I, half-saturating."""
        shown = target.antigen * target.rates.antigen_shown * target.presented_mhc
        return (half_effect(shown, self.model.parameters.t_cell.half_antigen),)


class CarTCell(Lymphocyte):
    """Sees its target without MHC; lysis needs little of it, division about ten times more."""

    kind = "car_t_cell"

    def scores(self, target):
        """Little of the target is enough for lysis."""
        return (half_effect(target.car_target, self.model.parameters.car_t_cell.half_lysis),)

    def stimulus(self, target):
        """Division takes more of the target."""
        return half_effect(target.car_target, self.model.parameters.car_t_cell.half_drive)


class NKCell(Lymphocyte):
    """Is activated by stress and held back by MHC-I."""

    kind = "nk_cell"

    def scores(self, target):
        """Stress, as far as MHC-I does not hold it back."""
        half, mhc = self.model.parameters.nk_cell.half_mhc, target.presented_mhc
        return (min(1.0, target.stress_ligand * (1.0 - half_effect(mhc * mhc, half * half))),)
