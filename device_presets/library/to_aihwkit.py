"""Makes aihwkit's device configuration from the values of a preset."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rpu_ssnn.common.errors import InputError, require
from rpu_ssnn.devices.law import Law, number
from rpu_ssnn.devices.law_parameter import Value

if TYPE_CHECKING:  # Listing presets does not need aihwkit, whose import takes seconds.
    from aihwkit.simulator.configs.devices import PulsedDevice

SMALLEST_LEAK = 6e-7
"""One decay must remove at least this share of a weight.

aihwkit keeps the factor 1 - share in single precision, whose spacing below one is 6e-8. Smaller
shares would be rounded by more than 5 %, and below 3e-8 the leak would silently vanish.
"""


def aihwkit_device(
    name: str, law: Law, values: Mapping[str, Value], seconds_between_steps: float | None
) -> "PulsedDevice":
    """Returns a new aihwkit device with the values of a preset; fields that no preset sets keep
    aihwkit's defaults.

    aihwkit has no class for a user-defined law: its devices are drawn like those with constant
    steps, and the native simulator computes their steps by the law.

    Args:
        name: the name of the preset, for errors.
        law: the law of the preset.
        values: the preset's values. It may move one way only, which ``Preset.device`` refuses.
        seconds_between_steps: physical time between two decays; None leaves the leak out.

    Raises:
        InputError: ``seconds_between_steps`` is not positive, or too short for the leak to show
            in single precision.
    """
    from aihwkit.simulator.configs import devices as aihwkit_devices

    fields: dict[str, Value | list[float]] = {
        # aihwkit's bindings take lists, not tuples.
        parameter.aihwkit_name: list(value) if isinstance(value := values[name], tuple) else value
        for name, parameter in law.parameters.items()
        if parameter.aihwkit_name is not None
    }
    fields |= law.to_aihwkit(values)
    if seconds_between_steps is not None:
        tau = number(values, "leak_time_constant_s")
        fields["lifetime"] = _lifetime(name, tau, seconds_between_steps)
    device: PulsedDevice = getattr(aihwkit_devices, law.aihwkit or "ConstantStepDevice")(**fields)
    return device


def _lifetime(where: str, tau: float, seconds_between_steps: float) -> float:
    """Returns aihwkit's lifetime: each decay removes the share 1/lifetime; 0 means no leak.

    The share removed by a decay to exp(-dt/tau) is 1 - exp(-dt/tau), not dt/tau.
    """
    field = "seconds_between_steps"
    if not (math.isfinite(seconds_between_steps) and seconds_between_steps > 0):
        raise InputError(where, field, seconds_between_steps, "must be a time in s, above 0")
    if math.isinf(tau):
        return 0.0
    share = -math.expm1(-seconds_between_steps / tau)
    allowed = (
        f"must be at least {SMALLEST_LEAK * tau:.2g} s, or the leak of {tau:g} s is lost in "
        "single precision: decay less often, with more seconds in between"
    )
    require(not (share < SMALLEST_LEAK), where, field, seconds_between_steps, allowed)
    return 1.0 / share
