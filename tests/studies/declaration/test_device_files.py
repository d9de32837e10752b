"""Preset files of a study are found beside it, and are named without their folder."""

from pathlib import Path

import pytest

from studies.declaration.devices import path_free
from studies.declaration.study import Study, load_study
from studies.sensitivity.device_question import ask
from support.commands import refused
from support.device_presets.own_presets import OWN_PRESETS
from support.studies.harness import DRIVE, RATE, SMALL, small_study, study_file


def study_with(folder: Path, device: str) -> Study:
    folder.mkdir(exist_ok=True)
    (folder / "mine.yaml").write_text(OWN_PRESETS)
    cases = [RATE, {"device": device, "hyperparameters": DRIVE}]
    study_file(folder, "s.yaml", cases=cases)
    return load_study(folder / "s.yaml")


@pytest.mark.parametrize("device", ["mine.yaml:power", "two_device_pair(mine.yaml:power)"])
def test_presets_lie_by_study(device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    points = [study_with(tmp_path / name, device).points()[1] for name in ("a", "b")]
    assert [point.label for point in points] == [device, device]
    assert str(tmp_path / "a" / "mine.yaml") in points[0].rule.device
    first, second = (point.trial("small", point.hyperparameters, 0) for point in points)  # type: ignore[arg-type]
    assert first.settings != second.settings
    assert first.identity == second.identity, "a folder that moved"
    assert first.settings.method.columns()["device"] == device


@pytest.mark.parametrize("device", ["mine", "mine.yaml", "two_device_pair(mine)"])
def test_a_name_finds_the_file_beside_the_study_before_that_of_the_working_directory(
    device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "mine.yaml").write_text("a: {like: ecram}")
    cases = [RATE, {"device": device, "hyperparameters": DRIVE}]

    def found() -> str:
        return str(small_study(tmp_path / "a", cases=cases).points()[1].rule.device)

    name = device.replace(".yaml", "")
    assert found() == name.replace("mine", str(tmp_path / "mine.yaml"))
    (tmp_path / "a" / "mine.yaml").write_text("a: {like: ideal}")
    assert found() == name.replace("mine", str(tmp_path / "a" / "mine.yaml"))


def test_a_shipped_table_is_read_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    native = {"tile": {"simulator": "native"}, "hyperparameters": DRIVE}
    cases = [RATE, {"device": {"table": "ENODe"}, **native}]
    point = small_study(tmp_path, cases=cases).points()[1]
    assert point.label == "table(ENODe)"
    with refused("case 2.device", "'ENODes'", "must be a file or folder that exists"):
        cases[1] = {"device": {"table": "ENODes"}, **native}
        small_study(tmp_path, cases=cases)


def test_a_folder_with_parentheses_does_not_change_the_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = (tmp_path / "a", tmp_path / "a (copy)", tmp_path / "a, b")
    points = [study_with(folder, "mine.yaml:power").points()[1] for folder in folders]
    assert {point.label for point in points} == {"mine.yaml:power"}
    trials = [point.trial("small", point.hyperparameters, 0) for point in points]  # type: ignore[arg-type]
    assert len({trial.identity for trial in trials}) == 1


def test_of_two_files_of_one_name_one_needs_a_label(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for folder in (tmp_path, tmp_path / "sub"):
        (folder / "dev.yaml").write_text("a: {like: ideal}")
    one, two = ({"device": n, "hyperparameters": DRIVE} for n in ("dev.yaml", "sub/dev.yaml"))
    with refused("case 3.label", "'dev.yaml'", "give one of them a `label`"):
        small_study(tmp_path, cases=[RATE, one, two])
    points = small_study(tmp_path, cases=[RATE, one, {**two, "label": "own"}]).points()
    assert [point.label for point in points[1:]] == ["dev.yaml", "own"]


def test_a_cell_needs_a_folder_whose_name_does_not_break_its_own(tmp_path: Path) -> None:
    assert study_with(tmp_path / "a (copy)", "mine.yaml:power").points()[1].label
    with refused("case 2.device: 'mine.yaml'", "without parentheses and commas"):
        study_with(tmp_path / "a (copy)", "two_device_pair(mine.yaml:power)")


def test_a_name_without_folders() -> None:
    long = "tiki_taka(/a b/c.yaml:x, d/e.yaml)"
    assert path_free(long) == "tiki_taka(c.yaml:x, e.yaml)"
    assert path_free("table(/m/TaOx, m/y, sha256=ab)") == "table(TaOx, y, sha256=ab)"
    assert path_free("SoftBoundsDevice(dw_min=0.01)") == "SoftBoundsDevice(dw_min=0.01)"


def test_a_preset_file_has_one_name_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "mine.yaml").write_text("a: {like: capacitor}")
    case = {"device": "mine.yaml", "hyperparameters": DRIVE}
    study = small_study(tmp_path, cases=[*SMALL["cases"], case])
    for written in ("mine", "mine.yaml", "sub/../mine.yaml", str(tmp_path / "mine.yaml")):
        asked = ask(study, written)
        rate = asked.case.device_rule.hyperparameters.learning_rate
        assert (asked.device, rate) == ("mine.yaml", 1)
