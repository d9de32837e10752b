"""Tests the content of figures, unusual text in them, and that their files are reproducible."""

import xml.etree.ElementTree as ElementTree
from typing import get_args

import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from studies.common.choices import Kind
from studies.declaration.study import Study
from studies.declaration.trial import Runs, TrialResult
from studies.report.draw import StudyFigures
from studies.report.figure_style import NARROW_INCHES, WIDE_INCHES, as_svg, looks, wrapped
from support.commands import refused
from support.studies.harness import DRIVE, RATE
from support.studies.results_fakes import NASTY, nasty_study, runs_of


@pytest.fixture
def study() -> Study:
    return nasty_study()


@pytest.fixture
def runs(study: Study) -> Runs:
    return runs_of(study)


def test_bars_that_are_not_significant_are_hollow_and_marked(study: Study, runs: Runs) -> None:
    accuracy, axes = StudyFigures(study, runs).draw("gaps").axes
    lengths = [bar.get_width() for bar in axes.patches]
    assert lengths == pytest.approx([-5.5, 0.0])
    assert [to_hex(bar.get_facecolor()) == "#ffffff" for bar in axes.patches] == [False, True]
    assert [text.get_text() for text in axes.texts] == ["ns"]
    names = [label.get_text() for label in accuracy.get_yticklabels()]
    assert names[-1] == wrapped(f"{NASTY} [T = 20] (n=3)", 34)


def test_curves_are_means_with_a_band_in_a_panel_for_each_point(study: Study, runs: Runs) -> None:
    figure = StudyFigures(study, runs).draw("curves")
    assert [axes.get_title() for axes in figure.axes] == ["T = 10", "T = 20"]
    ann, rate, device = figure.axes[0].lines
    assert set(ann.get_ydata()) == {90.5}  # It has no epochs, so its line is level.
    assert list(rate.get_xdata()) == [1, 2]
    assert list(rate.get_ydata()) == pytest.approx([81.0, 82.0])
    assert list(device.get_ydata()) == pytest.approx([75.5, 76.5])
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((81 - 2.484, 82 + 2.484), abs=1e-3)


def test_a_run_that_two_points_share_counts_once_in_a_band() -> None:
    def band(sweep: dict[str, list[object]]) -> tuple[float, float]:
        cases = [RATE, {"device": "capacitor", "hyperparameters": DRIVE}]
        study = nasty_study(cases=cases, sweep=sweep)
        drawn = StudyFigures(study, runs_of(study)).draw("curves").axes[0].collections[1]
        shown = drawn.get_paths()[0].vertices[:, 1]
        return shown.min(), shown.max()

    # The pulse width affects only time, which is not part of an identity.
    assert band({"overrides.pulse_width_s": [1e-9, 2e-9]}) == band({})


def test_the_accuracy_over_a_swept_setting(study: Study, runs: Runs) -> None:
    (axes,) = StudyFigures(study, runs).draw("sweep").axes
    assert axes.get_xlabel() == "T (slots)"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "20"]
    device = axes.containers[1].lines[0]
    assert list(device.get_xdata()) == pytest.approx([10.06, 20.06])  # Beside the bars of rate.
    assert list(device.get_ydata()) == pytest.approx([85.5, 91.0])


def test_a_label_counts_the_runs_that_are_drawn(study: Study, runs: Runs) -> None:
    """Rows from `--rows` have no curves, and points of a sweep may have different numbers of
    seeds."""
    rate = [number for number, (trial, _) in enumerate(runs) if trial.label == "rate"]
    imported = [*runs]
    trial, result = runs[rate[0]]
    imported[rate[0]] = trial, TrialResult(result.row, [])
    curves = StudyFigures(study, imported).draw("curves").axes[0]
    assert "rate (n=2)" in curves.get_legend_handles_labels()[1]
    fewer = [run for number, run in enumerate(runs) if number != rate[0]]
    (axes,) = StudyFigures(study, fewer).draw("sweep").axes
    assert "rate (n=2 to 3)" in axes.get_legend_handles_labels()[1]


