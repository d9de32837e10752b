"""Provides published neuron circuits, one YAML file each, with the source of every number."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from device_presets.library.preset_file import ParameterEntry
from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import one_of, require
from rpu_ssnn.common.validation import validated

_SHIPPED = Path(__file__).parent


class CircuitEntry(BaseModel):
    """Describes one circuit; its parameters are those of `rpu_ssnn.spec.CircuitSpec`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    citation: str
    parameters: dict[str, ParameterEntry]


def circuit_names() -> list[str]:
    """Returns the names of all circuits."""
    return sorted(file.stem for file in _SHIPPED.glob("*.yaml"))


def get_circuit(name: str) -> dict[str, object]:
    """Returns the settings of a circuit, for `rpu_ssnn.spec.CircuitSpec`.

    >>> get_circuit("dutta_2017")["leak_time_constant_s"]
    0.0001

    Raises:
        InputError: no circuit has this name.
    """
    require(name in circuit_names(), "neuron circuits", "name", name, one_of(circuit_names(), name))
    file = _SHIPPED / f"{name}.yaml"
    entry = validated(CircuitEntry, strict_yaml.read(file), "", file.name)
    return {key: parameter.value for key, parameter in entry.parameters.items()}
