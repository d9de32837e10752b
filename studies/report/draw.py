"""Makes the figures of a study from its runs."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from rpu_ssnn.common.errors import InputError
from studies.common.choices import Kind
from studies.declaration.study import Study
from studies.declaration.trial import SWEEP_PREFIX, Runs
from studies.report.curves import curves_figure, drawn_apart
from studies.report.figure_style import WIDE_INCHES
from studies.report.figures import gaps_figure, sweep_figure
from studies.results.grouping import NOT_SWEPT, setting
from studies.results.summary import summary
from studies.results.tables import curves_frame, results_frame


@dataclass(frozen=True)
class StudyFigures:
    """Draws the figures of a study's runs, and computes their tables only once."""

    study: Study
    runs: Runs

    @cached_property
    def results(self) -> pd.DataFrame:
        """Returns a table with a row for each run."""
        return results_frame(self.runs)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Returns the summary of the results, which must have a row of the reference."""
        return summary(self.results, self.study.reference_label)

    @cached_property
    def _curves(self) -> pd.DataFrame:
        return curves_frame(self.runs)

    @property
    def curves_in_words(self) -> str:
        """Says what each line of the learning curves shows."""
        apart = drawn_apart(self.results)
        return "a line for each seed" if apart else "mean over seeds with its 95 % interval"

    @property
    def is_compared(self) -> bool:
        """Says whether the reference has a row."""
        return self.study.reference_label in set(self.results["label"])

    @cached_property
    def swept_paths(self) -> list[str]:
        """Returns the swept settings that have several values in the results."""
        return [
            path
            for path in self.study.varied
            if f"{SWEEP_PREFIX}{path}" in self.results.columns
            and len(set(setting(self.results, path)) - {NOT_SWEPT}) > 1
        ]

    def kinds(self, x: str | None = None) -> list[Kind]:
        """Returns the kinds of figures that can be drawn from the runs."""
        has: dict[Kind, bool] = {
            "curves": any(result.epochs for _, result in self.runs),
            "sweep": x is not None or bool(self.swept_paths),
            "gaps": self.is_compared and bool(self.summary["gap"].notna().any()),
        }
        return [kind for kind, there in has.items() if there]

    def draw(self, kind: Kind, x: str | None = None, width: float = WIDE_INCHES) -> Figure:
        """Draws one figure.

        Args:
            x: setting on the horizontal axis of a sweep figure; None means the first swept setting
                with several values.
            width: width of the figure, inches.

        Raises:
            InputError: the results do not have the data of the figure.
        """
        if kind == "curves":
            figure = curves_figure(self._curves, self.results, width)
        elif kind == "gaps":
            figure = gaps_figure(self.results, self.summary, self.study.reference_label, width)
        elif path := x or next(iter(self.swept_paths), None):
            figure = sweep_figure(self.results, path, width)
        else:
            raise InputError("plot", "--x", None, "must name a setting, as none is swept")
        figure.draw_without_rendering()  # the layout fits only when drawn a second time
        return figure
