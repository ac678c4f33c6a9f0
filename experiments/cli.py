"""The ``tumorlab`` command: it parses, calls and prints; a user's mistake is one sentence and exit code 2."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.core import TyperGroup

UsageError = typer.BadParameter.__base__


class Commands(TyperGroup):
    """Commands whose bad input ends in a sentence; errors that are not ours are defects and keep their traceback."""

    def invoke(self, context):
        os.environ["MPLBACKEND"] = "Agg"
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())
        try:
            return super().invoke(context)
        except ValueError as error:
            if type(error).__module__.split(".")[0] not in ("simulation", "experiments"):
                raise
            typer.echo(f"Error: {str(error).rstrip('.')}.", err=True)
            raise typer.Exit(2) from None
        except UsageError as error:
            typer.echo(f"Error: {error.format_message().rstrip('.')}; see tumorlab --help.", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("Stopped.", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Tumor-Immune Lab: a tumour, an immune system, and the treatments between them.")


def _console() -> Console:
    """A console as wide as the terminal; wide enough for whole tables when the output goes to a file."""
    return Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 200)


def _version(wanted: bool) -> None:
    if wanted:
        from .provenance import version
        typer.echo(f"tumorlab {version()}")
        raise typer.Exit()


@app.callback()
def options(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True,
                                                  help="Show the version and leave.")] = False) -> None:
    """Options before the command."""


@app.command("list")
def list_() -> None:
    """List scenarios, treatments and parameter sets."""
    from .catalog import overview
    console = _console()
    for heading, entries in overview().items():
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, line in entries.items():
            table.add_row(f"  {name}", line)
        console.print(heading, style="bold")
        console.print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="A scenario, a treatment or a parameter set.")],
         everything: Annotated[bool, typer.Option("--all", help="Every parameter in force in a scenario.")] = False
         ) -> None:
    """Show one of them in full, with its parameters, their ranges and their sources."""
    from .catalog import entry
    found, console = entry(name, all_parameters=everything), _console()
    console.print(f"{found.name} ({found.kind})", style="bold")
    console.print(found.meaning)
    for fact in found.facts:
        console.print(f"  {fact}")
    table = Table("parameter", "value", "unit", "range", "meaning", "source")
    for column in table.columns:
        column.overflow = "fold"
    for row in found.rows:
        table.add_row(row["name"], f"{row['value']:g}", row["unit"], f"{row['low']:g} to {row['high']:g}",
                      row["meaning"], row["source"])
    if found.rows:
        console.print(table)
    for reference in found.references():
        console.print(f"  {reference}")


@app.command()
def run(scenario: Annotated[str, typer.Argument(help="A scenario's name, or the path of a TOML file.")],
        days: Annotated[float | None, typer.Option(help="Days to run, in place of the scenario's.")] = None,
        seed: Annotated[int | None, typer.Option(help="Another seed, another patient.")] = None,
        arms: Annotated[str | None, typer.Option(help="Only these arms, a,b,c; the control is always run.")] = None,
        set_: Annotated[list[str] | None, typer.Option("--set", help="dotted.name=value; what an arm sets itself "
                                                                     "stays. May be repeated.")] = None,
        out: Annotated[Path | None, typer.Option(help="Folder [results/SCENARIO-seedS].")] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Complete a run that was stopped.")] = False,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the folder.")] = False,
        quiet: Annotated[bool, typer.Option("--quiet", help="Print the outcome only.")] = False) -> None:
    """Run a scenario, write its folder, and say what happened."""
    given = {"days": days, "seed": seed, "arms": arms, "set": set_, "out": out}
    command = shlex.join(["tumorlab", "run", scenario, *_given(given)])
    names, values = _names(arms), _values(set_)
    from .run import default_folder, run_scenario
    from .scenario import Scenario
    found = Scenario.load(scenario)
    folder = default_folder(found, seed) if out is None else out
    with _Bars(quiet) as bars:
        try:
            summary = run_scenario(found, folder, arms=names, days=days, seed=seed, set=values, resume=resume,
                                   overwrite=overwrite, on_progress=bars.update, command=command)
        except KeyboardInterrupt:
            bars.stop()
            typer.echo(f"Stopped. What is whole is kept in {folder}; complete it with: {command} --resume", err=True)
            raise typer.Exit(130) from None
    for note in summary.notes:
        typer.echo(f"Note: {note}.", err=True)
    if not summary.computed and not quiet:
        typer.echo(f"{summary.folder} is finished already; this is what happened in it.", err=True)
    width = max(map(len, summary.outcomes))
    for arm, outcome in summary.outcomes.items():
        typer.echo(f"{arm:{width}}  {outcome}")
    typer.echo(f"picture: {summary.picture}")


@app.command()
def plot(folder: Annotated[Path, typer.Argument(help="The folder of a finished run.")]) -> None:
    """Draw the pictures of a finished run again."""
    from .pictures import draw_all
    for file in draw_all(folder):
        typer.echo(file)


@app.command()
def benchmark(out: Annotated[Path | None, typer.Option(help="Write the numbers to this JSON file.")] = None) -> None:
    """Measure speed and memory on this machine, beside plain Mesa."""
    if out and not os.access(out.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"nothing can be written in {out.absolute().parent}", param_hint="'--out'")
    from . import benchmark
    benchmark.main(out)


@app.command("check-treatment")
def check_treatment(treatment: Annotated[str, typer.Argument(help="module:Class, or the name of a treatment.")]
                    ) -> None:
    """Check the promises that every treatment keeps."""
    from simulation import check_treatment, treatments
    found = treatments.find(treatment)
    try:
        check_treatment(found)
    except AssertionError as broken:
        typer.echo(str(broken), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{treatment} keeps every promise of a treatment.")


class _Bars:
    """Progress on stderr: a word about the first compilation, and a bar per arm when a person watches."""

    def __init__(self, quiet: bool):
        self._quiet = quiet
        self._progress = Progress(TextColumn("{task.description:20}"), BarColumn(),
                                  TextColumn("day {task.completed:.0f} of {task.total:.0f}"), TimeRemainingColumn(),
                                  console=Console(stderr=True), transient=True,
                                  disable=quiet or not sys.stderr.isatty())
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._progress.stop()

    def update(self, arm: str, day: float, days: float) -> None:
        if not self._tasks and not self._quiet:
            self._announce()
        if arm not in self._tasks:
            self._tasks[arm] = self._progress.add_task(arm, total=days)
        self._progress.update(self._tasks[arm], completed=day)


    @staticmethod
    def _announce() -> None:
        from simulation.compiled import already_compiled
        if not already_compiled():
            typer.echo("Compiling loops for the first time (about a minute); later runs start at once.", err=True)


def _given(options: dict) -> list[str]:
    """The options that were given, as they are typed."""
    typed = []
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            typed += [] if one is None else [f"--{name}", str(one)]
    return typed


def _names(arms: str | None) -> list[str] | None:
    if arms is not None and not arms.strip(" ,"):
        raise typer.BadParameter("it must be names of arms such as a,b", param_hint="'--arms'")
    return None if arms is None else [name.strip() for name in arms.split(",") if name.strip()]


def _values(texts: list[str] | None) -> dict[str, float | str] | None:
    """``dotted.name=value`` texts as names and values: numbers where they read as such, else texts with a unit."""
    from .tables import ScenarioError
    values: dict[str, float | str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise ScenarioError(f"--set {text}: it must be dotted.name=value, such as tumor.division_rate=0.02")
        try:
            values[name] = int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError:
            values[name] = value
    return values or None


def main() -> None:
    """The console command."""
    app()


if __name__ == "__main__":
    main()
