"""Tests forward spikes that wait for their gradient."""

import numpy as np

from rpu_ssnn.spec import GradientSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import coincidence_synapses, rate_synapses
from support.rpu_ssnn.equations import Trace, presentations
from support.rpu_ssnn.passes import VARIANTS, Recorder, make_network, trained_weights


class SlotRecorder(Recorder):
    """Records every slot, even without coincidences, since to a device each slot matters."""

    needs_presentations = False


def test_forward_spikes_wait_for_their_gradient() -> None:
    """Spikes wait for each crossbar above; a presentation begins with empty registers."""
    spec = NetworkSpec(hidden=(70, 9), T=60, gradient=GradientSpec(delay=0.75))
    assert spec.delays == (9, 4, 0)  # The delays are round(0.75 x 6 x 2) and round(0.75 x 6 x 1).
    network = make_network(spec, lambda c: SlotRecorder(c, 1.0), TrainingSpec(batch=2))
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
