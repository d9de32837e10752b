"""Every cell of the table under the same tests: a new row of `COMPOUNDS` joins by itself."""

import math
from dataclasses import replace

import numpy as np
import pytest

from device_presets import COMPOUNDS, PresetError, get_device
from rpu_ssnn.synapses.cell import devices_of, realised_by
from rpu_ssnn.synapses.tile import TileSynapses
from rpu_ssnn.tile_spec import ReadSpec, TileSpec
from studies.declaration.trial import Trial
from studies.declaration.update_rules.pulses import DeviceCase
from studies.results.ledger import ledger_columns
from studies.workers.run_trial import run_trial
from support.commands import refused
from support.harness import small_study
from support.networks import make_block, make_crossbar, random_trains

STEP = 2.0**-10
EQUAL_STEPS = {"levels": round(2 / STEP), "w_max": 1.0, "w_min": -1.0}
ONE_SIDED = {
    **dict.fromkeys(("A_up", "A_down", "cycle_to_cycle", "step_spread", "asymmetry_spread"), 0.0),
    **dict.fromkeys(("cycle_to_cycle_offset", "cycle_to_cycle_slope", "reset_spread"), 0.0),
    **dict.fromkeys(("w_max_spread", "reset_level"), 0.0),
    "step": STEP,
    "w_max": 1.0,
}
"""Equal steps up, of a device that has none down."""
RATE = 2.0
"""Learning rate at which a coincidence is worth a step of the weights below."""

every_compound = pytest.mark.parametrize("kind", COMPOUNDS)


def around(kind: str) -> str:
    """The cell around the plainest device that it takes."""
    return f"{kind}({'pcm' if COMPOUNDS[kind].one_sided else 'ideal'})"


def equal_steps(kind: str) -> dict[str, float]:
    """Overrides that leave that device equal steps."""
    return ONE_SIDED if COMPOUNDS[kind].one_sided else EQUAL_STEPS


def cell(
    kind: str, preset: str | None = None, overrides: object = None, **tile: object
) -> TileSynapses:
    given = equal_steps(kind) if overrides is None else overrides
    name = around(kind) if preset is None else f"{kind}({preset})"
    device = get_device(name, given)  # type: ignore[arg-type]
    return TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0, **tile), RATE)


def hidden(synapses: TileSynapses, name: str) -> np.ndarray:
    return synapses.tiles[0].get_hidden_parameters()[name].numpy().T


@every_compound
def test_starts_at_the_initial_weights_and_reads_one_matrix(kind: str) -> None:
    rng = np.random.default_rng(0)
    spikes = (rng.random((5, 20)) < 0.3).astype(np.uint8)
    net = rng.integers(-1, 2, (6, 8)).astype(np.int8)
    for reads in (None, ReadSpec()):
        synapses = cell(kind, reads=reads)
        weights = synapses.weights()
        np.testing.assert_allclose(weights, make_crossbar().initial, atol=1e-6)
        np.testing.assert_allclose(synapses.forward_current(spikes), spikes @ weights, atol=1e-5)
        np.testing.assert_allclose(synapses.transposed_current(net), net @ weights.T, atol=1e-5)


@every_compound
def test_coincidences_move_weights_the_right_way(kind: str) -> None:
    """Far more slots than it takes to transfer every line some times; nothing else moves."""
    synapses = cell(kind)
    before = synapses.weights().copy()
    pre, positive, negative = (np.zeros((4000, n), bool) for n in (20, 8, 8))
    pre[:, 2], positive[:, 3], negative[:, 5] = True, True, True
    synapses.update(make_block(pre, positive, negative))
    synapses.commit(range(1))
    moved = synapses.weights() - before
    assert moved[2, 3] > 5 * synapses.device_step
    assert moved[2, 5] < -5 * synapses.device_step
    moved[2, [3, 5]] = 0.0
    np.testing.assert_allclose(moved, 0.0, atol=1e-6)


