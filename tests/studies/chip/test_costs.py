"""Compares the costs of a chip with hand calculation, brute force and published chips."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.chip.costs import ChipNetwork, Costs, assumed_share, digital_energy, total
from studies.chip.crossbar import ChipCrossbar, CrossbarEvents
from studies.chip.description import ArraySize, Chip, Converter, load_chip, surveyed_converter
from studies.declaration.shipped import KEPT_RECORDS

UNIT = 2.0**-22
ONE = {"energy_j": UNIT, "source": "a test"}


def chip(rows: int = 2, columns: int = 2, **changes: Any) -> Chip:
    components = {"converter": ONE, **changes.pop("components", {})}
    size = {"rows": rows, "columns": columns}
    content = {"chip": "test", "array": size, "columns": "converter", "bits": 3, **changes}
    return Chip.model_validate({**content, "components": components})


def network(crossbar: ChipCrossbar, events: CrossbarEvents, **changes: Any) -> ChipNetwork:
    settings = {"wires": (0.0, 0.0), "slots": (10, 8), "presentations": 1.0, **changes}
    return ChipNetwork([crossbar], [events], [events], **settings)


FOUR_BY_THREE = ChipCrossbar(n_in=4, n_out=3)
HAND = CrossbarEvents(
    reads=2, lines=5, spikes=7, transposed_reads=1, gradient_spikes=2,
    pulses=6, write_spikes=2, write_phases=2, write_lines=6,
)  # fmt: skip
"""There are two slots: three lines spike, then two. In the first, two outputs send a gradient spike
each, one up and one down, and both write the three devices of the lines."""


def test_an_array_of_four_by_three_by_hand() -> None:
    costs = Costs(network(FOUR_BY_THREE, HAND), chip(writes="parallel"))
    assert (costs.arrays, costs.array_count) == ([(2, 2)], 4)
    assert costs.array_use == 12 / 16
    assert FOUR_BY_THREE.use(costs.chip, HAND, writes=True) == {
        "pulse": 6,
        "half_select": 14,  # Each phase has three rows of two devices, and one on the column.
        "cell_read": 5 * 3 + 2 * 4,
        "row_driver": 5 * 2,
        "column_driver": 2 * 2,
        "row_write": 6 * 2,
        "column_write": 2 * 2,
        "converter": 2 * 3 * 2 + 1 * 4 * 2,
        "converter_step": 3 * 20,
        "converter_level": 7 * 20,
        "neuron": 2 * 3 + 1 * 4,
        "spike": 9,
        "transport": 5 * 2 + 2 * 2,
        "buffer": 0,
    }
    asked = FOUR_BY_THREE.use(costs.chip, HAND, writes=False)
    assert asked["row_write"] == asked["half_select"] == 0
    one_by_one = FOUR_BY_THREE.use(chip(reads="serial"), HAND, writes=True)
    assert one_by_one["converter"] == 5 * 3 + 2 * 4  # A single line lies in one of two arrays.


def test_energy_area_and_time_follow_from_the_components() -> None:
    low_high = {**ONE, "interval": [0.5 * UNIT, 3.0 * UNIT]}
    low_high |= {"time_s": 0.5, "area_m2": 7.0, "power_w": 0.5 * UNIT}
    parts = {"converter": low_high, "cell_read": {**ONE, "area_m2": 1.0}, "pulse": ONE}
    built = chip(components={**parts, "initial_write": ONE}, lines_per_converter=4)
    costs = Costs(network(FOUR_BY_THREE, HAND, presentations=5.0, pulse_s=0.5), built)
    # Each of 10 slots has two reads of four lines per converter, and two phases of writing.
    assert costs.time == (10 * (2 * 4 * 0.5 + 2 * 0.5), "converter")
    assert costs.inference_time == (8 * 4 * 0.5, "converter")
    assert costs.area_m2 == 16 * 1.0 + 4 * 7.0
    leaks = 4 * 0.5 * 50.0
    energy = total(costs.training) / UNIT
    halves = (5 * 3 + 2 * 4 - 2 * 6) * 0.25
    assert energy[0] == 20 + 23 + 6 + halves + leaks
    assert energy[1:].tolist() == [energy[0] - 10, energy[0] + 40]
    assert costs.whole_training[0] / UNIT == 5 * energy[0] + 12
    assert costs.matter_most == ["leakage", "converter", "cell_read"]
    assert assumed_share(costs.training) == pytest.approx(1 - 20 / energy[0])
    fixed = Costs(costs.network, built.model_copy(update={"slot_s": 10.0}))
    assert fixed.time == (100.0, "slot")
    slow = built.model_copy(update={"pulse_period_s": 9.0})
    assert Costs(costs.network, slow).time[1] == "device"


@pytest.mark.parametrize("devices", [1, 2])
@pytest.mark.parametrize("writes", ["spikes", "parallel", "serial"])
def test_half_selects_are_those_of_every_device(writes: Any, devices: int) -> None:
    rng, n_in, n_out = np.random.default_rng(3), 5, 4
    rows = columns = halves = pulses = phases = lines = spikes = 0
    for _ in range(20):
        pre = rng.random(n_in) < 0.4
        streams = [rng.random(n_out) < 0.2 for _ in range(2)]
        streams[1] &= ~streams[0]
        if not pre.any():
            streams = [np.zeros(n_out, bool)] * 2
        drives = []
        for stream in streams:
            spikes += int(stream.sum())
            lines += int(pre.sum()) * bool(stream.any())
            phases += bool(stream.any())
            for device in range(devices):
                driven = np.zeros((n_out, devices), bool)
                driven[:, device] = stream
                if writes == "serial":
                    drives += list(np.eye(n_out * devices, dtype=bool)[np.flatnonzero(driven)])
                elif stream.any():
                    drives.append(driven.ravel())
        if writes == "spikes":
            drives = [np.repeat(streams[0] | streams[1], devices)]
        rows += int(pre.sum())
        for driven in drives:
            columns += int(driven.sum())
            selected = np.outer(pre, driven)
            pulses += int(selected.sum())
            halves += int((pre[:, None] ^ driven).sum())
    crossbar = ChipCrossbar(n_in, n_out, devices=devices)
    events = CrossbarEvents(rows, rows, 0, 0, 0, pulses, spikes, phases, lines)
    used = crossbar.use(chip(rows=8, columns=8, writes=writes), events, writes=True)
    assert used["half_select"] == halves > 0
    assert used["column_write"] == columns > 0


def test_a_convolution_reads_one_replica_at_each_position() -> None:
    conv = ChipCrossbar(9, 8, positions=16, replicas=2, is_first=True, before=36, delay=3)
    events = CrossbarEvents(reads=16, lines=40, spikes=10, gradient_spikes=4)
    used = conv.use(chip(rows=9, columns=4), events, writes=True)
    assert used["cell_read"] == 40 * 4
    assert used["converter"] == 16 * 4
    assert used["column_driver"] == 0
    assert used["buffer"] == 30  # Each of 36 neurons is in 4 of 16 x 9 patch lines.
    energy = 36 * (16 * 0.23e-12 + 8 * 100e-12 / 64)
    assert digital_energy([conv], 8, training=False) == pytest.approx(energy)


@pytest.mark.parametrize(
    ("reads", "writes", "training_s", "inference_s", "rows"),
    [
        ("parallel", "spikes", 10 * 16 * (1.0 + 2 * 0.5), 8 * 16.0, 40),
        ("serial", "parallel", 40 + 16 * 0.5, 40.0, 20),
        ("serial", "serial", 40 + 2 * 0.5, 40.0, 6),
    ],
)
def test_a_convolution_takes_its_own_cycles_and_replicas_may_work_at_once(
    reads: Any, writes: Any, training_s: float, inference_s: float, rows: int
) -> None:
    """By hand: a kernel has two replicas of four columns, and a dense layer waits for it."""
    timed = {"converter": {**ONE, "time_s": 1.0}}
    built = chip(rows=9, columns=8, reads=reads, writes=writes, components=timed)
    events = replace(HAND, lines=40, write_phases=16, write_lines=20)
    selected = 2 * 6  # A device that gets a pulse is on both of its lines.
    for at_once in (1, 2):
        conv = ChipCrossbar(9, 8, positions=16, replicas=2, at_once=at_once, is_first=True)
        both = ([conv, ChipCrossbar(64, 3)], [events, HAND], [events, HAND])
        costs = Costs(ChipNetwork(*both, (0.0, 0.0), (10, 8), 1.0, pulse_s=0.5), built)
        assert costs.arrays[0] == (1, at_once)
        assert costs.time[0] == training_s / at_once
        assert costs.inference_time[0] == inference_s / at_once
        halves = conv.use(built, events, writes=True)["half_select"]
        assert halves == rows * 8 / at_once + 2 * 9 - selected


def test_a_reference_is_read_and_half_selected_and_never_written() -> None:
    paired = ChipCrossbar(n_in=4, n_out=3, references=1)
    asked = paired.use(chip(writes="parallel"), HAND, writes=True)
    assert asked["half_select"] == 14 + 6 * 3
    assert asked["cell_read"] == 2 * (5 * 3 + 2 * 4)
    assert asked["column_write"] == 2 * 2


def test_neurram_s_own_numbers_give_its_energy_within_a_factor_of_two() -> None:
    """According to its title, the chip of the same group's ISSCC 2020 paper reaches 74 TMACS/W at
    130 nm. This number includes drivers, lines and control, but the components do not."""
    neurram = load_chip("neurram_130nm")
    full = ChipCrossbar(256, 256, is_first=True)
    used = full.use(neurram, CrossbarEvents(reads=1, lines=256, spikes=0), writes=False)
    energy = used["neuron"] * float(neurram.components.neuron.energy_j or 0)
    assert energy == pytest.approx(256 * (1.2 + 0.25 + 0.3) * 1e-12)
    assert 74 < 256 * 256 / energy / 1e12 < 2 * 74


def test_neurosim_s_own_case_is_repeated_within_a_factor_of_two() -> None:
    """NeuroSim V3.0 prints 13.0 mJ of writes and 0.42 mJ of reads for Ag:a-Si and 10^6 images."""
    rows = pd.read_csv(KEPT_RECORDS / "neurosim_v3_own_rule" / "rows.csv")
    device = rows[rows["label"] == "ag_asi"]
    images = device["n_train"] * device["epochs"]
    ways = {"up": 3.2, "down": 2.8}
    conductance = (1 + 1 / 12.5) / 2 / 26e6
    counted = {way: (device[f"pulses_{way}_total"] / images).mean() for way in ways}
    of_pulses = sum(n * ways[way] ** 2 * conductance * 300e-6 for way, n in counted.items())
    pulse = of_pulses / sum(counted.values())
    crossbars = [ChipCrossbar(400, 100, is_first=True), ChipCrossbar(100, 10)]
    asked = [CrossbarEvents(1, 110, 0), CrossbarEvents(1, 50, 0)]
    events = [replace(asked[0], pulses=sum(counted.values())), asked[1]]
    built = chip(
        rows=400,
        columns=100,
        components={
            "cell_read": {**ONE, "energy_j": 0.5**2 * conductance * 5e-9},
            "converter": {**ONE, "energy_j": 5.2e-12},
        },
        writes="serial",
    )
    placed = ChipNetwork(crossbars, events, asked, (0.0, 0.0), (1, 1), 1e6, pulse=pulse)
    costs = Costs(placed, built)
    writes = 1e6 * costs.training["pulse"][0]
    assert 13.0e-3 / 2 < writes < 13.0e-3 * 2
    reads = 1e6 * total(costs.inference)[0]
    assert 0.42e-3 / 2 < reads < 0.42e-3 * 2
    assert costs.inference["cell_read"][0] < 0.01 * costs.inference["converter"][0]


def test_a_chip_like_a_shipped_one_differs_in_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "{chip: mine, like: crossbar_65nm, array: {rows: 32, columns: 16}, bits: 8,\n"
        "components: {converter: {energy_j: 2.0e-12, source: me}}}"
    )
    mine, shipped = load_chip(path), load_chip("crossbar_65nm")
    assert (mine.chip, mine.array, mine.bits) == ("mine", ArraySize(rows=32, columns=16), 8)
    assert mine.components.converter == Converter(energy_j=2e-12, source="me")
    assert mine.components.converter_level is None
    assert mine.components.spike == shipped.components.spike
    assert mine.lines_per_converter == shipped.lines_per_converter


def test_each_bit_doubles_a_flash_converter() -> None:
    shipped = load_chip("crossbar_65nm")
    events = CrossbarEvents(reads=1, lines=1, spikes=0)
    energy = {}
    for bits in (4, 5):
        chip_ = shipped.at_bits(bits)
        energy[bits] = Costs(network(FOUR_BY_THREE, events), chip_).training["converter_level"][0]
    assert energy[5] == pytest.approx(3 * 0.28e-12)
    assert energy[4] == pytest.approx(energy[5] * 15 / 31)


ASKED = "{chip: mine, like: crossbar_65nm, bits: %s, components: {converter: {program: %s}}}"


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hwcomponents_adc", None)
    surveyed_converter.cache_clear()
    path = tmp_path / "mine.yaml"
    path.write_text(ASKED % (6, "hwcomponents-adc"))
    with pytest.raises(InputError, match=r"mine.yaml: components.converter.program.*ssnn\[chip\]"):
        load_chip(path)
    path.write_text((ASKED % (6, "hwcomponents-adc")).replace("converter:", "neuron:"))
    with pytest.raises(InputError, match=r"components\.neuron\.program.*unknown key"):
        load_chip(path)
    path.write_text(ASKED % (6, "another"))
    with pytest.raises(InputError, match=r"converter\.program: 'another' is not allowed"):
        load_chip(path)


def test_a_program_knows_the_best_published_converters(tmp_path: Path) -> None:
    pytest.importorskip("hwcomponents_adc")
    path = tmp_path / "mine.yaml"
    path.write_text(ASKED % (4, "hwcomponents-adc"))
    four = load_chip(path)
    energies = [
        part.energy_j
        for part in (four.components.converter, four.at_bits(8).components.converter)
        if part is not None
    ]
    assert energies == pytest.approx([2.80e-12, 5.20e-12], rel=0.01)
    path.write_text(ASKED % (3, "hwcomponents-adc"))
    with pytest.raises(InputError, match="bits: 3 is not allowed; must be at least 4"):
        load_chip(path)
