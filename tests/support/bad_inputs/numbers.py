"""Numbers with commas, units and per cent signs; units, names and counts that were mistaken."""

from support.bad_inputs.builders import PLAN, RATE, Bad, measured, of_device, of_fit, of_study

_ENTRY = "a: {like: ecram, parameters: {cycle_to_cycle: {value: 30%, unit: step, source: mine}}}\n"
_STUDY = """
study: small
dataset: {name: digits, n_train: 100, n_test: 50}
seeds: 1
cases: [{update: rate, learning_rate: 1}, {device: ecram, overrides: {cycle_to_cycle: 0,05}}]
"""
_HEAD = "Device,CYCLE,Pulse,way,g"

NUMBERS = [
    of_study(
        "seed for seeds",
        "seed: 'seed' is not allowed; unknown key; did you mean seeds? must be one of study",
        seed=3,
    ),
    of_study(
        "half a seed", "seeds: 2.5", "must be a number n, for the seeds 0 to n - 1", seeds=2.5
    ),
    of_study(
        "half a seed of a case",
        "case 1.seeds: 2.5",
        "or a list of seeds",
        cases=[{**RATE, "seeds": 2.5}],
    ),
    of_device(
        "milliseconds",
        "ecram",
        "leak_time_constant_s: '10 ms'",
        "(unit: s)",
        "write 0.01, not 10 ms",
        overrides={"leak_time_constant_s": "10 ms"},
    ),
    of_device(
        "per cent of a step",
        "ecram",
        "cycle_to_cycle: '30%'",
        "(unit: step)",
        "write 0.3, not 30%",
        overrides={"cycle_to_cycle": "30%"},
    ),
    of_device(
        "a decimal comma",
        "ecram",
        "cycle_to_cycle: '0,05'",
        "write 0.05, not 0,05",
        overrides={"cycle_to_cycle": "0,05"},
    ),
    of_device(
        "a word for a flag",
        "charge_trap",
        "noise_scales_with_step: 'yes'",
        "must be true or false",
        overrides={"noise_scales_with_step": "yes"},
    ),
    of_device(
        "milliseconds of a slot",
        "ecram",
        "tile.slot_seconds: '10 ms'",
        "must be a number in s, not text; write 0.01, not 10 ms",
        tile={"slot_seconds": "10 ms"},
    ),
    of_device(
        "per cent for a share of a step",
        "ecram",
        "overrides.cycle_to_cycle: 300",
        "at most 100 (unit: step; 0.3 is 30 % of a step)",
        overrides={"cycle_to_cycle": 300},
    ),
    Bad(
        "a decimal comma in braces",
        PLAN,
        {"s.yaml": _STUDY},
        ("s.yaml: case 2.overrides: 5", "decimals need a point"),
    ),
    of_device(
        "per cent in a preset file",
        "HERE/a.yaml",
        "case 2.device",
        "cycle_to_cycle '30%'",
        "write 0.3, not 30%",
        files={"a.yaml": _ENTRY},
    ),
    of_study(
        "pulses of numbers in no device",
        "case 2.device: missing",
        "{update: analog_sgd, device: ecram}",
        cases=[RATE, {"update": "analog_sgd"}],
    ),
    of_study(
        "a batch of more images than there are",
        "training.batch: 950",
        "must be at most 90, the images that are trained on",
        training={"batch": 950},
    ),
    of_study(
        "a batch of a case",
        "case 1.training.batch: 95",
        "must be at most 90",
        cases=[{**RATE, "training": {"batch": 95}}],
    ),
    of_study(
        "a swept batch", "sweep.training.batch: 95", "at most 90", sweep={"training.batch": [5, 95]}
    ),
    of_fit(
        "a row of units",
        measured("-,-,uS"),
        "m.csv, row 2: cells: '-, -, uS'",
        "looks like a row of units: remove it",
        "--conductance-unit",
    ),
    of_fit(
        "another unit in the name of the column",
        measured(head="pulse,polarity,G (nS)"),
        "m.csv, row 1: column: 'G (nS)'",
        "is read in uS, but its name ends with nS",
        "--conductance-unit nS",
        options=("--conductance-column", "G (nS)"),
    ),
    of_fit(
        "times in another unit",
        measured(head="time_ms,polarity,conductance"),
        "column: 'time_ms'",
        "--time-unit ms",
        options=("--time-column", "time_ms"),
    ),
    of_fit(
        "amplitudes in another unit",
        measured(head="pulse_mV,polarity,conductance"),
        "column: 'pulse_mV'",
        "convert the values to V",
        options=("--amplitude-column", "pulse_mV"),
    ),
    of_fit(
        "several wrong names of columns",
        measured(head=_HEAD),
        "'polarity' is missing",
        "'conductance' is missing too",
        "--polarity-column and --conductance-column",
        "'Device' must be called 'device', or be named by --device-column",
        "'CYCLE' must be called 'cycle', or be named by --cycle-column",
        "'Pulse' must be called 'pulse', or be named by --pulse-column",
    ),
    of_fit(
        "millivolts of a reading",
        measured(),
        "'100 mV' is missing",
        "write 0.1, not 100 mV",
        options=("--current-column", "conductance", "--read-voltage", "100 mV"),
    ),
]
