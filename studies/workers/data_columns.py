"""Columns of a row for data that are not a standard set of images."""

from typing import TYPE_CHECKING, Any

from studies.declaration.trial import Trial

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset


def data_columns(trial: Trial, data: "Dataset") -> dict[str, Any]:
    """Columns about the data; empty for images of a standard set.

    For data of the user: file, digest, split and scale. For recorded spikes: what the case uses of
    them, and the share of spikes after T.
    """
    from rpu_ssnn.data.user_data import file_digest
    from rpu_ssnn.spike_trains import SpikeTrains

    dataset, own = trial.settings.dataset, trial.settings.dataset.own
    columns: dict[str, Any] = {}
    if own is not None:
        columns = {
            "data_file": own.file.name,
            "file_digest": file_digest(own),
            "data_split": _split_of(trial),
            "data_range": None if own.spikes else _range_of(trial),
        }
    if own is not None or isinstance(data.train_images, SpikeTrains):
        columns["data_shape"] = "x".join(map(str, data.shape))
    if isinstance(data.train_images, SpikeTrains):
        columns |= {
            "input": trial.settings.method.sees,
            "time": dataset.time,
            "bin": own.spikes.bin if own is not None and own.spikes is not None else None,
            "spikes_after_T": data.train_images.share_from(trial.settings.network.T),
        }
    return columns


def _split_of(trial: Trial) -> str:
    dataset = trial.settings.dataset
    if dataset.test_share is None:
        return f"test file {dataset.test_file.name}" if dataset.test_file else "as the file has it"
    return f"stratified, test_share {dataset.test_share:g}, seed {dataset.split_seed}"


def _range_of(trial: Trial) -> str:
    rule = trial.settings.dataset.range
    if isinstance(rule, str):
        return "of the training rows" + (", each column" if rule == "each" else "")
    return f"{rule[0]:g} to {rule[1]:g}"
