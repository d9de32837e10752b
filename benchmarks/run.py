"""Measures speed and memory as ratios within one run; `make bench` calls it.

1. One ideal training step (64 presentations, with a dense and with a convolutional network) is
   compared with snnTorch's surrogate gradient and a step of a float network of the same layers.
2. A device-mode epoch (784-1280-10, T = 50, capacitor) is compared with bare `tile.update` calls.
3. Peak memory at T = 10,000 is compared with T = 50.

Images are scikit-learn's digits, enlarged and sharpened to MNIST's size, ink and grey level, so
that no data folder is needed and networks learn as they do in a study.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from timing_in_turn import BATCHES, DEVICE_BATCH, SPANS, Rows, bare, milliseconds, ratios, steps

from device_presets import get_preset
from rpu_ssnn.network import Network
from rpu_ssnn.spec import NetworkSpec, TrainingSpec, connect
from rpu_ssnn.spec.layers import ConvLayer, ConvSpec, layer_names
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses import SynapsesFactory, coincidence_synapses, rate_synapses
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from studies.workers import worker

SIZES = (784, 1280, 10)
DENSE = (1280,)
CONVOLUTIONS = tuple(
    ConvLayer(conv=ConvSpec(kernel=5, stride=2, channels=channels)) for channels in (12, 32)
)
IMAGE = (28, 28, 1)
BATCH = 64
CAPACITOR_RATE, CAPACITOR_RANGE = 8.0, 2.0
"""An earlier search found these values (784-256-10). In the first epoch they thin no trains."""


type Layers = tuple[int | ConvLayer, ...]


def images(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns input rates [n, 784] of digits (21 % of the pixels inked, mean grey 0.13) and their
    labels [n]."""
    digits = load_digits()
    chosen = np.random.default_rng(0).permutation(len(digits.target))[np.arange(n) % 1797]
    enlarged = np.kron(digits.images[chosen] / 16, np.ones((3, 3))) ** 4
    padded = np.pad(enlarged, ((0, 0), (2, 2), (2, 2))).reshape(n, -1)
    return (0.4 * padded).astype(np.float32), digits.target[chosen].astype(np.int64)


def make_network(
    factory: SynapsesFactory,
    T: int,
    threads: int,
    schedule: str = "batch",
    batch: int = BATCH,
    layers: Layers = DENSE,
) -> Network:
    training = TrainingSpec(batch=batch, schedule=schedule)  # type: ignore[arg-type]
    spec = NetworkSpec(layers=layers, T=T)
    connections = connect(layers, 784, 10, IMAGE)
    return Network(spec, training, connections, factory, np.random.SeedSequence(0), threads)


def median_seconds(call: Callable[[], object], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def ideal_step(
    factory: SynapsesFactory, layers: Layers, T: int, threads: int, repeats: int
) -> float:
    rates, labels = images(BATCH)
    with make_network(factory, T, threads, layers=layers) as network:
        rng = np.random.default_rng(0)
        return median_seconds(lambda: network.train_batch(rates, labels, rng), repeats)


def torch_layers(layers: Layers) -> list[torch.nn.Sequential]:
    """Returns the weights before each layer of neurons; the first take images [n, 784], the others
    the outputs of the layer before."""
    found = []
    for layer in connect(layers, 784, 10, IMAGE):
        rows, columns, channels = layer.before
        if layer.kernel == (1, 1):
            weights: list[torch.nn.Module] = [
                torch.nn.Flatten(),
                torch.nn.Linear(channels, layer.channels),
            ]
        else:
            weights = [
                torch.nn.Unflatten(1, (1, rows, columns)) if not found else torch.nn.Identity(),
                torch.nn.Conv2d(channels, layer.channels, layer.kernel, layer.stride),
            ]
        found.append(torch.nn.Sequential(*weights))
    return found


def snntorch_step(layers: Layers, T: int, threads: int, repeats: int) -> float:
    """Returns the seconds of a training step with snnTorch's Leaky neurons in the same layers, with
    Poisson input, rate loss and SGD."""
    import snntorch
    from snntorch import surrogate

    torch.set_num_threads(threads)
    gradient = surrogate.fast_sigmoid()
    weights = torch_layers(layers)
    neurons = [snntorch.Leaky(beta=0.95, spike_grad=gradient) for _ in weights]
    optimiser = torch.optim.SGD([p for layer in weights for p in layer.parameters()], lr=0.1)
    rates, labels = images(BATCH)
    rate, target = torch.from_numpy(rates), torch.from_numpy(labels)

    def step() -> None:
        optimiser.zero_grad()
        membranes = [neuron.init_leaky() for neuron in neurons]
        total = torch.zeros(BATCH, 10)
        for _ in range(T):
            x = torch.bernoulli(rate)
            for k, (layer, neuron) in enumerate(zip(weights, neurons, strict=True)):
                x, membranes[k] = neuron(layer(x), membranes[k])
            total = total + x
        torch.nn.functional.cross_entropy(total, target).backward()
        optimiser.step()

    return median_seconds(step, repeats)


def float_step(layers: Layers, threads: int, repeats: int) -> float:
    """Returns the seconds of a training step of a float ReLU network with the same layers."""
    torch.set_num_threads(threads)
    parts = [part for layer in torch_layers(layers) for part in (layer, torch.nn.ReLU())][:-1]
    network = torch.nn.Sequential(*parts)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    rates, labels = images(BATCH)
    image, target = torch.from_numpy(rates), torch.from_numpy(labels)

    def step() -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(image), target).backward()
        optimiser.step()

    return median_seconds(step, 10 * repeats)


