"""Times native devices against bare `tile.update` calls of aihwkit over the same rows, in one run.

The network is 784-1280-10 with T = 50 and the hyperparameters below, on the images of
`benchmarks/run.py`. The bare calls use one thread whatever `--threads` is, since the rows of a tile
act one after another. `--clock cpu` counts the processor time of this process over all its threads,
which is the right measure on a machine that is used by others too. With two threads the elapsed
time is at best half of it.
"""

import argparse
import statistics
import time

import numpy as np
import pandas as pd
import torch
from aihwkit.simulator.tiles.analog import AnalogTile
from run import images, make_network
from timing_in_turn import BATCHES, DEVICE_BATCH, SPANS, Rows, bare, milliseconds, ratios, steps

from device_presets import get_preset
from rpu_ssnn.network import Network
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.base import PulseBlock
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.pulse_rows import RowWriter
from rpu_ssnn.synapses.tiles.synapses import TileSynapses

HYPERPARAMETERS = {"capacitor": (2.0, 8.0), "charge_trap": (4.0, 4.0), "reram_es": (2.0, 2.0)}
"""The weight range and the learning rate that an earlier search found (784-256-10)."""

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
now = time.perf_counter
"""The clock for all timings, which `--clock` sets."""

Batches = list[list[tuple[int, PulseBlock]]]


def network(device: str, threads: int, schedule: str = "batch") -> Network:
    """Returns a network with the hyperparameters of the device; a device with pulse memory uses
    those of the one without."""
    weight_range, learning_rate = HYPERPARAMETERS[device.removesuffix("_pulsed")]
    spec = TileSpec(weight_range=weight_range, simulator="native")
    factory = device_synapses(get_preset(device), spec, learning_rate)
    return make_network(factory, 50, threads, schedule, DEVICE_BATCH)


