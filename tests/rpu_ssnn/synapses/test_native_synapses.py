"""Native devices equal those of aihwkit's tile pulse by pulse, and do not depend on threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device_presets import Preset, get_device, get_preset, preset_names
from rpu_ssnn.data import load_dataset
from rpu_ssnn.devices.device_source import DeviceSource
from rpu_ssnn.spec import NetworkSpec, TrainingSpec
from rpu_ssnn.spec.tile import ReadSpec, ReferenceSpec, TileSpec
from rpu_ssnn.synapses.base import PulseBlock, thinned
from rpu_ssnn.synapses.device_synapses import device_synapses
from rpu_ssnn.synapses.native.synapses import NativeSynapses
from rpu_ssnn.synapses.tiles.synapses import TileSynapses
from rpu_ssnn.training import train
from support.commands import refused
from support.device_presets.charge_traps import NO_MEMORY
from support.device_presets.imperfect import without
from support.device_presets.own_presets import write_own_presets
from support.rpu_ssnn.native_devices import native, on_all, pulse
from support.rpu_ssnn.networks import make_block, make_crossbar, random_trains

SAMPLES = np.repeat(np.arange(10), 50)
SCHEMES = ("ideal_reference", "reference_device", "differential_pair")
SOFT = "SoftBoundsDevice(dw_min=0.01, up_down=0.1, w_min=-0.5)"
TWO_WAYS = [name for name in preset_names() if get_preset(name).bidirectional]
FIRST_OF_LAWS = {get_preset(name).law.name: name for name in reversed(TWO_WAYS)}.values()
OF_EACH_LAW = [*FIRST_OF_LAWS, "power", "piecewise", SOFT]


@pytest.fixture(scope="module")
def own_presets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_own_presets(tmp_path_factory.mktemp("presets"))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def device(name: str, own: Path, *, quiet: bool) -> Preset:
    where = f"{own}:{name}" if name in ("power", "piecewise") else name
    if not quiet:
        return get_preset(where)
    noisy = get_device(where, NO_MEMORY if name.endswith("pulsed") else None)
    return without(noisy, noise=True)  # type: ignore[arg-type]


def half_thinned(preset: Preset, spec: TileSpec) -> float:
    """Returns the learning rate at which half of the coincidences make a pulse, on
    `make_crossbar`."""
    return 0.5 * float(preset.device(1e9).dw_min) * spec.weight_range * 0.25 * 10 * 50


def trained[T: TileSynapses | NativeSynapses](
    synapses: T, batches: int = 4, n_in: int = 20, n_out: int = 8
) -> T:
    for seed in range(batches):
        synapses.update(make_block(*random_trains(500, n_in, n_out, seed=seed), SAMPLES))
        synapses.commit(range(10))
        synapses.end_batch()
    return synapses


def both(
    device: DeviceSource, spec: TileSpec, rate: float = 1e6, batches: int = 4
) -> tuple[TileSynapses, NativeSynapses]:
    """Returns the same small crossbar in tiles of aihwkit and in native devices, trained alike."""
    kinds = TileSynapses, NativeSynapses
    tile, native = (kind(make_crossbar(), device, spec, rate) for kind in kinds)
    return trained(tile, batches), trained(native, batches)


def assert_alike(tile: TileSynapses, native: NativeSynapses, within: float) -> None:
    """Checks that pulses have moved both to the same weights, and that their rows agree."""
    assert np.abs(tile.weights() - make_crossbar().initial).max() > 2 * tile.device_step
    np.testing.assert_allclose(native.weights(), tile.weights(), rtol=0, atol=within)
    theirs, ours = tile.statistics(), native.statistics()
    # aihwkit's tile counts weights beyond the nominal range of a cell, not beyond devices' bounds.
    for key in theirs.keys() - {"initial_clipped_total"}:
        assert ours[key] == pytest.approx(theirs[key]), key


# --- the devices of aihwkit ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        *((name, scheme) for name in OF_EACH_LAW for scheme in SCHEMES),
        *((name, SCHEMES[k % 3]) for k, name in enumerate(TWO_WAYS) if name not in OF_EACH_LAW),
    ],
)
def test_without_noise_every_device_is_aihwkit_s(name: str, scheme: str, own_presets: Path) -> None:
    """Spread, steps, bounds, thinning, leak, references and pairs agree to 1e-6 of the range."""
    preset = device(name, own_presets, quiet=True)
    spec = TileSpec(weight_range=4.0, reference=ReferenceSpec(scheme=scheme))  # type: ignore[arg-type]
    rate = half_thinned(preset, spec)
    tile, native = both(preset, spec, rate)
    assert tile.keep == pytest.approx(0.5)
    np.testing.assert_array_equal(native.pulses, sum(tile.pulse_counts().values()))
    assert_alike(tile, native, 1e-6)
    extra = {"slot_s", "step_factor", "charge_kept"}
    assert native.statistics().keys() - extra == tile.statistics().keys()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["charge_trap", "capacitor", "reram_es", "gokmen_vlasov"])
def test_four_devices_in_parallel_are_aihwkit_s(name: str, scheme: str) -> None:
    off = {"cycle_to_cycle": 0.0} | ({"write_noise": 0.0} if name == "reram_es" else {})
    spec = TileSpec(weight_range=4.0, reference=ReferenceSpec(scheme=scheme))  # type: ignore[arg-type]
    rate = half_thinned(get_preset(name, off), spec)
    tile, native = both(get_device(f"four_device_cell({name})", off), spec, rate)
    assert len(native.records) == 4 * len(tile.tiles)
    assert_alike(tile, native, 2e-6)


def test_four_devices_average_noise_of_steps_and_of_reads() -> None:
    """The variance is a quarter, as reads see the mean."""
    noise = {"cycle_to_cycle": 2.0, "step_spread": 0.0, "asymmetry_spread": 0.0}
    steps, reads = [], []
    for name in ("ideal", "four_device_cell(ideal)"):
        white = {"white_of_range": 0.01}
        synapses = native(get_device(name, noise), make_crossbar(100, 50), device_read_noise=white)
        steps.append(pulse(synapses, on_all(1, True, 100, 50)).std())
        spikes = np.ones((200, 100), np.float32)
        read = synapses.currents(spikes)
        exact = spikes.astype(np.float32) @ synapses.weights()
        np.testing.assert_allclose(read.mean(axis=0), exact[0], atol=5 * (read - exact).std() / 14)
        reads.append((read - exact).std())
    assert steps[0] / steps[1] == pytest.approx(2.0, rel=0.1)
    assert reads[0] / reads[1] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("kind", ["four_device_cell", "two_device_pair"])
def test_line_resistance_is_for_weights_on_two_lines(kind: str) -> None:
    """Four devices have one line, and a pair with a reference device has three."""
    lines = {"ohm_per_cell": 1.0, "on_resistance": 1e5, "voltage_constant": 0.5}
    cell, reference = get_device(f"{kind}(ideal)"), {"scheme": "reference_device"}
    with refused("lines", "two lines, a device and its reference or a pair"):
        native(cell, reference=reference, lines=lines)


@pytest.mark.parametrize("b", [1.0, -1.0])
def test_exponents_beyond_single_precision_are_as_good_as_infinite(b: float) -> None:
    """Its largest number is about exp(88.8). Exponents reach 80, and more if bounds are uneven."""
    curve = {"A_up": 0.01, "A_down": 0.01, "gamma_up": 40.0, "gamma_down": 40.0, "a": 1.0, "b": b}
    preset = get_preset("reram_es", {"cycle_to_cycle": 0.0, "write_noise": 0.0} | curve)
    spec = TileSpec(weight_range=4.0)
    tile, native = both(preset, spec)
    np.testing.assert_allclose(native.weights(), tile.weights(), rtol=0, atol=1e-6)


def test_no_pulse_is_lost_where_steps_are_far_above_dw_min() -> None:
    """A step is 7,400 times dw_min; from `dw_min` alone aihwkit would send two pulses in five."""
    curve = {"A_up": -1e4, "A_down": -1e4, "gamma_up": 0.5, "gamma_down": 0.5, "a": 1.0, "b": 0.0}
    noise = {"cycle_to_cycle": 0.0, "write_noise": 0.0}
    preset = get_preset("reram_es", noise | curve | {"levels": 2e6})
    spec = TileSpec(weight_range=4.0)
    tile, native = both(preset, spec, batches=1)
    np.testing.assert_allclose(native.weights(), tile.weights(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [TileSynapses, NativeSynapses])
@pytest.mark.parametrize("stuck_at", ["low", "high", "anywhere"])
def test_neither_pulse_nor_write_moves_a_stuck_device_that_has_a_reference(
    stuck_at: str, kind: type[TileSynapses | NativeSynapses]
) -> None:
    preset = get_preset("hfo2", {"cycle_to_cycle": 0.0, "write_noise": 0.0})
    spec = TileSpec(weight_range=4.0, stuck_share=1.0, stuck_at=stuck_at)  # type: ignore[arg-type]
    synapses = kind(make_crossbar(), preset, spec, 1e6)
    before = synapses.weights().copy()
    assert np.ptp(before) > 0.1
    np.testing.assert_array_equal(trained(synapses).weights(), before)


@pytest.mark.parametrize("how", [{"stuck_share": 0.3, "stuck_at": "low"}, {"stuck_share": 0.2}])
def test_the_same_devices_are_stuck(how: dict[str, object]) -> None:
    preset = get_preset("capacitor", {"cycle_to_cycle": 0.0})
    spec = TileSpec(weight_range=4.0, **how)
    tile, native = both(preset, spec)
    np.testing.assert_allclose(native.weights(), tile.weights(), rtol=0, atol=1e-6)


def test_a_pulsed_start_is_aihwkit_s() -> None:
    preset = get_preset("capacitor", {"cycle_to_cycle": 0.0})
    spec = TileSpec(weight_range=4.0, initial="pulsed")
    kinds = TileSynapses, NativeSynapses
    tile, native = (kind(make_crossbar(), preset, spec, 1e6) for kind in kinds)
    np.testing.assert_allclose(native.weights(), tile.weights(), rtol=0, atol=1e-6)
    for key in ("initial_pulses_total", "initial_clipped_total"):
        assert native.statistics()[key] == tile.statistics()[key]
    assert native.pulses.sum() == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_converters_read_as_aihwkit_s(scheme: str) -> None:
    reads = ReadSpec(adc_bits=5, adc_bound=3.0, adc_bound_transposed=1.5)
    spec = TileSpec(weight_range=4.0, reads=reads, reference=ReferenceSpec(scheme=scheme))  # type: ignore[arg-type]
    preset = get_preset("capacitor", {"cycle_to_cycle": 0.0})
    tile, native = both(preset, spec)
    rng = np.random.default_rng(0)
    spikes = rng.integers(0, 2, (500, 20)).astype(np.float32)
    net = rng.integers(-1, 2, (500, 8)).astype(np.float32)
    for ours, theirs in (
        (native.currents(spikes), tile.currents(spikes)),
        (native.currents(net, transposed=True), tile.currents(net, transposed=True)),
    ):
        # A sum in another order may now and then be rounded to the neighbouring step.
        assert (np.abs(ours - theirs) > 1e-5).mean() < 1e-3


def test_a_leak_of_training_and_of_storage_is_aihwkit_s() -> None:
    preset = get_preset("capacitor", {"cycle_to_cycle": 0.0, "leak_time_constant_s": 1e-2})
    tile, native = both(preset, TileSpec(weight_range=4.0))
    assert native.statistics()["leak_steps"] == tile.statistics()["leak_steps"] > 0
    for synapses in (tile, native):
        synapses.rest(3e-3)
    np.testing.assert_allclose(native.weights(), tile.weights(), rtol=0, atol=1e-6)


# --- seeded -------------------------------------------------------------------------------------


def pieces(block: PulseBlock, rows: list[int]) -> list[PulseBlock]:
    """Returns the block cut into several at those rows."""
    parts = []
    for first, last in zip([0, *rows], [*rows, block.rows], strict=True):
        pre, post = block.pre_start, block.post_start
        parts.append(
            PulseBlock(
                sample=block.sample[first:last],
                slot=block.slot[first:last],
                pre_start=pre[first : last + 1] - pre[first],
                pre=block.pre[pre[first] : pre[last]],
                post_start=post[first : last + 1] - post[first],
                post=block.post[post[first] : post[last]],
                sign=block.sign[post[first] : post[last]],
            )
        )
    return parts


@pytest.mark.parametrize("name", [*TWO_WAYS, "power", "piecewise"])
def test_noise_follows_the_seed_whatever_threads_and_blocks(
    name: str, own_presets: Path, pool: ThreadPoolExecutor
) -> None:
    preset = device(name, own_presets, quiet=False)
    crossbar = make_crossbar(200, 150)
    spec = TileSpec(weight_range=4.0, simulator="native")
    rate = half_thinned(preset, spec)
    one = trained(NativeSynapses(crossbar, preset, spec, rate), 2, 200, 150)
    shared = replace(crossbar, threads=3, pool=pool)
    several = NativeSynapses(shared, preset, spec, rate)
    for seed in range(2):
        block = make_block(*random_trains(500, 200, 150, seed=seed), SAMPLES)
        for part in reversed(pieces(block, [50, 170, 180, 430])):
            several.update(part)
        several.commit(range(10))
        several.end_batch()
    np.testing.assert_array_equal(several.weights(), one.weights())
    assert several.statistics() == one.statistics()
    other = trained(NativeSynapses(replace(crossbar, seed=8), preset, spec, rate), 2, 200, 150)
    assert (other.weights() != one.weights()).mean() > 0.5


def test_thinning_keeps_hardly_a_spike_of_a_tiny_share() -> None:
    """Draws of 24 bits would be 0, and so kept, once in 17 million, which is 12 of these."""
    rng, spikes = np.random.default_rng(0), np.zeros(10_000_000, np.int32)
    assert sum(int(thinned(spikes, 1e-9, rng).sum()) for _ in range(20)) <= 3


def test_read_noise_is_seeded_and_of_its_size() -> None:
    spec = TileSpec(weight_range=4.0, reads=ReadSpec(read_noise=0.5))
    spikes = np.ones((2000, 20), np.float32)
    one, two = (
        NativeSynapses(make_crossbar(), get_preset("ideal"), spec, 1.0).currents(spikes)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)
    assert one.std(axis=0).mean() == pytest.approx(0.5 * 4 * 0.25, rel=0.02)


@pytest.mark.parametrize("schedule", ["slot", "presentation", "batch"])
def test_a_network_s_rows_do_not_depend_on_the_threads(schedule: str) -> None:
    data = load_dataset("digits", n_train=400, n_test=None, validation_share=0.25, seed=0)
    training = TrainingSpec(epochs=2, batch=20, schedule=schedule)  # type: ignore[arg-type]
    tile, made = TileSpec(weight_range=4.0, simulator="native"), []
    for threads in (1, 2, 3):
        factory = device_synapses(get_preset("charge_trap_pulsed"), tile, 8.0)
        spec = NetworkSpec(hidden=(24,), T=30)
        with train(spec, training, factory, data, seed=0, threads=threads) as run:
            assert run.epochs[-1].validation_accuracy > 0.5
            made.append([s.linear_read().copy() for s in run.network.synapses])
    for others in made[1:]:
        for one, other in zip(made[0], others, strict=True):
            np.testing.assert_array_equal(one, other)
