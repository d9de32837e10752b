"""Broken studies and folders: one line each, naming file, field, value and what is allowed."""

import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_studies_support import SMALL

from studies.cli import main
from studies.study import load_study

PYTHON_WORDS = re.compile(r"\b(tuple|dict\w*|instance|string|str|int|float|bool|Input|Spec)\b")
"""None of a user's."""

RATE = {"update": "rate", "learning_rate": 1.0}
DRIVE = {"weight_range": 8, "learning_rate": 1}

# id, what replaces keys of the small study, then field, value and allowed as the line says them.
BROKEN: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("name", {"study": "../up"}, "study", "'../up'", "match pattern"),
    ("no question", {"question": ""}, "question", "''", "at least 1 character"),
    ("unknown key", {"sedes": [1]}, "sedes", "'sedes'", "did you mean seeds?"),
    ("nested key", {"network": {"TT": 1}}, "network.TT", "'TT'", "must be one of hidden, T,"),
    (
        "deep key",
        {"network": {"neuron": {"theta_m": 1}}},
        "network.neuron.theta_m",
        "'theta_m'",
        "did you mean theta_n?",
    ),
    ("negative T", {"network": {"T": -5}}, "network.T", "-5", "greater than or equal to 1"),
    (
        "rate above 1",
        {"network": {"encoding": {"input_rate": 1.5}}},
        "network.encoding.input_rate",
        "1.5",
        "less than or equal to 1",
    ),
    (
        "peak rate above 1",
        {"network": {"encoding": {"input_rate": 0.6}}},
        "network.encoding",
        "{'input_rate': 0.6}",
        "must be at most 1",
    ),
    (
        "text for number",
        {"training": {"epochs": "many"}},
        "training.epochs",
        "'many'",
        "whole number",
    ),
    ("schedule", {"training": {"schedule": "epoch"}}, "training.schedule", "'epoch'", "'batch'"),
    ("dataset", {"dataset": {"name": "minst"}}, "dataset.name", "'minst'", "did you mean mnist?"),
    ("no dataset name", {"dataset": {}}, "dataset.name", "nothing", "must be given"),
    (
        "validation share",
        {"dataset": {"name": "digits", "validation_share": 0.9}},
        "dataset.validation_share",
        "0.9",
        "less than or equal to 0.5",
    ),
    (
        "flag for a count",
        {"network": {"T": True}},
        "network.T",
        "True",
        "must be a whole number, not",
    ),
    (
        "flag for a number",
        {"network": {"neuron": {"theta": True}}},
        "network.neuron.theta",
        "True",
        "must be a number, not true or false",
    ),
    (
        "flag for images",
        {"dataset": {"name": "digits", "n_train": True}},
        "dataset.n_train",
        "True",
        "whole",
    ),
    ("flag for a layer", {"network": {"hidden": [8, True]}}, "network.hidden.1", "True", "whole"),
    ("flag for a seed", {"seeds": [True]}, "seeds.0", "True", "must be a whole number"),
    ("flag for a seed count", {"seeds": {"count": True}}, "seeds.count", "True", "whole number"),
    ("swept flag", {"sweep": {"network.T": [5, True]}}, "sweep.network.T", "True", "whole number"),
    ("half a slot", {"network": {"T": 1.5}}, "network.T", "1.5", "must be a whole number"),
    ("number for a list", {"seeds": 5}, "seeds", "5", "must be a list"),
    ("list for a mapping", {"network": [1]}, "network", "[1]", "must be a mapping"),
    ("text for a mapping", {"sweep": "T"}, "sweep", "'T'", "must be a mapping"),
    ("mapping for a list", {"cases": {"update": "rate"}}, "cases", "{'up", "must be a list"),
    ("number for text", {"question": 5}, "question", "5", "must be text"),
    ("number for a file", {"drives": 5}, "drives", "5", "must be the path of a file"),
    (
        "text for a flag",
        {"network": {"gradient": {"relay": "maybe"}}},
        "network.gradient.relay",
        "'maybe'",
        "must be true or false",
    ),
    (
        "near miss of a choice",
        {"training": {"schedule": "batches"}},
        "training.schedule",
        "'batches'",
        "did you mean batch?",
    ),
    ("no seeds", {"seeds": []}, "seeds", "[]", "at least 1 item"),
    ("seed twice", {"seeds": [3, 3]}, "seeds", "[3, 3]", "3 is there twice"),
    ("negative seed", {"seeds": [-1]}, "seeds.0", "-1", "greater than or equal to 0"),
    ("seed count", {"seeds": {"count": 0}}, "seeds.count", "0", "greater than or equal to 1"),
    ("seed key", {"seeds": {"n": 3}}, "seeds.n", "'n'", "must be one of count"),
    ("no cases", {"cases": []}, "cases", "[]", "at least 1 item"),
    (
        "unknown update",
        {"cases": [RATE, {"update": "coincidences"}]},
        "cases.1.update",
        "'coincidences'",
        "did you mean coincidence?",
    ),
    ("no update", {"cases": [{"learning_rate": 1}]}, "cases.0", "{'lear", "device: NAME"),
    (
        "unknown device",
        {"cases": [RATE, {"device": "charge_trab"}]},
        "cases.1.device",
        "'charge_trab'",
        "did you mean charge_trap?",
    ),
    (
        "one-way device",
        {"cases": [RATE, {"device": "pcm"}]},
        "cases.1.device",
        "'pcm'",
        "one way only",
    ),
    (
        "override range",
        {"cases": [RATE, {"device": "ideal", "overrides": {"cycle_to_cycle": -1}}]},
        "cases.1.overrides.cycle_to_cycle",
        "-1",
        "at least 0",
    ),
    (
        "unknown override",
        {"cases": [RATE, {"device": "ideal", "overrides": {"cycle": 0}}]},
        "cases.1.overrides.cycle",
        "'cycle'",
        "must be one of step, levels",
    ),
    (
        "case key",
        {"cases": [RATE, {"device": "ideal", "override": {}}]},
        "cases.1.override",
        "'override'",
        "did you mean overrides?",
    ),
    (
        "key of another kind of case",
        {"cases": [{**RATE, "tile": {}}]},
        "cases.0.tile",
        "'tile'",
        "must be one of label, network, training, seeds, update, learning_rate, surrogate",
    ),
    (
        "case seeds",
        {"cases": [{**RATE, "seeds": [1, 1]}]},
        "cases.0.seeds",
        "[1, 1]",
        "must name each seed once, 1 is there twice",
    ),
    (
        "published label",
        {"published": {"rat": {"accuracy": 98.0, "source": "x"}}},
        "published",
        "'rat'",
        "must be one of",
    ),
    (
        "published accuracy",
        {"published": {"rate": {"accuracy": 101.0, "source": "x"}}},
        "published.rate.accuracy",
        "101.0",
        "less than or equal to 100",
    ),
    (
        "quoted case",
        {"quoted": {"rate": {"accuracy": 98.0, "source": "x"}}},
        "quoted",
        "'rate'",
        "is a case: put it under `published`",
    ),
    (
        "tile",
        {"cases": [RATE, {"device": "ideal", "tile": {"initial": "written"}}]},
        "cases.1.tile.initial",
        "'written'",
        "'programmed' or 'pulsed'",
    ),
    (
        "bits without a range",
        {"cases": [RATE, {"device": "ideal", "tile": {"reads": {"adc_bits": 4}}}]},
        "cases.1.tile.reads",
        "{'adc_bits': 4}",
        "adc_bits needs adc_bound",
    ),
    (
        "rates slot by slot",
        {"cases": [{**RATE, "training": {"schedule": "slot"}}]},
        "cases.0.training.schedule",
        "'slot'",
        "presentation or batch",
    ),
    (
        "weight range in tile",
        {"cases": [RATE, {"device": "ideal", "tile": {"weight_range": 4}}]},
        "cases.1.tile.weight_range",
        "4",
        "drive.weight_range",
    ),
    (
        "half a drive",
        {"cases": [RATE, {"device": "ideal", "drive": {"weight_range": 4}}]},
        "cases.1.drive.learning_rate",
        "None",
        "or neither",
    ),
    (
        "learning rate",
        {"cases": [{"update": "rate", "learning_rate": 0}]},
        "cases.0.learning_rate",
        "0",
        "greater than 0",
    ),
    (
        "surrogate",
        {"cases": [{**RATE, "surrogate": {"T_s": 0}}]},
        "cases.0.surrogate.T_s",
        "0",
        "greater than 0",
    ),
    (
        "network of a case",
        {"cases": [{**RATE, "network": {"T": 0}}]},
        "cases.0.network.T",
        "0",
        "greater than or equal to 1",
    ),
    (
        "what ann does not have",
        {"cases": [RATE, {"update": "ann", "network": {"T": 5}}]},
        "cases.1.network.T",
        "5",
        "changes nothing in ann",
    ),
    (
        "duplicate labels",
        {"cases": [RATE, {"update": "coincidence", "label": "rate"}]},
        "cases.1.label",
        "'rate'",
        "must be unique",
    ),
    (
        "unknown reference",
        {"reference": "rates"},
        "reference",
        "'rates'",
        "did you mean rate?",
    ),
    (
        "no rate case",
        {"cases": [{"update": "coincidence"}]},
        "reference",
        "None",
        "must be one of coincidence",
    ),
    ("sweep value", {"sweep": {"network.T": [20, 0]}}, "sweep.network.T", "0", "equal to 1"),
    ("sweep key", {"sweep": {"network.TT": [1]}}, "sweep.network.TT", "'TT'", "must be one of"),
    ("sweep of nothing", {"sweep": {"tile.initial": ["pulsed"]}}, "sweep.tile.initial", "['pu", ""),
    (
        "range of one value",
        {"sweep": {"network.T": {"from": 10, "to": 100, "n": 1}}},
        "sweep.network.T.n",
        "1",
        "greater than or equal to 2",
    ),
    (
        "range with a wrong key",
        {"sweep": {"network.T": {"from": 10, "too": 100, "n": 3}}},
        "sweep.network.T.too",
        "'too'",
        "did you mean to?",
    ),
    (
        "range through zero on a log scale",
        {"sweep": {"network.T": {"from": 0, "to": 100, "n": 3, "scale": "log"}}},
        "sweep.network.T",
        "{",
        "must be above 0 at both ends",
    ),
    (
        "lists together of unequal length",
        {"together": [{"network.T": [5, 10], "training.epochs": [1]}]},
        "together.0.training.epochs",
        "[1]",
        "must have 2 values",
    ),
    (
        "a path varied twice",
        {"sweep": {"network.T": [5]}, "together": [{"network.T": [5, 10]}]},
        "together.0.network.T",
        "'network.T'",
        "is varied by sweep already",
    ),
    (
        "sample of nothing",
        {"sample": {"n": 3, "over": {"network.T": 7}}},
        "sample.over.network.T",
        "7",
        "must be a span",
    ),
    (
        "sampling method",
        {"sample": {"n": 3, "method": "sobol", "over": {"network.T": [5, 10]}}},
        "sample.method",
        "'sobol'",
        "latin_hypercube",
    ),
    ("empty sweep", {"sweep": {"network.T": []}}, "sweep.network.T", "[]", "at least 1 item"),
    (
        "sweep of an override",
        {
            "cases": [RATE, {"device": "ideal", "drive": DRIVE}],
            "sweep": {"overrides.cycle_to_cicle": [0]},
        },
        "sweep.overrides.cycle_to_cicle",
        "[0]",
        "did you mean overrides.cycle_to_cycle?",
    ),
    (
        "sweep of what all cases set",
        {"cases": [{**RATE, "network": {"T": 20}}], "sweep": {"network.T": [10]}},
        "sweep.network.T",
        "[10]",
        "remove it there",
    ),
    (
        "sweep with a value twice",
        {"sweep": {"network.T": [5, 10, 5.0]}},
        "sweep.network.T",
        "[5, 10, 5.0]",
        "must name each value once",
    ),
    (
        "weight range without bounds",
        {
            "cases": [
                RATE,
                {"device": "ideal", "drive": {"weight_range": 1e300, "learning_rate": 1}},
            ]
        },
        "cases.1.drive.weight_range",
        "1e+300",
        "less than or equal to 1000",
    ),
    (
        "batch without bounds",
        {"training": {"batch": 10**12}},
        "training.batch",
        "1000000000000",
        "less than or equal to 100000",
    ),
    (
        "search without validation images",
        {"dataset": {"name": "digits", "validation_share": 0}, "cases": [{"update": "rate"}]},
        "dataset.validation_share",
        "0.0",
        "must be above 0",
    ),
    ("search budget", {"search": {"n_train": 200}}, "search.n_train", "200", "at most"),
    (
        "until nothing",
        {"until": {"gap_ci": 0, "max_seeds": 9}},
        "until.gap_ci",
        "0",
        "greater than 0",
    ),
    (
        "until of a flag",
        {"until": {"gap_ci": True, "max_seeds": 9}},
        "until.gap_ci",
        "True",
        "number",
    ),
    (
        "until without an end",
        {"until": {"gap_ci": 0.2}},
        "until.max_seeds",
        "nothing",
        "must be given",
    ),
    (
        "until with fewer seeds than declared",
        {"seeds": {"count": 5}, "until": {"gap_ci": 0.2, "max_seeds": 4}},
        "until.max_seeds",
        "4",
        "must be at least 5, the seeds of",
    ),
    (
        "until beyond the last seed",
        {"seeds": [2**32 - 3], "until": {"gap_ci": 0.2, "max_seeds": 4}},
        "seeds",
        "4294967293",
        "must leave room below 2**32 for 4 seeds",
    ),
    (
        "until key",
        {"until": {"gap": 0.2, "max_seeds": 9}},
        "until.gap",
        "'gap'",
        "did you mean gap_ci?",
    ),
    (
        "prune after no epoch",
        {"prune": {"after_epochs": 0, "below": 20}},
        "prune.after_epochs",
        "0",
        "greater than or equal to 1",
    ),
    (
        "prune after the last epoch",
        {"training": {"epochs": 3}, "prune": {"after_epochs": 3, "below": 20}},
        "prune.after_epochs",
        "3",
        "must be below the epochs of a case that can be stopped, 3 at most",
    ),
    (
        "prune below a share",
        {"training": {"epochs": 3}, "prune": {"after_epochs": 1, "below": 101}},
        "prune.below",
        "101",
        "less than or equal to 100",
    ),
    (
        "prune without a level",
        {"training": {"epochs": 3}, "prune": {"after_epochs": 1}},
        "prune.below",
        "nothing",
        "must be given",
    ),
    (
        "prune key",
        {"training": {"epochs": 3}, "prune": {"after_epochs": 1, "belov": 20}},
        "prune.belov",
        "'belov'",
        "did you mean below?",
    ),
    (
        "prune without validation images",
        {
            "dataset": {"name": "digits", "validation_share": 0},
            "training": {"epochs": 3},
            "prune": {"after_epochs": 1, "below": 20},
        },
        "dataset.validation_share",
        "0.0",
        "must be above 0, as `prune` looks at validation images",
    ),
    ("until as a number", {"until": 0.2}, "until", "0.2", "must be a mapping"),
    ("empty grid", {"search": {"weight_range": []}}, "search.weight_range", "[]", "at least 1"),
]


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which the command line refuses."""
    sys.argv = ["rpu-ssnn", *arguments]
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("\n")
    return captured.err


@pytest.fixture(autouse=True)
def _argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)


@pytest.mark.parametrize(
    ("changes", "field", "value", "allowed"),
    [pytest.param(*rest, id=name) for name, *rest in BROKEN],
)
def test_a_broken_study_is_refused_in_one_line(
    changes: dict[str, Any],
    field: str,
    value: str,
    allowed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}))
    line = refused(["run", str(path), "--out", str(tmp_path / "out")], capsys)
    assert line.startswith(f"{path}: {field}: {value}")
    said = line.partition("is not allowed; ")[2]
    assert allowed in said
    assert not PYTHON_WORDS.search(said)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "field", "value", "allowed"),
    [
        ("study: [", "line 1", "", "valid YAML"),
        ("study: a\nseeds: [1]\nseeds: [2]\n", "line 3", "'seeds'", "only once"),
        ("a: &a [*a]", "syntax", "'nested too deeply, or within itself'", "valid YAML"),
        (
            "a0: &a0 [x, x]\n"
            + "".join(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]\n" for k in range(1, 40)),
            "syntax",
            "'aliases that expand to more than 1000000 values'",
            "valid YAML",
        ),
        ("study: " + "9" * 5000, "syntax", "", "valid YAML"),
        ("", "content", "None", "mapping"),
        ("\r\n# nothing\r\n", "content", "None", "mapping"),
        ("2024-01-01", "content", "'2024-01-01'", "mapping"),
        ("just text", "content", "'just text'", "mapping"),
        ("study: !!python/object:os.system {}", "line 1", "", "valid YAML"),
        ("study: \xff", "file", "", "UTF-8"),
        (None, "file", "'No such file or directory'", "readable file"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused(
    text: str | None,
    field: str,
    value: str,
    allowed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "broken.yaml"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    line = refused(["run", str(path)], capsys)
    assert line.startswith(f"{path}: {field}: {value}")
    assert allowed in line


def test_a_folder_for_a_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(["run", str(tmp_path)], capsys)
    assert line == f"{tmp_path}: file: 'Is a directory' is not allowed; must be a readable file\n"


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    text = yaml.safe_dump({**SMALL, "question": "2024-01-01"}).replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("'", "").encode())
    assert load_study(path).question == "2024-01-01"


def test_an_unknown_name_lists_the_shipped_studies(capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(["run", "digits_device"], capsys)
    assert "did you mean digits_devices?" in line


def _valid(folder: Path, **changes: Any) -> Path:
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}))
    return path


def test_the_folder_of_another_study_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "study.yaml").write_text(yaml.safe_dump({**SMALL, "study": "other"}))
    line = refused(["run", str(_valid(tmp_path)), "--out", str(out)], capsys)
    assert line.startswith(f"{out}: output folder: 'other' is not allowed; holds another study")
    assert "small" in line


def test_a_folder_with_other_files_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.csv").write_text("precious")
    line = refused(["run", str(_valid(tmp_path)), "--out", str(out)], capsys)
    assert line.startswith(f"{out}: output folder: 'results.csv'")
    assert [entry.name for entry in out.iterdir()] == ["results.csv"]


def test_an_output_folder_below_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    line = refused(["run", str(_valid(tmp_path)), "--out", str(out)], capsys)
    assert line.startswith(f"{out}: output folder: 'Not a directory' is not allowed; must be")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_an_unwritable_output_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    line = refused(["run", str(_valid(tmp_path)), "--out", str(locked / "out")], capsys)
    assert "'Permission denied' is not allowed; must be writable" in line


def test_a_drives_file_with_a_wrong_value_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drives = tmp_path / "drives.yaml"
    drives.write_text("rate: {learning_rate: -1, validation_accuracy: 90, searched_for: 00}\n")
    study = _valid(tmp_path, cases=[{"update": "rate"}], drives="drives.yaml")
    line = refused(["run", str(study), "--out", str(tmp_path / "out")], capsys)
    assert line.startswith(f"{drives}: rate.learning_rate: -1 is not allowed; must be greater")


def test_a_folder_without_a_study_has_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(["table", str(tmp_path)], capsys)
    assert line.startswith(f"{tmp_path}: result folder: ")


@pytest.mark.parametrize(
    ("dataset", "changes", "field", "value", "allowed"),
    [
        ({"n_train": 5000}, {}, "dataset.n_train", "5000", "at most 1438, the images there are"),
        ({"n_test": 360}, {}, "dataset.n_test", "360", "at most 359, the images there are"),
        (
            {"n_train": 4},
            {},
            "dataset.validation_share",
            "0.1",
            "holds none of 4 images out: must be 0, or above 0.125",
        ),
        (
            {},
            {"sweep": {"dataset.n_train": [100, 2000]}},
            "sweep.dataset.n_train",
            "2000",
            "must be at most 1438",
        ),
        (
            {},
            {"cases": [{"update": "rate"}], "search": {"n_train": 3000}},
            "search.n_train",
            "3000",
            "must be at most 1438",
        ),
        (
            {},
            {"cases": [{"update": "rate"}], "search": {"n_train": 5}},
            "search.n_train",
            "5",
            "must be at least 6, or the validation share of 0.1 holds no image out",
        ),
    ],
)
@pytest.mark.parametrize("command", ["run", "search", "plan"])
def test_images_that_are_not_there_are_refused_before_anything_is_written(
    command: str,
    dataset: dict[str, Any],
    changes: dict[str, Any],
    field: str,
    value: str,
    allowed: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studies.local_executor._pool_of_one", None)  # no process may be started
    study = _valid(tmp_path, dataset={"name": "digits", **dataset}, **changes)
    line = refused([command, str(study), "--out", str(tmp_path / "new" / "out")], capsys)
    assert line.startswith(f"{study}: {field}: {value} is not allowed; ")
    assert allowed in line
    assert not (tmp_path / "new").exists()


def test_a_run_without_its_images_or_kept_rows_makes_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = _valid(tmp_path, dataset={"name": "mnist"})
    arguments = ["run", str(study), "--out", str(tmp_path / "new" / "out")]
    assert "missing" in refused([*arguments, "--data", str(tmp_path)], capsys)
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1\n1,2,3\n")
    assert refused([*arguments, "--rows", str(rows)], capsys).startswith(f"{rows}: rows: ")
    assert not (tmp_path / "new").exists()
