"""The SSNN-BP network: shows presentations, returns output counts, sends pulses to synapses.

Forward pass, backward pass and weight update run concurrently, slot by slot; no train is stored.
Weights are behind the interface `Synapses`.
"""

from collections.abc import Sequence
from math import prod
from typing import Self

import numpy as np
from jaxtyping import Float32, Int64

from rpu_ssnn.common.errors import InputError, require_kind, require_whole
from rpu_ssnn.common.parallel import WorkerThreads
from rpu_ssnn.common.training_state import State, StateError, joined, part_of
from rpu_ssnn.data.spike_trains import SpikeTrains
from rpu_ssnn.engine.parameters import draw_neurons, make_parameters
from rpu_ssnn.engine.state import (
    NO_RECORDING,
    Presentations,
    Recording,
    make_presentations,
    make_recording,
)
from rpu_ssnn.engine.strategies import Batched, WeightCopies, Workers
from rpu_ssnn.network.events import TRAINING, events_of
from rpu_ssnn.spec import (
    RATES_NEED_PRESENTATIONS,
    Connection,
    NetworkSpec,
    TrainingSpec,
    connect,
    lines_of,
    slot_cycles,
)
from rpu_ssnn.synapses.base import Crossbar, Synapses, SynapsesFactory, Weights, normal_weights

type Input = Float32[np.ndarray, "batch n_in"] | SpikeTrains
"""Input of a batch: average spikes per slot of each input line, or the spikes themselves."""


