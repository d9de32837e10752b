"""Base classes of the rules with weights in devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, Spec
from rpu_ssnn.spec.tile import NO_DELAYED_READS, TileSpec, WeightRange
from studies.common.canonical import canonical
from studies.common.explain import validated
from studies.declaration.devices import (
    check_slot,
    check_tile,
    compound_of,
    own_values,
    parameters_of,
    path_free,
)
from studies.declaration.update_rules.base import (
    CaseBase,
    Hyperparameters,
    LearningRate,
    MethodBase,
    Sections,
)

if TYPE_CHECKING:
    from device_presets import CompoundDevice, Preset, TableDevice


class PartialHyperparameters(Spec):
    """Hyperparameters of a device; a missing one is swept, or both are searched."""

    weight_range: WeightRange | None = Field(None, description="see TileSpec.weight_range")
    learning_rate: LearningRate | None = Field(None, description="equivalent rate; thinned trains")

    @property
    def complete(self) -> bool:
        """Whether nothing is left to search."""
        return None not in (self.weight_range, self.learning_rate)


def _device_name(device: object) -> object:
    """The name of an aihwkit configuration, with all its fields; of a table, with its folder."""
    if isinstance(device, dict) and set(device) == {"table"}:
        from device_presets.jump_tables.table_device import table_name

        return table_name(device["table"])
    if isinstance(device, dict) and "law" in device:
        from device_presets.law_device import law_name

        return law_name(device)
    if isinstance(device, str):
        return device
    if isinstance(device, int | float | bool | list | dict | None):
        raise ValueError("must be the name of a device, {table: FOLDER} or {law: FILE, ...}")
    from device_presets import get_device  # only studies with such devices need it

    return get_device(device).name


class OnDeviceCase(CaseBase):
    """A case whose weights live in a device; the device is a name from `device_presets`."""

    device: Annotated[str, BeforeValidator(_device_name)] = Field(
        description="a preset, a preset file, a cell around either, or aihwkit's: "
        "SoftBoundsDevice(dw_min=0.01), in Python also the object itself; or measured jumps: "
        "{table: FOLDER}, a folder of CrossSim's lookup table, or of folders with one a device"
    )
    overrides: dict[str, Any] = Field(
        {}, description="parameters that differ from the preset's; x0.5: half its own value"
    )
    tile: dict[str, Any] = Field({}, description="fields of TileSpec but weight_range")
    hyperparameters: PartialHyperparameters = PartialHyperparameters()

    @property
    def name(self) -> str:
        # A case that names a device and no rule trains by pulses.
        rule = f"{self.rule} " if "update" in type(self).model_fields else ""
        return self.label or rule + path_free(self.device)

    def has(self, path: str) -> bool:
        name = path.removeprefix("overrides.")
        return name == path or name in parameters_of(self.device)

    def method(self, sections: Sections) -> dict[str, Any]:
        from device_presets import get_device

        found, tile = super().method(sections), _tile(sections)
        overrides = own_values(self.device, sections["overrides"])
        parameters = parameters_of(self.device, overrides=overrides)
        if (ratio := overrides.get("on_off_ratio")) is not None:
            allowed = "changes no run: set tile: {reference: {on_off_ratio: ...}} instead"
            raise InputError("study", "overrides.on_off_ratio", ratio, allowed)
        check_slot(self.device, parameters, tile.slot_seconds)
        batch, slots = sections["training"].batch, self.slots_shown(sections)
        check_tile(self.device, overrides, tile, batch, slots)
        delay = sections["network"].gradient.delay
        if delay > 0 and tile.read_disturb.acts:
            raise InputError("study", "network.gradient.delay", delay, NO_DELAYED_READS)
        return found | {
            "device": get_device(self.device).name,  # ECRAM is ecram
            # As the preset understood them: 100, 100.0 and "1e2" are one run.
            "overrides": {name: parameters[name] for name in overrides},
            "parameters": parameters,
            "tile": tile.model_dump(exclude={"weight_range"}),
        }

    def slots_shown(self, sections: Sections) -> int:
        """Slots of one presentation, each a pulse or a read long."""
        network: NetworkSpec = sections["network"]
        return network.slots

    def tuned(self, found: Hyperparameters) -> Self:
        given = PartialHyperparameters(**found.model_dump())
        return self.model_copy(update={"hyperparameters": given})

    def given(self, sections: Sections) -> Hyperparameters | None:
        partial = validated(PartialHyperparameters, sections["hyperparameters"], "hyperparameters")
        given = partial.model_dump(exclude_none=True)
        if not given:
            return None
        for name in PartialHyperparameters.model_fields:
            if name not in given:
                allowed = "must be given too, or neither, which searches both"
                raise InputError("study", f"hyperparameters.{name}", None, allowed)
        return Hyperparameters.model_validate(given)


class DeviceMethod(MethodBase):
    """Weights in a device: `overrides` as the preset understood them, `parameters` complete."""

    on_tile: ClassVar[bool] = True
    left_out_at_default: ClassVar[dict[str, type[Spec]]] = {"tile": TileSpec}
    unknown_pulses: ClassVar[str] = "the run did not count its pulses"
    """Why the ledger has no energy where a row has no pulses."""

    device: str
    overrides: dict[str, Any]
    parameters: dict[str, Any]
    tile: TileSpec

    @property
    def simulated(self) -> Preset | CompoundDevice | TableDevice:
        """The device with its overrides (`device_presets.get_device`)."""
        from device_presets import get_device

        return get_device(self.device, self.overrides)

    def slots(self, network: NetworkSpec) -> int:
        """Slots of one presentation, each a pulse or a read long."""
        return network.slots

    def rest(self, trained: Any) -> None:
        if self.tile.storage_seconds > 0:
            trained.rest(self.tile.storage_seconds)

    def columns(self) -> dict[str, Any]:
        compound = compound_of(self.device)
        return {
            "beside_pulses": compound.beside_pulses if compound else None,
            "device": path_free(self.device),
            "overrides": canonical(self.overrides),
            "tile": canonical(self.tile.model_dump(mode="json")),
            "simulator": self.tile.simulator,
            "weight_range": self.tile.weight_range,
        }


def _tile(sections: Sections) -> TileSpec:
    if "weight_range" in sections["tile"]:
        value = sections["tile"]["weight_range"]
        raise InputError(
            "study", "tile.weight_range", value, "belongs into hyperparameters.weight_range"
        )
    return validated(TileSpec, sections["tile"], "tile")
