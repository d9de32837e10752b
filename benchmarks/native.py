"""Native devices against aihwkit's bare `tile.update` calls over the same rows, in one run.

784-1280-10, T = 50, at the drives of `mnist_devices`, on the images of `benchmarks/run.py`. The
bare calls are one thread's work whatever `--threads` is: rows of a tile act one after another.
`--clock cpu` counts the seconds that the processor worked for this process, in all of its threads:
the measure for a machine that others use too. Of it, two threads can share half each at best.
"""

import argparse
import statistics
import time

import numpy as np
import pandas as pd
import torch
from run import DEVICE_BATCH, SPANS, images, make_network

from device_presets import get_preset
from rpu_ssnn.network import Network
from rpu_ssnn.synapses.base import PulseBlock
from rpu_ssnn.synapses.native.synapses import NativeSynapses, native_synapses
from rpu_ssnn.synapses.pulse_rows import RowWriter
from rpu_ssnn.synapses.tile import TileSynapses
from rpu_ssnn.tile_spec import TileSpec

DRIVES = {"capacitor": (2.0, 8.0), "charge_trap": (4.0, 4.0), "reram_es": (2.0, 2.0)}
"""Weight range and learning rate, as the search of `mnist_devices` found them."""

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
now = time.perf_counter
"""What the seconds are of; `--clock` sets it."""

Batches = list[list[tuple[int, PulseBlock]]]


def network(device: str, threads: int, schedule: str = "batch") -> Network:
    """A network at the drive of that device; charge traps with memory: at that of those without."""
    weight_range, learning_rate = DRIVES[device.removesuffix("_pulsed")]
    spec = TileSpec(weight_range=weight_range, simulator="native")
    factory = native_synapses(get_preset(device), spec, learning_rate)
    return make_network(factory, 50, threads, schedule, DEVICE_BATCH)


