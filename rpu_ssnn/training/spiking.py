"""Training and inference of a network on a data set."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int32

from rpu_ssnn.common.errors import require, require_kind, require_whole
from rpu_ssnn.common.training_state import EpochRow, State, TrainingState
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.rows import Labels, Rows
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.network import Input, Network
from rpu_ssnn.network.events import event_statistics, events_of
from rpu_ssnn.network.inputs import InputLines, input_lines
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses.base import SynapsesFactory
from rpu_ssnn.training.loop import Learner, OnEpoch, check_finite, merge_statistics, train_epochs

INFERENCE_CHUNK = 1000
"""One call infers at most this many images, which bounds the memory and does not change results."""


@dataclass
class Trained(Learner):
    """Holds a trained network with its statistics, for inference; `train` has an example."""

    network: Network
    inputs: InputLines
    seed: np.random.SeedSequence
    epochs: list[EpochRow] = field(default_factory=list)
    last_images: int = 0

    def __post_init__(self) -> None:
        self.last_events = np.zeros_like(self.network.events)

    def close(self) -> None:
        self.network.__exit__()

    def classes(self, images: Rows) -> Labels:
        return self.output_counts(images).argmax(axis=1)

    def output_counts(self, images: Rows) -> Int32[np.ndarray, "n n_out"]:
        """Returns the output spikes of each image, of which there must be at least one.

        The random spikes of an image depend on its position among the images. The same images in
        the same order give the same counts, except for the noise of reads, new in each call.
        """
        rng = np.random.default_rng(self.seed)
        counts, self.last_events[:], self.last_images = [], 0, len(images)
        for first in range(0, len(images), INFERENCE_CHUNK):
            shown = self.network.infer(self.rates(images[first : first + INFERENCE_CHUNK]), rng)
            counts.append(shown.output_counts)
            self.last_events += events_of(shown)
        return np.concatenate(counts)

    def rest(self, seconds: float) -> None:
        """Lets time (s) pass, in which devices lose charge; later reads see the loss."""
        for synapses in self.network.synapses:
            synapses.rest(seconds)

    def train_epoch(
        self, images: Rows, labels: Labels, rng: np.random.Generator, epoch: int
    ) -> EpochRow:
        network, batch = self.network, self.network.training.batch
        for synapses in network.synapses:
            synapses.set_step_scale(network.training.step_scale(epoch))
        order = rng.permutation(len(labels))
        right, n = 0, max(len(order), 1)
        spikes = np.zeros(len(network.sizes) + network.spec.inhibition.passes)
        gradient = np.zeros_like(spikes)
        for first in range(0, len(order), batch):
            chosen = order[first : first + batch]
            shown = network.train_batch(self.rates(images[chosen]), labels[chosen], rng)
            right += int((shown.output_counts.argmax(axis=1) == labels[chosen]).sum())
            spikes += shown.spikes.sum(axis=0)
            gradient += shown.gradient_spikes.sum(axis=0)
        check_finite((synapses.linear_read() for synapses in network.synapses), epoch)
        lines = (*network.sizes, *(network.sizes[-1],) * network.spec.inhibition.passes)
        return EpochRow(
            epoch=epoch,
            train_accuracy=right / n,
            rates=tuple(spikes / n / network.spec.slots / lines),
            forward_spikes=tuple(spikes / n),
            gradient_spikes=tuple(gradient[1 : len(network.sizes)] / n),
        )

    def state(self) -> State:
        return self.network.state()

    def restore(self, state: State) -> None:
        self.network.restore(state)

    def statistics(self) -> dict[str, float]:
        """Returns statistics of the synapses and events for the result row, over all crossbars."""
        network = self.network
        events = zip(network.connections, network.events, self.last_events, strict=True)
        crossbars = zip(network.synapses, events, strict=True)
        parts = [each.statistics() | event_statistics(*counts) for each, counts in crossbars]
        return merge_statistics(parts) | {"inference_images": float(self.last_images)}

    def rates(self, images: Rows) -> Input:
        """Returns the average spikes per slot of each input line; recorded spikes are returned
        unchanged."""
        if isinstance(images, SpikeTrains):
            return images
        return self.inputs.shares(images) * np.float32(self.network.spec.encoding.input_rate)


def train(
    spec: NetworkSpec,
    training: TrainingSpec,
    factory: SynapsesFactory,
    data: Dataset,
    *,
    seed: int,
    threads: int = 1,
    start: TrainingState | None = None,
    on_epoch: OnEpoch | None = None,
) -> Trained:
    """Trains a network on the training images, and measures validation images after each epoch.

    Args:
        seed: determines everything random (except aihwkit's cycle-to-cycle noise, which cannot be
            seeded).
        threads: the number of threads of the simulation, which changes the time but no result.
        start: state of an earlier call with the same arguments; the result is then equal to that
            without interruption (to the bit, except for aihwkit's noise).
        on_epoch: called after each epoch (`rpu_ssnn.training.loop.OnEpoch`).

    Raises:
        InputError: an argument is of another kind, or convolutions do not fit the images.
        StateError: `start` belongs to another network.
        FloatingPointError: weights are no longer finite after an epoch.

    >>> from rpu_ssnn import NetworkSpec, TrainingSpec, coincidence_synapses, load_dataset, train
    >>> data = load_dataset("digits", n_train=200, n_test=50, validation_share=0.1, seed=0)
    >>> network, training = NetworkSpec(hidden=(16,), T=20), TrainingSpec(epochs=2)
    >>> with train(network, training, coincidence_synapses(4.0), data, seed=0) as trained:
    ...     counts = trained.output_counts(data.test_images)
    >>> len(trained.epochs), counts.shape
    (2, (50, 10))
    """
    require_kind("train", "spec", spec, NetworkSpec)
    require_kind("train", "training", training, TrainingSpec)
    require_kind("train", "data", data, Dataset, ", which load_dataset returns")
    if start is not None:
        require_kind("train", "start", start, TrainingState)
    require_whole("train", "seed", seed, 0)
    allowed = "must make synapses, as what device_synapses or coincidence_synapses returns"
    require(callable(factory), "train", "factory", factory, allowed)
    weight_seed, order_seed, test_seed = np.random.SeedSequence(seed).spawn(3)
    inputs = input_lines(spec.encoding.contrast, data, spec.hidden_layers)
    connections = connect(spec.hidden_layers, inputs.lines, data.n_classes, inputs.image)
    network = Network(spec, training, connections, factory, weight_seed, threads)
    trained = Trained(network, inputs, test_seed)
    rng = np.random.default_rng(order_seed)
    return train_epochs(trained, training.epochs, data, rng, start, on_epoch)
