"""Tests that trained networks are written and read back correctly."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device_presets import get_device
from rpu_ssnn import (
    Dataset,
    InhibitionSpec,
    InputError,
    NetworkSpec,
    NeuronSpec,
    TileSpec,
    Trained,
    TrainingSpec,
    coincidence_synapses,
    device_synapses,
    load_dataset,
    train,
)
from rpu_ssnn.export import read_network, read_nir, write_network, write_nir
from rpu_ssnn.spec import EncodingSpec
from rpu_ssnn.spec.tile import ReadSpec, ReferenceSpec
from rpu_ssnn.synapses.float_weights import CoincidenceSynapses, rate_synapses
from support.commands import full_disk, refused

h5py = pytest.importorskip("h5py")
pytest.importorskip("nir")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_dataset("digits", n_train=800, n_test=150, validation_share=0.0, seed=0)


@pytest.fixture(scope="module")
def small() -> Dataset:
    return load_dataset("digits", n_train=60, n_test=150, validation_share=0.0, seed=0)


def trained_in(factory: Any, data: Dataset, clocked: bool = True) -> Trained:
    spec = NetworkSpec(hidden=(12,), T=20, inhibition=InhibitionSpec(clocked=clocked))
    return train(spec, TrainingSpec(epochs=3, batch=20), factory, data, seed=4)


@pytest.mark.parametrize("scheme", ["ideal_reference", "differential_pair", "reference_device"])
def test_a_map_holds_devices_and_answers_alike(tmp_path: Path, data: Dataset, scheme: Any) -> None:
    tile = TileSpec(weight_range=4.0, reference=ReferenceSpec(scheme=scheme, on_off_ratio=10.0))
    with trained_in(device_synapses(get_device("charge_trap"), tile, 8.0), data) as trained:
        path = write_network(tmp_path / "net.h5", trained)
        accuracy = trained.accuracy(data.test_images, data.test_labels)
        first: Any = trained.network.synapses[0]
        with h5py.File(path) as file:
            group = file["crossbar_1"]
            assert np.array_equal(group["weights"][()], first.weights())
            assert np.array_equal(group["pulses_up"][()], first.pulse_counts()["pulses_up"])
            assert group["pulses_down"][()].sum() > 0
            tiles = [name for name in group if name.startswith("tile_")]
            assert len(tiles) == (2 if scheme == "differential_pair" else 1)
            devices = group["tile_1"]
            state = devices["state"][()]
            assert state.shape == (64, 12)
            assert np.allclose(devices["conductance"][()], 0.1 + 0.9 * (state + 1) / 2)
            if scheme == "reference_device":
                of_weight = devices["conductance"][()] - devices["reference_conductance"][()]
                scale = 2 * tile.weight_range * 5 * np.sqrt(2 / 64)  # theta is 5
                np.testing.assert_allclose(scale * of_weight, group["weights"][()], atol=1e-5)
            assert np.unique(devices["upper_bound"][()]).size > 100
            assert (devices["step_up"][()] > 0).all()
            assert devices["state"].dims[0][0].name.endswith("input")
            assert devices["conductance"].attrs["units"] == "G_max"
            assert devices["decay_scales"].attrs["units"] == "1"
    assert accuracy > 0.3
    with read_network(path) as again:
        assert again.accuracy(data.test_images, data.test_labels) == accuracy


def test_a_map_has_the_conductances_of_a_cells_devices(tmp_path: Path, data: Dataset) -> None:
    factory = device_synapses(get_device("one_sided_pair(pcm)"), TileSpec(weight_range=4.0), 8.0)
    with trained_in(factory, data) as trained:
        path = write_network(tmp_path / "net.h5", trained)
    with h5py.File(path) as file:
        devices = file["crossbar_1/tile_1"]
        assert "conductance" not in devices
        for part in ("_0", "_1"):
            expected = (devices[f"hidden_weights{part}"][()] + 1) / 2
            np.testing.assert_allclose(devices[f"conductance{part}"][()], expected)


@pytest.mark.parametrize("contrast", ["on_off", "complement", "signed"])
def test_two_lines_a_pixel_come_back(tmp_path: Path, data: Dataset, contrast: Any) -> None:
    spec = NetworkSpec(hidden=(12,), T=20, encoding=EncodingSpec(contrast=contrast))
    data = replace(data, zero=np.float32([0.25]))  # one scale for all columns
    with train(spec, TrainingSpec(epochs=1, batch=20), rate_synapses(4.0), data, seed=4) as trained:
        path = write_network(tmp_path / "net.h5", trained)
        accuracy = trained.accuracy(data.test_images, data.test_labels)
    with read_network(path) as again:
        assert again.accuracy(data.test_images, data.test_labels) == accuracy


@pytest.mark.parametrize("device", ["charge_trap", "charge_trap_pulsed"])  # Only the latter fades.
def test_a_map_has_every_native_device(tmp_path: Path, small: Dataset, device: str) -> None:
    tile = TileSpec(weight_range=4.0, simulator="native")
    with trained_in(device_synapses(get_device(device), tile, 8.0), small) as trained:
        path = write_network(str(tmp_path / "net.h5"), trained)
        accuracy = trained.accuracy(small.test_images, small.test_labels)
        synapses: Any = trained.network.synapses[0]
        with h5py.File(path) as file:
            group = file["crossbar_1"]
            assert np.array_equal(group["weights"][()], synapses.weights())
            devices = group["tile_1"]
            assert np.array_equal(devices["pulses"][()], synapses.pulses)
            assert devices["pulses"][()].sum() > 0
            assert (devices["step_up"][()] > 0).all()
            scale = group["weights"][()] / devices["state"][()]
            assert np.allclose(scale, scale[0, 0], rtol=1e-4)
    with read_network(path) as again:
        assert again.accuracy(small.test_images, small.test_labels) == accuracy


def test_both_devices_of_a_native_pair_have_their_pulses(tmp_path: Path, small: Dataset) -> None:
    pair, tile = get_device("two_device_pair(capacitor)"), TileSpec(simulator="native")
    with trained_in(device_synapses(pair, tile, 8.0), small) as trained:
        path = write_network(tmp_path / "net.h5", trained)
        each = trained.network.synapses[0].statistics()["pulses_up_total"]
    with h5py.File(path) as file:
        tiles = [file["crossbar_1"][f"tile_{n}"] for n in (1, 2)]
        assert [tile["pulses"][()].sum() for tile in tiles] == [each, each]


def test_a_native_map_has_the_references_of_aihwkits(small: Dataset) -> None:
    references = []
    for tile in (TileSpec(), TileSpec(simulator="native")):
        factory = device_synapses(get_device("hfo2"), tile, 8.0)
        with trained_in(factory, small) as trained:
            (devices,) = trained.network.synapses[0].device_maps()
        references.append(devices["reference"])
    assert np.ptp(references[0]) > 0.1
    assert np.allclose(*references)


def test_a_map_has_the_devices_of_any_kind_of_synapses(tmp_path: Path, small: Dataset) -> None:
    class Halved(CoincidenceSynapses):
        def device_maps(self) -> list[dict[str, np.ndarray]]:
            return [{"state": self.weights() / 2}]

    with trained_in(lambda crossbar: Halved(crossbar, 4.0), small) as trained:
        path = write_network(tmp_path / "net.h5", trained)
    with h5py.File(path) as file:
        group = file["crossbar_1"]
        assert np.array_equal(2 * group["tile_1"]["state"][()], group["weights"][()])


CONVOLUTIONS = (
    {"conv": {"kernel": 3, "stride": 2, "padding": 1, "channels": 6}},
    {"conv": {"kernel": 2, "channels": 4}},
    16,
)


@pytest.mark.parametrize("layers", [(12,), CONVOLUTIONS])
def test_nir_has_two_nodes_a_layer_and_answers(tmp_path: Path, data: Dataset, layers: Any) -> None:
    import nir

    spec = NetworkSpec(layers=layers, T=20)
    with train(spec, TrainingSpec(epochs=1), coincidence_synapses(4.0), data, seed=4) as trained:
        path = write_nir(str(tmp_path / "net.nir"), trained)
        accuracy = trained.accuracy(data.test_images, data.test_labels)
        weights = trained.network.synapses[-1].linear_read()
    graph = nir.read(path)
    assert "keep what exceeds theta" in str(graph.metadata["left_out"])
    assert "inhibition" not in str(graph.metadata["left_out"])
    kinds = [type(node).__name__ for node in graph.nodes.values()]
    assert kinds.count("CubaLIF") == len(layers) + 1
    last = graph.nodes[f"weights_{len(layers) + 1}"].weight
    assert np.array_equal(last.reshape(weights.T.shape), weights.T)
    with read_nir(path) as again:
        assert again.accuracy(data.test_images, data.test_labels) == accuracy


@pytest.mark.parametrize("layers", [(32,), ({"conv": {"kernel": 3, "channels": 8}}, 24)])
def test_snntorch_reads_the_graph_and_answers_almost_alike(
    tmp_path: Path, layers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """snnTorch's membranes lose the part above theta, and its input spikes are drawn anew."""
    import nir
    import torch
    from snntorch.import_nir import import_from_nir

    digits = load_dataset("digits", validation_share=0.0, seed=0)
    spec = NetworkSpec(layers=layers, T=50)
    rule = TrainingSpec(epochs=4, batch=20)
    with train(spec, rule, coincidence_synapses(8.0), digits, seed=4) as trained:
        path = write_nir(tmp_path / "net.nir", trained)
        accuracy = trained.accuracy(digits.test_images, digits.test_labels)
    graph = nir.read(path)
    network, state, answer = import_from_nir(graph), None, torch.tensor(0.0)
    n, draw = len(digits.test_labels), torch.Generator().manual_seed(0)
    rates = 0.4 * torch.as_tensor(digits.test_images / digits.test_images.max())
    for slot in range(spec.T):
        fall = 2.0 * (1.0 - slot / spec.T)  # front loading
        spikes = torch.rand(rates.shape, generator=draw) < fall * rates
        shaped = spikes.float().reshape(n, *graph.nodes["input"].input_type["input"])
        with torch.no_grad():
            fired, state = network(shaped, state)
        answer = answer + fired.reshape(n, -1)
    share = (answer.argmax(1).numpy() == digits.test_labels).mean()
    assert accuracy > 0.9
    assert abs(share - accuracy) < 0.02


