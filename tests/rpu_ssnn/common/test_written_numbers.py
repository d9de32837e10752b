"""Which plain number stands for one with a decimal comma, a unit or a per cent sign."""

import pytest

from rpu_ssnn.common.written_numbers import instead_of, unit_of


@pytest.mark.parametrize(
    ("text", "unit", "share", "words"),
    [
        ("0,05", "", False, "; write 0.05, not 0,05"),
        ("-1,5e-3", "s", False, "; write -1.5e-3, not -1,5e-3"),
        ("10 ms", "s", False, "; write 0.01, not 10 ms"),
        ("1,5 µs", "s", False, "; write 1.5e-06, not 1,5 µs"),
        ("5pJ", "J", False, "; write 5e-12, not 5pJ"),
        ("3 steps", "step", True, "; write 3, not 3 steps"),
        ("30 %", "step", True, "; write 0.3, not 30 %"),
        ("30 %", "s", False, "; write the number alone"),
        ("10 Hz", "s", False, "; write the number alone"),
        ("10 ms", "", False, "; write the number alone"),
        ("1,000", "", False, "; write a point as decimal mark, and no mark of thousands"),
        ("0.05", "", False, "; leave out the quotes"),
        ("many", "s", False, ""),
        ("", "s", False, ""),
        ("1-2", "s", False, ""),
    ],
)
def test_a_number_as_users_write_it(text: str, unit: str, share: bool, words: str) -> None:
    assert instead_of(text, unit, share) == words


def test_names_tell_their_units() -> None:
    assert [unit_of(name) for name in ("slot_seconds", "bias_s", "levels")] == ["s", "s", ""]