@every_compound
def test_each_coincidence_is_one_pulse_of_the_device_it_reaches(kind: str) -> None:
    """Counted independently, on a noiseless device; a digital sum gets each as one addend."""
    device = get_device(around(kind), equal_steps(kind))
    if "chop_probability" in device.parameters:  # a changed sign hides the count
        device = get_device(f"{kind}(ideal)", EQUAL_STEPS | {"chop_probability": 1e-9})
    realised = realised_by(device.device())
    pre, positive, negative = random_trains(300, rate=0.2)
    up, down = pre.T.astype(int) @ positive, pre.T.astype(int) @ negative
    net = STEP * (up - down)
    wanted = RATE / (10 * 50) / (4.0 * 0.25) * (up - down)
    slopes = []
    # The digital memory sends trains of drawn pulses: right in the mean of many.
    for _ in range(16 if realised == "digital" else 1):
        synapses = TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0), RATE)
        synapses.set_step_scale(0.5 if realised == "transfer" else 1.0)
        before = synapses.weights().copy()
        synapses.update(make_block(pre, positive, negative))
        np.testing.assert_array_equal(synapses.pulses_up, up)
        np.testing.assert_array_equal(synapses.pulses_down, down)
        moved = (synapses.weights() - before) / (4.0 * 0.25)
        if realised == "transfer":
            np.testing.assert_allclose(hidden(synapses, "hidden_weights_0"), net, atol=1e-6)
        elif realised == "thinning":
            assert synapses.keep == 1.0
            np.testing.assert_allclose(moved, net, atol=1e-6)
        else:
            left = hidden(synapses, "hidden_weights_chi")
            slopes.append(float((wanted * (moved - left)).sum() / (wanted**2).sum()))
    if slopes:
        assert np.mean(slopes) == pytest.approx(1.0, abs=0.03)


@every_compound
def test_learning_rate_scales_what_a_coincidence_does(kind: str) -> None:
    def moved(scale: float) -> float:
        synapses = cell(kind)
        synapses.set_step_scale(scale)
        before = synapses.weights().copy()
        pre, positive, negative = random_trains(4000)
        negative[:] = False
        synapses.update(make_block(pre, positive, negative))
        synapses.commit(range(1))
        return float((synapses.weights() - before).mean())

    assert 0 <= moved(1e-6) < 0.02 * moved(0.2)
    assert moved(0.02) < moved(0.2)


@every_compound
def test_stuck_devices_never_move_and_are_not_saturated(kind: str) -> None:
    synapses = cell(kind, stuck_share=1.0)
    before = synapses.weights().copy()
    synapses.update(make_block(*random_trains(2000)))
    np.testing.assert_array_equal(synapses.weights(), before)
    assert synapses.statistics()["saturated_total"] == 0
    assert np.ptp(before) > 0.5


@every_compound
def test_saturation_counts_every_device_of_the_cell(kind: str) -> None:
    synapses = cell(kind)
    pre, post = np.ones((9000, 20), bool), np.ones((9000, 8), bool)
    synapses.update(make_block(pre, post, np.zeros_like(post)))
    statistics = synapses.statistics()
    assert statistics["devices_total"] == COMPOUNDS[kind].devices * 20 * 8
    # Transfers are slower than pulses, and chopped fast devices go to and fro.
    least = 1.0
    if COMPOUNDS[kind].one_sided:  # the other device of each pair got no pulse
        assert statistics["saturated_total"] == statistics["devices_total"] / 2
        return
    if COMPOUNDS[kind].takes_partner:
        least = 0.0 if "chop_probability" in COMPOUNDS[kind].settings else 0.5
    assert least <= statistics["saturated_total"] / statistics["devices_total"] <= 1.0


@every_compound
def test_every_device_of_the_cell_leaks(kind: str) -> None:
    leak = {"leak_time_constant_s": 2.0, "leak_time_constant_spread": 0.0}
    if COMPOUNDS[kind].one_sided:
        synapses = cell(kind, overrides=ONE_SIDED | leak)
    else:
        synapses = cell(kind, "capacitor", leak)
    synapses.rest(1.0)
    expected = make_crossbar().initial * np.exp(-0.5)
    np.testing.assert_allclose(synapses.weights(), expected, rtol=0.01)


