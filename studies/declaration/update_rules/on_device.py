"""Defines the base class of the rules that hold the weights in devices."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field

from device_presets.library.entry_writing import draws_file
from device_presets.lookup.device import name_of
from rpu_ssnn.common.errors import require
from rpu_ssnn.common.files import YAML_SUFFIXES
from rpu_ssnn.common.validation import validated
from rpu_ssnn.devices.laws import LAWS
from rpu_ssnn.spec import NetworkSpec, Spec, TrainingSpec
from rpu_ssnn.spec.tile import NO_DELAYED_READS, TileSpec, WeightRange
from studies.common.settings import canonical
from studies.declaration.devices import (
    Device,
    check_leak_of_neurons,
    check_slot,
    check_tile,
    compound_of,
    decisive_parameters,
    device_identity,
    device_of,
    one_spelling,
    parameters_in,
    path_free,
    with_overrides,
)
from studies.declaration.update_rules.base import Hyperparameters, LearningRate, Rule, changed


class PartialHyperparameters(Spec):
    """Holds hyperparameters of a device; if one is missing it is swept, or both are searched."""

    weight_range: WeightRange | None = Field(None, description="weight at state 1 (He deviations)")
    learning_rate: LearningRate | None = Field(None, description="equivalent learning rate")


class DeviceRule(Rule):
    """Holds the weights in devices, named as in `device_presets`.

    Attributes:
        parameters: all parameters of the device; empty in a case, which has not read it yet.
    """

    device: Annotated[str, BeforeValidator(name_of)] = Field(
        description="a preset, a preset file, or a cell around either; a device of aihwkit such as "
        "SoftBoundsDevice(dw_min=0.01), in Python also the object itself; or measured jumps: "
        "{table: FOLDER}, a folder with CrossSim's lookup table, or with one such folder per device"
    )
    overrides: dict[str, Any] = Field({}, description="parameters that differ from the preset's")
    tile: TileSpec = Field(TileSpec(), description="settings of TileSpec except weight_range")
    hyperparameters: PartialHyperparameters = Field(PartialHyperparameters(), exclude=True)
    draws: int = Field(
        0, ge=0, le=10, exclude=True,
        description="number of devices drawn from the fit that made the preset file; seeds take "
        "them in turn, so that intervals include the errors of the fit; 0: the preset itself",
    )  # fmt: skip
    parameters: dict[str, Any] = Field({})

    @classmethod
    def own_keys(cls) -> tuple[str, ...]:
        given = ("learning_rate", "parameters")  # a case gives the rate under `hyperparameters`
        return tuple(name for name in super().own_keys() if name not in given)

    @classmethod
    def also_at(cls, key: object) -> list[str]:
        """Returns where a case gives a parameter of a device, for `paths_of`."""
        return [f"overrides.{key}"] if any(key in law.parameters for law in LAWS.values()) else []

    @property
    def title(self) -> str:
        return f"{super().title} {path_free(self.device)}"

    def has(self, path: str) -> bool:
        name = path.removeprefix("overrides.")
        return self.has_effect(path) and (name == path or name in parameters_in(self.as_shipped))

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        checked = super().prepared(network, training)
        given = "weight_range" in self.tile.model_fields_set
        allowed = "must be given as hyperparameters.weight_range instead"
        require(not given, "study", "tile.weight_range", self.tile.weight_range, allowed)
        parameters, ratio = parameters_in(self.simulated), self.overrides.get("on_off_ratio")
        allowed = "must be given as tile: {reference: {on_off_ratio: ...}} instead"
        require(
            "on_off_ratio" not in self.overrides, "study", "overrides.on_off_ratio", ratio, allowed
        )
        check_slot(self.simulated, self.tile.slot_seconds)
        if self.has_effect("network.neuron.circuit"):
            check_leak_of_neurons(network.neuron.circuit, parameters, self.tile.slot_seconds)
        check_tile(self.simulated, self.tile, training.batch, self.slots(network))
        self.of_seed(self.draws - 1)
        delay = network.gradient.delay
        together = delay > 0 and self.tile.read_disturb.acts
        require(not together, "study", "network.gradient.delay", delay, NO_DELAYED_READS)
        return checked.model_copy(
            update={
                "device": self.as_shipped.name,  # ECRAM becomes ecram
                # The values are those that the preset read: 100, 100.0 and "1e2" are one run.
                "overrides": {name: parameters[name] for name in self.overrides},
                "parameters": parameters,
            }
        )

    def given(self) -> Hyperparameters | None:
        given = self.hyperparameters.model_dump(exclude_none=True)
        if not given:
            return None
        for name in PartialHyperparameters.model_fields:
            allowed = "must be given as well, or neither, so that both are searched"
            require(name in given, "study", f"hyperparameters.{name}", None, allowed)
        return Hyperparameters.model_validate(given)

    def tuned(self, chosen: Hyperparameters) -> Self:
        tile = self.tile.model_copy(update={"weight_range": chosen.weight_range})
        new = {"tile": tile, "hyperparameters": PartialHyperparameters()}
        return super().tuned(chosen).model_copy(update=new)

    def of_seed(self, seed: int) -> Self:
        """Returns the rule with the drawn device of a seed: the first for seed 0, and so on.

        Raises:
            InputError: the preset is not a file of a fit, or there are no such draws beside it.
        """
        if self.draws == 0:
            return self
        file = Path(self.device)
        fitted = file.suffix in YAML_SUFFIXES and draws_file(file).is_file()
        allowed = f"must be 0, unless presets fit wrote the preset file and {draws_file(file)}"
        require(fitted, "study", "draws", self.draws, allowed)
        drawn = f"{draws_file(file)}:draw_{1 + seed % self.draws}"
        device = with_overrides(device_of(drawn), self.overrides)
        new = {"device": drawn, "draws": 0, "parameters": parameters_in(device)}
        return validated(type(self), {**self.model_dump(), **new}, "")

    def decisive(self) -> dict[str, Any]:
        """Returns the settings that can change a result, without defaults of the tile."""
        overrides = decisive_parameters(self.overrides, self.parameters)
        return super().decisive() | {
            "device": device_identity(self.device),
            "overrides": {name: one_spelling(value) for name, value in overrides.items()},
            "parameters": decisive_parameters(self.parameters, self.parameters),
            "tile": changed(self.tile),
        }

    @cached_property
    def as_shipped(self) -> Device:
        """Returns the device without overrides."""
        return device_of(self.device)

    @cached_property
    def simulated(self) -> Device:
        """Returns the device with its overrides."""
        return with_overrides(self.as_shipped, self.overrides)

    def slots(self, network: NetworkSpec) -> int:
        """Returns the slots of one presentation, each as long as a pulse or a read."""
        return network.slots

    def rest(self, trained: Any) -> None:
        if self.tile.storage_seconds > 0:
            trained.rest(self.tile.storage_seconds)

    def columns(self) -> dict[str, Any]:
        compound = compound_of(self.device)
        return super().columns() | {
            "beside_pulses": compound.beside_pulses if compound else None,
            "device": path_free(self.device),
            "overrides": canonical(self.overrides),
            "tile": canonical(self.tile.model_dump(mode="json")),
            "simulator": self.tile.simulator,
            "weight_range": self.tile.weight_range,
        }
