"""A law: what one pulse does to a device, and what the rest of the project needs to know about it.

Presets, cards, fits, native arrays, aihwkit's tiles and ablations read a law from its one file in
`rpu_ssnn.devices.laws`, or from a user's own file (`rpu_ssnn.devices.own_law`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.common.errors import Fault, InputError, require
from rpu_ssnn.devices.common_parameters import (
    PULSE_FACTS,
    RETENTION,
    STEP_AND_RANGE,
    VARIATION,
    refuse_pulses_that_overlap,
)
from rpu_ssnn.devices.fit_form import FitForm
from rpu_ssnn.devices.law_parameter import LawParameter, Value
from rpu_ssnn.devices.shared import OwnShared, PerDevice, Shared, shared_of

type Values = Mapping[str, Value]
"""The values of all parameters, by name."""

type UpDown = tuple[float, float]

NOT_NATIVE = -1

BOTH_MOVE_THE_STEPS = (
    "asymmetry, nonlinearity: in this device model both determine the steps at mid-range, so that "
    "switching off one alone changes these steps too; read the two together"
)
"""A note of laws whose steps at weight zero follow from their shape."""

ONE_STEP: Mapping[str, tuple[str, ...]] = {"up": ("up",), "down": ("down",)}


def number(values: Values, name: str) -> float:
    """Returns the value of a parameter that is a number."""
    value = values[name]
    assert isinstance(value, int | float)
    return value


def shares_of_asymmetry(values: Values) -> UpDown:
    """Returns the shares of the step up and of the step down that the asymmetry leaves."""
    asymmetry = number(values, "asymmetry")
    return 1.0 + min(asymmetry, 0.0), 1.0 - max(asymmetry, 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """A device law, with everything that the rest of the project needs to know about it.

    Args:
        name: the name that a preset file gives.
        step: the change of a device's state by a pulse, before its bounds act:
            ``step(shared, device, w, up, noise)`` with a standard normal number as noise, or 0 for
            the mean change. The native simulator compiles it.
        code: the code of the step in `rpu_ssnn.devices.laws.change`; `NOT_NATIVE` where the native
            simulator has no such device.
        own: the law's own parameters, in addition to those that every law has.
        facts: parameters that record facts about pulses, or set their timing.
        aihwkit: the class of aihwkit that simulates the device, or None.
        factors: the steps up and down of the mean device at a weight, over those that ``step`` and
            the asymmetry give.
        step_scale: returns the factor on the preset's ``step``, from the values.
        reference_weight: returns the weight of the reference subtracted from the device.
        pulse_physics: returns how the device remembers its last pulse and loses charge, from the
            values; None where it does neither.
        shape: the parameters that determine how the step depends on the state.
        as_linear: parameters with which the law `linear` takes the same steps, if nothing is
            subtracted as a reference; a user may override them, and then has that law. Empty for
            other laws.
        check: refuses combinations of values that are each in range (with an `InputError` that
            begins with its first argument).
        divides_by_w_min: whether a lower bound of 0 must be refused.
        to_aihwkit: returns the fields of the aihwkit class that are no copies of parameters.
        native: returns what all devices share and the fields of each, from an aihwkit configuration
            and the parameters that aihwkit drew.
        step_fields: the fields of a device that are proportional to its steps up and down.
        notes: remarks of `rpu-ssnn attribute` on effects that it cannot switch off.
        fits: the forms in which a measured device is fitted by this law.
        hidden: further numbers of each device that the step may read and change, at most two, with
            their values before the first pulse; `device.a` is the first, `device.b` the second.
        file: the path of the user's file that defines the law, or None for a law of the package.
        digest: the digest of that file.
        compiled: the compiled step of that file.

    >>> def halves(shared, device, w, up, noise):
    ...     return (1.0 - w) / 2.0 if up else (-1.0 - w) / 2.0
    >>> law = Law(name="halves", step=halves)
    >>> law.step(None, None, 0.0, True, 0.0)
    0.5
    >>> "cycle_to_cycle" in law.parameters
    True
    """

    name: str
    step: Callable[..., Any]
    code: int = NOT_NATIVE
    own: Mapping[str, LawParameter] = field(default_factory=dict)
    facts: Mapping[str, LawParameter] = field(default_factory=lambda: PULSE_FACTS)
    aihwkit: str | None = None
    factors: Callable[[Values, float], UpDown] = lambda values, weight: (1.0, 1.0)
    step_scale: Callable[[Values], float] = lambda values: 1.0
    reference_weight: Callable[[Values], float] = lambda values: 0.0
    shape: tuple[str, ...] = ()
    as_linear: Values = field(default_factory=dict)
    pulse_physics: Callable[[Values], Any] = lambda values: None
    check: Callable[[str, Values], None] = lambda where, values: None
    divides_by_w_min: bool = False
    to_aihwkit: Callable[[Values], dict[str, Any]] = lambda values: {}
    native: Callable[[Any, Mapping[str, PerDevice]], tuple[Shared, dict[str, Any]]] = (
        lambda config, hidden: (shared_of(config), {})
    )
    step_fields: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: ONE_STEP)
    notes: tuple[str, ...] = ()
    fits: tuple[FitForm, ...] = ()
    hidden: Mapping[str, float] = field(default_factory=dict)
    file: str | None = None
    digest: str | None = None
    compiled: Any = None

    @cached_property
    def parameters(self) -> Mapping[str, LawParameter]:
        """Returns all parameters by name, in the order of display."""
        return {**STEP_AND_RANGE, **VARIATION, **self.own, **RETENTION, **self.facts}

    def scales(self, values: Values) -> UpDown:
        """Returns the step up and step down at weight zero, without the factors (weight)."""
        step = number(values, "step") * self.step_scale(values)
        up, down = shares_of_asymmetry(values)
        return step * up, step * down

    def mean_steps(self, values: Values, weight: float = 0.0) -> UpDown:
        """Returns the steps of an isolated pulse up and of one down at a weight, for the mean
        device without noise; both are 0 or more, in units of weight."""
        if self.file is None:
            scale_up, scale_down = self.scales(values)
            up, down = self.factors(values, weight)
            return scale_up * up, scale_down * down
        up, down = self.own_changes(values, weight)
        return abs(up), abs(down)

    def own_changes(self, values: Values, weight: float = 0.0, noise: float = 0.0) -> UpDown:
        """Returns the changes of `mean_steps` by the step of a user-defined law, with their signs
        and, where `noise` is another number than 0, with noise.

        Raises:
            InputError: the step changes the device itself.
        """
        scale_up, scale_down = self.scales(values)
        own = np.array([number(values, name) for name in self.own])
        shared = OwnShared(np.float32(number(values, "cycle_to_cycle") if noise else 0.0), own)
        changes = []
        for up in (True, False):
            device = self.device_in_python(
                low=number(values, "w_min"), high=number(values, "w_max"), up=scale_up,
                down=scale_down, state=weight,
            )  # fmt: skip
            before = {**vars(device)}
            changes.append(float(self.step(shared, device, weight, up, noise)))
            for name in before.keys() - self.hidden_fields:
                fault = Fault(f"it changes device.{name}")
                allowed = "must change no field of a device but its hidden numbers, a and b"
                is_same = vars(device)[name] == before[name]
                require(is_same, self.file, "step", fault, allowed)
        return changes[0], changes[1]

    def numbers(self, values: Values) -> Float32[np.ndarray, " n"]:
        """Returns the law's own parameters as its step reads them, in the order of its file."""
        return single_array(*(number(values, name) for name in self.own))

    @property
    def hidden_fields(self) -> dict[str, float]:
        """Returns the fields of a device that hold the hidden numbers, with their values before the
        first pulse."""
        return dict(zip(("a", "b"), self.hidden.values(), strict=False))

    def device_in_python(self, **fields: float) -> SimpleNamespace:
        """Returns a device before its first pulse, as the step of a user's law sees it in Python.

        Args:
            fields: `low`, `high`, `up`, `down` and `state` of a `Device`.
        """
        return SimpleNamespace(**fields, pulses=0, **self.hidden_fields)

    def check_values(self, where: str, values: Values) -> None:
        """Refuses combinations that the law or physics rules out.

        Raises:
            InputError: the values are such a combination.
        """
        if values["w_min"] == 0 and self.divides_by_w_min:
            allowed = f"must be below 0, since the law {self.name} divides by it"
            raise InputError(where, "w_min", values["w_min"], allowed)
        self.check(where, values)
        refuse_pulses_that_overlap(where, values["pulse_width_s"], values["pulse_period_s"])


def single_array(*numbers: float) -> np.ndarray:
    """Returns the numbers of a law as its step reads them."""
    return np.array(numbers, dtype=np.float32)
