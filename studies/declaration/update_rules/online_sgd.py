"""The delta rule on float weights, from image to image: the twin of `whole_pulse_sgd`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field

from rpu_ssnn.baselines.online_spec import OnlineSpec
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, Positive, Spec
from studies.common.canonical import canonical
from studies.declaration.update_rules.base import (
    BLANK_WITHOUT_SPIKES,
    SEES_COUNTS,
    IdealCase,
    MethodBase,
    RunSettings,
    Sections,
    Train,
)

ONLINE_READS = ("network.hidden", "network.encoding.contrast", "training.epochs")
"""A batch is one image, and the rate constant: nothing else of network and training is read."""

BLANK_ONLINE = (*BLANK_WITHOUT_SPIKES, "batch")
"""Columns of a row that say nothing of such a network."""


class OnlineSgdCase(IdealCase):
    """The delta rule on float weights."""

    rule: ClassVar[str] = "online_sgd"
    reads: ClassVar[tuple[str, ...] | None] = ONLINE_READS
    parts: ClassVar[Mapping[str, type[Spec]]] = {"online": OnlineSpec}

    update: Literal["online_sgd"]
    online: dict[str, Any] = Field({}, description="fields of OnlineSpec")
    weight_bound: Positive | None = Field(
        None, description="weights stay within this, in online.weight_unit; None: no bound"
    )

    def method(self, sections: Sections) -> dict[str, Any]:
        found = super().method(sections)
        check_layers(found["online"]["layer_rates"], sections["network"])
        return {**found, "weight_bound": self.checked(sections, "weight_bound")}


class OnlineSgdMethod(MethodBase):
    """Exact weight changes after each image."""

    rates: ClassVar[tuple[float, float] | None] = (0.03, 3.0)
    sees: ClassVar[str] = SEES_COUNTS
    one_thread: ClassVar[bool] = True  # an image needs the weights that the last one left
    blank_columns: ClassVar[tuple[str, ...]] = BLANK_ONLINE
    left_out_at_default: ClassVar[dict[str, type[Spec]]] = {"online": OnlineSpec}

    update: Literal["online_sgd"] = "online_sgd"
    online: OnlineSpec
    weight_bound: Positive | None

    def columns(self) -> dict[str, Any]:
        return {"online": changed_settings(self.online, weight_bound=self.weight_bound)}

    def training(self, settings: RunSettings, threads: int) -> Train:
        held = {"weight_bound": self.weight_bound}
        return online_training(self.online, self.learning_rate, held, settings)


def check_layers(rates: Sequence[float], network: NetworkSpec) -> None:
    """Refuses rates that are not one a layer.

    Raises:
        InputError: their number.
    """
    layers = len(network.hidden) + 1
    if rates and len(rates) != layers:
        allowed = f"must have one factor for each of the {layers} layers, or none"
        raise InputError("study", "online.layer_rates", list(rates), allowed)


def changed_settings(online: OnlineSpec, **more: Any) -> str:
    """What is not the default, as a column of the row."""
    changed = online.model_dump(mode="json", exclude_defaults=True)
    return canonical(changed | {name: v for name, v in more.items() if v is not None})


def online_training(
    spec: OnlineSpec, learning_rate: float, held: dict[str, Any], settings: RunSettings
) -> Train:
    """Trains the network of these settings.

    Args:
        held: what holds the weights (`rpu_ssnn.baselines.online.train_image_by_image`).
    """
    from rpu_ssnn.baselines.online import train_image_by_image

    return partial(
        train_image_by_image,
        spec,
        settings.network.hidden,
        seed=settings.seed,
        learning_rate=learning_rate,
        epochs=settings.training.epochs,
        contrast=settings.network.encoding.contrast,
        **held,
    )
