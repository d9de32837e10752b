"""`rpu-ssnn presets` lists and shows presets, fits measurements, and uses published metrics."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import PLOT_SUFFIXES, YAML_SUFFIXES, refuse_unwritable, write_together
from rpu_ssnn.common.wording import counted
from studies.cli.options import path_argument, path_option, with_options

if TYPE_CHECKING:
    from device_presets.fitting.results.fitted_device import FittedDevice

presets_app = typer.Typer(help="List the device presets, show one, or make one of your own device.")

NameOption = Annotated[str, typer.Option("--name", help="Name of the preset to make.")]
OutOption = Annotated[
    Path | None,
    path_option("Preset file; default: NAME.yaml here, if it is not there yet.", "--out"),
]
PresetArgument = Annotated[
    str, typer.Argument(help="Name of a preset, or a file: device.yaml, devices.yaml:entry.")
]
DataArgument = Annotated[
    Path,
    path_argument(
        "CSV or Excel, one row per pulse, with columns polarity, conductance_uS, ...; or a folder "
        "with CrossSim's lookup table."
    ),
]
SheetOption = Annotated[
    str | None, typer.Option(help="Sheet of an Excel file; all: each is a device; default: first.")
]
ReadVoltageOption = Annotated[
    float | None, typer.Option(help="Voltage (V) at which currents were read, with its sign.")
]

_MOST_OF_THE_RANGE = 0.8
"""An example that spans less of the range gets a note, since a fit of it cannot see the bounds."""


@presets_app.callback(invoke_without_command=True)
def presets(context: typer.Context) -> None:
    """List the device presets: states, asymmetry, noise, spread, source."""
    if context.invoked_subcommand is not None:
        return
    from device_presets.cards.listing import listing

    typer.echo(listing())


@presets_app.command("show")
def show_preset(
    name: PresetArgument,
    plot: Annotated[Path | None, path_option("File of the plot; default: NAME_card.png.")] = None,
    no_plot: Annotated[bool, typer.Option("--no-plot", help="Print only, write no file.")] = False,
) -> None:
    """Print the device's card and every parameter with unit and source, and draw the card.

    Green values come from a source (a measurement, a fit, a specification). Grey values are assumed
    or not known.
    """
    from device_presets import describe, get_preset
    from device_presets.cards.card import card
    from device_presets.cards.card_plot import plot_card
    from device_presets.library.preset_file import short_name

    if plot is not None and no_plot:
        raise InputError("presets show", "--plot", str(plot), "must not come with --no-plot")
    preset = get_preset(name)
    target = plot or Path(f"{short_name(name)}_card.png")  # `fit` draws NAME.png
    if not no_plot:
        refuse_unwritable("presets show", "--plot", target, PLOT_SUFFIXES)
    typer.echo(f"{preset.name}: {preset.description}\n{preset.citation}\n")
    if preset.failed_checks:
        typer.echo(f"The fit failed checks: {' '.join(preset.failed_checks)}\n")
    for fact in card(preset):
        colour = typer.colors.GREEN if fact.standing == "sourced" else typer.colors.BRIGHT_BLACK
        shown = typer.style(f"{fact.value:27} {fact.standing}", fg=colour)
        typer.echo(f"{fact.what:33} {shown}")
    typer.echo("")
    for row in describe(preset).fillna("").to_dict("records"):
        value = f"{row['value']:.6g}" if isinstance(row["value"], float) else row["value"]
        unit = "" if row["unit"] in ("1", "yes/no") else row["unit"]
        typer.echo(f"{row['parameter']}: {value} {unit}".rstrip())
        assumed = row["assumption"] and f"assumed: {row['assumption']}"
        reasons = "; ".join(filter(None, (row["source"], assumed)))
        typer.echo(textwrap.indent(textwrap.fill(reasons, 92), "    "))
    if not no_plot:
        typer.echo(f"\nplot    {plot_card(preset, target)} (device card)")


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """Holds the options that are arguments of `fit_file`."""

    sheet: SheetOption = None
    read_voltage: ReadVoltageOption = None
    retention: Annotated[
        Path | None,
        path_option("Second file: readings over time without pulses, in column time_s, ..."),
    ] = None
    weight_zero: Annotated[
        float | None, typer.Option(help="Conductance of weight 0, in the file's unit.")
    ] = None
    weight_one: Annotated[
        float | None, typer.Option(help="Conductance of weight 1, in the file's unit.")
    ] = None


@presets_app.command("fit")
@with_options
def fit(
    data: DataArgument,
    name: NameOption,
    out: OutOption = None,
    plot: Annotated[
        Path | None, path_option("File of the plot; default: that of the preset, with .png.")
    ] = None,
    accept_poor_fit: Annotated[
        bool, typer.Option("--accept-poor-fit", help="Write the preset however poor the fit.")
    ] = False,
    *,
    options: FitOptions,
) -> None:
    """Fit a measured device, and write a preset with intervals, a verdict and a plot.

    An imperfect fit also gives a preset, with a diagnosis of what it lacks. If pulses do not move
    the device, or the mean curve is off by more than a tenth of the range, the exit code is 3 and
    no preset is written. Only presets and plots that this package made are replaced.
    """
    from device_presets.fitting.reading.measurement import doubt_of
    from device_presets.library.entry_writing import checked_name, draws_file
    from studies.cli.kept_fits import kept_fit

    checked_name(name)
    preset_file = _file_to_make("presets fit", name, out)
    plot_file, draws = plot or preset_file.with_suffix(".png"), draws_file(preset_file)
    refuse_unwritable("presets fit", "--plot", plot_file, PLOT_SUFFIXES)
    refuse_unwritable("presets fit", "draws", draws)

    def tell(words: str) -> None:
        typer.echo(f"... {words}", err=True)

    fitted = kept_fit(data, name, tell, **vars(options))
    doubt = doubt_of(fitted.measurement)
    if doubt:
        typer.echo(f"{doubt}.\n")
    _print_fit(data, fitted)
    if not fitted.usable and not accept_poor_fit:
        fitted.save(None, plot_file)
        cause = f"{doubt}; " if doubt else ""
        typer.echo(
            f"{data}: no model describes the data: {cause}failed checks: {fitted.verdict.failed}. "
            f"See the plot {plot_file}. No preset was written; --accept-poor-fit writes it "
            "nevertheless.",
            err=True,
        )
        raise typer.Exit(3)
    fitted.save(preset_file, plot_file)
    typer.echo(f"\npreset  {preset_file}\nplot    {plot_file}")
    typer.echo(f"draws   {draws}: device: {{fit: {preset_file}, draws: 5}} in a study")


def _print_fit(data: Path, fitted: "FittedDevice") -> None:
    """Prints what was measured, how the models compare, the chosen one's parameters, and checks."""
    typer.echo(f"{data}: {fitted.measurement.size}")
    for note in fitted.measurement.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"{fitted.population.fit.prepared.scale.sentence}\n")
    typer.echo("Models (log-likelihood beside the best; *: chosen, =: as good as the best):\n")
    typer.echo(fitted.models().to_markdown(index=False, disable_numparse=True) + "\n")
    typer.echo(fitted.table().to_markdown(index=False, disable_numparse=True))
    remarks = fitted.remarks
    typer.echo("\n".join(["", *remarks, ""]) if remarks else "")
    typer.echo(f"{fitted.sentence}. {fitted.diagnosis}\n")
    for check in fitted.checks:
        typer.echo(check.line)


