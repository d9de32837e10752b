"""A folder stores its study in a form that can be read again, with all it needs."""

import math
from pathlib import Path

from studies.declaration.trial import TrialResult
from studies.results.result_folder import open_folder, stored_study
from studies.results.store import StoredRuns
from support.studies.harness import RATE, SMALL, declared_trials, small_study


def test_a_study_that_sweeps_to_infinity_is_read_back(tmp_path: Path) -> None:
    case = {
        "device": "capacitor",
        "hyperparameters": {"weight_range": 2, "learning_rate": 8},
        "overrides": {"leak_time_constant_s": math.inf},
    }
    sweep = {"overrides.leak_time_constant_s": [math.inf, 10]}
    cases = [*SMALL["cases"], case]
    swept = [{**case, "overrides": {}}]
    for number, more in enumerate(({"cases": cases}, {"cases": swept, "sweep": sweep})):
        study = small_study(tmp_path, **more, reference="capacitor")
        with open_folder(tmp_path / str(number), study):
            again = stored_study(tmp_path / str(number))
        assert again.model_dump() == study.model_dump()


def test_a_folder_is_read_with_the_preset_files_that_it_was_run_with(tmp_path: Path) -> None:
    """Otherwise finished trials would vanish from all tables when a file is edited or moved."""
    devices = ["dev.yaml", "sub/dev.yaml", "two_device_pair(dev.yaml)", "ecram"]
    drive = {"weight_range": 2, "learning_rate": 8}
    own = [{"label": name, "device": name, "hyperparameters": drive} for name in devices]
    (tmp_path / "sub").mkdir()
    (tmp_path / "dev.yaml").write_text("a: {like: ideal}")
    (tmp_path / "sub" / "dev.yaml").write_text("a: {like: capacitor}")
    study = small_study(tmp_path, cases=[*SMALL["cases"], *own])
    before = [(trial.label, trial.identity) for trial in declared_trials(study)]
    with open_folder(tmp_path / "out", study):
        pass
    (tmp_path / "dev.yaml").write_text("a: {like: gokmen_vlasov}")
    (tmp_path / "sub" / "dev.yaml").unlink()
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    again = stored_study(moved)
    assert [(trial.label, trial.identity) for trial in declared_trials(again)] == before
    with open_folder(moved, again):
        once_more = stored_study(moved)
    assert [(trial.label, trial.identity) for trial in declared_trials(once_more)] == before
    assert f"{tmp_path}/dev" not in (moved / "study.yaml").read_text()


def test_cells_of_files_of_one_name_are_read_back(tmp_path: Path) -> None:
    """A study may name more such files than it has cases."""
    names = ["ecram", "reram_sb", "capacitor", "reram_es", "gokmen_vlasov", "ideal"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "dev.yaml").write_text(f"a: {{like: {name}}}")
    drive = {"weight_range": 2, "learning_rate": 8}
    pairs = zip(names[::2], names[1::2], strict=True)
    cells = [f"tiki_taka({fast}/dev.yaml, {slow}/dev.yaml)" for fast, slow in pairs]
    cases = [{"label": cell, "device": cell, "hyperparameters": drive} for cell in cells]
    study = small_study(tmp_path, cases=[RATE, *cases])
    with open_folder(tmp_path / "out", study):
        again = stored_study(tmp_path / "out")
    found, before = ([one.identity for one in declared_trials(of)] for of in (again, study))
    assert found == before


def test_of_two_older_numerics_the_later_counts() -> None:
    """Otherwise a table would mix the two, as the order of hashes differs between trials."""
    earlier, later = (TrialResult({"numerics_version": number}, []) for number in (-2, -1))
    for order in ((earlier, later), (later, earlier)):
        stored = StoredRuns({}, [])
        for run in order:
            stored.add("one", run)
        assert stored.by_identity["one"] is later
