"""Studies with a wrong sweep, search, prune or until: place, value, and what is allowed."""

from support.bad_inputs.builders import DRIVE, RATE, of_study

SWEEPS = [
    of_study("sweep value", "sweep.network.T: 0", "equal to 1", sweep={"network.T": [20, 0]}),
    of_study("sweep key", "sweep.network.TT: 'TT'", "must be one of", sweep={"network.TT": [1]}),
    of_study("sweep without its section", "sweep.T: [1]", "section: network.T", sweep={"T": [1]}),
    of_study("sweep of nothing", "sweep.tile.initial: ['pu", sweep={"tile.initial": ["pulsed"]}),
    of_study(
        "range of one value",
        "sweep.network.T.n: 1",
        "greater than or equal to 2",
        sweep={"network.T": {"from": 10, "to": 100, "n": 1}},
    ),
    of_study(
        "range with a wrong key",
        "sweep.network.T.too: 'too'",
        "did you mean to?",
        sweep={"network.T": {"from": 10, "too": 100, "n": 3}},
    ),
    of_study(
        "range through zero on a log scale",
        "sweep.network.T: {",
        "must be above 0 at both ends",
        sweep={"network.T": {"from": 0, "to": 100, "n": 3, "scale": "log"}},
    ),
    of_study(
        "lists together of unequal length",
        "together 1.training.epochs: [1]",
        "must have 2 values",
        together=[{"network.T": [5, 10], "training.epochs": [1]}],
    ),
    of_study(
        "a path varied twice",
        "together 1.network.T: 'network.T'",
        "is varied by sweep already",
        sweep={"network.T": [5]},
        together=[{"network.T": [5, 10]}],
    ),
    of_study(
        "sample of nothing",
        "sample.over.network.T: 7",
        "must be a span",
        sample={"n": 3, "over": {"network.T": 7}},
    ),
    of_study(
        "sampling method",
        "sample.method: 'sobol'",
        "latin_hypercube",
        sample={"n": 3, "method": "sobol", "over": {"network.T": [5, 10]}},
    ),
    of_study("empty sweep", "sweep.network.T: []", "at least 1 item", sweep={"network.T": []}),
    of_study(
        "sweep of an override",
        "sweep.overrides.cycle_to_cicle: [0]",
        "did you mean overrides.cycle_to_cycle?",
        cases=[RATE, {"device": "ideal", "drive": DRIVE}],
        sweep={"overrides.cycle_to_cicle": [0]},
    ),
    of_study(
        "sweep of what all cases set",
        "sweep.network.T: [10]",
        "remove it there",
        cases=[{**RATE, "network": {"T": 20}}],
        sweep={"network.T": [10]},
    ),
    of_study(
        "sweep with a value twice",
        "sweep.network.T: [5, 10, 5.0]",
        "must name each value once",
        sweep={"network.T": [5, 10, 5.0]},
    ),
    of_study(
        "weight range without bounds",
        "case 2.drive.weight_range: 1e+300",
        "less than or equal to 1000",
        cases=[
            RATE,
            {"device": "ideal", "drive": {"weight_range": 1e300, "learning_rate": 1}},
        ],
    ),
    of_study(
        "batch without bounds",
        "training.batch: 1000000000000",
        "less than or equal to 100000",
        training={"batch": 10**12},
    ),
    of_study(
        "search without validation images",
        "dataset.validation_share: 0.0",
        "must be above 0, or search.validation_share given",
        dataset={"name": "digits", "validation_share": 0},
        cases=[{"update": "rate"}],
    ),
    of_study(
        "search that holds out nothing",
        "search.validation_share: 0",
        "greater than 0",
        search={"validation_share": 0},
    ),
    of_study("search budget", "search.n_train: 200", "at most", search={"n_train": 200}),
    of_study(
        "until nothing", "until.gap_ci: 0", "greater than 0", until={"gap_ci": 0, "max_seeds": 9}
    ),
    of_study(
        "until of a flag", "until.gap_ci: True", "number", until={"gap_ci": True, "max_seeds": 9}
    ),
    of_study(
        "until without an end", "until.max_seeds: missing", "must be given", until={"gap_ci": 0.2}
    ),
    of_study(
        "until with fewer seeds than declared",
        "until.max_seeds: 4",
        "must be at least 5, the seeds of",
        seeds={"count": 5},
        until={"gap_ci": 0.2, "max_seeds": 4},
    ),
    of_study(
        "until beyond the last seed",
        "seeds: 4294967293",
        "must leave room below 2**32 for 4 seeds",
        seeds=[2**32 - 3],
        until={"gap_ci": 0.2, "max_seeds": 4},
    ),
    of_study(
        "until key", "until.gap: 'gap'", "did you mean gap_ci?", until={"gap": 0.2, "max_seeds": 9}
    ),
    of_study(
        "prune after no epoch",
        "prune.after_epochs: 0",
        "greater than or equal to 1",
        prune={"after_epochs": 0, "below": 20},
    ),
    of_study(
        "prune after the last epoch",
        "prune.after_epochs: 3",
        "must be below 3, the most epochs of a case that can be stopped",
        training={"epochs": 3},
        prune={"after_epochs": 3, "below": 20},
    ),
    of_study(
        "prune below a share",
        "prune.below: 101",
        "less than or equal to 100",
        training={"epochs": 3},
        prune={"after_epochs": 1, "below": 101},
    ),
    of_study(
        "prune without a level",
        "prune.below: missing",
        "must be given",
        training={"epochs": 3},
        prune={"after_epochs": 1},
    ),
    of_study(
        "prune key",
        "prune.belov: 'belov'",
        "did you mean below?",
        training={"epochs": 3},
        prune={"after_epochs": 1, "belov": 20},
    ),
    of_study(
        "prune without validation images",
        "dataset.validation_share: 0.0",
        "must be above 0, as `prune` looks at validation images",
        dataset={"name": "digits", "validation_share": 0},
        training={"epochs": 3},
        prune={"after_epochs": 1, "below": 20},
    ),
    of_study("until as a number", "until: 0.2", "must be a mapping", until=0.2),
    of_study("empty grid", "search.weight_range: []", "at least 1", search={"weight_range": []}),
]
