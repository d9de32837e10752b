"""Bad study files are each refused in one line that names the file, the key and the value."""

import gzip
from pathlib import Path

import pytest

from support.bad_inputs import (
    PLAN,
    Bad,
    check,
    jumps,
    of_case,
    of_circuit,
    of_conv,
    of_rule,
    of_study,
    of_table,
    rows_of,
)
from support.commands import Command

JUMPS = "1e-6 2e-6 3e-6\n0 1\n0 0 0\n1e-7 1e-7 1e-7\n"
RATE_CASE = "{update: rate, learning_rate: 1}"
ONE_RULE = """
from pydantic import Field
from studies.declaration.update_rules.coincidence import CoincidenceRule

class Mine(CoincidenceRule):
    gain: float = Field(1.0, gt=0.0)
"""

YAML = [
    Bad(PLAN, {"s.yaml": content}, ("s.yaml: ", place, value))
    for content, place, value in [
        ("study: [", "line 1, column 9: 'study: ['", "close each bracket"),
        ("cases:\n  - {a: 1\n", "line 3, column 1: here the file ends", "close each bracket"),
        ("study: a\n\tseeds: 1\n", "line 2", "tabs"),
        ("study: a\nseeds:\xa01\nT: 1", "line 3", "no-break space"),
        ("", "content", "missing"),
        ("just text", "content", "'just text'"),
        ("1: 2\n", "line 1, column 1: 1", "key"),
        (bytes(range(256)), "file: not text in UTF-8", ""),
        ("study: x\ncases: [{update: rate, learning_rate: 0,05}]\n", "line 2", "5 is not allowed"),
        ("network: {hidden: 64, 32}\n", "line 1, column 23: 32", "lists brackets ([64, 32])"),
        ('cases:\n  - {label: "a\\e[31mb"}\n', "line 2, column ", "without control characters"),
        ("cases:\n  a: 1\n  - b: 2\n", "line 3, column 3: '- b: 2'", "cannot be mixed"),
        ("a:\n    b: 1\n  c: 2\n", "line 3, column 3: 'c: 2'", "in the same column"),
        ("question: Which: a?\n", "line 1, column 16: 'question: ", "a colon needs quotes"),
        ("a: 1\nb 2\nc: 3\n", "line 2, column 1: 'b 2'", "one colon with a space after it"),
        ("a: 'it's'\n", "line 1, column 8: \"a: 'it's'\"", "quotes of the other kind"),
        ("a: 'b\nc: 1\n", "line 1, column 4: \"a: 'b\"", "close each bracket and quote"),
        ("a: %5\n", "line 1, column 4: 'a: %5'", "single quotes"),
        ('a: "C:\\data"\n', "line 1, column 4: ", "single quotes"),
        ("a: 1\n---\nb: 1\n", "line 2, column 1: '---'", "one document"),
        ('cases:\n  - {label: "\\ud800"}\n', "line 2, column ", "without control characters"),
    ]
]  # fmt: skip

