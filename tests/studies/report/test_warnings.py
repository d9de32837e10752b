"""Tests the warnings to readers of a report."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studies.declaration.study import Study
from studies.declaration.trial import Failure, Trial
from studies.report.page import build
from studies.results.caveats import of_cut_recordings, of_question, of_reference
from studies.results.summary import summary
from studies.results.tables import results_frame, write_failures
from support.commands import Command
from support.device_presets.jump_tables import write_table
from support.studies.harness import DRIVE, RATE
from support.studies.html_elements import Elements
from support.studies.results_fakes import NASTY, accuracy, nasty_study, runs_of, write_folder


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the figures, which take most of the time of a report."""
    monkeypatch.setattr(build, "_pictures", lambda figures: [])


def warnings_of(root: Path) -> list[str]:
    after = build.report_html(root).partition('<section class="warnings"')[2]
    return [item.strip() for item in Elements(after.partition("</section>")[0]).items]


OWN_FLOAT_RULE = """
from studies.declaration.update_rules.ann import AnnRule


class Own(AnnRule):
    pass
"""


@pytest.mark.parametrize("rule", ["ann", "own.py"])
def test_a_reference_not_learnt_is_warned_of(rule: str, tmp_path: Path, command: Command) -> None:
    (tmp_path / "own.py").write_text(OWN_FLOAT_RULE)

    def short(trial: Trial) -> float:
        return accuracy(trial) - (20.5 if trial.label == "rate" else 0.0)

    update = str(tmp_path / rule) if rule.endswith(".py") else rule
    study = nasty_study(cases=[{"update": update, "learning_rate": 0.1}, RATE])
    folder = write_folder(tmp_path / "out", study, runs_of(study, short))
    said = "The reference learned badly: rate [T = 10] ends 20.5 points below the float"
    assert warnings_of(folder)[0].startswith(said)
    assert f"\n{said}" in command("table", folder)[1]
    runs = runs_of(study)
    assert not of_reference(study, summary(results_frame(runs), "rate"), runs)
    at_chance = {"test_accuracy": 11.0, "network": "784-256-10", "n_test": 10_000}
    chance = [(trial, replace(result, row=result.row | at_chance)) for trial, result in runs]
    (line,) = of_reference(study, summary(results_frame(chance), "rate"), chance).values()
    said = "rate [T = 10] ends at {}, where naming the largest class alone gives {}"
    assert said.format("11.0 %", "10.0 %") in line
    unequal = {"test_accuracy": 91.3, "largest_class": 91.25}
    learned_nothing = [(trial, replace(r, row=r.row | at_chance | unequal)) for trial, r in runs]
    table = summary(results_frame(chance), "rate")
    (line,) = of_reference(study, table, learned_nothing).values()
    assert said.format("91.3 %", "91.2 %") in line


def test_recordings_that_are_mostly_not_shown_are_said() -> None:
    runs = runs_of(nasty_study())
    cut = [(t, replace(result, row=result.row | {"spikes_after_T": 0.953})) for t, result in runs]
    (line,) = of_cut_recordings(cut).values()
    assert line.startswith("Of the recorded spikes, 95 % come after slot T")
    assert not of_cut_recordings(runs)


def test_few_images_are_said_in_report_and_under_tables(tmp_path: Path, command: Command) -> None:
    def written(name: str, **images: int) -> tuple[Path, str]:
        study = nasty_study()
        runs = [(trial, replace(of, row=of.row | images)) for trial, of in runs_of(study)]
        folder = write_folder(tmp_path / name, study, runs)
        code, table, errors = command("table", folder)
        assert code == 0, errors
        return folder, table

    said = "Accuracies were measured on only 30 test samples, of which one is 3.3 %;"
    folder, table = written("few", n_test=30)
    assert f"\n{said}" in table
    assert [line for line in warnings_of(folder) if line.startswith(said)]
    folder, table = written("enough", n_test=200)
    assert "of which one is" not in table
    assert not [line for line in warnings_of(folder) if "of which one is" in line]
    few = [
        (trial, replace(of, row=of.row | {"n_test": 30})) for trial, of in runs_of(nasty_study())
    ]
    assert any(line.startswith(said) for line in of_question(few, "capacitor", "rate"))