@presets_app.command("table")
def table(
    data: DataArgument,
    name: Annotated[str, typer.Option("--name", help="Name of the folder to make.")],
    sheet: SheetOption = None,
    read_voltage: ReadVoltageOption = None,
) -> None:
    """Write a table of the measured jumps, without a fit; a study takes it as a device."""
    from device_presets.fitting.results.measured_table import write_tables
    from device_presets.library.entry_writing import checked_name

    typer.echo("\n".join(write_tables(data, Path(checked_name(name)), sheet, read_voltage)))


@dataclass(frozen=True, kw_only=True)
class MetricOptions:
    """Holds the options with the fields of `PublishedMetrics`."""

    on_off: Annotated[float, typer.Option(help="Largest over smallest conductance.")]
    states_up: Annotated[int, typer.Option(help="Pulses from the lower end to the upper.")]
    states_down: Annotated[int, typer.Option(help="Pulses from the upper end to the lower.")]
    nonlinearity_up: Annotated[
        float, typer.Option(help="NeuroSim label, -9 to 9; above 0, the first steps are largest.")
    ]
    nonlinearity_down: Annotated[
        float, typer.Option(help="NeuroSim label, -9 to 9; below 0, the first steps are largest.")
    ]
    cycle_to_cycle: Annotated[float, typer.Option(help="Noise of a pulse, share of the range.")]
    device_to_device: Annotated[float, typer.Option(help="Deviation of labels between devices.")]
    source: Annotated[str, typer.Option(help="Publication the numbers come from.")] = (
        "numbers given on the command line"
    )


