"""The fit of a measured file: preset, report and verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from device_presets.entry_writing import checked_name, entry_text, write_and_check
from device_presets.fitting.checks.goodness import FAR, Verdict
from device_presets.fitting.checks.standstill import left_open
from device_presets.fitting.choice import CurveRow, Method, choose
from device_presets.fitting.mean_curve.least_squares import n_numbers
from device_presets.fitting.model.history_search import shortest_leak
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.profile import cycle_noise_limits
from device_presets.fitting.model.selection import Score, Selection, as_likely_of
from device_presets.fitting.model.step_functions import CONSTANT, LINEAR
from device_presets.fitting.model.uncertainty import with_unbiased_noise
from device_presets.fitting.model.weights import WeightScale, prepare, refuse_no_conductance
from device_presets.fitting.reading.csv_layout import CsvLayout
from device_presets.fitting.reading.file_kinds import read
from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.outliers import doubt_of, far_sentence
from device_presets.fitting.results.fit_plot import draw_fit
from device_presets.fitting.results.fitted_entry import fitted_entry
from device_presets.fitting.results.history_entry import left_out
from device_presets.fitting.results.intervals import Quantity
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from device_presets.preset_file import PresetEntry
from device_presets.preset_lookup import preset_of
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.files import write_together

_KNOWN = 0.3
"""Standard error of the log cycle noise up to which its curvature gives the interval."""


@dataclass(frozen=True)
class FittedDevice:
    """A fit with its reported numbers, their intervals and the verdict of the checks.

    Args:
        name: of the preset.
        scale: conductances the weights stand for.
        population: means and spreads over devices under the chosen model.
        quantities: the report.
        curves: errors of the mean curve of the fit, and of those it was compared with.
        doubt: what is probably wrong in the file, in words: polarity, or readings with their rows;
            empty where nothing is.
    """

    name: str
    measurement: Measurement
    scale: WeightScale
    selection: Selection
    population: Population
    quantities: list[Quantity]
    verdict: Verdict
    curves: tuple[CurveRow, ...]
    entry: PresetEntry
    doubt: str = ""

    def table(self) -> pd.DataFrame:
        """Columns ``quantity``, ``value``, ``95 % interval``, ``unit``, ``note``."""
        rows = [(q.name, q.shown, q.interval, q.unit, q.note) for q in self.quantities]
        return pd.DataFrame(rows, columns=["quantity", "value", "95 % interval", "unit", "note"])

    @property
    def unmeasured(self) -> list[str]:
        """What of the range the file does not tell, and which measurement would, in sentences."""
        told = []
        if not self.population.has_down:
            told = [
                "The range down was not measured: the file holds no down pulses.",
                "Studies take it only in one_sided_pair(...) or mixed_precision_pair(...).",
                "For any other use, measure sweeps down beside the sweeps up.",
            ]
        determined = {q.name: q.determined for q in self.quantities}
        for name, side, way in (("w_max", "upper", "up"), ("w_min", "lower", "down")):
            high = way == "up"
            seen = bool(self.population.reached(high).all()) and not self.population.beyond(high)
            if self.measurement.open_ends[0 if high else 1]:
                told.append(f"The {side} bound was not measured: it is the end of the table.")
            elif not (determined[name] and seen) and (high or self.population.has_down):
                told.append(f"The {side} bound was not measured: pulse {way} until devices stop.")
        return told

    @property
    def left_out(self) -> list[str]:
        """What was measured and the preset does not hold, in sentences."""
        return left_out(self.population, self.population.device())

    def _lines(self) -> list[str]:
        table = self.table()
        return [
            f"{q}: {value} {unit}, {interval}" + (f" ({note})" if note else "")
            for q, value, interval, unit, note in table.itertuples(index=False)
        ]

    def models(self) -> pd.DataFrame:
        """Columns ``model``, ``aihwkit``, ``numbers``, ``held-out log-likelihood`` (best is 0).

        Before the name: * the chosen model, = one that the data do not tell from it.
        """
        scores = self.selection.scores
        held = (s.held_out for s in scores)
        best = max((float(h.sum()) for h in held if h is not None), default=0.0)
        rows = [
            (
                self._mark(s) + s.name,
                s.model.law,
                s.fit.n_free + (n_numbers(s.model) if s.fit.layout.noises_only else 0),
                self._held_out(s, best),
            )
            for s in scores
        ]
        names = ["model", "aihwkit", "numbers", "held-out log-likelihood"]
        return pd.DataFrame(rows, columns=names)

    def curve_table(self) -> pd.DataFrame:
        """Columns ``mean curve of``, ``all pulses``, ``cycles held out``: errors as shares of the
        range, up / down."""
        rows = [
            (name, seen.text, "one cycle only" if held is None else held.text)
            for name, seen, held in self.curves
        ]
        return pd.DataFrame(rows, columns=["mean curve of", "all pulses", "cycles held out"])

    def _held_out(self, score: Score, best: float) -> str:
        if score.held_out is not None:
            return f"{float(score.held_out.sum()) - best:.1f}"
        return "not compared" if score.fit.layout.noises_only else "ruled out"

    def _mark(self, score: Score) -> str:
        if score is self.selection.chosen:
            return "* "
        return "= " if any(score is other for other in self.selection.as_good) else ""

    def save(self, preset_file: Path | str | None, plot_file: Path | str) -> None:
        """Writes preset and plot, both or none.

        Args:
            preset_file: None writes the plot only.
            plot_file: its suffix chooses the format.

        Raises:
            PresetError: a file cannot be written.
        """
        preset_file = None if preset_file is None else Path(preset_file)
        plot_file = Path(plot_file)
        comments = (
            f"Fitted by rpu-ssnn to {self.measurement.name}: {self.measurement.size}.",
            *([f"{self.doubt}."] if self.doubt else []),
            *(f"Read: {note}." for note in self.measurement.notes),
            f"{self.scale.sentence}.",
            *self.unmeasured,
            *self.left_out,
            f"{self.verdict.sentence}:",
            *(f"  {check.line}" for check in self.verdict.checks),
            "Measured, with 95 % intervals:",
            *(f"  {row}" for row in self._lines()),
        )
        text = entry_text(self.name, self.entry, comments)
        title = f"{self.name}: {self.entry.description}"

        def plot(path: Path) -> None:
            draw_fit(path, self.population, preset_of(self.name, self.entry), title)

        writers: dict[Path, Callable[[Path], object]] = {plot_file: plot}
        if preset_file is not None:
            writers[preset_file] = lambda path: write_and_check(path, text)
        write_together(self.name, writers)


def fit_file(
    file: Path | str,
    name: str,
    layout: CsvLayout | None = None,
    weight_zero: float | None = None,
    weight_one: float | None = None,
    method: Method = "likelihood",
    against_aihwkit: bool = False,
) -> FittedDevice:
    """Fits a measured file.

    Args:
        file: one row a pulse; or a folder, see ``intake.read``.
        name: of the preset to make.
        layout: columns and units; the standard names where not given.
        weight_zero, weight_one: conductances in siemens that weights 0 and 1 stand for; the
            middle and the top of the measured range where not given. Reports have them in the
            layout's conductance unit.
        method: ``aihwkit`` fits the mean curve with ``aihwkit.utils.fitting``, and only the noises
            by the likelihood.
        against_aihwkit: whether to compare the mean curve with that method's.

    Raises:
        PresetError: the file cannot be used (file, row and column named), or no preset can hold
            the numbers.
    """
    file = Path(file)
    checked_name(name)
    for field, weight in (("weight zero", weight_zero), ("weight one", weight_one)):
        refuse_no_conductance(file.name, field, weight, (layout or CsvLayout()).conductance_unit)
    measurement = read(file, layout or CsvLayout())
    prepared = prepare(measurement, weight_zero, weight_one)
    choice = choose(prepared, method, against_aihwkit)
    selection = choice.selection
    checks = left_open(choice.verdict.checks, measurement.open_ends)
    verdict = replace(choice.verdict, checks=checks)
    fit = selection.chosen.fit
    of_curve = fit.layout.noises_only
    population = _population(fit, chosen=True)
    linear = None if of_curve else _slope_for_each(selection)
    as_good = [_population(s.fit) for s in selection.as_good if s is not selection.chosen]
    least_leak = None if of_curve else shortest_leak(fit)
    as_likely = [_population(score.fit) for score in as_likely_of(selection)]
    quantities = _of_open_ends(
        report(population, linear, as_good, as_likely, least_leak), measurement.open_ends
    )
    try:
        entry = fitted_entry(population, quantities, measurement)
    except PresetError as error:
        allowed = error.allowed
        if not verdict.describes:
            allowed += "; and no model describes the data"
        if doubt := doubt_of(measurement):
            allowed += f"; {doubt}"
        raise PresetError(file, error.field, error.value, allowed) from None
    return FittedDevice(
        name=name,
        measurement=measurement,
        scale=prepared.scale,
        selection=selection,
        population=population,
        quantities=quantities,
        verdict=verdict,
        curves=choice.curves,
        entry=entry,
        doubt=doubt_of(measurement)
        or far_sentence(measurement, verdict.outliers, verdict.n_predicted, FAR),
    )


def _of_open_ends(quantities: list[Quantity], open_ends: tuple[bool, bool]) -> list[Quantity]:
    """The report, with a note at what the ends of a lookup table decide."""
    high, low = open_ends
    ended = {"w_max": high, "w_min": low, "states": high or low}
    return [
        q.noted("at least: to the end of the table") if ended.get(q.name) else q for q in quantities
    ]


def _slope_for_each(selection: Selection) -> Population | None:
    """The linear step with a slope for each device, where the chosen step has fewer slopes; None
    where no such fit is among the compared ones."""
    model = selection.chosen.model
    if model.code != CONSTANT and not (model.code == LINEAR and model.shape):
        return None
    layout = selection.chosen.fit.layout
    fits = (s.fit for s in selection.scores if s.model.own_slopes)
    fits = (f for f in fits if f.layout.memory == layout.memory)
    fits = (f for f in fits if f.layout.history == layout.history)
    alike = next((f for f in fits if f.layout.model.additive == model.additive), None)
    return None if alike is None else _population(alike)


def _population(fit: JointFit, chosen: bool = False) -> Population:
    unbiased, errors = with_unbiased_noise(fit)
    known = 0.0 < errors.shared[0, 0] < _KNOWN**2
    limits = None
    loose = chosen or errors.shared[0, 0] > 0.0  # at its limit it is none, as the report says
    if loose and fit.prepared.noisy and not known:
        limits = cycle_noise_limits(fit)
    return Population(unbiased, errors, limits)
