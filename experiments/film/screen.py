"""The screen of a film: what stays is drawn once, what moves is drawn on a copy of it."""

from collections.abc import Mapping
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from simulation.plots import style
from simulation.plots.arms import column, last_day
from simulation.plots.selection import trait_axis
from simulation.plots.time_courses import dose_rows, mark_doses, sparse
from simulation.plots.tissue import kind_handles, scale_bar
from simulation.plots.volume import extent
from simulation.results.results import Results
from simulation.words import capital, name_words, percent, trait_words

from .shots import Shot
from .tissue import ELEVATION

WIDTH = 12.8
"""Inches; type sizes are those of all pictures at 100 pixels an inch."""
FLASH = 0.8
"""Seconds for which a dose is seen."""
HEAD, NAME, FOOT, GAP = 0.98, 0.64, 0.5, 0.3
BESIDE = 2
"""Up to so many arms, the curves stand beside the tissue, else beneath it."""


class Layout:
    """Where everything stands, in inches from the top left."""

    def __init__(self, arms: int, rows: int):
        above = 0.3 + 0.16 * rows
        if arms <= BESIDE:
            curves = 4.0 if arms == 2 else 6.2
            self.side = (WIDTH - 2 * GAP - curves - GAP * arms) / arms
            top = HEAD + NAME
            left = WIDTH - curves - GAP + 0.95
            tall = (self.side + NAME - above - 1.45) / 2
            self.burden = (left, HEAD + above, curves - 0.95, 1.1 * tall)
            self.shape = (left, HEAD + above + 1.1 * tall + 1.0, curves - 0.95, 0.9 * tall)
            self.height = top + self.side + FOOT
        else:
            self.side = min((WIDTH - GAP * (arms + 1)) / arms, 3.3)
            below, half = HEAD + NAME + self.side + above + 0.35, WIDTH / 2
            self.burden = (GAP + 0.75, below, half - GAP - 1.6, 1.9)
            self.shape = (half + 0.75, below, half - GAP - 0.75, 1.9)
            self.height = below + 1.9 + 0.65 + FOOT
        gap = GAP if arms <= BESIDE else (WIDTH - arms * self.side) / (arms + 1)
        self.tissues = [
            (gap + place * (self.side + gap), HEAD + NAME, self.side, self.side)
            for place in range(arms)
        ]


