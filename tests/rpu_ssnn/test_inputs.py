"""Tests input lines: one per pixel, or an on and an off line around the training mean."""

from dataclasses import replace

import numpy as np
import pytest

from rpu_ssnn.baselines.ann import AnnSpec, train_ann
from rpu_ssnn.data import Dataset, load_dataset
from rpu_ssnn.network.inputs import input_lines
from rpu_ssnn.spec import Contrast, ConvLayer, ConvSpec, EncodingSpec, NetworkSpec, TrainingSpec
from rpu_ssnn.synapses import rate_synapses
from rpu_ssnn.training import train
from support.commands import refused

CONV = ConvLayer(conv=ConvSpec(kernel=3, channels=4))
ON_OFF = NetworkSpec(hidden=(32,), encoding=EncodingSpec(contrast="on_off"))


def test_without_contrast_a_line_has_its_pixels_share(digits: Dataset) -> None:
    inputs = input_lines("none", digits)
    assert inputs.lines == 64
    assert np.array_equal(inputs.shares(digits.test_images), digits.test_images / np.float32(16))


def test_on_and_off_lines_hold_what_is_above_and_below_the_mean(digits: Dataset) -> None:
    inputs = input_lines("on_off", digits)
    shares = inputs.shares(digits.train_images)
    assert inputs.lines == shares.shape[1] == 128
    assert shares.min() == 0.0
    assert shares.max() <= 1.0
    on, off = shares[:, :64], shares[:, 64:]
    assert not np.any((on > 0) & (off > 0))
    mean = digits.train_images.mean(axis=0) / 16
    assert np.allclose(on - off, digits.train_images / 16 - mean, atol=1e-6)
    assert np.allclose((on - off).mean(axis=0), 0.0, atol=1e-6)


def test_a_value_and_its_complement_add_up_to_full_rate(digits: Dataset) -> None:
    inputs = input_lines("complement", digits)
    shares = inputs.shares(digits.test_images)
    assert inputs.lines == shares.shape[1] == 128
    assert np.array_equal(shares[:, :64], digits.test_images / np.float32(16))
    assert np.allclose(shares[:, :64] + shares[:, 64:], 1.0)


def test_the_mean_sees_training_images_only(digits: Dataset) -> None:
    black = replace(
        digits,
        validation_images=np.zeros_like(digits.validation_images),
        test_images=np.zeros_like(digits.test_images),
    )
    shown = [input_lines("on_off", d).shares(digits.test_images) for d in (digits, black)]
    assert np.array_equal(*shown)


def test_networks_learn_from_on_and_off_lines(digits: Dataset) -> None:
    with train(ON_OFF, TrainingSpec(epochs=8), rate_synapses(4.0), digits, seed=0) as trained:
        assert trained.network.sizes == (128, 32, 10)
        assert trained.accuracy(digits.test_images, digits.test_labels) > 0.85
    spec = AnnSpec(epochs=8, learning_rate=0.05, contrast="on_off")
    baseline = train_ann(spec, (32,), digits, seed=0)
    assert baseline.weights[0].shape == (128, 32)
    assert baseline.accuracy(digits.test_images, digits.test_labels) > 0.9


@pytest.mark.parametrize("contrast", ["none", "on_off", "complement"])
def test_lines_of_pixels_are_channels_of_a_convolution(digits: Dataset, contrast: Contrast) -> None:
    plain = input_lines(contrast, digits)
    inputs = input_lines(contrast, digits, (CONV, 16))
    each = plain.lines // 64
    assert inputs.image == (8, 8, each)
    halves = plain.shares(digits.test_images).reshape(-1, each, 8, 8)
    of_pixels = inputs.shares(digits.test_images).reshape(-1, 8, 8, each)
    assert np.array_equal(halves, of_pixels.transpose(0, 3, 1, 2))


def test_colours_come_before_the_second_lines_of_a_pixel(digits: Dataset) -> None:
    coloured = replace(digits, shape=(8, 4, 2))
    inputs = input_lines("complement", coloured, (CONV,))
    shares = inputs.shares(digits.test_images).reshape(-1, 8, 4, 4)
    given = digits.test_images.reshape(-1, 8, 4, 2) / np.float32(16)
    assert inputs.image == (8, 4, 4)
    assert np.array_equal(shares, np.concatenate([given, 1 - given], axis=3))


def test_a_convolution_of_what_is_no_image_is_refused(digits: Dataset) -> None:
    spikes = load_dataset("yin_yang_latency", validation_share=0.0, seed=0)
    for other in (replace(digits, shape=(64,)), spikes):
        with refused(other.name, "shape", "rows, columns and channels"):
            input_lines("none", other, (CONV,))
