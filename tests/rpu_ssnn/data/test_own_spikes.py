"""Tests user-defined spikes as lists of events, HDF5 and tensors, and the one-line errors."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rpu_ssnn.data.user_data import read_own
from rpu_ssnn.data_spec import OwnData, SpikeSpec
from support.rpu_ssnn.own_data import refused, write_npz

RNG = np.random.default_rng(3)


def event_file(path: Path, **changes: Any) -> Path:
    events: dict[str, Any] = {
        "t": np.array([0.0, 2.5, 2.6, 9.9, 0.3]),
        "x": np.array([1, 0, 0, 2, 2]),
        "recording": np.array([0, 0, 0, 1, 1]),
        "labels": np.array(["a", "b"]),
    }
    np.savez(path, **(events | changes))
    return path


def later(path: Path) -> Path:
    """Writes a file with the same events, 1000 units of time later."""
    with np.load(path) as events:
        arrays = dict(events)
    other = path.with_name(f"later_{path.name}")
    np.savez(other, **arrays | {"t": arrays["t"] + 1000})
    return other


def test_events_are_binned_to_slots(tmp_path: Path) -> None:
    path = event_file(tmp_path / "e.npz")
    own = OwnData(file=path, test_file=later(path), spikes=SpikeSpec(bin=0.5))
    trains = read_own(own).train_images
    assert trains.shape == (2, 3)
    assert trains.slot.tolist() == [0, 5, 0, 19]
    assert trains.line.tolist() == [1, 0, 2, 2]
    assert trains.counts().tolist() == [[1, 1, 0], [0, 0, 2]]


def test_polarity_takes_lines_of_its_own(tmp_path: Path) -> None:
    path = event_file(tmp_path / "e.npz", p=np.array([0, 1, 0, 1, 0]))
    trains = read_own(OwnData(file=path, test_file=later(path), spikes=SpikeSpec())).train_images
    assert trains.lines == 6
    assert sorted(trains[1].line.tolist()) == [2, 5]


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("width", [0.001, 0.01, 0.1])
def test_a_time_at_the_start_of_a_slot_is_in_it(tmp_path: Path, width: float, kind: Any) -> None:
    """In floating point, floor(0.29 / 0.01) would be 28."""
    times = np.array([float(f"{slot * width:.4g}") for slot in range(500)]).astype(kind)
    zeros = np.zeros(500, dtype=int)
    path = event_file(tmp_path / "e.npz", t=times, x=zeros, recording=zeros)
    own = OwnData(file=path, test_file=later(path), spikes=SpikeSpec(bin=width))
    trains = read_own(own).train_images
    assert trains.slot.tolist() == list(range(500))


def test_events_of_two_files_have_the_same_lines(tmp_path: Path) -> None:
    """Otherwise each file would number its lines by its largest x and y."""
    wide = event_file(
        tmp_path / "wide.npz",
        x=np.array([9, 0, 0, 1, 1]), y=np.array([0, 1, 1, 0, 1]), p=np.array([1, 0, 1, 0, 0]),
    )  # fmt: skip
    high = event_file(
        tmp_path / "high.npz",
        x=np.array([1, 0, 0, 1, 1]), y=np.array([4, 1, 1, 0, 1]), p=np.array([1, 0, 1, 0, 0]),
    )  # fmt: skip
    for one, other in ((wide, high), (high, wide)):
        source = read_own(OwnData(file=one, test_file=other, spikes=SpikeSpec()))
        lines = {}
        for path, trains in ((one, source.train_images), (other, source.test_images)):
            assert trains.lines == 10 * 5 * 2
            lines[path] = trains.line.tolist()
        assert lines[wide] == [9 + 50, 10, 10 + 50, 1 + 10, 1]
        assert lines[high] == [1 + 40 + 50, 10, 10 + 50, 1 + 10, 1]
    with refused("line x + 10 y + 50 p", "must be below 40", "of both files"):
        read_own(OwnData(file=wide, test_file=high, spikes=SpikeSpec(lines=40)))


def heidelberg(path: Path, times: list[Any], units: list[Any], labels: list[Any]) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, parts, kind in (("times", times, "f2"), ("units", units, "u2")):
            rows = file.create_dataset(
                f"spikes/{name}", (len(parts),), dtype=h5py.vlen_dtype(np.dtype(kind))
            )
            for n, part in enumerate(parts):
                rows[n] = part
        file["labels"] = labels
    return path


def test_hdf5_of_the_heidelberg_layout(tmp_path: Path) -> None:
    times, units = [[0.0, 0.25], [0.5], []], [[3, 1], [2], []]
    path = heidelberg(tmp_path / "shd.h5", times, units, [4, 7, 4])
    test = heidelberg(tmp_path / "test.h5", times[::-1], units[::-1], [4, 7, 4])
    own = OwnData(file=path, test_file=test, spikes=SpikeSpec(bin=0.125, lines=700))
    source = read_own(own)
    trains = source.train_images
    assert (trains.shape, source.class_names) == ((3, 700), ("4", "7"))
    assert (trains.slot.tolist(), trains.line.tolist()) == ([0, 2, 4], [3, 1, 2])
    named = heidelberg(tmp_path / "named.h5", times * 2, units * 2, ["low", "high", "low"] * 2)
    own = OwnData(file=named, test_share=0.5, spikes=SpikeSpec(bin=0.1))
    assert read_own(own).class_names == ("high", "low")
    broken = heidelberg(tmp_path / "b.h5", times, [[3], [2], []], [4, 7, 4])
    with refused("units of recording 0", "1", "must be 2"):
        read_own(OwnData(file=broken, test_share=0.5, spikes=SpikeSpec(bin=0.1)))


def test_tensors_and_tonic_events(tmp_path: Path) -> None:
    tensor = (RNG.random((6, 10, 3)) < 0.3).astype(np.uint8)
    labels = np.arange(6) % 2
    path = write_npz(tmp_path / "t.npz", (tensor, labels), (tensor[::-1], labels))
    trains = read_own(OwnData(file=path, spikes=SpikeSpec())).train_images
    assert np.array_equal(trains.counts(), tensor.sum(axis=1))
    wide, small = (np.ones((6, 10, 2, side, side)) for side in (5, 4))
    with refused("lines of x", "(2, 4, 4)", "must be (2, 5, 5)"):
        path = write_npz(tmp_path / "t.npz", (wide, labels), (small, labels))
        read_own(OwnData(file=path, spikes=SpikeSpec()))
    kind = np.dtype([("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")])
    samples = [np.array([(1000, 1, 1, 0), (3000, 0, 0, 1)], kind), np.array([(0, 1, 0, 1)], kind)]
    events, together = tmp_path / "e.npz", np.concatenate(samples)
    columns = {name: together[name] for name in ("t", "x", "y", "p")}
    np.savez(events, recording=[0, 0, 1], labels=[0, 1], **columns)
    recordings = read_own(OwnData(file=events, test_file=later(events), spikes=SpikeSpec(bin=1000)))
    assert recordings.train_images.lines == 8
    assert recordings.train_images.line.tolist() == [3, 4, 5]
    with refused("x at (0, 0, 0)", "-1", "0 (no spike) or above"):
        write_npz(tmp_path / "n.npz", (np.full(tensor.shape, -1), labels))
        read_own(OwnData(file=tmp_path / "n.npz", test_share=0.5, spikes=SpikeSpec()))
