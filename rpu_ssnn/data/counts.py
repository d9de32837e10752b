"""How many images a data set has, by its files' headers alone: before anything is started."""

from pathlib import Path

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.data import idx
from rpu_ssnn.data.sources import IDX_SETS, locate

DIGITS_COUNTS = (1438, 359)
"""Training and test images of scikit-learn's digits, whose import takes longer than this may."""


def image_counts(name: str, root: Path | None) -> tuple[int, int]:
    """Training and test images of a data set.

    Args:
        name: one of ``DATASET_NAMES``.
        root: the folder with the idx files; None takes the environment variable RPU_SSNN_DATA.

    Raises:
        MissingDataError: the files are not there, or no folder was named.
        InputError: no such data set, or a header is damaged.
    """
    if name == "digits":
        return DIGITS_COUNTS
    if name not in IDX_SETS:
        raise InputError("image_counts", "name", name, one_of(("digits", *IDX_SETS), name))
    train_images, _, test_images, _ = locate(name, root)
    train, test = idx.count_images(train_images), idx.count_images(test_images)
    resplit = IDX_SETS[name].resplit
    # Too few to draw that split from is said by the reading of the files.
    return resplit if resplit is not None and sum(resplit) <= train + test else (train, test)