STUDIES = [
    of_study("network: {T: '10'}", "network.T", "'10'"),
    of_study("network: {hidden: []}", "network.hidden", "[]"),
    of_study("network: {layers: ['8']}", "network.layers.0", "'8'", "neurons, or {conv:"),
    of_study("network: {epochs: 5}", "network.epochs", "did you mean training.epochs?"),
    of_study("network: {\u0422: 5}", "network.", "written '\\u0422'; must be one of hidden"),
    of_case("update: rate, T: 5", "case 2.T", "`update: rate`; did you mean network.T?"),
    of_study("seeds: 1e1", "seeds: 10.0", "must be a whole number n"),
    of_study("dataset: {name: digits, range: [0, 1]}", "dataset.range: ", "out without `file`"),
    of_study("chip: ''", "chip: ''", "must name a file"),
    of_study("quoted: {'': {accuracy: 9, source: x}}", "quoted: ''", "at least 1 character"),
    of_study("network: {layers: [0]}", "network.layers.0", "0"),
    of_study("network: {hidden: [8], layers: [9]}", "network.hidden", "[8]", "layers"),
    of_study("network: {layers: [{conf: {}}]}", "network.layers.0.conf", "conv"),
    of_study("network: {layers: [{conv: {kernel: 3}}]}", "layers.0.conv.channels", "missing"),
    of_conv("kernel: 3.5", "conv.kernel: 3.5", "whole number, 1 to 1000, or a list"),
    of_conv("kernel: [3, 3, 3]", "conv.kernel", "[3, 3, 3]", "[rows, columns]"),
    of_conv("kernel: 9", "network.layers.0.conv.kernel", "(9, 9)", "[8, 8]"),
    of_conv("kernel: 3, replicas: 99", "network.layers.0.conv.replicas", "99", "36"),
    of_study("network: {layers: [8, {conv: {kernel: 3, channels: 4}}]}", "dense layer has one"),
    of_study(
        "dataset: {name: yin_yang}, network: {layers: [{conv: {kernel: 1, channels: 4}}]}",
        "network.layers.0",
        "conv",
        "needs images: dataset.shape in a study",
    ),
    of_study("network: {gradient: {relay: yes}}", "network.gradient.relay", "'yes'"),
    of_study("network: [1]", "network", "[1]"),
    of_study("network: null", "network", "missing"),
    of_study("network: {TT: 1, T: 0, hidden: 4}", "network.TT", "(also wrong: hidden, T)"),
    of_study("network: {inference_T: None}", "network.inference_T", "'None'", "or null"),
    of_study("network: {neuron: {theta_m: 1}}", "network.neuron.theta_m", "theta_n or theta_b"),
    of_study("network: {encoding: {input_rate: 0.6}}", "network.encoding", "0.6"),
    of_circuit("5", "network.neuron.circuit", "5", "dutta_2017, or a mapping"),
    of_circuit("dutta", "network.neuron.circuit", "dutta", "dutta_2017"),
    of_case("device: ideal, network: {neuron: {circuit: x}}", "case 2.network.neuron.circuit", "x"),
    of_circuit("{threshold_spread: -1}", "circuit.threshold_spread", "-1", "0"),
    of_circuit("{dead_share: 0.6, always_share: 0.6}", "network.neuron.circuit", "always_share"),
    of_case(
        "device: ideal, network: {neuron: {circuit: {leak_time_constant_s: 1, slot_seconds: 1}}}",
        "case 2.network.neuron.circuit.slot_seconds",
        "1",
        "5e-07",
    ),
    of_study("network: {hidden: [8, 8, 8]}", "case 2.network.hidden", "[8, 8, 8]", "clocked"),
    of_study("training: {schedule: batches}", "training.schedule", "'batches'", "mean batch?"),
    of_study("training: {batch: 950}", "training.batch", "950", "90"),
    of_study("epochs: 4", "epochs", "training"),
    of_study("sedes: [1], network: {T: -1}", "sedes", "did you mean seeds?"),
    of_study("study: ../up", "study", "'../up'", "contain only"),
    of_study("question: 5", "question", "5"),
    of_study("seeds: three", "seeds", "'three'", "a whole number or a list"),
    of_study("seeds: [3, 3]", "seeds", "3"),
    of_study("seeds: 20000", "seeds.count", "20000"),
    of_study("cases: []", "cases", "[]"),
    of_study("cases: {update: rate}", "cases", "list"),
    of_study("cases: [rate]", "case 1", "'rate'"),
    of_study("cases: [{learning_rate: 1}]", "case 1", "device"),
    of_study("reference: rates", "reference", "'rates'", "did you mean rate?"),
    of_study("published: {rat: {accuracy: 98, source: x}}", "published", "'rat'"),
    of_study("dataset: {name: digits, time: shuffled}", "dataset.time", "recorded spikes"),
    of_study(
        "dataset: {name: yin_yang_latency}, cases: [{update: rate, learning_rate: 1, "
        "network: {encoding: {contrast: signed}}}]",
        "case 1.network.encoding.contrast",
        "'signed'",
        "must be none",
    ),
    of_study("dataset: {name: minst}", "dataset.name", "'minst'", "did you mean mnist?"),
    of_study("dataset: {name: digits, n_train: 5000}", "dataset.n_train", "5000", "1438"),
    of_study("dataset: {name: digits, n_train: 4}", "dataset.validation_share", "0.1"),
    of_study("dataset: {}", "dataset", "{}"),
    of_study("dataset: MNIST", "dataset: 'MNIST'", "{name: mnist}"),
    of_study("dataset: {path: a.npz}", "dataset.path: unknown key; must be one of test_file"),
    of_study("training: {learning_rate: 1}", "did you mean cases.hyperparameters.learning_rate or"),
    of_study("dataset: {name: mnist, file: a.npz}", "dataset.name", "'mnist'"),
    of_study("dataset: {name: digits, test_share: 0.2}", "dataset", "test_share"),
    of_study("dataset: {file: a.npz, range: [.nan, 1]}", "dataset.range.0", "nan"),
    of_study("dataset: {file: a.npz, shape: [-2, 2]}", "shape: [-2, 2]", "channels above 0]"),
    of_study("dataset: {file: a.npz, range: [1, 0]}", "dataset.range", "1.0, 0.0"),
    of_study("dataset: {file: a.npz, test_share: 1}", "dataset.test_share", "0.9"),
    of_study("search: {learning_rate: 4}", "search.learning_rate", "4", "[lowest, highest]"),
    of_study("sweep: {network.T: [20, 0]}", "sweep.network.T", "0"),
    of_study("sweep: {network.TT: [1]}", "sweep.network.TT", "hidden"),
    of_study("sweep: {T: [1]}", "sweep.T", "network.T"),
    of_study("sweep: {network: [1]}", "sweep.network: [1]", "must be a setting that a case has"),
    of_study("sweep: {network: {T: [1, 2]}}", "sweep.network: {'T'", "dots in its path"),
    of_study("sweep: {network.layers.0: [1]}", "sweep: 'network.layers.0'", "vary as a whole"),
    of_study("sweep: {network.neuron.circuit: [dutta]}", "sweep.network.neuron.circuit: 'dutta'"),
    of_study("published: {rate: {accuracy: 0.98, source: x}}", "accuracy: 0.98", "in %, 1"),
    of_study("sweep: {tile.initial: [pulsed]}", "sweep.tile.initial", "pulsed"),
    of_study("sweep: {network.T: [5, 10, 5.0]}", "sweep.network.T", "[5, 10, 5.0]"),
    of_study("together: [{}, network.T]", "together 1", "{}", "also wrong: together 2"),
    *(
        of_study(f"network: {{{settings}}}", f"network.{key}")
        for settings, key in (
            ("neuron: {theta: 1.0e-320}", "neuron.theta"),
            ("neuron: {theta_n: 1.0e-46}", "neuron.theta_n"),
            ("neuron: {kernel_fraction: 100}, T: 1000000", "neuron.kernel_fraction"),
            ("gradient: {flush: 9000}, T: 100000", "gradient.flush"),
            ("gradient: {delay: 100}", "gradient.delay"),
            ("inhibition: {strength: 1.0e+39}", "inhibition.strength"),
        )
    ),
    *(
        of_study(f"cases: [{RATE_CASE}, {{{case}}}], sweep: {{{path}: [{value}]}}", path, *names)
        for case, path, value, *names in (
            ("update: online_sgd, learning_rate: 1", "weight_bound", "-1", "greater than 0"),
            ("update: online_sgd, learning_rate: 1", "online.layer_rates", "[1]", "the 2 layers"),
            ("update: conversion, learning_rate: 1", "percentile", "101", "equal to 100"),
        )
    ),
]

