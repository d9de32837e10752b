"""Results that change without a raised NUMERICS_VERSION fail here.

When a change of the numbers is meant: raise `rpu_ssnn.version.NUMERICS_VERSION` and put the new
numbers in (the failing assertion prints them).
"""

import numpy as np

from device_presets import get_preset
from rpu_ssnn.data import load_dataset
from rpu_ssnn.network import Network
from rpu_ssnn.spec import LITERAL_GRADIENT, InhibitionSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import SynapsesFactory, coincidence_synapses, rate_synapses
from rpu_ssnn.synapses.tile import tile_synapses
from rpu_ssnn.tile_spec import TileSpec
from rpu_ssnn.version import NUMERICS_VERSION

GOLDEN = {
    "numerics_version": 1,
    "rate": [
        18024,
        8405,
        2077,
        16758,
        2966,
        1,
        17432,
        8384,
        1205,
        8964,
        2231,
        4,
        18128,
        2194,
        1117,
        4560,
        1971,
        7,
    ],
    "coincidence": [
        18024,
        8405,
        2077,
        16758,
        2966,
        1,
        17432,
        6851,
        956,
        9469,
        2011,
        6,
        18128,
        3392,
        837,
        6402,
        1720,
        9,
    ],
    "inhibited": [
        18024,
        8405,
        1467,
        15448,
        2457,
        2,
        17432,
        7401,
        1184,
        9276,
        2210,
        5,
        18128,
        1834,
        663,
        3862,
        1622,
        8,
    ],
    "literal": [
        17907,
        8438,
        1573,
        13458,
        2435,
        2,
        17428,
        6441,
        1873,
        10681,
        2615,
        6,
        18058,
        3638,
        1808,
        6120,
        2183,
        15,
    ],
    "tile": [
        18024,
        8405,
        2077,
        16758,
        2966,
        1,
        17432,
        6757,
        978,
        9332,
        2021,
        6,
        18128,
        3249,
        913,
        6278,
        1773,
        10,
    ],
}


def fingerprint(spec: NetworkSpec, factory: SynapsesFactory) -> list[int]:
    """Whole numbers of three batches: spikes a layer, gradient spikes a layer, right answers."""
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.0, seed=0)
    training = TrainingSpec(batch=50, dropout_input=0.1, dropout_hidden=0.2)
    network = Network(
        spec, training, (64, *spec.hidden, 10), factory, np.random.SeedSequence(1), threads=1
    )
    rng = np.random.default_rng(2)
    totals: list[int] = []
    with network:
        for first in (0, 50, 100):
            part = slice(first, first + 50)
            rates = (data.train_images[part] / data.grey_max * 0.4).astype(np.float32)
            shown = network.train_batch(rates, data.train_labels[part], rng)
            totals += [*map(int, shown.spikes.sum(axis=0))]
            totals += [*map(int, shown.gradient_spikes.sum(axis=0)[1:])]
            right = shown.output_counts.argmax(axis=1) == data.train_labels[part]
            totals.append(int(right.sum()))
    return totals


def test_same_numbers_as_when_the_version_was_last_raised() -> None:
    spec = NetworkSpec(hidden=(32,))
    inhibited = NetworkSpec(hidden=(32,), inhibition=InhibitionSpec(strength=0.2))
    literal = NetworkSpec(hidden=(32,), gradient=LITERAL_GRADIENT)
    device = get_preset("charge_trap", {"cycle_to_cycle": 0.0})
    now = {
        "numerics_version": NUMERICS_VERSION,
        "rate": fingerprint(spec, rate_synapses(8.0)),
        "coincidence": fingerprint(spec, coincidence_synapses(8.0)),
        "inhibited": fingerprint(inhibited, rate_synapses(8.0)),
        "literal": fingerprint(literal, coincidence_synapses(8.0)),
        "tile": fingerprint(spec, tile_synapses(device, TileSpec(weight_range=4.0), 8.0)),
    }
    assert now == GOLDEN
