"""Builds a cell of `device_presets.compounds.cells` from its name, such as ``CELL(PRESET)``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from device_presets.compounds.cells import COMPOUNDS
from device_presets.compounds.compound import Compound
from device_presets.library.device_name import call_of
from device_presets.library.preset import Parameter, Preset, refuse_unknown
from device_presets.library.preset_lookup import LISTING, get_preset
from rpu_ssnn.common.errors import InputError, one_of, require
from rpu_ssnn.devices.laws.charge_trap import ChargeTrapPhysics
from rpu_ssnn.devices.own_law import OwnLaw


@dataclass(frozen=True)
class CompoundDevice:
    """Holds a cell and its presets, for a tile; `compound_device` makes it.

    Attributes:
        name: the name as the user wrote it.
        kind: the name of the cell in `COMPOUNDS`.
        first: the preset that the coincidences pulse.
        second: the slow partner; None if there is none or it is the same preset.
        settings: all settings of the cell.
    """

    name: str
    kind: str
    first: Preset
    second: Preset | None
    settings: Mapping[str, float]

    jump_tables = None
    """The devices of a cell move by steps, not by tables of jumps."""

    @property
    def cell(self) -> Compound:
        """Returns the kind of the cell."""
        return COMPOUNDS[self.kind]

    @property
    def one_directional_because(self) -> str | None:
        """Returns why one of the devices has no gradual down step; None if the cell needs none or
        all devices have one."""
        if self.cell.one_sided:
            return None
        second = self.second.one_directional_because if self.second else None
        return self.first.one_directional_because or second

    @property
    def leak_time_constant_s(self) -> float:
        """Returns the time constant of the first device's leak (s); a partner does not leak."""
        return self.first.leak_time_constant_s

    @property
    def pulse_physics(self) -> ChargeTrapPhysics | None:
        """Returns the pulse memory and charge loss of the devices in a pair; other cells refuse
        devices with either."""
        return self.first.pulse_physics if self.cell.pair else None

    @property
    def own_law(self) -> OwnLaw | None:
        """Returns the law of the first preset if it is user-defined, otherwise None."""
        return self.first.own_law

    @property
    def noise_free(self) -> bool:
        """Returns whether nothing is drawn at random once the array is built; transfers do draw
        their pulses at random."""
        plain = self.cell.beside_pulses is None
        return plain and self.first.noise_free and (self.second is None or self.second.noise_free)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Returns all parameters; the partner's are named ``partner.NAME``."""
        parameters = dict(self.first.parameters)
        for name, value in self.settings.items():
            unit = self.cell.settings[name].unit
            parameters[name] = Parameter(value, unit, assumption="of the cell")
        if self.second is not None:
            parameters |= {f"partner.{name}": p for name, p in self.second.parameters.items()}
        return parameters

    def device(self, seconds_between_steps: float | None = None) -> Any:
        """Returns a new aihwkit configuration of the cell, as ``Preset.device`` does for a device.

        Raises:
            InputError: for the reasons given at ``Preset.device``.
        """
        # A one-sided pair needs no down step.
        make = self.first.configuration if self.cell.one_sided else self.first.device
        devices = [make(seconds_between_steps) for _ in range(self.cell.devices)]
        if self.second is not None:
            devices[1] = self.second.device(seconds_between_steps)
        return self.cell.build(devices, self.settings)


def compound_device(name: str, overrides: Mapping[str, Any] | None = None) -> CompoundDevice:
    """Returns the cell for a name: ``CELL(PRESET)``, or ``CELL(FAST, SLOW)`` with a slow partner.

    Args:
        name: the cell and its presets.
        overrides: values for parameters of the first preset and for settings of the cell.

    Raises:
        InputError: for the reasons given at ``get_preset``; also if the cell is unknown, the
            partner leaks or is not allowed in this cell, or aihwkit's cells cannot use a device.
    """
    kind, inside = call_of(name)
    if not kind:
        kind, inside = name, [""]
    allowed = one_of(COMPOUNDS, kind) + ", or a device of aihwkit, as SoftBoundsDevice; "
    require(kind in COMPOUNDS, "compounds", "name", kind, f"{allowed}presets have no parentheses")
    compound = COMPOUNDS[kind]
    most = 2 if compound.takes_partner else 1
    if len(inside) > most or not all(inside):
        form = f"{kind}(PRESET)" + (f" or {kind}(FAST, SLOW)" if most == 2 else "")
        form += f"; `{LISTING}` lists presets"
        raise InputError(name, "device", ", ".join(inside), f"must be {form}")
    given = dict(overrides or {})
    settings: dict[str, float] = {}
    for setting, declared in compound.settings.items():
        value = declared.checked(name, setting, given.pop(setting, declared.neutral))
        assert isinstance(value, float)  # all settings of cells are numbers
        settings[setting] = value
    law = get_preset(inside[0]).law
    known = {**law.as_linear, **law.parameters, **compound.settings}
    refuse_unknown(name, given, known)
    first = get_preset(inside[0], given)
    second = get_preset(inside[1]) if len(inside) == 2 else None
    if second is not None:
        allowed = "must not leak: the slow device holds the weights"
        require(not second.leaks, name, "partner", second.name, allowed)
    allowed = "must move one way only, as pcm does: a device with a down step needs no refresh"
    require(not (compound.one_sided and first.bidirectional), name, "device", first.name, allowed)
    if compound.one_sided and not first.writes_exactly:
        allowed = "must be 0 in a pair that is refreshed: aihwkit cannot reset noisy devices"
        raise InputError(name, "write_noise", first.number("write_noise"), allowed)
    if not compound.pair:
        _check_for_cell(name, "device", first)
        if second is not None:
            _check_for_cell(name, "partner", second)
    return CompoundDevice(name, kind, first, second, settings)


def _check_for_cell(name: str, field: str, preset: Preset) -> None:
    allowed = (
        "must have a law of the package: a law of your own is simulated as a single device and in "
        "two_device_pair only"
    )
    require(preset.own_law is None, name, field, preset.name, allowed)
    allowed = (
        "must not remember its pulses or lose charge in log-time, which is simulated for a "
        "single device and for two_device_pair only (charge_trap has a plain step)"
    )
    require(preset.pulse_physics is None, name, field, preset.name, allowed)
    if preset.leaks and not preset.writes_exactly:
        allowed = "must be 0 in a cell of leaking devices, whose leak aihwkit sets by a noisy write"
        raise InputError(name, "write_noise", preset.number("write_noise"), allowed)
