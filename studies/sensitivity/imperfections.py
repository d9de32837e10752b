"""Lists the imperfections of a device and its neurons, and how each is switched off.

An imperfection is a group of settings with one physical cause. It is switched off by giving each of
them its neutral value and leaving everything else as it was. The table leaves out the finite range
(whose effect depends on the weight range, which `rpu-ssnn require` varies), differential pairs and
symmetry-point subtraction (remedies), `reset_level` (the target of a leak), and the scaling of
noise.
"""

import math
from collections.abc import Collection, Mapping
from typing import Any

from device_presets.jump_tables.table_device import TABLE_PARAMETERS
from rpu_ssnn.common.wording import listed
from rpu_ssnn.devices.common_parameters import MOST_LEVELS
from rpu_ssnn.devices.device_source import loses_charge
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.laws import LAWS
from rpu_ssnn.spec import CircuitSpec
from rpu_ssnn.spec.tile import ARRAY_PHYSICS
from studies.common.settings import leaves, value_at, with_value
from studies.declaration.cases import Case
from studies.declaration.devices import parameters_in, presets_in

NO_LEAK = "inf"
"""An infinite time constant is written as text, since JSON has no infinity."""

OF_DEVICES = (
    "cycle_to_cycle",
    "step_spread",
    "asymmetry",
    "asymmetry_spread",
    "bounds_spread",
    "nonlinearity",
    "write_noise",
    "leak",
    "gap_dependence",
    "charge_loss",
    "failed_devices",
    "device_reference",
)
"""Imperfections of devices are shown in this order; the laws define their settings."""


type Neutral = dict[str, dict[str, Any]]


def _off(neutral: Neutral, parameters: Mapping[str, LawParameter]) -> Neutral:
    """Adds the values that switch off the imperfections of these parameters."""
    for name, parameter in parameters.items():
        if parameter.imperfection:
            off = NO_LEAK if parameter.off == math.inf else parameter.off
            neutral.setdefault(parameter.imperfection, {})[f"overrides.{name}"] = off
    return neutral


def _neutral_of_devices() -> Neutral:
    """Returns imperfection -> path -> neutral value, for laws and tables."""
    neutral: Neutral = {name: {} for name in OF_DEVICES}
    for parameters in (*(law.parameters for law in LAWS.values()), TABLE_PARAMETERS):
        _off(neutral, parameters)
    return neutral


CIRCUIT = "network.neuron.circuit"
"""Settings of neurons have this path; the names of these imperfections start with `neuron_`."""

_CONVERTERS = ("dac_bits", "adc_bits", "adc_bound", "adc_bound_transposed")

NEUTRAL: Mapping[str, Mapping[str, Any]] = {
    **_neutral_of_devices(),
    "stuck_share": {"tile.stuck_share": 0.0},
    **{
        effect: {f"tile.{effect}.{field}": value for field, value in spec.off().items()}
        for effect, spec in ARRAY_PHYSICS.items()
    },
    "read_noise": {"tile.reads.read_noise": 0.0},
    "converters": {f"tile.reads.{field}": None for field in _CONVERTERS},
    "on_off_ratio": {"tile.reference.on_off_ratio": None},
    **{
        f"neuron_{name}": {f"{CIRCUIT}.{name}": field.default}
        for name, field in CircuitSpec.model_fields.items()
        if name not in ("neurons", "slot_seconds")
    },
    "reference_spread": {"tile.reference.spread": 0.0},
    "pulsed_start": {"tile.initial": "programmed"},
}
"""Maps each imperfection to paths in a case and their neutral values. `finite_step` is added later,
because its neutral value depends on the hyperparameters (`FINITE_STEP`)."""

FINITE_STEP = "finite_step"
"""When this is switched off, the step is the finest that still allows the learning rate. Since a
coincidence makes at most one pulse, finer steps would not make a better device, but only lower the
learning rate."""

IN_STEPS = ("cycle_to_cycle", "half_select", "read_disturb")
"""The unit of these imperfections is the step, so that a finer step makes them smaller."""

FINER_BY = 1.05
"""A step that could be finer only by a factor below this counts as the finest."""

type Off = Mapping[str, Mapping[str, Any]]
"""This maps the imperfections of a device to the settings that switch them off."""


_OF_REFERENCE = ("subtract_symmetry_point", "reference", "reference_spread")
"""The law `linear`, which soft bounds get when they are switched off, has none of these."""


def _slopes(case: Case) -> Mapping[str, Any]:
    """Returns the slopes of soft bounds, which can be set to zero; empty for other devices, and if
    a reference moves the weights of these bounds."""
    preset = next(iter(presets_in(case.device_rule.simulated)), None)
    return preset.law.as_linear if preset and not preset.law.reference_weight(preset.values) else {}


def settings_of(case: Case) -> dict[str, Any]:
    """Returns all settings of the device, tile and neurons of a case by path, with defaults."""
    parameters = {**_slopes(case), **parameters_in(case.device_rule.simulated)}
    tile = case.device_rule.tile.model_dump(exclude={"weight_range"})
    overrides = {f"overrides.{name}": value for name, value in parameters.items()}
    settings = overrides | dict(leaves({"tile": tile}))
    if case.rule.has_effect(CIRCUIT):
        circuit = circuit_of(case).model_dump()
        settings |= {f"{CIRCUIT}.{name}": value for name, value in circuit.items()}
    return settings


def circuit_of(case: Case) -> CircuitSpec:
    """Returns the circuit of the neurons of a case, which are perfect if it gives none."""
    return CircuitSpec.model_validate(value_at({"network": case.network}, CIRCUIT) or {})


