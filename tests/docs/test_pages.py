"""Checks README and docs: links resolve, code runs, and named files and commands exist."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
import yaml

from device_presets.library.preset_file import read_preset_file, shipped_entries
from studies.cli.app import app
from studies.declaration.study import parse_study
from support.markdown import ROOT, Block, anchors, blocks, links, pages
from support.studies.harness import InThisProcess
from support.studies.own_rules import trained
from tools.reference_pages import FILES, joined

SWEPT = "sweep.overrides.cycle_to_cycle"
PATH_IN_THE_REPOSITORY = re.compile(
    r"`((?:benchmarks|device_presets|docs|rpu_ssnn|studies|tests|tools)/[\w./-]+)`"
)

EVERY_PAGE = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]
EVERY_BLOCK = [block for page in pages() for block in blocks(page)]


def in_language(*languages: str) -> list[Block]:
    return [block for block in EVERY_BLOCK if block.language in languages]


def test_what_the_other_tests_look_at_is_found() -> None:
    """The other tests would pass if they found no links, blocks or calls at all."""
    readme, guide = ROOT / "README.md", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert len(links(readme)) > 5
    assert PATH_IN_THE_REPOSITORY.search(guide)
    assert len(in_language("yaml")) > 5
    assert len(in_language("python")) > 5
    assert len(CALLS) > 20


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_links_resolve(page: Path) -> None:
    for link in links(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_files_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [path for path in PATH_IN_THE_REPOSITORY.findall(text) if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("block", in_language("yaml"), ids=str)
def test_yaml_loads(block: Block, tmp_path: Path) -> None:
    """Studies and presets are valid, and any other block is at least valid YAML."""
    content = yaml.safe_load(block.text)
    if "study" in content:
        parse_study(content, str(block), tmp_path)
    elif any(isinstance(e, dict) and {"law", "like"} & set(e) for e in content.values()):
        file = tmp_path / "preset.yaml"
        file.write_text(block.text)
        assert list(read_preset_file(file, shipped_entries())) == list(content)
    else:
        assert isinstance(content, dict)


@pytest.mark.parametrize("block", in_language("python"), ids=str)
def test_python_compiles_and_its_imports_are_there(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test runs everything before the main guard: imports, definitions and quick calls."""
    monkeypatch.chdir(tmp_path)
    code = block.text.partition('if __name__ == "__main__":')[0]
    compile(block.text, str(block), "exec")
    exec(compile(code, str(block), "exec"), {"__name__": "docs"})


@pytest.fixture
def run_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Runs a script in the folder of the test, and returns its output."""
    monkeypatch.chdir(tmp_path)

    def run(code: str) -> str:
        names = {"__name__": "__main__", "executor": InThisProcess()}
        exec(compile(code, "script.py", "exec"), names)
        return capsys.readouterr().out

    return run


def test_the_example_of_the_readme_runs(tmp_path: Path, run_script: Callable[[str], str]) -> None:
    """The study of the README is made small, and runs in this process."""
    readme = ROOT / "README.md"
    (example,) = (block for block in blocks(readme) if block.language == "python")
    (declared,) = (block for block in blocks(readme) if block.language == "yaml")
    study = declared.text
    for long, short in (
        ("epochs: 10", "epochs: 1"),
        ("count: 3", "count: 1"),
        ("name: digits", "name: digits, n_train: 100, n_test: 50"),
    ):
        assert long in study
        study = study.replace(long, short)
    (tmp_path / "my_device.yaml").write_text(study)
    assert "workers=2" in example.text
    printed = run_script(example.text.replace("workers=2", "executor=executor"))
    assert "..." not in printed
    summary, rows = printed.split("label", 1)
    assert summary.split()[:5] == ["case", SWEPT, "accuracy", "gap", "gap_ci"]
    shown = [line.split()[1:3] for line in summary.splitlines()[2:4]]
    assert shown == [["capacitor", "0"], ["capacitor", "1"]]
    assert rows.split()[:3] == [SWEPT, "seed", "test_accuracy"]


def test_the_training_of_the_guide_runs(tmp_path: Path, run_script: Callable[[str], str]) -> None:
    page = ROOT / "docs" / "how-to" / "python.md"
    (example,) = (block for block in blocks(page) if "device_synapses" in block.text)
    code = example.text.replace("epochs=10", "epochs=1")
    assert code != example.text
    printed = run_script(code)
    assert printed.splitlines()[1:] == ["(64, 64)", "(64, 10)"]
    assert (tmp_path / "net.h5").stat().st_size > 10_000


def rules_of_the_guide() -> list[Block]:
    """Returns the two rules of the guide: one for `train`, and one for a study."""
    return [block for block in blocks(ROOT / "CONTRIBUTING.md") if block.language == "python"]


def test_the_learning_rule_of_the_guide_trains(run_script: Callable[[str], str]) -> None:
    example, _ = rules_of_the_guide()
    printed = run_script(f"{example.text}\n\nprint(accuracy())\n")
    assert float(printed) > 0.5  # Guessing would reach 0.1.


def test_the_rule_of_the_guide_is_an_update_of_a_study(tmp_path: Path) -> None:
    """An edited rule runs its trials again, and no others."""
    (_, example), file = rules_of_the_guide(), tmp_path / "sign.py"
    rule = {"update": {"rule": "sign.py"}, "learning_rate": 0.02}
    cases = [{"update": "rate", "learning_rate": 4}, rule]
    file.write_text(example.text)
    first = trained(tmp_path, cases)
    assert min(first.values()) > 50  # chance: 10
    file.write_text(example.text.replace("np.sign(", "-np.sign("))
    again = trained(tmp_path, cases)
    assert again["sign"] < 30
    assert again["rate"] == first["rate"]


def commands_of(block: Block) -> Iterator[list[str]]:
    """Yields the calls of rpu-ssnn in a block, as argument lists."""
    for line in block.text.replace("\\\n", " ").splitlines():
        parts = shlex.split(line, comments=True)
        if parts and parts[0].rpartition("/")[2] == "rpu-ssnn":
            yield parts[1:]


CALLS = [
    pytest.param(call, id=f"{block} {' '.join(call)}")
    for block in in_language("console")
    for call in commands_of(block)
]


@pytest.mark.parametrize("call", CALLS)
def test_commands_and_options_exist(call: list[str]) -> None:
    command = typer.main.get_command(app)
    while call and call[0] in getattr(command, "commands", {}):
        command, call = command.commands[call[0]], call[1:]  # type: ignore[attr-defined]
    known = {name for parameter in command.params for name in parameter.opts}
    assert {part for part in call if part.startswith("--")} <= known
    if not call:
        return
    if getattr(command, "commands", {}):  # A group called by itself may have options only.
        assert command.invoke_without_command  # type: ignore[attr-defined]
        assert call[0].startswith("-")


def test_reference_pages_are_whole() -> None:
    """Each generated page has a table of more than ten rows and no broken one."""
    for name, made in FILES.items():
        rows = [line for line in joined(made()).splitlines() if line.startswith("|")]
        assert len(rows) > 10, name
        assert all(line.endswith("|") for line in rows), name


def test_a_table_is_not_cut_by_a_blank_line() -> None:
    """A row after a blank line must be a header, with the line of dashes below it."""
    for page in pages():
        lines = page.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines[:-1]):
            starts = line.startswith("|") and (number == 0 or not lines[number - 1].startswith("|"))
            if starts:
                assert re.match(r"\|[\s:|-]+\|$", lines[number + 1]), f"{page}:{number + 1}"
