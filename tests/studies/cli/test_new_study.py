"""`rpu-ssnn new` writes a study whose settings depend on the data."""

import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import device_presets
from rpu_ssnn.common import strict_yaml
from rpu_ssnn.spec import layer_names
from studies import load_study, new_study
from support.commands import Command, refused
from support.rpu_ssnn.own_data import write_npz

RNG = np.random.default_rng(3)
PRESETS = Path(device_presets.__file__).parent / "presets"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def images(classes: int, samples: int = 240, background: float = 0.8) -> tuple[Any, Any]:
    rows = RNG.uniform(0.1, 1, (samples, 6, 6)) * (RNG.random((samples, 6, 6)) > background)
    return rows, np.arange(samples) % classes


def content(text: str) -> dict[str, Any]:
    found: dict[str, Any] = strict_yaml.load(text)
    return found


def test_many_classes_get_a_larger_output_step_a_small_start_and_longer_answers(here: Path) -> None:
    write_npz("few.npz", images(10))
    write_npz("many.npz", images(40))
    few, many = (new_study(f"{name}.npz") for name in ("few", "many"))
    of_few, of_many = content(few), content(many)
    assert (few.count("symmetry_point"), many.count("symmetry_point")) == (0, 1)
    assert "output_step" not in of_few["training"]
    assert not {"inference_T", "initial_scale"} & set(of_few["network"])
    assert of_many["training"]["output_step"] == 4  # classes / 10
    assert of_many["network"]["inference_T"] == 200
    assert of_many["network"]["initial_scale"] == 0.3
    assert (of_many["network"]["T"], of_many["network"]["neuron"]["kernel_fraction"]) == (50, 0.05)
    write_npz("more.npz", images(100))
    of_more = content(new_study("more.npz"))["network"]
    assert (of_more["T"], of_more["neuron"]["kernel_fraction"]) == (100, 0.1)
    assert of_few["network"]["inhibition"] == of_many["network"]["inhibition"] == {"clocked": True}


def test_dense_images_get_two_lines_a_value(here: Path) -> None:
    for name, background, encoding in (
        ("sparse", 0.8, None),
        ("dense", 0.3, {"contrast": "on_off"}),
    ):
        write_npz(f"{name}.npz", images(3, background=background))
        assert content(new_study(f"{name}.npz"))["network"].get("encoding") == encoding


def test_features_of_unlike_ranges_are_scaled_each(here: Path) -> None:
    table = pd.DataFrame({"length": RNG.random(90), "mass": 1000 * RNG.random(90)})
    table["species"] = np.array(["a", "b", "c"])[np.arange(90) % 3]
    table.to_csv("flowers.csv", index=False)
    found = content(new_study("flowers.csv", label="species"))["dataset"]
    assert found["range"] == "each"
    assert found["test_share"] == 0.2
    assert found["label"] == "species"
    assert "# Only" not in new_study("flowers.csv", label="species")
    table.loc[89] = [44.5, 44500.0, "Total"]
    table.to_csv("flowers.csv", index=False)
    text = new_study("flowers.csv", label="species")
    assert "# Only 1 of them in the class 'Total'" in text
    assert content(text)["network"]["encoding"] == {"contrast": "complement"}
    np.savez("flat.npz", X=np.eye(30)[:, :20], y=np.arange(30) % 3)
    assert "encoding" not in content(new_study("flat.npz"))["network"], "most values are 0"
    table["mass"] /= 1000
    table.to_csv("alike.csv", index=False)
    assert "range" not in content(new_study("alike.csv", label="species"))["dataset"]
    table["width"] = 500 * RNG.random(90)
    table[["length", "mass", "width"]] *= RNG.random((90, 3)) < 0.2
    table.loc[0, "length"] = -0.001
    table.to_csv("sparse.csv", index=False)
    assert "encoding" not in content(new_study("sparse.csv", label="species"))["network"]


def test_every_device_is_compared_by_spikes_and_numbers_without_a_hand(here: Path) -> None:
    write_npz("mine.npz", images(4))
    devices = ("capacitor", "two_device_pair(reram_es)")
    (here / "mine.yaml").write_text(new_study("mine.npz", devices))
    study = load_study("mine.yaml")
    labels = [case.name for case in study.cases]
    assert labels == [
        "ann", "rate", "coincidence",
        *(f"{rule}{name}" for name in devices for rule in ("", "analog_sgd ")),
    ]  # fmt: skip
    assert all(point.hyperparameters is None for point in study.points())


def test_images_get_two_convolutions_on_request(here: Path, command: Command) -> None:
    write_npz("small.npz", images(3))
    np.savez("large.npz", X=RNG.random((6500, 20, 24, 1), dtype=np.float32), y=np.arange(6500) % 3)
    assert command("new", "small.npz", "--conv")[0] == 0
    assert "symmetry_point" in (here / "small_conv.yaml").read_text()
    (here / "large.yaml").write_text(new_study("large.npz", conv=True))
    for name, layers in (("small_conv", ["12c3", "24c3/2"]), ("large", ["24c5/2", "64c5/2"])):
        network = load_study(f"{name}.yaml").network
        assert list(layer_names(network.layers)) == layers
        assert network.gradient.delay == 2.5
    np.savez("flat.npz", X=np.eye(36), y=np.arange(36) % 3)
    np.savez("tiny.npz", X=RNG.random((30, 4, 9)), y=np.arange(30) % 3)
    for name, shape in (("flat", "(36,)"), ("tiny", "(4, 9)")):
        with refused(f"{name}.npz: shape of a sample", shape, "5 rows and columns or more"):
            new_study(f"{name}.npz", conv=True)


