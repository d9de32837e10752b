"""Prints the product errors of Fig. 4, for independent trains and for the trains of a network.

`python benchmarks/algorithm.py` prints both as tables (scikit-learn's digits, no download), which
docs/findings/algorithm.md summarises. `python benchmarks/temporal_bias.py` compares the gradient
with backpropagation.
"""

import numpy as np
import pandas as pd
from network_products import network_product_errors
from product_error import product_errors, slope
from temporal_bias import IMAGES, at_length, network_of, trained_weights

from rpu_ssnn.data import Dataset, load_dataset


def figure_4() -> pd.DataFrame:
    slots = [10, 30, 100, 300, 1000, 3000, 10_000]
    rows = []
    for T in slots:
        errors = [product_errors(T, np.random.default_rng([T, k])) for k in range(6)]
        rows.append({"T": T, "mean error": np.mean(errors), "deviation": np.std(errors)})
    table = pd.DataFrame(rows)
    print(f"slope of log deviation over log T: {slope(slots, list(table['deviation'])):.4f}")
    return table


def network_products(data: Dataset) -> pd.DataFrame:
    rows = []
    for name in ("default", "flat input", "flat input, tau = 1 slot"):
        spec = network_of(name)
        weights = trained_weights(spec, data)
        rates = (data.train_images[:IMAGES] / data.grey_max * spec.encoding.input_rate).astype("f4")
        for T in (50, 200, 800):
            products = network_product_errors(
                at_length(name, spec, T), weights, rates, data.train_labels[:IMAGES], 0
            )
            for layer, product in enumerate(products, start=1):
                rows.append({"trains": name, "T": T, "crossbar": layer, **vars(product)})
    return pd.DataFrame(rows)


def main() -> None:
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.1, seed=0)
    for title, table in (
        ("Fig. 4: independent trains", figure_4()),
        ("A network's own trains", network_products(data)),
    ):
        print(f"\n{title}\n{table.to_markdown(index=False, floatfmt='.3g')}", flush=True)


if __name__ == "__main__":
    main()
