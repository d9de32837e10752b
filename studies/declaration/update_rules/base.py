"""Defines the base class of all update rules, including those that users write.

A rule is one class. Its fields are the keys of a case in a study and also the settings that are
stored with a trial. Its method `training` defines how a network is trained. Slow modules such as
torch are imported in the method that needs them.
"""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, Positive, Spec, TrainingSpec, layer_names
from rpu_ssnn.spec.tile import WeightRange
from rpu_ssnn.synapses import SynapsesFactory
from rpu_ssnn.training import train
from rpu_ssnn.training.loop import Learner
from studies.common.settings import leaves, value_at, with_value

LearningRate = Annotated[Positive, Field(le=1000.0)]
"""In spiking cases this is the equivalent rate of `rpu_ssnn.synapses`, with which one value means
the same step in every case. Rules without spikes use the rate of plain gradient descent."""

type Train = Callable[..., Learner]
"""Such a function trains a network on a data set; its keyword arguments ``start`` and ``on_epoch``
are those of `rpu_ssnn.training.train`."""

SETTINGS = {"network": NetworkSpec().model_dump(), "training": TrainingSpec().model_dump()}
"""These are the defaults of all settings of network and training."""


def all_but(*read: str) -> tuple[str, ...]:
    """Returns the dotted paths of all settings of network and training except those given."""
    return tuple(path for path, _ in leaves(SETTINGS) if path not in read)


WITHOUT_SLOTS = all_but(
    "network.hidden",
    "network.layers",
    "network.initial_scale",
    "network.encoding.contrast",
    "training.epochs",
    "training.batch",
    "training.dropout_input",
    "training.dropout_hidden",
)
"""These settings have no effect on a network without slots and spiking neurons."""

WITHOUT_GRADIENT_TRAINS = (
    "network.neuron.theta_b",
    "network.neuron.theta_n",
    "network.neuron.circuit.polarity_spread",
    "network.neuron.circuit.threshold_drift",
    "network.gradient.switch",
    "network.gradient.branches",
    "network.gradient.delay",
    "network.gradient.halving",
    "training.schedule",
    "training.output_step",
)
"""These settings have no effect on a spiking network without gradient trains."""

GIVEN_SPIKES = "given spikes"


class Hyperparameters(Spec):
    """Holds the hyperparameters of a case: a learning rate and, in a device, a weight range."""

    learning_rate: LearningRate
    weight_range: WeightRange | None = None


class RunSettings(Spec):
    """Holds the settings with which a rule trains: those of a trial except images and rule."""

    network: NetworkSpec
    training: TrainingSpec
    seed: Annotated[int, Field(ge=0)]


