"""Compares the events of a training with a recount of every call and block, spike by spike."""

from copy import deepcopy
from math import prod
from typing import Any

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn.data import load_dataset
from rpu_ssnn.network import Network
from rpu_ssnn.network.events import INFERENCE, TRAINING
from rpu_ssnn.spec import LITERAL_GRADIENT, NetworkSpec, TrainingSpec, connect
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import CoincidenceSynapses, Crossbar, PulseBlock, SynapsesFactory
from rpu_ssnn.synapses.base import thinned
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from rpu_ssnn.synapses.writes import WRITE_COUNTS
from rpu_ssnn.training import train
from support.rpu_ssnn.networks import rows_of
from support.rpu_ssnn.passes import ReadsSlotBySlot, coarse

IMAGE = (6, 6, 1)
DENSE = NetworkSpec(hidden=(9, 7), T=20)
CONVOLUTIONS = NetworkSpec.model_validate(
    {
        "T": 20,
        "layers": [
            {"conv": {"kernel": 3, "stride": 1, "channels": 5}},
            {"conv": {"kernel": 2, "stride": 2, "channels": 6, "replicas": 2}},
        ],
    }
)
NETWORKS = {
    "dense": DENSE,
    "convolutions": CONVOLUTIONS,
    "separate streams": CONVOLUTIONS.model_copy(update={"gradient": LITERAL_GRADIENT}),
}


def trained(spec: NetworkSpec, factory: SynapsesFactory, threads: int = 1) -> Network:
    """Returns a network that was shown two batches of images."""
    rng = np.random.default_rng(0)
    layers = connect(spec.hidden_layers, prod(IMAGE), 4, IMAGE)
    seed, training = np.random.SeedSequence(3), TrainingSpec(batch=6)
    with Network(spec, training, layers, factory, seed, threads) as network:
        for _ in range(2):
            rates = rng.random((6, prod(IMAGE))).astype(np.float32)
            network.train_batch(rates, rng.integers(0, 4, 6), rng)
    return network


class Read(ReadsSlotBySlot):
    """Counts its reads, and the spikes and lines in them."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.counted = [0, 0, 0]

    def currents(self, lines: np.ndarray, transposed: bool = False) -> np.ndarray:
        self.counted[2 if transposed else 0] += len(lines)
        self.counted[1] += 0 if transposed else int(lines.sum())
        return super().currents(lines, transposed)


@pytest.mark.parametrize("name", NETWORKS)
def test_reads_are_those_that_synapses_are_asked_for(name: str) -> None:
    spec = NETWORKS[name]
    watched = trained(spec, coarse(Read, 8.0))
    recount = [each.counted for each in watched.synapses]  # type: ignore[attr-defined]
    assert min(recount[1]) > 0
    assert recount[0][2] == 0
    for network in (watched, trained(spec, coarse(CoincidenceSynapses, 8.0), threads=2)):
        assert network.events[:, :3].tolist() == recount


class Rows:
    """Holds rows of blocks until they are thinned, and counts the writes that they cause."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, int, int, np.ndarray]] = []
        self.counted = np.zeros(4, dtype=int)

    def add(self, block: PulseBlock) -> None:
        for sample, slot, pre, _, sign in rows_of(block):
            self.waiting.append((sample, slot, len(pre), sign.copy()))

    def thin(self, keep: float, rng: np.random.Generator) -> None:
        self.waiting.sort(key=lambda row: row[:2])
        spikes = np.zeros(sum(len(signs) for *_, signs in self.waiting), dtype=np.int32)
        kept = thinned(spikes, keep, deepcopy(rng))
        for _, _, lines, signs in self.waiting:
            own, kept = signs[kept[: len(signs)]], kept[len(signs) :]
            phases = len(set(own.tolist()))
            written = [len(own), phases, phases * lines, len(own) * lines]
            self.counted += np.array(written) * (lines > 0)
        self.waiting = []


def counting(kind: Any, *given: Any) -> Any:
    """Returns synapses of this kind whose writes are counted in `rows`."""

    class Counting(kind):  # type: ignore[misc]
        rows = Rows()

        def update(self, block: PulseBlock) -> None:
            self.rows.add(block)
            super().update(block)

        def settle(self) -> None:
            self.rows.thin(self.keep, self._rng)
            super().settle()

    return Counting(*given)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("simulator", ["native", "aihwkit"])
def test_writes_are_those_of_every_block(simulator: Any, name: str) -> None:
    kind = NativeSynapses if simulator == "native" else TileSynapses
    device = get_device("charge_trap")
    tile = TileSpec(weight_range=4.0, simulator=simulator)

    def factory(crossbar: Crossbar) -> Any:
        return counting(kind, crossbar, device, tile, 2.0)

    for synapses in trained(NETWORKS[name], factory).synapses:
        counts, counted = synapses.statistics(), synapses.rows.counted  # type: ignore[attr-defined]
        assert 0 < counts["thinning"] <= 1
        assert counted[0] > 0
        assert [counts[name] for name in WRITE_COUNTS] == counted[:3].tolist()
        assert counts["pulses_up_total"] + counts["pulses_down_total"] == counted[3]


def test_a_training_that_was_interrupted_counts_all_its_events() -> None:
    data = load_dataset("digits", n_train=60, n_test=20, validation_share=0.2, seed=0)
    spec, training = NetworkSpec(hidden=(8,), T=10), TrainingSpec(epochs=2)

    def factory(crossbar: Crossbar) -> NativeSynapses:
        return NativeSynapses(crossbar, get_device("capacitor"), TileSpec(simulator="native"), 4.0)

    states: list[Any] = []
    of = spec, training, factory, data
    with train(*of, seed=0, on_epoch=lambda _, take: states.append(take())) as whole:
        whole.classes(data.test_images)
        counts = whole.statistics()
    with train(spec, training, factory, data, seed=0, start=states[0]) as resumed:
        resumed.classes(data.test_images)
        assert resumed.statistics() == counts
    counted = [counts[f"{name}_1"] for name in (*TRAINING, *INFERENCE)]
    assert counts["inference_images"] == 20
    forward = [n * len(data.train_labels) for n in (whole.epochs[0].forward_spikes)]
    assert counted[1] > forward[0]
    names = (*TRAINING, *INFERENCE, *WRITE_COUNTS)
    assert counted[2] == 0 < min(counts[f"{name}_2"] for name in names)