def test_warnings_say_what_is_wrong(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "out", nasty_study())
    first, second = sorted((folder / "trials").glob("*.json"))[:2]
    first.write_text("{}")
    second.unlink()
    write_failures(folder, [Failure("id", "rate seed 7", "RuntimeError: <i>no</i>", "")])
    warned = warnings_of(folder)
    said = "2 trials have not finished yet; `rpu-ssnn run` runs what is missing: "
    assert warned[0].startswith(said)
    assert warned[1] == "The last run failed at rate seed 7: RuntimeError: <i>no</i>"
    assert warned[2].startswith(f"Left out: {first.name}: ")
    assert any("up to 25 % of its devices end at one of their bounds" in each for each in warned)
    assert warned[-1].startswith(
        "Runs of these cases cannot be repeated bit for bit, as aihwkit's own noise cannot be "
        f"seeded: {' '.join(NASTY.split())}."
    )


def test_a_clean_folder_has_no_warnings(tmp_path: Path) -> None:
    study = nasty_study(cases=[RATE, {"update": "coincidence", "learning_rate": 1.0}])
    assert warnings_of(write_folder(tmp_path / "out", study)) == []


def test_different_versions_and_few_seeds_are_warned_of(tmp_path: Path) -> None:
    study = nasty_study(seeds=[0], cases=[RATE])
    runs = runs_of(study)
    runs[0][1].row["torch_version"] = "99.0"
    warned = warnings_of(write_folder(tmp_path / "out", study, runs))
    assert "torch_version 99.0" in warned[0]
    assert warned[1].startswith("These cases have fewer than 3 seeds")


def test_an_accuracy_that_fell_is_warned_of(tmp_path: Path) -> None:
    study = nasty_study(cases=[RATE], sweep={})
    for number, (kind, first, last, images, expected) in enumerate(
        (
            ("validation", 96.0, 89.0, 6000, 1),
            ("validation", 96.0, 94.5, 6000, 0),
            ("validation", 96.0, 89.0, 100, 0),  # Seven of a hundred may be chance.
            ("training", None, None, 0, 1),
        )
    ):
        runs = runs_of(study)
        runs[1][1].row["n_validation"] = images
        runs[1][1].epochs[:] = [
            {"epoch": 0, "train_accuracy": 96.0, "validation_accuracy": first},
            {"epoch": 1, "train_accuracy": 89.0, "validation_accuracy": last},
        ]
        fell = warnings_of(write_folder(tmp_path / str(number), study, runs))
        assert len(fell) == expected
        if expected:
            assert fell[0].startswith(
                f"rate: in seed 1, {kind} accuracy fell from 96.0 % after epoch 1 to 89"
            )


def test_devices_that_are_all_alike_are_named(tmp_path: Path) -> None:
    several, one = tmp_path / "several", write_table(tmp_path / "one")
    for number, up in enumerate((1e-6, 2e-6)):
        write_table(several / str(number), up=up)
    native: dict[str, Any] = {"tile": {"simulator": "native"}}
    lines = {"tile": {"simulator": "native", "line_spread": {"step_by_input_line": 0.3}}}
    cases = [
        {"label": label, "device": device, "hyperparameters": DRIVE, **more}
        for label, device, more in (
            ("spread", "reram_es", {}),
            ("ideal", "ideal", {}),
            ("neurosim_pcmo", "neurosim_pcmo", {}),
            ("of lines", "ideal", lines),
            ("stuck", "ideal", {"tile": {"stuck_share": 0.1}}),
            ("failed", "ideal", {"overrides": {"failed_share": 0.1}}),
            ("table", {"table": str(one)}, native),
            ("tables", {"table": str(several)}, native),
        )
    ]
    (alike,) = _alike(tmp_path / "cases", nasty_study(cases=[RATE, *cases], sweep={}))
    assert alike.endswith(": ideal, neurosim_pcmo, table.")
    sweep = {"overrides.step_spread": [0.3, 0.0]}  # of a sweep, every point counts
    assert not _alike(tmp_path / "sweep", nasty_study(cases=[RATE, cases[1]], sweep=sweep))


def _alike(root: Path, study: Study) -> list[str]:
    return [line for line in warnings_of(write_folder(root, study)) if "alike" in line]
