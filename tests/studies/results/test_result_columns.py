"""Compares the declared columns with those of real rows."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from studies.declaration.trial import SWEEP_PREFIX
from studies.results.result_columns import CURVE_COLUMNS, RESULT_COLUMNS, ResultColumn
from studies.results.tables import curves_frame, results_frame
from studies.workers.run_trial import run_trial
from support.rpu_ssnn.own_data import write_npz
from support.studies.harness import declared_trials, small_study

KEPT = Path(__file__).parents[3] / "docs" / "results"
RETIRED_COLUMNS = (
    "half_select_energy_j",
    "half_select_energy_blank_because",
    "half_selects_total",
    "half_selects_total_1",
    "half_selects_total_2",
)
"""Kept rows of earlier versions have these columns too; the ledger of a chip replaces them."""
DRIVE = {"weight_range": 4, "learning_rate": 4}
NATIVE = {"simulator": "native"}
EFFECTS = {
    "half_select": {"gradient": 1e-3},
    "read_disturb": {"forward_up": 1e-3},
    "lines": {"ohm_per_cell": 1, "on_resistance": 1e5, "voltage_constant": 0.1},
}
COLUMNS: dict[str, Any] = {
    "training": {"epochs": 2},
    "seeds": [0],
    "reference": "ann",
    "cases": [
        {"update": "ann", "learning_rate": 0.1},
        {"update": "coincidence", "learning_rate": 1.0},
        {"update": "online_sgd", "learning_rate": 0.1},
        {"device": "charge_trap_pulsed", "tile": NATIVE, "hyperparameters": DRIVE},
        {"device": "tiki_taka(reram_sb)", "hyperparameters": DRIVE},
        {"device": "one_sided_pair(pcm)", "hyperparameters": DRIVE},
        {"device": "mixed_precision(capacitor)", "hyperparameters": DRIVE},
        {"device": "ideal", "tile": NATIVE | EFFECTS, "hyperparameters": DRIVE},
    ],
    "sweep": {"network.T": [10]},
}


def column_of(name: str, columns: tuple[ResultColumn, ...] = RESULT_COLUMNS) -> ResultColumn | None:
    """Returns the declaration of a column of a real table, or None if there is none.

    Args:
        name: the name in the table, with its number or with the path of the swept setting.
    """
    if name.startswith(SWEEP_PREFIX):
        name = f"{SWEEP_PREFIX}PATH"
    generic = re.sub(r"_\d+$", "_N", name)
    for column in columns:
        if name in column.names or generic in column.names:
            return column
    return None


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    write_npz(folder / "values.npz", (rng.random((40, 6)), labels))
    write_npz(folder / "spikes.npz", (rng.integers(0, 2, (40, 12, 6)), labels))
    trials = declared_trials(small_study(**COLUMNS))
    for dataset in ({"file": "values.npz"}, {"file": "spikes.npz", "spikes": {}}):
        study = small_study(folder, **COLUMNS, dataset={"test_share": 0.5, **dataset})
        trials += declared_trials(study)[:1]
    runs = [(trial, run_trial(trial, None, 1)) for trial in trials]
    return results_frame(runs), curves_frame(runs)


def test_every_column_of_a_real_row_is_declared(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    results, curves = tables
    assert [name for name in results.columns if column_of(name) is None] == []
    assert [name for name in curves.columns if column_of(name, CURVE_COLUMNS) is None] == []


def test_every_column_of_a_kept_table_is_declared() -> None:
    """Files that are not of a study belong to other commands."""
    of_mark = {"settings": RESULT_COLUMNS, "epoch": CURVE_COLUMNS}
    kept = dict.fromkeys(of_mark, 0)
    for path in sorted(KEPT.glob("*/*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        for mark, columns in of_mark.items():
            if {"study", "trial", mark} <= set(header):
                kept[mark] += 1
                named = [name for name in header if name not in RETIRED_COLUMNS]
                assert [name for name in named if column_of(name, columns) is None] == [], path
    assert min(kept.values()) > 0


def test_every_declared_column_is_in_a_real_row(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    results, curves = tables
    for columns, table in ((RESULT_COLUMNS, results), (CURVE_COLUMNS, curves)):
        seen = {column_of(name, columns) for name in table.columns}
        assert [column.name for column in columns if column not in seen] == []


def test_a_name_is_declared_once() -> None:
    for columns in (RESULT_COLUMNS, CURVE_COLUMNS):
        names = [name for column in columns for name in column.names]
        assert len(names) == len(set(names))