def test_a_partner_that_does_not_leak_keeps_what_the_capacitor_forgets() -> None:
    device = get_device("tiki_taka(capacitor, ecram)", {"leak_time_constant_s": 2.0})
    synapses = TileSynapses(make_crossbar(), device, TileSpec(weight_range=4.0), RATE)
    synapses.update(make_block(*random_trains(500)))
    slow, fast = synapses.weights().copy(), hidden(synapses, "hidden_weights_0").copy()
    synapses.rest(20.0)
    np.testing.assert_array_equal(synapses.weights(), slow)
    assert np.abs(hidden(synapses, "hidden_weights_0")).max() < 0.05 * np.abs(fast).max()


def trial_of(device: str, **case: object) -> Trial:
    drive = {"weight_range": 2, "learning_rate": 8}
    study = small_study(
        cases=[
            {"update": "rate", "learning_rate": 1.0},
            {"device": device, "drive": drive, **case},
        ],
        network={"hidden": [24], "T": 30},
        training={"epochs": 8, "batch": 20},
        dataset={"name": "digits", "n_train": 400, "validation_share": 0.1},
    )
    (point,) = study.points()[1:]
    assert point.drive is not None
    return point.trial("small", point.drive, seed=0)


@every_compound
def test_trains_a_network_and_its_row_says_what_it_did(kind: str) -> None:
    compound = COMPOUNDS[kind]
    given = {"overrides": ONE_SIDED} if compound.one_sided else {}
    trial = trial_of(around(kind), **given)
    result = run_trial(trial, None, 1)
    row, ledger = result.row, ledger_columns(trial, result)
    assert result.accuracy > 25, "chance is 10"
    assert row["beside_pulses"] == compound.beside_pulses
    assert trial.settings.method.is_replayable() == (compound.beside_pulses is None)
    if compound.unknown_pulses is not None:
        assert ledger["energy_j"] is None
        assert ledger["energy_blank_because"] == compound.unknown_pulses
        assert ledger["endurance_used"] is None
    if compound.takes_partner:
        assert row["transfer_reads_total"] > 100
        assert row["transfer_pulses_at_most_total"] >= 8 * row["transfer_reads_total"]
        assert row["pulsed_devices_total"] == row["devices_total"] / 2
    if kind == "one_sided_pair":
        assert row["refresh_checks_total"] > 10
        assert row["pulses_down_total"] == 0
    if kind.startswith("mixed_precision"):
        assert row["pulses_up_total"] is None
        assert row["pulses_per_device_mean"] is None
        assert ledger["pulses_up_per_device"] is None
        assert row["coincidences_total"] > 1000
    else:
        assert ledger["pulses_per_device_max"] >= ledger["pulses_up_per_device"] > 1


def together(synapses: TileSynapses, slots: int) -> None:
    """Both devices of every pair get a pulse a slot: lines of both streams spike at once."""
    pre, post = np.ones((slots, 20), bool), np.ones((slots, 8), bool)
    synapses.update(make_block(pre, post, post))


def one_sided(**settings: float) -> TileSynapses:
    """Pairs of noiseless devices with a step of 1/64, both of whose devices start at 0."""
    device = get_device("one_sided_pair(pcm)", ONE_SIDED | {"step": 2.0**-6} | settings)
    crossbar = replace(make_crossbar(), initial=np.zeros((20, 8), dtype=np.float32))
    return TileSynapses(crossbar, device, TileSpec(weight_range=4.0), 1e6)


@pytest.mark.parametrize(("slots", "checks", "refreshed"), [(29, 0, 0), (30, 1, 0), (60, 2, 1)])
def test_refresh_is_checked_and_counted_as_its_thresholds_say(
    slots: int, checks: int, refreshed: int
) -> None:
    """Each slot is two rows, one a stream, so that 60 slots are 60 of 64 steps up to w_max."""
    synapses = one_sided(refresh_every=60)
    together(synapses, slots)
    statistics = synapses.statistics()
    assert statistics["refresh_checks_total"] == checks
    assert statistics["refreshed_weights_total"] == refreshed * 20 * 8
    assert hidden(synapses, "hidden_weights_0").max() < (0.1 if refreshed else 1.0)