class Screen:
    """Draws the frames of a film: ``arms`` are the stored results, ``shots`` all shots by arm, ``size`` pixels across."""

    def __init__(
        self,
        arms: Mapping[str, Results],
        shots: Mapping[str, list[Shot]],
        question: str,
        trait: str,
        edges: np.ndarray,
        size: int,
    ):
        self.arms, self.shots, self.trait, self.edges = arms, shots, trait, edges
        self.colors = style.arm_colors(arms)
        self.layout = Layout(len(arms), len(dose_rows(arms)))
        self.dpi = size / WIDTH
        self.pixels = tissue_pixels(len(arms), size)
        with style.context():
            height = 2 * round(self.layout.height * self.dpi / 2)
            self.figure = Figure(figsize=(size / self.dpi, height / self.dpi), dpi=self.dpi)
            self.canvas = FigureCanvasAgg(self.figure)
            self._head(question)
            self._tissues()
            self._burden()
            self._shape()
            self._foot()
            self.canvas.draw()
            self.background = self.canvas.copy_from_bbox(self.figure.bbox)

    def frame(self, number: int, seconds: float) -> np.ndarray:
        """One frame, (height, width, 3) of uint8; the film takes ``seconds``."""
        self.canvas.restore_region(self.background)
        screen = np.asarray(self.canvas.buffer_rgba())
        self.stamp.set_text(f"day {next(iter(self.shots.values()))[number].day:.1f}")
        self.figure.draw_artist(self.stamp)
        for arm in self.arms:
            shot, (left, top) = self.shots[arm][number], self.corners[arm]
            screen[top : top + self.pixels, left : left + self.pixels, :3] = shot.image(self.pixels)
            self._draw_tissue(arm, shot, number, seconds)
            self._draw_curves(arm, shot, number)
        return np.array(screen[:, :, :3])

    # ------------------------------------------------------------ what stays

    def _axes(self, place: tuple[float, float, float, float]) -> Axes:
        """Axes at (left, top, width, height) in inches."""
        left, top, width, height = place
        wide, tall = self.figure.get_size_inches()
        return self.figure.add_axes(
            (left / wide, 1 - (top + height) / tall, width / wide, height / tall)
        )

    def _head(self, question: str) -> None:
        tall = self.figure.get_figheight()
        lines = wrap(question, 96)
        lines = (
            [*lines[:1], lines[1] + (" ..." if len(lines) > 2 else "")] if len(lines) > 1 else lines
        )
        self.figure.text(
            GAP / WIDTH,
            1 - 0.5 / tall,
            "\n".join(lines),
            fontsize=14,
            fontweight="bold",
            va="center",
        )
        self.stamp = self.figure.text(
            1 - GAP / WIDTH,
            1 - 0.5 / tall,
            "",
            fontsize=22,
            fontweight="bold",
            va="center",
            ha="right",
            animated=True,
        )

    def _tissues(self) -> None:
        self.corners, self.counts, self.frames, self.doses, self.bars = {}, {}, {}, {}, {}
        for arm, place in zip(self.arms, self.layout.tissues, strict=True):
            axes = self._axes(place)
            left, top = (round(inches * self.dpi) for inches in place[:2])
            self.corners[arm] = (left, top)
            side = self.pixels
            axes.set(xlim=(0, side), ylim=(0, side), xticks=[], yticks=[])
            axes.axis("off")
            color = self.colors[arm]
            name = axes.text(
                0,
                side * (1 + 0.38 / place[3]),
                name_words(arm),
                color=color,
                fontsize=14,
                fontweight="bold",
            )
            name.set_fontsize(14 * min(1, side / name.get_window_extent().width))
            self.counts[arm] = axes.text(
                0, side * (1 + 0.12 / place[3]), "", fontsize=12, animated=True
            )
            self.frames[arm] = Rectangle(
                (0, 0),
                side,
                side,
                fill=False,
                edgecolor="#C8C8C8",
                linewidth=1,
                animated=True,
                clip_on=False,
            )
            axes.add_patch(self.frames[arm])
            self.doses[arm] = axes.text(
                side * 0.035,
                side * 0.96,
                "",
                color=color,
                fontsize=12,
                fontweight="bold",
                va="top",
                animated=True,
                bbox={"facecolor": "white", "edgecolor": color, "pad": 4},
            )
            self.bars[arm] = self._scale_bar(axes, arm)

    def _scale_bar(self, axes: Axes, arm: str) -> list:
        """The pieces of the scale bar of one tissue, to be drawn on top of it; none for a liquid."""
        days = list(self.arms[arm].snapshots)
        snapshot = self.arms[arm].snapshots[days[0]] if days else None
        if snapshot is None or snapshot.liquid:
            return []
        width = (
            extent(snapshot, ELEVATION)
            if len(snapshot.shape) == 3
            else max(snapshot.shape) * snapshot.spacing
        )
        inner = axes.inset_axes((0, 0, 1, 1))
        inner.set(xlim=(0, width), ylim=(0, width))
        inner.axis("off")
        scale_bar(inner, width)
        pieces = [*inner.patches, *inner.texts]
        for piece in pieces:
            piece.set_animated(True)
        return pieces

    def _burden(self) -> None:
        axes = self._axes(self.layout.burden)
        self.curves, self.heads, self.courses = {}, {}, {}
        for arm, results in self.arms.items():
            self.courses[arm] = column(results, "tumor_cells")
        style.count_axis(axes, np.concatenate([cells for _, cells in self.courses.values()]))
        style.day_axis(axes, last_day(self.arms))
        axes.set_ylabel("living tumour cells")
        axes.yaxis.set_major_locator(sparse(axes))
        mark_doses(axes, self.arms)
        axes.set_title("Tumour burden", pad=8 + 15 * len(dose_rows(self.arms)), fontsize=12.5)
        for arm, color in self.colors.items():
            width = 3.6 if arm == "control" else 2.2
            (self.curves[arm],) = axes.plot([], [], color=color, linewidth=width, animated=True)
            (self.heads[arm],) = axes.plot(
                [], [], "o", color=color, markersize=8, clip_on=False, animated=True
            )

    def _shape(self) -> None:
        axes = self._axes(self.layout.shape)
        starts = {arm: shots[0].shape for arm, shots in self.shots.items()}
        first = next(iter(starts.values()))
        alike = all(np.array_equal(first, start) for start in starts.values())
        for arm, start in {"control": first}.items() if alike else starts.items():
            axes.stairs(
                start,
                self.edges,
                fill=alike,
                color="#D2D2D2" if alike else self.colors[arm],
                alpha=1 if alike else 0.5,
                linestyle="-" if alike else ":",
                linewidth=1.6,
            )
        shown = [
            shot.shape.max()
            for shots in self.shots.values()
            for shot in shots
            if shot.cells and not shot.few.size
        ]
        trait_axis(axes, self.edges, self.trait)
        axes.set_xlabel(axes.get_xlabel(), fontsize=11)
        axes.set(ylim=(0, 1.12 * max(shown, default=10.0)), ylabel="% of tumour cells")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 5, 10]))
        axes.set_title(capital(trait_words(self.trait)) + " of tumour cells", fontsize=12.5)
        axes.text(
            0.99,
            0.97,
            f"{'grey' if alike else 'dotted'}: day 0",
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=10.5,
            color=style.MUTED,
        )
        self.shapes, self.few, self.none = {}, {}, {}
        for place, (arm, color) in enumerate(self.colors.items()):
            self.shapes[arm] = axes.stairs(
                first, self.edges, color=color, linewidth=2.4, animated=True
            )
            (self.few[arm],) = axes.plot(
                [], [], "|", color=color, markersize=13, markeredgewidth=2, animated=True
            )
            self.none[arm] = axes.text(
                0.02,
                0.95 - 0.13 * place,
                "",
                transform=axes.transAxes,
                color=color,
                fontsize=10.5,
                va="top",
                animated=True,
            )

    def _foot(self) -> None:
        snapshots = [
            results.snapshots[day] for results in self.arms.values() for day in results.snapshots
        ]
        if snapshots:
            self.figure.legend(
                handles=kind_handles(*snapshots),
                loc="lower left",
                ncols=8,
                fontsize=12,
                handlelength=0.9,
                bbox_to_anchor=(GAP / WIDTH - 0.01, 0.0),
            )

    # ------------------------------------------------------------ what moves

    def _draw_tissue(self, arm: str, shot: Shot, number: int, seconds: float) -> None:
        self.counts[arm].set_text(
            f"{shot.cells:,} tumour cell{'' if shot.cells == 1 else 's'}"
            if shot.cells
            else "no tumour cell left"
        )
        strength, given = self._flash(arm, number, seconds)
        self.frames[arm].set(
            edgecolor=self.colors[arm] if strength else "#C8C8C8", linewidth=1 + 6 * strength
        )
        pieces = [self.counts[arm], self.frames[arm], *self.bars[arm]]
        if strength:
            self.doses[arm].set_text(given)
            self.doses[arm].set_alpha(strength)
            self.doses[arm].get_bbox_patch().set_alpha(strength)
            pieces.append(self.doses[arm])
        for piece in pieces:
            self.figure.draw_artist(piece)

    def _flash(self, arm: str, number: int, seconds: float) -> tuple[float, str]:
        """How bright the doses of an arm are in a frame, 0 to 1, and what was given."""
        shots = self.shots[arm]
        day, later = shots[number].day, shots[-1].day or 1.0
        doses = self.arms[arm].doses
        since = (day - doses["day"].to_numpy(float)) * seconds / later
        lit = (since >= -1e-9) & (since < FLASH)
        names = [name_words(str(name)) for name in dict.fromkeys(doses["treatment"][lit])]
        return (float(1 - since[lit].min() / FLASH), "\n".join(names)) if lit.any() else (0.0, "")

    def _draw_curves(self, arm: str, shot: Shot, number: int) -> None:
        days, cells = self.courses[arm]
        past = days <= shot.day + 1e-9
        self.curves[arm].set_data(
            np.append(days[past], shot.day), np.append(cells[past], shot.cells)
        )
        self.heads[arm].set_data([shot.day], [shot.cells])
        self.few[arm].set_data(shot.few[shot.few > 0], np.full(np.count_nonzero(shot.few > 0), 0.0))
        self.shapes[arm].set_data(shot.shape)
        self.none[arm].set_text(f"none of it: {percent(shot.none / 100)}" if shot.none else "")
        moving = [self.curves[arm], self.heads[arm], self.none[arm]]
        moving += [self.few[arm]] if shot.few.size else [self.shapes[arm]] if shot.cells else []
        for piece in moving:
            self.figure.draw_artist(piece)


def tissue_pixels(arms: int, size: int) -> int:
    """Pixels of the side of one tissue on a screen of ``size`` pixels across."""
    return int(Layout(arms, 0).side * size / WIDTH)
