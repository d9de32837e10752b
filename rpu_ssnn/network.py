"""The SSNN-BP network: presentations in, output counts and pulses out.

Forward pass, backward pass and weight update run concurrently, slot by slot; no train is stored.
The network knows its weights only as `Synapses`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Self

import numpy as np
from jaxtyping import Float32, Int16, Int64

from rpu_ssnn.at_once import LaneThreads, at_once
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.crossbars import Reads, make_synapses
from rpu_ssnn.engine import kernel
from rpu_ssnn.engine.abreast import Abreast
from rpu_ssnn.engine.decisions import advance_deciding
from rpu_ssnn.engine.recording import advance_recording
from rpu_ssnn.engine.state import (
    Ahead,
    Buffers,
    Lane,
    Presentations,
    make_ahead,
    make_buffers,
    make_lane,
    make_plan,
)
from rpu_ssnn.engine.stepped import advance_stepped
from rpu_ssnn.in_order import InOrder
from rpu_ssnn.spec import RATES_NEED_PRESENTATIONS, NetworkSpec, Schedule, TrainingSpec
from rpu_ssnn.spike_trains import SpikeTrains
from rpu_ssnn.synapses.base import PulseBlock, SynapsesFactory, Weights
from rpu_ssnn.training_state import State, joined, part_of

type Input = Float32[np.ndarray, "batch n_in"] | SpikeTrains
"""What a batch shows: average spikes a slot of each input line, or the spikes themselves."""

PAUSE: dict[Schedule, int] = {
    "batch": kernel.RUN_THROUGH,
    "presentation": kernel.STOP_AFTER_PRESENTATION,
    "slot": kernel.STOP_AFTER_SLOT,
}


class Network:
    """A network of given layer sizes over given synapses.

    Args:
        spec: neurons, encoding, gradient streams, inhibition.
        training: batch, schedule and dropout.
        sizes: lines of each layer, input first.
        factory: makes the synapses of each crossbar.
        seed: of the initial weights and of the synapses' own draws.
        threads: lanes that share the presentations of a batch. Where reads see each change of a
            weight at once, or are no matrix products, training takes one lane whatever is asked.
            Devices get their pulses in the order of the presentations however many lanes there
            are.
        initial: weights [n_in, n_out] of each crossbar to start from; None: He initialisation.
    """

    def __init__(
        self,
        spec: NetworkSpec,
        training: TrainingSpec,
        sizes: tuple[int, ...],
        factory: SynapsesFactory,
        seed: np.random.SeedSequence,
        threads: int = 1,
        initial: Sequence[Weights] | None = None,
    ) -> None:
        self.spec, self.training, self.sizes = spec, training, sizes
        self.synapses = make_synapses(spec, training, sizes, factory, seed, initial)
        self._training_plan = make_plan(spec, sizes, training)
        self._inference_plan = make_plan(spec, sizes)
        if training.schedule == "slot" and any(s.needs_all_spikes for s in self.synapses):
            raise InputError("training", "schedule", "slot", RATES_NEED_PRESENTATIONS)
        self._reads = Reads(self.synapses, ahead=training.schedule != "slot")
        lanes = threads if training.schedule == "batch" and self._reads.linear else 1
        all_spikes = tuple(s.needs_all_spikes for s in self.synapses)
        self._lanes = [make_lane(self._training_plan) for _ in range(threads)]
        self._ahead = [make_ahead(self._training_plan) for _ in range(threads)]
        self._no_pulses = make_buffers(self._inference_plan, all_spikes)
        self._abreast = None
        if not self._reads.linear:
            waits = training.schedule == "batch"  # so that no read sees another's pulses
            self._abreast = Abreast(self._training_plan, all_spikes if waits else None)
        self._pool = LaneThreads(max(1, threads - 1))
        self._in_order, self._buffers = None, list[Buffers]()
        if lanes > 1 and any(s.ordered for s in self.synapses):
            self._in_order = InOrder(
                self._training_plan, self._lanes, self._ahead, all_spikes, self._pool, self._hand_on
            )
        else:
            self._buffers = [make_buffers(self._training_plan, all_spikes) for _ in range(lanes)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown()

    def train_batch(
        self,
        rates: Input,
        labels: Int64[np.ndarray, " batch"],
        rng: np.random.Generator,
    ) -> Presentations:
        """Show a batch (at most `training.batch` presentations) and let the synapses learn.

        Args:
            rates: average spikes a slot of each input line, or the spikes themselves, which are
                shown up to slot T.
            rng: everything random in the presentations is drawn from keys taken from it.

        Raises:
            ValueError: more presentations than a batch, or shapes or labels that do not fit the
                network (the compiled pass checks no bounds).
        """
        if len(rates) > self.training.batch:
            raise ValueError(f"{len(rates)} presentations exceed the batch, {self.training.batch}")
        if len(labels) and not 0 <= labels.min() <= labels.max() < self.sizes[-1]:
            raise ValueError(f"labels must be at least 0 and below {self.sizes[-1]}")
        shown = self._presentations(rates, labels, rng)
        self._run(shown)
        if self.training.schedule == "batch":
            self._commit(range(len(labels)))
        for synapses in self.synapses:
            synapses.end_batch()
        self._reads.refresh()
        return shown

    def infer(self, rates: Input, rng: np.random.Generator) -> Presentations:
        """Show presentations without label, gradient, dropout or update."""
        if self._in_order is not None:
            self._in_order.settle()
        self._reads.refresh()
        shown = self._presentations(rates, np.zeros(len(rates), dtype=np.int64), rng)
        plan, reads = self._inference_plan, self._reads
        if self._abreast is not None:
            self._abreast.infer(plan, shown, self.synapses)
            return shown

        def run(lane: Lane, ahead: Ahead, start: int, stop: int) -> None:
            lane.place[:] = (start, 0, 0)
            kernel.advance(
                plan, lane, shown, stop, reads.flat, reads.transposed, reads.blocks, ahead,
                self._no_pulses, False, kernel.RUN_THROUGH,
            )  # fmt: skip

        bounds = np.linspace(0, len(rates), len(self._lanes) + 1).astype(int)
        at_once(self._pool, run, self._lanes, self._ahead, bounds[:-1], bounds[1:])
        return shown

    def decisions(self, rates: Input, rng: np.random.Generator) -> Int16[np.ndarray, "batch slots"]:
        """The class that leads after each slot, of the same presentations that `infer` shows.

        Raises:
            ValueError: reads are not matrix products, or shapes do not fit.
        """
        shown = self._watched(rates, rng)
        leading = np.zeros((len(rates), self.spec.slots), dtype=np.int16)
        advance_deciding(
            self._inference_plan, self._lanes[0], shown, len(rates), self._reads.all_flat(), leading
        )
        return leading

    def spike_counts(
        self, rates: Input, rng: np.random.Generator, window: int
    ) -> Float32[np.ndarray, "batch windows lines"]:
        """Spikes of every line, input layer first, in each window of slots; no learning.

        The one place where trains of whole presentations are kept: the memory grows with T.

        Raises:
            ValueError: reads are not matrix products, or shapes do not fit.
        """
        shown = self._watched(rates, rng)
        windows = -(-self.spec.slots // window)
        lines = int(self._inference_plan.event_start[-1])
        counts = np.zeros((len(rates), windows, lines), dtype=np.float32)
        advance_recording(
            self._inference_plan, self._lanes[0], shown, len(rates), window,
            self._reads.all_flat(), counts,
        )  # fmt: skip
        return counts

    def _watched(self, rates: Input, rng: np.random.Generator) -> Presentations:
        self._reads.refresh()
        if not self._reads.linear:
            raise ValueError("trains are watched where reads are matrix products only")
        self._lanes[0].place[:] = (0, 0, 0)
        return self._presentations(rates, np.zeros(len(rates), dtype=np.int64), rng)

    def state(self) -> State:
        """That of all crossbars, between batches."""
        return joined({f"crossbar_{n}": s.state() for n, s in enumerate(self.synapses, 1)})

    def restore(self, state: State) -> None:
        """Go on from the state of a network that was built just as this one.

        Raises:
            StateError: it is that of another.
        """
        for n, synapses in enumerate(self.synapses, 1):
            synapses.restore(part_of(state, f"crossbar_{n}"))
        self._reads.refresh()

    def check_finite(self) -> None:
        """Raises FloatingPointError where a weight is not a finite number."""
        for place, synapses in enumerate(self.synapses, start=1):
            weights = synapses.linear_read()
            if weights is not None and not np.isfinite(weights).all():
                raise FloatingPointError(f"weights of crossbar {place} are not finite numbers")

    def _presentations(
        self,
        rates: Input,
        labels: Int64[np.ndarray, " batch"],
        rng: np.random.Generator,
    ) -> Presentations:
        if rates.shape != (len(labels), self.sizes[0]):
            raise ValueError(
                f"rates must have shape {(len(labels), self.sizes[0])}, not {rates.shape}"
            )
        n, layers = len(rates), len(self._training_plan.size)
        shown = Presentations(
            rates=np.zeros((0, 0), dtype=np.float32) if isinstance(rates, SpikeTrains) else rates,
            labels=labels,
            keys=rng.integers(2**64, size=n, dtype=np.uint64),
            output_counts=np.zeros((n, self.sizes[-1]), dtype=np.int32),
            spikes=np.zeros((n, layers), dtype=np.int64),
            gradient_spikes=np.zeros((n, layers), dtype=np.int64),
        )
        if not isinstance(rates, SpikeTrains):
            return shown
        return shown._replace(given_start=rates.start, given_slot=rates.slot, given_line=rates.line)

    def _run(self, shown: Presentations) -> None:
        """Train on all presentations: abreast, in order, or every lane on its share of them."""
        if self._abreast is not None and self._abreast.learns:
            for out in self._abreast.train(self._training_plan, shown, self.synapses):
                self._hand_on(out)
        elif self._in_order is not None:
            self._in_order.train(shown, self._reads)
        else:
            lanes = len(self._buffers)
            bounds = np.linspace(0, len(shown.labels), lanes + 1).astype(int)
            at_once(
                self._pool, partial(self._run_lane, shown), range(lanes), bounds[:-1], bounds[1:]
            )

    def _run_lane(self, shown: Presentations, place: int, start: int, stop: int) -> None:
        """Train on presentations [start, stop), handing pulses on whenever a buffer fills."""
        lane, out = self._lanes[place], self._buffers[place]
        lane.place[:] = (start, 0, 0)
        plan, reads, schedule = self._training_plan, self._reads, self.training.schedule
        status = kernel.PAUSED
        while status != kernel.DONE:
            done_before = int(lane.place[0])
            if reads.linear:
                status = kernel.advance(
                    plan, lane, shown, stop, reads.flat, reads.transposed, reads.blocks,
                    self._ahead[place], out, True, PAUSE[schedule],
                )  # fmt: skip
            else:
                status = advance_stepped(
                    plan, lane, shown, stop, self.synapses, out, PAUSE[schedule]
                )
            self._hand_on(out)
            if status == kernel.BOUNDARY:
                self._commit(range(done_before, int(lane.place[0])))
                reads.refresh()

    def _hand_on(self, out: Buffers) -> None:
        """Give the synapses the pulses of a buffer, and empty it."""
        for layer, synapses in enumerate(self.synapses):
            if out.rows[layer]:
                synapses.update(_block(out, layer))
        out.rows[:] = 0

    def _commit(self, presentations: range) -> None:
        for synapses in self.synapses:
            synapses.commit(presentations)


def _block(out: Buffers, layer: int) -> PulseBlock:
    rows = int(out.rows[layer])
    pre_start = out.pre_start[layer, : rows + 1]
    post_start = out.post_start[layer, : rows + 1]
    return PulseBlock(
        sample=out.sample[layer, :rows],
        slot=out.slot[layer, :rows],
        pre_start=pre_start,
        pre=out.pre[layer, : pre_start[-1]],
        post_start=post_start,
        post=out.post[layer, : post_start[-1]],
        sign=out.sign[layer, : post_start[-1]],
    )
