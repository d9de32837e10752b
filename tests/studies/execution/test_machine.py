"""Tests how rows describe the machine that made them."""

import platform
from pathlib import Path

import pytest

from studies.workers import run_trial as module
from studies.workers.run_trial import machine


@pytest.mark.parametrize(
    ("cpu_info", "processor"),
    [
        (
            "processor\t: 0\nmodel name\t: Fancy 3000 @ 2 GHz\nmodel name\t: Other",
            "Fancy 3000 @ 2 GHz",
        ),
        ("processor\t: 0\nBogoMIPS\t: 50.00", platform.processor() or platform.machine()),
        (None, platform.processor() or platform.machine()),
    ],
)
def test_the_machine_is_the_system_and_the_model_of_the_processor(
    cpu_info: str | None, processor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if cpu_info is not None:
        file.write_text(cpu_info)
    monkeypatch.setattr(module, "_CPU_INFO", file)
    assert machine.__wrapped__() == f"{platform.platform()}, {processor}"
