"""The commands of studies: they parse, call and print."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..runs import command_line
from . import arguments, completion
from .bars import RunBar
from .stops import exit_code, terminable

Workers = Annotated[
    int | None, typer.Option(help="Processes on this machine (one per core that may be used).")
]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler, or slurm (dask-jobqueue).")
]
Shard = Annotated[
    str | None,
    typer.Option(help="3/20: only every twentieth run, the third first; for job arrays."),
]
Out = Annotated[Path | None, typer.Option(help="Folder (results/NAME).")]
Resume = Annotated[bool, typer.Option("--resume", help="Complete or show what is in the folder.")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace the study in the folder; with --shard, its own runs."
    ),
]
Retry = Annotated[bool, typer.Option("--retry-failed", help="Run again what failed.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print the findings only.")]


def sweep(
    study: Annotated[
        str,
        typer.Argument(
            help="A sweep's name, or the path of a TOML file.", autocompletion=completion.sweeps
        ),
    ],
    workers: Workers = None,
    scheduler: Scheduler = None,
    shard: Shard = None,
    out: Out = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    retry_failed: Retry = False,
    quiet: Quiet = False,
) -> None:
    """Run scenarios over a design of parameter values: sweeps, sensitivity, dose surfaces."""
    _complete(
        "sweep", study, workers, scheduler, shard, out, resume, overwrite, retry_failed, quiet
    )


def trial(
    study: Annotated[
        str,
        typer.Argument(
            help="A trial's name, or the path of a TOML file.", autocompletion=completion.trials
        ),
    ],
    workers: Workers = None,
    scheduler: Scheduler = None,
    shard: Shard = None,
    out: Out = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    retry_failed: Retry = False,
    quiet: Quiet = False,
) -> None:
    """Run a virtual trial: a cohort of patients, every patient's tumour forked into every arm."""
    _complete(
        "trial", study, workers, scheduler, shard, out, resume, overwrite, retry_failed, quiet
    )


def _complete(
    kind: str,
    word: str,
    workers: int | None,
    scheduler: str | None,
    shard: str | None,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    retry_failed: bool,
    quiet: bool,
) -> None:
    """Run a study with a bar, print what was found, and leave with 1 where runs failed."""
    from ..report.report import write as report
    from ..studies.cores import usable_cores
    from ..studies.kinds import STUDIES
    from ..studies.runner import complete

    study = STUDIES[kind].load(word)
    given = {"workers": workers, "scheduler": scheduler, "shard": shard, "out": out}
    command = shlex.join(["tumorlab", kind, word, *command_line.given(given)])
    if workers is not None and workers < 1:
        raise typer.BadParameter(
            "it must be a whole number of at least 1", param_hint="'--workers'"
        )
    if resume and overwrite:
        raise typer.BadParameter(
            "it excludes --overwrite, which removes what it would keep", param_hint="'--resume'"
        )
    part = arguments.shard(shard)
    with terminable(), RunBar(quiet) as bar:
        try:
            summary = complete(
                study,
                out,
                workers=workers or usable_cores(),
                scheduler=scheduler,
                shard=part,
                resume=resume or part is not None,
                overwrite=overwrite,
                retry_failed=retry_failed,
                on_progress=bar.update,
                say=bar.say,
                command=command,
            )
            if not summary.missing:
                bar.doing("drawing the report")
                page = report(summary.folder, summary.findings)
        except KeyboardInterrupt as stop:
            bar.stop()
            typer.echo(
                f"Stopped. What is finished is kept; go on with: {command} --resume", err=True
            )
            raise typer.Exit(exit_code(stop)) from None
    for note in summary.notes:
        typer.echo(f"Note: {note}.", err=True)
    if summary.missing:
        typer.echo(
            f"{summary.runs - summary.missing} of {summary.runs} runs are done; the shard that ends last, or --resume, "
            "makes the tables."
        )
        raise typer.Exit(1 if summary.failed else 0)
    for sentence in summary.findings.sentences:
        typer.echo(sentence)
    for figure in summary.figures:
        typer.echo(f"picture: {figure}")
    typer.echo(f"report: {page}")
    typer.echo(
        f"tables: {summary.folder}/*.parquet ({summary.runs} runs, {summary.computed} of them computed now)"
    )
    if summary.failed:
        failed = summary.tables["runs"].query("status == 'failed'")
        typer.echo(
            f"{summary.failed} of {summary.runs} runs failed; the first: {failed['message'].iloc[0]}. "
            "All are in runs.parquet and failures/; --resume --retry-failed tries them again.",
            err=True,
        )
        raise typer.Exit(1)
