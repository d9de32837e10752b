"""Loads the images of a trial."""

from pathlib import Path
from typing import TYPE_CHECKING

from studies.declaration.trial import Trial

if TYPE_CHECKING:
    from rpu_ssnn.data import Dataset


def load_images(trial: Trial, data_root: Path | None) -> "Dataset":
    """The trial's images.

    Raises:
        InputError: images are missing, damaged, or fewer than the trial needs.
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
