"""Timings that a plan can be tested with."""

from pathlib import Path

from studies.declaration.trial import Trial, TrialResult
from studies.execution.timing import Cost
from studies.workers.workspace import Workspace

COSTS = {"ann": 0.001, "rate": 0.01, "pulses": 0.1}
"""Seconds of a training presentation, fake."""


def fake_steps(
    trial: Trial, data_root: Path | None, threads: int, workspace: Workspace
) -> TrialResult:
    """Known costs; `data_root` gets a log of what was timed."""
    update = trial.settings.method.update
    if data_root is not None:
        with (data_root / "log").open("a") as log:
            log.write(f"{trial.settings.measure} {trial.title}\n")
    cost = Cost(first=2.0, start=1.0, train=COSTS[update], show=0.01, peak_memory_mb=512.0)
    return TrialResult(row=dict(vars(cost)), epochs=[])
