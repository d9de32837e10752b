"""Bad data, measured files and options are each refused in one line that names the problem."""

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import get_column_letter

from support.bad_inputs import (
    PLAN,
    Bad,
    Content,
    check,
    hdf5,
    hdf5_circle,
    idx,
    idx_folder,
    jumps,
    measured,
    npz,
    of_case,
    of_data,
    of_fit,
    of_study,
    of_table,
    promising,
    rows_of,
    workbook_cut_in_its_sheet,
    workbook_of_dates,
)
from support.commands import Command, full_disk

LONG = "a" * 5000
X, Y = np.arange(24.0).reshape(6, 4), np.array([0, 1, 0, 1, 0, 1])
SPLIT = {"x_train": X, "y_train": Y, "x_test": X + 1, "y_test": Y}
EVENTS = {"t": np.arange(4.0), "x": [0, 1, 0, 1], "recording": [0, 0, 1, 1], "labels": [0, 1]}
LATE = {"t": [99.0] * 40, "x": [0] * 40, "recording": np.arange(40), "labels": [0, 1] * 20}

MEASURED = [
    of_fit("", "m.csv: file"),
    of_fit(bytes(100), "m.csv"),
    of_fit(measured("1e30,up,1"), "m.csv, row 2: column pulse", "1e+30"),
    of_fit("Sample A\n\n" + measured("1,up,-1"), "m.csv, row 4: column conductance_uS: -1"),
    of_fit(measured().encode("utf-16"), "m.csv: file: not text in UTF-8"),
    of_fit(measured(), "m.csv: --sheet: 'a'", "an Excel file", options="--sheet a"),
    of_fit(lambda path: path.mkdir(), "m.csv: --sheet", "an Excel file", options="--sheet a"),
    of_fit(workbook_of_dates, "m.xlsx, row 2: column conductance_uS: '2026-", file="m.xlsx"),
    of_fit(workbook_of_dates, "--sheet: 'b'", "Sheet1", options="--sheet b", file="m.xlsx"),
    of_fit(workbook_of_dates, "--sheet: ''", "Sheet1", options="--sheet=", file="m.xlsx"),
    of_fit("pulse,polarity,conductance_uS\n0,up,\n1,up,\n", "m.csv: up pulses", "0"),
    of_fit(
        measured(head="pulse,polarity,conductnace_uS"),
        "no conductance beside",
        "rename conductnace_uS: ",
    ),
    of_fit(measured(head="pulse,polarity,conductance"), "m.csv, row 1: column", "'conductance'"),
    of_fit(
        measured(head="pulse,G_up_uS,G_down_uS"),
        "no polarity or",
        "for a column per sweep see docs/how-to",
    ),
    of_fit(measured(last="1,5"), "m.csv: file: ", "with decimal commas, cells need semicolons"),
    of_fit(measured(), "--name: '../x'", options="--name ../x"),
    of_fit(measured(), "'charge_trap'", "shipped", options="--name charge_trap"),
    of_fit(measured(), "--out", "x.txt", options="--out HERE/x.txt"),
    of_fit(measured(), "--out", "no/x.yaml", options="--out HERE/no/x.yaml"),
    of_fit(b"no", "m.xlsx: file: File is not a zip file", "Excel", file="m.xlsx"),
    of_fit(workbook_cut_in_its_sheet, "m.xlsx: file", "Excel", file="m.xlsx"),
    of_fit(measured(head="pulse,polarity,conductance_" + "x" * 100_000), "m.csv, row 1", "xxx"),
    Bad("presets fit HERE/m.csv --name mine", {"m.csv": measured(), "mine.png": ""}, ("mine.png",)),
    Bad("presets example ecram --out HERE/m.csv", {"m.csv": ""}, ("m.csv", "must not exist yet")),
    Bad(
        "presets from-metrics --name mine --on-off 10 --states-up 50 --states-down 50 "
        "--nonlinearity-up 1 --nonlinearity-down -1 --cycle-to-cycle 0.01 --device-to-device 0",
        {"mine.yaml": lambda path: path.symlink_to("gone")},
        ("--name: 'mine.yaml'", "must not exist yet"),
    ),
]

