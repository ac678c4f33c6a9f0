"""What colours mean: the legend of a view of the tissue, and what stands at a place in it, in words."""

from collections.abc import Sequence
from html import escape

import numpy as np

from simulation.plots import style
from simulation.plots.tissue import CLONE_COLORS, FREE, middle
from simulation.results.snapshots import Snapshot
from simulation.words import FIELD_UNITS, KIND_MEANING, kind_words, number_words, view_words

from .tissue import DOT, FLARE_COLOR, FLASH_COLOR, OF_CELLS, SHOWN, T_CELLS, TRAITS

MEANING = {
    "antigen": "what T-cell receptors see; 1 is about 30 peptide-MHC on a cell, half recognised at 0.3",
    "car_target": "the surface molecule a CAR sees; 1 is 10,000 molecules",
    "pdl1": "PD-L1 shown by the tumour cells, their own and induced by IFN-γ; switches T cells off",
    "mhc": "heritable MHC-I capacity: the flagpole on which antigen is shown; without it NK cells kill",
    "stress_ligand": "activates NK cells",
    "vigour": "of every T cell: 1 fresh, 0 exhausted",
    "clone": "descendants of one founder cell share a colour; eight colours, used again",
    "oxygen": "falls where many cells breathe; below 5 mmHg cells starve; the white line is the tumour's rim",
    "ifn_gamma": "made by T cells at work; raises MHC-I and PD-L1, slows division; white: the tumour's rim",
    "il2": "feeds T and NK cells; white: the tumour's rim",
    "chemokine": "guides T cells; white: the tumour's rim",
}
RIM = "white: the tumour's rim"
"""What is said of a field that a plug-in brings."""
KILLED = "a tumour cell was killed here since the picture before, in its last 6 hours at most"
TAKEN = "a T cell that was about to hit, and PD-L1 on its target switched it off: the brake took the hit"
ON_TUMOR = ("antigen", "car_target", "pdl1", "mhc")


def legend(show: str, snapshots: Sequence[Snapshot], top: float) -> str:
    """The legend as HTML: swatches of the kinds that are there, or a colour bar, each explained when pointed at."""
    kinds, liquid = snapshots[0].kinds, snapshots[0].liquid
    there = [
        kind
        for kind in kinds
        if kind != "car_t_cell" or any(each.counts()[kind] for each in snapshots)
    ]
    hollow = (
        () if liquid or show == "kinds" else ("tumor_cell", *(T_CELLS if show == "vigour" else ()))
    )
    keys = [
        swatch(
            style.kind_color(kind, kinds),
            kind_words(kind),
            KIND_MEANING.get(kind, ""),
            "hollow" if hollow else "",
        )
        for kind in there
        if kind not in hollow
    ]
    tail = (
        swatch(FREE, "free places", "blood has no places: squares in proportion to the cells")
        if liquid
        else HAPPENED
    )
    if show == "kinds":
        return "".join(keys) + tail
    tail = ("" if liquid else "".join(keys)) + tail
    if show == "clone":
        colors = "".join(f'<i style="background:{color}"></i>' for color in CLONE_COLORS)
        return f'<span class="key">{colors}{escape(MEANING[show])}</span>{tail}'
    shades = style.colormap(show)(np.linspace(0, 1, 9))
    bar = ",".join(
        "#" + "".join(f"{round(255 * part):02x}" for part in color[:3]) for color in shades
    )
    scale = style.scale(show, np.array([top]))
    low, high = number_words(scale.vmin), number_words(scale.vmax)
    none = (
        swatch(style.INVISIBLE, "none", "cells without any")
        if show in ("antigen", "car_target", "stress_ligand")
        else ""
    )
    if show == "vigour":
        none = swatch(style.FAINT, "tumour cells", "where they are; vigour is a state of T cells")
    meaning = MEANING.get(show, RIM)
    return (
        f'<span class="key bar" title="{escape(meaning)}"><b>{escape(view_words(show))}</b> {low} '
        f'<i class="scale" style="background:linear-gradient(90deg,{bar})"></i> {high}{unit_of(show)}'
        f'<span class="remark">{escape(meaning)}</span></span>{none}{tail}'
    )


