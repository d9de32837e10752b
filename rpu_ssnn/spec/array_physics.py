"""Effects of an array on its devices besides their own pulses, as validated, frozen data.

Simulated by the native simulator only (`tile: {simulator: native}`). Every number is 0 by default,
and none is in the sources of this project's presets: values in a study are assumptions.
"""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.spec.base import Spec

StepShare = Annotated[float, Field(ge=0.0, le=1.0)]
Spread = Annotated[float, Field(ge=0.0, le=2.0)]
Kelvin = Annotated[float, Field(ge=1.0, le=2000.0)]

BOLTZMANN_EV = 8.617333262e-5
"""eV/K (CODATA 2018)."""

MOST_ACCELERATION = 1e12
"""Factor by which a temperature may speed loss, or slow it: what single precision holds."""


class ArrayPhysics(Spec):
    """One effect that only native devices have; `TileSpec` refuses it elsewhere."""

    switched_by: ClassVar[tuple[str, ...]] = ()
    """Fields whose defaults switch it off; empty: all of them."""

    @property
    def acts(self) -> bool:
        """Whether a field that switches it on is set."""
        return any(getattr(self, name) != value for name, value in self.off().items())

    @classmethod
    def off(cls) -> dict[str, Any]:
        """Values of the fields that switch it off."""
        return {
            name: cls.model_fields[name].default for name in cls.switched_by or cls.model_fields
        }


class HalfSelectSpec(ArrayPhysics):
    """V/2 writing: a line that spikes alone puts half of the voltage on all of its devices.

    Unit: steps a spike, of the device's own local step; above one it would be no disturb.
    """

    forward_up: StepShare = 0.0
    """By which each forward spike moves every device of its input line up."""

    forward_down: StepShare = 0.0
    """The same, down."""

    gradient: StepShare = 0.0
    """By which each gradient spike that reaches the array moves every device of its output line,
    up on the positive stream and down on the negative."""


class ReadDisturbSpec(ArrayPhysics):
    """A read moves the devices of the lines that it puts its voltage on, a little each time.

    Unit: steps a spike, of the device's own local step. Counted are the reads of training; images
    that are shown to measure an accuracy disturb nothing.
    """

    forward_up: StepShare = 0.0
    """By which each forward spike moves every device of its input line up."""

    forward_down: StepShare = 0.0
    """The same, down."""

    transposed_up: StepShare = 0.0
    """By which each gradient spike, of either stream and thinned or not, moves every device of its
    output line up; no gradient is read through the first crossbar."""

    transposed_down: StepShare = 0.0
    """The same, down."""


class LineSpreadSpec(ArrayPhysics):
    """Spread of steps that neighbours share, drawn once; on top of each device's own.

    Unit: shares of the step. An asymmetry of s makes steps up larger and steps down smaller by
    s / 2, as a preset's `asymmetry_spread` does by s.
    """

    step_by_input_line: Spread = 0.0
    """Deviation that an input line shares."""

    step_by_output_line: Spread = 0.0
    """Deviation that an output line shares."""

    step_gradient: Annotated[float, Field(ge=-2.0, le=2.0)] = 0.0
    """Change of the step from the first input line to the last."""

    asymmetry_common: Spread = 0.0
    """Deviation that the whole array shares."""

    asymmetry_by_input_line: Spread = 0.0
    """Deviation that an input line shares."""

    asymmetry_by_output_line: Spread = 0.0
    """Deviation that an output line shares."""


class PulseNoiseSpec(ArrayPhysics):
    """Noise of a pulse beside the preset's own `cycle_to_cycle`, and independent of that."""

    of_range: StepShare = 0.0
    """Deviation of a pulse as a share of the device's own range, the same at every state and in
    both directions, as NeuroSim has it (Chen, Peng and Yu, TCAD 37(12), 2018)."""

    electrons_per_step: Annotated[float, Field(ge=1.0, le=1e12)] | None = None
    """Charges that a mean step moves: their number is Poisson's, so that a step of s steps has a
    variance of s / this (in steps squared); None: no such noise."""


class WearSpec(ArrayPhysics):
    """A window that closes with the device's own pulses, until the device is dead.

    After n pulses, up plus down, bounds and steps are 1 / (1 + (n / half_window_pulses)^exponent)
    of the fresh ones.
    """

    switched_by: ClassVar[tuple[str, ...]] = ("half_window_pulses",)

    half_window_pulses: Annotated[float, Field(ge=1.0, le=1e12)] | None = None
    """Pulses after which half of the window is left; None: no wear."""

    exponent: Annotated[float, Field(ge=0.1, le=20.0)] = 2.0
    """How abruptly the window closes around that number."""


