"""A cell of `device_presets.compounds.cells` around presets, by its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from device_presets.compounds.cells import COMPOUNDS, Compound
from device_presets.library.preset import Parameter, Preset
from device_presets.library.preset_lookup import LISTING, get_preset
from rpu_ssnn.common.errors import PresetError, one_of
from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
from rpu_ssnn.devices.own_law import OwnLaw

_CALL = re.compile(r"\s*([A-Za-z0-9_]+)\s*\((.*)\)\s*")


@dataclass(frozen=True)
class CompoundDevice:
    """A cell around presets, for a tile; `compound_device` makes it.

    Attributes:
        name: the name as the user wrote it.
        kind: the name of the cell in `COMPOUNDS`.
        first: the preset that the coincidences pulse.
        second: the slow partner; None where there is none or it is the same preset.
        settings: all settings of the cell.
    """

    name: str
    kind: str
    first: Preset
    second: Preset | None
    settings: Mapping[str, float]

    jump_tables = None
    """The devices of a cell have steps, and no table of jumps."""

    def __reduce__(self) -> tuple[type["CompoundDevice"], tuple[object, ...]]:
        return CompoundDevice, (self.name, self.kind, self.first, self.second, dict(self.settings))

    @property
    def compound(self) -> Compound:
        """Returns what `COMPOUNDS` says of the cell."""
        return COMPOUNDS[self.kind]

    @property
    def pair(self) -> bool:
        """Returns whether the tile pairs two single devices."""
        return self.compound.build is None

    @property
    def in_parallel(self) -> int:
        """Returns how many devices all get every pulse; reads see their mean."""
        return self.compound.devices if self.compound.parallel else 1

    @property
    def one_directional_because(self) -> str | None:
        """Returns why one of its devices has no gradual down step; None where none needs any."""
        if self.compound.one_sided:
            return None
        second = self.second.one_directional_because if self.second else None
        return self.first.one_directional_because or second

    @property
    def leak_time_constant_s(self) -> float:
        """Returns the time constant of the first device's leak (s); a partner does not leak."""
        return self.first.leak_time_constant_s

    @property
    def pulse_physics(self) -> ChargeTrapPhysics | None:
        """Returns the memory and charge loss of the devices of a pair; other cells refuse such
        devices."""
        return self.first.pulse_physics if self.pair else None

    @property
    def own_law(self) -> OwnLaw | None:
        """Returns the law of the first preset, where that is one of the user's own."""
        return self.first.own_law

    @property
    def noise_free(self) -> bool:
        """Returns whether nothing is drawn at random once the array is built. Transfers draw their
        pulses."""
        plain = self.compound.beside_pulses is None
        return plain and self.first.noise_free and (self.second is None or self.second.noise_free)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Returns all parameters; those of the partner are called ``partner.NAME``."""
        found = dict(self.first.parameters)
        for name, value in self.settings.items():
            asked = self.compound.settings[name]
            found[name] = Parameter(value, asked.unit, None, "of the cell", asked.description, None)
        if self.second is not None:
            found |= {f"partner.{name}": p for name, p in self.second.parameters.items()}
        return MappingProxyType(found)

    def device(self, seconds_between_steps: float | None = None) -> Any:
        """Returns a fresh aihwkit configuration of the cell, as ``Preset.device``.

        Raises:
            PresetError: as ``Preset.device``.
        """
        build = self.compound.build
        if build is None:
            return self.first.device(seconds_between_steps)
        # A one-sided pair needs no down step.
        one = self.first.configuration if self.compound.one_sided else self.first.device
        devices = [one(seconds_between_steps) for _ in range(self.compound.devices)]
        if self.second is not None:
            devices[1] = self.second.device(seconds_between_steps)
        return build(devices, self.settings)


def is_cell_name(name: str) -> bool:
    """Returns whether a device's name means a cell: ``CELL(PRESET)``."""
    return _CALL.fullmatch(name) is not None


def compound_device(name: str, overrides: Mapping[str, Any] | None = None) -> CompoundDevice:
    """Returns the cell of a name: ``CELL(PRESET)``, or ``CELL(FAST, SLOW)`` with a slow partner.

    Args:
        name: the cell and its presets.
        overrides: parameters of the first preset, and settings of the cell.

    Raises:
        PresetError: as ``get_preset``. It is also raised for an unknown cell, a partner that the
            cell does not take or that leaks, and devices that aihwkit's cells cannot hold.
    """
    call = _CALL.fullmatch(name)
    assert call is not None
    kind, inside = call[1], [part.strip() for part in call[2].split(",")]
    if kind not in COMPOUNDS:
        raise PresetError("compounds", "name", kind, one_of(COMPOUNDS, kind))
    compound = COMPOUNDS[kind]
    most = 2 if compound.takes_partner else 1
    if len(inside) > most or not all(inside):
        form = f"{kind}(PRESET)" + (f" or {kind}(FAST, SLOW)" if most == 2 else "")
        raise PresetError(name, "device", call[2], f"must be {form}; `{LISTING}` lists presets")
    given = dict(overrides or {})
    settings: dict[str, float] = {}
    for setting, asked in compound.settings.items():
        value = asked.checked(name, setting, given.pop(setting, asked.neutral))
        assert isinstance(value, float)  # all settings of cells are numbers
        settings[setting] = value
    known = [*get_preset(inside[0]).law.parameters, *compound.settings]
    for parameter in given:
        if parameter not in known:
            raise PresetError(name, "parameter", parameter, one_of(known, parameter))
    first = get_preset(inside[0], given)
    second = get_preset(inside[1]) if len(inside) == 2 else None
    if second is not None and second.leaks:
        allowed = "must not leak: the slow device holds the weights"
        raise PresetError(name, "partner", second.name, allowed)
    if compound.one_sided and first.bidirectional:
        allowed = "must move one way only, as pcm: a device with a down step needs no refresh"
        raise PresetError(name, "device", first.name, allowed)
    if compound.one_sided and not first.writes_exactly:
        allowed = "must be 0 in a pair that is refreshed: aihwkit cannot reset devices with it"
        raise PresetError(name, "write_noise", first.number("write_noise"), allowed)
    if compound.build is not None:
        _check_for_cell(name, "device", first)
        if second is not None:
            _check_for_cell(name, "partner", second)
    return CompoundDevice(name, kind, first, second, MappingProxyType(settings))


def _check_for_cell(name: str, field: str, preset: Preset) -> None:
    if preset.own_law is not None:
        allowed = (
            "must have a law of the package: a law of your own is simulated as a single device "
        )
        raise PresetError(name, field, preset.name, allowed + "and in two_device_pair only")
    if preset.pulse_physics is not None:
        allowed = (
            "must not remember its pulses or lose charge in log-time, which is simulated for a "
            "single device and for two_device_pair only (charge_trap has a plain step)"
        )
        raise PresetError(name, field, preset.name, allowed)
    if preset.leaks and not preset.writes_exactly:
        allowed = "must be 0 in a cell of leaking devices, whose leak aihwkit sets by a noisy write"
        raise PresetError(name, "write_noise", preset.number("write_noise"), allowed)
