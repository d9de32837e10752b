"""Tests the ledger of a chip from the rows of a study: its table, its page and its command."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rpu_ssnn.common.errors import InputError
from studies.chip.costs import total
from studies.chip.description import load_chip
from studies.declaration.trial import Runs
from studies.report.chip_view import notes
from studies.report.page.build import report_html
from studies.results.caveats import sentences
from studies.results.chip_ledger import chip_ledger, costs_of
from studies.results.device_caveats import of_pulse_widths, of_short_slots
from support.commands import Command
from support.studies.harness import DRIVE, RATE
from support.studies.results_fakes import events, nasty_study, runs_of, write_folder

CHIP = load_chip("crossbar_65nm")
CASES: list[dict[str, Any]] = [
    RATE,
    {"device": "ecram", "hyperparameters": DRIVE},
    {"device": "capacitor", "hyperparameters": DRIVE},
]


def counted(**changes: Any) -> tuple[Any, Runs]:
    """Returns a study and its runs, with counted events for devices."""
    network = {"hidden": [8], "T": 10}
    training = {"epochs": 1, "batch": 5}
    given = {"cases": CASES, "sweep": {}, "network": network, "training": training, **changes}
    study = nasty_study(**given)
    runs = runs_of(study)
    for trial, result in runs:
        if trial.label == "rate":
            continue
        result.row.update(events())
    return study, runs


def test_each_case_has_its_costs_and_each_image_its_share() -> None:
    _, runs = counted()
    table = chip_ledger(runs, CHIP).set_index("case")
    assert table.index.tolist() == ["ecram", "capacitor"]
    assert (table["n"] == 3).all()
    image = table.loc["ecram"]
    # There are 9000 lines of 8 and of 10 columns; in the second crossbar 900 gradient spikes meet 8
    # rows.
    assert image["image_cell_read_j"] == pytest.approx(1.9e-16 * (9000 * 18 + 900 * 8) / 90)
    assert image["image_pulse_j"] == pytest.approx(2 * 25 * 1e-15)
    assert table.loc["capacitor", "image_pulse_j"] == pytest.approx(2 * 25 * 3e-15)
    assert image["inference_cell_read_j"] == pytest.approx(1.9e-16 * 50 * 18)
    assert image["inference_row_write_j"] == image["inference_half_select_j"] == 0
    assert image["accuracy_ci"] > 0
    assert image["image_low_j"] < image["image_j"] < image["image_high_j"]
    assert image["million_images_j"] == pytest.approx(1e6 * image["image_j"])
    assert image["training_j"] == pytest.approx(90 * image["image_j"])
    costs = costs_of(*(runs[3][0], runs[3][1].row), CHIP)
    assert image["image_j"] == pytest.approx(total(costs.training)[0])
    parts = [name for name in table if name.startswith("image_") and name.endswith("_j")]
    shares = [name for name in parts if name not in ("image_j", "image_low_j", "image_high_j")]
    assert image[shares].sum() == pytest.approx(image["image_j"])


def test_the_network_says_how_long_the_label_runs_and_what_works_at_once() -> None:
    given = {"T": 10, "inference_T": 20, "inhibition": {"clocked": True}, "positions": "at_once"}
    _, runs = counted(network={"hidden": [8], **given})
    conv = {"network": "36-2c3r4-10", "positions_1": 16.0, "replicas_1": 4.0}
    trial, row = runs[3][0], runs[3][1].row | conv
    costs = costs_of(trial, row, CHIP)
    rate = trial.settings.network.encoding.label_rate
    label, clock = 10 * rate, 10 * 10 * rate
    assert costs.network.wires == pytest.approx((label + clock + 4500 / 90, 2 * clock))
    crossbars = costs.network.crossbars
    assert [(crossbar.before, crossbar.cycles) for crossbar in crossbars] == [(36, 4), (32, 1)]


def test_two_drawn_devices_have_no_interval_however_many_seeds_they_have() -> None:
    _, runs = counted()
    for trial, result in runs:
        result.row["device"] = f"mine_draws.yaml:draw_{1 + trial.settings.seed % 2}"
    assert chip_ledger(runs, CHIP)["accuracy_ci"].isna().all()


def test_the_front_holds_what_no_other_line_beats() -> None:
    _, runs = counted(sweep={"network.T": [10, 20]})
    for trial, result in runs:
        if trial.label == "rate":
            continue
        twice = 2.0 if trial.settings.network.T == 20 else 1.0
        costly = 3.0 if trial.label == "capacitor" else 1.0
        accuracies = {("ecram", 10): 90.0, ("ecram", 20): 95.0, ("capacitor", 10): 96.0}
        known = (trial.label, trial.settings.network.T)
        result.row["test_accuracy"] = accuracies.get(known, 94.0)
        for name, value in result.row.items():
            if name.endswith(("_total_1", "_total_2")) and not name.startswith("devices"):
                result.row[name] = twice * costly * float(str(value))
    table = chip_ledger(runs, CHIP)
    shown = table[["case", "sweep.network.T", "on_front"]].to_numpy().tolist()
    assert shown == [
        ["ecram", 10, True], ["ecram", 20, True], ["capacitor", 10, True], ["capacitor", 20, False]
    ]  # fmt: skip


def test_reads_that_the_chip_does_not_have_are_said() -> None:
    """Accuracy with exact reads does not hold for a chip with converters."""
    reads = {"tile": {"simulator": "native", "reads": {"adc_bits": 5, "adc_bound": 4.0}}}
    for cases, others in ((CASES, "ecram, capacitor"), ([*CASES[:2], CASES[2] | reads], "ecram")):
        _, runs = counted(cases=cases)
        said = notes(chip_ledger(runs, CHIP), CHIP)
        assert said[-1] == f"trained with exact reads, not 5 bits: {others}"
    neurons = load_chip("neurram_130nm")
    assert "exact reads" not in "".join(notes(chip_ledger(runs, neurons), neurons))


@pytest.mark.parametrize(("slot_s", "is_said"), [(5e-7, True), (1e-5, False)])
def test_accuracy_that_does_not_hold_for_a_chips_time_is_said(slot_s: float, is_said: bool) -> None:
    leaks = {**CASES[2], "tile": {"slot_seconds": slot_s}}
    _, runs = counted(cases=[*CASES[:2], leaks])
    late = "charge was lost for less time than this chip takes: capacitor"
    assert (late in notes(chip_ledger(runs, CHIP), CHIP)) == is_said


@pytest.mark.parametrize("slot_s", [5e-7, 2e-6])
def test_retention_that_counts_slots_shorter_than_a_pulse_is_said(slot_s: float) -> None:
    """A pulse of the charge trap takes 2 us."""
    retention = {"loss_per_decade": 0.02}
    tile = {"simulator": "native", "retention": retention, "slot_seconds": slot_s}
    case = {"device": "charge_trap", "tile": tile, "hyperparameters": DRIVE}
    _, runs = counted(cases=[RATE, case])
    row = chip_ledger(runs, CHIP).iloc[0]
    slots = runs[-1][0].settings.network.slots
    assert row["simulated_s"] == pytest.approx(90 * slots * slot_s)
    told = (
        "The retention of charge_trap counts slots of 5e-07 s, although a pulse takes 2e-06 s "
        "(tile.slot_seconds)."
    )
    assert list(sentences(of_short_slots(runs))) == [told] * (slot_s < 2e-6)


@pytest.mark.parametrize(("device", "is_said"), [("ecram", True), ("charge_trap_pulsed", False)])
def test_a_pulse_width_that_moves_no_weight_is_said(device: str, is_said: bool) -> None:
    case = {"device": device, "overrides": {"pulse_width_s": 1e-6}, "hyperparameters": DRIVE}
    _, runs = counted(cases=[RATE, {**case, "tile": {"simulator": "native"}}])
    assert list(of_pulse_widths(runs)) == [runs[-1][0].label] * is_said


def test_converters_have_the_bits_of_a_case_s_own_reads() -> None:
    reads = {"tile": {"simulator": "native", "reads": {"adc_bits": 4, "adc_bound": 4.0}}}
    _, runs = counted(cases=[*CASES[:2], {**CASES[1], **reads, "label": "four"}])
    table = chip_ledger(runs, CHIP).set_index("case")
    levels = table["image_converter_level_j"]
    assert levels["four"] == pytest.approx(levels["ecram"] * 15 / 31)
    said = notes(table.reset_index(), CHIP)
    assert "converters have the bits of the case's training: four (4)" in said


def test_a_cell_whose_transfers_are_not_counted_is_left_out() -> None:
    cell = {**CASES[1], "device": "tiki_taka(reram_sb)"}
    _, runs = counted(cases=[*CASES[:2], cell])
    assert chip_ledger(runs, CHIP)["case"].tolist() == ["ecram"]


def test_rows_without_events_are_refused_in_one_line() -> None:
    study = nasty_study(cases=CASES, sweep={})
    with pytest.raises(InputError, match=r"without counted events.*run their trials again"):
        chip_ledger(runs_of(study), CHIP)


def test_the_command_prints_draws_and_has_a_section(command: Command, tmp_path: Path) -> None:
    study, runs = counted(chip="crossbar_65nm")
    folder = write_folder(tmp_path / "out", study, runs)
    code, output, _ = command("ledger", folder, "--out", tmp_path / "t.csv")
    assert code == 0
    assert "chip crossbar_65nm: 256 x 256 cells, converter at the columns" in output
    assert "0 (0 to 2.52)" in output
    assert "this chip leaves out, at no cost: converter step, array, initial write" in output
    assert "0.04 (no interval published)" in output
    assert "this chip has no leakage power" in output
    assert all((folder / f"{study.study}_{kind}.png").is_file() for kind in ("chip", "trade"))
    assert "85.50 ± 2.15 *" in output
    exact = pd.read_csv(tmp_path / "t.csv", dtype=str)
    assert exact["image_j"].map(float).tolist() == chip_ledger(runs, study.chip)["image_j"].tolist()
    _, other, _ = command("ledger", folder, "--chip", "neurram_130nm")
    assert "neuron at the columns" in other
    assert "this chip leaves out, at no cost: cell read" in other
    assert "buffer, array, initial write" in other
    assert "no leakage" not in other
    assert "energy of an image in training" in report_html(folder).lower()