def test_what_a_fit_found_for_the_tile_is_set_or_told(here: Path) -> None:
    write_npz("mine.npz", images(4))
    left_out = "left out: log-time loss; a study sets tile: {retention: {loss_per_decade: 0.1}}"
    entry = {
        "like": "capacitor",
        "parameters": {
            "on_off_ratio": {"value": 1.94, "unit": "1", "source": "a fit"},
            "leak_time_constant_s": {"value": math.inf, "unit": "s", "assumption": left_out},
        },
    }
    (here / "mine.yaml").write_text(strict_yaml.dump({"mine": entry}, ""))
    text = new_study("mine.npz", ["mine.yaml", "two_device_pair(mine.yaml)"])
    tiles = [case.get("tile") for case in content(text)["cases"][3:]]
    set_ = {"simulator": "native", "reference": {"on_off_ratio": 1.94}}
    assert tiles == [set_, set_, None, None], "the conductances of a pair subtract"
    assert text.count(f"  # The fit has {left_out}.\n  - {{device: ") == 2


def test_the_command_writes_a_file_that_finds_data_from_it(here: Path, command: Command) -> None:
    write_npz("mine.npz", images(4))
    (here / "deep").mkdir()
    code, output, _ = command("new", "mine.npz", "--device", "ecram", "--out", "deep/own.yaml")
    assert code == 0
    assert "rpu-ssnn run deep/own.yaml" in output
    own = content((here / "deep" / "own.yaml").read_text())
    assert own["study"] == "own", "two studies of one file have folders of their own"
    assert own["dataset"]["file"] == os.path.join("..", "mine.npz")
    study = load_study(here / "deep" / "own.yaml")
    assert study.dataset.file.resolve() == (here / "mine.npz").resolve()


def test_a_preset_file_is_found_from_another_folder(here: Path) -> None:
    write_npz("mine.npz", images(4))
    (here / "deep").mkdir()
    shutil.copy(PRESETS / "capacitor.yaml", "mine.yaml")
    name = "mine.yaml:capacitor"
    (here / "deep" / "own.yaml").write_text(new_study("mine.npz", [name], folder="deep"))
    (here / "own.yaml").write_text(new_study("mine.npz", [name]))
    assert f"device: {name}" in (here / "own.yaml").read_text()
    for study in ("own.yaml", "deep/own.yaml"):
        devices = {getattr(point.rule, "device", None) for point in load_study(study).points()}
        assert {None if name is None else os.path.normpath(name) for name in devices} == {
            None,
            f"{here / name}",
        }
    assert str(here) not in (here / "deep" / "own.yaml").read_text(), "the folders may move"


def test_a_file_is_never_written_over(here: Path, command: Command) -> None:
    write_npz("mine.npz", images(4))
    (here / "mine.yaml").write_text("precious")
    code, _, errors = command("new", "mine.npz")
    assert code == 2
    assert "must not exist yet" in errors
    assert (here / "mine.yaml").read_text() == "precious"


def test_a_file_named_as_a_standard_set_gets_a_name_of_its_own(here: Path) -> None:
    write_npz("mnist.npz", images(4))
    assert content(new_study("mnist.npz", "ecram"))["dataset"]["name"] == "my_mnist"


def test_what_no_study_can_have_is_refused(here: Path) -> None:
    write_npz("mine.npz", images(4))
    with refused("new", "--device", "nosense"):
        new_study("mine.npz", ["nosense"])
    with refused("new", "--device", "pcm", "a device that pulses move both ways"):
        new_study("mine.npz", ["pcm"])
    with refused("mine.npz", "label", "'kind'", "column of a table"):
        new_study("mine.npz", label="kind")
    with refused("new", "data"):
        new_study(np.zeros((3, 4)))  # type: ignore[arg-type]
    with refused("new: quick: 'yes'", "must be of type bool"):
        new_study("mine.npz", quick="yes")  # type: ignore[arg-type]
    with refused("yin_yang_latency", "recorded spikes", "must be values"):
        new_study("yin_yang_latency")


def test_a_quick_look_takes_a_part_of_the_samples_and_says_so(here: Path, command: Command) -> None:
    write_npz("many.npz", images(10, samples=15_000))
    write_npz("few.npz", images(10))
    assert command("new", "many.npz", "--quick")[0] == 0
    study = load_study("many_quick.yaml")
    assert (study.dataset.n_train, study.dataset.n_test) == (4_000, 2_000)
    assert (study.network.hidden, study.seeds) == ((64,), (1, 2, 3))
    assert "A quick look: 4,000 of 12,000 training samples, a fifth" in study.question
    few = content(new_study("few.npz", quick=True))
    assert not {"n_train", "n_test"} & set(few["dataset"])
    assert "A quick look: all 192 training samples" in few["question"]
