"""Studies that are refused."""

import json

from support.bad_inputs.builders import LONG, PLAN, RATE, Bad, of_study, study
from support.studies.harness import SMALL

STUDIES = [
    of_study("a number in quotes", "network.T: '10'", "not text", network={"T": "10"}),
    of_study(
        "a number in quotes in a list", "hidden.0: '8'", "not text", network={"hidden": ["8"]}
    ),
    of_study(
        "a swept number in quotes", "sweep.network.T: '5'", "not text", sweep={"network.T": ["5"]}
    ),
    of_study(
        "yes", "gradient.relay: 'yes'", "true or false", network={"gradient": {"relay": "yes"}}
    ),
    of_study(
        "1 for a flag", "gradient.relay: 1", "true or false", network={"gradient": {"relay": 1}}
    ),
    of_study("two lines of label", "case 1.label", "one line", cases=[{**RATE, "label": "a\nb"}]),
    of_study("spaces round a label", "case 1.label", "spaces", cases=[{**RATE, "label": " a"}]),
    of_study(
        "a label that is too long",
        "case 1.label",
        "at most 60 characters",
        cases=[{**RATE, "label": LONG}],
    ),
    of_study("20,000 seeds", "line 1", "at most 10000", seeds=list(range(20_000))),
    of_study("20,000 sweep values", "line 1", "at most 10000", sweep={"network.T": [1] * 20_000}),
    of_study(
        "101 grid values",
        "search.learning_rate",
        "at most 100",
        search={"learning_rate": [1.0] * 101},
    ),
    of_study("too many seeds by count", "seeds.count: 20000", "10000", seeds=20_000),
    of_study("half a seed", "seeds.0: 1.5", "whole number", seeds=[1.5]),
    of_study("no layer", "hidden: []", "at least 1", network={"hidden": []}),
    of_study("null for a network", "network: missing", "mapping", network=None),
    of_study("null for cases", "cases: missing", "list", cases=None),
    of_study("a null case", "case 1", cases=[None]),
    of_study("a case of text", "case 1", "'rate'", cases=["rate"]),
    of_study("an empty path", "sweep: ''", sweep={"": [1]}),
    of_study(
        "a path with a gap", "sweep: 'network..T'", "a point between", sweep={"network..T": [1]}
    ),
    of_study("a path to a section", "sweep.network", sweep={"network": [1]}),
    of_study("a path beyond a value", "sweep.network.T.x", sweep={"network.T.x": [1]}),
    of_study("a mapping as a swept value", "sweep.network.T", sweep={"network.T": [{"a": 1}]}),
    of_study("a null swept value", "sweep.network.T", sweep={"network.T": [None]}),
    of_study("nothing together", "together", together=[{}]),
    of_study(
        "too large a sample",
        "sample.n",
        "10000",
        sample={"n": 10_001, "over": {"network.T": [1, 2]}},
    ),
    of_study(
        "spaces for a source",
        "published.rate.source: ' '",
        published={"rate": {"accuracy": 90, "source": " "}},
    ),
    of_study("a name too long", "study:", study="a" * 61),
    of_study("no file", "dataset", dataset={"file": ""}),
    of_study("a file of 5,000 letters", dataset={"file": LONG})._replace(
        says=("dataset.file", "too long")
    ),
    of_study(
        "a data name of two lines",
        "dataset.name",
        "one line",
        dataset={"name": "a\nb", "file": "a.npz"},
    ),
    Bad(
        "a range with NaN",
        PLAN,
        {
            "s.yaml": json.dumps({**SMALL, "dataset": {"file": "a.npz"}}).replace(
                '.npz"', '.npz", range: [.nan, 1]'
            )
        },
        ("dataset.range.0: nan", "finite number"),
    ),
    of_study(
        "a range of text",
        "dataset.range.0: '0'",
        "not text",
        dataset={"file": "a.npz", "range": ["0", 1]},
    ),
    of_study(
        "a range the wrong way",
        "dataset.range: [1.0, 0.0]",
        "low below high",
        dataset={"file": "a.npz", "range": [1, 0]},
    ),
    of_study(
        "a number for a range",
        "dataset.range: 5",
        "list or 'training'",
        dataset={"file": "a.npz", "range": 5},
    ),
    of_study(
        "a share of everything",
        "dataset.test_share",
        "0.9",
        dataset={"file": "a.npz", "test_share": 1},
    ),
    of_study("a missing file", dataset={"file": "a.npz"})._replace(says=("a.npz: file: missing",)),
    Bad(
        "drives that are a folder",
        PLAN,
        study(drives="d") | {"d/x": ""},
        ("d: file: Is a directory",),
    ),
    Bad(
        "drives with a fault", PLAN, study(drives="d.yaml") | {"d.yaml": "a: 5"}, ("d.yaml: a", "5")
    ),
    Bad(
        "drives with text",
        PLAN,
        study(drives="d.yaml") | {"d.yaml": "{a: {x: }"},
        ("d.yaml: line 1",),
    ),
    Bad(
        "a tab",
        PLAN,
        {"s.yaml": "study: a\n\tseeds: 1\n"},
        ("s.yaml: line 2", "tabs may not indent"),
    ),
    Bad("keys that are numbers", PLAN, {"s.yaml": "1: 2\n"}, ("s.yaml: key: '1'", "must be text")),
    Bad("a study of bytes", PLAN, {"s.yaml": bytes(range(256))}, ("s.yaml: file", "UTF-8")),
]