@pytest.mark.parametrize(("upper", "lower"), [(0.95, 0.25), (0.75, 0.95)])
def test_a_pair_below_either_threshold_is_left_alone(upper: float, lower: float) -> None:
    thresholds = {"refresh_upper_threshold": upper, "refresh_lower_threshold": lower}
    synapses = one_sided(refresh_every=60, **thresholds)
    together(synapses, 60)
    assert synapses.statistics()["refreshed_weights_total"] == 0
    np.testing.assert_allclose(hidden(synapses, "hidden_weights_0"), 60 / 64, atol=1e-6)


@pytest.mark.parametrize(("pulses", "steps"), [(0, 20), (31, 20), (4, 4)])
def test_a_refresh_writes_the_difference_with_so_many_pulses_at_most(
    pulses: int, steps: int
) -> None:
    """60 steps up and 40 down leave a difference of 20 steps, after a reset that scatters."""
    synapses = one_sided(refresh_every=100, rewrite_pulses=pulses)
    pre, post = np.ones((60, 20), bool), np.ones((60, 8), bool)
    down = np.arange(60)[:, None] < 40
    synapses.update(make_block(pre, post, down & post))
    statistics = synapses.statistics()
    assert statistics["refreshed_weights_total"] == 20 * 8
    # aihwkit's own scatter of a reset is 0.01, cut off below state 0.
    difference = hidden(synapses, "hidden_weights_1") - hidden(synapses, "hidden_weights_0")
    np.testing.assert_allclose(difference.mean(), steps / 64, atol=0.005)


@pytest.mark.parametrize(("transfers", "refreshed"), [(1, True), (1000, False)])
def test_a_pair_behind_a_digital_sum_is_refreshed_after_so_many_transfers(
    transfers: int, refreshed: bool
) -> None:
    """60 steps of 64 up, then 40 down, ten at once: a refresh sets 20 of those 40 back to zero."""
    settings = {"transfer_every": 10, "refresh_every": transfers, "rewrite_pulses": 0}
    device = get_device("mixed_precision_pair(pcm)", ONE_SIDED | {"step": 2.0**-6} | settings)
    crossbar = replace(make_crossbar(), initial=np.zeros((20, 8), dtype=np.float32))
    a_step_each = 2.0**-6 * crossbar.batch * crossbar.T
    synapses = TileSynapses(crossbar, device, TileSpec(weight_range=4.0), a_step_each)
    pre, post = np.ones((60, 20), bool), np.ones((60, 8), bool)
    synapses.update(make_block(pre, post, ~post))
    synapses.update(make_block(pre[:40], ~post[:40], post[:40]))
    down, up, waiting = (hidden(synapses, f"hidden_weights_{n}").mean() for n in (0, 1, "chi"))
    # aihwkit's own scatter of a reset is 0.01, cut off below state 0.
    assert up - down - waiting == pytest.approx(20 / 64, abs=0.01)
    assert (down < 22 / 64) == refreshed
    assert (up < 50 / 64) == refreshed


def test_a_restored_tile_refreshes_where_the_other_does() -> None:
    one, other = one_sided(refresh_every=60), one_sided(refresh_every=60)
    together(one, 40)
    other.restore(one.state())
    for synapses in (one, other):
        together(synapses, 19)
        assert synapses.statistics()["refresh_checks_total"] == 1
        together(synapses, 1)
        assert synapses.statistics()["refresh_checks_total"] == 2
        assert synapses.statistics()["refreshed_weights_total"] == 20 * 8


