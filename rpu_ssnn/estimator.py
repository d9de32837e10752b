"""`SpikingClassifier`: SSNN-BP, in float weights or in devices, as a scikit-learn classifier."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state, check_X_y
from sklearn.utils.validation import check_is_fitted, validate_data

from rpu_ssnn.common.errors import Fault, InputError, nearest, one_of, require
from rpu_ssnn.common.files import refusing
from rpu_ssnn.common.training_state import EpochRow, StateError
from rpu_ssnn.common.validation import UNKNOWN_KEY, validated
from rpu_ssnn.data import Dataset
from rpu_ssnn.data.digest import digest_of
from rpu_ssnn.data.user_data.scaling import Scale, scale_of, shares
from rpu_ssnn.devices.device_source import find_device
from rpu_ssnn.estimator_input import WHERE, OwnSettings, labels_of, numbers_of
from rpu_ssnn.spec import NetworkSpec, Spec, TrainingSpec
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import SynapsesFactory
from rpu_ssnn.synapses.float_weights import FLOAT_WEIGHTS
from rpu_ssnn.training import Trained, train
from rpu_ssnn.training.loop import timed_epoch

FREE = ("epochs", "threads", "verbose")
"""The parameters that may change between two calls of `partial_fit`; they change no step."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "encoding": {"contrast": "on_off"},
    "inhibition": {"clocked": True},
}
"""What the classifier takes where `network` says nothing else. A rate has no sign, so data with few
columns need two lines each."""


class SpikingClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A spiking network trained by spikes alone (SSNN-BP; Biswas, Saraswat, Ganguly).

    Values become rates between the lowest and highest value of the training rows. `score` and
    `predict` show every row for T slots. Only pulses of the update change devices.

    Args:
        hidden: the number of neurons of each hidden layer, or of the only one.
        T: the number of slots that a row is shown.
        network: further settings of the network, as in that section of a study (`NetworkSpec`). By
            default contrast is `on_off`, and the output is clocked. With `layers`, which takes the
            place of `hidden`, values are images [n, rows, columns] or [n, rows, columns, channels].
        synapses: `rate` (float weights, Eq. 9), `coincidence` (float weights, Eq. 10), the name of
            a device preset, or an aihwkit device configuration.
        epochs: the number of passes over the training rows; the step falls linearly.
        batch: the number of presentations in a batch; `fit` takes at most all rows.
        learning_rate: the equivalent rate of `rpu_ssnn.synapses`.
        tile: settings of the devices, as in that section of a study (`TileSpec`), but with a
            weight range of 4 by default. Only the simulator `native` repeats bit for bit.
        scale: `training` takes one range of values for all columns, `each` one for each column.
        random_state: the seed of weights, spikes and devices; aihwkit's cycle-to-cycle noise cannot
            be seeded.
        threads: the number of threads, which changes the time and not the results.
        verbose: whether a line is printed after each epoch.

    Attributes:
        classes_: the labels, sorted.
        n_features_in_: the number of columns.
        epochs_: one `EpochRow` for each epoch.
        trained_: the network (`rpu_ssnn.training.Trained`).

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SpikingClassifier(hidden=16, epochs=5, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.5)
    True
    """

    classes_: np.ndarray
    trained_: Trained

    def __init__(
        self,
        hidden: int | tuple[int, ...] = (64,),
        T: int = 50,
        *,
        network: Mapping[str, Any] | None = None,
        synapses: Any = "coincidence",
        tile: Mapping[str, Any] | None = None,
        epochs: int = 20,
        batch: int = 20,
        learning_rate: float = 4.0,
        scale: Literal["training", "each"] = "each",
        random_state: int | np.random.RandomState | None = None,
        threads: int = 1,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.T = T
        self.network = network
        self.synapses = synapses
        self.tile = tile
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.scale = scale
        self.random_state = random_state
        self.threads = threads
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Trains from scratch; after a call that fails, the classifier is not fitted.

        Args:
            X: the values [n, columns], or images where `layers` are given.
            y: the label of each row.

        Raises:
            ValueError: values are not numbers, rows and labels differ in number, or there is only
                one class.
            InputError: a parameter is out of its range, a device is unknown, or convolutions do not
                fit the values.
        """
        if self.__sklearn_is_fitted__():
            self.trained_.close()
            del self.trained_
        values, labels = self._checked(X, y, reset=True)
        self._begin(values, np.unique(labels), most=len(values))
        self.trained_ = self._train(self._dataset(values, labels), self.epochs)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Trains one more epoch over these rows, at the full step.

        The first call sets the scale, the mean and the classes.

        Args:
            X, y: as in `fit`.
            classes: all labels of all calls, which the first call needs if its y lacks some.

        Raises:
            ValueError: as in `fit`, or a label is not among the classes, or the classes are not
                those of the first call.
            InputError: as in `fit`, or a parameter has changed since the first call.
        """
        first = not self.__sklearn_is_fitted__()
        values, labels = self._checked(X, y, reset=first)
        if first:
            self._begin(values, np.unique(labels if classes is None else np.asarray(classes)))
            self.trained_ = self._train(self._dataset(values, labels), epochs=0)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes must be those of the first call, {self.classes_}")
        for name in self._fitted_with.keys() - set(FREE):
            now, then = getattr(self, name), self._fitted_with[name]
            allowed = f"must be {then!r}, as in the first call; `fit` trains anew"
            require(repr(now) == repr(then), WHERE, name, now, allowed)
        data, epoch = self._dataset(values, labels), len(self.epochs_)
        rng = np.random.default_rng([self._seed, epoch])
        row = timed_epoch(self.trained_, data.train_images, data.train_labels, rng, epoch=0)
        row = replace(row, epoch=epoch)  # it was trained at the step of epoch 0
        self._tell(row)
        self.trained_.epochs.append(row)
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Returns the class with the most output spikes for each row [n]; the first of a tie
        wins."""
        counts = self.spike_counts(X)
        labels: np.ndarray = self.classes_[counts.argmax(axis=1)]
        return labels

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Returns the share of output spikes of each class [n, classes], equal where none spiked.

        Shares rank the classes as `predict` does, but are not calibrated probabilities.
        """
        counts = self.spike_counts(X).astype(np.float64)
        total = counts.sum(axis=1, keepdims=True)
        shares_of_none = np.full(counts.shape, 1.0 / counts.shape[1])
        np.divide(counts, total, out=shares_of_none, where=total > 0)
        return shares_of_none

    def spike_counts(self, X: ArrayLike) -> np.ndarray:
        """Returns the number of output spikes of each class [n, classes].

        The random spikes of a row depend on its position among the rows, so equal rows differ.

        Raises:
            NotFittedError: the classifier is not fitted.
            ValueError: the rows have another number of columns, or another shape.
        """
        check_is_fitted(self)
        images = shares(self._rows(X, reset=False), self._scale)
        return self.trained_.output_counts(images)

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Returns the share of rows that `predict` gives their label.

        Raises:
            ValueError: it is not fitted, or labels do not fit the rows or the classes.
        """
        predicted = self.predict(X)
        allowed = f"must be a class for each of the {len(predicted)} rows of X, as in `fit`"
        field = "y" if sample_weight is None else "y or sample_weight"
        with refusing(WHERE, allowed, ValueError, field=field):
            _, labels = check_X_y(np.zeros((len(predicted), 1)), y)
            numbers = [np.issubdtype(of.dtype, np.number) for of in (labels, self.classes_)]
            require(len({*numbers}) == 1, WHERE, "y", labels.tolist()[0], allowed)
            return float(accuracy_score(labels, predicted, sample_weight=sample_weight))

    def device_table(self) -> pd.DataFrame:
        """Returns the statistics of the devices after training, with one row for each crossbar.

        The columns are those of a study's rows. Float weights have only a shape. ``print`` leaves
        out columns of wide tables; ``print(table.T.to_string())`` shows them all.
        """
        check_is_fitted(self)
        rows = []
        for place, synapses in enumerate(self.trained_.network.synapses, 1):
            n_in, n_out = synapses.shape
            rows.append({"crossbar": place, "n_in": n_in, "n_out": n_out, **synapses.statistics()})
        return pd.DataFrame(rows)

    @property
    def epochs_(self) -> list[EpochRow]:
        """Returns accuracy on the training rows, spikes per sample and seconds for each epoch."""
        return self.trained_.epochs

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "trained_")

    def __getstate__(self) -> dict[str, Any]:
        """Pickles the state of the network, since threads and tiles cannot be pickled.

        Raises:
            InputError: the devices cannot be put back into a state.
        """
        state = dict(super().__getstate__())
        trained = state.pop("trained_", None)
        if trained is not None:
            kept = trained.network.state()
            try:
                trained.network.restore(kept)  # loading will do the same
            except StateError as error:
                allowed = f"cannot be pickled: {error}"
                raise InputError(WHERE, "synapses", self.synapses, allowed) from error
            state["_kept"] = kept, trained.inputs, list(trained.epochs)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        kept = state.pop("_kept", None)
        super().__setstate__(state)
        if kept is None:
            return
        any_row = self._dataset(np.zeros((1, self.n_features_in_)), self.classes_[:1])
        now = self.get_params(deep=False)
        self.__dict__.update(self._fitted_with)  # parameters may have been set since
        trained = self._train(any_row, epochs=0)
        self.__dict__.update(now)
        weights, trained.inputs, trained.epochs[:] = kept
        trained.network.restore(weights)
        self.trained_ = trained

    def _checked(self, X: ArrayLike, y: ArrayLike, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        rows = self._rows(X, reset)
        return rows, labels_of(rows, y)

    def _rows(self, X: ArrayLike, reset: bool) -> np.ndarray:
        """Returns numbers [n, columns], with each image as one row if X may hold images."""
        kinds = ValueError, np.exceptions.DTypePromotionError
        with refusing(WHERE, "must be rows of numbers, with the same columns", *kinds, field="X"):
            has_images = self._section("network").get("layers") is not None
            values = numbers_of(X, has_images)
            shape = values.shape[1:] if has_images else ()
            if reset:
                self._shape = shape
            allowed = f"must be [n, *{self._shape}], images as in the first call"
            require(shape == self._shape, WHERE, "shape of X", values.shape, allowed)
            flat = values.reshape(len(values), -1) if len(shape) > 1 else X
            dtype = np.float64 if values.dtype.kind == "O" else "numeric"
            with warnings.catch_warnings(record=True, action="always") as told:
                rows: np.ndarray = validate_data(self, flat, reset=reset, dtype=dtype)
        for warning in told:  # an error has come without them
            warnings.warn(warning.message, stacklevel=3)
        return rows

    def _begin(self, X: np.ndarray, classes: np.ndarray, most: int | None = None) -> None:
        """Reads the parameters; a batch has at most `most` rows."""
        found = Fault(f"it has {len(classes)} class{'es' * (len(classes) != 1)}")
        require(len(classes) > 1, WHERE, "classes", found, "y must have at least 2 classes")
        self._checked_as(OwnSettings, *OwnSettings.model_fields)
        self._fitted_with = self.get_params(deep=False)
        batch = self._checked_as(TrainingSpec, "batch").batch
        self._batch = batch if most is None else min(batch, most)
        self.classes_ = classes
        self._scale: Scale = scale_of(X, np.arange(len(X)), self.scale)
        allowed = "must be a whole number from 0 to 2**32 - 1, a RandomState of numpy, or None"
        with refusing(WHERE, allowed, ValueError, field="random_state"):
            generator = check_random_state(self.random_state)
        self._seed = int(generator.randint(2**31))

    def _train(self, data: Dataset, epochs: int) -> Trained:
        steps = {"batch": self._batch, "epochs": epochs, "decay_shape": "linear"}
        try:
            return train(
                self._network_spec(), self._checked_as(TrainingSpec, **steps),
                self._factory(), data,
                seed=self._seed, threads=self.threads, on_epoch=self._tell,
            )  # fmt: skip
        except InputError as error:
            if error.where != "network":
                raise
            raise InputError(WHERE, f"network.{error.field}", error.value, error.allowed) from error

    def _tell(self, row: EpochRow, *_: object) -> bool:
        if self.verbose:
            right = 100 * row.train_accuracy
            print(f"epoch {row.epoch + 1}: {right:.1f} % of the training rows classified correctly")
        return False

    def _dataset(self, X: np.ndarray, y: np.ndarray) -> Dataset:
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            allowed = f"must be one of the classes {self.classes_.tolist()}"
            raise InputError(WHERE, "y", y[unknown].tolist()[0], allowed)
        images = shares(X, self._scale)
        labels = np.searchsorted(self.classes_, y).astype(np.int64)
        none = images[:0], labels[:0]
        return Dataset(
            "X", images, labels, *none, *none, tuple(map(str, self.classes_)), 1,
            digest_of(images, labels), self._shape or (images.shape[1],), self._scale.zero,
        )  # fmt: skip

    def _network_spec(self) -> NetworkSpec:
        given = self._section("network")
        for name in given.keys() & {"hidden", "T"}:
            allowed = "must be left out, as a parameter of the classifier has this name"
            raise InputError(WHERE, f"network.{name}", given[name], allowed)
        settings = {**given, "T": self.T}
        for name, default in DEFAULTS.items():
            section = given.get(name, {})
            settings[name] = {**default, **section} if isinstance(section, Mapping) else section
        if given.get("layers") is None:
            hidden = self._checked_as(OwnSettings, *OwnSettings.model_fields).hidden
            settings["hidden"] = (hidden,) if isinstance(hidden, int) else hidden
        return validated(NetworkSpec, settings, "network", WHERE)

    def _section(self, name: str) -> dict[str, Any]:
        """Returns the settings that the parameter of this name holds.

        Raises:
            InputError: it is no mapping.
        """
        given = getattr(self, name)
        allowed = f"must be a mapping of settings, as the section {name} of a study, or None"
        require(given is None or isinstance(given, Mapping), WHERE, name, given, allowed)
        for key in given or ():
            require(isinstance(key, str), WHERE, f"{name}.{key}", UNKNOWN_KEY, "must be text")
        return dict(given or {})

    def _checked_as[S: Spec](self, kind: type[S], *names: str, **more: Any) -> S:
        """Returns parameters of the classifier as settings.

        Raises:
            InputError: a parameter is out of its range, in one line.
        """
        return validated(kind, {name: getattr(self, name) for name in names} | more, "", WHERE)

    def _factory(self) -> SynapsesFactory:
        if isinstance(self.synapses, str) and self.synapses in FLOAT_WEIGHTS:
            allowed = "must be None with float weights, which lie in no devices"
            require(self.tile is None, WHERE, "tile", self.tile, allowed)
            return FLOAT_WEIGHTS[self.synapses](self.learning_rate)
        from rpu_ssnn.synapses.device_synapses import device_synapses  # it imports aihwkit

        settings = {"weight_range": 4.0, **self._section("tile")}
        spec = validated(TileSpec, settings, "tile", WHERE)
        try:
            device = find_device(self.synapses)
        except InputError as error:
            named = isinstance(self.synapses, str | Mapping)
            if named and not nearest(FLOAT_WEIGHTS, self.synapses):
                raise
            allowed = f"{one_of(FLOAT_WEIGHTS, self.synapses)}, or a device"
            allowed += "" if named or self.synapses is None else f": {error}"
            raise InputError(WHERE, "synapses", self.synapses, allowed) from error
        return device_synapses(device, spec, self.learning_rate)
