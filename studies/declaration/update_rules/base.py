"""The two base classes of an update rule: the case in a study, and the method of a trial.

A rule is one module of this package with a subclass of `CaseBase` (the keys in a study) and one of
`MethodBase` (the settings of a trial, and its training). Importing the package finds both. Slow
modules are imported in the function that needs them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import EncodingSpec, NetworkSpec, OneLine, Positive, Share, Spec, TrainingSpec
from rpu_ssnn.spec.tile import WeightRange
from studies.common.explain import validated

if TYPE_CHECKING:
    from rpu_ssnn.training_loop import Learner

LearningRate = Annotated[Positive, Field(le=1000.0)]
"""The equivalent rate of `rpu_ssnn.synapses`: one value means the same step in every spiking case.
A rule without spikes takes that of plain gradient descent (`MethodBase.rates`)."""

NUMBERS_READ = (
    "network.hidden",
    "network.initial_scale",
    "network.encoding.contrast",
    "training.epochs",
    "training.batch",
    "training.dropout_input",
    "training.dropout_hidden",
)
"""The settings that change a network without slots and spiking neurons."""

BLANK_WITHOUT_SPIKES = ("T", "slots", "schedule", "decay", "decay_shape", "output_step")
"""Columns of a row that say nothing of such a network."""

ONLY_OF_GRADIENT_TRAINS = (
    "network.neuron.theta_b",
    "network.neuron.theta_n",
    "network.gradient.switch",
    "network.gradient.branches",
    "network.gradient.delay",
    "network.gradient.halving",
    "training.schedule",
    "training.output_step",
)
"""The settings that change nothing in a spiking network without gradient trains."""

SEES_COUNTS = "spike counts: timing is not seen"
GIVEN_SPIKES = "given spikes"

type Train = Callable[..., Learner]
"""Trains a network on a data set, its argument; ``start`` and ``on_epoch`` as of
`rpu_ssnn.training.train`."""

type Sections = dict[str, Any]
"""Settings by their first key: network and training checked; dataset and the case's own raw."""

NO_SETTINGS = ("label", "update", "device", "seeds")
"""Keys of a case that no sweep may set."""

MOST_DECLARED_SEEDS = 10_000

MOST_LABEL = 60
"""Characters of a label."""


class _SeedCount(Spec):
    count: Annotated[int, Field(ge=1, le=MOST_DECLARED_SEEDS)]


def _counted(raw: object) -> object:
    """`5` and `{count: 5}` mean the seeds 0 to 4."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = {"count": raw}
    if isinstance(raw, list | tuple):
        return raw
    if not isinstance(raw, dict):
        allowed = "must be a number n, for the seeds 0 to n - 1, or a list of seeds"
        raise InputError("study", "", raw, allowed)
    return tuple(range(validated(_SeedCount, raw, "").count))


def _each_once(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) < len(seeds):
        twice = min(seed for seed, times in Counter(seeds).items() if times > 1)
        raise ValueError(f"must name each seed once, {twice} is there twice")
    return seeds


Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0, lt=2**32)], ...],
    Field(min_length=1, max_length=MOST_DECLARED_SEEDS),
    BeforeValidator(_counted),
    AfterValidator(_each_once),
]
"""A list, or a number n (also {count: n}) for 0 to n - 1."""


class Hyperparameters(Spec):
    """Hyperparameters of a case: learning rate and, in a device, weight range."""

    learning_rate: LearningRate
    weight_range: WeightRange | None = None


class SgdSpec(Spec):
    """Settings of the float baseline beside the shared ones (`rpu_ssnn.baselines.ann`)."""

    loss: Literal["softmax_ce", "mse"] = "softmax_ce"
    momentum: Share = 0.9


class CaseBase(Spec):
    """Keys of every case of a study. A subclass adds ``update``, a literal."""

    model_config = ConfigDict(ser_json_inf_nan="constants")  # written again as `.inf`

    label: Annotated[str, Field(min_length=1, max_length=MOST_LABEL), OneLine] | None = Field(
        None, description="row name; default: the update or device"
    )
    network: dict[str, Any] = Field({}, description="what differs from the study's network")
    training: dict[str, Any] = Field({}, description="what differs from the study's training")
    seeds: Seeds | None = Field(None, description="instead of the study's")

    rule: ClassVar[str]
    """Value of ``update``."""

    reads: ClassVar[tuple[str, ...] | None] = None
    """Settings of network and training that change a run; None: all but `without_effect`."""

    without_effect: ClassVar[tuple[str, ...]] = ()
    """Settings of network and training that change nothing in a run."""

    parts: ClassVar[Mapping[str, type[Spec]]] = {}
    """Keys with a section of their own, and its model."""

    @classmethod
    def swept(cls) -> tuple[str, ...]:
        """Starts of the dotted paths that a sweep may set."""
        shared = ("network", "training")
        own = [name for name in cls.model_fields if name not in (*shared, *NO_SETTINGS)]
        return (*(cls.reads or shared), *own)

    @property
    @abstractmethod
    def name(self) -> str:
        """Label of the case."""

    def has(self, path: str) -> bool:
        """Whether a swept path with an allowed start is a setting of this case."""
        return path not in self.without_effect

    def check(self, network: NetworkSpec, training: TrainingSpec) -> None:
        """Refuses what the rule cannot train.

        Raises:
            InputError: a setting of network or training.
        """

    def reduced(
        self, network: NetworkSpec, training: TrainingSpec
    ) -> tuple[NetworkSpec, TrainingSpec]:
        """Only settings that change a trial, so that a sweep of others makes no new trials."""
        if self.reads is None:
            return network, training
        kept = {
            name: getattr(training, name)
            for name in TrainingSpec.model_fields
            if f"training.{name}" in self.reads
        }
        encoding = EncodingSpec(contrast=network.encoding.contrast)
        layers = {
            name: getattr(network, name)
            for name in ("hidden", "initial_scale")
            if f"network.{name}" in self.reads
        }
        return (
            NetworkSpec(encoding=encoding, **layers),
            TrainingSpec().model_copy(update=kept),
        )

    def method(self, sections: Sections) -> dict[str, Any]:
        """Fields of the trial's method, without hyperparameters.

        Raises:
            InputError: a setting of the case.
        """
        parts = {name: validated(part, sections[name], name) for name, part in self.parts.items()}
        return {"update": self.rule, **{name: part.model_dump() for name, part in parts.items()}}

    @abstractmethod
    def tuned(self, found: Hyperparameters) -> Self:
        """The case with these hyperparameters instead of its own."""

    @abstractmethod
    def given(self, sections: Sections) -> Hyperparameters | None:
        """Hyperparameters that the study gives; None: they are searched.

        Raises:
            InputError: a value out of its range, or only one of two.
        """


class IdealCase(CaseBase):
    """A case with float weights, in no device."""

    update: str
    learning_rate: LearningRate | None = Field(None, description="None: searched")

    @property
    def name(self) -> str:
        return self.label or self.rule

    def tuned(self, found: Hyperparameters) -> Self:
        return self.model_copy(update={"learning_rate": found.learning_rate})

    def given(self, sections: Sections) -> Hyperparameters | None:
        rate = sections.get("learning_rate")
        if rate is None:
            return None
        return validated(Hyperparameters, {"learning_rate": rate}, "")

    def checked(self, sections: Sections, name: str) -> Any:
        """The value of a key that a sweep may have set, as it was written; None: not given.

        Raises:
            InputError: the key does not take it.
        """
        value = sections.get(name)
        validated(type(self), {"update": self.rule, name: value}, "")
        return value


class RunSettings(Spec):
    """What a rule trains: a trial's settings without its images and its method."""

    network: NetworkSpec
    training: TrainingSpec
    seed: Annotated[int, Field(ge=0)]