@pytest.mark.parametrize(
    ("conv", "field"), [({"kernel": (3, 2)}, "kernel"), ({"kernel": 3, "replicas": 2}, "replicas")]
)
def test_nir_has_no_such_convolutions(tmp_path: Path, data: Dataset, conv: Any, field: str) -> None:
    spec = NetworkSpec(layers=({"conv": {"channels": 4, **conv}},), T=10)
    with (
        train(spec, TrainingSpec(epochs=0), coincidence_synapses(4.0), data, seed=0) as trained,
        pytest.raises(InputError, match=rf"network\.layers\.{field}"),
    ):
        write_nir(tmp_path / "net.nir", trained)


def test_nir_says_what_it_leaves_out_of_this_network(tmp_path: Path, data: Dataset) -> None:
    import nir

    neuron = NeuronSpec(reset="zero", random_start=False)
    spec = NetworkSpec(hidden=(4,), T=10, neuron=neuron)
    with train(spec, TrainingSpec(epochs=0), coincidence_synapses(4.0), data, seed=0) as trained:
        graph = nir.read(write_nir(tmp_path / "net.nir", trained))
        faulty = NeuronSpec(reset="zero", random_start=False, circuit={"missed": 0.1})
        clocked = NetworkSpec(hidden=(4,), T=10, neuron=faulty, inhibition={"clocked": True})
    assert not graph.metadata["left_out"]
    with train(clocked, TrainingSpec(epochs=0), coincidence_synapses(4.0), data, seed=0) as trained:
        graph = nir.read(write_nir(tmp_path / "net.nir", trained, without_inhibition=True))
    words = "not in NIR: the imperfections of neurons; the inhibition of the output layer"
    assert words in str(graph.metadata["left_out"])


