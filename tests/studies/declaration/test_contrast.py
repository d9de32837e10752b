"""`encoding.contrast` in a study: part of every case's identity, and told in the rows."""

from pathlib import Path

from studies.declaration.study import Study, parse_study
from studies.workers.run_trial import run_trial


def declared(encoding: dict[str, object]) -> Study:
    content = {
        "study": "contrast",
        "question": "q",
        "dataset": {"name": "digits", "n_train": 100, "n_test": 20},
        "network": {"hidden": [8], "encoding": encoding},
        "training": {"epochs": 1},
        "seeds": {"count": 1},
        "cases": [
            {"update": "rate", "learning_rate": 4},
            {"update": "ann", "learning_rate": 0.1},
            {"device": "ideal", "drive": {"weight_range": 4, "learning_rate": 4}},
        ],
    }
    return parse_study(content, "contrast.yaml", Path())


def identities(encoding: dict[str, object]) -> list[str]:
    points = declared(encoding).points()
    return [p.trial("contrast", p.drive, 0).identity for p in points if p.drive is not None]


def test_only_on_off_makes_other_trials_of_every_case() -> None:
    before, named, on_off = (
        identities(encoding) for encoding in ({}, {"contrast": "none"}, {"contrast": "on_off"})
    )
    assert before == named
    assert len(before) == 3
    assert not set(before) & set(on_off)


def test_rows_say_how_many_input_lines_there_are() -> None:
    for point in declared({"contrast": "on_off"}).points():
        assert point.drive is not None
        row = run_trial(point.trial("contrast", point.drive, 0), None, 1).row
        assert row["network"] == "128-8-10"
