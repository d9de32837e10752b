"""Tests user-defined preset files: what they may contain, and the errors for broken ones."""

from pathlib import Path

import pytest

from device_presets import get_preset
from rpu_ssnn.common.errors import InputError
from support.commands import refused

USER_DEVICE = """
mine:
  technology: test
  law: constant
  description: a user's device
  citation: lab book
  parameters:
    step: {value: 5e-3, unit: weight, source: lab book}
    w_max: {value: 1, unit: weight, source: lab book}
    w_min: {value: -1, unit: weight, source: lab book}
    w_max_spread: {value: 0, unit: w_max, source: lab book}
    w_min_spread: {value: 0, unit: w_min, source: lab book}
    cycle_to_cycle: {value: 0, unit: step, source: lab book}
    step_spread: {value: 0, unit: step, source: lab book}
    asymmetry: {value: 0, unit: step, source: lab book}
    asymmetry_spread: {value: 0, unit: step, assumption: not measured}
"""


def test_a_users_file_is_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "devices.yaml"
    file.write_text(USER_DEVICE)
    assert get_preset(str(file)).levels == pytest.approx(400)
    assert get_preset(f"{file}:mine", {"step": 0.01}).device().dw_min == 0.01
    file.write_text(USER_DEVICE + USER_DEVICE.replace("mine:", "other:"))
    assert get_preset(f"{file}:other").noise_free
    with refused("entry: 'devices.yaml'", "one of devices.yaml:mine, devices.yaml:other"):
        get_preset(str(file))
    with refused("entry: 'devices.yaml:othr'", "did you mean devices.yaml:other"):
        get_preset(f"{file}:othr")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("unit: step", "unit: mV", "cycle_to_cycle.unit: 'mV'"),
        (", unit: step", "", "unit: missing; must be step"),
        ("value: 1, unit: weight", "value: .nan, unit: weight", "w_max: nan .*must be a number"),
        (", source: lab book", "", "parameters.step"),
        ("lab book", '" "', "parameters.step"),
        ("citation", "citaton", "citaton: unknown key"),
        ("citation: lab book", "citation: 5", "citation: 5"),
        ("constant", "constnt", "law: 'constnt'"),
        ("    w_max_spread:", "    w_mx_spread:", "parameter: 'w_mx_spread'"),
        (
            "    w_max: {value: 1, unit: weight, source: lab book}\n",
            "",
            r"missing.*w_max \(weight\)",
        ),
        ("    step:", "    # step:", "step and levels"),
    ],
)
def test_a_broken_file_is_explained(tmp_path: Path, old: str, new: str, named: str) -> None:
    file = tmp_path / "broken.yaml"
    assert old in USER_DEVICE
    file.write_text(USER_DEVICE.replace(old, new))
    with pytest.raises(InputError, match=rf"broken\.yaml.*{named}") as caught:
        get_preset(str(file))
    assert "\n" not in str(caught.value)


def test_an_entry_that_is_like_another_says_only_what_differs(tmp_path: Path) -> None:
    """A preset may inherit from one of its file, or from a shipped one, whose sources then stand
    behind assumptions; a given step replaces levels."""
    file = tmp_path / "mine.yaml"
    file.write_text(
        "a:\n  like: charge_trap\n  citation: mine\n  parameters:\n"
        "    step: {value: 0.1, unit: weight, source: my lab}\n"
        "b: {like: a, description: as a}\n"
    )
    first, second = (get_preset(f"{file}:{name}") for name in "ab")
    shipped = get_preset("charge_trap")
    assert (first.step, first.levels) == (0.1, pytest.approx(20))
    assert (first.citation, first.description) == (
        "mine",
        f"like charge_trap: {shipped.description}",
    )
    derived = first.parameters["levels"]
    assert (derived.source, derived.assumption) == (None, "step = (w_max - w_min) / levels")
    assert (second.citation, second.description) == ("mine", "as a")
    assert second.values == first.values
    for name in set(shipped.values) - {"step", "levels"}:
        mine, theirs = first.parameters[name], shipped.parameters[name]
        assert (mine.value, mine.source) == (theirs.value, None)
        assert (mine.assumption or "").endswith(theirs.source or theirs.assumption or "")
    assert "that of charge_trap: " in (first.parameters["w_max"].assumption or "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {like: capacitr}", "a: like: 'capacitr'"),
        ("a: {like: [b]}", r"a: like: \['b'\]"),
        ("a: {like: a}", "a: like: 'a'"),
        ("a: {like: b}\nb: {like: c}\nc: {like: b}", "like: 'b'"),
        ("a: {like: capacitor, parameters: 5}", "a: parameters: 5"),
        ("a: {like: capacitor, lwa: 5}", "a: lwa: unknown key"),
        (
            "\n".join(f"a{n}: {{like: a{n + 1}}}" for n in range(2000)) + "\na2000: {like: ideal}",
            "like",
        ),
    ],
)
def test_a_wrong_entry_like_another_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        get_preset(f"{file}:a0" if "a0" in text else f"{file}:a")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("factors", "wrong"), [("[true, 0.5]", "True"), ('["0.5", 1]', "'0.5'"), ("[1, null]", "")]
)
def test_a_list_holds_numbers_only(factors: str, wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    up = f"step_factors_up: {{value: {factors}, unit: step, source: my lab}}"
    file.write_text(f"a: {{like: charge_trap_tunnelling, parameters: {{{up}}}}}\n")
    with pytest.raises(InputError, match=rf"step_factors_up\.value\.\d: .*{wrong}.*a number"):
        get_preset(str(file))


def test_a_measured_width_that_steps_do_not_depend_on_cannot_be_chosen(tmp_path: Path) -> None:
    """The fit of a width series may have a law without the width."""
    file = tmp_path / "a.yaml"
    width = "pulse_width_s: {value: 2.0e-7, unit: s, source: x, measured: [1.0e-7, 4.0e-7]}"
    file.write_text(f"a: {{like: capacitor, parameters: {{{width}}}}}")
    with pytest.raises(InputError, match=r"pulse_width_s: 1e-07 .* the steps of this preset"):
        get_preset(str(file), {"pulse_width_s": 1e-7})
    knee = "width_knee_s: {value: 1.0e-8, unit: s, source: x}"
    file.write_text(f"a: {{like: charge_trap_pulsed, parameters: {{{width}, {knee}}}}}")
    assert get_preset(str(file), {"pulse_width_s": 1e-7}).number("pulse_width_s") == 1e-7
