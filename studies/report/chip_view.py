"""Shows the ledger of a chip as tables and as stacked bars."""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from rpu_ssnn.common.wording import listed
from studies.chip.description import Chip, Component, Components
from studies.declaration.study import Study
from studies.report.figure_style import (
    FONT_POINTS,
    finish_axes,
    looks,
    new_figure,
    panels,
    plain,
    wrapped,
)
from studies.report.figures import LOGARITHMIC_FROM, draw_means, legend_below
from studies.results.chip_ledger import on_front
from studies.results.grouping import named_rows, swept_columns, titled_row
from studies.results.text_table import Table, accuracy_interval, number

_BAR_INCHES = 0.4
_MOST_DRAWN = 6  # With the others together, each has a colour of its own.
_OF_DEVICES = ("pulse", "half_select")
_OF_PARTS = "energy of an image in training by component, pJ"


def tables(table: pd.DataFrame, chip: Chip) -> list[Table]:
    """Returns the costs of `chip_ledger.chip_ledger`, their parts, and the numbers of the chip."""
    left = 1 + len(swept_columns(table))
    components = component_cells(chip)
    sources = components.groupby("source", sort=False)["component"]
    told = [f"{', '.join(names)}: {source}" for source, names in sources]
    return [
        Table(cost_cells(table), left, notes(table, chip), table),
        Table(part_cells(table), left, [_OF_PARTS]),
        Table(components.drop(columns="source"), 1, told, components),
    ]


def cost_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Returns arrays, area, energy and time of each case, rounded for reading."""
    rows = []
    for cells, row in named_rows(table):
        star = " *" if row["on_front"] and len(table) > 1 else ""
        accuracy = accuracy_interval(row["accuracy"], row["accuracy_ci"], row["n"])
        cells |= {"n": str(row["n"]), "accuracy %": accuracy + star}
        cells["arrays"] = f"{row['arrays']:.0f} ({row['array_use']:.0%})"
        cells["mm2"] = _given(1e6 * row["area_m2"])
        for heading, name, scale in (
            ("image nJ", "image", 1e9),
            ("inference nJ", "inference", 1e9),
            ("10^6 images mJ", "million_images", 1e3),
            ("training J", "training", 1.0),
        ):
            phase = "inference" if name == "inference" else "image"
            ends = (scale * row[f"{name}_{end}j"] for end in ("", "low_", "high_"))
            doubted = " †" if row[f"{phase}_assumed_share"] > 0.5 else ""
            cells[heading] = _within(*ends) + doubted
        for name, limit in (("image", "limited_by"), ("inference", "inference_limited_by")):
            cells[f"{name} us"] = f"{1e6 * row[f'{name}_s']:.3g} ({row[limit]})"
        for bits in (8, 32):
            energy = 1e9 * row[f"digital_{bits}_bit_image_j"]
            cells[f"{bits}-bit nJ"] = number(energy, "{:.3g}")
        rows.append(cells)
    return pd.DataFrame(rows)


def _pairs(table: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(table[list(columns)].itertuples(index=False, name=None))


def parts_of(table: pd.DataFrame) -> dict[str, list[float]]:
    """Returns the energies (J) of a training image by component, for components that a case has."""
    names = [*_OF_DEVICES, *Components.model_fields, "leakage"]
    found = {name: table.get(f"image_{name}_j") for name in names}
    return {
        n: column.tolist() for n, column in found.items() if column is not None and column.any()
    }


def part_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the energy of a training image by component (pJ), as text."""
    parts = parts_of(table).items()
    rows = [
        {**cells, "n": str(row["n"])}
        | {name.replace("_", " "): number(1e12 * values[place], "{:.3g}") for name, values in parts}
        for place, (cells, row) in enumerate(named_rows(table))
    ]
    return pd.DataFrame(rows)


def component_cells(chip: Chip) -> pd.DataFrame:
    """Returns every number of the chip with its source, and with an interval where it has one."""
    rows = [
        {
            "component": name,
            "pJ": _energy(part),
            "ns": _given(1e9 * part.time_s),
            "um2": _given(1e12 * part.area_m2),
            "uW": _given(1e6 * part.power_w),
            "source": part.source,
        }
        for name in Components.model_fields
        if (part := getattr(chip.components, name)) is not None
    ]
    return pd.DataFrame(rows)


def _energy(part: Component) -> str:
    if part.energy_j is None:
        return "-"
    if part.interval is None:
        return f"{1e12 * part.energy_j:.3g} (no interval published)"
    return _within(*(1e12 * energy for energy in (part.energy_j, *part.interval)))


def _within(value: float, low: float, high: float) -> str:
    """Returns a number with its interval, where it has one."""
    return f"{value:.3g} ({low:.3g} to {high:.3g})" if low < high else f"{value:.3g}"


def _given(value: float) -> str:
    """Returns a number of a chip, where 0 stands for one that its description leaves out."""
    return f"{value:.3g}" if value else "-"


