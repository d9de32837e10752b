"""Tests a user-defined device law: its closed form, seeds, checkpoints, and its errors."""

import pickle
from pathlib import Path
from shutil import copy

import numpy as np
import pytest

from device_presets import Preset, get_device
from device_presets.cards.card import card
from device_presets.library.steps_at_zero import mean_steps
from device_presets.pulsing.pulse_train import pulse_train
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec.tile import TileSpec
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from support.rpu_ssnn.native_devices import all_at, native, on_all, pulse
from support.rpu_ssnn.networks import make_crossbar

SIDE, STEP, WEIGHT, RATE = 30, 0.01, 0.5, 0.1
TRAPPING = Path(__file__).parents[2] / "support" / "device_presets" / "laws" / "trapping.py"


def trapping(file: Path = TRAPPING, **changed: float) -> Preset:
    """Returns a device in which every pulse traps charge, without noise and spread."""
    plain = dict.fromkeys(
        ("w_max_spread", "w_min_spread", "cycle_to_cycle", "step_spread", "asymmetry"), 0.0
    )
    own = {"step": STEP, "w_max": 1.0, "w_min": -1.0, "trap_weight": WEIGHT, "trap_rate": RATE}
    return get_device({"law": str(file), **plain, "asymmetry_spread": 0.0, **own} | changed)


def at_zero(device: Preset) -> NativeSynapses:
    return native(device, all_at(0.0, SIDE, SIDE))


def pulsed(synapses: NativeSynapses, up: bool) -> np.ndarray:
    """Returns the states of all devices after one pulse on each."""
    pulse(synapses, on_all(1, up, SIDE, SIDE))
    return synapses.states()[0].copy()


def closed_form(pulses: int) -> float:
    """Returns the state after that many pulses up from 0: after k pulses 1 - (1 - rate)^k of the
    traps are filled, and the next step is reduced by the trap weight times this share."""
    filled = 1.0 - (1.0 - RATE) ** np.arange(pulses)
    return float(STEP * (1.0 - WEIGHT * filled).sum())


def test_pulses_follow_the_closed_form_in_the_native_simulator_and_on_the_card() -> None:
    device = trapping()
    synapses = at_zero(device)
    for n in range(1, 13):
        np.testing.assert_allclose(pulsed(synapses, up=True), closed_form(n), rtol=2e-5)
    train = pulse_train(device, 2, [True] * 12, 0.0, seed=0)
    np.testing.assert_allclose(train[-1], closed_form(12), rtol=1e-6)
    assert mean_steps(device) == pytest.approx((STEP, STEP))
    assert any(fact.value == "200 / 200 states" for fact in card(device))


def test_a_step_knows_the_pulses_before_it(tmp_path: Path) -> None:
    """The native simulator gets one pulse per call on each device, or all five at once, or four of
    them before training."""
    old, new = "(1 - trap_weight * device.a)", "1 / (1 + device.pulses)"
    (tmp_path / "tired.py").write_text(TRAPPING.read_text().replace(old, new))
    device = trapping(tmp_path / "tired.py")
    one_by_one, together = at_zero(device), at_zero(device)
    harmonic = np.cumsum(STEP / np.arange(1, 6))
    for state in harmonic:
        np.testing.assert_allclose(pulsed(one_by_one, up=True), state, rtol=2e-5)
    pulse(together, on_all(5, True, SIDE, SIDE))
    np.testing.assert_allclose(together.states()[0], harmonic[-1], rtol=2e-5)
    started = native(device, all_at(4 * STEP, SIDE, SIDE), initial="pulsed")
    np.testing.assert_allclose(started.states()[0], harmonic[3], rtol=2e-5)
    np.testing.assert_allclose(pulsed(started, up=True), harmonic[4], rtol=2e-5)
    train = pulse_train(device, 2, [True] * 5, 0.0, seed=0)
    np.testing.assert_allclose(train[1:], harmonic[:, None] * [1, 1], rtol=1e-6)