CASES = [
    of_case("update: ecram", "case 2.update: 'ecram'", "did you mean device: ecram?"),
    of_case("device: {fit: ecram.yaml, draws: 2}", "case 2.draws: 2", "ecram_draws.yaml", files={
        "ecram.yaml": "a: {like: ecram}"}),
    of_case("update: coincidences", "case 2.update", "'coincidences'", "mean coincidence?"),
    of_case("update: rate, learning_rate: 0", "case 2.learning_rate", "0"),
    of_case("update: coincidence, learning_rate: 1, label: ' a'", "case 2.label", "' a'"),
    of_case("update: coincidence, learning_rate: 1, label: =1+1", "case 2.label", "=, +, - or @"),
    of_study("quoted: {-x: {accuracy: 90, source: B}}", "quoted", "'-x'", "=, +, - or @"),
    of_case("update: coincidence, learning_rate: 1, label: rate", "case 2.label", "'rate'"),
    of_case("update: rate, learning_rate: 1, tile: {}", "case 2.tile: unknown key", "label, n"),
    of_case("update: ann, network: {T: 5}", "case 2.network.T", "5", "ann"),
    of_case(  # The layers of the case replace the study's `hidden`.
        "update: ann, network: {layers: [{conv: {kernel: 9, channels: 4}}]}",
        "case 2.network.layers.0.conv.kernel",
        "(9, 9)",
    ),
    of_case("device: ideal, weight_range: 8", "case 2.weight_range", "device"),
    of_case("device: ideal, overrides: {slot_seconds: 1}", "did you mean tile.slot_seconds?"),
    of_case("device: ideal, w_max: 1", "case 2.w_max", "did you mean overrides.w_max?"),
    of_case("device: ideal, tile: {w_max: 1}", "case 2.tile.w_max", "mean overrides.w_max?"),
    of_case("device: ideal, overrides: {step: 1, levels: 2}", "one of step and levels"),
    of_case("device: ideal, overrides: {dw_min_dtod: 1}", "dw_min_dtod", "mean step_spread?"),
    of_case("device: agad(ideal), tile: {}, overrides: {w_max_dtod: 1}", "mean w_max_spread?"),
    of_case("device: ideal, overrides: {cycle_to_cycle: -1}", "overrides.cycle_to_cycle", "-1"),
    of_case("device: ideal, overrides: {cycle_to_cycle: '0.1'}", "overrides.cycle", "'0.1'"),
    of_case("device: ideal, tile: {slot_seconds: 500}", "case 2.tile.slot_seconds", "500", "10"),
    of_case("device: ideal, tile: {initial: written}", "case 2.tile.initial", "'written'"),
    of_case("device: ideal, tile: {reads: {adc_bits: 4}}", "case 2.tile.reads", "adc_bound"),
    of_case(
        "device: ideal, tile: {reference: {scheme: differential_pair, spread: 0.1}}",
        "case 2.tile.reference.spread",
        "0.1",
        "reference devices",
    ),
    of_case("device: chargetrap", "case 2.device", "'chargetrap'", "did you mean charge_trap?"),
    of_case("device: {}", "case 2.device", "{}", "{fit: FILE, draws: 5}"),
    of_case("device: tiki_taka", "case 2.device", "tiki_taka(PRESET)"),
    of_case("device: softbounds(dw_min=1)", "'softbounds'", "SoftBoundsDevice; presets have no"),
    of_case("device: {law: constant}", "case 2.device.law", "'constant'", "such as my_law.py"),
    of_case("device: ''", "case 2.device: ''", "`rpu-ssnn presets` lists, or a file name"),
    of_case("device: nosuch.yaml", "case 2.device", "HERE/nosuch.yaml"),
    of_case("device: a.yaml:c", "case 2.device: 'a.yaml:c'", "a.yaml:b", files={
        "a.yaml": "b: {like: ecram}"
    }),
    of_case("device: 'SoftBoundsDevice(dw_min=''a'')'", "SoftBoundsDevice.dw_min", "'a'"),
    of_case("device: HardBoundsDevice(dw_min=0.1)", "case 2.device", "'HardBoundsDevice'"),
    of_case("device: a.yaml", "a.yaml", "cycle_to_cycle", "'30%'", files={
        "a.yaml": "a: {like: ecram, parameters: {cycle_to_cycle: {value: 30%, unit: step}}}"
    }),
    of_case("device: a.yaml", "case 2.device", "a.yaml", "step missing: must be a number", files={
        "a.yaml": "a: {like: ecram, parameters: {step: {value: null, unit: weight, source: x}}}"
    }),
    of_case("device: a.yaml", "case 2.device", "a.yaml", "'stepp'", files={
        "a.yaml": "a: {like: ecram, parameters: {stepp: {value: 1, unit: weight, assumption: x}}}"
    }),
    of_case("device: {law: null}", "case 2.device.law", "missing"),
    of_case("device: {law: l.py}", "l.py: LAW", "5", files={"l.py": "LAW = 5"}),
    *(
        of_case("device: {law: l.py, like: ecram}", "l.py", "step", said, files={
            "l.py": f"from rpu_ssnn.devices import Law\nLAW = Law(name='x', step={step})\n"
        })
        for step, said in (
            ("lambda: 0", "0 arguments"), ("5", "5"), ("lambda s, d, w, u, n: foo", "'foo'"),
            ("lambda s, d, w, u, n: None", "it returns none, not a number"),
        )
    ),
    of_case("device: {law: l.py}", "l.py", "SystemExit", files={"l.py": "raise SystemExit(3)"}),
    of_rule("raise SystemExit(3)", "SystemExit"),
    of_rule(b"\xff", "UTF-8"),
    of_case("device: {table: nosuch}", "case 2.device", "'nosuch'"),
    of_table("dG_increasing.txt", jumps("1e-6\n0 1\n0\n1e-7\n")),
    of_table("dG_increasing.txt", jumps("1e-6 2e-6\n0 1\n0 0\n1e-7 nan\n")),
    of_table("dG_increasing.txt", jumps("a b c\n") | {"t/dG_increasing.txt": b"\xff\xfe\x00"}),
    of_table("dG_decreasing.txt", {"t/dG_increasing.txt": JUMPS}),
    of_table("dG_increasing.txt.gz", {"t/dG_decreasing.txt": JUMPS,
        "t/dG_increasing.txt.gz": gzip.compress(b"1" * 999)[:-9]}),
    of_table("t/2", {f"t/1/{name}": JUMPS for name in ("dG_increasing.txt", "dG_decreasing.txt")}
        | {"t/2/dG_inc.txt": JUMPS}),
]  # fmt: skip

