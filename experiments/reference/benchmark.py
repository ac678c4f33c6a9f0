"""Speed and memory of the engine on this machine, and how it compares with plain Mesa.

Every size is measured in a fresh process: loops are compiled (or read from disk) and run once on a small tumour before
anything counts, then the steps of an infiltrated tumour under treatment are timed verb by verb.
"""

import multiprocessing
import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from json import dumps
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from simulation import TumorModel
from simulation.results.files import write_atomically
from simulation.tissue.lattice import EMPTY
from simulation.words import percent

TREATMENTS = ("pembrolizumab", "aldesleukin", "interferon_alfa", "car_t")
LYMPHOCYTES = {"t_cell": 0.18, "car_t_cell": 0.02, "nk_cell": 0.10}  # for every tumour cell
GROWTH = {"tumor.division_rate": 5.0, "tumor.interferon_arrest": 0.0}  # makes up for the killed
SAME_RULES = ("sense", "act", "divide", "die", "settle")  # what the plain Mesa twin does as well
PACKAGES = ("numpy", "numba", "mesa")


@dataclass(frozen=True)
class Case:
    """One size: ``tumor_cells`` on ``shape``; ``steps`` are timed after ``warm`` ones, and ``mesa_steps`` of plain Mesa."""

    name: str
    shape: tuple[int, ...]
    tumor_cells: int
    steps: int
    warm: int = 2
    mesa_steps: int = 0


CASES = (
    Case("1e4 in 2-D", (158, 158), 10_000, steps=30, mesa_steps=5),
    Case("1e5 in 2-D", (500, 500), 100_000, steps=15),
    Case("1e6 in 2-D", (1581, 1581), 1_000_000, steps=5),
    Case("1e5 in 3-D", (63, 63, 63), 100_000, steps=10),
)
HEADLINE = "1e5 in 2-D"
QUICK = (
    Case("300 in 2-D", (30, 30), 300, steps=2, mesa_steps=1),
    Case("1e3 in 2-D", (50, 50), 1_000, steps=2),
    Case("1e3 in 3-D", (14, 14, 14), 1_000, steps=2),
)


def infiltrated(case: Case, seed: int = 1) -> TumorModel:
    """A round tumour with lymphocytes all over the tissue, inside it and around it, under treatment."""
    model = TumorModel(
        shape=case.shape,
        seed=seed,
        tumor_cells=0,
        immune_cells=False,
        treatments=TREATMENTS,
        overrides=GROWTH,
    )
    model.immune_cells = True
    lattice, draws = model.lattice, model.randomness
    by_chance = lattice.interior[
        np.argsort(draws.uniform("benchmark", 0, lattice.interior), kind="stable")
    ]
    for kind, share in LYMPHOCYTES.items():
        sites, by_chance = np.split(by_chance.astype(np.int64), [round(share * case.tumor_cells)])
        model.population.settle(
            kind, sites, draws.names(f"benchmark.{kind}", 0, sites), model.clock
        )
    inmost = lattice.interior[np.argsort(lattice.from_centre(), kind="stable")].astype(np.int64)
    sites = inmost[lattice.occupant[inmost] == EMPTY][: case.tumor_cells]
    model.population.settle(
        "tumor_cell", sites, draws.names("benchmark.tumor_cell", 0, sites), model.clock
    )
    model.cells.sort_by_site(lattice.occupant, lattice.interior)
    return model


def measure(case: Case) -> dict:
    """Times in ms (medians over steps), memory in bytes: the peak of this process above what it needs when idle."""
    small = infiltrated(Case("", (20,) * len(case.shape), 200, 0))
    for _ in range(2):
        small.step()
    idle = peak_memory()
    started = perf_counter()
    model = infiltrated(case)
    build = perf_counter() - started
    for _ in range(case.warm):
        model.step()
    times = [timed_step(model) for _ in range(case.steps)]
    cells = sum(model.counts().values())
    parts = {name: 1000.0 * median(parts[name] for _, parts in times) for name in times[0][1]}
    step = 1000.0 * median(sum(parts.values()) for _, parts in times)
    memory = peak_memory() - idle
    found = {
        "case": case.name,
        "shape": list(case.shape),
        "sites": model.lattice.size,
        "cells": cells,
        "counts": model.counts(),
        "steps_timed": case.steps,
        "build_s": build,
        "step_ms": step,
        "step_cpu_ms": 1000.0 * median(cpu for cpu, _ in times),
        "cell_steps_per_s": 1000.0 * cells / step,
        "parts_ms": parts,
        "bytes_per_site": memory / model.lattice.size,
        "bytes_per_cell": memory / cells,
    }
    return found | (against_mesa(model, case.mesa_steps) if case.mesa_steps else {})


def timed_step(model) -> tuple[float, dict[str, float]]:
    """One step as ``model.step`` takes it: seconds of processor time, and seconds for each verb and process."""
    parts, begun = {}, process_time()
    for name, run in model.deeds():
        started = perf_counter()
        run()
        parts[name] = perf_counter() - started
    return process_time() - begun, parts


