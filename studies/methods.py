"""From a unit's method to a trained network; `run_unit` makes the row of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from studies.desk import Course
from studies.unit import (
    AnnMethod,
    BpStdpMethod,
    ConversionMethod,
    PulseMethod,
    RateMethod,
    Unit,
)

if TYPE_CHECKING:
    from rpu_ssnn.ann import AnnSpec, TrainedAnn
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.synapses import SynapsesFactory
    from rpu_ssnn.training import Trained
    from rpu_ssnn.training_state import EpochRow, TrainingState


def trained_network(unit: Unit, data: "Dataset", threads: int, course: Course) -> "Trained":
    """A spiking network, from the unit's checkpoint where there is one.

    The peers leave no checkpoints: a conversion learns in float, and BP-STDP is short.
    """
    from rpu_ssnn.training import train

    settings = unit.settings
    method, network, training = settings.method, settings.network, settings.training
    if isinstance(method, BpStdpMethod):
        from rpu_ssnn.peers.bp_stdp import train_bp_stdp

        return train_bp_stdp(network, training, method.learning_rate, data, seed=settings.seed)
    if isinstance(method, ConversionMethod):
        from rpu_ssnn.peers.conversion import train_and_convert

        return train_and_convert(
            network, ann_spec(unit), data, seed=settings.seed, percentile=method.percentile
        )

    def on_epoch(row: "EpochRow", state: "Callable[[], TrainingState]") -> bool:
        return course.epoch_over(row.epoch + 1, 100 * row.validation_accuracy, state)

    def run(start: "TrainingState | None") -> "Trained":
        return train(
            network,
            training,
            synapses_factory(unit),
            data,
            seed=settings.seed,
            threads=threads,
            start=start,
            on_epoch=on_epoch,
        )

    return _going_on(course, run)


def trained_ann(unit: Unit, data: "Dataset", course: Course) -> "TrainedAnn":
    """The float baseline, from the unit's checkpoint where there is one."""
    from rpu_ssnn.ann import TrainedAnn, train_ann

    settings, spec = unit.settings, ann_spec(unit)

    def on_epoch(trained: TrainedAnn, state: "Callable[[], TrainingState]") -> bool:
        watched = trained.accuracy(data.validation_images, data.validation_labels)
        at_the_end = state()
        return course.epoch_over(at_the_end.epochs, 100 * watched, lambda: at_the_end)

    def run(start: "TrainingState | None") -> TrainedAnn:
        hidden = settings.network.hidden
        return train_ann(spec, hidden, data, seed=settings.seed, start=start, on_epoch=on_epoch)

    return _going_on(course, run)


def ann_spec(unit: Unit) -> "AnnSpec":
    """How the unit's float network is trained."""
    from rpu_ssnn.ann import AnnSpec

    method, training = unit.settings.method, unit.settings.training
    assert isinstance(method, AnnMethod | ConversionMethod)
    return AnnSpec(
        loss=method.sgd.loss,
        momentum=method.sgd.momentum,
        learning_rate=method.learning_rate,
        epochs=training.epochs,
        batch=training.batch,
        dropout_input=training.dropout_input,
        dropout_hidden=training.dropout_hidden,
    )


def synapses_factory(unit: Unit) -> "SynapsesFactory":
    """What makes the unit's synapses."""
    from rpu_ssnn import synapses

    method = unit.settings.method
    if isinstance(method, PulseMethod):
        from device_presets import get_device
        from rpu_ssnn.synapses.reference import reference_synapses
        from rpu_ssnn.synapses.tile import tile_synapses

        device = get_device(method.device, method.overrides)
        if method.tile.simulator == "reference":
            return reference_synapses(device, method.tile, method.learning_rate)
        return tile_synapses(device, method.tile, method.learning_rate)
    if isinstance(method, RateMethod):
        return synapses.rate_synapses(method.learning_rate, method.surrogate)
    return synapses.coincidence_synapses(method.learning_rate)


def load_images(unit: Unit, data_root: Path | None) -> "Dataset":
    """The unit's images.

    Raises:
        InputError: they are not there, are damaged, or are fewer than asked for.
    """
    from rpu_ssnn.data import load_dataset

    dataset = unit.settings.dataset
    return load_dataset(
        dataset.name,
        data_root,
        n_train=dataset.n_train,
        n_test=dataset.n_test,
        validation_share=dataset.validation_share,
        seed=unit.settings.seed,
    )


def _going_on[T](course: Course, run: "Callable[[TrainingState | None], T]") -> T:
    """The run from the unit's checkpoint; from the start where that is of other code."""
    from rpu_ssnn.training_state import StateError

    start = course.take_up()
    try:
        return run(start)
    except StateError as error:
        course.set_aside(f"is of other code ({error})")
    return run(None)
