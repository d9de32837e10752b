"""A parameter of a device law: its unit and physical range, and what switches it off."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

from rpu_ssnn.common.errors import InputError

type Value = float | bool | tuple[float, ...] | None


@dataclass(frozen=True, kw_only=True)
class LawParameter:
    """Describes a parameter of a law: what a user may write, and how the rest of the project uses
    it.

    Args:
        unit: the unit of the value; a preset file must state the same one.
        description: what the number means, for users.
        aihwkit_name: the field of the aihwkit device class that gets the value unchanged; None
            where the number is converted (``levels``, the leak) or not simulated by aihwkit.
        limits: the physical range, inclusive unless ``above_low``; a flag has none.
        above_low: the value must be greater than the lower limit, not equal to it.
        kind: ``number``, ``flag`` (true or false) or ``numbers`` (a list of two or more, each in
            the range).
        required: a preset file must give it; nothing that shapes the device has a silent default.
        whole: the number must be a whole one.
        neutral: the value where it is not required and not given, at which the effect is off; None
            means that it is unknown, which a preset file may also state (null).
        example: a value in words, for errors; empty where the unit says enough.
        imperfection: what `rpu-ssnn attribute` switches off by this parameter (``nonlinearity``, or
            a new name); empty where it switches off nothing.
        off: the value that switches the imperfection off.
        swept: ``(small, worst)`` where `rpu-ssnn require` may vary this parameter. Values below
            ``small`` count as zero, and the search ends at ``worst``; with ``small`` 0, more of the
            parameter is better.

    >>> rate = LawParameter(unit="1", description="share of free traps", limits=(0.0, 1.0))
    >>> rate.checked("my device", "trap_rate", 0.5)
    0.5
    >>> rate.allowed
    'must be a number, at least 0, at most 1 (unit: 1)'
    """

    unit: str
    description: str
    aihwkit_name: str | None = None
    limits: tuple[float, float] = (-math.inf, math.inf)
    above_low: bool = False
    kind: Literal["number", "flag", "numbers"] = "number"
    required: bool = False
    whole: bool = False
    neutral: Value = 0.0
    example: str = ""
    imperfection: str = ""
    off: Value = 0.0
    swept: tuple[float, float] | None = None

    @property
    def allowed(self) -> str:
        """Returns the valid values as a phrase."""
        if self.kind == "flag":
            return "must be true or false"
        low, high = self.limits
        if self.kind == "numbers":
            span = f"at least {low:g}, at most {high:g}"
            return f"must be a list of two or more numbers, each {span} (unit: {self.unit})"
        least = f" greater than {low:g}" if self.above_low else f", at least {low:g}"
        most = "" if high == math.inf else f", at most {high:g}"
        number = "a whole number" if self.whole else "a number"
        example = f"; {self.example}" if self.example else ""
        return f"must be {number}{least}{most} (unit: {self.unit}{example})"

    def checked(self, where: str, name: str, value: object) -> Value:
        """Returns the value as number or flag.

        The only text that counts as a number is ``inf``, as rows spell it.

        Raises:
            InputError: the value is of a wrong kind, or outside the physical range.
        """
        if value is None and self.neutral is None:
            return None
        found: Value = None
        if self.kind == "flag":
            found = value if isinstance(value, bool) else None
        elif self.kind == "numbers":
            numbers = tuple(map(_number, value if isinstance(value, list | tuple) else ()))
            found = numbers if len(numbers) > 1 and all(map(self._holds, numbers)) else None
        elif self._holds(number := _number(value)):
            found = number
        if found is None:
            raise InputError(where, name, value, self.allowed)
        return found

    def _holds(self, number: float) -> bool:
        low, high = self.limits
        above = low < number if self.above_low else low <= number
        # Only the leak may be infinite (no leak); its neutral value shows that.
        given = math.isfinite(number) or number == self.neutral
        return given and above and number <= high and (number.is_integer() or not self.whole)


def _number(value: Any) -> float:
    """Returns the number; it is NaN for flags, for text other than ``inf``, and for a whole number
    beyond floating point."""
    is_text = isinstance(value, str) and value == "inf"
    if isinstance(value, bool) or not (is_text or isinstance(value, Real)):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan
