"""`rpu-ssnn keys` prints what the models of a study check."""

from studies.cli.keys import sections_of_a_study
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
