"""``load_dataset``: the training, validation and test images that one trial of a study uses."""

from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.common.errors import InputError, one_of, require, require_kind, require_whole
from rpu_ssnn.common.files import user_path
from rpu_ssnn.data.digest import digest_of
from rpu_ssnn.data.named import NAMED_SETS
from rpu_ssnn.data.rows import Rows, SetFacts, Source, grid_of
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.data.split import hold_out
from rpu_ssnn.data.user_data import read_own
from rpu_ssnn.data.user_data.scaling import scale_of, shares
from rpu_ssnn.data_spec import OwnData, Time
from rpu_ssnn.spec import Grid

DATASET_NAMES = tuple(NAMED_SETS)

type Places = Int64[np.ndarray, " chosen"]
"""The places of the rows that are chosen."""

SHUFFLE_SEED = 20170
"""The seed of the order of slots where time is shuffled, the same for every study."""

TESTED_SEED = 20170
"""The seed that chooses test rows from files that may be sorted by class."""

MAX_VALIDATION_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Dataset:
    """Holds images, flattened row by row, with pixel rates of image / ``grey_max``; or recordings.

    Attributes:
        class_names: the names of the labels 0, 1 and so on.
        grey_max: the grey level of full rate, which is 16 (digits) or 255, or 1 where images are
            shares. For recordings it is the largest count of a line in a training recording.
        shape: the shape of one image or recording, with the channels of an image last; it is empty
            where only the number of pixels is known.
        copy: which files were read, if the set comes in several versions; otherwise empty.
        zero: the share to which the file's value 0 is scaled, for all columns or for each, or None
            where nothing is scaled; it is outside [0, 1] where all values have one sign.
        cut: the share of the spikes of training recordings that come after the slots that are kept.
        digest: 16 hexadecimal digits of the SHA-256 over all images and labels, their order and
            their split: equal digests mean identical data.

    Raises:
        InputError: a part has not one label for each image.
    """

    name: str
    train_images: Rows
    train_labels: Int64[np.ndarray, " train"]
    validation_images: Rows
    validation_labels: Int64[np.ndarray, " validation"]
    test_images: Rows
    test_labels: Int64[np.ndarray, " test"]
    class_names: tuple[str, ...]
    grey_max: int
    digest: str
    shape: tuple[int, ...] = ()
    zero: Float32[np.ndarray, " columns_or_1"] | None = None
    copy: str = ""
    cut: float = 0.0

    def __post_init__(self) -> None:
        for part in ("train", "validation", "test"):
            images, labels = (len(getattr(self, f"{part}_{kind}")) for kind in ("images", "labels"))
            allowed = f"must be {images}, one for each image"
            require(images == labels, self.name, f"number of {part}_labels", labels, allowed)

    @property
    def n_classes(self) -> int:
        """Returns the number of classes; labels run from 0 to one below it."""
        return len(self.class_names)

    @property
    def image_shape(self) -> Grid | None:
        """Returns rows, columns and channels (last) of an image, or None if samples are not
        images."""
        return grid_of(self.shape, isinstance(self.train_images, SpikeTrains))


def load_dataset(
    name: str,
    root: Path | str | None = None,
    *,
    n_train: int | None = None,
    n_test: int | None = None,
    validation_share: float,
    seed: int,
    own: OwnData | None = None,
    time: Time = "kept",
    slots: int | None = None,
) -> Dataset:
    """Loads a data set and holds a stratified validation split out of its training images.

    The training images are put in an order drawn from ``seed``, and training *and* validation share
    the first ``n_train`` of them: ``round(validation_share * n_train)`` of these are held out, the
    rest train. The test images are the first ``n_test`` of the test file, whatever the seed; no
    choice may depend on them. Where files may be sorted by class (user-defined data,
    `japanese_vowels`), they are ``n_test`` of the file with the same share of each class.

    Args:
        name: one of ``DATASET_NAMES``; another name for user-defined data.
        root: the folder with the files; None uses the environment variable RPU_SSNN_DATA.
            ``digits`` comes with scikit-learn and needs neither, nor do the generated sets.
        n_train: how many training images to draw from, None for all.
        n_test: how many test images to use, None for all.
        validation_share: the part of the drawn images to hold out, 0 (none) to 0.5.
        seed: draws the training images, their order and the split; not negative.
        own: the user's data files.
        time: whether recordings keep the order of their slots; `shuffled` puts the slots of each in
            random order (a control).
        slots: how many slots of a recording are kept, so that its counts, too, are of what a
            network is shown; None keeps all.

    Raises:
        InputError: an argument is out of its range, or a file is missing, damaged or does not fit.

    >>> data = load_dataset("digits", n_train=100, n_test=50, validation_share=0.1, seed=0)
    >>> data.train_images.shape, data.validation_images.shape, data.n_classes
    ((90, 64), (10, 64), 10)
    """
    is_share = _is(validation_share, Real) and 0 <= validation_share <= MAX_VALIDATION_SHARE
    allowed = f"must be a number from 0 to {MAX_VALIDATION_SHARE}"
    require(is_share, name, "validation_share", validation_share, allowed)
    require_whole(name, "seed", seed, 0)
    source = _in_time(name, _shown(_whole(name, root, own), slots), time)
    _check_count(name, "n_train", n_train, len(source.train_images))
    _check_count(name, "n_test", n_test, len(source.test_images))

    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(source.train_images))[:n_train]
    kept, held = hold_out(source.train_labels[drawn], validation_share, rng)
    allowed = f"must be 0, or hold out at least one of {len(drawn)} samples (raise it or n_train)"
    enough = validation_share == 0 or held.size > 0
    require(enough, name, "validation_share", validation_share, allowed)
    return _assemble(name, source, drawn[kept], drawn[held], _tested(source, n_test))


