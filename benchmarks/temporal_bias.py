"""Measures the temporal bias of the split streams against exact backpropagation.

Bias and spread are reported separately, for each reading (remedies on, each off, all off;
winner-take-all output; kernel time constants; front loading; delayed forward spikes), T, update
rule and crossbar. The weights are frozen after three epochs on scikit-learn's digits. `python
benchmarks/temporal_bias.py` writes a table and a figure to the current folder.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from gradient_check import GradientAgreement, agreement
from matplotlib.figure import Figure

from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.export.description import weights_of
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.training import train
from studies.report.figure_style import (
    FONT_POINTS,
    WIDE_INCHES,
    finish_axes,
    looks,
    new_figure,
    save,
)

READINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "winner takes all": {"inhibition": {"clocked": True}},
    "no relay": {"gradient": {"relay": False}},
    "first-spike switch": {"gradient": {"switch": "first_spike"}},
    "floored branches": {"gradient": {"branches": "floored"}},
    "no flush": {"gradient": {"flush": 0.0}},
    "literal": {
        "gradient": {"switch": "first_spike", "branches": "unbounded", "relay": False, "flush": 0.0}
    },
    "half front loading": {"encoding": {"front_loading": 0.5}},
    "flat input": {"encoding": {"front_loading": 0.0}},
    "delayed 1 tau": {"gradient": {"delay": 1.0}},
    "delayed 2.5 tau": {"gradient": {"delay": 2.5}},
    "tau = T/20": {"neuron": {"kernel_fraction": 0.05}},
    "tau = T/5": {"neuron": {"kernel_fraction": 0.2}},
    "flat input, tau = 1 slot": {
        "encoding": {"front_loading": 0.0},
        "neuron": {"kernel_fraction": 0.02},
    },
}
DRAWN = ("default", "winner takes all", "literal", "flat input, tau = 1 slot")
ONE_SLOT = "flat input, tau = 1 slot"
SLOTS = (50, 200, 800)
UPDATES: tuple[Literal["rate", "coincidence"], ...] = ("rate", "coincidence")
IMAGES, TRIALS, TRAINED_EPOCHS = 6, 400, 3


def numbers(
    readings: tuple[str, ...] = tuple(READINGS),
    slots: tuple[int, ...] = SLOTS,
    trials: int = TRIALS,
) -> pd.DataFrame:
    """Returns one row for each reading, T, update and crossbar.

    A row holds means over images: ``cosine``, ``gain``, ``bias`` and ``noise`` of
    `GradientAgreement`, and ``spread``, the standard deviation of a single presentation's update
    relative to the size of the exact gradient.
    """
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.1, seed=0)
    rows = []
    for name in readings:
        spec = network_of(name)
        weights = trained_weights(spec, data)
        for T in slots:
            longer = at_length(name, spec, T)
            for update in UPDATES:
                for crossbar, means in enumerate(_means(longer, weights, data, update, trials), 1):
                    rows.append(
                        {"reading": name, "T": T, "update": update, "crossbar": crossbar, **means}
                    )
    return pd.DataFrame(rows)


def network_of(name: str) -> NetworkSpec:
    """Returns the network for a reading."""
    return NetworkSpec.model_validate({"hidden": (64,), **READINGS[name]})


def at_length(name: str, spec: NetworkSpec, T: int) -> NetworkSpec:
    """Returns the same network with longer presentations; a kernel of one slot keeps its length."""
    changes: dict[str, Any] = {"T": T}
    if name == ONE_SLOT:
        changes["neuron"] = spec.neuron.model_copy(update={"kernel_fraction": 1.0 / T})
    return spec.model_copy(update=changes)


def trained_weights(spec: NetworkSpec, data: Dataset) -> list[np.ndarray]:
    """Returns the weights of each crossbar after a short training with the rate update."""
    training = TrainingSpec(epochs=TRAINED_EPOCHS)
    with train(spec, training, rate_synapses(1.0), data, seed=0) as trained:
        return weights_of(trained, "temporal_bias")


def _means(
    spec: NetworkSpec,
    weights: list[np.ndarray],
    data: Dataset,
    update: Literal["rate", "coincidence"],
    trials: int,
) -> list[dict[str, float]]:
    rates = np.asarray(data.train_images[:IMAGES]) / data.grey_max * spec.encoding.input_rate
    each = [
        agreement(
            spec, weights, rates[k], int(data.train_labels[k]), update=update, trials=trials, seed=k
        )
        for k in range(IMAGES)
    ]
    means = []
    for layer in range(len(weights)):
        found = {
            field: float(np.mean([getattr(a[layer], field) for a in each]))
            for field in GradientAgreement.__dataclass_fields__
        }
        means.append({**found, "spread": found["noise"] * trials**0.5})
    return means


def draw(table: pd.DataFrame) -> Figure:
    """Draws bias against T, one panel per crossbar, with full marks for the rate update and open
    marks for coincidences."""
    figure = new_figure(WIDE_INCHES, 3.0)
    panels = figure.subplots(1, 2, sharey=True)
    look = looks(DRAWN)
    for crossbar, axes in enumerate(panels, start=1):
        for name, style in look.items():
            for update, filled in zip(UPDATES, ("full", "none"), strict=True):
                part = table[
                    (table["reading"] == name)
                    & (table["update"] == update)
                    & (table["crossbar"] == crossbar)
                ]
                axes.loglog(
                    part["T"], part["bias"], color=style.colour, marker=style.marker,
                    ls="-" if update == "rate" else "--", fillstyle=filled, ms=5,
                    label=f"{name}, {update}",
                )  # fmt: skip
        axes.set_title(f"crossbar {crossbar}", fontsize=FONT_POINTS)
        finish_axes(axes, "T (slots)")
    panels[0].set_ylabel("bias relative to the exact gradient")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3,
        fontsize=FONT_POINTS - 1, frameon=False,
    )  # fmt: skip
    return figure


def main() -> None:
    table = numbers()
    table.to_csv("temporal_bias.csv", index=False)
    save(draw(table), Path("temporal_bias.png"))


if __name__ == "__main__":
    main()
