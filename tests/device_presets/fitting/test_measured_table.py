"""A lookup table from a measured pulse train reproduces the distributions it was drawn from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from device_presets import get_device
from device_presets.fitting.reading.sampled_table import sampled
from device_presets.fitting.results.measured_table import write_tables
from device_presets.jump_tables.lookup_table import read_lookup_table
from rpu_ssnn.common.errors import InputError
from support.commands import Command
from support.device_presets.fits import file_of
from support.device_presets.jump_tables import write_table


def measured(file: Path, source: Path, devices: int = 1) -> Path:
    """Writes some 6,000 pulses per device, drawn from a table, as a lab would export them."""
    drawn = [sampled(read_lookup_table(source), seed=device) for device in range(devices)]
    tables = [
        pd.DataFrame({"polarity": one.pulse, "conductance_uS": 1e6 * one.conductance})
        for one in drawn
    ]
    pd.concat(tables, keys=range(devices), names=["device", "pulse"]).to_csv(file)
    return file


def test_the_laws_come_back(tmp_path: Path) -> None:
    """Mean and quantiles at mid-range agree within four standard errors of some sixty changes."""
    source = read_lookup_table(write_table(tmp_path / "source", spread=0.5e-6))
    data = measured(tmp_path / "a.csv", tmp_path / "source")
    lines = write_tables(data, tmp_path / "new")
    assert any("51 conductances x 51 points" in line for line in lines)
    table = read_lookup_table(tmp_path / "new")
    middle = slice(15, 35)
    for up, step in ((True, 1e-6), (False, -2e-6)):
        assert table.mean_step(up)[middle].mean() == pytest.approx(step, abs=0.05e-6)
        changes = (table.up if up else table.down)[:, middle].mean(axis=1)
        expected = step + 0.5e-6 * (2.0 * table.points - 1.0)
        np.testing.assert_allclose(changes[5:-5], expected[5:-5], atol=0.1e-6)
    assert table.conductance[0] >= source.conductance[0]
    assert table.conductance[-1] <= source.conductance[-1]


def test_noise_of_pulses_does_not_become_steps_of_the_wrong_sign(tmp_path: Path) -> None:
    """All steps are 0.1 uS and scatter by five times as much, which a table would do again."""
    rng, up = np.random.default_rng(2), np.tile(np.repeat([True, False], 500), 2)
    moves = np.where(up, 0.1, -0.1) + 0.5 * rng.standard_normal(len(up))
    path = 100 + np.concatenate([[0], np.cumsum(moves)])
    lines = write_tables(file_of(tmp_path / "a.csv", path, up), tmp_path / "new")
    assert "mean steps are known to 0.37 step" in "".join(lines)
    table = read_lookup_table(tmp_path / "new")
    for rises, step in ((True, 0.1e-6), (False, -0.1e-6)):
        np.testing.assert_allclose(table.mean_step(rises), step, atol=0.08e-6)


@pytest.mark.parametrize("noise", [1.0, 10.0])
def test_read_noise_is_not_taken_for_the_devices(noise: float, tmp_path: Path) -> None:
    """The read noise is one step or ten, and the steps of 0.5 uS scatter by 0.3 steps. The raw
    changes scatter by 1.4 and 14 steps."""
    rng, up = np.random.default_rng(0), np.tile(np.repeat([True, False], 500), 10)
    moves = np.where(up, 0.5, -0.5) * (1 + 0.3 * rng.standard_normal(len(up)))
    path = 50 + np.concatenate([[0], np.cumsum(moves)])
    path += noise * 0.5 * rng.standard_normal(len(path))
    write_tables(file_of(tmp_path / "a.csv", path, up), tmp_path / "new")
    table = read_lookup_table(tmp_path / "new")
    for rises, step in ((True, 0.5e-6), (False, -0.5e-6)):
        means = table.mean_step(rises)[5:-5]
        assert means.mean() == pytest.approx(step, rel=0.02 + 0.018 * noise)
        assert means.std() < 0.5e-6 * max(0.1, 0.05 * noise)
        jumps = (table.up if rises else table.down)[:, 5:-5]
        assert 0.5e-6 * 0.15 < jumps.std(axis=0).mean() < 0.5e-6 * (0.45 if noise < 2 else 0.9)


@pytest.mark.parametrize("resets", [1, 3])
def test_a_reset_by_a_few_pulses_is_told_from_read_noise(resets: int, tmp_path: Path) -> None:
    """After 40 pulses up, one pulse or three lower the conductance to where it was. All steps
    scatter by 0.3 steps, and the read noise is two steps up."""
    rng, up = np.random.default_rng(0), np.tile(np.arange(40 + resets) < 40, 80)
    steps = np.where(up, 1.0, -40.0 / resets)
    path = 300 + np.concatenate([[0], np.cumsum(steps * (1 + 0.3 * rng.standard_normal(len(up))))])
    path += 2.0 * rng.standard_normal(len(path))
    write_tables(file_of(tmp_path / "a.csv", path, up), tmp_path / "new")
    table = read_lookup_table(tmp_path / "new")
    for rises, step in ((True, 1e-6), (False, -40e-6 / resets)):
        assert table.mean_step(rises).mean() == pytest.approx(step, rel=0.1)
        jumps = table.up if rises else table.down
        assert 0.2 < jumps.std(axis=0).mean() / abs(step) < 0.4


def test_a_table_of_read_noise_is_refused(tmp_path: Path) -> None:
    rng, up = np.random.default_rng(0), np.tile(np.repeat([True, False], 500), 10)
    path = 500 + np.concatenate([[0], np.cumsum(np.where(up, 0.5, -0.5))])
    path += 25.0 * rng.standard_normal(len(path))
    with pytest.raises(InputError, match=r"read noise of device 1: .* mean steps: average"):
        write_tables(file_of(tmp_path / "a.csv", path, up), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_several_devices_are_a_population(tmp_path: Path) -> None:
    data = measured(tmp_path / "a.csv", write_table(tmp_path / "source"), devices=2)
    write_tables(data, tmp_path / "new")
    device = get_device({"table": str(tmp_path / "new")})
    assert len(device.tables) == 2


def test_the_command_writes_a_table_and_no_preset(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = measured(tmp_path / "a.csv", write_table(tmp_path / "source"))
    (tmp_path / "new.yaml").write_text("a preset of this name is not in the way\n")
    code, out, err = command("presets", "table", data, "--name", "new")
    assert (code, err) == (0, "")
    assert "{table: " in out
    assert {file.name for file in tmp_path.glob("new*")} == {"new", "new.yaml"}


def test_what_cannot_become_a_table_is_one_line(tmp_path: Path) -> None:
    source = write_table(tmp_path / "source")
    data = measured(tmp_path / "a.csv", source)
    with pytest.raises(InputError, match="must not exist yet"):
        write_tables(data, source)
    with pytest.raises(
        InputError, match=r"--name: .*must be in an existing folder, which .*missing is not"
    ):
        write_tables(data, tmp_path / "missing" / "new")
    few = tmp_path / "few.csv"
    rows = [f"{n},{'up' if n < 50 else 'down'},{10 + 0.1 * (n % 50)}" for n in range(80)]
    lines = ["pulse,polarity,conductance_uS,device", *(f"{row},chip A" for row in rows)]
    few.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"pulses down of device chip A: .*at least 40"):
        write_tables(few, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_normalised_conductances_may_be_below_zero(tmp_path: Path) -> None:
    """The first line of such a table marks it; in siemens no conductance of a device is below 0."""
    data = measured(tmp_path / "a.csv", write_table(tmp_path / "source"))
    lines = [line.rsplit(",", 1) for line in data.read_text().splitlines()]
    shifted = [f"{start},{float(value) - 30.0:.9g}" for start, value in lines[1:]]
    names = ",".join(lines[0]).replace("uS", "a.u.")
    data.write_text("\n".join([names, *shifted]) + "\n")
    write_tables(data, tmp_path / "new")
    assert read_lookup_table(tmp_path / "new").conductance[0] < 0
    for file in (tmp_path / "new").iterdir():
        file.write_text(file.read_text().replace("(a.u.)", "(S)"))
    with pytest.raises(InputError, match=r"dG_increasing.*must be from 0 to 1 S"):
        read_lookup_table(tmp_path / "new")
