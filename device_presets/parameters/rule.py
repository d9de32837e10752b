"""What one parameter of a device is: unit, physical range, and aihwkit's name for it."""

import math
from dataclasses import dataclass
from typing import Literal

from rpu_ssnn.common.errors import PresetError

type Value = float | bool | tuple[float, ...] | None


@dataclass(frozen=True, kw_only=True)
class ParameterRule:
    """One row of the parameter table.

    Args:
        unit: unit of the value; a preset file must state the same one.
        description: what the number means, for users.
        aihwkit_name: field of the aihwkit device class that gets the value as it is;
            None where the number is converted (``levels``, the leak) or not simulated by aihwkit.
        low, high: physical range, inclusive unless ``above_low``.
        above_low: the value must be greater than ``low``, not equal to it.
        kind: ``number``, ``flag`` (true or false) or ``numbers`` (a list of two or more, each in
            the range).
        required: a preset file must give it; nothing that shapes the device comes silently.
        neutral: the value where it is not required and not given: the effect is off; None: it is
            not known, which a preset file may say too (null).
    """

    unit: str
    description: str
    aihwkit_name: str | None = None
    low: float = -math.inf
    high: float = math.inf
    above_low: bool = False
    kind: Literal["number", "flag", "numbers"] = "number"
    required: bool = False
    neutral: Value = 0.0

    @property
    def allowed(self) -> str:
        """The valid values as a phrase."""
        if self.kind == "flag":
            return "must be true or false"
        if self.kind == "numbers":
            span = f"at least {self.low:g}, at most {self.high:g}"
            return f"must be a list of numbers, each {span} (unit: {self.unit})"
        if self.low == -math.inf:
            phrase = "must be a number"
        elif self.above_low:
            phrase = f"must be a number greater than {self.low:g}"
        else:
            phrase = f"must be a number, at least {self.low:g}"
        if self.high != math.inf:
            phrase += f", at most {self.high:g}"
        return f"{phrase} (unit: {self.unit})"

    def checked(self, where: str, name: str, value: object) -> Value:
        """The value as number or flag.

        Numbers may be text, as rows made before YAML 1.2 was read have them.

        Raises:
            PresetError: wrong type, not a number, or outside the physical range.
        """
        if value is None and self.neutral is None:
            return None
        wrong = PresetError(where, name, value, self.allowed)
        if self.kind == "flag":
            if not isinstance(value, bool):
                raise wrong
            return value
        if self.kind == "numbers":
            return self._checked_numbers(value, wrong)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise wrong
        try:
            number = float(value)
        except ValueError:
            raise wrong from None
        # Only the leak may be infinite (no leak); its range says so by its neutral value.
        infinite_is_meant = self.neutral == math.inf and number == math.inf
        if not (math.isfinite(number) or infinite_is_meant):
            raise wrong
        if not self.low <= number <= self.high or (self.above_low and number == self.low):
            raise wrong
        return number

    def _checked_numbers(self, value: object, wrong: PresetError) -> tuple[float, ...]:
        if not isinstance(value, list | tuple) or len(value) < 2:
            raise wrong
        for number in value:
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise wrong
            if not (math.isfinite(number) and self.low <= number <= self.high):
                raise wrong
        return tuple(float(number) for number in value)