def train(of: Network, batches: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the seconds per batch for the whole training step, and for applying the pulses."""
    rates, labels = images(DEVICE_BATCH * batches)
    whole, applied, spent = [], [], [0.0]
    for synapses in of.synapses:
        assert isinstance(synapses, NativeSynapses)
        settle = synapses.settle

        def timed(settle=settle) -> None:  # type: ignore[no-untyped-def]
            started = now()
            settle()
            spent[0] += now() - started

        synapses.settle = timed  # type: ignore[method-assign]
    for seconds in steps(of, rates, labels, now):
        whole.append(seconds)
        applied.append(spent[0])
        spent[0] = 0.0
    return np.array(whole), np.array(applied)


def blocks_of(device: str, batches: int) -> tuple[Batches, list[float]]:
    """Returns the pulse blocks of each batch with their crossbar, in the order in which they were
    sent, and the share of pulses that thinning keeps at each crossbar."""
    with network(device, 1) as recorded:
        sent: Batches = [[]]
        for layer, synapses in enumerate(recorded.synapses):
            assert isinstance(synapses, NativeSynapses)
            original = synapses._store.add

            def keep(block: PulseBlock, layer: int = layer, original=original) -> None:  # type: ignore[no-untyped-def]
                copy = block.copy()
                sent[-1].append((layer, copy))
                original(block)

            synapses._store.add = keep  # type: ignore[method-assign]
        rates, labels = images(DEVICE_BATCH * batches)
        for _ in steps(recorded, rates, labels):
            sent.append([])
        sent.pop()
        keeps = [s.keep for s in recorded.synapses if isinstance(s, NativeSynapses)]
    return sent, keeps


def bare_tiles(device: str, sent: Batches, keeps: list[float]) -> tuple[list[AnalogTile], Rows]:
    """Returns separate tiles, and the rows of all batches for them, prepared in advance."""
    weight_range, learning_rate = HYPERPARAMETERS[device]
    rng = np.random.default_rng(0)
    factory = device_synapses(
        get_preset(device), TileSpec(weight_range=weight_range), learning_rate
    )
    with make_network(factory, 50, 1, batch=DEVICE_BATCH) as net:
        tiles = [s.tiles[0] for s in net.synapses if isinstance(s, TileSynapses)]
        writers = [RowWriter(*s.shape) for s in net.synapses]
    rows: Rows = []
    for batch in sent:
        rows.append([])
        for layer, block in batch:
            kept, row = rng.random(len(block.post)) < keeps[layer], 0
            while row < block.rows:
                row, x, d = writers[layer].write(block, kept, row)
                if len(x):
                    call = (layer, torch.from_numpy(x.copy()), torch.from_numpy(d.copy()))
                    rows[-1].append(call)
    return tiles, rows


def against_bare(device: str, threads: int, repeats: int) -> list[dict[str, float | str]]:
    """Times native steps and bare calls in turn, so that a temporary slowdown of the machine
    affects both."""
    tiles, rows = bare_tiles(device, *blocks_of(device, BATCHES))
    bares, wholes, applieds = [], [], []
    for _ in range(repeats):
        bares.append(bare(tiles, rows, now))
        with network(device, threads) as fresh:  # the same rows again
            whole, applied = train(fresh, BATCHES)
        wholes.append(whole)
        applieds.append(applied)
    found = []
    for name, span in SPANS.items():
        row: dict[str, float | str] = {
            "device": device,
            "threads": threads,
            "batches": f"{name} ({span.start} to {span.stop})",
            "bare (ms per presentation)": milliseconds(bares, span),
            "apply (ms)": milliseconds(applieds, span),
            "whole (ms)": milliseconds(wholes, span),
        }
        for title, times in (("apply / bare", applieds), ("whole / bare", wholes)):
            row[title], lowest, highest = ratios(times, bares, span)
            row[f"{title}, lowest to highest"] = f"{lowest:.3g} to {highest:.3g}"
        found.append(row)
    return found


def memory_of_pulses(threads: int, repeats: int) -> pd.DataFrame:
    """Returns the time of whole steps with `charge_trap_pulsed` relative to `charge_trap`, timed in
    turn."""
    rows = []
    for name, span in SPANS.items():
        times: dict[str, list[np.ndarray]] = {"charge_trap": [], "charge_trap_pulsed": []}
        for _ in range(repeats):
            for device in times:
                with network(device, threads) as fresh:
                    times[device].append(train(fresh, span.stop)[0])
        ratio, lowest, highest = ratios(times["charge_trap_pulsed"], times["charge_trap"], span)
        rows.append(
            {
                "batches": name,
                **{f"{device} (ms)": milliseconds(each, span) for device, each in times.items()},
                "ratio": ratio,
                "lowest to highest": f"{lowest:.3g} to {highest:.3g}",
            }
        )
    return pd.DataFrame(rows)


def slot_mode(device: str, presentations: int, repeats: int) -> list[float]:
    """Returns the milliseconds per presentation with the `slot` schedule, for each repeat."""
    rates, labels = images(presentations)
    found = []
    for _ in range(repeats):
        with network(device, 1, "slot") as net:
            net.train_batch(rates[:1], labels[:1], np.random.default_rng(0))
            started = now()
            net.train_batch(rates, labels, np.random.default_rng(0))
            found.append(1e3 * (now() - started) / presentations)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", action="append", choices=list(HYPERPARAMETERS))
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    arguments = parser.parse_args()
    global now
    now = CLOCKS[arguments.clock]
    torch.set_num_threads(1)
    rows = []
    for device in arguments.device or HYPERPARAMETERS:
        rows += against_bare(device, arguments.threads, arguments.repeats)
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3g"), flush=True)
    pulsed = memory_of_pulses(arguments.threads, arguments.repeats)
    print("\n" + pulsed.to_markdown(index=False, floatfmt=".3g"), flush=True)
    for device in arguments.device or HYPERPARAMETERS:
        slots = slot_mode(device, 30, arguments.repeats)
        print(
            f"\nslot schedule, {device}: {statistics.median(slots):.3g} ms per presentation "
            f"({min(slots):.3g} to {max(slots):.3g})"
        )


if __name__ == "__main__":
    main()
