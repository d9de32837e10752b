"""Compares the accuracies of the two simulators on digits, in pairs with the same seed.

The rows are kept in docs/results/native_agreement. Both simulators train the same devices on the
same presentations; only the noise differs, since aihwkit's cannot be seeded. The network is
64-64-10 with T = 50, trained for 10 epochs on 719 images, and the accuracy is measured on the 1,078
others (no study's test set is read).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats

from device_presets import get_preset
from rpu_ssnn.data import load_dataset
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import SynapsesFactory
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.training import train

DRIVES = {
    "charge_trap": (2.0, 16.0),
    "capacitor": (1.0, 16.0),
    "reram_es": (2.0, 8.0),
    "reram_sb": (2.0, 8.0),
}
"""The weight range and the learning rate of each device."""


def accuracy(factory: SynapsesFactory, seed: int) -> float:
    """Returns the share of the images not used in training that are classified correctly, in %."""
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.5, seed=seed)
    spec, training = NetworkSpec(hidden=(64,)), TrainingSpec(epochs=10, batch=50)
    images = np.concatenate([data.validation_images, data.test_images])
    labels = np.concatenate([data.validation_labels, data.test_labels])
    with train(spec, training, factory, data, seed=seed) as trained:
        return 100 * trained.accuracy(images, labels)


def measure(file: Path, seeds: range, devices: list[str]) -> None:
    """Adds a row for each seed and device that is missing from the file."""
    rows = pd.read_csv(file).to_dict("records") if file.exists() else []
    done = {(row["device"], row["seed"]) for row in rows}
    for seed in seeds:
        for name in devices:
            if (name, seed) in done:
                continue
            weight_range, learning_rate = DRIVES[name]
            device = get_preset(name)
            row: dict[str, object] = {"device": name, "seed": seed}
            for simulator in ("aihwkit", "native"):
                spec = TileSpec(weight_range=weight_range, simulator=simulator)
                row[simulator] = accuracy(device_synapses(device, spec, learning_rate), seed)
            rows.append(row)
            pd.DataFrame(rows).to_csv(file, index=False, float_format="%.4f")


def summary(file: Path) -> pd.DataFrame:
    """Returns the mean difference for each device with its 95 % interval, in percentage points."""
    found = []
    for name, rows in pd.read_csv(file).groupby("device"):
        gap = rows["native"] - rows["aihwkit"]
        half = stats.t.ppf(0.975, len(gap) - 1) * gap.sem()
        found.append(
            {
                "device": name,
                "seeds": len(gap),
                "aihwkit (%)": rows["aihwkit"].mean(),
                "native (%)": rows["native"].mean(),
                "native - aihwkit (points)": gap.mean(),
                "95 % interval (+-)": half,
            }
        )
    return pd.DataFrame(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "file", type=Path, help="the CSV of the rows; those that it already has are kept"
    )
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--device", action="append", choices=list(DRIVES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    measure(arguments.file, range(arguments.seeds), arguments.device or list(DRIVES))
    print(summary(arguments.file).to_markdown(index=False, floatfmt=".3f"))


if __name__ == "__main__":
    main()
