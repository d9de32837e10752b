"""Provides the device `table(FOLDER)`, which the native simulator runs from measured statistics.

A pulse changes the conductance by a number drawn from the measured distribution at the device's
conductance (the lookup tables of CrossSim, Sandia National Laboratories). State -1 is the smallest
conductance of all tables, state 1 the largest; each device keeps to the range of its own table.
Several tables make a population: the seed draws one of them for each device.

>>> get_device("table(ENODe)")  # comes with the package
>>> get_device("table(tables/TaOx_1)")
>>> get_device({"table": "tables"})  # a folder of such folders
"""

import functools
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from device_presets.jump_tables.lookup_table import (
    FILES,
    LookupTable,
    is_lookup_table,
    read_lookup_table,
)
from device_presets.library.device_name import call_of
from device_presets.library.preset import Parameter, refuse_unknown
from rpu_ssnn.common.errors import Fault, InputError, require, several
from rpu_ssnn.common.files import user_path
from rpu_ssnn.devices.cell import SINGLE
from rpu_ssnn.devices.common_parameters import PULSE_FACTS, refuse_pulses_that_overlap
from rpu_ssnn.devices.law_parameter import LawParameter
from rpu_ssnn.devices.laws.jump_table import JumpTable

KEY = "table"
DIGEST_DIGITS = 16
"""The digest at the end of a name has this many hexadecimal digits."""

SHIPPED = Path(__file__).parents[1] / "measured"
"""This folder holds the tables of the package and their licence."""

NO_TABLES = "needs tile: {simulator: native}; aihwkit's tiles have no tables of measured jumps"

DIGEST = "sha256="
"""The digest at the end of a name follows this."""


def _share(
    imperfection: str, description: str, high: float, swept: tuple[float, float] | None = None
) -> LawParameter:
    return LawParameter(
        description=description,
        unit="measured", limits=(0.0, high), neutral=1.0, imperfection=imperfection, swept=swept,
    )  # fmt: skip


TABLE_PARAMETERS: Mapping[str, LawParameter] = MappingProxyType(
    {
        "jump_spread": _share(
            "cycle_to_cycle",
            "The factor on the measured spread of the jumps around their mean, at most 100. At 0 "
            "each jump is the mean at its conductance.",
            100.0,
            (1e-2, 100.0),
        ),
        "jump_nonlinearity": _share(
            "nonlinearity",
            "The factor on the measured dependence of the mean jump on the conductance. At 0 the "
            "mean jump is everywhere that at mid-range.",
            1.0,
        ),
        "jump_asymmetry": _share(
            "asymmetry",
            "The factor on the measured difference in size of the mean jumps up and down. At 0 "
            "both have the mean of their sizes.",
            1.0,
        ),
    }
    | {name: fact for name, fact in PULSE_FACTS.items() if name != "on_off_ratio"}
)
"""The parameters that a study may override: multiples of the measured effects, and facts about
pulses for the ledger."""


