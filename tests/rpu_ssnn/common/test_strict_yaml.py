"""Tests YAML 1.2 with the core schema, and that every fault gives one line with its position."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpu_ssnn.common import strict_yaml
from rpu_ssnn.common.errors import InputError
from rpu_ssnn.common.strict_yaml import YamlError, dump, load

REPOSITORY = Path(__file__).parents[3]

MEANT = {text: text for text in ("1:30", "1_000", "yes", "on", "2020-01-01")} | {
    "060": 60,
    "0o17": 15,
    "0x1F": 31,
    "+1": 1,
    "1e-3": 0.001,
    "-.5": -0.5,
    "-.inf": -math.inf,
    "TRUE": True,
    "~": None,
    "'5'": "5",
    "!!int 5": 5,
    "%YAML 1.1\n---\nno": "no",
    "a: [&x 1, *x]": {"a": [1, 1]},
    "a: 1\r\nb: 2\r\n": {"a": 1, "b": 2},
    "\ufeffa: 1": {"a": 1},
    "": None,
}


@pytest.mark.parametrize("text", MEANT, ids=repr)
def test_what_a_scalar_means(text: str) -> None:
    value = load(text)
    assert (value, type(value)) == (MEANT[text], type(MEANT[text]))


AT_START = ["!!bool abc", "1e400", '"\\ud800"', "!!set {a, b}", "&a [*a]", str([1] * 10_001)]
REFUSED = [
    *((text, "line 1, column 1") for text in [*AT_START, "!!python/object:os.system x"]),
    ("a:\n  !!timestamp x", "line 2, column 3"),
    ("x: 0x" + "f" * 4000, "line 1, column 4"),
    ("x: 1" + "0" * 400, "line 1, column 4"),
    ("a: b\nc: \x1b[31m", "line 2, column 4"),
    ('a: "\\U00110000"', "line 1, column"),
    ("b:\n  <<: {a: 1}", "line 2, column 3"),
    ("a: 1\na: 2", "line 2, column 1"),
    ("[*b]", "line 1, column 2"),
    ("--- 1\n--- 2", "line 2, column 1"),
    ("? [a]\n: b", "line 1, column 3"),
    ("[" * 100_000, "line 1, column 101"),
    ("a: {b: 1,\n\tc: 2}\nd:\n\te: 1", "line 4, column 1"),
]


@pytest.mark.parametrize(("text", "place"), REFUSED)
def test_what_is_refused_has_its_place(text: str, place: str) -> None:
    with pytest.raises(YamlError) as caught:
        load(text)
    assert caught.value.place.startswith(place)


def test_aliases_of_aliases_are_refused_before_they_are_written_out() -> None:
    lines = ["a0: &a0 [1, 1]"]
    lines += [f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]" for k in range(1, 64)]
    with pytest.raises(YamlError, match="1000000"):
        load("\n".join(lines))


def test_every_file_of_the_project_is_read_as_it_is_written() -> None:
    folders = ("studies", "device_presets")
    files = [path for folder in folders for path in REPOSITORY.glob(f"{folder}/**/*.yaml")]
    assert len(files) > 30
    for path in files:
        content = strict_yaml.read(path)
        assert repr(load(dump(content))) == repr(content), path


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**200), 10**200),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))),
    st.sampled_from(["060", "1e3", "0o7", "yes", "null", "~", "<<", "1:30", "- a", "# b", "=x"]),
)
CONTENT = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(CONTENT)
def test_what_is_written_is_read(content: object) -> None:
    assert repr(load(dump(content))) == repr(content)


@settings(max_examples=300, deadline=None)
@given(st.text("ab01:-[]{}&*!|>'\"\\#?, \n\t%@`<=.~e+_xuU\x00\x1b\ud800", max_size=60))
def test_any_text_is_a_value_or_one_fault(text: str) -> None:
    place = "line 1"
    try:
        load(text)
    except YamlError as error:
        place = error.place
    assert place.startswith("line ")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_value_or_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    said = ""
    try:
        strict_yaml.read(path)
    except InputError as error:
        said = str(error)
    assert "\n" not in said
