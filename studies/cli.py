"""The command line, thin: arguments in, functions called, one line and an exit code for errors.

Exit codes: 0 done; 1 units failed or the environment is broken; 2 bad input; 130 interrupted.
Whatever is slow to import is imported by the command that needs it.
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rpu_ssnn.errors import InputError
from studies.choices import Format
from studies.cli_options import DataOption, OutOption, StudyArgument, WorkersOption
from studies.results_cli import results_app

if TYPE_CHECKING:
    from studies.execution import Options, OtherVersions
    from studies.result import Failure
    from studies.results import Runs
    from studies.study import Study

INTERRUPTED = 130

app = typer.Typer(
    help="Trains spiking networks inside simulated analog devices and compares them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
presets_app = typer.Typer(help="Device presets: list them, or show one with its sources.")
app.add_typer(presets_app, name="presets")
app.add_typer(results_app)  # its commands join the top level


@app.command()
def run(
    study: StudyArgument,
    out: OutOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    accept_other_versions: Annotated[
        bool, typer.Option(help="Keep rows made under other torch, aihwkit or numerics versions.")
    ] = False,
    rerun: Annotated[bool, typer.Option(help="Run such rows again.")] = False,
) -> None:
    """Run what is missing of a study; print its table and say where the results are."""
    if accept_other_versions and rerun:
        raise InputError("run", "--rerun", True, "must not come with --accept-other-versions")
    others: OtherVersions = "refuse"
    if accept_other_versions:
        others = "accept"
    if rerun:
        others = "rerun"
    from studies.api import default_folder
    from studies.execution import run_in_folder
    from studies.shipped import find_study

    declared = find_study(study)
    root = out or default_folder(declared)
    try:
        outcome = run_in_folder(declared, root, _options(workers, data, others))
    except KeyboardInterrupt:
        _stop_interrupted(root)
    _show(declared, outcome.runs, root)
    _end(outcome.failures, root)


@app.command()
def search(
    study: StudyArgument,
    out: OutOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the file that the study's `drives` names.")
    ] = False,
) -> None:
    """Search the drive of every case that gives none, on validation images only."""
    from studies.api import default_folder
    from studies.drives import write_drives
    from studies.execution import search_in_folder
    from studies.shipped import find_study

    declared = find_study(study)
    root = out or default_folder(declared)
    if write and declared.drives is None:
        raise InputError(study, "drives", None, "must name the file that --write writes")
    try:
        drives, failures = search_in_folder(declared, root, _options(workers, data, "refuse"))
    except KeyboardInterrupt:
        _stop_interrupted(root)
    if write and declared.drives is not None and not failures:
        write_drives(declared.drives, drives)
        typer.echo(f"{len(drives)} drives in {declared.drives}")
    _end(failures, root)


@app.command()
def studies() -> None:
    """List the shipped studies with their questions."""
    from studies.shipped import FOLDER, shipped_names
    from studies.yaml_file import read_yaml

    for name in shipped_names():
        question = read_yaml(FOLDER / f"{name}.yaml")["question"]
        typer.echo(f"{name}: {' '.join(question.split())}")


@app.command()
def doctor(data: DataOption = None) -> None:
    """Check Python, the aihwkit/torch pair, threads and data folders."""
    from rpu_ssnn.doctor import diagnose, failed, render

    checks = diagnose(data)
    for line in render(checks):
        typer.echo(line)
    if failed(checks):
        raise typer.Exit(1)


@app.command()
def version() -> None:
    """Print the versions of the package and of its numerics."""
    from rpu_ssnn.version import NUMERICS_VERSION, VERSION

    typer.echo(f"rpu-ssnn {VERSION}, numerics {NUMERICS_VERSION}")


@presets_app.callback(invoke_without_command=True)
def presets(context: typer.Context) -> None:
    """List the device presets: states, step, asymmetry, noise, source."""
    if context.invoked_subcommand is not None:
        return
    from device_presets import overview

    typer.echo(overview().to_markdown(index=False, floatfmt=".4g"))


@presets_app.command("show")
def show_preset(
    name: Annotated[str, typer.Argument(help="Name of a preset.")],
    plot: Annotated[
        Path | None, typer.Option(help="File of the plot; default: NAME.png here.")
    ] = None,
) -> None:
    """Print every parameter with unit and source, and plot the pulse response."""
    from device_presets import describe, get_preset, plot_pulse_response

    preset = get_preset(name)
    typer.echo(f"{preset.name}: {preset.description}\n{preset.citation}\n")
    typer.echo(describe(preset).fillna("").to_markdown(index=False, disable_numparse=True))
    target = plot_pulse_response(preset, plot or Path(f"{Path(name).stem}.png"))
    typer.echo(f"\npulse response: {target}")


def main() -> None:
    """Entry point of `rpu-ssnn`."""
    try:
        app()
    except InputError as error:
        _exit(str(error), 2)
    except Exception as error:
        # Not imported above, since importing them is slow: recognised once they are raised.
        name = type(error).__name__
        if name == "PresetError":
            _exit(str(error), 2)
        if name in ("BrokenPairError", "BrokenProcessPool") or isinstance(error, OSError):
            _exit(str(error), 1)
        raise


def _options(workers: int | None, data: Path | None, others: "OtherVersions") -> "Options":
    from studies.execution import Options, training_job
    from studies.progress import ConsoleReporter

    return Options(
        job=training_job(data),
        workers=workers,
        other_versions=others,
        reporter=ConsoleReporter(Console(stderr=True)),
    )


def _show(declared: "Study", runs: "Runs", root: Path) -> None:
    """Prints the table, draws the figure, and says where everything is."""
    from studies.plot import plot_study
    from studies.results import RESULTS_CSV, RESULTS_PARQUET, results_frame
    from studies.table import render, summary

    reference = declared.reference_label
    if all(unit.label != reference for unit, _ in runs):
        typer.echo(f"no row of the reference {reference} yet, so no table of gaps")
        return
    results = results_frame(runs)
    table = summary(results, reference)
    title = f"{declared.study}: {' '.join(declared.question.split())}"
    figure = plot_study(results, table, reference, title, root / f"{declared.study}.png")
    typer.echo(render(table, reference, Format.md))
    typer.echo(f"rows    {root / RESULTS_CSV}, {root / RESULTS_PARQUET}\nfigure  {figure}")


def _end(failures: "list[Failure]", root: Path) -> None:
    if failures:
        typer.echo(
            f"{len(failures)} units failed, listed in {root / 'failures.csv'}; "
            "the same command tries them again",
            err=True,
        )
        raise typer.Exit(1)


def _stop_interrupted(root: Path) -> None:
    command = shlex.join(["rpu-ssnn", *sys.argv[1:]])
    _exit(f"interrupted; finished rows are kept in {root}; go on with: {command}", INTERRUPTED)


def _exit(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.stderr.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
