"""Runs the commands of the command line, and turns errors into one line and an exit code.

The exit code is 0 for success, 1 if trials failed or the environment is broken, 2 for bad input, 3
for a fit that does not describe its data, and 130 after an interrupt. Each command imports the slow
modules that it needs.
"""

import os
import re
import shlex
import sys
import textwrap
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpu_ssnn.common.errors import Fault, InputError, RpuSsnnError, one_of, require
from rpu_ssnn.common.files import reason, refuse_unwritable, write_together
from studies.cli.keys import keys_app
from studies.cli.options import DataOption, OutOption, StudyArgument, path_option, with_options
from studies.cli.output import discard_output, replace_unencodable, stop
from studies.cli.presets import presets_app
from studies.cli.results import results_app
from studies.cli.running import RunOptions, end
from studies.cli.sensitivity import questions_app
from studies.common import interrupts

if TYPE_CHECKING:
    from studies.declaration.study import Study
    from studies.declaration.trial import Runs

app = typer.Typer(
    help="Trains spiking networks inside simulated analog devices and compares them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.add_typer(presets_app, name="presets")
# The commands of these three are added to the top level.
app.add_typer(results_app)
app.add_typer(questions_app)
app.add_typer(keys_app)


@app.command()
@with_options
def run(study: StudyArgument, out: OutOption = None, *, options: RunOptions) -> None:
    """Run the missing trials of a study, print its table, and name the result files."""
    from studies.common.statistics import describe
    from studies.declaration.shipped import find_study
    from studies.execution.study_runs import run_in_folder
    from studies.report.page.headline import device_to_ask_about
    from studies.results.tables import RESULTS_CSV
    from studies.sensitivity.device_question import accuracy_by_seed, differences

    declared = find_study(study)
    root = out or declared.default_folder
    with options.executing(root) as running:
        outcome = run_in_folder(declared, root, running)
    _show(declared, outcome.runs, root)
    if device := device_to_ask_about(declared, outcome.runs):
        given = "--device", device, *(("--data", str(options.data)) if options.data else ())
        kept = ("--rows", str(root / RESULTS_CSV)) if out else ()
        ask = shlex.join([str(study), *given, *kept])
        typer.echo(f"next    rpu-ssnn decompose {ask}    (device or spikes?)")
        typer.echo(f"        rpu-ssnn attribute {ask}    (which imperfection?)")
        reached = (accuracy_by_seed(outcome.runs, at) for at in (declared.reference_label, device))
        if not describe(differences(*reached).values()).mean <= 0:  # else there is nothing to mend
            typer.echo(f"        rpu-ssnn require {ask} --loss 1    (how good must it be?)")
    end(outcome.failures, root)


@app.command()
def new(
    source: Annotated[
        str, typer.Argument(metavar="DATA", help="A data file, or the name of a standard set.")
    ],
    device: Annotated[
        list[str] | None, typer.Option(help="A device to compare; the option may be repeated.")
    ] = None,
    label: Annotated[str, typer.Option(help="Column with the class, in a table.")] = "label",
    test_file: Annotated[Path | None, path_option("File of the test rows, if separate.")] = None,
    out: Annotated[Path | None, path_option("File to write; default: NAME.yaml here.")] = None,
    data: DataOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look: few samples, three seeds.")
    ] = False,
    conv: Annotated[
        bool, typer.Option("--conv", help="Two convolutions, for images; default: a dense layer.")
    ] = False,
) -> None:
    """Write a study of your data, with settings that suit its classes and samples."""
    from studies.declaration.new_study import new_study, study_name

    kind = f"{'_conv' if conv else ''}{'_quick' if quick else ''}"
    target = out or Path(f"{study_name(source)}{kind}.yaml")
    refuse_unwritable("new", "--out", target, (".yaml", ".yml"), new=True)
    text = new_study(
        source,
        device or ("charge_trap",),
        name=study_name(target),
        folder=target.parent,
        label=label,
        test_file=test_file,
        root=data,
        quick=quick,
        conv=conv,
    )
    write_together("new", {target: lambda path: path.write_text(text, encoding="utf-8")})
    typer.echo(text, nl=False)
    named = shlex.quote(str(target))
    typer.echo(f"\nwritten to {target}; next: rpu-ssnn plan {named}, rpu-ssnn run {named}")


@app.command()
def studies() -> None:
    """List the shipped studies with their questions."""
    from rpu_ssnn.common import strict_yaml
    from studies.declaration.shipped import shipped_files

    for name, path in shipped_files().items():
        question = " ".join(strict_yaml.read(path).get("question", "").split())
        typer.echo(name)
        typer.echo(textwrap.fill(question, 80, initial_indent="    ", subsequent_indent="    "))


@app.command()
def doctor() -> None:
    """Check that aihwkit fits torch and that code can be compiled, and say what to do if not."""
    from rpu_ssnn.doctor import diagnose

    checks = diagnose(partial(typer.echo, err=True))
    for check in checks:
        typer.echo(check.line)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def _version_and_exit(asked: bool) -> None:
    if asked:
        from rpu_ssnn.version import NUMERICS_VERSION, VERSION

        typer.echo(f"rpu-ssnn {VERSION}, numerics {NUMERICS_VERSION}")
        raise typer.Exit


@app.callback()
def _options_of_all(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the versions.", callback=_version_and_exit, is_eager=True
        ),
    ] = False,
) -> None:
    """Checks the environment before a command imports numba, which would say much about it."""
    from rpu_ssnn.doctor import require_compilation

    require_compilation()
    warnings.filterwarnings("error", "Environment variable 'NUMBA_", RuntimeWarning)


