"""The pass over time must not depend on threads or on how reads are made."""

from typing import Any

import numpy as np
import pytest

from rpu_ssnn.engine.state import NO_RECORDING
from rpu_ssnn.engine.strategies import batched
from rpu_ssnn.spec import TrainingSpec
from rpu_ssnn.synapses import CoincidenceSynapses, PulseBlock, coincidence_synapses, rate_synapses
from support.rpu_ssnn.equations import presentations
from support.rpu_ssnn.passes import VARIANTS, ReadsSlotBySlot, coarse, make_network, trained_weights


@pytest.mark.parametrize("together", [64, 3, 1])
@pytest.mark.parametrize("name", VARIANTS)
def test_slots_are_read_alike(name: str, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The presentations of a batch form one group, three, or come one by one (as for a long T)."""
    monkeypatch.setattr(batched, "MOST_TOGETHER", together)
    training = TrainingSpec(batch=10)
    made = make_network(VARIANTS[name], coarse(CoincidenceSynapses, 1.0), training)
    compiled = trained_weights(made)
    by_calls = trained_weights(make_network(VARIANTS[name], coarse(ReadsSlotBySlot, 1.0), training))
    start = make_network(VARIANTS[name], coarse(CoincidenceSynapses, 1.0), training).synapses
    for a, b, s in zip(compiled, by_calls, start, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - s.linear_read()).max() > 0


@pytest.mark.parametrize("name", ["default", "delayed", "neurons with every fault"])
@pytest.mark.parametrize("schedule", ["batch", "presentation"])
@pytest.mark.parametrize("factory", [rate_synapses(1.0), coincidence_synapses(1.0)])
def test_threads_change_no_number(factory, schedule, name: str) -> None:  # type: ignore[no-untyped-def]
    training = TrainingSpec(batch=15, schedule=schedule, dropout_input=0.1, dropout_hidden=0.2)
    one, three = (
        trained_weights(make_network(VARIANTS[name], factory, training, threads))
        for threads in (1, 3)
    )
    for a, b in zip(one, three, strict=True):
        np.testing.assert_array_equal(a, b)


def test_schedules_see_their_own_weights() -> None:
    """The schedules slot, presentation and batch differ only in the weights that reads see."""

    def weights(schedule: Any, batch: int) -> np.ndarray:
        training = TrainingSpec(batch=batch, schedule=schedule)
        network = make_network(VARIANTS["default"], coincidence_synapses(20.0), training)
        return trained_weights(network)[0]

    slot, presentation, batch = (weights(each, 10) for each in ("slot", "presentation", "batch"))
    assert not np.array_equal(slot, presentation)
    assert not np.array_equal(presentation, batch)
    np.testing.assert_array_equal(weights("presentation", 1), weights("batch", 1))


class OffsetReads(ReadsSlotBySlot):
    """Adds a current to each read, as noise would; it must reach only neurons that were read."""

    def currents(self, lines: np.ndarray, transposed: bool = False) -> np.ndarray:
        return super().currents(lines, transposed) + np.float32(0.5)


def test_inference_does_not_depend_on_what_steps_together(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make_network(VARIANTS["default"], coarse(OffsetReads, 1.0), TrainingSpec())
    rates = presentations(30).rates * np.linspace(0.02, 1, 30, dtype=np.float32)[:, None]
    with network:
        together = network.infer(rates, np.random.default_rng(3))
        alone = network.infer(rates, np.random.default_rng(3))
        alone.output_counts[:] = 0
        alone.spikes[:] = 0
        monkeypatch.setattr(batched, "MOST_TOGETHER", 1)
        network._strategy.infer(alone, NO_RECORDING)
    np.testing.assert_array_equal(together.output_counts, alone.output_counts)
    np.testing.assert_array_equal(together.spikes, alone.spikes)
    assert together.output_counts.sum() > 20


@pytest.mark.parametrize("name", ["serial", "threaded", "batched"])
def test_an_interrupted_batch_leaves_no_pulses(name: str) -> None:
    class Interrupted(ReadsSlotBySlot if name == "batched" else CoincidenceSynapses):  # type: ignore[misc]
        interrupt = False

        def update(self, block: PulseBlock) -> None:
            if self.interrupt and self.shape[1] == 4:  # The first crossbar already has its pulses.
                raise KeyboardInterrupt
            super().update(block)

    def weights(interrupt: bool) -> list[np.ndarray]:
        training = TrainingSpec(batch=10)
        factory, threads = coarse(Interrupted, 1.0), 2 if name == "threaded" else 1
        shown = presentations(10)
        with make_network(VARIANTS["default"], factory, training, threads) as network:
            if interrupt:
                Interrupted.interrupt = True
                with pytest.raises(KeyboardInterrupt):
                    network.train_batch(shown.rates, shown.labels, np.random.default_rng(8))
                Interrupted.interrupt = False
            network.train_batch(shown.rates, shown.labels, np.random.default_rng(8))
            return [s._weights for s in network.synapses]  # type: ignore[attr-defined]

    for after, alone in zip(weights(True), weights(False), strict=True):
        np.testing.assert_array_equal(after, alone)
