"""Combines the preset, report and verdict of a fitted device, with their meaning in words."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from device_presets.fitting.checks.defects import BY_TABLE
from device_presets.fitting.checks.goodness import Verdict
from device_presets.fitting.checks.questions import CYCLES, ERRORS, MEAN_STEP, SCATTER, Check
from device_presets.fitting.checks.whole_cycles import MOST_CURVE, CycleErrors
from device_presets.fitting.model.selection import Selection, representable
from device_presets.fitting.reading.measurement import Measurement, doubt_of
from device_presets.fitting.results import time_and_width
from device_presets.fitting.results.fit_plot import draw_fit
from device_presets.fitting.results.fitted_entry import drawn_entries
from device_presets.fitting.results.intervals import Quantity
from device_presets.fitting.results.population import Population
from device_presets.library.entry_writing import (
    MOST_DRAWS,
    draws_file,
    entries_text,
    write_and_check,
)
from device_presets.library.preset_file import PresetEntry
from rpu_ssnn.common.files import write_together
from rpu_ssnn.devices.fit_form import PIECEWISE

_NEAR_CURVE = 0.03
"""A mean curve that is off by at most this share of the range is near."""

_AMID, _FEW = 0.6, 0.2
"""A turn within this share of the range, around its middle, is midway, and fewer are too few."""

_RIGHT = {
    MEAN_STEP: "the mean step (rms over the states)",
    ERRORS: "the noise of a pulse",
    SCATTER: "the scatter over many pulses",
    CYCLES: "the scatter of cycles",
}
"""For the question of each check, what the preset gets right if the check passes."""


@dataclass(frozen=True)
class FittedDevice:
    """Holds a fit with its reported numbers, their intervals and the verdict of the checks.

    Args:
        name: The name of the preset.
        population: Means and spreads over devices under the chosen model.
        quantities: The report.
        cycles: The errors over whole cycles.
        entry: The preset.
    """

    name: str
    measurement: Measurement
    selection: Selection
    population: Population
    quantities: list[Quantity]
    verdict: Verdict
    cycles: CycleErrors
    entry: PresetEntry

    def table(self) -> pd.DataFrame:
        """Returns the report, in columns ``quantity``, ``value``, ``95 % interval``, ``unit``,
        ``note``."""
        rows = [(q.name, q.shown, q.interval, q.unit, q.note) for q in self.quantities]
        return pd.DataFrame(rows, columns=["quantity", "value", "95 % interval", "unit", "note"])

    @property
    def remarks(self) -> list[str]:
        """Returns sentences on parts of the range that were not measured, with how to measure them,
        on what was measured but is not in the preset, and on a model that fails a check."""
        told = [self.selection.refused] if self.selection.refused else []
        if not self.population.has_down:
            told.append(
                "The file has no down pulses, so steps down were not measured. Use the preset only "
                "in one_sided_pair(...) or mixed_precision_pair(...), or measure sweeps down too."
            )
        for high, side, way in ((True, "upper", "up"), (False, "lower", "down")):
            seen = self.population.reached(high).any() and not self.population.extrapolated(high)
            if not seen and (high or self.population.has_down):
                told.append(f"The {side} bound was not measured: pulse {way} until devices stop.")
        prepared = self.population.fit.prepared
        turn = prepared.runs[:, 0]
        high, low = (end[prepared.device[turn]] for end in prepared.ends)
        amid = np.abs(2.0 * prepared.series.weight[turn] - high - low) < _AMID * (high - low)
        if self.population.fit.layout.model.code == PIECEWISE and amid.mean() < _FEW:
            told.append(
                "Sweeps turn only near the ends of the range, where a memory of the last pulses "
                "would look like a step that changes with the state: add sweeps that turn midway."
            )
        return [*told, *time_and_width.left_out(self.population)]

    def models(self) -> pd.DataFrame:
        """Returns the models, in columns ``model``, ``law``, ``numbers`` and ``held-out
        log-likelihood`` (best is 0).

        A star before the name marks the chosen model, and = a model that held-out pulses do not
        distinguish from the best.
        """
        chosen, scores = self.selection.chosen, self.selection.scores
        scores = scores if chosen in scores else (chosen, *scores)
        totals = [None if s.held_out is None else float(s.held_out.sum()) for s in scores]
        best = max((total for total in totals if total is not None), default=0.0)
        top = max((s.fit.total for s in scores if s.held_out is not None), default=0.0)
        marks = {id(s): "= " for s in self.selection.as_good} | {id(chosen): "* "}
        rows = []
        for s, total in zip(scores, totals, strict=True):
            behind = f"{s.fit.total - top:.5g} on all pulses"
            why = behind if representable(s.fit) else "a step falls below 0 or doubles"
            unknown = "by whole cycles" if s is chosen else f"ruled out: {why}"
            by = unknown if total is None else f"{total - best:.1f}"
            rows.append((marks.get(id(s), "") + s.fit.layout.name, s.model.law, s.fit.n_free, by))
        return pd.DataFrame(rows, columns=["model", "law", "numbers", "held-out log-likelihood"])

    @property
    def checks(self) -> tuple[Check, ...]:
        """Returns all checks: those of each pulse, and that of whole cycles."""
        return (*self.verdict.checks, self.cycles.scatter)

    @property
    def usable(self) -> bool:
        """Returns whether the preset is worth training in: the fit describes the data, or the
        device moves by its pulses and the mean curve is nearly right."""
        near = self.cycles.asked.worst <= MOST_CURVE
        return self.verdict.describes or (self.verdict.moves and near)

    @property
    def sentence(self) -> str:
        """Returns the outcome in words."""
        scatter = self.cycles.scatter
        if self.verdict.describes:
            return self.verdict.sentence + ", but not the scatter of cycles" * (not scatter.passed)
        if self.cycles.asked.worst <= _NEAR_CURVE and scatter.passed:
            more = " and the scatter of cycles" * (scatter.status == "ok")
            return f"The fit describes the mean curve{more}, but not each pulse"
        return self.verdict.sentence

    @property
    def diagnosis(self) -> str:
        """Returns three sentences: what the preset gets right, what it lacks, and what to do."""
        passed = [check.question for check in self.checks if check.status == "ok"]
        right = [_RIGHT[question] for question in passed if question in _RIGHT]
        errors, theirs = self.cycles.asked, self.cycles.neurosim
        far = errors.worst > MOST_CURVE
        formula = f"; NeuroSim's formula: {theirs.percent}" if theirs else ""
        curve = f"{errors.percent} of the range (up / down, on {self.cycles.kind} cycles{formula})"
        first = ", ".join(right if far else [*right, f"the mean curve within {curve}"])
        if far:
            first = f"{first or 'nothing that was checked'}; its mean curve is off by {curve}"
        lacks = [f"{d.what} ({d.name})" for d in self.verdict.defects]
        to_do = [d.advice for d in self.verdict.defects]
        if not self.cycles.scatter.passed:
            lacks.append("cycles do not scatter as simulated ones (scatter of cycles)")
        if missing := time_and_width.lost(self.population):
            lacks += [f"{missing} (left out: only constant, linear or soft-bounds steps have it)"]
            setting = time_and_width.retention_setting(self.population)
            to_do.append(f"in the study, set {setting or 'the width and gaps of the measurement'}")
        second = f"The readings show what the preset lacks: {'; '.join(lacks)}"
        if not lacks:
            second = "Noise may explain this error" if far else "No check found a fault"
            if not self.verdict.describes:
                second = f"Failed checks: {self.verdict.failed}"
        if not self.cycles.scatter.passed or (not to_do and (far or not self.verdict.describes)):
            to_do += ["look at the plot and measure more cycles", BY_TABLE]
        elif self.verdict.moves and not self.usable:
            to_do.append(BY_TABLE)
        known = any(q.low is not None for q in self.quantities)
        use = "you can train with it" if known else "measure more cycles, as all errors are unknown"
        third = "; ".join(dict.fromkeys(to_do)) or use
        told = f"The preset reproduces: {first}. {second}. {third[0].upper()}{third[1:]}."
        if wait := time_and_width.longest_wait_s(self.population):
            told += f" No wait in the data is longer than {wait:g} s, and what longer waits do is "
            told += "extrapolated: a study that takes longer needs a longer retention measurement."
        return told

    def save(self, preset_file: Path | None, plot_file: Path) -> None:
        """Writes the preset with its draws, and the plot: either all files or none.

        Args:
            preset_file: The file of the preset; None to write the plot only.
            plot_file: The file of the plot, whose suffix chooses the format.

        Raises:
            InputError: A file cannot be written.
        """
        comments = (
            f"Fitted by rpu-ssnn to {self.measurement.name}: {self.measurement.size}.",
            *([f"{doubt}."] if (doubt := doubt_of(self.measurement)) else []),
            *(f"Note: {note}." for note in self.measurement.notes),
            f"{self.population.fit.prepared.scale.sentence}.",
            *self.remarks,
            f"{self.sentence}. {self.diagnosis}",
            *(f"  {check.line}" for check in self.checks),
            "Measured, with 95 % intervals:",
            *(f"  {q.line}" for q in self.quantities),
        )
        failed = tuple(check.question for check in self.checks if not check.passed)
        text = entries_text({self.name: self.entry}, comments, failed)
        title = f"{self.name}: {self.entry.description}"

        writers: dict[Path, Callable[[Path], object]] = {
            plot_file: lambda path: draw_fit(path, self.population, title)
        }
        if preset_file is not None:
            writers[preset_file] = lambda path: write_and_check(path, text)
            drawn = drawn_entries(self.population, self.quantities, self.measurement, MOST_DRAWS)
            why = f"Devices within the errors of rpu-ssnn's fit of {self.measurement.name}."
            draws = entries_text(drawn, (why, "Studies use them by {fit: FILE, draws: N}."), failed)
            writers[draws_file(preset_file)] = lambda path: write_and_check(path, draws, "draw_1")
        write_together(self.name, writers)