class LinesSpec(ArrayPhysics):
    """Resistance of the lines: what of a voltage reaches a cell, on writes and on reads.

    The share depends on `ohm_per_cell` / `on_resistance` alone, and on how long a line is.
    """

    switched_by: ClassVar[tuple[str, ...]] = ("ohm_per_cell",)

    ohm_per_cell: Annotated[float, Field(ge=0.0, le=1e9)] = 0.0
    """Resistance of a line from one cell to the next (ohm); 0: ideal lines."""

    on_resistance: Annotated[float, Field(ge=1e-3, le=1e18)] | None = None
    """Resistance (ohm) of a device at the upper end of its nominal range; ohm_per_cell needs it."""

    voltage_constant: Annotated[float, Field(ge=1e-3, le=1e6)] | None = None
    """Loss of voltage after which the device's step is 1/e, as a share of the programming voltage:
    a cell that gets the share s has exp(-(1 - s) / this) of its step (an assumption);
    ohm_per_cell needs it."""

    array_side: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    """Cells on a line at most, two a weight on an input line: larger crossbars are cut into arrays
    with drivers of their own, whose currents are added exactly; None: one array."""

    @model_validator(mode="after")
    def _resistance_has_what_it_acts_on(self) -> Self:
        if self.ohm_per_cell > 0.0 and self.on_resistance is None:
            raise ValueError("ohm_per_cell needs on_resistance, that of a device (ohm)")
        if self.ohm_per_cell > 0.0 and self.voltage_constant is None:
            raise ValueError(
                "ohm_per_cell needs voltage_constant, by which the device's step falls with voltage"
            )
        return self


class RetentionSpec(ArrayPhysics):
    """Loss without a single time constant: in log-time or by a power law; and temperature.

    What each pulse adds loses by its own age, and the rest goes on by its own: charges of
    different time constants side by side (`native.effects.retention`). All devices lose alike. A
    temperature acts on this loss, on a preset's leak and on its loss in log-time.
    """

    loss_per_decade: StepShare = 0.0
    """What is left after t is 1 - this x log10(1 + t / from_s); 0: no such loss."""

    exponent: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    """What is left after t is (1 + t / from_s)^-exponent; 0: no such loss."""

    from_s: Annotated[float, Field(ge=1e-9, le=1e9)] = 1e-5
    """Age (s) from which the law holds, at the reference temperature."""

    toward_state: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    """State (1: upper end of the range) of a device that has lost all."""

    temperature_k: Kelvin | None = None
    """Of the devices (K); None: that at which their loss was given."""

    reference_temperature_k: Kelvin = 300.0
    """At which loss and leak are as given (K)."""

    activation_energy_ev: Annotated[float, Field(ge=0.0, le=5.0)] = 0.0
    """Of the loss (eV): times are exp(E/k (1/T - 1/T_ref)) of those at the reference temperature
    (Arrhenius)."""

    @property
    def has_law(self) -> bool:
        """Whether devices lose by a law of this setting."""
        return self.loss_per_decade > 0.0 or self.exponent > 0.0

    @property
    def acceleration(self) -> float:
        """Time at the reference temperature that is worth one at this one."""
        return math.exp(self._log_acceleration)

    @property
    def _log_acceleration(self) -> float:
        if self.temperature_k is None:
            return 0.0
        difference = 1.0 / self.reference_temperature_k - 1.0 / self.temperature_k
        return self.activation_energy_ev / BOLTZMANN_EV * difference

    @model_validator(mode="after")
    def _settings_act(self) -> Self:
        if self.loss_per_decade > 0.0 and self.exponent > 0.0:
            raise ValueError("exponent is one law and loss_per_decade another: give one of them")
        for name in ("from_s", "toward_state"):
            if not self.has_law and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} needs a law: loss_per_decade or exponent")
        if (self.temperature_k is None) != (self.activation_energy_ev == 0.0):
            raise ValueError("temperature_k and activation_energy_ev need each other")
        if self.temperature_k is None and self.reference_temperature_k != 300.0:
            raise ValueError("reference_temperature_k needs temperature_k")
        if abs(self._log_acceleration) > math.log(MOST_ACCELERATION):
            raise ValueError(f"temperature_k would change times by more than {MOST_ACCELERATION:g}")
        return self


class DeviceReadNoiseSpec(ArrayPhysics):
    """Noise of each device's current, beside that of the converters (`ReadSpec.read_noise`).

    Its deviation is a share of the nominal range (which is 2 states), the same at every state; or
    a share of the device's own current, which is proportional to its conductance
    (`ReferenceSpec.on_off_ratio`). Where both are given, squares add. Stuck devices have it too.
    """

    switched_by: ClassVar[tuple[str, ...]] = (
        "white_of_range",
        "white_of_current",
        "slow_of_range",
        "slow_of_current",
    )

    white_of_range: StepShare = 0.0
    """Deviation that is drawn anew in each slot and read; reads are then calls, slot by slot,
    which is slower."""

    white_of_current: StepShare = 0.0
    """The same, as a share of the device's own current."""

    slow_of_range: StepShare = 0.0
    """Deviation with a memory of slow_time_s; frozen within a batch, and while accuracies are
    measured."""

    slow_of_current: StepShare = 0.0
    """The same, as a share of the device's own current."""

    slow_time_s: Annotated[float, Field(ge=1e-12, le=1e12)] = 1.0
    """Time (s) in which the slow noise's correlation falls to 1/e; at least that of a batch."""

    slow_levels: Literal["many", "two"] = "many"
    """Many: normal (an Ornstein-Uhlenbeck process); two: random telegraph noise, each device at
    plus or minus the deviation."""

    @property
    def is_white(self) -> bool:
        """Whether a part of the noise is drawn in each read."""
        return self.white_of_range > 0.0 or self.white_of_current > 0.0

    @property
    def is_slow(self) -> bool:
        """Whether a part of the noise has a memory."""
        return self.slow_of_range > 0.0 or self.slow_of_current > 0.0
