"""Tests reading and writing of regular files, with bounds on size, and how paths are handled."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.files import kept_aside, read_bytes, user_path, write_whole
from rpu_ssnn.data import idx
from rpu_ssnn.data.time_series import read_ts
from rpu_ssnn.data.user_data import file_digest
from rpu_ssnn.data_spec import OwnData
from support.commands import refused
from support.rpu_ssnn.idx import idx_bytes


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    return path


def test_a_pipe_is_refused_and_not_waited_for(fifo: Path) -> None:
    with pytest.raises(OSError, match="Not a regular file"):
        read_bytes(fifo)
    with refused(str(fifo), "Not a regular file"):
        idx.read_images(fifo)
    with refused(str(fifo), "Not a regular file"):
        read_ts(fifo, 1)
    with refused(str(fifo), "Not a regular file"):
        file_digest(OwnData(file=fifo.parent, test_share=0.5))


def test_no_more_is_read_than_may_be(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 100)
    assert len(read_bytes(path, most=100)) == 100
    with pytest.raises(OSError, match="Larger than 99 bytes"):
        read_bytes(path, most=99)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000])
def test_a_name_that_no_file_can_have_is_an_error_of_reading(name: str, tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011
        read_bytes(tmp_path / name)


@pytest.mark.parametrize("path", ["", "  ", "a\0b", "x" * 5000, "~nosuchuser/x"])
def test_a_path_that_can_be_none_is_refused(path: str) -> None:
    with refused("run", "--out"):
        user_path("run", "--out", path)


def test_what_is_set_aside_replaces_nothing(tmp_path: Path) -> None:
    path, names = tmp_path / "a.json", []
    for content in ("one", "two", "three"):
        path.write_text(content)
        names.append(kept_aside(path, "damaged").removeprefix("kept as "))
    assert [(tmp_path / name).read_text() for name in names] == ["one", "two", "three"]
    assert not path.exists()


def test_a_written_file_is_as_readable_as_others(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    write_whole(tmp_path / "whole", lambda path: path.write_text("x"))
    assert (tmp_path / "whole").stat().st_mode == plain.stat().st_mode


def test_a_packed_file_is_unpacked_no_further_than_its_header_promises(tmp_path: Path) -> None:
    path = tmp_path / "bomb-idx3-ubyte.gz"
    images = np.zeros((3, 4, 4))
    with gzip.open(path, "wb") as file:
        file.write(idx_bytes(images))
        for _ in range(64):  # 256 MB
            file.write(bytes(4 << 20))
    import tracemalloc

    tracemalloc.start()
    try:
        with refused(str(path), "values"):
            idx.read_images(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.booleans(), st.booleans())
def test_any_bytes_are_images_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, packed: bool, headed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / ("any-idx.gz" if packed else "any-idx")
    content = b"\0\0\x08\3" + content if headed else content
    path.write_bytes(gzip.compress(content) if packed and headed else content)
    said = ""
    try:
        images = idx.read_images(path)
    except InputError as error:
        said = str(error)
    else:
        assert images.ndim == 2
    assert "\n" not in said