def against_mesa(model: TumorModel, steps: int) -> dict:
    """The same rules from the same state, compiled and as plain Mesa, turn by turn, in processor time.

    Neither has fields or recruitment, and the plain one draws from ``model.random``.
    """
    from .plain_mesa import PlainTumor

    means = {name: float(field.values.mean()) for name, field in model.fields.items()}
    twin = PlainTumor(
        model, interferon=means["ifn_gamma"], oxygen=means["oxygen"], il2=means["il2"]
    )
    twin.step()  # neighbourhoods are found once and kept
    mesa, engine = [], []
    for _ in range(steps):
        started = process_time()
        twin.step()
        mesa.append(process_time() - started)
        for _ in range(5):
            started = process_time()
            for verb in SAME_RULES:
                getattr(model, verb)()
            engine.append(process_time() - started)
    return {
        "mesa_step_ms": 1000.0 * median(mesa),
        "same_rules_ms": 1000.0 * median(engine),
        "ratio_to_mesa": median(mesa) / median(engine),
    }


def peak_memory() -> int:
    """The most memory this process has held so far, bytes."""
    try:
        import resource
    except ImportError:
        return psutil.Process().memory_info().peak_wset  # Windows has this in its place
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine() -> dict:
    """Where this was measured."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        pass
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": psutil.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def main(out: str | os.PathLike | None = None, quick: bool = False) -> dict:
    """Measure, print tables, write JSON to ``out`` if given; ``quick`` takes small tumours and seconds."""
    console, where, cases = Console(), machine(), QUICK if quick else CASES
    measured = []
    with console.status("measuring") as status:
        for case in cases:
            status.update(f"measuring {case.name}")
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
                measured.append(fresh.submit(measure, case).result())
    headline = next((found for found in measured if found["case"] == HEADLINE), measured[-1])
    planar = [found for found in measured if len(found["shape"]) == 2]
    cost = [found["step_ms"] / found["cells"] for found in (planar[0], planar[-1])]
    mesa = next(found for found in measured if "ratio_to_mesa" in found)
    result = {
        "ratio_to_mesa": mesa["ratio_to_mesa"],
        "ratio_to_mesa_whole_step": mesa["mesa_step_ms"] / mesa["step_cpu_ms"],
        "step_ms": headline["step_ms"],
        "parts_ms": headline["parts_ms"],
        "bytes_per_site": max(found["bytes_per_site"] for found in (headline, planar[-1])),
        "cost_per_cell_largest_to_smallest": cost[1] / cost[0],
        "headline": headline["case"],
        "cases": measured,
        "machine": where,
    }
    show(console, result)
    if out is not None:
        write_atomically(out, dumps(result, indent=1) + "\n")
        console.print(f"written to {out}")
    return result


def show(console: Console, result: dict) -> None:
    """One table, and a few sentences on how it was measured."""
    cases, where = result["cases"], result["machine"]
    table = Table(
        title="One step of 1 h: tumour, T, CAR T and NK cells, all fields, four treatments"
    )
    table.add_column("tumour cells")
    for found in cases:
        table.add_column(found["case"], justify="right")
    rows = {
        "lattice": lambda found: " x ".join(map(str, found["shape"])),
        "all cells": lambda found: f"{found['cells']:,}",
        "ms a step": lambda found: f"{found['step_ms']:.1f}",
        "ms of processor": lambda found: f"{found['step_cpu_ms']:.1f}",
        "cell-steps/s": lambda found: f"{found['cell_steps_per_s'] / 1e6:.2f} M",
        "peak bytes/site": lambda found: f"{found['bytes_per_site']:.0f}",
        "peak bytes/cell": lambda found: f"{found['bytes_per_cell']:.0f}",
    }
    for name, row in rows.items():
        table.add_row(name, *map(row, cases), end_section=name == "peak bytes/cell")
    for verb in cases[0]["parts_ms"]:
        parts = [
            (found["parts_ms"][verb], found["parts_ms"][verb] / found["step_ms"]) for found in cases
        ]
        table.add_row(verb, *(f"{ms:.2f} ms {percent(share):>6}" for ms, share in parts))
    console.print(table)
    mesa = next(found for found in cases if "ratio_to_mesa" in found)
    console.print(
        f"Plain Mesa, the same rules, {mesa['case']}: {mesa['mesa_step_ms']:.0f} ms a step; compiled "
        f"{mesa['same_rules_ms']:.2f} ms: {result['ratio_to_mesa']:.0f} times faster. Plain Mesa has no fields, "
        "recruitment and treatments; the whole step with all of them is "
        f"{result['ratio_to_mesa_whole_step']:.0f} times faster.\n"
        f"Cost per cell, largest to smallest in 2-D: {result['cost_per_cell_largest_to_smallest']:.2f}.\n"
        "Medians over steps; compilation and the first steps are left out. Memory is the peak of a fresh process above "
        "what it needs with a tiny tumour.\n"
        f"{where['processor']}, {where['cores']} cores, load {where['load']:.1f} at the start; "
        f"Python {where['python']}, numpy {where['numpy']}, numba {where['numba']}, Mesa {where['mesa']}.",
        soft_wrap=True,
    )
