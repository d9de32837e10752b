from .declaration.new_study import new_study as new_study
from .declaration.study import Study as Study
from .declaration.study import load_study as load_study
from .errors import InputError as InputError
from .errors import TrialsFailedError as TrialsFailedError
from .execution.api import (
    load_results as load_results,
)
from .execution.api import (
    run_study as run_study,
)
from .execution.api import (
    runner as runner,
)
from .execution.export import export_trial as export_trial
from .report.page.build import write_report as write_report
from .results.comparison import compare as compare
from .results.summary import summary as summary
from .sensitivity.attribution import attribute as attribute
from .sensitivity.decomposition import decompose as decompose
from .sensitivity.requirement import require as require
from .workers.cluster_executor import ClusterExecutor as ClusterExecutor
from .workers.local_executor import LocalExecutor as LocalExecutor