DRIVE = "hyperparameters: {learning_rate: 1, weight_range: 4}"
LOSSY = "{simulator: native, device_read_noise: {slow_of_range: 0.1, slow_time_s: %s}}"


def of_rule_case(rule: str, *rows: tuple[str, ...]) -> list[Bad]:
    """Returns studies whose second case has this rule and one bad setting each."""
    device = "" if "sgd" not in rule or "online" in rule else "device: gokmen_vlasov"
    start = f"update: {rule}, " + (DRIVE if device else "learning_rate: 0.4")
    return [
        of_case(f"{start}, {case if 'device:' in case or not device else f'{device}, {case}'}", *of)
        for case, *of in rows
    ]


RULES = [
    *of_rule_case(
        "whole_pulse_sgd",
        ("device: capacitor", "case 2.device", "loses no charge"),
        ("device: charge_trap_pulsed", "case 2.device", "loses no charge"),
        ("tile: {}", "case 2.tile.simulator", "must be native under whole_pulse_sgd"),
        ("device: tiki_taka(ideal)", "case 2.tile.simulator", "must be aihwkit"),
        ("tile: {simulator: native, reads: {read_noise: 1}}", "tile.reads", "online.sum_bits"),
        ("tile: {simulator: native, half_select: {gradient: 0.1}}", "tile.half_select", "no slots"),
        ("tile: " + LOSSY % 1, "case 2.tile.device_read_noise", "which has no slots"),
        ("online: {layer_rates: [1]}", "case 2.online.layer_rates", "each of the 2 layers"),
        ("online: {rounding: up}", "case 2.online.rounding", "nearest"),
        ("online: {activation: relu, hidden_bits: 1}", "case 2.online", "whose values end at 1"),
        ("training: {batch: 10}", "case 2.training.batch", "has no effect"),
    ),
    *of_rule_case(
        "online_sgd",
        ("online: {sum_bits: 8}", "case 2.online.sum_bits", "one of activation"),
        ("weight_bound: -1", "case 2.weight_bound", "greater than 0"),
    ),
    *of_rule_case(
        "analog_sgd",
        ("device: charge_trap_pulsed, tile: {}", "case 2.tile.simulator", "do not remember"),
        ("device: {table: ENODe}, tile: {}", "tile.simulator", "neither tables of measured jumps"),
        ("device: pcm", "case 2.device", "a device that pulses move both ways"),
        ("tile: {initial: pulsed}", "case 2.tile.initial", "must be programmed"),
        ("tile: {simulator: native, read_disturb: {forward_up: 0.1}}", "reads are of numbers"),
        ("tile: " + LOSSY % "5.0e-5", "device_read_noise.slow_time_s", "at least 0.000825 s"),
        ("trains: {activation: tanh}", "case 2.trains.activation", "relu"),
        ("trains: {length: 3}", "case 2.trains.length", "train_length"),
        ("network: {T: 20}", "case 2.network.T", "has no effect on the rule analog_sgd"),
    ),
    of_case("device: ideal, hyperparameters: {learning_rate: 1}", "weight_range", "must be given"),
    of_rule(ONE_RULE + ONE_RULE.replace("Mine", "Second"), "exactly one subclass"),
    *(
        of_case(f"update: {{rule: r.py, {k}}}, learning_rate: 1", *names, files={"r.py": ONE_RULE})
        for k, *names in (("gian: 2", "case 2.gian"), ("gain: -1", "case 2.gain"))
    ),
    of_case("update: no.such.module, learning_rate: 1", "case 2.update"),
    of_case("update: none.py, learning_rate: 1", "case 2.update"),
]
DEVICES = [
    of_case("device: agad(reram_sb)", "tile.simulator: 'native'", "has only devices alone"),
    of_case("device: one_sided_pair(pcm)", "simulator: 'native'", "refreshes"),
    of_case("device: ideal, tile: {storage_seconds: 1}", "storage_seconds: 1.0", "loses charge"),
    of_case("device: charge_trap_pulsed, tile: {}", "simulator: 'aihwkit'", "do not remember"),
    of_case("device: capacitor, tile: {storage_seconds: -1}", "tile.storage_seconds: -1"),
    of_case("device: ideal, tile: " + LOSSY % "1.0e-6", "slow_time_s: 1e-06", "time of a batch"),
    of_case(
        "device: ideal, tile: {simulator: native, read_disturb: {forward_up: 0.1}}, "
        "network: {gradient: {delay: 1}}",
        "gradient.delay: 1.0", "not when they are read",
    ),
    *(
        of_case(f"device: {{table: ENODe}}, {more}", *names)
        for more, *names in (
            ("tile: {}", "tile.simulator: 'aihwkit'", "needs tile: {simulator: native}"),
            ("overrides: {levels: 10}", "overrides.levels", "must be one of jump_spread"),
        )
    ),
    *(
        of_case(f"device: '{device}', tile: {{}}", "case 2.device", named)
        for device, named in (
            ("tiki_taka_v3(reram_sb)", "tiki_taka_v3"),
            ("tiki_taka(reram_sx)", "reram_sx"),
            ("agad(ideal, ideal, ideal)", "ideal, ideal, ideal"),
            ("mixed_precision(ideal, ecram)", "ideal, ecram"),
            ("tiki_taka(tiki_taka(ideal))", "tiki_taka(ideal)"),
            ("tiki_taka(ideal, capacitor)", "capacitor"),
            ("four_device_cell(charge_trap_pulsed)", "charge_trap_pulsed"),
            ("tiki_taka(pcm)", "one_sided_pair(...)"),
            ("pcm", "one_sided_pair(...)"),
            ("one_sided_pair(ideal)", "ideal"),
        )
    ),
    *(
        of_case(f"device: tiki_taka(ideal), {more}", *names)
        for more, *names in (
            ("tile: {}, overrides: {transfr: 1}", "overrides.transfr", "transfer_every, "),
            ("tile: {initial: pulsed}", "tile.initial", "must be programmed"),
            ("tile: {reference: {scheme: differential_pair}}", "reference.scheme", "itself a cell"),
        )
    ),
]  # fmt: skip