def test_nir_synapse_and_membrane_are_the_kernel_of_eq_3(tmp_path: Path, data: Dataset) -> None:
    """With NIR's equations and the file's numbers, a unit spike raises v by 1 - exp(-t/tau)."""
    import nir

    spec = NetworkSpec(hidden=(4,), T=30)
    with train(spec, TrainingSpec(epochs=0), coincidence_synapses(4.0), data, seed=0) as trained:
        nodes = nir.read(write_nir(tmp_path / "net.nir", trained)).nodes
    neurons, dt = nodes["neurons_1"], 1e-4  # a slot
    current, v = np.zeros(4), np.zeros(4)
    for slot in range(5):  # one Euler step each, as snnTorch and Norse do
        arrived = neurons.w_in * (slot == 0)
        current += dt * (arrived - current) / neurons.tau_syn
        v += dt * (neurons.v_leak - v + neurons.r * current) / neurons.tau_mem
    np.testing.assert_allclose(v, 1 - np.exp(-5.0 / spec.tau), rtol=1e-3)
    np.testing.assert_array_equal(neurons.v_threshold, spec.neuron.theta)


def test_what_nir_cannot_say_is_refused_or_left_out(tmp_path: Path, data: Dataset) -> None:
    path = tmp_path / "net.nir"
    with trained_in(coincidence_synapses(4.0), data) as trained:
        with pytest.raises(InputError, match=r"inhibition.clocked: True.*be expressed in NIR"):
            write_nir(path, trained)
        with refused("without_inhibition", "bool"):
            write_nir(path, trained, without_inhibition="no")  # type: ignore[arg-type]
        assert not path.exists()
        write_nir(path, trained, without_inhibition=True)
        accuracy = trained.accuracy(data.test_images, data.test_labels)
    with read_nir(path) as again:
        assert again.network.spec.inhibition.clocked
        assert again.accuracy(data.test_images, data.test_labels) == accuracy


