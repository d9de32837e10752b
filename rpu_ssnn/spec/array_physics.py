"""Effects of an array on its devices besides their own pulses, as validated, frozen data.

Only the native simulator has these effects (`tile: {simulator: native}`). Every effect is off by
default, and no source of this project's presets gives its numbers: values in a study are
assumptions.
"""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rpu_ssnn.spec.base import Spec

StepShare = Annotated[float, Field(ge=0.0, le=1.0)]
Spread = Annotated[float, Field(ge=0.0, le=2.0)]
Kelvin = Annotated[float, Field(ge=1.0, le=2000.0)]

BOLTZMANN_EV = 8.617333262e-5
"""Boltzmann's constant in eV/K (CODATA 2018)."""

SLOWEST_S = 1e12
"""Charges with a longer time constant (s, at the reference temperature) stay, and no storage is
longer."""

MOST_ACCELERATION = 1e12
"""A temperature may speed up or slow down the loss by this factor at most, which single precision
can still represent."""


class ArrayPhysics(Spec):
    """Describes one effect that only native devices have; `TileSpec` refuses it elsewhere."""

    switched_by: ClassVar[tuple[str, ...]] = ()
    """The fields whose defaults switch the effect off; where none are named, all fields do."""

    @property
    def acts(self) -> bool:
        """Returns whether a field that switches the effect on is set."""
        return any(getattr(self, name) != value for name, value in self.off().items())

    @classmethod
    def off(cls) -> dict[str, Any]:
        """Returns the values of the fields that switch the effect off."""
        return {
            name: cls.model_fields[name].default for name in cls.switched_by or cls.model_fields
        }


class HalfSelectSpec(ArrayPhysics):
    """Describes writes at V/2: a line that spikes alone puts half of the voltage on its devices.

    All numbers are in steps per spike, where a step is the device's own at its present state; more
    than one step would not be a disturb.
    """

    forward_up: StepShare = 0.0
    """Each forward spike moves every device of its input line up by this many steps."""

    forward_down: StepShare = 0.0
    """Each forward spike moves every device of its input line down by this many steps."""

    gradient: StepShare = 0.0
    """Each gradient spike that reaches the array moves every device of its output line by this many
    steps, up on the positive stream and down on the negative one."""


class ReadDisturbSpec(ArrayPhysics):
    """Each read slightly moves the devices on the lines to which it applies its voltage.

    All numbers are in steps per spike, where a step is the device's own at its present state. Only
    the reads of training count; images that are shown to measure an accuracy disturb nothing.
    """

    forward_up: StepShare = 0.0
    """Each forward spike moves every device of its input line up by this many steps."""

    forward_down: StepShare = 0.0
    """Each forward spike moves every device of its input line down by this many steps."""

    transposed_up: StepShare = 0.0
    """Each gradient spike, of either stream and thinned or not, moves every device of its output
    line up by this many steps; no gradient is read through the first crossbar."""

    transposed_down: StepShare = 0.0
    """Each such gradient spike moves every device of its output line down by this many steps."""


class LineSpreadSpec(ArrayPhysics):
    """Describes a spread of steps that neighbours share; it is drawn once, in addition to the
    spread of each device.

    All numbers are shares of the step. An asymmetry of s makes steps up larger and steps down
    smaller by s / 2, as a preset's `asymmetry_spread` does by s.
    """

    step_by_input_line: Spread = 0.0
    """The deviation of the step that all devices of an input line share."""

    step_by_output_line: Spread = 0.0
    """The deviation of the step that all devices of an output line share."""

    step_gradient: Annotated[float, Field(ge=-2.0, le=2.0)] = 0.0
    """The change of the step from the first input line to the last."""

    asymmetry_common: Spread = 0.0
    """The deviation of the asymmetry that the whole array shares."""

    asymmetry_by_input_line: Spread = 0.0
    """The deviation of the asymmetry that all devices of an input line share."""

    asymmetry_by_output_line: Spread = 0.0
    """The deviation of the asymmetry that all devices of an output line share."""


class PulseNoiseSpec(ArrayPhysics):
    """Adds noise of a pulse to the preset's `cycle_to_cycle`, independent of it."""

    of_range: StepShare = 0.0
    """The deviation of a pulse as a share of the device's own range, which is the same at every
    state and in both directions, as in NeuroSim (Chen, Peng and Yu, TCAD 37(12), 2018)."""

    electrons_per_step: Annotated[float, Field(ge=1.0, le=1e12)] | None = None
    """The number of charges that a mean step moves. It follows Poisson's law, so that a step of s
    steps has the variance s / electrons_per_step (in steps squared); null switches this noise
    off."""


class WearSpec(ArrayPhysics):
    """Describes a window that closes with the device's own pulses, until the device is dead.

    After n pulses, up plus down, bounds and steps are 1 / (1 + (n / half_window_pulses)^exponent)
    of the fresh ones.
    """

    switched_by: ClassVar[tuple[str, ...]] = ("half_window_pulses",)

    half_window_pulses: Annotated[float, Field(ge=1.0, le=1e12)] | None = None
    """The number of pulses after which half of the window is left; null switches wear off."""

    exponent: Annotated[float, Field(ge=0.1, le=20.0)] = 2.0
    """The larger this number, the more abruptly the window closes around that number of pulses."""