def test_a_leak_between_two_checks_leaves_their_slots_alone() -> None:
    """aihwkit's own count of rows stays in step, or no pair would differ after the empty row."""
    synapses = one_sided(refresh_every=60, leak_time_constant_s=1e6)
    together(synapses, 45)
    synapses.rest(1.0)
    together(synapses, 15)
    assert synapses.statistics()["refreshed_weights_total"] == 20 * 8


def test_transfer_reads_are_counted_as_aihwkit_makes_them() -> None:
    """With a gain so high that each read line moves by its one pulse, pulses count the reads."""
    synapses = cell("tiki_taka_v2", overrides={**EQUAL_STEPS, "transfer_gain": 1e6})
    before = synapses.weights().copy()
    pre, post = np.ones((1003, 20), bool), np.ones((1003, 8), bool)
    synapses.update(make_block(pre, post, np.zeros_like(post)))
    statistics = synapses.statistics()
    pulses = (synapses.weights() - before).sum() / synapses.device_step
    assert statistics["transfer_reads_total"] == 200
    assert pulses == pytest.approx(200 * 8, rel=1e-3)
    assert statistics["transfer_pulses_at_most_total"] == 200 * 8


def test_a_pulsed_start_counts_the_pulses_of_all_four() -> None:
    one = TileSynapses(
        make_crossbar(),
        get_device("ideal", EQUAL_STEPS),
        TileSpec(weight_range=4.0, initial="pulsed"),
        1,
    )
    four = cell("four_device_cell", initial="pulsed")
    pulses = [s.statistics()["initial_pulses_total"] for s in (one, four)]
    assert pulses[1] == 4 * pulses[0] > 0
    np.testing.assert_allclose(four.weights(), make_crossbar().initial, atol=STEP)


def test_four_devices_average_the_noise_of_one() -> None:
    noise = {**EQUAL_STEPS, "cycle_to_cycle": 2.0}
    crossbar = make_crossbar(100, 50)
    spread = []
    for name in ("ideal", "four_device_cell(ideal)"):
        device = get_device(name, noise)
        synapses = TileSynapses(crossbar, device, TileSpec(weight_range=4.0), 1e6)
        before = synapses.weights().copy()
        one = np.ones((1, 100), bool), np.ones((1, 50), bool), np.zeros((1, 50), bool)
        synapses.update(make_block(*one))
        spread.append((synapses.weights() - before).std())
    assert spread[0] / spread[1] == pytest.approx(2.0, rel=0.1)


def test_a_pair_is_the_tile_s_own_differential_pair() -> None:
    trains = random_trains(200)
    weights = []
    for device, tile in (
        ("two_device_pair(ideal)", {}),
        ("ideal", {"reference": {"scheme": "differential_pair"}}),
    ):
        spec = TileSpec(weight_range=4.0, **tile)
        synapses = TileSynapses(make_crossbar(), get_device(device, EQUAL_STEPS), spec, 1e6)
        synapses.update(make_block(*trains))
        weights.append(synapses.weights())
    np.testing.assert_array_equal(*weights)


def test_a_pair_of_devices_that_lose_charge_loses_it() -> None:
    kept = []
    for device, tile in (
        ("two_device_pair(charge_trap_pulsed)", {}),
        ("charge_trap_pulsed", {"reference": {"scheme": "differential_pair"}}),
    ):
        spec = TileSpec(weight_range=4.0, **tile)
        synapses = TileSynapses(make_crossbar(), get_device(device, EQUAL_STEPS), spec, 1e6)
        synapses.rest(1e6)
        kept.append(synapses.weights())
    np.testing.assert_array_equal(*kept)
    assert np.abs(kept[0]).sum() < 0.95 * np.abs(make_crossbar().initial).sum()


def test_a_leaking_cell_without_exact_writes_is_refused() -> None:
    with pytest.raises(PresetError, match="must be 0 in a cell of leaking"):
        get_device("tiki_taka(capacitor)", {"write_noise": 2.0})