@pytest.mark.parametrize(("write", "read"), [(write_network, read_network), (write_nir, read_nir)])
def test_imperfect_neurons_come_back(tmp_path: Path, data: Dataset, write: Any, read: Any) -> None:
    faults = {"threshold_spread": 0.2, "gain_spread": 0.2, "threshold_drift": 1.0}
    spec = NetworkSpec(hidden=(12,), T=20, neuron={"circuit": faults})
    with train(spec, TrainingSpec(epochs=5), rate_synapses(4.0), data, seed=4) as trained:
        file = tmp_path / f"net.{'h5' if write is write_network else 'nir'}"
        with full_disk(3000), refused("file: ", "net.", "(File too large)"):
            write(file, trained)
        assert not list(tmp_path.iterdir())
        path = write(file, trained)
        counts = trained.output_counts(data.test_images)
    with read(path) as again:
        assert np.array_equal(again.output_counts(data.test_images), counts)
        again.network.neurons.age(-4000)
        assert not np.array_equal(again.output_counts(data.test_images), counts)


def test_reads_with_errors_have_no_weights_to_export(tmp_path: Path, small: Dataset) -> None:
    tile = TileSpec(reads=ReadSpec(read_noise=0.1))
    with (
        trained_in(device_synapses(get_device("ideal"), tile, 8.0), small) as trained,
        pytest.raises(InputError, match=r"tile\.reads.*reads with errors"),
    ):
        write_network(tmp_path / "net.h5", trained)


@pytest.mark.parametrize("read", [read_network, read_nir])
def test_files_that_are_none(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "net.h5"
    with pytest.raises(InputError, match=r"net\.h5: file: No such file or directory; must be a"):
        read(path)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"net\.h5: file: not an HDF5 file; must be a"):
        read(path)
    with h5py.File(path, "w") as file:
        file["other"] = [1]
    with pytest.raises(InputError, match=r"net\.h5"):
        read(path)


BAD_DESCRIPTIONS = [
    ('"format": 1', '"format": 2', "description.format: 2 is not allowed; must be 1"),
    ('"format": 1, ', "", "description.format: missing"),
    ('"format": 1', '"format": 1, "Seed": 3', "description.Seed: unknown key; did you"),
    ('"T": 20', '"T": 0', "description.network.T: 0 is not allowed"),
    ('"sizes": [64', '"sizes": [6.5', "description.sizes.0: 6.5 is not allowed"),
    ('"hidden": [', '"hidden": [3', "must be [64, 3"),
    ('"pixels": 64', '"pixels": 32', "is not allowed; must be [32, "),
    ('"contrast": "none"', '"contrast": "on_off"', "description.middle: missing; must be given"),
    ('"middle": null', '"middle": [0.5]', "description.middle: (0.5,) is not allowed; must be"),
    ('"gain": null', '"gain": [NaN]', "description.gain.0: nan is not allowed; must be a finite"),
    ('"image": null', '"image": [8, 8, 1]', "description.image: (8, 8, 1) is not allowed"),
    ('"circuits": null', '"circuits": 5', "description.circuits: 5 is not allowed"),
    ('"entropy": ', '"entropy": -', "description.seed.entropy: -"),
    ("{", "[", "description: Expecting"),
    ("{", "[" * 100_000, "description: nested too deep; must be one that export wrote"),
]


def test_a_changed_map_is_refused(tmp_path: Path, small: Dataset) -> None:
    path = tmp_path / "net.h5"
    with trained_in(coincidence_synapses(4.0), small) as trained:
        write_network(path, trained)
        with pytest.raises(InputError, match=r"path: .*net.nir' is not allowed; must end in .h5"):
            write_network(tmp_path / "net.nir", trained)
    with h5py.File(path) as file:
        text, shape = file.attrs["description"], file["crossbar_1/weights"].shape
    for old, new, expected in BAD_DESCRIPTIONS:
        assert old in text
        with h5py.File(path, "a") as file:
            file.attrs["description"] = text.replace(old, new, 1)
        with pytest.raises(InputError) as refused:
            read_network(path)
        assert expected in str(refused.value)
    nan, words, link = np.full(shape, np.nan), np.full(shape, b"x"), h5py.SoftLink("/a")
    for weights in (nan, words, np.zeros((3, 3)), link):
        with h5py.File(path, "a") as file:
            file.attrs["description"] = text
            del file["crossbar_1/weights"]
            file["crossbar_1/weights"] = weights
        with pytest.raises(InputError, match=r"net\.h5: (content|weights): "):
            read_network(path)
