"""How many images a data set has, by its files' headers alone: before anything is started."""

from pathlib import Path

from rpu_ssnn.common.errors import InputError, one_of
from rpu_ssnn.data import idx
from rpu_ssnn.data.dataset import DATASET_NAMES
from rpu_ssnn.data.joined import JOINED_SETS, PAIRED_SETS
from rpu_ssnn.data.sources import IDX_SETS, locate
from rpu_ssnn.data.time_series import VOWELS_COUNTS
from rpu_ssnn.data.user_data import own_counts
from rpu_ssnn.data.yin_yang import COUNTS as YIN_YANG_COUNTS
from rpu_ssnn.data_spec import OwnData

KNOWN_COUNTS = {
    # scikit-learn's import takes longer than this may.
    "digits": (1438, 359),
    "japanese_vowels": VOWELS_COUNTS,
    "yin_yang": YIN_YANG_COUNTS,
    "yin_yang_latency": YIN_YANG_COUNTS,
}
"""Training and test images of the sets that no file has to be asked about."""


def image_counts(name: str, root: Path | None, own: OwnData | None = None) -> tuple[int, int]:
    """Training and test images of a data set.

    Args:
        name: one of ``DATASET_NAMES``.
        root: the folder with the idx files; None takes the environment variable RPU_SSNN_DATA.
        own: the user's own files, which are then read whole and checked.

    Raises:
        MissingDataError: the files are not there, or no folder was named.
        InputError: no such data set, or a header is damaged.
    """
    if own is not None:
        return own_counts(own)
    if name in KNOWN_COUNTS:
        return KNOWN_COUNTS[name]
    if name in JOINED_SETS:
        parts = [image_counts(part, root) for part in JOINED_SETS[name]]
        return sum(train for train, _ in parts), sum(test for _, test in parts)
    if name in PAIRED_SETS:
        return image_counts(PAIRED_SETS[name], root)
    if name not in IDX_SETS:
        raise InputError("image_counts", "name", name, one_of(DATASET_NAMES, name))
    train_images, _, test_images, _ = locate(name, root)
    train, test = idx.count_images(train_images), idx.count_images(test_images)
    resplit = IDX_SETS[name].resplit
    # Too few to draw that split from is said by the reading of the files.
    return resplit if resplit is not None and sum(resplit) <= train + test else (train, test)
