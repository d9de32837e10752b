"""The report: one HTML file with tables, figures, declaration, versions and warnings."""

from studies.report.page.build import write_report

__all__ = ["write_report"]
