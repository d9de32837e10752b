"""Results that change without a raised NUMERICS_VERSION fail here.

If a change of the numbers is intended, raise `rpu_ssnn.version.NUMERICS_VERSION` and insert the new
numbers, which the failing assertion prints.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.data import load_dataset
from rpu_ssnn.network import Network
from rpu_ssnn.spec import (
    LITERAL_GRADIENT,
    CircuitSpec,
    EncodingSpec,
    GradientSpec,
    InhibitionSpec,
    NetworkSpec,
    NeuronSpec,
    TrainingSpec,
)
from rpu_ssnn.spec.tile import ReferenceSpec, TileSpec
from rpu_ssnn.synapses import (
    SynapsesFactory,
    coincidence_synapses,
    rate_synapses,
)
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.version import NUMERICS_VERSION
from support.rpu_ssnn.passes import EVERYTHING_WRONG, ReadsSlotBySlot


def read_by_calls() -> SynapsesFactory:
    return lambda crossbar: ReadsSlotBySlot(crossbar, 8.0)


def tile(device: str = "charge_trap", scheme: str = "ideal_reference") -> SynapsesFactory:
    """Returns devices without cycle-to-cycle noise, which aihwkit cannot seed."""
    quiet = get_device(device, {"cycle_to_cycle": 0.0})
    reference = ReferenceSpec(scheme=scheme)  # type: ignore[arg-type]
    return device_synapses(quiet, TileSpec(weight_range=4.0, reference=reference), 8.0)


ONE_HIDDEN_LAYER = NetworkSpec(hidden=(32,))


@dataclass(frozen=True)
class Case:
    """Holds a network and its expected results.

    Attributes:
        golden: for each of three batches, the spikes of each layer, the gradient spikes of each
            layer from the first hidden one on, and the number of right answers.
    """

    synapses: SynapsesFactory
    golden: list[int]
    network: NetworkSpec = ONE_HIDDEN_LAYER
    schedule: str = "batch"
    threads: int = 1


# fmt: off
CASES = {
    "rate": Case(
        rate_synapses(8.0),
        [18024, 8405, 2077, 16758, 2966, 1, 17432, 8384, 1205, 8964, 2231, 4, 18128, 2194,
         1117, 4560, 1971, 7],
    ),
    "coincidence": Case(
        coincidence_synapses(8.0),
        [18024, 8405, 2077, 16758, 2966, 1, 17432, 6851, 956, 9469, 2011, 6, 18128, 3392,
         837, 6402, 1720, 9],
    ),
    "inhibited": Case(
        rate_synapses(8.0),
        [18024, 8405, 1467, 15448, 2457, 2, 17432, 7401, 1184, 9276, 2210, 5, 18128, 1834,
         663, 3862, 1622, 8],
        NetworkSpec(hidden=(32,), inhibition=InhibitionSpec(strength=0.2)),
    ),
    "literal": Case(
        coincidence_synapses(8.0),
        [17907, 8438, 1573, 13458, 2435, 2, 17428, 6441, 1873, 10681, 2615, 6, 18058, 3638,
         1808, 6120, 2183, 15],
        NetworkSpec(hidden=(32,), gradient=LITERAL_GRADIENT),
    ),
    "tile": Case(
        tile(),
        [18024, 8405, 2077, 16758, 2966, 1, 17432, 6757, 978, 9332, 2021, 6, 18128, 3249,
         913, 6278, 1773, 10],
    ),
    "clocked output": Case(
        coincidence_synapses(8.0),
        [18024, 8405, 1234, 13765, 2282, 2, 17432, 6717, 1278, 10233, 2174, 10, 18128, 4073,
         1268, 7052, 2013, 10],
        NetworkSpec(hidden=(32,), inhibition=InhibitionSpec(clocked=True)),
    ),
    "Eq. 2 twice": Case(
        coincidence_synapses(8.0),
        [17677, 8651, 2086, 1700, 1443, 14410, 2325, 0, 0, 1, 17268, 7101, 931, 831, 738,
         8541, 1633, 0, 0, 6, 17991, 5534, 1059, 897, 776, 7751, 1645, 0, 0, 6],
        NetworkSpec(hidden=(32,), inhibition=InhibitionSpec(strength=0.05, passes=2)),
    ),
    "two hidden layers, clocked": Case(
        coincidence_synapses(8.0),
        [17591, 27452, 22484, 1239, 58244, 20246, 2124, 5, 17230, 23517, 18007, 1196, 55381,
         17483, 2153, 2, 17977, 18408, 6194, 1234, 34161, 8683, 1954, 11],
        NetworkSpec(hidden=(100, 70), inhibition=InhibitionSpec(clocked=True)),
    ),
    "neurons with every fault": Case(
        coincidence_synapses(8.0),
        [18024, 12180, 10264, 17465, 21056, 4, 17432, 13072, 12698, 21187, 22225, 8, 18128,
         16275, 13225, 24090, 22240, 6],
        NetworkSpec(hidden=(32,), neuron=NeuronSpec(circuit=CircuitSpec(**EVERYTHING_WRONG))),  # type: ignore[arg-type]
    ),
    "two blocks of neurons and a part": Case(
        coincidence_synapses(8.0),
        [18119, 35740, 3110, 35248, 3739, 4, 17359, 30044, 2627, 36843, 3154, 10, 18190,
         16992, 595, 20107, 1558, 7],
        NetworkSpec(hidden=(150,)),
    ),
    "a presentation of several windows": Case(
        coincidence_synapses(8.0),
        [89328, 87448, 10745, 113865, 15562, 3, 86599, 66169, 12874, 105083, 16024, 5,
         89695, 27700, 5166, 45136, 9326, 9],
        NetworkSpec(hidden=(70,), T=250),
    ),
    "floored branches, regular input, reset to zero": Case(
        rate_synapses(8.0),
        [17881, 6818, 1151, 6742, 1426, 2, 17220, 5158, 513, 3582, 981, 6, 17845, 3916, 398,
         2934, 813, 12],
        NetworkSpec(
            hidden=(32,),
            gradient=GradientSpec(branches="floored"),
            encoding=EncodingSpec(trains="regular"),
            neuron=NeuronSpec(reset="zero"),
        ),
    ),
    "tile, differential pairs": Case(
        tile(scheme="differential_pair"),
        [18024, 8405, 2077, 16758, 2966, 1, 17432, 6749, 963, 9411, 2017, 6, 18128, 3328,
         942, 6233, 1785, 10],
    ),
    "cell of four devices": Case(
        tile("four_device_cell(charge_trap)"),
        [17856, 17979, 2227, 23958, 3174, 1, 17316, 14338, 1915, 17621, 2664, 7, 18130,
         9126, 1150, 11065, 1929, 6],
        NetworkSpec(hidden=(70,)),
    ),
    "presentation schedule": Case(
        rate_synapses(8.0),
        [18024, 6941, 1218, 12012, 2119, 8, 17432, 5452, 1130, 9267, 1920, 8, 18128, 4470,
         1108, 7016, 1771, 15],
        schedule="presentation",
    ),
    "slot schedule": Case(
        coincidence_synapses(8.0),
        [18024, 7538, 1243, 12296, 2098, 7, 17432, 6707, 1048, 10093, 1857, 9, 18128, 5792,
         1092, 8346, 1801, 16],
        schedule="slot",
    ),
    "slot schedule, tile": Case(
        tile(),
        [18024, 7559, 1214, 12139, 2064, 9, 17432, 6760, 1051, 10076, 1861, 9, 18128, 5802,
         1101, 8651, 1832, 11],
        schedule="slot",
    ),
    "read by calls": Case(
        read_by_calls(),
        [17892, 18234, 11531, 3713, 48267, 20301, 4043, 7, 17281, 14776, 5549, 1304, 25233,
         6445, 2201, 4, 18003, 13525, 2038, 556, 19595, 4075, 1578, 6],
        NetworkSpec(hidden=(70, 40)),
    ),
    "read by calls, presentation schedule": Case(
        read_by_calls(),
        [18024, 7500, 1286, 12632, 2178, 7, 17432, 6577, 1059, 10161, 1902, 8, 18128, 5590,
         1121, 8301, 1862, 11],
        schedule="presentation",
    ),
    "read by calls, slot schedule": Case(
        read_by_calls(),
        [18024, 7538, 1243, 12296, 2098, 7, 17432, 6707, 1048, 10093, 1857, 9, 18128, 5792,
         1092, 8346, 1801, 16],
        schedule="slot",
    ),
    "two threads": Case(
        rate_synapses(8.0),
        [18119, 35740, 3110, 35248, 3739, 4, 17359, 31750, 3106, 39468, 3597, 8, 18190,
         16982, 936, 17710, 1886, 5],
        NetworkSpec(hidden=(150,)),
        threads=2,
    ),
    "tile, two threads": Case(
        tile(),
        [17856, 17979, 2227, 23958, 3174, 1, 17316, 14344, 1904, 17575, 2645, 7, 18130,
         9173, 1184, 11449, 1953, 6],
        NetworkSpec(hidden=(70,)),
        threads=2,
    ),
}
# fmt: on


def fingerprint(case: Case) -> list[int]:
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.0, seed=0)
    training = TrainingSpec(
        batch=50,
        dropout_input=0.1,
        dropout_hidden=0.2,
        schedule=case.schedule,  # type: ignore[arg-type]
    )
    sizes, seed = (64, *case.network.hidden, 10), np.random.SeedSequence(1)
    rng = np.random.default_rng(2)
    totals: list[int] = []
    with Network(case.network, training, sizes, case.synapses, seed, case.threads) as network:
        for first in (0, 50, 100):
            part = slice(first, first + 50)
            rates = (data.train_images[part] / data.grey_max * 0.4).astype(np.float32)
            shown = network.train_batch(rates, data.train_labels[part], rng)
            totals += [*map(int, shown.spikes.sum(axis=0))]
            totals += [*map(int, shown.gradient_spikes.sum(axis=0)[1:])]
            right = shown.output_counts.argmax(axis=1) == data.train_labels[part]
            totals.append(int(right.sum()))
    return totals


@pytest.mark.parametrize("name", CASES)
def test_same_numbers_as_when_the_version_was_last_raised(name: str) -> None:
    assert NUMERICS_VERSION == 1
    assert fingerprint(CASES[name]) == CASES[name].golden
