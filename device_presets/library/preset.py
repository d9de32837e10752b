"""Defines a device preset, whose named and sourced parameters become an aihwkit device."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from device_presets.library.preset_file import shipped_entries
from device_presets.library.to_aihwkit import aihwkit_device
from rpu_ssnn.common.errors import Fault, InputError, one_of, require
from rpu_ssnn.devices.cell import SINGLE
from rpu_ssnn.devices.law import Law
from rpu_ssnn.devices.law_parameter import Value
from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
from rpu_ssnn.devices.own_law import OwnLaw, find_law

if TYPE_CHECKING:
    from aihwkit.simulator.configs.devices import PulsedDevice


@dataclass(frozen=True)
class Parameter:
    """Holds one parameter of a preset and its origin.

    Args:
        value: number, flag, list of numbers, or None if it is not known.
        unit: the unit of the value (``step`` means a multiple of the mean step, and so on).
        source: publication or fit that gives it; None for an assumption.
        assumption: why this value was assumed; None if a source gives it.
        measured: the lowest and the highest value that a fit saw; None if any value may be set.
    """

    value: Value
    unit: str
    source: str | None = None
    assumption: str | None = None
    measured: tuple[float, float] | None = None


def refuse_unknown(where: str, given: Iterable[str], known: Mapping[str, object]) -> None:
    """Refuses parameters that a device does not have.

    Raises:
        InputError: one of those given is not among the known ones; if aihwkit has this name for
            one of them, the error names that one.
    """
    ours = {getattr(parameter, "aihwkit_name", None): name for name, parameter in known.items()}
    for name in given:
        if name not in known:
            raise InputError(where, "parameter", name, one_of(known, ours.get(name, name)))


SPECIFICATION = "specification"
"""The technology of presets that specify a device which has not been built."""


@dataclass(frozen=True)
class Preset:
    """Describes one device of the library, complete and checked; ``get_preset`` makes it.

    Args:
        name: the name of the preset, or the path of the user's file it came from.
        technology: the kind of device, for lists; `SPECIFICATION` if none was built.
        law: the law of what a pulse does to the device.
        description: a description of the device in one line.
        citation: publication the device comes from.
        one_directional_because: why it has no gradual down step; None if it has one.
        parameters: every parameter of the model by name (read-only), in the order of display.
        failed_checks: the questions that the fit of the preset failed.
    """

    name: str
    technology: str
    law: Law
    description: str
    citation: str
    one_directional_because: str | None
    parameters: Mapping[str, Parameter]
    failed_checks: tuple[str, ...] = ()

    cell = SINGLE
    jump_tables = None
    """A law computes steps; only `device_presets.jump_tables` has measured jumps."""

    def __post_init__(self) -> None:
        read_only = MappingProxyType(dict(self.parameters))
        object.__setattr__(self, "parameters", read_only)

    def __reduce__(self) -> tuple[Callable[..., "Preset"], tuple[object, ...]]:
        # A law and a read-only mapping cannot be sent to a worker process, but the name of the law
        # and a dict can.
        fields = {field.name: getattr(self, field.name) for field in dataclass_fields(self)}
        fields |= {"law": self.law.file or self.law.name, "parameters": dict(self.parameters)}
        return _sent, (fields, self.law.digest)

    def value(self, name: str) -> Value:
        """Returns the value of a parameter.

        Raises:
            InputError: the device has no such parameter.
        """
        refuse_unknown(self.name, [name], self.parameters)
        return self.parameters[name].value

    def number(self, name: str) -> float:
        """Returns the value of a numeric parameter.

        Raises:
            InputError: there is no such parameter, it is a flag, or its value is not known.
        """
        value = self.value(name)
        if value is None or isinstance(value, bool | tuple):
            raise InputError(self.name, name, value, "must be a number here")
        return value

    @property
    def values(self) -> dict[str, Value]:
        """Returns the value of every parameter by name."""
        return {name: parameter.value for name, parameter in self.parameters.items()}

    @property
    def bidirectional(self) -> bool:
        """Returns whether single pulses move the weight gradually in both directions."""
        return self.one_directional_because is None

    @property
    def leaks(self) -> bool:
        """Returns whether a weight decays when no pulses are sent."""
        return self.leak_time_constant_s != math.inf

    @property
    def leak_time_constant_s(self) -> float:
        """Returns tau (s) of the decay exp(-t / tau) of a weight; inf without a leak."""
        return self.number("leak_time_constant_s")

    @property
    def pulse_physics(self) -> ChargeTrapPhysics | None:
        """Returns the device's memory of its last pulse and its loss of charge in log-time; None if
        it has neither."""
        physics: ChargeTrapPhysics | None = self.law.pulse_physics(self.values)
        return physics

    @property
    def own_law(self) -> OwnLaw | None:
        """Returns the user-defined law with the numbers of this preset; None if the law is part of
        the package."""
        return OwnLaw(self.law, self.law.numbers(self.values)) if self.law.file else None

    @property
    def noise_free(self) -> bool:
        """Returns whether nothing is drawn at random after construction, so that runs repeat
        exactly."""
        return self.number("cycle_to_cycle") == 0 and self.writes_exactly

    @property
    def writes_exactly(self) -> bool:
        """Returns whether the device has no write noise, so that reads show its exact state."""
        return "write_noise" not in self.parameters or self.number("write_noise") == 0

    @property
    def step(self) -> float:
        """Returns the mean change of weight that a pulse makes, in units of weight."""
        return self.number("step")

    @property
    def levels(self) -> float:
        """Returns the number of mean steps from the lower to the upper bound."""
        return self.number("levels")

    @property
    def w_min(self) -> float:
        """Returns the mean lower bound, in units of weight."""
        return self.number("w_min")

    @property
    def w_max(self) -> float:
        """Returns the mean upper bound, in units of weight."""
        return self.number("w_max")

    @property
    def cycle_to_cycle(self) -> float:
        """Returns the deviation of the step from pulse to pulse, as a share of the step."""
        return self.number("cycle_to_cycle")

    def device(self, seconds_between_steps: float | None = None) -> "PulsedDevice":
        """Returns a new aihwkit device; the array that uses it sets its ``construction_seed``.

        Args:
            seconds_between_steps: physical time between two decays of the array
                (``decay_weights``, which aihwkit does once per mini-batch). It is needed if the
                device leaks, and has no effect otherwise.

        Raises:
            InputError: the device moves only one way; or it leaks, and the time is missing or
                too short for the leak to show in single precision.
        """
        if self.one_directional_because is not None:
            others = (n for n, e in shipped_entries().items() if not e.one_directional_because)
            allowed = f"{self.one_directional_because}; a weight of one device {one_of(others)}"
            raise InputError(self.name, "device", Fault("it moves one way only"), allowed)
        return self.configuration(seconds_between_steps)

    def configuration(self, seconds_between_steps: float | None = None) -> "PulsedDevice":
        """Returns the same as `device`, but also accepts a device that moves one way only, for use
        in cells.

        Raises:
            InputError: the device leaks, and the time is missing or too short.
        """
        known = not self.leaks or seconds_between_steps is not None
        allowed = "must be given: the device leaks, and aihwkit counts mini-batches, not seconds"
        require(known, self.name, "seconds_between_steps", None, allowed)
        return aihwkit_device(self.name, self.law, self.values, seconds_between_steps)


def _sent(fields: dict[str, Any], digest: str | None) -> Preset:
    """Rebuilds a preset in the process to which it was sent."""
    law = find_law(fields["name"], fields["law"], digest)
    return Preset(**(fields | {"law": law}))