def imperfections(case: Case, thinning: float | None) -> tuple[Off, list[str]]:
    """Returns the imperfections that the device has, and notes on those that stay.

    Args:
        thinning: largest share of gradient spikes that reaches one of the crossbars at the start;
            the step may be finer by one over this factor. None if not known.
    """
    has = settings_of(case)
    found: dict[str, dict[str, Any]] = {}
    # The imperfections of a user's law come after those that are known here.
    known = _off({name: dict(paths) for name, paths in NEUTRAL.items()}, own_parameters(case))
    for name, neutral in known.items():
        if name == "reference_spread" and not case.device_rule.tile.reference.has_devices:
            continue
        group = {path: value for path, value in neutral.items() if _differs(path, value, has)}
        if name == "leak" and has["overrides.leak_time_constant_s"] == NO_LEAK:
            group = {}  # nothing would spread
        if group:
            found[name] = group
    preset = next(iter(presets_in(case.device_rule.simulated)), None)
    notes = list(preset.law.notes) if preset else []
    if preset and preset.law.as_linear and any(preset.values.get(n) for n in _OF_REFERENCE):
        notes.append(
            "nonlinearity: without it there is no symmetry point, so the reference is off as well"
            if _slopes(case)
            else "nonlinearity: the soft bounds stay, as the reference does not hold weight 0"
        )
    if any(path.startswith("overrides.partner.") for path in has):
        notes.append("the partner's own imperfections stay as they are")
    finest = _finest_step(has, thinning)
    if isinstance(finest, str):
        return found, [*notes, finest]
    return {**found, FINITE_STEP: finest}, notes + others_in_steps(FINITE_STEP, found)


def _finest_step(has: Mapping[str, Any], thinning: float | None) -> dict[str, Any] | str:
    """Returns the setting of the finest step, or says why the step stays as it is."""
    if "overrides.step" not in has:
        why = "the step is that of the table"
    elif thinning is None or not thinning > 0:
        why = "the rows do not say how far gradient trains were thinned"
    elif thinning * FINER_BY > 1:
        why = (
            "every coincidence of a crossbar already makes a pulse; a finer step would only lower "
        )
        why += "the learning rate"
    else:
        return {"overrides.levels": finest_levels(has["overrides.levels"], thinning)}
    return f"{FINITE_STEP}: left out, as {why}"


def others_in_steps(step: str, off: Collection[str]) -> list[str]:
    """Returns a note on the imperfections whose unit is the step, if the device has any.

    Args:
        step: what makes the step finer, `FINITE_STEP` or ``levels``.
        off: the imperfections of the device.
    """
    told = [name for name in IN_STEPS if name in off]
    return [f"{step}: a finer step also shrinks {listed(told)}, counted in steps"] if told else []


def own_parameters(case: Case) -> Mapping[str, LawParameter]:
    """Returns the parameters that a user's law adds, which are none for other laws."""
    own = case.device_rule.simulated.own_law
    return own.law.own if own is not None else {}


def with_settings(case: Case, changes: Mapping[str, Any]) -> Case:
    """Returns the case with some of its settings, given by path, replaced."""
    overrides, network = dict(case.device_rule.overrides), case.network
    tile = case.device_rule.tile.model_dump(exclude={"weight_range"})
    for path, value in changes.items():
        section, _, rest = path.partition(".")
        if section == "overrides":
            if rest == "levels":  # either levels or step may be given, but not both
                overrides.pop("step", None)
            overrides[rest] = list(value) if isinstance(value, tuple) else value
        elif section == "network":
            network = with_value(network, rest, value)
        else:
            tile = with_value(tile, rest, value)
    if "overrides.slope_up" in changes and _slopes(case):
        overrides = {name: v for name, v in overrides.items() if name not in _OF_REFERENCE}
    reads = tile["reads"]
    if reads is not None and not any(reads.values()):
        tile["reads"] = None  # an exact read is also faster
    law = tile["retention"]["loss_per_decade"] or tile["retention"]["exponent"]
    changed = case.changed(overrides=overrides, network=network)
    if not law and not loses_charge(changed.device_rule.simulated):
        # A study refuses storage and retention if nothing can be lost by them.
        tile |= {"storage_seconds": 0.0, "retention": {}}
    return changed.changed(tile=tile)


def switched_off(case: Case, off: Off, names: Collection[str]) -> Case:
    """Returns the case with some of its imperfections switched off."""
    changes: dict[str, Any] = {}
    for name in names:
        changes |= off[name]
    return with_step(case, changes) if changes else case


def with_step(case: Case, changes: Mapping[str, Any]) -> Case:
    """Returns the case with settings replaced, where write noise keeps its size in weight.

    Its unit is the step, but it is a noise of the state that does not depend on the step.
    """
    has, noise = settings_of(case), "overrides.write_noise"
    if "overrides.levels" in changes and noise not in changes and has.get(noise):
        kept = has[noise] * changes["overrides.levels"] / has["overrides.levels"]
        changes = {**changes, noise: kept}
    return with_settings(case, changes)


def rounded(value: float) -> float:
    """Rounds to three digits, which are precise enough and keep labels short."""
    return float(f"{value:.3g}")


def finest_levels(levels: float, thinning: float) -> float:
    """Returns the levels of the finest step that can be used, within aihwkit's precision.

    Args:
        levels: number of levels of the device.
        thinning: share of gradient spikes that reach it, above 0.
    """
    return min(rounded(levels / thinning), MOST_LEVELS)


def _differs(path: str, neutral: Any, has: Mapping[str, Any]) -> bool:
    if path not in has:
        return False
    value = has[path]
    if isinstance(value, tuple | list):
        return any(part != value[0] for part in value) or not math.isclose(value[0], 1.0)
    return bool(value != neutral)