HEAD = "pulse,polarity,conductance_uS"


def of_devices(names: str, *scales: float, head: str = HEAD) -> str:
    """Returns a measured CSV with a sweep up and one down of each device, of these step sizes."""
    steps = [*range(31), *range(29, -1, -1)]
    rows = [
        f"{name},{n},{'up' if n < 31 else 'down'},{40 + scale * step}"
        for name, scale in zip(names, scales, strict=True)
        for n, step in enumerate(steps)
    ]
    return "\n".join([f"device,{head}", *rows]) + "\n"


def sheet_of(
    *cells: list[object], state: str = "visible", formula: str = "", hidden: int = 0
) -> Content:
    """Returns a function that writes a workbook, whose first sheet has these rows and this state.

    The row and the column of the number `hidden` are hidden there. Its second sheet holds names
    without rows, or a formula that no program has computed.
    """

    def made(path: Path) -> None:
        book = openpyxl.Workbook()
        for row in cells:
            book.worksheets[0].append(row)
        book.worksheets[0].sheet_state = state
        if hidden:
            book.worksheets[0].row_dimensions[hidden].hidden = True
            book.worksheets[0].column_dimensions[get_column_letter(hidden)].hidden = True
        other = book.create_sheet("new")
        other.append(["polarity", "conductance_uS"])
        for row in [["up", formula]] * bool(formula):
            other.append(row)
        book.save(path)

    return made


def law(text: str) -> dict[str, Content]:
    """Returns the file of a law whose step is right, and whose other settings are these."""
    start = "import numpy as np\nfrom rpu_ssnn.devices import Law, LawParameter\n"
    return {"l.py": f"{start}LAW = Law(name='x', {text})\n"}


