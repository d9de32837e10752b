"""Devices of studies, and lookup tables, that are refused."""

import gzip

from support.bad_inputs.builders import TABLE, both, of_device

DEVICES = [
    of_device("an empty device", {}, "case 2.device: {}", "{table: FOLDER}"),
    of_device("a device of a list", [], "case 2.device: []", "name of a device"),
    of_device(
        "an argument twice",
        "SoftBoundsDevice(dw_min=0.01, dw_min=0.02)",
        "dw_min",
        "'0.02'",
        "once",
    ),
    of_device(
        "an argument of text",
        "SoftBoundsDevice(dw_min='a')",
        "SoftBoundsDevice.dw_min",
        "must be a number",
    ),
    of_device("an argument without a name", "SoftBoundsDevice(0.1)", "CLASS(field=value, ...)"),
    of_device(
        "a deep argument",
        f"SoftBoundsDevice(dw_min={'[' * 500}1{']' * 500})",
        "CLASS(field=value, ...)",
    ),
    of_device("an unknown class", "HardBoundsDevice(dw_min=0.1)", "'HardBoundsDevice'"),
    of_device("a home of nobody", "~nosuchuser/x.yaml", "~nosuchuser has no home"),
    of_device(
        "a missing preset file",
        "nosuch.yaml",
        "s.yaml: case 2.device: 'nosuch.yaml'",
        "no such file or folder as HERE/nosuch.yaml",
    ),
    of_device("a misspelled preset", "chargetrap", "did you mean charge_trap?", "rpu-ssnn presets"),
    of_device(
        "a slot of 500 s",
        "ideal",
        "tile.slot_seconds: 500",
        "less than or equal to 10",
        tile={"slot_seconds": 500},
    ),
    of_device(
        "an override without effect",
        "ecram",
        "overrides.on_off_ratio: 3",
        "set tile: {reference: {on_off_ratio: ...}} instead",
        overrides={"on_off_ratio": 3},
    ),
    of_device(
        "an override in quotes",
        "ideal",
        "overrides.cycle_to_cycle: '0.1'",
        "not text",
        overrides={"cycle_to_cycle": "0.1"},
    ),
    of_device(
        "an override of a list",
        "ideal",
        "overrides.cycle_to_cycle: [1]",
        overrides={"cycle_to_cycle": [1]},
    ),
    of_device(
        "an override of nothing",
        "ideal",
        "overrides.cycle_to_cycle",
        overrides={"cycle_to_cycle": None},
    ),
    of_device(
        "a factor of nothing", "ideal", "overrides.levels: 'x'", "factor", overrides={"levels": "x"}
    ),
    of_device("a cell around nothing", "two_sided()", "'two_sided'", "must be one of"),
    of_device("a cell without an end", "one_sided_pair(pcm", "one_sided_pair(pcm"),
    of_device("a table that is not there", {"table": "nosuch"}, "'nosuch'", "HERE/nosuch"),
    of_device("no table", {"table": []}, "[]", "folder"),
    of_device("a table and more", {"table": "t", "x": 1}, "case 2.device", "{table: FOLDER}"),
    of_device(
        "one conductance",
        {"table": "HERE/t"},
        "dG_increasing.txt",
        "conductances 1",
        "at least 2",
        files=both("1e-6\n0 1\n0\n1e-7\n"),
    ),
    of_device(
        "points from 0.2",
        {"table": "HERE/t"},
        "from 0.2 to 1",
        "from 0 to 1",
        files=both("1e-6 2e-6\n0.2 1\n0 0\n1e-7 1e-7\n"),
    ),
    of_device(
        "a negative conductance",
        {"table": "HERE/t"},
        "conductance -1e-06",
        "0 S or above",
        files=both("-1e-6 2e-6\n0 1\n0 0\n1e-7 1e-7\n"),
    ),
    of_device(
        "one direction only",
        {"table": "HERE/t"},
        "no dG_decreasing.txt",
        files={"t/dG_increasing.txt": TABLE},
    ),
    of_device(
        "a broken gzip",
        {"table": "HERE/t"},
        "dG_increasing.txt.gz",
        files={"t/dG_increasing.txt.gz": b"no", "t/dG_decreasing.txt": TABLE},
    ),
    of_device(
        "a gzip cut off",
        {"table": "HERE/t"},
        "dG_increasing.txt.gz",
        files={
            "t/dG_increasing.txt.gz": gzip.compress(b"1" * 999)[:-9],
            "t/dG_decreasing.txt": TABLE,
        },
    ),
    of_device(
        "a gzip of 100 MB",
        {"table": "HERE/t"},
        "dG_increasing.txt.gz",
        "Larger than",
        files={
            "t/dG_increasing.txt.gz": gzip.compress(bytes(100 << 20), 1),
            "t/dG_decreasing.txt": TABLE,
        },
    ),
    of_device(
        "a member without a table",
        {"table": "HERE/t"},
        "t/2",
        "as the other folders",
        files={
            "t/1/dG_increasing.txt": TABLE,
            "t/1/dG_decreasing.txt": TABLE,
            "t/2/dG_inc.txt": TABLE,
        },
    ),
    of_device("a table of words", {"table": "HERE/t"}, "dG_increasing.txt", files=both("a b c\n")),
    of_device(
        "a table with a hole",
        {"table": "HERE/t"},
        "dG_increasing.txt, row 4",
        "finite numbers",
        files=both("1e-6 2e-6\n0 1\n0 0\n1e-7 nan\n"),
    ),
    of_device(
        "a table of bytes",
        {"table": "HERE/t"},
        "dG_increasing.txt",
        "readable table",
        files=both("\x00") | {"t/dG_increasing.txt": b"\xff\xfe\x00"},
    ),
]