def set_facts(name: str, root: Path | str | None, own: OwnData | None = None) -> SetFacts:
    """Returns the facts of a data set, which is read for this, before anything is started.

    Args:
        name, root, own: as in `load_dataset`.

    Raises:
        MissingDataError: the files are not there, or no folder was named.
        InputError: there is no such data set, or a file is damaged.
    """
    return _whole(name, root, own).facts


def _whole(name: str, root: Path | str | None, own: OwnData | None) -> Source:
    """Returns a whole data set, as its files hold it."""
    if own is not None:
        allowed = "must be a name that no standard set has, as the data are your own"
        require(name not in NAMED_SETS, "load_dataset", "name", name, allowed)
        require_kind("load_dataset", "own", own, OwnData)
        return read_own(own)
    known = isinstance(name, str) and name in NAMED_SETS
    require(known, "load_dataset", "name", name, one_of(NAMED_SETS, name))
    return NAMED_SETS[name](None if root is None else user_path("load_dataset", "root", root))


def _tested(source: Source, n_test: int | None) -> slice | Places:
    """Returns the rows of the test file that are used, the same for every study and seed."""
    if n_test is None or source.mixed:
        return slice(n_test)
    share = n_test / len(source.test_labels)
    _, tested = hold_out(source.test_labels, share, np.random.default_rng(TESTED_SEED))
    return tested


def _shown(source: Source, slots: int | None) -> Source:
    """Returns recordings up to this slot."""
    train, test = source.train_images, source.test_images
    if slots is None or not isinstance(train, SpikeTrains) or not isinstance(test, SpikeTrains):
        return source
    shown, tested = train.first_slots(slots), test.first_slots(slots)
    peak, cut = max(1, int(shown.most_a_line())), train.share_from(slots)
    return replace(source, train_images=shown, test_images=tested, grey_max=peak, cut=cut)


def _in_time(name: str, source: Source, time: Time) -> Source:
    if time == "kept":
        return source
    orders, train, test = get_args(Time), source.train_images, source.test_images
    require(time in orders, name, "time", time, one_of(orders, time))
    if not (isinstance(train, SpikeTrains) and isinstance(test, SpikeTrains)):
        allowed = "must be left out, since these data are not recordings of spikes"
        raise InputError(name, "time", time, allowed)
    rng = np.random.default_rng(SHUFFLE_SEED)
    return replace(
        source, train_images=train.time_shuffled(rng), test_images=test.time_shuffled(rng)
    )


def _assemble(
    name: str, source: Source, train: Places, validation: Places, tested: slice | Places
) -> Dataset:
    rows, labels, zero = source.train_images, source.train_labels, None
    images: list[Rows] = [rows[train], rows[validation], source.test_images[tested]]
    if source.scale is not None:
        assert not isinstance(rows, SpikeTrains)
        scale = scale_of(rows, train, source.scale)
        images, zero = [shares(np.asarray(part), scale) for part in images], scale.zero
    parts = (
        images[0], labels[train], images[1], labels[validation], images[2],
        source.test_labels[tested],
    )  # fmt: skip
    return Dataset(
        name, *parts, source.class_names, source.grey_max, digest_of(*parts), source.shape, zero,
        source.copy, source.cut,
    )  # fmt: skip


def _check_count(name: str, field: str, count: int | None, there: int) -> None:
    """Refuses a number of images below 1, or above what there is; None stands for all."""
    if count is not None:
        allowed = f"must be a whole number from 1 to {there}, the number of samples, or left out"
        require(_is(count, Integral) and 1 <= count <= there, name, field, count, allowed)


def _is(value: object, kind: type) -> bool:
    """Returns whether a number, possibly numpy's, is of a kind, since scripts are not type-checked;
    True is no number."""
    return isinstance(value, kind) and not isinstance(value, bool)