def train(of: Network, batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of each batch: of the whole training step, and of applying the pulses."""
    rates, labels = images(DEVICE_BATCH * batches)
    rng, whole, applied = np.random.default_rng(0), [], []
    spent = [0.0]
    for synapses in of.synapses:
        assert isinstance(synapses, NativeSynapses)
        settle = synapses.settle

        def timed(settle=settle) -> None:  # type: ignore[no-untyped-def]
            started = now()
            settle()
            spent[0] += now() - started

        synapses.settle = timed  # type: ignore[method-assign]
    for first in range(0, len(labels), DEVICE_BATCH):
        part = slice(first, first + DEVICE_BATCH)
        spent[0] = 0.0
        started = now()
        of.train_batch(rates[part], labels[part], rng)
        whole.append(now() - started)
        applied.append(spent[0])
    return np.array(whole), np.array(applied)


def blocks_of(device: str, batches: int) -> tuple[Batches, list[float]]:
    """The blocks of each batch and crossbar, in order, and the share kept by thinning."""
    with network(device, 1) as recorded:
        sent: Batches = []
        for layer, synapses in enumerate(recorded.synapses):
            assert isinstance(synapses, NativeSynapses)
            original = synapses._store.add

            def keep(block: PulseBlock, layer: int = layer, original=original) -> None:  # type: ignore[no-untyped-def]
                copy = PulseBlock(**{name: v.copy() for name, v in vars(block).items()})
                sent[-1].append((layer, copy))
                original(block)

            synapses._store.add = keep  # type: ignore[method-assign]
        rates, labels = images(DEVICE_BATCH * batches)
        rng = np.random.default_rng(0)
        for first in range(0, len(labels), DEVICE_BATCH):
            sent.append([])
            part = slice(first, first + DEVICE_BATCH)
            recorded.train_batch(rates[part], labels[part], rng)
        keeps = [s.keep for s in recorded.synapses if isinstance(s, NativeSynapses)]
    return sent, keeps


class Bare:
    """Rows of all batches on tiles of their own, written beforehand."""

    def __init__(self, device: str, sent: Batches, keeps: list[float]) -> None:
        weight_range, learning_rate = DRIVES[device]
        rng, self.rows = np.random.default_rng(0), 0
        with network(device, 1) as same:
            shapes = [s.shape for s in same.synapses]
        writers = [RowWriter(*shape) for shape in shapes]
        self._calls: list[list[tuple[int, torch.Tensor, torch.Tensor]]] = []
        for batch in sent:
            calls = []
            for layer, block in batch:
                kept, row = rng.random(len(block.post)) < keeps[layer], 0
                while row < block.rows:
                    row, x, d = writers[layer].write(block, kept, row)
                    if len(x):
                        calls.append(
                            (layer, torch.from_numpy(x.copy()), torch.from_numpy(d.copy()))
                        )
            self._calls.append(calls)
        from rpu_ssnn.synapses import tile as tiles

        spec = TileSpec(weight_range=weight_range)
        factory = tiles.tile_synapses(get_preset(device), spec, learning_rate)
        with make_network(factory, 50, 1, batch=DEVICE_BATCH) as net:
            self._tiles = [s._tiles[0] for s in net.synapses if isinstance(s, TileSynapses)]

    def seconds(self) -> np.ndarray:
        """Of each batch."""
        times = []
        for calls in self._calls:
            started = now()
            for layer, x, d in calls:
                self._tiles[layer].update(x, d)
            times.append(now() - started)
        return np.array(times)


def against_bare(device: str, threads: int, repeats: int) -> list[dict[str, float | str]]:
    """Native and bare in turn, so that a machine that is slower for a while is so for both."""
    batches = max(span.stop for span in SPANS.values())
    sent, keeps = blocks_of(device, batches)
    bare = Bare(device, sent, keeps)
    bares, wholes, applieds = [], [], []
    for _ in range(repeats):
        bares.append(bare.seconds())
        with network(device, threads) as fresh:  # the same rows again
            whole, applied = train(fresh, batches)
        wholes.append(whole)
        applieds.append(applied)
    found = []
    for name, span in SPANS.items():
        row: dict[str, float | str] = {
            "device": device,
            "threads": threads,
            "batches": f"{name} ({span.start} to {span.stop})",
            "bare (ms a presentation)": _median(bares, span),
            "apply (ms)": _median(applieds, span),
            "whole (ms)": _median(wholes, span),
        }
        for title, times in (("apply / bare", applieds), ("whole / bare", wholes)):
            ratios = [t[span].sum() / b[span].sum() for t, b in zip(times, bares, strict=True)]
            row[title] = statistics.median(ratios)
            row[f"{title}, lowest to highest"] = f"{min(ratios):.3g} to {max(ratios):.3g}"
        found.append(row)
    return found


def memory_of_pulses(threads: int, repeats: int) -> pd.DataFrame:
    """Whole steps of `charge_trap_pulsed` over those of `charge_trap`, in turn."""
    rows = []
    for name, span in SPANS.items():
        times: dict[str, list[float]] = {"charge_trap": [], "charge_trap_pulsed": []}
        for _ in range(repeats):
            for device in times:
                with network(device, threads) as fresh:
                    whole, _ = train(fresh, span.stop)
                times[device].append(1e3 * float(whole[span].mean()) / DEVICE_BATCH)
        pairs = zip(times["charge_trap_pulsed"], times["charge_trap"], strict=True)
        ratios = [a / b for a, b in pairs]
        rows.append(
            {
                "batches": name,
                **{f"{device} (ms)": statistics.median(ms) for device, ms in times.items()},
                "ratio": statistics.median(ratios),
                "lowest to highest": f"{min(ratios):.3g} to {max(ratios):.3g}",
            }
        )
    return pd.DataFrame(rows)


def slot_mode(device: str, presentations: int, repeats: int) -> list[float]:
    """Milliseconds a presentation in `slot` schedule, each repeat."""
    rates, labels = images(presentations)
    found = []
    for _ in range(repeats):
        with network(device, 1, "slot") as net:
            net.train_batch(rates[:1], labels[:1], np.random.default_rng(0))
            started = now()
            net.train_batch(rates, labels, np.random.default_rng(0))
            found.append(1e3 * (now() - started) / presentations)
    return found


def _median(times: list[np.ndarray], span: slice) -> float:
    return statistics.median(1e3 * float(t[span].mean()) / DEVICE_BATCH for t in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", action="append", choices=list(DRIVES))
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    arguments = parser.parse_args()
    global now
    now = CLOCKS[arguments.clock]
    torch.set_num_threads(1)
    rows = []
    for device in arguments.device or DRIVES:
        rows += against_bare(device, arguments.threads, arguments.repeats)
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3g"), flush=True)
    pulsed = memory_of_pulses(arguments.threads, arguments.repeats)
    print("\n" + pulsed.to_markdown(index=False, floatfmt=".3g"), flush=True)
    for device in arguments.device or DRIVES:
        slots = slot_mode(device, 30, arguments.repeats)
        print(
            f"\nslot schedule, {device}: {statistics.median(slots):.3g} ms a presentation "
            f"({min(slots):.3g} to {max(slots):.3g})"
        )


if __name__ == "__main__":
    main()