def main() -> None:
    """Runs the command in `sys.argv`, and turns errors into one line and an exit code.

    `studies.cli.__main__` calls it within `interrupts.ending_the_command`.
    """
    replace_unencodable()
    os.environ["MPLBACKEND"] = "agg"  # figures are files; the backend of a shell may be missing
    try:
        _refuse_repeated(sys.argv[1:])
        code = app(standalone_mode=False, prog_name="rpu-ssnn")
        if code == interrupts.EXIT_CODE:  # typer has caught the interrupt
            raise KeyboardInterrupt
    except (KeyboardInterrupt, typer.Abort):
        stop("interrupted", interrupts.EXIT_CODE)
    except RpuSsnnError as error:
        stop(str(error), error.exit_code)
    except BrokenPipeError:  # the reader, such as `| head`, has closed the pipe
        discard_output()
        sys.exit(1)
    except OSError as error:
        if error.errno is None:  # a sentence of ours, such as that a connection was lost
            stop(str(error), 1)
        # Where a file could not be renamed, the new name is the one that the user knows.
        named = error.filename2 or error.filename or "output or working folder"
        allowed = "must be usable, on a disk with free space; finished runs are kept"
        stop(f"{named}: file: {reason(error)}; {allowed}", 1)
    except MemoryError:
        stop("there is not enough memory", 1)
    except RuntimeWarning as warning:  # from numba, about a variable that it cannot read
        name, value = re.findall("'(.*?)'", str(warning))[:2]
        fault = InputError("environment", name, value, "must be what numba reads, or unset")
        stop(str(fault), fault.exit_code)
    except Exception as error:
        # For a wrong option or argument, this is click's sentence without its box.
        sentence = getattr(error, "format_message", None)
        if sentence is not None:
            stop(_in_our_words(" ".join(str(sentence()).split()), error), 2)
        if interrupts.interrupted():  # a library has turned the interrupt into another error
            stop("interrupted", interrupts.EXIT_CODE)
        raise
    sys.exit(code or 0)


def _in_our_words(sentence: str, error: Exception) -> str:
    """Removes the terms of Python from typer's error, and adds what it leaves out: the command, its
    help, and the value.

    Args:
        sentence: typer's error about an option or argument.
        error: the error itself, caused by one of pydantic if a number was checked.
    """
    from pydantic import ValidationError

    for theirs, ours in (
        (r"Value error, |command line: path: ", ""),
        (r"(Input should be a )valid integer.*", r"\1whole number"),
        (r"(Input should be a )valid number.*", r"\1number"),
    ):
        sentence = re.sub(theirs, ours, sentence)
    cause, (command, group) = error.__cause__, _command_of(sys.argv[1:])
    if unknown := re.findall("^No such command '(.*)'", sentence):
        sentence = f"there is no command {unknown[0]!r}; {one_of(group.commands, unknown[0])}"
    value = cause.errors()[0]["input"] if isinstance(cause, ValidationError) else None
    sentence = sentence.replace("Input should be ", f"{value!r} is not allowed; must be ")
    return f"{command}: {sentence.rstrip('.')}; see {command} --help"


def _refuse_repeated(words: list[str]) -> None:
    """Refuses a second value of an option that takes one, where typer would drop the first."""
    named, command = _command_of(words)
    for option in command.params:
        given = sum(w[:1] == "-" and w.partition("=")[0] in option.opts for w in words)
        once = given < 2 or option.multiple or option.is_flag
        require(once, named, option.opts[0], Fault(f"given {given} times"), "must be given once")


def _command_of(words: list[str]) -> tuple[str, Any]:
    """Returns the name of the command that words of the command line start, as some of typer's
    errors lack it, and the command itself."""
    named = "rpu-ssnn"
    command: Any = typer.main.get_command(app)
    for word in words:
        if word not in getattr(command, "commands", {}):
            break
        named, command = f"{named} {word}", command.commands[word]
    return named, command


def _show(declared: "Study", runs: "Runs", root: Path) -> None:
    """Prints the table, draws the figure, and names the files."""
    from studies.report.draw import StudyFigures
    from studies.report.figure_style import save
    from studies.report.page.headline import first_swept_point, headline
    from studies.report.summary_view import readable
    from studies.results import caveats
    from studies.results.summary import with_published
    from studies.results.tables import RESULTS_CSV, RESULTS_PARQUET

    reference = declared.reference_label
    if all(trial.label != reference for trial, _ in runs):
        typer.echo(f"no table of gaps yet, as the reference {reference} has no finished trial")
        for line in caveats.of_runs(declared, runs):
            typer.echo(line)
        return
    figures = StudyFigures(declared, runs)
    results, table = figures.results, figures.summary
    title = ": ".join(filter(None, (declared.study, " ".join(declared.question.split()))))
    typer.echo(f"{title}\n\n{readable(with_published(table, declared), reference).markdown}\n")
    for sentence in headline(runs, results, table, reference):
        typer.echo(sentence)
    for line in caveats.of_summary(declared, table, runs):
        typer.echo(line)
    typer.echo(f"rows    {root / RESULTS_CSV}, {root / RESULTS_PARQUET}")
    for kind in figures.kinds()[-1:]:  # the gaps, or what there is in place of them
        typer.echo(f"figure  {save(figures.draw(kind), root / f'{declared.study}.png')}")
    if point := first_swept_point(table, reference):
        ask = shlex.join(["rpu-ssnn", "table", str(root), "--against", point])
        typer.echo(f"next    {ask}    (what does the sweep change?)")