def test_values_that_are_no_numbers_stand_side_by_side() -> None:
    study = nasty_study(sweep={"network.neuron.reset": ["subtract", "zero"]})
    (axes,) = StudyFigures(study, runs_of(study)).draw("sweep").axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["subtract", "zero"]


def test_a_list_in_a_title_keeps_its_brackets() -> None:
    study = nasty_study(sweep={"network.T": [10, 20], "network.hidden": [[8], [8, 8]]})
    panels = StudyFigures(study, runs_of(study)).draw("sweep").axes
    titles = [axes.get_title() for axes in panels]
    assert titles == ["hidden neurons = [8]", "hidden neurons = [8,8]"]


def test_any_setting_with_several_values_can_be_below(study: Study, runs: Runs) -> None:
    (first, second) = StudyFigures(study, runs).draw("sweep", x="seed").axes
    assert first.get_xlabel() == second.get_xlabel() == "seed"
    with refused("plot: --x: 'study'", "several values"):
        StudyFigures(study, runs).draw("sweep", x="study")


def test_only_what_the_runs_have_is_drawable() -> None:
    study = nasty_study(sweep={}, cases=[{"update": "ann", "learning_rate": 1}], reference="ann")
    assert StudyFigures(study, runs_of(study)).kinds() == []
    with refused("plot: curves: none; must be those of a run's folder"):
        StudyFigures(study, runs_of(study)).draw("curves")
    with refused("plot: gaps: none; there must be a case beside the reference"):
        StudyFigures(study, runs_of(study)).draw("gaps")
    with refused("plot: --x: missing"):
        StudyFigures(study, runs_of(study)).draw("sweep")
    whole = nasty_study()
    assert StudyFigures(whole, runs_of(whole)).kinds() == list(get_args(Kind))


def test_every_series_has_its_own_colour_and_shape() -> None:
    drawn = looks(f"case {n}" for n in range(14)).values()
    assert len({(look.colour, look.marker) for look in drawn}) == 14
    assert len({look.colour for look in list(drawn)[:7]}) == 7


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("width", [WIDE_INCHES, NARROW_INCHES])
def test_svg_repeats_and_links_nowhere(kind: Kind, width: float, study: Study, runs: Runs) -> None:
    svg = as_svg(StudyFigures(study, runs).draw(kind, width=width))
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert svg == as_svg(StudyFigures(study, runs).draw(kind, width=width))
    assert b"<metadata" not in svg
    links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert all(link.startswith("#") for link in links)


def test_many_cases_have_a_panel_each_with_a_line_a_seed_and_none_is_above_100() -> None:
    cases = [RATE]
    cases += [{"label": f"c{n}", "update": "coincidence", "learning_rate": 1.0} for n in range(4)]
    study = nasty_study(cases=cases, sweep={})
    runs = runs_of(study, lambda trial: 109.0 + trial.settings.seed / 10)
    figure = StudyFigures(study, runs).draw("curves")
    shown = [axes for axes in figure.axes if axes.get_visible()]
    names = ("rate", "c0", "c1", "c2", "c3")
    assert [axes.get_title() for axes in shown] == [f"{name} (n=3)" for name in names]
    assert all(len(axes.lines) == 3 for axes in shown)
    assert all(axes.get_ylim()[1] <= 100.0 for axes in shown)


def test_no_label_is_cut() -> None:
    label = "a label of many words, and of many words more"
    case = {"label": label, "device": "reram_es", "hyperparameters": DRIVE}
    study = nasty_study(cases=[RATE, case])
    for kind in get_args(Kind):
        figure = StudyFigures(study, runs_of(study)).draw(kind, width=NARROW_INCHES)
        figure.canvas.draw()
        width = figure.bbox.width
        ticks = {id(tick) for axes in figure.axes for tick in axes.get_xticklabels()}
        for text in figure.findobj(Text):
            box = text.get_window_extent()
            if text.get_visible() and text.get_text() and id(text) not in ticks:
                assert box.x0 >= -1, (kind, text.get_text())
                assert box.x1 <= width + 1, (kind, text.get_text())
