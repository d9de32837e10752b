"""The fit of a measured file: preset, report and verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from device_presets.fitting.checks.goodness import Verdict, judge
from device_presets.fitting.checks.mean_curve import (
    CurveErrors,
    coverage,
    curve_errors,
    neurosim_errors,
    training_rows,
)
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.noise_limits import cycle_noise_limits
from device_presets.fitting.model.preparation import WeightScale, prepare
from device_presets.fitting.model.selection import (
    Selection,
    as_likely_of,
    filtered,
    representable,
    select_model,
)
from device_presets.fitting.model.uncertainty import with_unbiased_noise
from device_presets.fitting.reading.measurement import Measurement
from device_presets.fitting.reading.outliers import doubt_of
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.units import SIEMENS
from device_presets.fitting.results.effects_entry import left_out
from device_presets.fitting.results.fit_plot import draw_fit
from device_presets.fitting.results.fitted_entry import fitted_entry
from device_presets.fitting.results.intervals import Quantity
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from device_presets.library.entry_writing import checked_name, entry_text, write_and_check
from device_presets.library.preset_file import PresetEntry
from device_presets.library.preset_lookup import preset_of
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.common.files import write_together
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR

_MOST_CURVE = 0.1
"""A mean curve that is off by more than this share of the range is no answer."""

_RIGHT = {
    "Is the mean step right at every state?": "the mean step at every state",
    "Do predictions miss by what they say?": "the noise of a pulse",
    "Do changes over many pulses scatter as simulated ones?": "the scatter over many pulses",
}
"""Question of a check -> what the preset has where it passes."""

_KNOWN = 0.3
"""Standard error of the log cycle noise up to which its curvature gives the interval."""


@dataclass(frozen=True)
class FittedDevice:
    """A fit with its reported numbers, their intervals and the verdict of the checks.

    Args:
        name: The name of the preset.
        scale: conductances the weights stand for.
        population: means and spreads over devices under the chosen model.
        quantities: the report.
        seen, held_out: errors of the mean curve over all pulses, and over cycles that were not
            fitted; None where there is one cycle.
        neurosim: errors of NeuroSim's formula over cycles that were not fitted.
        within_band: Share of the readings within the 90 % band of simulated cycles.
        doubt: A sentence on what is probably wrong in the file, its polarity or single readings;
            empty where nothing is.
    """

    name: str
    measurement: Measurement
    scale: WeightScale
    selection: Selection
    population: Population
    quantities: list[Quantity]
    verdict: Verdict
    seen: CurveErrors
    held_out: CurveErrors | None
    neurosim: CurveErrors | None
    within_band: float
    entry: PresetEntry
    doubt: str = ""

    def table(self) -> pd.DataFrame:
        """Returns columns ``quantity``, ``value``, ``95 % interval``, ``unit``, ``note``."""
        rows = [(q.name, q.shown, q.interval, q.unit, q.note) for q in self.quantities]
        return pd.DataFrame(rows, columns=["quantity", "value", "95 % interval", "unit", "note"])

    @property
    def unmeasured(self) -> list[str]:
        """Sentences say what of the range the file does not tell, and which measurement would."""
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
            if not (determined[name] and seen) and (high or self.population.has_down):
                told.append(f"The {side} bound was not measured: pulse {way} until devices stop.")
        return told

    @property
    def left_out(self) -> list[str]:
        """Sentences say what was measured and the preset does not hold."""
        return left_out(self.population, self.population.device())

    def models(self) -> pd.DataFrame:
        """Columns ``model``, ``law``, ``numbers``, ``held-out log-likelihood`` (best is 0).

        Before the name: * the chosen model, = one that the data do not tell from it.
        """
        scores = self.selection.scores
        totals = [None if s.held_out is None else float(s.held_out.sum()) for s in scores]
        best = max((total for total in totals if total is not None), default=0.0)
        marks = {id(s): "= " for s in self.selection.as_good} | {id(self.selection.chosen): "* "}
        rows = [
            (
                marks.get(id(s), "") + s.name,
                s.model.law,
                s.fit.n_free,
                "ruled out" if total is None else f"{total - best:.1f}",
            )
            for s, total in zip(scores, totals, strict=True)
        ]
        return pd.DataFrame(rows, columns=["model", "law", "numbers", "held-out log-likelihood"])

    @property
    def curve_sentence(self) -> str:
        """Returns the error of the mean curve, in words."""
        held = "one cycle only" if self.held_out is None else self.held_out.text
        beside = f"; NeuroSim's formula {self.neurosim.text}" if self.neurosim else ""
        return (
            "Error of the mean curve without noise, share of the range, up / down: "
            f"{self.seen.text} (cycles held out: {held}{beside}); "
            f"{self.within_band:.0%} of the readings lie within the 90 % band of simulated cycles"
        )

    @property
    def usable(self) -> bool:
        """Tells whether the preset is worth training in: the fit describes the data, or the device
        moves by its pulses and the mean curve is nearly right."""
        errors = self.held_out or self.seen
        near = errors.worst <= _MOST_CURVE
        return self.verdict.describes or (self.verdict.moves and near)

    @property
    def diagnosis(self) -> str:
        """Three sentences say what the preset gets right, what it does not have, and what to do."""
        right = [
            _RIGHT[c.question] for c in self.verdict.checks if c.question in _RIGHT and c.passed
        ]
        errors, cycles = self.held_out or self.seen, "held out" if self.held_out else "fitted"
        first = f"the mean curve to {errors.percent} of the range (up / down, cycles {cycles})"
        lacks = [f"{d.name} ({d.what})" for d in self.verdict.defects]
        lacks = lacks or [f"'{c.question}'" for c in self.verdict.checks if not c.passed]
        to_do = list(dict.fromkeys(d.advice for d in self.verdict.defects))
        if not to_do and not self.verdict.describes:
            to_do = ["look at the plot, and measure more cycles"]
        if self.verdict.moves and not self.usable:
            to_do.append("take the measured changes as they are, by --table")
        return (
            f"The preset gets right: {', '.join([*right, first])}. "
            f"It does not have: {'; '.join(lacks) or 'nothing that was found'}. "
            f"What to do: {'; '.join(to_do) or 'train in it'}."
        )

    def save(self, preset_file: Path | str | None, plot_file: Path | str) -> None:
        """Writes preset and plot, both or none.

        Args:
            preset_file: The preset's file; None writes the plot only.
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
            f"{self.verdict.sentence}. {self.diagnosis}",
            *(f"  {check.line}" for check in self.verdict.checks),
            "Measured, with 95 % intervals:",
            *(f"  {q.line}" for q in self.quantities),
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
    sheet: str | None = None,
    weight_zero: float | None = None,
    weight_one: float | None = None,
    tell: Callable[[str], None] = lambda words: None,
) -> FittedDevice:
    """Fits a measured file, compares the laws, and judges the chosen one.

    Args:
        file: A table with one row per pulse, or a folder; see `read`.
        name: The name of the preset to make.
        sheet: The sheet of an Excel file; None: the first one.
        weight_zero, weight_one: Conductances that weights 0 and 1 stand for, in the file's unit;
            the middle and the top of the measured range where they are not given.
        tell: It is called with each step of the work, in words.

    Raises:
        PresetError: the file cannot be used (file, row and column named), or no preset can hold
            the numbers.
    """
    file = Path(file)
    checked_name(name)
    tell(f"reading {file}")
    measurement = read(file, sheet)
    tell(measurement.size)
    unit = SIEMENS[measurement.unit]
    zero, one = (None if w is None else w * unit for w in (weight_zero, weight_one))
    prepared = prepare(measurement, zero, one)
    selected = select_model(prepared, tell=tell)
    tell("checking the best models, and their mean curves")
    selection, verdict = _judged(selected)
    tell("computing the intervals")
    fit = selection.chosen.fit
    seen, held_out = curve_errors(fit)
    training = training_rows(fit)
    asked = fit.prepared.everything if training is None else ~training
    population = _population(fit, chosen=True)
    linear = _slope_for_each(selection)
    as_good = [_population(s.fit) for s in selection.as_good if s is not selection.chosen]
    as_likely = [_population(score.fit) for score in as_likely_of(selection)]
    quantities = report(population, linear, as_good, as_likely)
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
        seen=seen,
        held_out=held_out,
        neurosim=neurosim_errors(fit),
        within_band=coverage(fit, asked),
        entry=entry,
        doubt=doubt_of(measurement),
    )


def _judged(selection: Selection) -> tuple[Selection, Verdict]:
    """Returns the choice with its verdict: the first of the models that held-out pulses do not tell
    apart that describes the data; where none does, the one of all whose mean curve is nearest."""
    for score in selection.as_good:
        verdict = judge(score.fit, filtered(score.fit))
        if verdict.describes:
            return replace(selection, chosen=score), verdict
    compared = [s for s in selection.scores if representable(s.fit)] or [selection.chosen]
    errors = [held or seen for seen, held in (curve_errors(score.fit) for score in compared)]
    score = compared[int(np.argmin([error.worst for error in errors]))]
    return replace(selection, chosen=score), judge(score.fit, filtered(score.fit))


def _slope_for_each(selection: Selection) -> Population | None:
    """Returns the linear step with a slope for each device, where the chosen step has fewer slopes;
    None where no such fit is among the compared ones."""
    model = selection.chosen.model
    if model.code != CONSTANT and not (model.code == LINEAR and model.shape):
        return None
    layout = selection.chosen.fit.layout
    fits = (s.fit for s in selection.scores if s.model.own_slopes)
    fits = (f for f in fits if f.layout.memory == layout.memory)
    fits = (f for f in fits if f.layout.effects == layout.effects)
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
