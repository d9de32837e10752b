"""Effects of an array on its devices besides their own pulses, as validated, frozen data.

Simulated by the native simulator only (`tile: {simulator: native}`). Every number is 0 by default,
and none is in the sources of this project's presets: values in a study are assumptions.
"""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from rpu_ssnn.spec import Spec

StepShare = Annotated[float, Field(ge=0.0, le=1.0)]
Spread = Annotated[float, Field(ge=0.0, le=2.0)]


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

    forward_up: StepShare = Field(
        0.0, description="by which each forward spike moves every device of its input line up"
    )
    forward_down: StepShare = Field(0.0, description="the same, down")
    gradient: StepShare = Field(
        0.0,
        description="by which each gradient spike that reaches the array moves every device of "
        "its output line, up on the positive stream and down on the negative",
    )


class LineSpreadSpec(ArrayPhysics):
    """Spread of steps that neighbours share, drawn once; on top of each device's own.

    Unit: shares of the step. An asymmetry of s makes steps up larger and steps down smaller by
    s / 2, as a preset's `asymmetry_spread` does by s.
    """

    step_by_input_line: Spread = Field(0.0, description="deviation that an input line shares")
    step_by_output_line: Spread = Field(0.0, description="deviation that an output line shares")
    step_gradient: Annotated[float, Field(ge=-2.0, le=2.0)] = Field(
        0.0, description="change of the step from the first input line to the last"
    )
    asymmetry_common: Spread = Field(0.0, description="deviation that the whole array shares")
    asymmetry_by_input_line: Spread = Field(0.0, description="deviation that an input line shares")
    asymmetry_by_output_line: Spread = Field(
        0.0, description="deviation that an output line shares"
    )


class PulseNoiseSpec(ArrayPhysics):
    """Noise of a pulse beside the preset's own `cycle_to_cycle`, and independent of that."""

    of_range: StepShare = Field(
        0.0,
        description="deviation of a pulse as a share of the device's own range, the same at every "
        "state and in both directions, as NeuroSim has it (Chen, Peng and Yu, TCAD 37(12), 2018)",
    )
    electrons_per_step: Annotated[float, Field(ge=1.0, le=1e12)] | None = Field(
        None,
        description="charges that a mean step moves: their number is Poisson's, so that a step of "
        "s steps has a variance of s / this (in steps squared); None: no such noise",
    )


class WearSpec(ArrayPhysics):
    """A window that closes with the device's own pulses, until the device is dead.

    After n pulses, up plus down, bounds and steps are 1 / (1 + (n / half_window_pulses)^exponent)
    of the fresh ones.
    """

    switched_by: ClassVar[tuple[str, ...]] = ("half_window_pulses",)

    half_window_pulses: Annotated[float, Field(ge=1.0, le=1e12)] | None = Field(
        None, description="pulses after which half of the window is left; None: no wear"
    )
    exponent: Annotated[float, Field(ge=0.1, le=20.0)] = Field(
        2.0, description="how abruptly the window closes around that number"
    )


class LinesSpec(ArrayPhysics):
    """Resistance of the lines: what of a voltage reaches a cell, on writes and on reads.

    The share depends on `ohm_per_cell` / `on_resistance` alone, and on how long a line is.
    """

    switched_by: ClassVar[tuple[str, ...]] = ("ohm_per_cell",)

    ohm_per_cell: Annotated[float, Field(ge=0.0, le=1e9)] = Field(
        0.0, description="resistance of a line from one cell to the next (ohm); 0: ideal lines"
    )
    on_resistance: Annotated[float, Field(ge=1e-3, le=1e18)] | None = Field(
        None,
        description="resistance (ohm) of a device at the upper end of its nominal range; "
        "ohm_per_cell needs it",
    )
    voltage_constant: Annotated[float, Field(ge=1e-3, le=1e6)] | None = Field(
        None,
        description="loss of voltage after which the device's step is 1/e, as a share of the "
        "programming voltage: a cell that gets the share s has exp(-(1 - s) / this) of its step "
        "(an assumption); ohm_per_cell needs it",
    )
    array_side: Annotated[int, Field(ge=2, le=1_000_000)] | None = Field(
        None,
        description="cells on a line at most, two a weight on an input line: larger crossbars are "
        "cut into arrays with drivers of their own, whose currents are added exactly; "
        "None: one array",
    )

    @model_validator(mode="after")
    def _resistance_has_what_it_acts_on(self) -> Self:
        if self.ohm_per_cell > 0.0 and self.on_resistance is None:
            raise ValueError("ohm_per_cell needs on_resistance, that of a device (ohm)")
        if self.ohm_per_cell > 0.0 and self.voltage_constant is None:
            raise ValueError(
                "ohm_per_cell needs voltage_constant, by which the device's step falls with voltage"
            )
        return self
