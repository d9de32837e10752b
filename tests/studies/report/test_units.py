"""Tests the units that tables and axes of sweeps, and `require`, take from one place."""

from collections.abc import Iterator

from pydantic import BaseModel

from rpu_ssnn.common.value_kinds import kinds_of
from rpu_ssnn.spec import CircuitSpec
from rpu_ssnn.spec.tile import TileSpec
from studies.common.quantities import quantity, unit_of
from studies.sensitivity.axes import PARAMETERS

COUNTS_AND_SHARES = """
    weight_range spread on_off_ratio dac_bits adc_bits stuck_share electrons_per_step
    half_window_pulses exponent voltage_constant array_side loss_per_decade toward_state
    gain_spread refractory_slots delay_slots relay_delay_slots missed dead_share always_share
"""
"""These settings have no unit, or their names say it."""


def numbers(section: str, model: type[BaseModel]) -> Iterator[str]:
    """Yields the paths of all numbers of a model."""
    for name, field in model.model_fields.items():
        kinds = kinds_of(field.annotation)
        if kinds & {int, float}:
            yield f"{section}.{name}"
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from numbers(f"{section}.{name}", kind)


def test_every_number_of_an_array_and_of_its_neurons_has_its_unit_on_an_axis() -> None:
    paths = [*numbers("tile", TileSpec), *numbers("network.neuron.circuit", CircuitSpec)]
    bare = {path.rpartition(".")[2] for path in paths if "(" not in quantity(path)}
    assert bare == set(COUNTS_AND_SHARES.split())


def test_require_prints_the_unit_of_the_axis() -> None:
    units = {path: row.unit for row in PARAMETERS.values() for path in row.paths}
    assert units["tile.pulse_noise.of_range"] == "range"
    assert quantity("tile.pulse_noise.of_range") == "of range (shares of the range)"
    settings = {path: unit for path, unit in units.items() if not path.startswith("overrides.")}
    assert settings == {path: unit_of(path) for path in settings}
    assert quantity("overrides.exponent_spread") == "exponent spread (shares of exponent)"
