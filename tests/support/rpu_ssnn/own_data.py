"""Loading data of the user's own, and the kinds of data sets that others make."""

import re
from contextlib import AbstractContextManager
from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.data_spec import OwnData


def load(own: OwnData, **changes: Any) -> Dataset:
    arguments: dict[str, Any] = {"n_train": None, "n_test": None, "validation_share": 0.0}
    return load_dataset("mine", None, **(arguments | {"seed": 0} | changes), own=own)


def refused(*words: str) -> AbstractContextManager[Any]:
    return pytest.raises(InputError, match=".*".join(map(re.escape, words)))


class Pairs:
    """What torch calls a dataset."""

    def __init__(self, items: list[tuple[Any, Any]]) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> tuple[Any, Any]:
        return self.items[place]
