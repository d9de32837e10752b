"""Fits a measured file: compares laws, judges the chosen one, and computes intervals."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from device_presets.fitting.checks.defects import DRIFT, JUMP
from device_presets.fitting.checks.whole_cycles import chosen_of
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.selection import Selection, select_model
from device_presets.fitting.model.simulation import at_one_level
from device_presets.fitting.model.uncertainty import resampled, uncertainty, with_unbiased_noise
from device_presets.fitting.reading.measurement import doubt_of
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.units import SIEMENS
from device_presets.fitting.results.fitted_device import FittedDevice
from device_presets.fitting.results.fitted_entry import fitted_entry
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from device_presets.library.entry_writing import checked_name
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import user_path
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR


def fit_file(
    file: Path | str,
    name: str,
    sheet: str | None = None,
    weight_zero: float | None = None,
    weight_one: float | None = None,
    read_voltage: float | None = None,
    retention: Path | None = None,
    tell: Callable[[str], None] = lambda words: None,
) -> FittedDevice:
    """Fits a measured file, compares the laws, and judges the chosen one.

    Args:
        file: A table with one row per pulse, or a folder; see `read`.
        name: The name of the preset to make.
        sheet: The sheet of an Excel file; None for the first one, "all" for one device in each.
        weight_zero, weight_one: Conductances of weights 0 and 1, in the file's unit; by default the
            middle and the top of the measured range.
        read_voltage: The voltage (V) by which a column of currents is divided.
        retention: A file of readings over time without pulses.
        tell: A function that is called with a description of each step of the work.

    Raises:
        InputError: The file cannot be used (the error names file, row and column), or no preset
            can hold the numbers.
    """
    file = user_path("presets fit", "file", file)
    checked_name(name)
    measurement = read(file, sheet, read_voltage, retention)
    unit = SIEMENS[measurement.unit]
    zero, one = (None if w is None else w * unit for w in (weight_zero, weight_one))
    prepared = prepare(measurement, zero, one)
    tell(measurement.size)
    selected = select_model(prepared, tell=tell)
    tell("checking the best models, and their mean curves")
    selection, verdict, errors = chosen_of(selected)
    if moves := [d for d in verdict.defects if d.name in (JUMP, DRIFT)]:
        tell(f"fitting again with all cycles at one level, because of the {moves[0].name}")
        levelled = select_model(at_one_level(selected.chosen.fit.prepared))
        beside, without, nearer = chosen_of(levelled)
        if nearer.off < errors.off and without.describes >= verdict.describes:
            told = (replace(d, what=f"{d.what}, so all are fitted at one level") for d in moves)
            # Jumps and drifts that are found now come from the levelling.
            others = (d for d in without.defects if d.name not in (JUMP, DRIFT))
            verdict = replace(without, defects=(*told, *others))
            selection, errors = beside, nearer
    tell("computing the intervals")
    fit = selection.chosen.fit
    population = _population(fit, trusted=verdict.describes and not fit.layout.how)
    linear, as_good, as_likely = [], [], []
    if not fit.layout.how:
        linear = _slope_for_each(selection)
        as_good = [_population(s.fit) for s in selection.as_good if s is not selection.chosen]
        if fit.layout.effects.terms:
            as_likely = [_population(score.fit) for score in selection.as_likely]
    quantities = report(population, linear, as_good, as_likely)
    try:
        entry = fitted_entry(population, quantities, measurement)
    except InputError as error:
        allowed = "; ".join(filter(None, (error.allowed, doubt_of(measurement))))
        raise InputError(file, error.field, error.value, allowed) from None
    return FittedDevice(
        name, measurement, selection, population, quantities, verdict, errors, entry
    )


def _slope_for_each(selection: Selection) -> list[Population]:
    """Returns the population under the linear step with slopes for each device, if the chosen step
    has fewer slopes and such a fit was compared; otherwise none."""
    model, effects = selection.chosen.model, selection.chosen.fit.layout.effects
    fewer = model.code in (CONSTANT, LINEAR) and not model.own_slopes
    own = (s.fit for s in selection.scores if fewer and s.model.own_slopes)
    layouts = ((fit, fit.layout.model.additive, fit.layout.effects) for fit in own)
    return [_population(fit) for fit, *of in layouts if of == [model.additive, effects]]


def _population(fit: JointFit, trusted: bool = True) -> Population:
    """Returns the population under a fit.

    Args:
        trusted: Whether it is by likelihood and describes the data. If not, errors are of resampled
            cycles, since the curvature of the likelihood is no measure of them.
    """
    if trusted:
        return Population(*with_unbiased_noise(fit))
    return Population(fit, uncertainty(fit), resampled(fit))
