"""Tests the list of given spikes, and how the engine presents them."""

import numpy as np
import pytest

from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.data.time_series import level_edges, level_spikes, read_ts
from rpu_ssnn.data.yin_yang import classes_of, latency_spikes, points
from rpu_ssnn.engine.parameters import make_parameters
from rpu_ssnn.engine.state import make_worker_state
from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.synapses import rate_synapses
from support.commands import refused
from support.rpu_ssnn import compiled_parts

RNG = np.random.default_rng(8)
DENSE = RNG.random((20, 15, 12)) < 0.2


def trains_of(dense: np.ndarray) -> SpikeTrains:
    recording, slot, line = np.nonzero(dense)
    return SpikeTrains.of_events(recording, slot, line, len(dense), dense.shape[2])


def dense_of(trains: SpikeTrains, slots: int) -> np.ndarray:
    dense = np.zeros((len(trains), slots, trains.lines), dtype=bool)
    dense[trains.recording, trains.slot, trains.line] = True
    return dense


def test_a_list_of_spikes_is_indexed_as_an_array_is() -> None:
    trains = trains_of(DENSE)
    assert trains.shape == (20, 12)
    for chosen in (slice(3, 9), np.array([5, 0, 5]), np.arange(20) % 2 == 0, slice(0, 0)):
        assert np.array_equal(dense_of(trains[chosen], 15), DENSE[chosen])
    assert np.array_equal(trains.counts(), DENSE.sum(axis=1))
    with pytest.raises(ValueError, match="line must be at least 0 and below 12"):
        SpikeTrains.of_events(np.array([0]), np.array([0]), np.array([12]), 1, 12)


def test_shuffling_time_keeps_counts_and_what_spikes_together() -> None:
    trains = trains_of(DENSE)
    shuffled = trains.time_shuffled(np.random.default_rng(0))
    assert np.array_equal(shuffled.counts(), trains.counts())
    assert not np.array_equal(dense_of(shuffled, 15), DENSE)
    for one, other in zip(DENSE, dense_of(shuffled, 15), strict=True):
        assert sorted(map(tuple, one)) == sorted(map(tuple, other))


def test_the_engine_shows_exactly_the_given_spikes_up_to_T() -> None:
    spec = NetworkSpec(hidden=(9,), T=12)
    trains, rates = trains_of(DENSE), rate_synapses(1.0)
    layers, seed = connect((9,), 12, 3), np.random.SeedSequence(0)
    with Network(spec, TrainingSpec(batch=20), layers, rates, seed) as network:
        counted = network.infer(trains, np.random.default_rng(0)).spikes[:, 0]
        assert np.array_equal(counted, DENSE[:, :12].sum(axis=(1, 2)))
        windows = network.spike_counts(trains, np.random.default_rng(0), window=1)
        assert np.array_equal(windows[:, :12, :12], DENSE[:, :12])
        assert not windows[:, 12:, :12].any()


def test_input_dropout_takes_whole_lines() -> None:
    layers, spec = connect((9,), 12, 3), NetworkSpec(hidden=(9,), T=15)
    training = TrainingSpec(batch=40, dropout_input=0.5)
    net = make_parameters(spec, layers, training)
    state, trains = make_worker_state(net), trains_of(np.ones((40, 15, 12), dtype=bool))
    with Network(spec, training, layers, rate_synapses(1.0), np.random.SeedSequence(0)) as network:
        shown = network._presentations(trains, np.zeros(40, np.int64), np.random.default_rng(1))
    kept = np.zeros((40, 15, 12), dtype=bool)
    for b in range(40):
        state.position[:] = (b, 0, 1)
        compiled_parts.begin(net, state, shown, True)
        for t in range(15):
            compiled_parts.draw_input(net, state, shown, t)
            kept[b, t, state.events[: state.event_count[0]]] = True
    assert np.array_equal(kept.any(axis=1), kept.all(axis=1))
    assert 0.4 < kept.mean() < 0.6


def test_level_spikes_are_one_a_channel_and_point() -> None:
    series = [RNG.normal(size=(2, n)) for n in (5, 9)]
    edges = level_edges(series, 4)
    trains = level_spikes(series, edges)
    assert trains.shape == (2, 8)
    assert np.bincount(trains[1].slot).tolist() == [2] * 9
    for c in range(2):
        lines = trains[0].line[trains[0].line // 4 == c] % 4
        expected = (series[0][c][:, None] >= edges[c]).sum(axis=1)
        assert sorted(lines) == sorted(expected)
    assert level_edges([np.arange(100.0)[None]], 4).ravel() == pytest.approx([24.75, 49.5, 74.25])


def test_ts_files(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "s.ts"
    path.write_text("@dimensions 2\n@data\n1,2,3:4,5,6:one\n7,8:9,10:two\n")
    series = read_ts(path, 2)
    assert series.labels == ["one", "two"]
    assert series.values[1].tolist() == [[7, 8], [9, 10]]
    path.write_text("@data\n1,2:nan,3:one\n")
    with refused("line 2: '1,2:nan,3:one'", "finite numbers"):
        read_ts(path, 2)


def test_yin_yang_is_balanced_and_its_dots_are_dots() -> None:
    values, labels = points(300, np.random.default_rng(0))
    assert np.bincount(labels).tolist() == [100, 100, 100]
    assert np.allclose(values[:, 2:], 1 - values[:, :2])
    middles = np.array([[0.75, 0.5], [0.25, 0.5]])
    distance = np.hypot(*(values[labels == 2, None, :2] - middles).T).min(axis=0)
    assert distance.max() <= 0.1
    assert classes_of(np.array([0.75, 0.5]), np.array([0.5, 0.95])).tolist()[0] == 2
    spikes = latency_spikes(values, 30)
    assert (spikes.counts() == 1).all()
