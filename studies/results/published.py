"""Shows accuracies that papers report beside those that were measured here."""

import pandas as pd

from studies.declaration.study import Study
from studies.results.grouping import swept_columns, titled_row
from studies.results.summary import PUBLISHED


def beside(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Adds published accuracies (%), and a row for each quoted network, to a summary.

    The new columns are ``published``, ``published_pm`` and ``published_source``, which are empty in
    rows of a sweep. If the study names no published accuracies, the summary stays as it is. A
    quoted row has no measurement, so n is 0.

    Args:
        table: a table as `results.summary` returns it.
    """
    if not study.published and not study.quoted:
        return table
    quoted = pd.DataFrame({"case": list(study.quoted), "n": 0, "gap_n": 0})
    swept = dict.fromkeys(swept_columns(table), "")
    rows = pd.concat([table, quoted.assign(**swept)], ignore_index=True)
    known = {**study.published, **study.quoted}
    found = [known.get(titled_row(row)) for _, row in rows.iterrows()]
    rows[PUBLISHED] = pd.Series([p and p.accuracy for p in found], dtype=float)
    rows[f"{PUBLISHED}_pm"] = pd.Series([p and p.plus_minus for p in found], dtype=float)
    rows[f"{PUBLISHED}_source"] = ["-" if p is None else p.source for p in found]
    return rows
