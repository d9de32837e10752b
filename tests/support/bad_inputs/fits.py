"""Measurements that are refused."""

from support.bad_inputs.builders import Bad, X, measured, npz, of_fit, plain

FITS = [
    plain(
        "nothing to fit",
        "presets fit HERE/m.csv --name mine --out HERE/mine.yaml",
        "m.csv",
        "No such file",
    ),
    of_fit("an empty measurement", "", "m.csv: file", "column names"),
    of_fit("a measurement of bytes", bytes(100), "binary data"),
    of_fit("pulse 1e30", measured("1e30,up,1"), "row 2: column pulse: 1e+30", "at most"),
    of_fit("pulse of text", measured("one,up,1"), "row 2: column pulse: 'one'"),
    of_fit(
        "below 0 S", measured("1,up,-1"), "row 2: column conductance: -1", "negative conductance"
    ),
    of_fit("1 GS", measured("1,up,1e15"), "row 2: column conductance", "at most"),
    of_fit(
        "text for a conductance",
        measured("1,up,x"),
        "row 2: column conductance: 'x'",
        "must be a number",
    ),
    of_fit("another direction", measured("1,sideways,1"), "row 2: column polarity: 'sideways'"),
    of_fit("always the same", measured(), "must change with the pulses"),
    of_fit("cells too many", measured("1,up,1,2"), "row 2: cells: 4", "must be 3"),
    of_fit(
        "no conductance", measured(head="pulse,polarity,g"), "column: 'conductance'", "is missing"
    ),
    of_fit(
        "one pulse", "pulse,polarity,conductance\n0,up,1\n1,up,2\n", "up pulses: 1", "at least 12"
    ),
    of_fit(
        "an unknown unit",
        measured(),
        "conductance unit: 'kS'",
        options=("--conductance-unit", "kS"),
    ),
    of_fit(
        "a fit and a table",
        measured(),
        "--out: '",
        "must not come with --table",
        options=("--table",),
    ),
    of_fit(
        "a misspelt column",
        measured(head="pulse,polarity,conductnace"),
        "'conductance' is missing; did you mean conductnace?",
    ),
    of_fit("a weight of NaN", measured(), "weight", options=("--weight-zero", "nan")),
    of_fit("a name with a path", measured(), "'../x'", options=("--name", "../x")),
    of_fit("no name", measured(), "name: ''", options=("--name", "")),
    of_fit(
        "another ending", measured(), "--out", ".yaml or .yml", options=("--out", "HERE/mine.txt")
    ),
    of_fit(
        "a folder that is not there",
        measured(),
        "--out",
        "must be in a folder",
        options=("--out", "HERE/no/mine.yaml"),
    ),
    Bad(
        "no Excel file",
        ["presets", "fit", "HERE/m.xlsx", "--name", "mine", "--out", "HERE/mine.yaml"],
        {"m.xlsx": b"no"},
        ("m.xlsx: file", "Excel"),
    ),
    Bad(
        "an archive that is no Excel file",
        ["presets", "fit", "HERE/m.xlsx", "--name", "mine", "--out", "HERE/mine.yaml"],
        {"m.xlsx": npz(a=X)},
        ("m.xlsx: file", "Excel"),
    ),
    Bad(
        "an empty folder of devices",
        ["presets", "fit", "HERE/d", "--name", "mine", "--out", "HERE/mine.yaml"],
        {"d/x.png": ""},
        ("d: folder", "no such file"),
    ),
]