def swatch(color: str, words: str, meaning: str, look: str = "") -> str:
    """One colour of the legend; ``look`` is "" for a disc, hollow or ring."""
    painted = f"background:{color}" if not look else f"border-color:{color}"
    return (
        f'<span class="key" title="{escape(meaning)}"><i class="{look}" style="{painted}"></i>'
        f"{escape(words)}</span>"
    )


HAPPENED = (
    f'<span class="key" title="{escape(KILLED)}"><i style="background:{FLASH_COLOR};border-color:{FLARE_COLOR}"></i>'
    "killed</span>" + swatch(style.INK, "hit braked", TAKEN, "ring")
)
"""What has just happened in a tissue that has places."""


def at(snapshot: Snapshot, across: float, down: float, show: str = "kinds") -> str:
    """What stands at a place of the picture (0 to 1 from the left and from the top), in words: first what the view shows."""
    if snapshot.liquid:
        sites = int(np.prod(snapshot.shape)) / 400
        return f"a square stands for {sites:.0f} places of marrow and blood"
    plane = middle(snapshot)
    x, y = (
        min(max(share * side, 0.0), side - 1e-6)
        for share, side in zip((across, 1 - down), plane.shape, strict=True)
    )
    row = cell_at(plane, x, y)
    fields = [show] if show not in OF_CELLS else ["oxygen", "ifn_gamma"] if row is None else []
    told = [f"{view_words(name)} {reading(plane, name, int(x), int(y))}" for name in fields]
    if row is None:
        return f"no cell here: {', '.join(told)}"
    cell = {trait: values[row] for trait, values in plane.cells.items()}
    kind = plane.kinds[cell["kind"]]
    if kind == "tumor_cell":
        if show == "clone":
            same = int((plane.trait("clone", "tumor_cell") == cell["clone"]).sum())
            told.append(f"one of {same:,} of its clone" if same > 1 else "alone of its clone")
        traits = dict.fromkeys([show, *ON_TUMOR] if show in TRAITS else ON_TUMOR)
        told += [f"{view_words(trait)} {cell[SHOWN.get(trait, trait)]:.2f}" for trait in traits]
    elif kind in T_CELLS:
        told += [f"vigour {cell['vigour']:.2f}", f"fixed exhaustion {cell['fixed_exhaustion']:.2f}"]
    else:
        told.append("on patrol")
    return f"{kind_words(kind).removesuffix('s')}: {', '.join(told)}"


def cell_at(plane: Snapshot, x: float, y: float) -> int | None:
    """The cell at a place, in sites; an immune cell also where its dot reaches beyond its site."""
    columns, rows = np.divmod(plane.cells["site"], plane.shape[1])
    distance = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    distance[
        plane.is_kind("tumor_cell")
        & (np.maximum(abs(columns + 0.5 - x), abs(rows + 0.5 - y)) > 0.5)
    ] = np.inf
    distance[~plane.is_kind("tumor_cell") & (distance > max(0.71, DOT * max(plane.shape) / 2))] = (
        np.inf
    )
    if not distance.size or not np.isfinite(distance.min()):
        return None
    return int(np.argmin(distance + 1e3 * plane.is_kind("tumor_cell")))


def unit_of(field: str) -> str:
    """The unit after a level of a field; levels that have a scale of their own have none."""
    unit = FIELD_UNITS.get(field, "")
    return "" if not unit or "=" in unit else f" {unit}"


def reading(plane: Snapshot, name: str, x: int, y: int) -> str:
    """A field at a site."""
    values = plane.fields[name]
    nodes = tuple(
        np.minimum(np.array([x, y]) * values.shape // plane.shape, np.array(values.shape) - 1)
    )
    return f"{number_words(values[nodes] if values[nodes] > 1e-3 else 0, 2)}{unit_of(name)}"