class LinesSpec(ArrayPhysics):
    """The resistance of the lines decides which share of a voltage reaches a cell, in writes and in
    reads.

    The share depends on `ohm_per_cell` / `on_resistance` alone, and on how long a line is.
    """

    switched_by: ClassVar[tuple[str, ...]] = ("ohm_per_cell",)

    ohm_per_cell: Annotated[float, Field(ge=0.0, le=1e9)] = 0.0
    """The resistance of a line from one cell to the next (ohm); 0 means ideal lines."""

    on_resistance: Annotated[float, Field(ge=1e-3, le=1e18)] | None = None
    """The resistance (ohm) of a device at the upper end of its nominal range, which `ohm_per_cell`
    needs."""

    voltage_constant: Annotated[float, Field(ge=1e-3, le=1e6)] | None = None
    """The loss of voltage after which the device's step is 1/e, as a share of the programming
    voltage: a cell that gets the share s has exp(-(1 - s) / voltage_constant) of its step (an
    assumption). `ohm_per_cell` needs it."""

    array_side: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    """The largest number of cells on a line, of which a weight has two on an input line. Larger
    crossbars are cut into arrays with their own drivers, whose currents are added exactly; null
    means one array."""

    @model_validator(mode="after")
    def _resistance_has_what_it_acts_on(self) -> Self:
        if self.ohm_per_cell > 0.0 and self.on_resistance is None:
            raise ValueError("ohm_per_cell needs on_resistance, the resistance of a device (ohm)")
        if self.ohm_per_cell > 0.0 and self.voltage_constant is None:
            raise ValueError(
                "ohm_per_cell needs voltage_constant, which says how the step falls with voltage"
            )
        return self


class RetentionSpec(ArrayPhysics):
    """Describes a loss without a single time constant, in log-time or by a power law, and its
    dependence on temperature.

    What each pulse adds decays by its own age, and what was there before by its own, since a device
    holds charges of different time constants (`native.effects.retention`). All devices follow the
    same law. A temperature acts on this loss, on a preset's leak and on its loss in log-time.
    """

    loss_per_decade: StepShare = 0.0
    """The share 1 - loss_per_decade x log10(1 + t / from_s) is left after the time t; 0 switches
    this law off."""

    exponent: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    """The share (1 + t / from_s)^-exponent is left after the time t; 0 switches this law off."""

    from_s: Annotated[float, Field(ge=1e-9, le=1e9)] = 1e-5
    """The age (s) from which the law holds, at the reference temperature."""

    toward_state: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    """The place in its range to which a device decays: -1 is the lower bound, 1 the upper."""

    temperature_k: Kelvin | None = None
    """The temperature of the devices (K); null means the one at which their loss was given."""

    reference_temperature_k: Kelvin = 300.0
    """The temperature (K) at which loss and leak are as given."""

    activation_energy_ev: Annotated[float, Field(ge=0.0, le=5.0)] = 0.0
    """The activation energy of the loss (eV): times are exp(E/k (1/T - 1/T_ref)) of those at the
    reference temperature (Arrhenius)."""

    @property
    def has_law(self) -> bool:
        """Returns whether devices lose charge by a law of this setting."""
        return self.loss_per_decade > 0.0 or self.exponent > 0.0

    @property
    def acceleration(self) -> float:
        """Returns the time at the reference temperature that equals a unit of time at this one."""
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
            raise ValueError("exponent and loss_per_decade are two laws: give only one of them")
        for name in ("from_s", "toward_state"):
            if not self.has_law and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} needs a law of loss: loss_per_decade or exponent")
        if (self.temperature_k is None) != (self.activation_energy_ev == 0.0):
            raise ValueError("temperature_k and activation_energy_ev must be given together")
        if self.temperature_k is None and self.reference_temperature_k != 300.0:
            raise ValueError("reference_temperature_k needs temperature_k")
        if abs(self._log_acceleration) > math.log(MOST_ACCELERATION):
            raise ValueError(f"temperature_k would scale times by more than {MOST_ACCELERATION:g}")
        return self


class DeviceReadNoiseSpec(ArrayPhysics):
    """Describes noise of each device's current, in addition to that of the converters
    (`ReadSpec.read_noise`).

    Its deviation is a share of the nominal range (which is 2 states), the same at every state; or a
    share of the device's own current, which is proportional to its conductance
    (`ReferenceSpec.on_off_ratio`). Where both are given, their squares add. Stuck devices are noisy
    too.
    """

    switched_by: ClassVar[tuple[str, ...]] = (
        "white_of_range",
        "white_of_current",
        "slow_of_range",
        "slow_of_current",
    )

    white_of_range: StepShare = 0.0
    """The deviation of the noise that is drawn in each slot and read, as a share of the range.
    Reads are then made slot by slot, which is slower."""

    white_of_current: StepShare = 0.0
    """The deviation of that noise as a share of the device's own current."""

    slow_of_range: StepShare = 0.0
    """The deviation of the noise with a memory of `slow_time_s`, as a share of the range. This
    noise is frozen within a batch, and while accuracies are measured."""

    slow_of_current: StepShare = 0.0
    """The deviation of the slow noise as a share of the device's own current."""

    slow_time_s: Annotated[float, Field(ge=1e-12, le=1e12)] = 1.0
    """The time (s) in which the correlation of the slow noise falls to 1/e; it is at least the time
    of a batch."""

    slow_levels: Literal["many", "two"] = "many"
    """With `many` the slow noise is normal (an Ornstein-Uhlenbeck process); with `two` it is random
    telegraph noise, with each device at plus or minus the deviation."""

    @property
    def is_white(self) -> bool:
        """Returns whether a part of the noise is drawn in each read."""
        return self.white_of_range > 0.0 or self.white_of_current > 0.0

    @property
    def is_slow(self) -> bool:
        """Returns whether a part of the noise has a memory."""
        return self.slow_of_range > 0.0 or self.slow_of_current > 0.0