def against_torch(threads: int, repeats: int) -> pd.DataFrame:
    rows = []
    for layers, slots in ((DENSE, (50, 200)), (CONVOLUTIONS, (50,))):
        of_floats = float_step(layers, threads, repeats)
        for T in slots:
            reference = snntorch_step(layers, T, threads, repeats)
            for name, factory in (
                ("rate (Eq. 9)", rate_synapses(1.0)),
                ("coincidence (Eq. 10)", coincidence_synapses(1.0)),
            ):
                ours = ideal_step(factory, layers, T, threads, repeats)
                rows.append(
                    {
                        "layers": "-".join(("784", *layer_names(layers), "10")),
                        "T": T,
                        "update": name,
                        "ours (ms)": 1e3 * ours,
                        "epoch of 60,000 (s)": ours * 60_000 / BATCH,
                        "snnTorch (ms)": 1e3 * reference,
                        "snnTorch / ours": reference / ours,
                        "float (ms)": 1e3 * of_floats,
                        "ours / float": ours / of_floats,
                    }
                )
    return pd.DataFrame(rows)


def capacitor_tiles() -> SynapsesFactory:
    spec = TileSpec(weight_range=CAPACITOR_RANGE)
    return device_synapses(get_preset("capacitor"), spec, CAPACITOR_RATE)


def device_epoch(threads: int, repeats: int) -> list[dict[str, float | str]]:
    """Times parts of an epoch on capacitor tiles, and the same rows on bare tiles, in turn.

    The bare calls use one thread whatever `threads` is, since rows act one after another.
    """
    torch.set_num_threads(1)
    rates, labels = images(DEVICE_BATCH * BATCHES)
    sent: Rows = [[]]

    def fresh() -> Network:
        return make_network(capacitor_tiles(), 50, threads, batch=DEVICE_BATCH)

    with fresh() as network:
        for layer, synapses in enumerate(network.synapses):
            assert isinstance(synapses, TileSynapses)
            original = synapses._pulse

            def keep(x: np.ndarray, d: np.ndarray, layer: int = layer, original=original) -> None:  # type: ignore[no-untyped-def]
                sent[-1].append((layer, torch.from_numpy(x.copy()), torch.from_numpy(d.copy())))
                original(x, d)

            synapses._pulse = keep  # type: ignore[method-assign]
        for _ in steps(network, rates, labels):
            sent.append([])
        sent.pop()
        rows = np.array([sum(len(x) for _, x, _ in batch) for batch in sent])
        tiles = [s.tiles[0] for s in network.synapses if isinstance(s, TileSynapses)]
        wholes, bares = [], []
        for _ in range(repeats):
            bares.append(bare(tiles, sent))
            with fresh() as again:  # the same rows
                wholes.append(np.fromiter(steps(again, rates, labels), float))
    found: list[dict[str, float | str]] = []
    for name, span in SPANS.items():
        ratio, lowest, highest = ratios(wholes, bares, span)
        found.append(
            {
                "threads": threads,
                "batches": f"{name} ({span.start} to {span.stop})",
                "rows per presentation": float(rows[span].mean()) / DEVICE_BATCH,
                "whole (ms per presentation)": milliseconds(wholes, span),
                "bare tile.update (ms)": milliseconds(bares, span),
                "whole / bare": ratio,
                "lowest": lowest,
                "highest": highest,
            }
        )
    return found


def slot_mode(presentations: int) -> float:
    """Returns the milliseconds per presentation in `slot` mode on capacitor tiles."""
    torch.set_num_threads(1)
    rates, labels = images(presentations)
    with make_network(capacitor_tiles(), 50, 1, "slot") as network:
        network.train_batch(rates[:1], labels[:1], np.random.default_rng(0))
        started = time.perf_counter()
        network.train_batch(rates[:BATCH], labels[:BATCH], np.random.default_rng(0))
        return 1e3 * (time.perf_counter() - started) / min(presentations, BATCH)


def peak_memory_mb(kind: str, T: int) -> float:
    """Returns the peak resident memory (MB) of a fresh process that trains a few presentations."""
    torch.set_num_threads(1)
    factories = {
        "rate (Eq. 9)": rate_synapses(1.0),
        "coincidence (Eq. 10)": coincidence_synapses(1.0),
        "tile (capacitor)": capacitor_tiles(),
    }
    rates, labels = images(8)
    with make_network(factories[kind], T, 1) as network:
        network.train_batch(rates, labels, np.random.default_rng(0))
    return worker.peak_memory_mb()


def memory() -> pd.DataFrame:
    rows = []
    for kind in ("rate (Eq. 9)", "coincidence (Eq. 10)", "tile (capacitor)"):
        peaks = {}
        for T in (50, 10_000):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                peaks[T] = pool.submit(peak_memory_mb, kind, T).result()
        rows.append(
            {
                "synapses": kind,
                "T = 50 (MB)": peaks[50],
                "T = 10,000 (MB)": peaks[10_000],
                "ratio": peaks[10_000] / peaks[50],
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()

    def show(title: str, table: pd.DataFrame) -> None:
        print(f"\n{title}\n{table.to_markdown(index=False, floatfmt='.3g')}", flush=True)

    show(
        f"Ideal training step, {BATCH} presentations, {arguments.threads} threads",
        against_torch(arguments.threads, arguments.repeats),
    )
    show(
        "Device mode, 784-1280-10, T = 50, capacitor, batch, range 2, learning rate 8",
        pd.DataFrame(
            [
                row
                for threads in sorted({1, arguments.threads})
                for row in device_epoch(threads, arguments.repeats)
            ]
        ),
    )
    print(f"\nslot mode: {slot_mode(BATCH):.3g} ms per presentation (no bound is set for it)")
    show("Peak memory of a fresh process, 784-1280-10, one thread", memory())


if __name__ == "__main__":
    main()
