"""The fit of a measured file: laws compared, the chosen one judged, numbers with intervals."""

from collections.abc import Callable
from pathlib import Path

from device_presets.fitting.checks.choice import chosen_of
from device_presets.fitting.checks.mean_curve import (
    coverage,
    curve_errors,
    held_out_rows,
    neurosim_errors,
)
from device_presets.fitting.model.joint_fit import JointFit
from device_presets.fitting.model.noise_limits import cycle_noise_limits
from device_presets.fitting.model.preparation import prepare
from device_presets.fitting.model.resampling import resampled
from device_presets.fitting.model.selection import Selection, as_likely_of, select_model
from device_presets.fitting.model.uncertainty import uncertainty, with_unbiased_noise
from device_presets.fitting.reading.polarity import doubt_of
from device_presets.fitting.reading.reading import read
from device_presets.fitting.reading.units import SIEMENS
from device_presets.fitting.results.fitted_device import FittedDevice
from device_presets.fitting.results.fitted_entry import fitted_entry
from device_presets.fitting.results.population import Population
from device_presets.fitting.results.quantities import report
from device_presets.library.entry_writing import checked_name
from rpu_ssnn.common.errors import PresetError
from rpu_ssnn.devices.fit_form import CONSTANT, LINEAR

_KNOWN = 0.3
"""Standard error of the log cycle noise up to which its curvature gives the interval."""

_DRAWS = 20  # of cycles, for the intervals of a law that does not describe the data


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
    selection, verdict = chosen_of(selected)
    tell("computing the intervals")
    fit = selection.chosen.fit
    seen, held_out = curve_errors(fit)
    population = _population(fit, chosen=True, trusted=verdict.describes)
    linear, as_good, as_likely = None, [], []
    if not fit.layout.how:
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
        within_band=coverage(fit, held_out_rows(fit)),
        entry=entry,
        doubt=doubt_of(measurement),
    )


def _slope_for_each(selection: Selection) -> Population | None:
    """Returns the linear step with a slope for each device, where the chosen step has fewer slopes;
    None where no such fit is among the compared ones."""
    model = selection.chosen.model
    if model.code != CONSTANT and not (model.code == LINEAR and model.shape):
        return None
    layout = selection.chosen.fit.layout
    fits = (s.fit for s in selection.scores if s.model.own_slopes)
    fits = (f for f in fits if f.layout.effects == layout.effects)
    alike = next((f for f in fits if f.layout.model.additive == model.additive), None)
    return None if alike is None else _population(alike)


def _population(fit: JointFit, chosen: bool = False, trusted: bool = True) -> Population:
    """Returns the population under a fit.

    Args:
        chosen: Whether the fit makes the preset.
        trusted: Whether the law describes the data; where it does not, the curvature of its
            likelihood says nothing of its errors, and cycles drawn anew do.
    """
    if not trusted and (draws := resampled(fit, _DRAWS)):
        return Population(fit, uncertainty(fit), draws=draws)
    unbiased, errors = with_unbiased_noise(fit) if trusted else (fit, uncertainty(fit))
    known = 0.0 < errors.shared[0, 0] < _KNOWN**2
    limits = None
    loose = chosen or errors.shared[0, 0] > 0.0  # at its limit it is none, as the report says
    if trusted and loose and fit.prepared.noisy and not known:
        limits = cycle_noise_limits(fit)
    return Population(unbiased, errors, limits)
