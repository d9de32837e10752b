"""Tests the settings of dense and convolutional layers, and the resulting shapes."""

from typing import Any

import pytest

from rpu_ssnn.common.errors import InputError
from rpu_ssnn.spec import NetworkSpec, connect, layer_names, lines_of

FIRST = {"kernel": 5, "stride": 2, "channels": 12, "replicas": 4}
SECOND = {"kernel": [3, 5], "padding": [1, 2], "stride": [1, 2], "channels": 8}


def network(*layers: Any) -> NetworkSpec:
    return NetworkSpec.model_validate({"layers": layers})


def test_shapes_of_two_convolutions_and_a_dense_layer() -> None:
    spec = network({"conv": FIRST}, {"conv": SECOND}, 30)
    layers = connect(spec.hidden_layers, 28 * 20, 10, (28, 20, 1))
    assert [each.after for each in layers] == [(12, 8, 12), (12, 4, 8), (1, 1, 30), (1, 1, 10)]
    assert [each.shape for each in layers] == [(25, 48), (180, 8), (384, 30), (30, 10)]
    assert [each.positions for each in layers] == [96, 48, 1, 1]
    assert lines_of(layers) == (560, 1152, 384, 30, 10)
    assert layer_names(spec.hidden_layers) == ("12c5/2r4", "8c3x5/1x2p1x2", "30")
    assert len(spec.gains()) == len(spec.delays) == 4


def test_dense_layers_alone_are_the_hidden_ones() -> None:
    assert network(30, 20) == NetworkSpec(hidden=(30, 20))
    again = network({"conv": FIRST}, 30)
    assert NetworkSpec.model_validate(again.model_dump()) == again
    assert again.hidden == ()


@pytest.mark.parametrize(
    ("conv", "image", "words"),
    [
        ({"kernel": 3, "channels": 2, "padding": 3}, (8, 8, 1), "layers.0.conv.padding: "),
        ({"kernel": 3, "channels": 2}, (8, 7, 1), "shape of the input: .*64"),
        ({"kernel": 3, "channels": 2}, (1, 8, 8), "input: .*1, 8, 8.*channels last"),
    ],
)
def test_what_does_not_fit_is_one_line(conv: dict[str, Any], image: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        connect(network({"conv": conv}).hidden_layers, 64, 10, image)


def test_who_takes_dense_layers_only_says_so() -> None:
    with pytest.raises(InputError, match=r"network: layers: .*a tester"):
        network({"conv": FIRST}).dense_layers("a tester")