@presets_app.command("from-metrics")
@with_options
def from_metrics(name: NameOption, out: OutOption = None, *, given: MetricOptions) -> None:
    """Make a preset from the numbers that papers report in NeuroSim's terms.

    Only a preset that this package made is replaced.
    """
    from device_presets.library.entry_writing import write_and_check
    from device_presets.neurosim_metrics.from_metrics import PublishedMetrics, text_from_metrics

    metrics = PublishedMetrics(**vars(given))
    text = text_from_metrics(name, metrics)
    file = _file_to_make("presets from-metrics", name, out)
    write_together(name, {file: lambda path: write_and_check(path, text)})
    typer.echo(f"preset  {file}")
    typer.echo(
        f"in a study, set the on/off ratio: tile: {{reference: {{on_off_ratio: {given.on_off:g}}}}}"
    )


def _file_to_make(command: str, name: str, out: Path | None) -> Path:
    """Returns the preset file to write; only ``--out`` may name an existing file.

    Raises:
        InputError: the file cannot be written, or exists already.
    """
    file = out or Path(f"{name}.yaml")
    refuse_unwritable(command, "--out" if out else "--name", file, YAML_SUFFIXES, new=out is None)
    return file


@presets_app.command("example")
def example(
    name: PresetArgument,
    out: Annotated[Path, path_option("CSV to write.")],
    devices: Annotated[int, typer.Option(min=1)] = 8,
    pulses: Annotated[int, typer.Option(min=1, help="Pulses of each sweep, up and down.")] = 200,
    cycles: Annotated[int, typer.Option(min=1)] = 2,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 2, help="Seed of the devices.")] = 0,
) -> None:
    """Write the CSV that a measurement of a preset would give, to try `fit`."""
    from device_presets import get_preset
    from device_presets.pulsing.example_measurement import ONE_US, ZERO_US, example_measurement

    refuse_unwritable("presets example", "--out", out, (".csv",), new=True)
    preset = get_preset(name)
    table = example_measurement(preset, devices, pulses, cycles, seed)
    write_together("example", {out: lambda path: table.to_csv(path, index=False)})
    scale = f"weight 0 is {ZERO_US:g} uS, weight 1 is {ONE_US:g} uS"
    typer.echo(f"{out}: {counted(len(table), 'row')}; {scale}")
    range_us = (ONE_US - ZERO_US) * (preset.number("w_max") - preset.number("w_min"))
    share = (table["conductance_uS"].max() - table["conductance_uS"].min()) / range_us
    if share < _MOST_OF_THE_RANGE:
        span = f"the readings span {100 * share:.0f} % of the mean range"
        typer.echo(f"note: {span}; with more --pulses, a fit would see the bounds")
    if not preset.bidirectional:
        typer.echo(f"note: each device is only swept up, as {preset.name} has no gradual down step")
