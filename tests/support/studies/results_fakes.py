"""Makes result folders without any training: the real store writes rows with known accuracies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rpu_ssnn.version import NUMERICS_VERSION
from studies.declaration.study import Study, parse_study
from studies.declaration.trial import Runs, Trial, TrialResult
from studies.declaration.update_rules.pulses import PulseRule
from studies.results.result_folder import open_folder
from studies.results.store import Versions
from support.studies.harness import DRIVE, RATE, SMALL, declared_trials

NASTY = 'x_$T$ <script>alert("x")</script> & 50 % {\\n}'
"""A label with characters that break HTML, LaTeX and matplotlib's formulas."""

EVENTS: dict[str, float] = {
    "forward_reads": 1800.0,
    "forward_lines": 9000.0,
    "transposed_reads": 900.0,
    "forward_spikes": 4500.0,
    "gradient_spikes": 900.0,
    "write_spikes": 450.0,
    "write_phases": 450.0,
    "write_lines": 2250.0,
    "pulses_up": 1800.0,
    "pulses_down": 450.0,
    "devices": 80.0,
    "inference_reads": 200.0,
    "inference_lines": 500.0,
    "inference_spikes": 300.0,
}
"""Events of each of two crossbars, 10 x 8 and 8 x 10, after 90 images and one epoch."""

type Accuracy = Callable[[Trial], float]


def nasty_study(**changes: Any) -> Study:
    """Returns a study of ann, rate and a device at two T and three seeds; the device has the
    nasty label."""
    content: dict[str, Any] = {
        **SMALL,
        "question": "Is </script><b>it</b> safe?",
        "seeds": [0, 1, 2],
        "cases": [
            {"update": "ann", "learning_rate": 0.1},
            RATE,
            {"label": NASTY, "device": "reram_es", "hyperparameters": DRIVE},
        ],
        "sweep": {"network.T": [10, 20]},
        **changes,
    }
    return parse_study(content, "small.yaml", Path())


def accuracy(trial: Trial) -> float:
    """Returns 90, 92, 91 by seed; the device is 5.0, 5.5, 6.0 lower at T=10, and 1, 0, -1 at
    T=20."""
    seed = trial.settings.seed
    reached = (90.0, 92.0, 91.0)[seed]
    if isinstance(trial.settings.method, PulseRule):
        reached -= (5.0 + seed / 2) if trial.settings.network.T == 10 else (1.0 - seed)
    return reached


def result_of(trial: Trial, accuracy: Accuracy = accuracy) -> TrialResult:
    """Returns the row of a trial and, unless it is an ann, two epochs."""
    on_tile = isinstance(trial.settings.method, PulseRule)
    here = Versions.here()
    reached = accuracy(trial)
    is_ann = trial.settings.method.update == "ann"
    return TrialResult(
        row={
            "T": None if is_ann else trial.settings.network.T,
            "device": "reram_es" if on_tile else None,
            "seed": trial.settings.seed,
            "test_accuracy": reached,
            "validation_accuracy": reached - 0.5,
            "seconds": 3.0,
            "pulses_per_device_mean": 12.5 if on_tile else None,
            "saturated_fraction": 0.25 if on_tile else None,
            "replayable": not on_tile,
            "settings": trial.settings_json,
            "numerics_version": NUMERICS_VERSION,
            "torch_version": here.torch_version,
            "aihwkit_version": here.aihwkit_version,
        },
        epochs=[]
        if is_ann
        else [
            {"epoch": epoch, "train_accuracy": 50.0, "validation_accuracy": reached - 10 + epoch}
            for epoch in (0, 1)
        ],
    )


def runs_of(study: Study, accuracy: Accuracy = accuracy) -> Runs:
    """Returns a finished run of every trial, in the study's order."""
    return [(trial, result_of(trial, accuracy)) for trial in declared_trials(study)]


def write_folder(root: Path, study: Study, runs: Runs | None = None) -> Path:
    """Writes the result folder of a study with these runs, or with a run of every trial."""
    with open_folder(root, study) as folder:
        for trial, result in runs_of(study) if runs is None else runs:
            folder.trials.write(trial, result)
    return root


def events(times: float = 1.0) -> dict[str, Any]:
    """Returns the columns with the events of a run; all but the devices are multiplied by
    `times`."""
    found: dict[str, Any] = {"n_train": 90, "inference_images": 10, "network": "10-8-10"}
    counts = {name: value * times for name, value in EVENTS.items()} | {"devices": 80.0}
    for n, (n_in, n_out) in enumerate(((10, 8), (8, 10)), 1):
        lines = {"input_lines": n_in, "output_lines": n_out, "positions": 1, "replicas": 1}
        found |= {f"{name}_{n}": float(value) for name, value in lines.items()}
        found |= {f"{name}_total_{n}": value for name, value in counts.items()}
    return found | {f"{name}_total": 2 * value for name, value in counts.items()}