GOOD_CHIP = (
    "chip: c, array: {rows: 4, columns: 4}, columns: converter, bits: 5, "
    "components: {converter: {energy_j: 1.0e-9, source: s}}"
)
CHIPS = [
    of_study(f"chip: {{{GOOD_CHIP.replace(old, new)}}}", *names.split(" | "))
    for old, new, names in (
        ("bits: 5, ", "", "chip.bits: missing"),
        ("columns: converter", "columns: neuron", "chip.components.neuron: missing"),
        ("columns: converter", "columns: adc", "chip.columns | 'adc'"),
        ("bits: 5", "bits: 5, slot_s: -1.0", "chip.slot_s | -1.0"),
        ("{converter", "{adc: {source: s}, converter", "components.adc: unknown key; must be"),
        ("source: s", "source: ''", "chip.components.converter.source"),
        ("1.0e-9", "0.2", "converter.energy_j | 0.2"),
        ("source: s", "source: s, interval: [2.0, 3.0]", "converter | interval"),
        (GOOD_CHIP, "chip: c", "chip | missing"),
    )
] + [
    of_study("chip: {chip: c, like: [crossbar_65nm]}", "chip.like", "did you mean crossbar_65nm"),
    of_study("chip: 5", "chip: 5", "a mapping", "name of a shipped chip"),
    of_study("chip: nosuch.yaml", "chip: 'nosuch.yaml'", "No such file"),
    of_study("chip: crossbar_65", "chip", "'crossbar_65'", "crossbar_65nm"),
    Bad("ledger HERE --chip HERE/c.yaml", {"c.yaml": "chip: c"}, ("c.yaml: array: missing",)),
    Bad("ledger HERE --chip HERE/c.yaml", {"c.yaml": "chip: c\nlike: x"}, ("like: 'x'", "65nm")),
    Bad("ledger HERE --chip HERE/none.yaml", {}, ("none.yaml", "No such file")),
]  # fmt: skip


TABLE = rows_of(YAML=YAML, studies=STUDIES, cases=CASES, rules=RULES, devices=DEVICES, chips=CHIPS)


@pytest.mark.parametrize("bad", TABLE)
def test_a_bad_study_is_refused_in_one_line(
    bad: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    check(bad, tmp_path, command)