class Rule(Spec):
    """Defines an update rule by its settings and its way of training.

    A subclass adds its settings as typed fields, which are the keys of its cases, and defines in
    `training` how it trains.

    >>> from studies import Rule
    >>> class Halved(Rule):
    ...     factor: float = 0.5
    ...
    ...     def training(self, settings, threads): ...
    >>> Halved.own_keys()
    ('learning_rate', 'factor')
    >>> Halved(update="halved.py", learning_rate=2.0).given()
    Hyperparameters(learning_rate=2.0, weight_range=None)

    Attributes:
        update: the name of the rule, or the file or module from which it is loaded.
        learning_rate: the learning rate, or None if it is searched.
        digest: digest of the file of a user's rule, so that an edited rule makes new trials.
    """

    update: str
    learning_rate: LearningRate | None = Field(None, description="None: it is searched")
    digest: str | None = None

    without_effect: ClassVar[tuple[str, ...]] = ()
    """The settings of network and training at these dotted paths have no effect on a run."""

    rates: ClassVar[tuple[float, float] | None] = None
    """A search tries rates between these two; None means the range of spiking cases."""

    sees: ClassVar[str] = GIVEN_SPIKES
    """Describes, for the row, what the rule uses of recorded spikes."""

    one_thread: ClassVar[bool] = False
    """Says whether a second thread would change the numbers of a run."""

    convolutions: ClassVar[bool] = False
    """Says whether the rule trains convolutional layers."""

    exact_gradients: ClassVar[bool] = False
    """Says whether the rule is a float baseline, trained by exact gradients and without spikes."""

    @model_serializer(mode="wrap")
    def _without_an_empty_digest(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves the digest out of the stored settings of a shipped rule, which has none."""
        whole: dict[str, Any] = fields(self)
        return {key: value for key, value in whole.items() if (key, value) != ("digest", None)}

    @classmethod
    def own_keys(cls) -> tuple[str, ...]:
        """Returns the keys that a case with this rule may have besides those of every case."""
        return tuple(name for name in cls.model_fields if name not in ("update", "digest"))

    @classmethod
    def has_effect(cls, path: str) -> bool:
        """Says whether a setting, or a whole section of settings, can change a run."""
        below = [leaf for leaf, _ in leaves(SETTINGS) if f"{leaf}.".startswith(f"{path}.")]
        return not below or not set(below) <= set(cls.without_effect)

    @classmethod
    def reduced(
        cls, network: NetworkSpec, training: TrainingSpec
    ) -> tuple[NetworkSpec, TrainingSpec]:
        """Returns the settings, with defaults for those that have no effect.

        Sweeping a setting without an effect therefore makes no new trials.
        """
        if not cls.without_effect:
            return network, training
        both = {"network": network.model_dump(), "training": training.model_dump()}
        for path in cls.without_effect:
            both = with_value(both, path, value_at(SETTINGS, path))
        return (
            NetworkSpec.model_validate(both["network"]),
            TrainingSpec.model_validate(both["training"]),
        )

    @property
    def short_name(self) -> str:
        """Returns the name of the rule as rows and tables show it, without folders."""
        return Path(self.update).name if self.update.endswith(".py") else self.update

    @property
    def title(self) -> str:
        """Returns the label of a case that gives none."""
        return self.short_name.removesuffix(".py")

    def has(self, path: str) -> bool:
        """Says whether a path that starts with a key of a case names one of its settings."""
        return self.has_effect(path)

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        """Returns the rule completed with everything on which a run depends.

        Raises:
            InputError: the rule cannot train this network, or not with these settings.
        """
        if not self.convolutions:
            network.dense_layers(f"update: {self.short_name}")
        return self

    def given(self) -> Hyperparameters | None:
        """Returns the hyperparameters that the case gives, or None if they are searched.

        Raises:
            InputError: only one of two hyperparameters is given.
        """
        rate = self.learning_rate
        return None if rate is None else Hyperparameters(learning_rate=rate)

    def tuned(self, chosen: Hyperparameters) -> Self:
        """Returns the rule with these hyperparameters, ready for training."""
        return self.model_copy(update={"learning_rate": chosen.learning_rate})

    def of_seed(self, seed: int) -> Self:
        """Returns the rule for the trial with this seed."""
        return self

    def decisive(self) -> dict[str, Any]:
        """Returns the settings that can change a result, for the identity of a trial."""
        whole = self.model_dump(mode="json")
        if self.learning_rate is None:
            del whole["learning_rate"]
        return whole | {"update": self.short_name}

    def is_replayable(self) -> bool:
        """Says whether the run repeats bit for bit."""
        return True

    def columns(self) -> dict[str, Any]:
        """Returns the columns of a row that only this rule fills."""
        return {}

    @abstractmethod
    def training(self, settings: RunSettings, threads: int) -> Train:
        """Returns the function that trains a network with these settings.

        Args:
            threads: threads that the training may use; its numbers must not depend on them.
        """

    def rate(self) -> float:
        """Returns the learning rate, which is known once the rule has its hyperparameters.

        Raises:
            ValueError: the learning rate is still to be searched.
        """
        if self.learning_rate is None:
            raise ValueError(f"the learning rate of {self.update} is not known yet")
        return self.learning_rate

    def rest(self, trained: Any) -> None:
        """Lets the time between training and test pass, if the rule has such a time."""


def changed(part: Spec) -> dict[str, Any]:
    """Returns the settings of a section that are not at their defaults."""
    return part.model_dump(mode="json", exclude_defaults=True)


DEEPEST_UNCLOCKED = 2
"""Up to this many hidden layers stay trained without winner-take-all output, with a long flush."""


class NumbersRule(Rule):
    """A rule of numbers has no slots; one thread keeps the order in which torch adds up."""

    without_effect: ClassVar[tuple[str, ...]] = WITHOUT_SLOTS
    sees: ClassVar[str] = "spike counts: timing is not seen"
    one_thread: ClassVar[bool] = True

    def of_numbers(self, settings: RunSettings) -> dict[str, Any]:
        """Returns the settings that a network without slots uses, except for its layers."""
        read = {"epochs", "batch", "dropout_input", "dropout_hidden"}
        return {
            "learning_rate": self.rate(),
            "contrast": settings.network.encoding.contrast,
            "initial_scale": settings.network.initial_scale,
            **settings.training.model_dump(include=read),
        }


class SpikingRule(Rule):
    """Trains a spiking network, which can be exported."""


class SsnnBpRule(SpikingRule):
    """Trains by SSNN-BP, whose rules differ only in the synapses."""

    convolutions: ClassVar[bool] = True

    @abstractmethod
    def synapses(self) -> SynapsesFactory:
        """Returns the function that makes the synapses of each crossbar."""

    def prepared(self, network: NetworkSpec, training: TrainingSpec) -> Self:
        """Refuses three or more hidden layers without the clocked output, as training collapses."""
        layers = layer_names(network.hidden_layers)
        if len(layers) > DEEPEST_UNCLOCKED and not network.inhibition.clocked:
            allowed = (
                f"must be at most {DEEPEST_UNCLOCKED} layers without inhibition: {{clocked: true}}"
                ", as the training of more collapses (docs/findings/algorithm.md, Depth)"
            )
            if network.layers is None:
                raise InputError("study", "network.hidden", list(network.hidden), allowed)
            raise InputError("study", "network.layers", list(layers), allowed)
        return super().prepared(network, training)

    def training(self, settings: RunSettings, threads: int) -> Train:
        network, training, seed = settings.network, settings.training, settings.seed
        return partial(train, network, training, self.synapses(), seed=seed, threads=threads)
