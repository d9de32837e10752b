"""The study as it was understood is a study again."""

import math
from pathlib import Path

from studies.declaration.study import parse_study
from studies.results.result_folder import open_folder, stored_study
from support.studies.harness import SMALL


def test_a_study_that_sweeps_to_infinity_is_read_back(tmp_path: Path) -> None:
    case = {
        "device": "capacitor",
        "drive": {"weight_range": 2, "learning_rate": 8},
        "overrides": {"leak_time_constant_s": math.inf},
    }
    sweep = {"overrides.leak_time_constant_s": [math.inf, 10]}
    cases = [*SMALL["cases"], case]
    swept = [{**case, "overrides": {}}]
    for number, more in enumerate(({"cases": cases}, {"cases": swept, "sweep": sweep})):
        study = parse_study(SMALL | more | {"reference": "capacitor"}, "small.yaml", tmp_path)
        with open_folder(tmp_path / str(number), study):
            again = stored_study(tmp_path / str(number))
        assert again.model_dump(exclude={"drives"}) == study.model_dump(exclude={"drives"})