def test_the_search_for_the_symmetry_point_fills_no_traps(tmp_path: Path) -> None:
    """These steps are equal at state 0, as long as no pulse has filled a trap."""
    old = "(1 - trap_weight * device.a)"
    new = f"{old} * (1 - w if up else 1 + w)"
    (tmp_path / "bounded.py").write_text(TRAPPING.read_text().replace(old, new))
    device = trapping(tmp_path / "bounded.py")
    reference = {"scheme": "symmetry_point", "spread": 0.0}
    synapses = native(device, all_at(0.0, SIDE, SIDE), reference=reference)
    np.testing.assert_array_equal(synapses.records[0]["a"], 0.0)
    np.testing.assert_allclose(synapses.states()[0], 0.0, atol=1e-6)


def test_noise_is_seeded_and_of_the_size_that_the_preset_says() -> None:
    noisy = trapping(cycle_to_cycle=0.3)
    first, again = (pulsed(at_zero(noisy), up=True) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.std() / STEP == pytest.approx(0.3, abs=4 * 0.3 / np.sqrt(2 * SIDE**2))


def test_a_checkpoint_keeps_the_hidden_state() -> None:
    whole = at_zero(trapping())
    for _ in range(3):
        pulsed(whole, up=True)
    resumed = at_zero(trapping())
    resumed.restore(whole.state())
    np.testing.assert_array_equal(pulsed(whole, up=False), pulsed(resumed, up=False))


def test_a_preset_file_names_the_law_beside_it_and_goes_to_worker_processes(tmp_path: Path) -> None:
    copy(TRAPPING, tmp_path / "mine.py")
    lines = [
        f'    {name}: {{value: {p.value}, unit: "{p.unit}", assumption: test}}'
        for name, p in trapping().parameters.items()
        if name in trapping().law.parameters and trapping().law.parameters[name].required
    ]
    head = ["a:", "  technology: t", "  law: mine.py", "  description: d", "  citation: c"]
    step = f"    step: {{value: {STEP}, unit: weight, assumption: test}}"
    (tmp_path / "a.yaml").write_text("\n".join([*head, "  parameters:", step, *lines]))
    device = get_device(str(tmp_path / "a.yaml"))
    sent = pickle.loads(pickle.dumps(device))
    np.testing.assert_allclose(pulsed(at_zero(sent), up=True), STEP, rtol=1e-5)
    (tmp_path / "mine.py").write_text(TRAPPING.read_text() + "\n")
    with pytest.raises(InputError, match="sha256"):
        pickle.loads(pickle.dumps(device))


def test_aihwkits_tiles_refuse_it_in_one_line() -> None:
    spec = TileSpec(simulator="aihwkit", weight_range=4.0)
    with pytest.raises(InputError, match="native"):
        TileSynapses(make_crossbar(), trapping(), spec, 1e6)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("LAW = Law(", "OTHER = Law(", "LAW"),
        ('"trap_rate": LawParameter', '"step": LawParameter', "own"),
        ('hidden={"filled": 0.0}', 'hidden={"x": 0.0, "y": 0.0, "z": 0.0}', "hidden"),
        ("import Law, ", "import Lw, ", "file"),
        ("device.a +=", "device.c =", "step"),
        ("shared.numbers[1]", "shared.numbers[5]", "step"),
        ("return size if up else -size", "import scipy", "step"),
    ],
)
def test_a_file_that_is_no_law_is_named(old: str, new: str, field: str, tmp_path: Path) -> None:
    text = TRAPPING.read_text()
    assert old in text
    (tmp_path / "broken.py").write_text(text.replace(old, new))
    with pytest.raises(InputError) as error:
        trapping(tmp_path / "broken.py")
    assert error.value.field == field
    assert "broken.py" in str(error.value)
    assert "\n" not in str(error.value)
