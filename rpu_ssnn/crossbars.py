"""The crossbars of a network: synapses that start from He initialisation, and how they are read."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float32

from rpu_ssnn.engine.block_layout import in_blocks
from rpu_ssnn.engine.block_rows import BLOCK
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.synapses.base import Crossbar, Synapses, SynapsesFactory, Weights


def make_synapses(
    spec: NetworkSpec,
    training: TrainingSpec,
    sizes: tuple[int, ...],
    factory: SynapsesFactory,
    seed: np.random.SeedSequence,
    initial: Sequence[Weights] | None,
) -> list[Synapses]:
    """Synapses that start from `initial` or from He initialisation scaled by theta.

    The scale keeps a layer's rates at the size of those below it.
    """
    synapses = []
    for layer, gain in enumerate(spec.gains()):
        weight_seed, own_seed = seed.spawn(2)
        n_in, n_out = sizes[layer], sizes[layer + 1]
        he_std = spec.neuron.theta * float(np.sqrt(2.0 / n_in))
        if initial is None:
            normal = np.random.default_rng(weight_seed).standard_normal((n_in, n_out))
            start = (he_std * normal).astype(np.float32)
        else:
            start = np.asarray(initial[layer], dtype=np.float32)
        share = training.dropout_input if layer == 0 else training.dropout_hidden
        synapses.append(
            factory(
                Crossbar(
                    initial=start,
                    theta=spec.neuron.theta,
                    he_std=he_std,
                    gain=gain / (1.0 - share),
                    T=spec.T,
                    slots=spec.slots,
                    batch=training.batch,
                    seed=int(own_seed.generate_state(1, np.uint64)[0]),
                )
            )
        )
    return synapses


class Reads:
    """The matrices that linear reads see, in the layouts the compiled pass adds up rows of.

    Args:
        synapses: of all crossbars.
        ahead: keep the first crossbar in blocks of columns too, to be read ahead.
    """

    def __init__(self, synapses: list[Synapses], ahead: bool) -> None:
        self._synapses = synapses
        ends = np.cumsum([0, *(a * b for a, b in (s.shape for s in synapses))])
        self._spans = [slice(a, b) for a, b in pairwise(ends)]
        self.flat = np.zeros(ends[-1], dtype=np.float32)
        self.transposed = np.zeros(ends[-1], dtype=np.float32)
        n_in, n_out = synapses[0].shape
        self.blocks = np.zeros(-(-n_out // BLOCK) * BLOCK * n_in if ahead else 0, dtype=np.float32)
        self._seen = [-1] * len(synapses)
        self._first_is_flat = False
        self.linear = True
        self.refresh()

    def refresh(self) -> None:
        """Read what has changed since the last refresh."""
        for layer, (synapses, span) in enumerate(zip(self._synapses, self._spans, strict=True)):
            if synapses.changes == self._seen[layer]:
                continue
            weights = synapses.linear_read()
            if weights is None:
                self.linear = False
                return
            self._seen[layer] = synapses.changes
            n_in, n_out = synapses.shape
            if layer == 0 and len(self.blocks):
                in_blocks(weights, self.blocks)
                self._first_is_flat = False
            else:
                self.flat[span].reshape(n_in, n_out)[:] = weights
            if layer > 0:  # nothing goes back through the first crossbar
                self.transposed[span].reshape(n_out, n_in)[:] = weights.T

    def all_flat(self) -> Float32[np.ndarray, " weights"]:
        """`flat` with the first crossbar, which has no place in it while it is read ahead."""
        if len(self.blocks) and not self._first_is_flat:
            weights = self._synapses[0].linear_read()
            assert weights is not None, "blocks are kept of linear reads only"
            self.flat[self._spans[0]].reshape(weights.shape)[:] = weights
            self._first_is_flat = True
        return self.flat
