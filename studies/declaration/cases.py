"""What a study can compare: the cases, one way to train or one device each."""

from collections import Counter
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.spec import Positive, Share, Spec
from rpu_ssnn.tile_spec import WeightRange
from studies.common.explain import as_input_error

UPDATES = ("ann", "rate", "coincidence", "bp_stdp", "conversion")
"""Values of `update` in a case; a device case names its device instead."""

LearningRate = Annotated[Positive, Field(le=1000.0)]
"""The equivalent rate of `rpu_ssnn.synapses`: one value means the same step in every case but
`ann`, whose rate is that of plain gradient descent."""

Percentile = Annotated[float, Field(gt=50.0, le=100.0)]

ANN_RELEVANT = (
    "network.hidden",
    "network.encoding.contrast",
    "training.epochs",
    "training.batch",
    "training.dropout_input",
    "training.dropout_hidden",
)
"""The settings that change the float baseline, which has neither slots nor neurons."""


MOST_SEEDS = 10_000


class _SeedCount(Spec):
    count: Annotated[int, Field(ge=1, le=MOST_SEEDS)]


def _counted(raw: object) -> object:
    """`{count: 5}` means the seeds 0 to 4."""
    if not isinstance(raw, dict):
        return raw
    try:
        return tuple(range(_SeedCount.model_validate(raw).count))
    except ValidationError as error:
        raise as_input_error(error, "study", _SeedCount) from error


def _each_once(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) < len(seeds):
        twice = min(seed for seed, times in Counter(seeds).items() if times > 1)
        raise ValueError(f"must name each seed once, {twice} is there twice")
    return seeds


Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=2**32)], ...],
    Field(min_length=1, max_length=MOST_SEEDS),
    BeforeValidator(_counted),
    AfterValidator(_each_once),
]
"""A list, or {count: n} for 0 to n - 1."""


class SgdSpec(Spec):
    """Settings of the float baseline beside the shared ones (`rpu_ssnn.baselines.ann`)."""

    loss: Literal["softmax_ce", "mse"] = "softmax_ce"
    momentum: Share = 0.9


class PartialHyperparameters(Spec):
    """How hard a device is driven; what is left out is swept, or searched (both together)."""

    weight_range: WeightRange | None = Field(None, description="see TileSpec.weight_range")
    learning_rate: LearningRate | None = Field(None, description="equivalent rate; thinned trains")


class _CaseBase(Spec):
    label: str | None = Field(
        None, min_length=1, max_length=60, description="row name; default: the update or device"
    )
    network: dict[str, Any] = Field({}, description="what differs from the study's network")
    training: dict[str, Any] = Field({}, description="what differs from the study's training")
    seeds: Seeds | None = Field(None, description="instead of the study's")


class _IdealCase(_CaseBase):
    update: str
    learning_rate: LearningRate | None = Field(None, description="None: searched")

    @property
    def name(self) -> str:
        """Label of the case."""
        return self.label or self.update


class AnnCase(_IdealCase):
    """The float baseline: exact backpropagation (`rpu_ssnn.baselines.ann`)."""

    update: Literal["ann"]
    sgd: dict[str, Any] = Field({}, description="fields of SgdSpec")
    swept: ClassVar[tuple[str, ...]] = (*ANN_RELEVANT, "learning_rate", "sgd")


class RateCase(_IdealCase):
    """SSNN-BP with ideal weights, Eq. 9."""

    update: Literal["rate"]
    surrogate: dict[str, Any] | None = Field(
        None, description="fields of rpu_ssnn.spec.SurrogateSpec; None: no surrogate noise"
    )
    swept: ClassVar[tuple[str, ...]] = ("network", "training", "learning_rate", "surrogate")


class CoincidenceCase(_IdealCase):
    """SSNN-BP with ideal weights, Eq. 10."""

    update: Literal["coincidence"]
    swept: ClassVar[tuple[str, ...]] = ("network", "training", "learning_rate")


class BpStdpCase(_IdealCase):
    """BP-STDP with ideal weights, a peer of Table 1 (`rpu_ssnn.baselines.bp_stdp`)."""

    update: Literal["bp_stdp"]
    swept: ClassVar[tuple[str, ...]] = ("network", "training", "learning_rate")


class ConversionCase(_IdealCase):
    """A float network asked with spikes, a peer of Table 1 (`rpu_ssnn.baselines.conversion`)."""

    update: Literal["conversion"]
    sgd: dict[str, Any] = Field({}, description="fields of SgdSpec")
    percentile: Percentile = Field(
        100.0, description="of the activations that comes to one spike a slot; 100: the largest"
    )
    swept: ClassVar[tuple[str, ...]] = (
        "network",
        "training",
        "learning_rate",
        "sgd",
        "percentile",
    )


def _device_name(device: object) -> object:
    """An aihwkit configuration by the name that says all its fields."""
    if isinstance(device, str | int | float | bool | list | dict | None):
        return device
    from device_presets import get_device  # only studies with such devices need it

    return get_device(device).name


class DeviceCase(_CaseBase):
    """SSNN-BP on aihwkit tiles, by pulses only; the device is a name from `device_presets`."""

    device: Annotated[str, BeforeValidator(_device_name)] = Field(
        description="a preset, a preset file, a cell around either, or aihwkit's: "
        "SoftBoundsDevice(dw_min=0.01), in Python also the object itself"
    )
    overrides: dict[str, Any] = Field({}, description="parameters that differ from the preset's")
    tile: dict[str, Any] = Field({}, description="fields of TileSpec but weight_range")
    drive: PartialHyperparameters = PartialHyperparameters()
    swept: ClassVar[tuple[str, ...]] = ("network", "training", "overrides", "tile", "drive")

    @property
    def name(self) -> str:
        """Label of the case."""
        return self.label or self.device


def _kind(raw: object) -> str | None:
    """The tag of a case; tags start with `explain.TAG_MARK` so that no message shows them."""
    if isinstance(raw, _CaseBase):
        raw = raw.model_dump()
    if not isinstance(raw, dict):
        return None
    if "device" in raw:
        return "<device>"
    return f"<{raw['update']}>" if raw.get("update") in UPDATES else None


def _of_a_kind(raw: object) -> object:
    """Refuses what `_kind` cannot tell, in the study's words."""
    if _kind(raw) is None:
        if isinstance(raw, dict) and "update" in raw:
            raise InputError("study", "update", raw["update"], one_of(UPDATES, raw["update"]))
        allowed = f"must have `device: NAME`, or `update` as one of {', '.join(UPDATES)}"
        raise InputError("study", "", raw, allowed)
    return raw


type Case = Annotated[
    Annotated[AnnCase, Tag("<ann>")]
    | Annotated[RateCase, Tag("<rate>")]
    | Annotated[CoincidenceCase, Tag("<coincidence>")]
    | Annotated[BpStdpCase, Tag("<bp_stdp>")]
    | Annotated[ConversionCase, Tag("<conversion>")]
    | Annotated[DeviceCase, Tag("<device>")],
    Discriminator(_kind),
    BeforeValidator(_of_a_kind),
]