STEP = "step=lambda s, d, w, up, n: d.up if up else -d.down"
AGAINST = "step=lambda s, d, w, up, n: -d.up if up else d.down"
NUMBERS = (
    "step: 0.01, w_max: 1, w_min: -1, w_max_spread: 0, w_min_spread: 0, cycle_to_cycle: 0, "
    "step_spread: 0, asymmetry: 0, asymmetry_spread: 0"
)
SPIKES = "spikes: {}, test_share: 0.5"
TWICE = f"cycle,{HEAD}\n" + 2 * "a,0,up,1\na,1,up,2\nb,0,up,1\nb,1,up,2\n"
LAB = [
    of_fit(of_devices("a", 1, head=HEAD.replace("_uS", "_MS")), "row 1", "'conductance_MS'"),
    of_fit(of_devices("abc", 1, 1, 1).replace("device", "devcie"), "'devcie'", "device"),
    of_fit(2 * b"\xef\xbb\xbf" + of_devices("a", 1).encode(), "row 1: column: '\\ufeffdevice'"),
    of_fit(of_devices("abcd", 1, 1, -1, 1), "m.csv: device: 'c'", "polarity"),
    of_fit(of_devices("abcd", 1, 100, 1, 1), "m.csv: device: 'b'", "30 times", "unit"),
    of_fit(TWICE, "m.csv: rows: 8", "second half"),
    of_fit(TWICE.replace("pulse", "number"), "m.csv: rows: 8", "second half"),
    of_fit(of_devices("a", 1).replace(",", "|"), "it is not a table: 'device|", "is one cell"),
    of_fit(b"%PDF-1.4", "m.pdf: file: it is not a table: '%PDF-1.4' is one cell", file="m.pdf"),
    of_fit(of_devices("a", 1).replace("up,", 'up,"', 1), "m.csv: file: a quotation mark"),
    of_fit("polarity,amplitude_V,conductance_uS\nup,1e300,1\nup,1e300,1\n", "amplitude_V: 1e+300"),
    of_fit(sheet_of(["x"], state="hidden"), "m.xlsx: rows: 0", file="m.xlsx"),
    of_fit(sheet_of(["x"]), "m.xlsx, row 1 of sheet 'Sheet' (--sheet: Sheet, new)", file="m.xlsx"),
    of_fit(
        sheet_of(["x"], formula="=A1"), "row 2: column B: '=A1'", file="m.xlsx",
        options="--sheet new",
    ),
    of_fit(sheet_of(["polarity", "conductance_uS"], ["up", True]), "row 2", "True", file="m.xlsx"),
    of_fit(sheet_of(["polarity", "G_uS"], ["up", "#REF!"]), "column B: '#REF!'", file="m.xlsx"),
    of_fit(sheet_of(), "sheet: 'Sheet' is empty", options="--sheet Sheet", file="m.xlsx"),
    of_fit("", "name: 'aaa", "100", options="--name " + "a" * 300),
    Bad("presets fit HERE/m.csv --name a", {"m.csv": "", "a_draws.yaml": ""}, ("a_draws",)),
    of_data("a.xlsx", sheet_of(["label", "", "b"], [1, 2, 3]), "name of column 2: missing"),
    of_data("a.xlsx", sheet_of(["label", "b"], [1, 2], hidden=2), "a.xlsx: column B: hidden"),
    of_fit(sheet_of(["x"], ["y"], hidden=2), "m.xlsx: row 2: hidden; must be", file="m.xlsx"),
    of_fit(
        lambda path: pd.DataFrame({"pulse": [1], "polarity": [1]}).to_excel(path, index=False),
        "no conductance beside pulse, polarity, device (sheet)", file="m.xlsx",
        options="--sheet all",
    ),
    of_fit(
        sheet_of(["device", "polarity"]), "sheet 'Sheet': columns: 'device'", file="m.xlsx",
        options="--sheet all",
    ),
    of_data("a.csv", "label,a\nx,1\nx ,2\n", "a.csv: label: 'x ' is not allowed; must be written"),
    of_data("a.csv", "label,a\n01,1\n1,2\n", "label: '1' is not allowed; must be written as '01'"),
    of_data("a.csv", 'label,a\n" ",1\nx,2\n', "label: ' ' is not allowed; must be a name"),
    of_data("a.npz", npz(**EVENTS | {"t": 3.0}), "shape of t: ()", SPIKES),
    of_data("a.npz", npz(**EVENTS | {"t": np.arange(4) * 1j}), "kind of t: 'complex128'", SPIKES),
    of_data("a.npz", npz(), "keys: are none;"),
    of_data("a.h5", hdf5(spikes__times=1.0, spikes__units=1, labels=1), "it is no list", SPIKES),
    of_table("largest change 1.0", jumps("1e-6 2e-6\n0 1\n0 0\n1 1\n")),
    of_table("conductances [1.0, 2.0]", jumps("1 2\n0 1\n0 0\n1e-8 1e-8\n")),
    of_case("device: d", "case 2.device: 'd'", "{table: d}", files={"d/x": ""}),
    of_case("device: m.csv", "case 2.device: 'm.csv'", "presets fit", files={"m.csv": ""}),
    of_case("device: {law: l.py, stepp: 1}", "device.stepp", "mean step?", files=law(STEP)),
    of_case("device: {law: l.py, step: [1, 2]}", "device.step: [1, 2]", files=law(STEP)),
    of_case("device: {law: l.py, sha256: ab}", "device.law", "sha256=ab", files=law(STEP)),
    of_case(f"device: {{law: l.py, {NUMBERS}}}", "[-0.01, 0.01]", "state 0", files=law(AGAINST)),
    *(
        of_case(f"device: {{law: l.py, {NUMBERS}}}", *said, files=law(STEP.replace("d.up", bad)))
        for bad, *said in (
            ("w + d.up", "[-0.49, -0.01]", "state -0.5 with noise 0"),
            ("d.up * np.sqrt(d.high - w - 1e-9)", "nan", "state 1 with"),
            ("d.up * np.random.random()", "draw no random number"),
            ("s.numbers['a']", "l.py: step: numba cannot compile line 3"),
            ("d.up * np.sqrt(1 + n)", "nan", "with noise -4"),
        )
    ),
    of_case("device: {law: l.py}", "l.py: own: ['a']", files=law(STEP + ", own=['a']")),
    *(
        of_case("device: {law: l.py}", f"own.r.{wrong}".replace("=", ": "), files=law(
            f"{STEP}, own={{'r': LawParameter(unit='1', description='', {wrong})}}"
        ))
        for wrong in ("limits=(0, 1, 2)", "limits=(1, 0)", "limits='ab'", "swept=3")
    ),
    of_case("device: {law: l.py}", "own.r.unit: ' '", files=law(
        f"{STEP}, own={{'r': LawParameter(unit=' ', description='')}}"
    )),
    of_case("device: {law: l.py}", "l.py: hidden: ['a']", files=law(STEP + ", hidden=['a']")),
    Bad("presets show HERE/p.yaml", {"p.yaml": "# no"}, ("p.yaml: content: it is empty",)),
]  # fmt: skip
DATA = [
    of_data("a.npz", b"\x80\x04N.", "file"),
    of_data("a.npz", npz(**SPLIT)[:-30], "archive"),
    of_data("a.npz", promising(10**9, 1), "8000000000"),
    of_data("a.npz", npz(X=np.array([{}], dtype=object), y=Y), "X"),
    of_data("a.npz", npz(X=X.astype(str), y=Y), "kind of values"),
    of_data("a.npz", npz(X=X * 0 + 3, y=Y), "values"),
    of_data("a.npz", npz(X=X[0], y=Y), "shape of x"),
    of_data("a.npz", npz(X=X, y=Y[:3]), "number of labels: 3"),
    of_data("a.npz", npz(X=X, y=Y + 0.5), "label 0: 0.5"),
    of_data("a.npz", npz(X=np.where(X == 5, np.nan, X), y=Y), "[1, 1]: nan"),
    of_data("a.npz", npz(X=np.where(X == 5, 1.7e308, -1.7e308), y=Y), "highest value: ["),
    of_data("a.npz", npz(X=np.where(X == 5, -9e3, X), y=Y), "values, 0 to 23,"),
    of_data("a.npz", npz(X=np.where(X == 5, 9e3, X), y=Y), "[1, 1]: 9000.0"),
    of_data("a.npz", npz(**SPLIT | {"x_test": X[:, :2]}), "(2,)", ""),
    of_data("a.npz", npz(**SPLIT | {"y_test": Y + 5}), "class 5", ""),
    of_data("a.npz", npz(**SPLIT | {"x_test": X}), "test rows: 100 %", ""),
    of_data("a.npz", npz(**SPLIT | {"x_test": X / 255}), "the scale of the training rows", ""),
    of_data("a.npz", npz(**SPLIT), "test_share: 0.5"),
    of_data("a.npz", npz(X=X, y=Y), "test_share: missing", ""),
    of_data("a.npz", npz(X=X, y=Y), "test_share: 0.001", "test_share: 0.001"),
    of_data("a.npz", npz(X=X, y=np.arange(len(X))), "test_share: 0.5"),
    of_data("a.npz", npz(X=X, y=Y * 0), "number of classes: 1"),
    of_data("a.npz", npz(X=X[:0], y=Y[:0]), "rows: 0"),
    of_data("a.npz", npz(a=X), "keys: are a; must be x_train, y_train, x_test, y_test, or X and"),
    of_data("a.npz", npz(X=np.zeros((6, 3, 4)), y=Y), "spikes: there is none", SPIKES),
    of_data("a.npz", npz(X=X, y=Y), "shape of x: (6, 4) is not allowed", SPIKES),
    of_data("a.npz", npz(**EVENTS), "a.npz: spikes: missing"),
    of_data("a.npz", npz(**EVENTS), "spikes.bin: 9.0", "spikes: {bin: 9}, test_share: 0.5"),
    Bad(PLAN, of_data("a.npz", npz(**LATE), "", SPIKES).files, ("s.yaml: network.T", "above 99")),
    of_data("a.npz", npz(**EVENTS, p=[0, 2, 0, 1]), "5", "spikes: {lines: 4}, test_share: 0.5"),
    of_data("a.npz", npz(**EVENTS | {"x": [0, 0.5, 0, 1]}), "x of event 1: 0.5", SPIKES),
    of_data("a.npz", npz(**EVENTS | {"t": -np.arange(4.0)}), "t of event 1: -1.0", SPIKES),
    of_data("a.npz", npz(**EVENTS | {"recording": [0, 0, 1, 2]}), "event 3: 2", SPIKES),
    of_data("a.csv", "label,a\n0,1\n1,x\n", "row 2, column a: 'x'"),
    of_data("a.csv", "label,a\n0,1\n1,\n", "row 2, column a: missing; must be a finite number"),
    of_data("a.csv", "label,a\n0,1\n,2\n", "row 2, column label"),
    of_data("a.csv", "a,class\n1,u\n2,v\n", "its first sheet), one of class, a"),
    of_data("a.csv", "sep=,\nlabel,a\n0,1\n1,2\n", "first line: 'sep=' is"),
    of_data("a.csv", "label,a,a\n0,1,2\n", "'a'"),
    of_data("a.csv", "label,a\n0,1,2\n1,2,3\n", "cells"),
    of_data("a.csv", b"label,a\n\xe9,1\n", "file: not text in UTF-8"),
    of_data("a.csv", "", "file: the first line is empty"),
    of_data("a.xlsx", b"label,a\n", "file: File is not a zip file"),
    of_data("a.csv", "label,a\n", "rows: 0"),
    of_data("a.parquet", b"PAR1no", "Parquet"),
    of_data("a.parquet", pd.DataFrame({"label": [0, 1], "a": ["1", "x"]}).to_parquet, "a: 'x'"),
    of_data("a.h5", b"", "a.h5: file: not an HDF5 file", ""),
    of_data("a.h5", hdf5(x=X), "spikes/times", SPIKES),
    of_data("a.h5", hdf5_circle, "content", SPIKES),
    of_data("a.h5", hdf5(spikes__times=(10**12,), spikes__units=X, labels=Y), "10000000", SPIKES),
    of_data("a.h5", hdf5(x=X), "values must be in an .npz file", ""),
    of_data("a.txt", "1", ".csv"),
    of_data("a.npz", lambda path: path.symlink_to("a.npz"), "file"),
    of_data("d", lambda path: path.mkdir(), "idx", ""),
    Bad(PLAN, idx_folder(idx(2, 2, 2, values=7)), ("train-idx3", "2 x 2 x 2")),
    Bad(PLAN, of_study("dataset: {file: d}").files | {"d/test-idx3": ""}, ("idx file: missing",)),
    Bad(PLAN, idx_folder(idx(1, 1, 1)[:4] + b"\xff" * 12), ("train-idx3", "4294967295")),
    Bad(PLAN, of_study("dataset: {file: a.npz}").files, ("a.npz: file: missing",)),
    Bad(PLAN, of_study("dataset: {file: /, test_share: 0.5}").files, ("/: folder: no idx file",)),
]  # fmt: skip

