"""From a trial's method to a trained network; `run_trial` makes the row of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from studies.declaration.trial import (
    AnnMethod,
    BpStdpMethod,
    ConversionMethod,
    PulseMethod,
    RateMethod,
    Trial,
)
from studies.workers.workspace import TrialSession

if TYPE_CHECKING:
    from rpu_ssnn.baselines.ann import AnnSpec, TrainedAnn
    from rpu_ssnn.data import Dataset
    from rpu_ssnn.synapses import SynapsesFactory
    from rpu_ssnn.training import Trained
    from rpu_ssnn.training_state import EpochRow, TrainingState


def trained_network(
    trial: Trial, data: "Dataset", threads: int, session: TrialSession
) -> "Trained":
    """A spiking network, from the trial's checkpoint where there is one.

    The peers leave no checkpoints: a conversion learns in float, and BP-STDP is short.
    """
    from rpu_ssnn.training import train

    settings = trial.settings
    method, network, training = settings.method, settings.network, settings.training
    if isinstance(method, BpStdpMethod):
        from rpu_ssnn.baselines.bp_stdp import train_bp_stdp

        return train_bp_stdp(network, training, method.learning_rate, data, seed=settings.seed)
    if isinstance(method, ConversionMethod):
        from rpu_ssnn.baselines.conversion import train_and_convert

        return train_and_convert(
            network, ann_spec(trial), data, seed=settings.seed, percentile=method.percentile
        )

    def on_epoch(row: "EpochRow", state: "Callable[[], TrainingState]") -> bool:
        return session.end_epoch(row.epoch + 1, 100 * row.validation_accuracy, state)

    def run(start: "TrainingState | None") -> "Trained":
        return train(
            network,
            training,
            synapses_factory(trial),
            data,
            seed=settings.seed,
            threads=threads,
            start=start,
            on_epoch=on_epoch,
        )

    return _going_on(session, run)


def trained_ann(trial: Trial, data: "Dataset", session: TrialSession) -> "TrainedAnn":
    """The float baseline, from the trial's checkpoint where there is one."""
    from rpu_ssnn.baselines.ann import TrainedAnn, train_ann

    settings, spec = trial.settings, ann_spec(trial)

    def on_epoch(trained: TrainedAnn, state: "Callable[[], TrainingState]") -> bool:
        watched = trained.accuracy(data.validation_images, data.validation_labels)
        at_the_end = state()
        return session.end_epoch(at_the_end.epochs, 100 * watched, lambda: at_the_end)

    def run(start: "TrainingState | None") -> TrainedAnn:
        hidden = settings.network.hidden
        return train_ann(spec, hidden, data, seed=settings.seed, start=start, on_epoch=on_epoch)

    return _going_on(session, run)


def ann_spec(trial: Trial) -> "AnnSpec":
    """How the trial's float network is trained."""
    from rpu_ssnn.baselines.ann import AnnSpec

    method, training = trial.settings.method, trial.settings.training
    assert isinstance(method, AnnMethod | ConversionMethod)
    return AnnSpec(
        loss=method.sgd.loss,
        momentum=method.sgd.momentum,
        learning_rate=method.learning_rate,
        epochs=training.epochs,
        batch=training.batch,
        dropout_input=training.dropout_input,
        dropout_hidden=training.dropout_hidden,
        contrast=trial.settings.network.encoding.contrast,
    )


def synapses_factory(trial: Trial) -> "SynapsesFactory":
    """What makes the trial's synapses."""
    from rpu_ssnn import synapses

    method = trial.settings.method
    if isinstance(method, PulseMethod):
        from device_presets import get_device
        from rpu_ssnn.synapses.native.synapses import native_synapses
        from rpu_ssnn.synapses.tile import tile_synapses

        device = get_device(method.device, method.overrides)
        make = native_synapses if method.tile.simulator == "native" else tile_synapses
        return make(device, method.tile, method.learning_rate)
    if isinstance(method, RateMethod):
        return synapses.rate_synapses(method.learning_rate, method.surrogate)
    return synapses.coincidence_synapses(method.learning_rate)


def load_images(trial: Trial, data_root: Path | None) -> "Dataset":
    """The trial's images.

    Raises:
        InputError: they are not there, are damaged, or are fewer than asked for.
    """
    from rpu_ssnn.data import load_dataset

    dataset = trial.settings.dataset
    return load_dataset(
        dataset.name,
        data_root,
        n_train=dataset.n_train,
        n_test=dataset.n_test,
        validation_share=dataset.validation_share,
        seed=trial.settings.seed,
        own=dataset.own,
        time=dataset.time,
    )


def _going_on[T](session: TrialSession, run: "Callable[[TrainingState | None], T]") -> T:
    """The run from the trial's checkpoint; from the start where that is of other code."""
    from rpu_ssnn.training_state import StateError

    start = session.resume()
    try:
        return run(start)
    except StateError as error:
        session.set_aside(f"is of other code ({error})")
    return run(None)