@dataclass(frozen=True)
class TableDevice:
    """Describes a device, or a population of devices, by lookup tables; `table_device` makes it.

    Attributes:
        name: `table(FOLDERS, sha256=DIGEST)`; the digest is of the numbers, not of the files.
        tables: the tables, sorted by digest so that folders and their names do not matter.
        settings: the values of all `TABLE_PARAMETERS`.
    """

    name: str
    tables: tuple[LookupTable, ...]
    settings: Mapping[str, Any]

    cell = SINGLE
    leak_time_constant_s = math.inf
    pulse_physics = None
    own_law = None
    one_directional_because = None

    @property
    def noise_free(self) -> bool:
        """Returns whether every jump equals the mean jump."""
        return bool(self.settings["jump_spread"] == 0.0)

    @property
    def ends(self) -> tuple[float, float]:
        """Returns the conductances of states -1 and 1, in siemens unless the tables are
        normalised."""
        conductances = [table.conductance for table in self.tables]
        return float(min(g[0] for g in conductances)), float(max(g[-1] for g in conductances))

    @functools.cached_property
    def jump_tables(self) -> tuple[JumpTable, ...]:
        """Returns the tables in units of state, with the settings applied and the same points."""
        points = functools.reduce(np.union1d, [table.points for table in self.tables])
        return tuple(_in_states(table, points, *self.ends, self.settings) for table in self.tables)

    @property
    def step(self) -> float:
        """Returns the mean size of a jump at state 0, over both directions and all tables."""
        at_zero = []
        for table in self.jump_tables:
            means = (np.trapezoid(part, table.points, axis=1) for part in (table.up, table.down))
            up, down = (float(np.interp(0.0, table.states, mean)) for mean in means)
            at_zero.append((up - down) / 2.0)
        return sum(at_zero) / len(at_zero)

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Returns the parameters read from the tables, and those that a study may override."""
        low, high = self.ends
        unit = "a.u." if self.tables[0].normalised else "S"
        read: dict[str, tuple[float | None, str, str]] = {
            "levels": (2.0 / self.step, "states", "range divided by the mean jump at mid-range"),
            "leak_time_constant_s": (math.inf, "s", "a table says nothing about retention"),
            "on_off_ratio": (
                high / low if low > 0.0 else None,
                "1",
                "largest over smallest conductance; a study's tile sets its own",
            ),
            "w_min": (-1.0, "weight", f"the smallest conductance, {low:g} {unit}"),
            "w_max": (1.0, "weight", f"the largest conductance, {high:g} {unit}"),
        }
        parameters = {
            name: Parameter(value, unit, source=f"the table: {why}")
            for name, (value, unit, why) in read.items()
        }
        for name, parameter in TABLE_PARAMETERS.items():
            value = self.settings[name]
            why = "not known to the table" if value is None else "of the study"
            parameters[name] = Parameter(value, parameter.unit, assumption=why)
        return parameters

    def device(self, seconds_between_steps: float | None = None) -> Any:
        """Refuses, since no class of aihwkit simulates tables.

        Raises:
            InputError: always.
        """
        raise InputError("tile", "simulator", "aihwkit", NO_TABLES)


def table_name(folders: object) -> str:
    """Returns the device name for `{table: FOLDER}` or `{table: [FOLDER, FOLDER]}`.

    Raises:
        InputError: no folder is named, or a name contains a comma.
    """
    named = several("device", KEY, folders)
    require(named, "device", KEY, folders, "must be a folder, or a list of folders")
    for folder in named:
        if not isinstance(folder, str | Path) or not str(folder) or "," in str(folder):
            raise InputError("device", KEY, folder, "must be the name of a folder without a comma")
    return f"{KEY}({', '.join(map(str, named))})"


def table_device(name: str, overrides: Mapping[str, Any] | None = None) -> TableDevice:
    """Returns the device for a name.

    Args:
        name: `table(FOLDER)` or `table(FOLDER, FOLDER)`; a folder holds a table, or subfolders
            with one each. With `, sha256=DIGEST` at the end the tables must have that digest.
        overrides: values for some of the `TABLE_PARAMETERS`.

    Raises:
        InputError: a folder has no table, a table cannot be used (the error names its file), the
            tables do not match each other or the digest, or a setting is unknown.
    """
    _, parts = call_of(name)
    wanted = parts.pop().removeprefix(DIGEST) if parts[-1].startswith(DIGEST) else None
    folders = tuple(parts)
    paths = [shipped_or_own(user_path("device", KEY, folder)) for folder in folders]
    members = tuple(each for path in paths for each in _folders_in(path))
    plain, given = f"{KEY}({', '.join(folders)})", overrides or {}
    refuse_unknown(plain, given, TABLE_PARAMETERS)
    settings = {
        setting: parameter.checked(plain, setting, given.get(setting, parameter.neutral))
        for setting, parameter in TABLE_PARAMETERS.items()
    }
    refuse_pulses_that_overlap(plain, settings["pulse_width_s"], settings["pulse_period_s"])
    read = (_read(folder, _stamps(folder)) for folder in members)
    tables = tuple(sorted(read, key=lambda table: table.digest))
    digests = "".join(table.digest for table in tables)
    digest = hashlib.sha256(digests.encode()).hexdigest()[:DIGEST_DIGITS]
    allowed = f"must be {wanted}: the table has changed"
    require(wanted in (None, digest), plain, "sha256", digest, allowed)
    for table in tables:
        mixed = Fault("some are normalised, some in siemens")
        allowed = "must be all normalised, or all in siemens"
        require(table.normalised == tables[0].normalised, plain, "tables", mixed, allowed)
        n, first = len(table.conductance), len(tables[0].conductance)
        allowed = f"must be {first}, as in {tables[0].name}"
        require(n == first, table.name, "conductances", n, allowed)
    full = f"{plain[:-1]}, {DIGEST}{digest})"
    device = TableDevice(full, tables, settings)
    allowed = "must be above 0: a pulse up must raise the conductance more than a pulse down"
    require(device.step > 0.0, plain, "mean jump at mid-range", device.step, allowed)
    return device


def shipped_or_own(folder: Path) -> Path:
    """Returns the folder, or the shipped table of that name (`SHIPPED`) if it does not exist."""
    shipped = SHIPPED / folder
    by_name = folder.name == str(folder) and not folder.exists() and shipped.is_dir()
    return shipped if by_name else folder


def _folders_in(folder: Path) -> list[Path]:
    """Returns the folder itself if it holds a table, otherwise its subfolders, which must each
    hold one."""
    if is_lookup_table(folder):
        return [folder]
    try:
        inside = [f for f in sorted(folder.iterdir()) if f.is_dir() and f.name[0] != "."]
    except OSError:
        inside = []
    names = f"{' and '.join(FILES.values())} (or .gz)"
    if not any(map(is_lookup_table, inside)):
        raise InputError("device", KEY, str(folder), f"must hold {names}, or folders that do")
    for member in inside:
        allowed = f"must hold {names}, as the other folders in {folder} do"
        require(is_lookup_table(member), "device", KEY, str(member), allowed)
    return inside


def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Returns names, times and sizes of a table's files, to notice that a file has changed."""
    stats = ((f.name, f.stat()) for f in sorted(folder.glob("dG_*")) if f.is_file())
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


@functools.lru_cache(maxsize=64)
def _read(folder: Path, stamps: object) -> LookupTable:
    return read_lookup_table(folder)


def _in_states(
    table: LookupTable, points: np.ndarray, low: float, high: float, settings: Mapping[str, Any]
) -> JumpTable:
    def state(values: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = 2.0 * values / (high - low)
        return scaled

    states = state(table.conductance - low) - 1.0
    jumps, means = [], []
    for changes in (table.up, table.down):
        at = np.array([np.interp(points, table.points, column) for column in state(changes).T])
        mean = np.trapezoid(at, points, axis=1)
        jumps.append(at - mean[:, None])
        at_zero = np.interp(0.0, states, mean)
        means.append(at_zero + settings["jump_nonlinearity"] * (mean - at_zero))
    half, shift = (means[0] - means[1]) / 2.0, (means[0] + means[1]) / 2.0
    shift = settings["jump_asymmetry"] * shift
    up, down = (
        (mean + shift)[:, None] + settings["jump_spread"] * spread
        for mean, spread in zip((half, -half), jumps, strict=True)
    )
    return JumpTable(states, points, up, down)
