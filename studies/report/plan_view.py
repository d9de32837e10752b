"""Shows a plan as text."""

import pandas as pd

from rpu_ssnn.common.wording import counted
from studies.declaration.trial import Trial
from studies.execution.plan import Estimate, Plan, PlanRow
from studies.execution.progress import duration
from studies.results.text_table import Table

FINE_BELOW_SECONDS = 10.0


def plan_text(plan: Plan, estimate: Estimate | None) -> str:
    """Returns a table of the cases, and the total of what would be run.

    The columns are ``trials`` (seeds), ``done`` (with a row), ``search`` (missing runs of the
    search), ``a trial`` (time of one run), ``all`` (time of all runs that the case still needs, on
    one worker) and ``MiB`` (memory of its worker).
    """
    cells = pd.DataFrame([_cells(row, estimate) for row in plan.rows])
    lines = [Table(cells).markdown, "", totals(plan)]
    if plan.other_versions:
        lines.append(
            f"{counted(plan.other_versions, 'row was', 'rows were')} made under other "
            "versions: `run` needs --other-versions accept or --other-versions rerun"
        )
    if estimate is not None:
        memory = estimate.peak_memory_mb / 1024
        lines.append(
            f"about {duration(estimate.wall_seconds(plan))} with "
            f"{counted(estimate.workers, 'worker')}, of which their start takes "
            f"{duration(estimate.startup_seconds)}; {memory:.1f} GiB of memory; "
            "measured in the first steps of a training, which have the most pulses; longer if "
            "other programs use the cores"
        )
        lines += [f"could not be timed: {f.title}: {f.message}" for f in estimate.failures]
    return "\n".join(lines)


def _cells(row: PlanRow, estimate: Estimate | None) -> dict[str, str]:
    cells = {
        "case": row.title,
        "trials": str(len(row.trials)),
        "done": str(row.done),
        "search": str(len(row.search)) if row.search else "-",
    }
    if estimate is not None:
        cells |= {
            "a trial": _time(row.missing[:1], estimate),
            "all": _time([*row.search, *row.missing], estimate),
            "MiB": _memory(row, estimate),
        }
    return cells


def _time(trials: list[Trial], estimate: Estimate) -> str:
    known = [estimate.seconds[u.identity] for u in trials if u.identity in estimate.seconds]
    if not known or len(known) < len(trials):
        return "-"
    seconds = sum(known)
    return f"{seconds:.1f} s" if seconds < FINE_BELOW_SECONDS else duration(seconds)


def _memory(row: PlanRow, estimate: Estimate) -> str:
    known = [m for u in row.missing if (m := estimate.memory_mb.get(u.identity)) is not None]
    return f"{max(known):.0f}" if known else "-"


def totals(plan: Plan) -> str:
    """Says in one line how many trials there are, how many are done, and how many would run."""
    trials = sum(len(row.trials) for row in plan.rows)
    failed = sum(row.failed for row in plan.rows)
    waiting = sum(row.waiting for row in plan.rows)
    done = sum(row.done for row in plan.rows)
    text = f"{counted(trials, 'trial')}, {done} done, {len(plan.missing)} to run"
    if plan.search:
        text += f" after {counted(len(plan.search), 'run')} of the search"
    if failed:
        text += f"; {failed} failed before, which --retry-failed runs"
    if waiting:
        text += f"; {counted(waiting, 'trial waits', 'trials wait')} for a search that failed"
    return text