def test_settings_of_the_cell_and_of_the_preset_are_overridden_by_name() -> None:
    plain = trial_of("tiki_taka(ideal)")
    assert plain.settings.method.parameters["transfer_every"] == 5.0
    assert plain.identity == trial_of("tiki_taka(ideal)").identity
    others = {
        trial_of("tiki_taka(ideal)", overrides=o).identity
        for o in ({"transfer_every": 7}, {"transfer_gain": 0.5}, {"cycle_to_cycle": 0.5})
    }
    assert len(others | {plain.identity, trial_of("tiki_taka(ideal, ecram)").identity}) == 5
    assert DeviceCase(device="agad(ideal)").name == "agad(ideal)"


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (
            "tiki_taka_v3(reram_sb)",
            ["tiki_taka_v3", "did you mean tiki_taka_v2?", "mixed_precision"],
        ),
        ("tiki_taka(reram_sx)", ["reram_sx", "did you mean reram_sb or reram_es?"]),
        ("tiki_taka(reram_sb, ecrm)", ["ecrm", "did you mean ecram?"]),
        ("tiki_taka()", ["must be tiki_taka(PRESET) or tiki_taka(FAST, SLOW)"]),
        ("agad(ideal, ideal, ideal)", ["must be agad(PRESET) or agad(FAST, SLOW)"]),
        ("mixed_precision(ideal, ecram)", ["must be mixed_precision(PRESET)"]),
        ("tiki_taka(tiki_taka(ideal))", ["tiki_taka(ideal)"]),
        ("tiki_taka(ideal, capacitor)", ["capacitor", "must not leak"]),
        ("four_device_cell(charge_trap_pulsed)", ["charge_trap_pulsed", "must not remember"]),
        ("agad(ideal, charge_trap_pulsed)", ["charge_trap_pulsed", "must not remember"]),
        (
            "tiki_taka(pcm)",
            ["moves one way only", "one_sided_pair(...)", "mixed_precision_pair(...)"],
        ),
        ("pcm", ["moves one way only", "one_sided_pair(...)", "mixed_precision_pair(...)"]),
        ("one_sided_pair(ideal)", ["ideal", "must move one way only"]),
        ("one_sided_pair(pcm, pcm)", ["must be one_sided_pair(PRESET)"]),
        ("tiki_taka(ideal", ["tiki_taka(ideal"]),
        ("tiki_taka_v2", ["must go around a preset", "tiki_taka_v2("]),
        ("reram", ["did you mean ecram or reram_sb or reram_es?", "`rpu-ssnn presets`"]),
        ("xyz", ["`rpu-ssnn presets`", "CELL(PRESET)", "mixed_precision"]),
    ],
)
def test_wrong_names_get_one_line_with_what_is_valid(device: str, words: list[str]) -> None:
    with refused("case 2.device", *words):
        trial_of(device)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ({"overrides": {"transfer_every": 0}}, ["overrides.transfer_every", "at least 1"]),
        ({"overrides": {"transfr": 1}}, ["overrides.transfr", "transfer_every, transfer_gain"]),
        ({"tile": {"initial": "pulsed"}}, ["tile.initial", "must be programmed"]),
        (
            {"tile": {"reference": {"scheme": "differential_pair"}}},
            ["tile.reference.scheme", "cell of its own"],
        ),
    ],
)
def test_what_does_not_go_with_a_transfer_cell_is_refused(
    case: dict[str, object], words: list[str]
) -> None:
    with refused(*words):
        trial_of("tiki_taka(ideal)", **case)


def test_a_compound_goes_to_a_worker_process_and_back() -> None:
    import pickle

    device = get_device("tiki_taka(capacitor, ecram)", {"transfer_gain": 0.5})
    again = pickle.loads(pickle.dumps(device))
    assert again.parameters == device.parameters
    with pytest.raises(PresetError, match="transfer_gain"):
        get_device("tiki_taka(ideal)", {"transfer_gain": math.inf})
    assert replace(device, kind="agad").compound is COMPOUNDS["agad"]
    assert devices_of({"max_bound_0": None, "max_bound_1": None}) == ["_0", "_1"]  # type: ignore[dict-item]