METRICS = (
    "presets from-metrics --name mine --on-off 10 --states-up 50 --states-down 50 "
    "--nonlinearity-up 1 --nonlinearity-down -1 --cycle-to-cycle 0.01 --device-to-device 0"
)
OPTIONS = [
    Bad(command, files or {}, tuple(names.split(" | ")))
    for command, names, files in [
        ("nosuch", "rpu-ssnn: there is no command 'nosuch'; must be one of run, new", {}),
        ("plan digits_devices --nosuch", "--nosuch", {}),
        ("attribute digits_devices --device a --device=b", "attribute: --device: given 2", {}),
        ("plan digits_devices --rows", "rpu-ssnn plan: | --rows | plan --help", {}),
        ("presets show ecram --no-plot=yes", "rpu-ssnn presets show: | --no-plot", {}),
        ("presets example ecram --out HERE/x.xlsx", "--out | x.xlsx | .csv", {}),
        ("plan", "study | rpu-ssnn plan --help", {}),
        ("new mnst --out HERE/o.yaml", "'mnst' | did you mean mnist?", {}),
        ("attribute digits_devices --device ecram,pcm", "'ecram,pcm' | a single one that", {}),
        ("new HERE/a.npz --out HERE/o.yaml", "new: data: | a.npz' is not allowed; must exist", {}),
        ("plan ", "''", {}),
        (f"plan {LONG}", "too long", {}),
        ("plan a\nb", "study: 'a\\nb'", {}),
        ("plan digits_device", "'digits_device' | did you mean digits_devices?", {}),
        ("plan HERE", "study: 'HERE' | the folder of a record", {}),
        ("decompose digits_devices --device ecram --out HERE/f", "HERE/f: output", {"f": ""}),
        ("plan HERE/x.yaml", "HERE/x.yaml: file", {}),
        ("run digits_devices --workers 0", "--workers | 1", {}),
        ("run digits_devices --workers 1.5", "--workers | '1.5' | a whole number", {}),
        ("run digits_devices --out ", "--out | ''", {}),
        ("run digits_devices --out HERE/o\udcff", "--out | udcff | UTF-8", {}),
        ("run digits_devices --scheduler nosuch --out HERE/o", "nosuch", {}),
        ("presets fit HERE/m.xlsx --sheet S1 --name m", "mean 'S1 '? must be one of 'S1 '", {
            "m.xlsx": lambda path: pd.DataFrame({"a": [1]}).to_excel(path, sheet_name="S1 ")}),
        ("plan HERE/s.txt", "s.txt' | a YAML file", {"s.txt": "study: a\n"}),
        ("run digits_devices --scheduler tcp://a:9 --workers 2 --out HERE/o", "own workers", {}),
        ("require digits_devices --device ecram --scheduler a:b:c --out HERE/o", "dask", {}),
        ("presets example ecram --out HERE/no/x.csv", "presets example: --out: | no/x.csv", {}),
        ("presets fit no.csv --name mine --plot HERE/x.jpgg", "presets fit: --plot: | x.jpgg", {}),
        ("plan digits_devices --no-estimate --rows HERE/r.csv", "r.csv", {}),
        ("table digits_devices --rows HERE/r.csv", "r.csv: rows: no comma", {"r.csv": '"a";b'}),
        ("plan digits_devices --no-estimate --rows HERE/r.csv", "r.csv: file", {"r.csv": b"\xff"}),
        ("plan digits_devices --data HERE/no", "--data | HERE/no | an existing folder", {}),
        ("table HERE/o", "HERE/o | not there | a study with --rows", {}),
        ("table HERE/o", "HERE/o | a file", {"o": ""}),
        ("table HERE", "HERE | a folder without study.yaml", {}),
        ("plot HERE --out HERE/x.png", "--kind", {}),
        ("export HERE HERE/x.txt --case a", "x.txt", {}),
        ("export HERE HERE/x.h5 --case a --seed -1", "--seed", {}),
        ("presets show nosuch --no-plot", "'nosuch'", {}),
        ("presets show ~nosuchuser/x.yaml --no-plot", "~nosuchuser", {}),
        ("presets show HERE/x.yaml --no-plot", "x.yaml | 'text'", {"x.yaml": "text"}),
        ("presets show HERE/x.yaml --no-plot", "x.yaml:a | 5 | a preset", {"x.yaml": "a: 5"}),
        (
            "presets show HERE/x.yaml --no-plot", "x.yaml:a | step | [lowest, highest]",
            {"x.yaml": "a: {like: ecram, parameters: {step: {value: 1, unit: weight, source: x, "
             "measured: [2, 1]}}}"},
        ),
        ("presets show HERE/x.yaml:b", "x.yaml:b' | x.yaml:a", {"x.yaml": "a: {like: ecram}"}),
        (METRICS.replace("off 10", "off nan"), "metrics: --on-off: nan", {}),
        ("attribute digits_devices --device nosuch --out HERE/o", "'nosuch'", {}),
        ("attribute digits_devices --device pcm --out HERE/o", "'pcm'", {}),
        ("attribute digits_devices --device rate --out HERE/o", "--device: 'rate'", {}),
        ("require digits_devices --device ecram --parameter nosuch --out HERE/o", "'nosuch'", {}),
        ("require digits_devices --device ecram --loss -1 --out HERE/o", "--loss: -1.0", {}),
        ("require digits_devices --device ecram --image-us 3 --plan", "--image-us: 3.0", {}),
        ("ledger digits_decomposition --chip ", "--chip: '' | must name", {}),
        ("new digits --label y --out HERE/o.yaml", "new: --label: 'y'", {}),
        ("new  --out HERE/o.yaml", "new: data: '' | must name", {}),
        ("table yin_yang --out HERE/m.csv", "m.csv' | earlier", {"m.csv": measured()}),
        ("plot yin_yang --kind gaps --out HERE/a.png", "a.png' | earlier", {"a.png": ""}),
        ("plot yin_yang", "plot: figure: 'yin_yang_gaps.png'", {"yin_yang_gaps.png": ""}),
        ("report yin_yang --out HERE/a.html", "a.html' | earlier", {"a.html": "own"}),
        ("presets show pcm", "presets show: --plot: 'pcm_card.png'", {"pcm_card.png": ""}),
        ("keys ", "keys: NAME: '' | must be one that `rpu-ssnn keys` lists", {}),
        ("keys network.hiden", "'network.hiden' | did you mean hidden?", {}),
        ("require digits_devices --device ecram --image-nj x", "--image-nj | 'x' | a number", {}),
        ("run digits_devices --other-versions x --out HERE/o", "--other-versions", {}),
        ("plan digits_devices --no-estimate --workers 2", "--workers", {}),
        (PLAN, "out: output folder", of_study("").files | {"out": ""}),
        (PLAN, "out: output folder", of_study("").files | {"out/study.yaml": "study: other"}),
        ("run HERE/s.yaml --out HERE/out", "out: output folder: No such file or directory", {
            **of_study("").files, "out": lambda path: path.symlink_to("gone")}),
        (PLAN, "out: output folder: holds no study;", of_study("").files | {"out/study.yaml": ""}),
        (PLAN, "out: output folder: 'precious.csv'", of_study("").files | {"out/precious.csv": ""}),
    ]
]  # fmt: skip


@pytest.mark.parametrize("bad", rows_of(measured=MEASURED, lab=LAB, data=DATA, options=OPTIONS))
def test_a_bad_file_or_option_is_refused_in_one_line(
    bad: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    check(bad, tmp_path, command)


SWEEPS = "".join(f"up,{n}\n" for n in range(50)) + "".join(f"down,{50 - n}\n" for n in range(50))
NO_ROOM = [
    *[
        Bad(command, of_study("").files, ("HERE/o: output folder: File too",))
        for command in (
            "run HERE/s.yaml --out HERE/o",
            "attribute HERE/s.yaml --device charge_trap --out HERE/o",
        )
    ],
    Bad(
        "presets table m.csv --name t",
        {"m.csv": HEAD[6:] + "\n" + SWEEPS},
        ("t: folder: File too",),
    ),
]


@pytest.mark.parametrize("bad", rows_of(disk=NO_ROOM))
def test_a_full_disk_leaves_nothing_behind(
    bad: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    with full_disk(1500):
        check(bad, tmp_path, command)