class MethodBase(Spec):
    """How a trial is trained. A subclass adds ``update``, a literal, and what determines a run."""

    update: str
    learning_rate: float

    version: ClassVar[int] = 1
    """Raised when the rule's numbers change. A number above 1 is part of a trial's identity."""

    reports_epochs: ClassVar[bool] = True
    """Whether the rule reports each epoch: for checkpoints, the search and the time of a plan."""

    rates: ClassVar[tuple[float, float] | None] = None
    """Lowest and highest learning rate that a search tries; None: those of the spiking cases."""

    on_tile: ClassVar[bool] = False
    """Whether a device holds the weights, so that the weight range is searched too."""

    sees: ClassVar[str] = GIVEN_SPIKES
    """What the rule uses of recorded spikes, in words for the row."""

    compiled: ClassVar[bool] = True
    """Whether training needs numba's compiled code."""

    one_thread: ClassVar[bool] = False
    """Whether a second thread would change the numbers of a run."""

    blank_columns: ClassVar[tuple[str, ...]] = ()
    """Columns of the row that mean nothing under this rule."""

    left_out_at_default: ClassVar[dict[str, type[Spec]]] = {}
    """Parts whose fields at their defaults are no part of an identity."""

    @model_validator(mode="before")
    @classmethod
    def _is_of_this_version(cls, content: Any) -> Any:
        """Stored settings of another version of the rule are not valid."""
        if not isinstance(content, dict):
            return content
        version = content.get("version", 1)
        if version != cls.version:
            raise ValueError(f"version {version} of the rule; it is now {cls.version}")
        return {key: value for key, value in content.items() if key != "version"}

    @model_serializer(mode="wrap")
    def _with_version(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**fields(self), **self.of_version()}

    @classmethod
    def of_version(cls) -> dict[str, int]:
        """The version as a key of the settings; without it they are of version 1."""
        return {} if cls.version == 1 else {"version": cls.version}

    def is_replayable(self) -> bool:
        """Whether the run repeats bit for bit."""
        return True

    def threads_for(self, threads: int) -> int:
        """How many of the threads a run may use without a change of its numbers."""
        return 1 if self.one_thread else threads

    def columns(self) -> dict[str, Any]:
        """Columns of the row that only this rule fills."""
        return {}

    @abstractmethod
    def training(self, settings: RunSettings, threads: int) -> Train:
        """Trains the network of these settings."""

    def timed(self, settings: RunSettings, threads: int) -> Train:
        """The training whose steps `plan` times."""
        return self.training(settings, threads)

    def of_numbers(self, settings: RunSettings) -> dict[str, Any]:
        """The settings of `NUMBERS_READ` but for the layers, and the learning rate."""
        read = {"epochs", "batch", "dropout_input", "dropout_hidden"}
        return {
            "learning_rate": self.learning_rate,
            "contrast": settings.network.encoding.contrast,
            "initial_scale": settings.network.initial_scale,
            **settings.training.model_dump(include=read),
        }

    def shown_at_once(self) -> int | None:
        """Images of one inference call of that network; None: all there are."""
        return None

    def rest(self, trained: Any) -> None:
        """Called between the end of training and the test."""
