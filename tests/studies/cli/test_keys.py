"""`rpu-ssnn keys` prints keys of a study, parameters of devices and columns of the results."""

import pytest

from studies.cli.keys import sections_of_a_study
from studies.declaration.study import Study
from studies.declaration.update_rules.loading import rule_names
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
    assert "\n  T: whole number ≥ 1, ≤ 1e+06; default: 50\n" in output
    assert "weight_range" not in output
    assert all(len(line) <= 96 for line in output.splitlines())


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ("hyperparameters", "PartialHyperparameters\n"),
        ("tile.reads", "ReadSpec\n"),
        ("network.inhibition.clocked", "\n  clocked: true or false; default: false\n"),
        ("read_noise", "\n  read_noise: number"),
        ("asymmetry_spread", "\n  asymmetry_spread: a number, at least 0, at most 2 ("),
        ("overrides.write_noise", "\nsoft_bounds\n"),
        ("test_accuracy", "\n  test_accuracy: unit %\n"),
        ("forward_reads_total_2", "\n  forward_reads_total_N: unit reads\n"),
        ("curves", "Curves\ncurves.csv has one row per epoch"),
    ],
)
def test_the_words_of_a_study_find_their_keys(words: str, printed: str, command: Command) -> None:
    code, output, _ = command("keys", words)
    assert code == 0
    assert printed in output
    assert "question:" not in output


def test_the_keys_of_every_rule_are_printed_by_its_name(command: Command) -> None:
    for update in rule_names():
        _, whole, _ = command("keys", update)
        assert "\n  label: text" in whole
