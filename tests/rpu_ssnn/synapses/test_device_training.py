"""In whole training epochs, devices receive all pulses and are changed by nothing else."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch

from device_presets import get_preset
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.spec import GradientSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.spec.tile import ReadSpec, TileSpec
from rpu_ssnn.synapses import Crossbar, PulseBlock
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from rpu_ssnn.training import train
from support.rpu_ssnn.networks import rows_of

STEP = 2.0**-14
NETWORK = NetworkSpec(hidden=(24,), T=30)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset("digits", n_train=400, n_test=None, validation_share=0.25, seed=0)


class CountedTile(TileSynapses):
    """Counts the pulses that reach the tile, and those that the network sent."""

    def __init__(self, crossbar: Crossbar, learning_rate: float) -> None:
        # Steps are powers of two, start weights their multiples, and bounds are out of reach.
        grid = 64 * 0.25 * STEP
        initial = (np.rint(crossbar.initial / grid) * grid).astype(np.float32)
        exact = replace(crossbar, he_std=0.25, initial=initial)
        device = get_preset("ideal", {"levels": round(2 / STEP)})
        super().__init__(exact, device, TileSpec(weight_range=64.0), learning_rate)
        self.start = self.weights().copy()
        self.grid = grid
        self.sent_up = np.zeros(self.shape, np.int64)
        self.sent_down = np.zeros(self.shape, np.int64)
        self.offered = np.zeros(self.shape, np.int64)
        tile = self.tiles[0]
        update = tile.update

        def counting(x: torch.Tensor, d: torch.Tensor) -> None:
            rows, lines = x.numpy().astype(np.int64), d.numpy()
            assert set(np.unique(rows)) <= {0, 1}
            assert set(np.unique(lines)) <= {-1.0, 0.0, 1.0}
            self.sent_up += rows.T @ (lines < 0)
            self.sent_down += rows.T @ (lines > 0)
            update(x, d)

        tile.update = counting

    def update(self, block: PulseBlock) -> None:
        for _, _, pre, post, _ in rows_of(block):
            np.add.at(self.offered, np.ix_(pre, np.unique(post)), 1)
            doubled = post[np.bincount(post, minlength=self.shape[1])[post] == 2]
            np.add.at(self.offered, np.ix_(pre, np.unique(doubled)), 1)
        super().update(block)


@pytest.mark.parametrize("thinned", [False, True], ids=["every pulse", "thinned"])
@pytest.mark.parametrize(
    "gradient",
    [GradientSpec(), GradientSpec(branches="unbounded", switch="first_spike")],
    ids=["coupled", "both streams in a slot"],
)
def test_every_weight_is_start_plus_step_times_net_pulses_exactly(
    data: Dataset, thinned: bool, gradient: GradientSpec
) -> None:
    """Pulses are counted over one epoch, both at the tile and on the side of the network."""
    wanted_share = 0.3
    spec = NETWORK.model_copy(update={"gradient": gradient})
    made: list[CountedTile] = []

    def factory(crossbar: Crossbar) -> CountedTile:
        per_coincidence = 64 * 0.25 * STEP * crossbar.batch * crossbar.T
        rate = (wanted_share if thinned else 1.0) * per_coincidence / crossbar.gain / crossbar.theta
        made.append(CountedTile(crossbar, rate))
        return made[-1]

    with train(spec, TrainingSpec(epochs=1, batch=20), factory, data, seed=0) as trained:
        statistics = trained.statistics()
    for synapses in made:
        sent = [synapses.sent_up, synapses.sent_down]
        np.testing.assert_array_equal(list(synapses.pulse_counts().values()), sent)
        net = synapses.sent_up - synapses.sent_down
        assert np.abs(net).max() > 10
        np.testing.assert_array_equal(synapses.weights(), synapses.start + synapses.grid * net)
        sent = synapses.sent_up + synapses.sent_down
        if thinned:
            assert synapses.keep == pytest.approx(wanted_share)
            assert np.all(sent <= synapses.offered)
            assert sent.sum() / synapses.offered.sum() == pytest.approx(wanted_share, abs=0.02)
        else:
            np.testing.assert_array_equal(sent, synapses.offered)
    assert statistics["pulses_up_total"] == sum(int(s.sent_up.sum()) for s in made)
    assert statistics["pulses_down_total"] == sum(int(s.sent_down.sum()) for s in made)


def run(
    data: Dataset,
    device: str,
    overrides: dict[str, float] | None = None,
    *,
    epochs: int = 1,
    tile: TileSpec | None = None,
) -> tuple[float, list[np.ndarray]]:
    """Returns validation accuracy and final weights of a short run on a device."""
    factory = device_synapses(get_preset(device, overrides), tile or TileSpec(), 4.0)
    training = TrainingSpec(epochs=epochs, batch=20)
    with train(NETWORK, training, factory, data, seed=0) as trained:
        weights = [s.weights() for s in trained.network.synapses if isinstance(s, TileSynapses)]
        return trained.epochs[-1].validation_accuracy, weights


def test_training_inside_devices_learns_and_a_bad_device_scores_worse(data: Dataset) -> None:
    good, _ = run(data, "ideal", epochs=8)
    bad, _ = run(data, "ideal", {"levels": 12}, epochs=8)
    assert good > 0.7
    assert bad < good - 0.15


def test_reads_through_aihwkit_without_error_agree_with_ideal_reads(data: Dataset) -> None:
    """Slot-by-slot reads lead to the same weights, up to rounding of the currents."""
    small = load_dataset("digits", n_train=40, n_test=None, validation_share=0.25, seed=0)
    _, compiled = run(small, "ideal")
    _, stepped = run(small, "ideal", tile=TileSpec(reads=ReadSpec()))
    for a, b in zip(compiled, stepped, strict=True):
        assert np.mean(np.abs(a - b) > 1e-3) < 0.02


@pytest.mark.parametrize("simulator", ["aihwkit", "native"])
def test_a_device_may_be_named(simulator: Literal["aihwkit", "native"], data: Dataset) -> None:
    tile, weights = TileSpec(simulator=simulator), []
    for device in ("ideal", get_preset("ideal", {"cycle_to_cycle": 0.0})):
        factory = device_synapses(device, tile, 1.0)
        with train(NETWORK, TrainingSpec(epochs=0), factory, data, seed=0) as trained:
            weights.append(trained.network.synapses[0].weights().copy())
    np.testing.assert_array_equal(*weights)
    with pytest.raises(InputError, match="'idel' is not allowed; did you mean ideal"):
        device_synapses("idel", tile, 1.0)