class Network:
    """Simulates a network with given synapses.

    Args:
        spec: neurons, encoding, gradient streams, inhibition.
        training: batch, schedule and dropout.
        connections: the connection that each crossbar makes (`spec.connect`), first to last.
        factory: makes the synapses of each crossbar.
        seed: determines the initial weights and the random numbers of the synapses.
        threads: workers that share the presentations of a batch; `engine.strategies` says when
            training uses only one. Results of float weights, and of devices read as matrices, do
            not depend on it.
        initial: weights [n_in, n_out] of each crossbar to start from, or None for He
            initialisation.

    Raises:
        InputError: an argument has another type, there is less than 1 thread, or synapses do not
            support the schedule.
        ValueError: the connections are not those of the layers of `spec`, or `initial` has other
            shapes.

    Attributes:
        sizes: lines of each layer, input first.
        neurons: the circuits of imperfect neurons, or None where neurons are perfect.
        seed_state: the `state` of the seed before it was used, from which the circuits are drawn.
        events: sums over all presentations in training (`network.events`).

    >>> import numpy as np
    >>> from rpu_ssnn import Network, NetworkSpec, TrainingSpec, rate_synapses
    >>> from rpu_ssnn.spec import connect
    >>> spec, seed = NetworkSpec(hidden=(6,), T=20), np.random.SeedSequence(0)
    >>> layers, rates = connect(spec.hidden, 8, 2), np.full((4, 8), 0.3, dtype=np.float32)
    >>> with Network(spec, TrainingSpec(batch=4), layers, rate_synapses(1.0), seed) as network:
    ...     shown = network.train_batch(rates, np.array([0, 1, 0, 1]), np.random.default_rng(0))
    >>> shown.output_counts.shape, shown.spikes.shape
    ((4, 2), (4, 3))
    """

    def __init__(
        self,
        spec: NetworkSpec,
        training: TrainingSpec,
        connections: Sequence[Connection],
        factory: SynapsesFactory,
        seed: np.random.SeedSequence,
        threads: int = 1,
        initial: Sequence[Weights] | None = None,
    ) -> None:
        require_kind("network", "spec", spec, NetworkSpec)
        require_kind("network", "seed", seed, np.random.SeedSequence)
        require_whole("network", "threads", threads, 1)
        for connection in connections:
            require_kind("network", "connections", connection, Connection)
        image, n_out = connections[0].before, connections[-1].channels
        if tuple(connections) != connect(spec.hidden_layers, prod(image), n_out, image):
            raise ValueError(f"connections must be those of the layers {spec.hidden_layers}")
        self.spec, self.training, self.connections = spec, training, connections
        self.sizes = lines_of(connections)
        self.seed_state = seed.state
        self._pool = WorkerThreads(max(1, threads - 1))
        self.synapses = self._make_synapses(factory, seed, initial, threads)
        if training.schedule == "slot" and any(s.needs_presentations for s in self.synapses):
            raise InputError("training", "schedule", "slot", RATES_NEED_PRESENTATIONS)
        counted = [each.needs_presentations for each in self.synapses]
        learning = make_parameters(spec, connections, training, counted)
        answering = make_parameters(spec.at_inference, connections)
        self.neurons = draw_neurons(spec, learning, seed)
        if self.neurons is not None:
            learning = learning._replace(circuit=self.neurons.circuit)
            answering = answering._replace(circuit=self.neurons.circuit)
        reads = WeightCopies(self.synapses)
        strategy = Workers if reads.linear else Batched
        self._strategy = strategy(
            self.synapses, reads, learning, answering, training.schedule, threads, self._pool
        )
        self.events = np.zeros((len(connections), len(TRAINING)), dtype=np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown()

    def train_batch(
        self, rates: Input, labels: Int64[np.ndarray, " batch"], rng: np.random.Generator
    ) -> Presentations:
        """Shows a batch (at most `training.batch` presentations) and lets the synapses learn.

        Args:
            rates: average spikes per slot of each input line, or the spikes themselves, which are
                shown up to slot T.
            rng: draws the key of each presentation, which determines its random numbers.

        Raises:
            ValueError: there are more presentations than a batch has, or shapes, rates or labels do
                not fit the network (`engine.state.make_presentations`).
        """
        if len(rates) > self.training.batch:
            most = self.training.batch
            raise ValueError(f"{len(rates)} presentations are more than a batch has, {most}")
        shown = self._presentations(rates, labels, rng)
        try:
            self._strategy.train(shown)
        except BaseException:
            for synapses in self.synapses:
                synapses.drop_pulses()
            raise
        if self.training.schedule == "batch":
            for synapses in self.synapses:
                synapses.commit(range(len(labels)))
        for synapses in self.synapses:
            synapses.end_batch()
        if self.neurons is not None:
            self.neurons.age(len(labels))
        self._strategy.reads.refresh()
        self.events += events_of(shown)
        return shown

    def infer(self, rates: Input, rng: np.random.Generator) -> Presentations:
        """Shows presentations without label, gradient, dropout or update."""
        return self._show(rates, rng, NO_RECORDING)

    def spike_counts(
        self, rates: Input, rng: np.random.Generator, window: int
    ) -> Float32[np.ndarray, "batch windows lines"]:
        """Returns the spikes of every line, input layer first, in each window of slots; nothing is
        learnt.

        Memory grows with T.

        Raises:
            ValueError: reads are not matrix products, or shapes do not fit.
        """
        recording = make_recording(self._strategy.inference, len(rates), window)
        self._show(rates, rng, recording)
        return recording.forward

    def state(self) -> State:
        """Returns the state of all crossbars and neurons, between batches, and the events so
        far."""
        parts = {f"crossbar_{n}": s.state() for n, s in enumerate(self.synapses, 1)}
        if self.neurons is not None:
            parts["neurons"] = self.neurons.state()
        return joined(parts) | {"events": self.events.copy()}

    def restore(self, state: State) -> None:
        """Loads the state of a network with the same settings.

        Raises:
            StateError: the state belongs to another network.
        """
        for n, synapses in enumerate(self.synapses, 1):
            synapses.restore(part_of(state, f"crossbar_{n}"))
        if "events" not in state:
            raise StateError("it has no counts of events")
        self.events[:] = state["events"]
        if self.neurons is not None:
            self.neurons.restore(part_of(state, "neurons"))
        self._strategy.reads.refresh()

    def _make_synapses(
        self,
        factory: SynapsesFactory,
        seed: np.random.SeedSequence,
        initial: Sequence[Weights] | None,
        threads: int,
    ) -> list[Synapses]:
        """Returns synapses that start from `initial`, or from He initialisation x theta x
        `initial_scale`.

        At an `initial_scale` of 1, a layer's rates are about as large as those of the layer before.

        Raises:
            ValueError: `initial` has other shapes.
            InputError: the factory makes no synapses.
        """
        spec, training, synapses = self.spec, self.training, list[Synapses]()
        theta, at_once = spec.neuron.theta, spec.positions == "at_once"
        slots = spec.slots * slot_cycles(self.connections, at_once)
        shapes = [connection.shape for connection in self.connections]
        if initial is not None and (given := [np.shape(w) for w in initial]) != shapes:
            raise ValueError(f"initial weights must have shapes {shapes}, not {given}")
        for layer, gain in enumerate(spec.gains()):
            connection, (weight_seed, own_seed) = self.connections[layer], seed.spawn(2)
            he_std = theta * float(np.sqrt(2.0 / connection.shape[0]))
            if initial is None:
                start = normal_weights(connection, spec.initial_scale * he_std, weight_seed)
            else:
                start = np.asarray(initial[layer], dtype=np.float32)
            is_output = layer == len(shapes) - 1
            share = training.dropout_input if layer == 0 else training.dropout_hidden
            made = factory(
                Crossbar(
                    initial=start,
                    theta=theta,
                    he_std=he_std,
                    gain=gain * (training.output_step if is_output else 1.0) / (1.0 - share),
                    T=spec.T,
                    slots=slots,
                    batch=training.batch,
                    seed=int(own_seed.generate_state(1, np.uint64)[0]),
                    threads=threads,
                    pool=self._pool,
                    transposed_reads=layer > 0,
                    delay=spec.delays[layer],
                    positions=connection.positions,
                    replicas=connection.replicas,
                    at_once=at_once,
                )
            )
            require_kind("network", "synapses", made, Synapses)
            synapses.append(made)
        return synapses

    def _show(self, rates: Input, rng: np.random.Generator, into: Recording) -> Presentations:
        self._strategy.reads.refresh()
        shown = self._presentations(rates, np.zeros(len(rates), dtype=np.int64), rng)
        self._strategy.infer(shown, into)
        return shown

    def _presentations(
        self, rates: Input, labels: Int64[np.ndarray, " batch"], rng: np.random.Generator
    ) -> Presentations:
        keys = rng.integers(2**64, size=len(rates), dtype=np.uint64)
        return make_presentations(self._strategy.training, rates, labels, keys)
