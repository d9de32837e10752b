"""Results that change without a raised NUMERICS_VERSION fail here.

If a change of the numbers is intended, raise `rpu_ssnn.version.NUMERICS_VERSION` and insert the new
numbers, which the failing assertion prints, into golden_numbers.json.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.data import load_dataset
from rpu_ssnn.network import Network
from rpu_ssnn.spec import LITERAL_GRADIENT, NetworkSpec, TrainingSpec, connect
from rpu_ssnn.spec.tile import ReferenceSpec, TileSpec
from rpu_ssnn.synapses import SynapsesFactory, coincidence_synapses, rate_synapses
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


def net(*hidden: int, **settings: object) -> NetworkSpec:
    return NetworkSpec.model_validate({"hidden": hidden or (32,), **settings})


@dataclass(frozen=True)
class Case:
    """Holds a network and how it is trained."""

    synapses: SynapsesFactory
    network: NetworkSpec = field(default_factory=net)
    schedule: str = "batch"
    threads: int = 1


RATE, COINCIDENCE = rate_synapses(8.0), coincidence_synapses(8.0)
CLOCKED, FAULTS = {"clocked": True}, {"circuit": EVERYTHING_WRONG}
REGULAR = {"encoding": {"trains": "regular"}, "neuron": {"reset": "zero"}}
CASES = {
    "rate": Case(RATE),
    "coincidence": Case(COINCIDENCE),
    "inhibited": Case(RATE, net(inhibition={"strength": 0.2})),
    "literal": Case(COINCIDENCE, net(gradient=LITERAL_GRADIENT)),
    "tile": Case(tile()),
    "clocked output": Case(COINCIDENCE, net(inhibition=CLOCKED)),
    "Eq. 2 twice": Case(COINCIDENCE, net(inhibition={"strength": 0.05, "passes": 2})),
    "two hidden layers, clocked": Case(COINCIDENCE, net(100, 70, inhibition=CLOCKED)),
    "neurons with every fault": Case(COINCIDENCE, net(neuron=FAULTS)),
    "two blocks of neurons and a part": Case(COINCIDENCE, net(150)),
    "a presentation of several windows": Case(COINCIDENCE, net(70, T=250)),
    "floored branches, regular input, reset to zero": Case(
        RATE, net(gradient={"branches": "floored"}, **REGULAR)
    ),
    "tile, differential pairs": Case(tile(scheme="differential_pair")),
    "cell of four devices": Case(tile("four_device_cell(charge_trap)"), net(70)),
    "presentation schedule": Case(RATE, schedule="presentation"),
    "slot schedule": Case(COINCIDENCE, schedule="slot"),
    "slot schedule, tile": Case(tile(), schedule="slot"),
    "read by calls": Case(read_by_calls(), net(70, 40)),
    "read by calls, presentation schedule": Case(read_by_calls(), schedule="presentation"),
    "read by calls, slot schedule": Case(read_by_calls(), schedule="slot"),
    "two threads": Case(RATE, net(150), threads=2),
    "tile, two threads": Case(tile(), net(70), threads=2),
}
GOLDEN = json.loads(Path(__file__).with_name("golden_numbers.json").read_text())


def fingerprint(case: Case) -> list[int]:
    """Returns, for each of three batches, the spikes of each layer, the gradient spikes of each
    layer from the first hidden one on, and the number of right answers."""
    data = load_dataset("digits", n_train=None, n_test=None, validation_share=0.0, seed=0)
    training = TrainingSpec.model_validate(
        {"batch": 50, "dropout_input": 0.1, "dropout_hidden": 0.2, "schedule": case.schedule}
    )
    layers, seed = connect(case.network.hidden, 64, 10), np.random.SeedSequence(1)
    rng = np.random.default_rng(2)
    totals: list[int] = []
    with Network(case.network, training, layers, case.synapses, seed, case.threads) as network:
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
    assert fingerprint(CASES[name]) == GOLDEN[name]