def notes(table: pd.DataFrame, chip: Chip) -> list[str]:
    """Explains the numbers, and says what matters most and what costs nothing in this chip."""
    used = [
        n for n in Components.model_fields if chip.columns == "converter" or "converter" not in n
    ]
    missing = [
        name.replace("_", " ")
        for name in used
        if getattr(chip.components, name) is None
        and not table.get(f"image_{name}_j", pd.Series(0.0)).all()  # a preset may have its pulse
    ]
    most = [
        f"{str(components).replace('_', ' ')} ({', '.join(dict.fromkeys(cases))})"
        for components, cases in table.groupby("matter_most", sort=False)["case"]
    ]
    is_late = table["training_s"] > 1.01 * table["simulated_s"]
    late = table.loc[is_late, "case"].map(str).unique().tolist()
    read = dict(_pairs(table, "case", "read_bits") if chip.columns == "converter" else ())
    exact = [str(case) for case, bits in read.items() if math.isnan(bits)]
    own = [f"{case} ({bits:.0f})" for case, bits in read.items() if not math.isnan(bits)]
    most_assumed = table[["image_assumed_share", "inference_assumed_share"]].to_numpy().max()
    told_of_cases = {
        "charge was lost for less time than this chip takes": late,
        "converters have the bits of the case's training": own,
        f"trained with exact reads, not {chip.bits} bits": exact,
    }
    return [
        f"chip {chip.chip}: {chip.array.rows} x {chip.array.columns} cells, {chip.columns} at "
        f"the columns, {chip.reads} reads, writes by {chip.writes}",
        "image: one image in training; in brackets: all components at the lowest, or all at "
        "the highest end of their intervals",
        f"up to {100 * most_assumed:.0f} % of the energy is without interval",
        "†: more than half of it is, so that the brackets are too narrow",
        "8-bit, 32-bit: an image in digital arithmetic that fetches each weight in each pass",
        "*: every row that takes less energy is less accurate",
        f"most energy, each at the upper end of its interval: {'; '.join(most)}",
        *([f"this chip leaves out, at no cost: {', '.join(missing)}"] if missing else []),
        *([] if table["image_leakage_j"].any() else ["this chip has no leakage power"]),
        *(f"{told}: {listed(cases)}" for told, cases in told_of_cases.items() if cases),
    ]


def draw(table: pd.DataFrame, chip: Chip, width: float) -> Figure:
    """Draws the energy of a training image as a bar for each case, stacked by component.

    Components beyond the `_MOST_DRAWN` that take most are drawn together.
    """
    names = [wrapped(f"{titled_row(row)} (n={row['n']})", 30) for _, row in table.iterrows()]
    parts = dict(sorted(parts_of(table).items(), key=lambda part: -max(part[1])))
    drawn = dict(list(parts.items())[:_MOST_DRAWN])
    if rest := list(parts.values())[_MOST_DRAWN:]:
        drawn[f"{len(rest)} others"] = list(map(sum, zip(*rest, strict=True)))
    style = looks(drawn)
    figure = new_figure(width, 1.6 + _BAR_INCHES * len(names))
    axes = figure.subplots()
    ends = [0.0] * len(names)
    for name, energies in drawn.items():
        shares = [1e9 * energy for energy in energies]
        axes.barh(
            range(len(names)), shares, left=ends, height=0.7, ec="white", lw=0.4,
            color=style[name].colour, label=name.replace("_", " "),
        )  # fmt: skip
        ends = [end + share for end, share in zip(ends, shares, strict=True)]
    low, high = (
        [abs(1e9 * each - end) for each, end in zip(table[f"image_{side}_j"], ends, strict=True)]
        for side in ("low", "high")
    )
    axes.errorbar(
        ends, range(len(names)), xerr=[low, high], fmt="none", ecolor="black", capsize=2, lw=1
    )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    finish_axes(axes, f"energy of an image in training, in {chip.chip} (nJ)", grid="x")
    figure.legend(loc="outside lower center", ncols=4, fontsize=FONT_POINTS, frameon=False)
    return figure


def draw_trade(table: pd.DataFrame, study: Study, chip: Chip, width: float) -> Figure:
    """Draws accuracy over the energy and over the time of a training image.

    A dotted line joins the cases that no other beats in both. The intervals of components are
    written and not drawn, since they move all energies together.
    """
    style = looks(case.name for case in study.cases)
    figure, both = panels(width, 2, 2, 3.2, 0.6, sharey=True)
    low, high = 1e9 * table["image_low_j"].min(), 1e9 * table["image_high_j"].max()
    doubt = f"nJ);\n{low:.3g} to {high:.3g} nJ by intervals that all cases share"
    costs = (("image_j", "energy", 1e9, doubt), ("image_s", "time", 1e6, "us)"))
    for axes, (cost, name, scale, unit) in zip(both, costs, strict=True):
        for case, rows in table.groupby("case", sort=False):
            samples = _pairs(rows, "accuracy", "accuracy_ci", "n")
            at = (scale * rows[cost]).tolist()
            draw_means(axes, at, samples, style[str(case)], str(case))
        front = table[on_front(table, cost)].sort_values(cost)
        axes.plot(scale * front[cost], front["accuracy"], "k:", lw=0.8, label="unbeaten cases")
        if table[cost].max() >= LOGARITHMIC_FROM * table[cost].min():
            axes.set_xscale("log")
        finish_axes(axes, f"{name} of an image in training ({unit}")
    label = f"accuracy (%) with its 95 % interval,\nin {plain(chip.chip)}"
    both[0].set_ylabel(label, fontsize=FONT_POINTS)
    legend_below(figure, both, width)
    return figure
