"""`rpu-ssnn keys` prints what the models of a study check."""

import re

import pytest

from studies.cli.keys import sections_of_a_study
from studies.declaration.cases import UPDATES
from studies.declaration.study import Study
from support.commands import Command


def test_every_key_of_a_study_is_printed(command: Command) -> None:
    code, output, errors = command("keys")
    assert (code, errors) == (0, "")
    for section in sections_of_a_study():
        for row in section.rows:
            assert f"\n  {row.key}: " in output
    assert output.startswith("Study\n")
    assert all(f"\n  {name}: " in output for name in Study.model_fields)


def test_one_section_is_printed_by_its_name(command: Command) -> None:
    _, output, _ = command("keys", "Network")
    assert output.startswith("NetworkSpec\n")
    assert "\n  T: whole number ≥ 1, ≤ 1e+06; default 50\n" in output
    assert "weight_range" not in output
    assert all(len(line) <= 96 for line in output.splitlines())


@pytest.mark.parametrize(
    ("wanted", "printed"),
    [
        ("hyperparameters", "PartialHyperparameters\n"),
        ("tile.reads", "ReadSpec\n"),
        ("network.inhibition.clocked", "\n  clocked: true or false; default false\n"),
        ("read_noise", "\n  read_noise: number"),
    ],
)
def test_the_words_of_a_study_find_their_keys(wanted: str, printed: str, command: Command) -> None:
    code, output, _ = command("keys", wanted)
    assert code == 0
    assert printed in output
    assert "question:" not in output


def test_cases_are_answered_by_the_keys_of_each_rule(command: Command) -> None:
    """What it names can be asked next."""
    _, output, _ = command("keys", "cases")
    assert "\n  cases: list of a case\n" in output
    for update in (*UPDATES, "device"):
        assert f"rpu-ssnn keys {update}\n" in output
        _, whole, _ = command("keys", update)
        assert "\n  label: text" in whole
        keys = re.findall(r"^  (\w+): ", whole, re.MULTILINE)
        assert ", ".join(keys[:4]) in output


def test_an_unknown_name_is_one_line_with_the_nearest(command: Command) -> None:
    code, output, errors = command("keys", "hiden")
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert "did you mean hidden?" in errors


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("keys", "| `initial_scale` |"),
        ("parameters", "| `asymmetry_spread` |"),
        ("columns", "| `test_accuracy` |"),
        ("imperfections", "| `finite_step` |"),
    ],
)
def test_a_reference_page_is_printed(page: str, words: str, command: Command) -> None:
    code, output, errors = command("reference", page)
    assert (code, errors) == (0, "")
    assert words in output


def test_an_unknown_page_is_one_line_with_the_pages(command: Command) -> None:
    code, _, errors = command("reference", "colums")
    assert code == 2
    assert "did you mean columns?" in errors
    assert "imperfections" in errors
