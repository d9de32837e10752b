"""Takes the costs of converters from the program hwcomponents-adc, which knows published ones."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rpu_ssnn.common.errors import require
from rpu_ssnn.common.optional import optional_package

PROGRAM = "hwcomponents-adc"
FEWEST_BITS = 4
"""The program knows converters from this number of bits on."""


@cache
def surveyed_converter(bits: int, node_m: float, time_s: float) -> Mapping[str, Any]:
    """Returns the costs of a converter: the best in Murmann's survey of published converters.

    The energy of a conversion is 80 % of the program's; the rest of it is in `power_w`.

    Args:
        bits: effective number of bits.
        node_m: technology (m).
        time_s: time of a conversion (s).

    Returns:
        Keys of `studies.chip.description.Component`.

    Raises:
        InputError: the package is not installed, or it knows no such converter.
    """
    field = "components.converter.program"
    found = optional_package("hwcomponents_adc", "rpu-ssnn[chip]", "chip", field, PROGRAM)
    allowed = f"must be at least {FEWEST_BITS}, as {PROGRAM} knows none with fewer"
    require(bits >= FEWEST_BITS, "chip", "bits", bits, allowed)
    adc = found.ADC(n_bits=bits, tech_node=node_m, throughput=1.0 / time_s)
    return {
        "energy_j": float(adc.convert().energy),
        "area_m2": float(adc.area),
        "power_w": float(adc.leak_power),
        "source": f"{PROGRAM}: the best of Murmann's survey, {bits} bits, {1e9 * node_m:g} nm, "
        f"{1e9 * time_s:g} ns",
    }
