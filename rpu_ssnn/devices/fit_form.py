"""How a fit sees a law: its code, which numbers are free, within which limits, and where a fit
starts."""

from dataclasses import dataclass, replace
from typing import Any, Final

FOLLOWS_STEP, OF_DIRECTION = range(2)
"""The cycle noise is a share of the local step, or of the device's own step at weight zero in the
pulse's direction."""

NODES: Final = 5
"""Weights at which a piecewise step is fitted, bounds included; odd, so one is in the middle."""

CONSTANT, LINEAR, SOFT_BOUNDS, EXPONENTIAL, POWER, PIECEWISE, JUMP_TABLE, OWN = range(8)
"""The codes by which compiled code finds a law (`rpu_ssnn.devices.laws`); the last is that of all
user-defined laws."""


@dataclass(frozen=True, kw_only=True)
class FitForm:
    """Describes a form in which a law is fitted to measured pulses.

    Args:
        name: the name in reports.
        code: code of the law in `rpu_ssnn.devices.laws.change`.
        law: name of the law.
        noise: the step of which the cycle noise is a share (`FOLLOWS_STEP`, `OF_DIRECTION`).
        shape: names of the numbers that all devices share, up first, then down.
        low, high, start: limits of ``shape`` and where a fit starts.
        flat: shape under which the step is (nearly) the same everywhere.
    """

    name: str
    code: int
    law: str
    noise: int
    shape: tuple[str, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    start: tuple[float, ...] = ()
    flat: tuple[float, ...] = ()

    @property
    def additive(self) -> bool:
        """Returns whether the noise is the same at every weight."""
        return self.noise != FOLLOWS_STEP

    @property
    def own_slopes(self) -> bool:
        """Returns whether each device has its own two slopes."""
        return self.code == LINEAR and not self.shape


def with_both_noises(name: str, code: int, law: str, **shape: Any) -> tuple[FitForm, FitForm]:
    """Returns two forms of a step: with noise that follows it, and with constant noise."""
    follows = FitForm(
        name=f"{name}, noise follows step", code=code, law=law, noise=FOLLOWS_STEP, **shape
    )
    return follows, replace(follows, name=f"{name}, constant noise", noise=OF_DIRECTION)
