"""The ``tumorlab`` command: it parses, calls and prints; a user's mistake is one sentence and exit code 2."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from simulation.errors import TumorLabError

from ..runs import command_line
from . import arguments, completion
from .bars import ArmBars
from .stops import exit_code, terminable
from .study_commands import Quiet, sweep, trial

UsageError = typer.BadParameter.__base__


class Commands(TyperGroup):
    """Commands whose bad input ends in a sentence; errors that are not ours are defects and keep their traceback."""

    def invoke(self, context):
        """Run a command; bad input ends in one sentence and exit code 2."""
        os.environ["MPLBACKEND"] = "Agg"
        try:
            return super().invoke(context)
        except TumorLabError as error:
            typer.echo(f"Error: {error}{'' if str(error).endswith('.') else '.'}", err=True)
            raise typer.Exit(2) from None
        except BrokenPipeError:  # whoever read the output has seen enough
            raise
        except OSError as error:
            reason = (
                f"{error.filename}: {error.strerror}"
                if error.filename and error.strerror
                else error.strerror or error
            )
            typer.echo(f"Error: a file or folder cannot be read or written ({reason}).", err=True)
            raise typer.Exit(2) from None
        except UsageError as error:
            typer.echo(
                f"Error: {error.format_message().rstrip('.')}; see tumorlab --help.", err=True
            )
            raise typer.Exit(2) from None
        except KeyboardInterrupt as stop:
            typer.echo("Stopped.", err=True)
            raise typer.Exit(exit_code(stop)) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Tumor-Immune Lab: a tumour, an immune system, and the treatments between them.",
)


def command(name: str, example: str):
    """A command of this name, whose help ends with an example."""
    return app.command(name, epilog=f"Example: tumorlab {name} {example}".rstrip())


def _console() -> Console:
    """A console as wide as the terminal; wide enough for whole tables when the output goes to a file."""
    return Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 200)


def _version(wanted: bool) -> None:
    if wanted:
        from ..runs.provenance import version

        typer.echo(f"tumorlab {version()}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Options before the command."""


@command("list", "")
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


@command("show", "car_t_antigen_escape --all")
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A scenario, a treatment or a parameter set.", autocompletion=completion.entries
        ),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Every parameter in force in a scenario.")
    ] = False,
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
        table.add_row(
            row["name"],
            f"{row['value']:g}",
            row["unit"],
            f"{row['low']:g} to {row['high']:g}",
            row["meaning"],
            row["source"],
        )
    if found.rows:
        console.print(table)
    for reference in found.references():
        console.print(f"  {reference}")


@command("run", "cold_tumor --days 21 --seed 7 --set t_cell.base_influx=2 --out results/warmer")
def run(
    scenario: Annotated[
        str,
        typer.Argument(
            help="A scenario's name, or the path of a TOML file.",
            autocompletion=completion.scenarios,
        ),
    ],
    days: Annotated[
        float | None, typer.Option(help="Days to run, in place of the scenario's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed, another patient.")] = None,
    arms: Annotated[
        str | None,
        typer.Option(
            help="Only these arms, a,b,c; the control is always run.",
            autocompletion=completion.arms,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="dotted.name=value; what an arm sets itself stays. May be repeated.",
            autocompletion=completion.settings,
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder (results/SCENARIO-seedS).")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Complete a run that was stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in the folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the outcome only.")] = False,
) -> None:
    """Run a scenario, write its folder, and say what happened."""
    given = {"days": days, "seed": seed, "arms": arms, "set": set_, "out": out}
    typed = shlex.join(["tumorlab", "run", scenario, *command_line.given(given)])
    chosen, values = arguments.arms(arms), arguments.settings(set_)
    from ..report.report import write as report
    from ..runs.run import default_folder, run_scenario
    from ..scenarios.scenario import Scenario
    from ..scenarios.toml_tables import ScenarioError

    try:
        found = Scenario.load(scenario)
    except (
        ScenarioError
    ):  # which says more where the other kinds of file are known; it takes a second to import them
        from ..studies.kinds import load

        found = load(Scenario, scenario)
    folder = default_folder(found, seed) if out is None else out
    with terminable(), ArmBars(quiet) as bars:
        try:
            summary = run_scenario(
                found,
                folder,
                arms=chosen,
                days=days,
                seed=seed,
                set=values,
                resume=resume,
                overwrite=overwrite,
                on_progress=bars.update,
                doing=bars.doing,
                command=typed,
            )
            if summary.computed or not (summary.folder / "report.html").is_file():
                bars.doing("drawing the report")
                report(summary.folder)
        except KeyboardInterrupt as stop:
            bars.stop()
            typer.echo(
                f"Stopped. What was computed is kept in {folder}; complete it with: {typed} --resume",
                err=True,
            )
            raise typer.Exit(exit_code(stop)) from None
    for note in summary.notes:
        typer.echo(f"Note: {note}.", err=True)
    if not summary.computed and not quiet:
        typer.echo(f"{summary.folder} is finished already; this is what happened in it.", err=True)
    width = max(map(len, summary.outcomes))
    for arm, outcome in summary.outcomes.items():
        typer.echo(f"{arm:{width}}  {outcome}")
    typer.echo(f"picture: {summary.picture}")
    typer.echo(f"report: {summary.folder / 'report.html'}")


command("sweep", "car_t_dose --workers 2 --out results/doses")(sweep)
command("trial", "checkpoint_trial --workers 2 --out results/trial")(trial)


@command("plot", "results/warmer")
def plot(
    folder: Annotated[Path, typer.Argument(help="The folder of a finished run or study.")],
) -> None:
    """Draw the pictures of a finished run or study again, from what is stored."""
    from ..report.report import write as report
    from ..runs.pictures import draw_all
    from ..studies.archive import PLAN

    with ArmBars(quiet=False) as bars:
        bars.doing("drawing the pictures and the report")
        if (folder / PLAN).is_file():
            from ..studies.stored import analysed

            summary = analysed(folder)
            files = [*summary.figures, report(folder, summary.findings)]
        else:
            summary, files = None, [*draw_all(folder), report(folder)]
    if summary and summary.failed == summary.runs:
        typer.echo("Note: every run failed; there is nothing to draw.", err=True)
    for file in files:
        typer.echo(file)


@command("film", "results/warmer --seconds 10")
def film(
    folder: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    seconds: Annotated[float, typer.Option(help="How long it lasts.")] = 20.0,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 20,
    size: Annotated[int, typer.Option(help="Pixels across.")] = 1280,
    own_code: Annotated[
        bool,
        typer.Option(
            "--own-code",
            help="Import the treatments of your own that the run names, which runs their code.",
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Make a film of a run, as MP4 and GIF: tissue, antigen and burden in step, arms side by side."""
    from ..film.film import make

    with ArmBars(quiet) as bars:
        files = make(folder, seconds, fps, size, bars.update, own_code=own_code)
    for file in files:
        typer.echo(file)


@command("app", "--port 8600 --no-browser")
def lab(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO.toml]...",
            help="Scenarios of your own, offered beside those that ship.",
            autocompletion=completion.scenarios,
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port on this machine (8521, or the next that is free).")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A further name under which browsers open it: lab.example.org. May be repeated.",
        ),
    ] = None,
    sessions: Annotated[int | None, typer.Option(help="How many visitors at once (16).")] = None,
) -> None:
    """Open the lab in a browser: two tumours side by side, and treatments given by hand."""
    from ..page.app import main

    main(
        port,
        browser,
        host=host,
        names=allow or (),
        sessions=sessions,
        scenarios=scenarios or (),
    )


@command("export", "results/warmer --to h5ad --day 21")
def export(
    folder: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    to: Annotated[
        str, typer.Option(help="h5ad (AnnData, for squidpy), vti or vtp (VTK, for ParaView).")
    ],
    day: Annotated[list[float] | None, typer.Option(help="Only this day. May be repeated.")] = None,
) -> None:
    """Write the snapshots of a run in the format of another program."""
    from ..runs.exports import export

    for file in export(folder, to, day):
        typer.echo(file)


@command("benchmark", "--out benchmark.json")
def benchmark(
    out: Annotated[Path | None, typer.Option(help="Write the numbers to this JSON file.")] = None,
) -> None:
    """Measure speed and memory on this machine, beside plain Mesa."""
    from simulation.results.files import check_writable

    from ..reference import benchmark

    if out:
        check_writable(out.absolute().parent)
        if out.is_dir():
            raise typer.BadParameter(f"{out} is a folder; it must be a file", param_hint="'--out'")
    benchmark.main(out)


@command("check-treatment", "pembrolizumab")
def check_treatment(
    treatment: Annotated[
        str,
        typer.Argument(
            help="The name of a treatment, module:Class, or FILE.toml:NAME of a drug that a scenario defines.",
            autocompletion=completion.treatments,
        ),
    ],
) -> None:
    """Check the promises that every treatment keeps."""
    from simulation import check_treatment

    from .catalog import find_treatment

    found = find_treatment(treatment)
    try:
        check_treatment(found)
    except AssertionError as broken:
        typer.echo(str(broken), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{treatment} keeps every promise of a treatment.")


def main() -> None:
    """The console command."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(
            errors="replace"
        )  # a terminal that has no letter for µ shows a question mark
    app()


if __name__ == "__main__":
    main()
