"""Turns NeuroSim's metrics into a preset, and recovers them by pulsing tiles."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from device_presets import Preset, get_preset
from device_presets.neurosim_metrics.from_metrics import PublishedMetrics, text_from_metrics
from device_presets.neurosim_metrics.pulse_curve import curvature, curve, label_of
from device_presets.pulsing.pulse_train import pulse_train
from rpu_ssnn.common.errors import InputError
from support.commands import Command
from support.device_presets.imperfect import without

PAPER = {
    "on_off": 10.0, "states_up": 100, "states_down": 80, "nonlinearity_up": 2.4,
    "nonlinearity_down": -4.9, "cycle_to_cycle": 0.035, "device_to_device": 0.02,
    "source": "a paper",
}  # fmt: skip


def made(folder: Path, **changes: object) -> Preset:
    metrics = PublishedMetrics(**(PAPER | changes))  # type: ignore[arg-type]
    file = folder / "mine.yaml"
    file.write_text(text_from_metrics("mine", metrics))
    return get_preset(str(file))


def test_a_step_longer_than_the_range_is_refused() -> None:
    few = PAPER | {"states_up": 2, "states_down": 2, "nonlinearity_up": -9.0}
    with pytest.raises(InputError, match=r"nonlinearity-up: -9\.0.*longer than the range"):
        text_from_metrics("mine", PublishedMetrics(**few))  # type: ignore[arg-type]


NORM_A = {0.01: 126.269, 1.51: 0.8195, 3.01: 0.3853, 4.51: 0.2266, 6.01: 0.1351, 7.51: 0.0702}


@pytest.mark.parametrize(("label", "a"), NORM_A.items())
def test_labels_are_neurosims(label: float, a: float) -> None:
    """The values are from the table in NeuroSim's documentation (Nonlinearity-NormA)."""
    assert curvature(label) == pytest.approx(a, rel=1e-3)


@pytest.mark.parametrize("label", [-6.0, -0.5, 0.0, 1.0, 4.9, 8.0])
def test_a_curve_gives_its_label_back(label: float) -> None:
    assert label_of(7 + 3 * curve(np.linspace(0, 1, 65), label)) == pytest.approx(label, abs=2e-3)


@pytest.mark.parametrize(("label_up", "label_down"), [(2.4, -4.9), (-2.4, 4.9), (0.0, 0.0)])
def test_a_tile_follows_the_paper(label_up: float, label_down: float, tmp_path: Path) -> None:
    """A label of the other sign is the same curve, and a label of 0 a constant step."""
    preset = made(tmp_path, nonlinearity_up=label_up, nonlinearity_down=label_down)
    noise_free = without(preset, spread=True, noise=True)
    up = pulse_train(noise_free, 1, [True] * 100, -1.0, seed=0)[:, 0]
    np.testing.assert_allclose((up + 1) / 2, curve(np.linspace(0, 1, 101), label_up), atol=2e-4)
    down = pulse_train(noise_free, 1, [False] * 80, 1.0, seed=0)[:, 0]
    np.testing.assert_allclose((1 - down) / 2, curve(np.linspace(0, 1, 81), -label_down), atol=2e-4)


@pytest.mark.parametrize("changes", [{}, {"states_down": 100, "nonlinearity_down": -2.4}])
def test_labels_spread_as_published(changes: dict[str, object], tmp_path: Path) -> None:
    """The deviation over all devices, up and down together, is within three standard errors."""
    noise_free = without(made(tmp_path, **changes), noise=True)
    devices, variances = 100, []
    for n, up in ((100, True), (int(str(changes.get("states_down", 80))), False)):
        weights = pulse_train(noise_free, devices, [up] * n, -1e6 if up else 1e6, seed=0)
        variances.append(np.var([label_of(column) for column in weights.T], ddof=1))
    expected = pytest.approx(0.02, rel=3 / np.sqrt(2 * (devices - 1)))
    assert np.sqrt(np.mean(variances)) == expected


def test_cycle_to_cycle_is_a_share_of_the_range_on_a_tile(tmp_path: Path) -> None:
    """With equal curves up and down, aihwkit's noise is the same both ways, and exact."""
    alike = {"states_down": 100, "nonlinearity_down": -2.4}
    preset = made(tmp_path, **alike, cycle_to_cycle=0.01, device_to_device=0)
    for up in (True, False):
        weights = pulse_train(preset, 4000, [up], 0.0, seed=0)
        assert np.std(weights[1] - weights[0]) / 2 == pytest.approx(0.01, rel=0.05)


def test_a_first_pulse_that_does_nearly_all_has_a_spread(tmp_path: Path) -> None:
    """The label changes by 1.5 where a step of the whole way is smaller by 0.1 %."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made(tmp_path, states_up=2, nonlinearity_up=9.0, nonlinearity_down=0, device_to_device=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"on_off": 1.0}, "on-off: 1.0 .*above 1"),
        ({"states_up": 1}, "states-up: 1 "),
        ({"nonlinearity_down": -12.0}, "nonlinearity-down: -12.0 .*between -9 and 9"),
        ({"cycle_to_cycle": 3.5}, "cycle-to-cycle: 3.5 .*0 to 1"),
        ({"device_to_device": float("nan")}, "device-to-device: nan"),
    ],
)
def test_metrics_out_of_range(tmp_path: Path, changes: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=f"^metrics: --{message}"):
        made(tmp_path, **changes)


def test_a_preset_file_is_replaced_only_where_that_is_said(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = [f"--{key.replace('_', '-')}={value}" for key, value in PAPER.items()]
    Path("mine.yaml").write_text("my own work")
    made_of = ("presets", "from-metrics", "--name", "mine", *options)
    code, _, errors = command(*made_of)
    assert (code, errors.count("\n")) == (2, 1)
    assert "--name: 'mine.yaml' is not allowed; must not exist yet" in errors
    assert Path("mine.yaml").read_text() == "my own work"
    assert command(*made_of, "--out", "mine.yaml")[0] == 2
    assert Path("mine.yaml").read_text() == "my own work"
    assert [command(*made_of, "--out", "own.yaml")[0] for _ in range(2)] == [0, 0]
    assert get_preset("own.yaml").value("on_off_ratio") == 10.0


TABLE_II = {
    "ag_asi": (12.5, 97, 97, 2.4, -4.88, 0.035),
    "taox_hfox": (10, 128, 128, 0.04, -0.63, 0.037),
    "pcmo": (6.84, 50, 50, 3.68, -6.76, 0.01),
    "alox_hfo2": (4.43, 40, 40, 1.94, -0.61, 0.05),
    "gst_pcm": (19.8, 100, 120, 0.105, 2.4, 0.015),
    "epiram": (50.2, 64, 64, 0.5, -0.5, 0.02),
    "hzo_fefet": (45, 32, 32, 1.75, 1.46, 0.005),
}
"""Devices of NeuroSim's manual, with the first six numbers of `PAPER`."""


@pytest.mark.parametrize("name", TABLE_II)
def test_shipped_presets_are_those_of_neurosims_table(name: str, tmp_path: Path) -> None:
    metrics = dict(zip(PAPER, TABLE_II[name], strict=False))
    from_table = made(tmp_path, **metrics, device_to_device=0)
    shipped = get_preset(f"neurosim_{name}")
    assert shipped.law is from_table.law
    for parameter in from_table.parameters.keys() - {"pulse_width_s"}:  # the row of the pulses
        assert shipped.value(parameter) == from_table.value(parameter), parameter
