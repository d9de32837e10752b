"""Lists all presets, one row each, and all parameters of one preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from device_presets.library.preset import Parameter
from device_presets.library.preset_lookup import get_preset, preset_names
from device_presets.library.steps_at_zero import asymmetry_at_zero, noise_at_zero, states_at_zero
from device_presets.lookup.device import get_device

if TYPE_CHECKING:
    import pandas as pd

_SOURCE_CHARACTERS = 23


def listing() -> str:
    """Returns all presets as text of at most 100 columns, with an explanation of its numbers.

    The numbers are those of the mean device without noise, at weight zero, so that the asymmetry
    depends on the nonlinearity as well as on the parameter of that name. They are missing where a
    device has no gradual down step.
    """
    from tabulate import tabulate

    rows = []
    for preset in map(get_preset, preset_names()):
        up, down = states_at_zero(preset)
        rows.append(
            {
                "name": preset.name,
                "states\nup / down": f"{up:.5g} / {down:.5g}",
                "asymmetry\n(share)": asymmetry_at_zero(preset),
                "noise\n(steps)": noise_at_zero(preset)[0],
                "spread\n(steps)": preset.number("step_spread"),
                "source": preset.citation,
            }
        )
    widths = [None, None, None, None, None, _SOURCE_CHARACTERS]
    return (
        tabulate(rows, headers="keys", floatfmt=".3g", maxcolwidths=widths).replace(" nan", "   -")
        + "\n\nstates: the range divided by the step at weight zero"
        "\nasymmetry: how much smaller the down step is (negative: the up step)"
        "\nnoise, spread: deviation of the step from pulse to pulse, and from device to device"
        "\n\nrpu-ssnn presets show NAME prints all numbers of a preset, with units and sources."
    )


def describe(device: Any) -> pd.DataFrame:
    """Returns a row for every parameter of a device.

    The columns are ``parameter``, ``value``, ``unit``, ``source`` and ``assumption``. A value is a
    number, a flag, a list of numbers, or None if it is not known.

    Args:
        device: what `get_device` returns or takes, such as the name of a preset.

    Raises:
        InputError: there is no such device.
    """
    import pandas as pd

    device = device if hasattr(device, "pulse_physics") else get_device(device)
    parameters: Mapping[str, Parameter] = device.parameters
    rows = [(name, p.value, p.unit, p.source, p.assumption) for name, p in parameters.items()]
    columns = ["parameter", "value", "unit", "source", "assumption"]
    return pd.DataFrame(rows, columns=columns, dtype=object)
