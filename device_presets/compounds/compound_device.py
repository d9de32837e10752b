"""A device by name: a preset, or a cell of `device_presets.compounds.table` around presets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from device_presets.compounds.table import COMPOUNDS, Compound
from device_presets.from_aihwkit import aihwkit_object, is_aihwkit_name, own_entry
from device_presets.jump_tables.table_device import (
    KEY,
    TableDevice,
    is_table_name,
    table_device,
    table_name,
)
from device_presets.law_device import is_law_name, law_device, law_name
from device_presets.preset import Parameter, Preset
from device_presets.preset_lookup import LISTING, get_preset, preset_of
from rpu_ssnn.common.errors import PresetError, one_of
from rpu_ssnn.devices.law_parameter import Value
from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
from rpu_ssnn.devices.own_law import OwnLaw

_CALL = re.compile(r"\s*([A-Za-z0-9_]+)\s*\((.*)\)\s*")


@dataclass(frozen=True)
class CompoundDevice:
    """A cell around presets, for a tile; `get_device` makes it.

    Attributes:
        name: as the user wrote it.
        first: preset that the coincidences pulse.
        second: the slow partner; None where there is none or it is the same preset.
        settings: of the cell, complete.
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
        """Its row of the table."""
        return COMPOUNDS[self.kind]

    @property
    def pair(self) -> bool:
        """Whether the tile pairs two single devices."""
        return self.compound.build is None

    @property
    def in_parallel(self) -> int:
        """Devices that all get every pulse, and whose mean is read."""
        return self.compound.devices if self.compound.parallel else 1

    @property
    def one_directional_because(self) -> str | None:
        """Why one of its devices has no gradual down step; None where none needs any."""
        if self.compound.one_sided:
            return None
        second = self.second.one_directional_because if self.second else None
        return self.first.one_directional_because or second

    @property
    def leak_time_constant_s(self) -> float:
        """Time constant of the first device's leak (s); a partner does not leak."""
        return self.first.leak_time_constant_s

    @property
    def pulse_physics(self) -> ChargeTrapPhysics | None:
        """Memory and charge loss of the devices of a pair; other cells refuse such devices."""
        return self.first.pulse_physics if self.pair else None

    @property
    def own_law(self) -> OwnLaw | None:
        """The law of the first preset, where that is one of the user's own."""
        return self.first.own_law

    @property
    def noise_free(self) -> bool:
        """Whether nothing is drawn at random after construction: transfers draw their pulses."""
        plain = self.compound.beside_pulses is None
        return plain and self.first.noise_free and (self.second is None or self.second.noise_free)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The first preset's; the cell's as ``NAME``, the partner's as ``partner.NAME``."""
        found = dict(self.first.parameters)
        for name, value in self.settings.items():
            rule = self.compound.settings[name]
            found[name] = Parameter(value, rule.unit, None, "of the cell", rule.description, None)
        if self.second is not None:
            found |= {f"partner.{name}": p for name, p in self.second.parameters.items()}
        return MappingProxyType(found)

    def device(self, seconds_between_steps: float | None = None) -> Any:
        """A fresh aihwkit configuration of the cell, as ``Preset.device``.

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


def get_device(
    name: Any, overrides: Mapping[str, Any] | None = None
) -> Preset | CompoundDevice | TableDevice:
    """A preset, or a cell around one: ``CELL(PRESET)``, ``CELL(FAST, SLOW)``; or aihwkit's own; or
    a table of measured jumps.

    Args:
        name: of a preset or a cell; ``SoftBoundsDevice(dw_min=0.01)``, a class of aihwkit with
            its fields; or an object of such a class, or a SingleRPUConfig with one; or
            ``table(FOLDER)``, ``{"table": FOLDER}`` (`device_presets.jump_tables`); or
            ``{"law": "my_law.py", "step": 0.01, ...}``, a law of the user's own with its
            parameters.
        overrides: parameters of the (first) preset and settings of the cell; a partner comes as
            its preset says.

    Raises:
        PresetError: as ``get_preset``; an unknown cell, a partner where none goes or that leaks,
            devices that aihwkit's cells cannot hold.
    """
    if isinstance(name, Mapping) and "law" in name:
        name = law_name(name)
    if isinstance(name, Mapping):
        if set(name) != {KEY}:
            raise PresetError("device", "key", ", ".join(map(str, name)), f"must be {KEY}")
        name = table_name(name[KEY])
    if isinstance(name, str) and is_table_name(name):
        return table_device(name, overrides)
    if isinstance(name, str) and is_law_name(name):
        return law_device(name, overrides)
    if not isinstance(name, str) or is_aihwkit_name(name):
        return preset_of(
            *own_entry(aihwkit_object(name) if isinstance(name, str) else name), overrides
        )
    call = _CALL.fullmatch(name)
    if call is None:
        return get_preset(name, overrides)
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
    for setting, rule in compound.settings.items():
        value: Value = rule.checked(name, setting, given.pop(setting, rule.neutral))
        assert isinstance(value, float)  # every rule of a cell is a number's
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
