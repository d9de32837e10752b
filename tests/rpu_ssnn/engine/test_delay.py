"""Tests the spikes that meet in a slot, where forward ones may wait for their gradient."""

import numpy as np
import pytest

from rpu_ssnn.spec import GradientSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import coincidence_synapses, rate_synapses
from support.rpu_ssnn.equations import Trace, presentations
from support.rpu_ssnn.passes import VARIANTS, Recorder, make_network, trained_weights


class SlotRecorder(Recorder):
    """Records every slot, even without coincidences, since to a device each slot matters."""

    needs_presentations = False


@pytest.mark.parametrize(
    ("delay", "delays", "kind"), [(0.0, (0, 0, 0), Recorder), (0.75, (9, 4, 0), SlotRecorder)]
)
def test_a_pulse_row_is_one_slot_s_spikes_after_their_wait(
    delay: float, delays: tuple[int, ...], kind: type[Recorder]
) -> None:
    """Spikes wait for each crossbar above, by round(0.75 x 6 x 2) and round(0.75 x 6 x 1) slots; a
    presentation begins with empty registers."""
    spec = NetworkSpec(hidden=(70, 9), T=60, gradient=GradientSpec(delay=delay))
    assert spec.delays == delays
    network = make_network(spec, lambda c: kind(c, 1.0), TrainingSpec(batch=2))
    shown = presentations(2, (12, 70, 9, 4), layers=4)
    weights = tuple(s.linear_read().copy() for s in network.synapses)
    with network:
        network.train_batch(shown.rates, shown.labels, np.random.default_rng(5))
    shown.keys[:] = np.random.default_rng(5).integers(2**64, size=2, dtype=np.uint64)
    for layer, synapses in enumerate(network.synapses):
        for b in range(2):
            one = shown._replace(**{k: v[b : b + 1] for k, v in shown._asdict().items() if len(v)})
            trace = Trace(spec, weights, one)
            expected = []
            for t in range(spec.slots):
                then = t - spec.delays[layer]
                pre = np.flatnonzero(trace.trains[layer][then]) if then >= 0 else []
                up = np.flatnonzero(trace.up[layer + 1][t])
                down = np.flatnonzero(trace.down[layer + 1][t])
                if len(pre) or len(up) or len(down):
                    expected.append((b, (*pre,), (*(up * 2 + 1), *(down * 2))))
            assert [row for row in synapses.rows if row[0] == b] == expected
            assert len(expected) > 30


def test_whole_trains_need_not_wait() -> None:
    """Eq. 9 counts all spikes of a presentation, so the last ones are not lost to a delay."""
    for factory, same in ((rate_synapses(1.0), True), (coincidence_synapses(1.0), False)):
        at_once, delayed = (
            trained_weights(make_network(VARIANTS[name], factory, TrainingSpec(batch=10)))
            for name in ("two hidden layers", "delayed")
        )
        equal = [np.array_equal(a, b) for a, b in zip(at_once, delayed, strict=True)]
        assert all(equal) if same else not any(equal[:2])
