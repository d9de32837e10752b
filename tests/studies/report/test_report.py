"""The report is self-contained, safe whatever the names, and readable in a real browser."""

import re
from pathlib import Path

import pytest

from studies.declaration.trial import Runs, Trial
from studies.report.figure_style import FONT_POINTS, NARROW_INCHES, WIDE_INCHES
from studies.report.page import build
from studies.report.page.build import report_html, write_report
from studies.report.page.headline import device_to_ask_about, headline
from studies.results.summary import summary
from studies.results.tables import results_frame
from support.chromium import visit
from support.commands import refused
from support.device_presets.own_presets import write_own_presets
from support.studies.harness import DRIVE, RATE
from support.studies.html_elements import Elements
from support.studies.results_fakes import accuracy, nasty_study, runs_of, write_folder

READABLE_PIXELS = 10


A_AND_B = [
    {"device": device, "label": label, "hyperparameters": DRIVE}
    for label, device in (("a", "reram_es"), ("b", "ecram"))
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(write_folder(tmp_path_factory.mktemp("report") / "out", nasty_study()))


@pytest.fixture(scope="module")
def text(report: Path) -> str:
    return report.read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(text: str) -> None:
    for tag, attributes in Elements(text).tags:
        for name in ("src", "srcset", "href"):
            assert str(attributes.get(name, "data:")).startswith(("data:", "#")), (tag, name)
    assert not re.search(r"https?://|@import|url\(", text)
    assert "default-src 'none'" in text


def test_no_name_becomes_markup(text: str) -> None:
    assert "<script>alert" not in text
    assert "<b>it</b>" not in text
    assert text.count("<script") == text.count("</script>") == 1
    assert "x_$T$ &lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; &amp; 50 %" in text


def test_the_report_holds_everything(text: str) -> None:
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings == ["Warnings", "Figures", "Summary", "Declaration", "Made with"]
    anchors = re.findall(r'<section [^>]*id="([^"]+)', text)
    assert re.findall(r'<a href="#([a-z-]+)">', text) == anchors
    assert text.count("<figure>") == 3
    assert "15 of 15 trials done" in text
    assert "-5.50 ± 1.24" in text
    assert "1.00 ns" in text
    assert text.count("<summary>CSV</summary>") == 1
    assert "torch_version" in text
    assert "study: small" in text
    assert len(re.findall(r"<tr>", text)) == 1 + 5


def test_the_answer_comes_first_in_words(text: str) -> None:
    answer = re.findall(r"<p>(.*?)</p>", text[text.index('aria-label="Answer"') :])[:4]
    assert answer[0].startswith("x_$T$")
    assert "[T = 10] reaches " in answer[0]
    assert answer[1].startswith("The choice of the best device leaves out x_$T$")
    assert answer[1].endswith("[T = 20] (a device that is compared in another row).")
    assert answer[2].startswith("Significant gaps to rate: 1 of 2")
    assert text.index("[T = 10] reaches") < text.index("<nav") < text.index("<h2>Figures</h2>")


def answer_of(runs: Runs) -> list[str]:
    results = results_frame(runs)
    return list(headline(runs, results, summary(results, "rate"), "rate"))


NOT_DEVICES = [
    {"update": "analog_sgd", "device": "ecram", "hyperparameters": DRIVE},
    {"device": "ideal", "hyperparameters": DRIVE},
    {"device": "two_device_pair(gokmen_vlasov)", "hyperparameters": DRIVE},
    {"device": "capacitor", "overrides": {"cycle_to_cycle": 0.0}, "hyperparameters": DRIVE},
]
"""Cases that are not real devices: a control, two specifications, and a device with an imperfection
switched off."""


@pytest.mark.parametrize("last", [["ecram", "reram_es"], ["ecram"], []])
def test_only_devices_as_their_presets_have_them_are_the_best(last: list[str]) -> None:
    cases = [RATE, *NOT_DEVICES, *({"device": name, "hyperparameters": DRIVE} for name in last)]
    study = nasty_study(cases=cases, sweep={})
    order = [case.name for case in study.cases]
    runs = runs_of(study, lambda t: 95.0 - order.index(t.label) * (5 - t.settings.seed / 10))
    answer = answer_of(runs)
    first = {
        2: "Best device: ecram with ",
        1: "ecram reaches ",
        0: "No device is named, as the choice of the best device ",
    }
    assert answer[0].startswith(first[len(last)])
    lower = "Significantly lower than ecram: reram_es (-4.90 ± 0.25 points, p <0.001)."
    assert (lower in answer) == (len(last) == 2)
    (left_out,) = [line for line in answer if "choice of the best device leaves out" in line]
    specified = "ideal, two_device_pair(gokmen_vlasov) (`technology: specification`"
    assert specified in left_out
    assert "; capacitor (changed presets)" in left_out
    assert answer[-1].startswith(f"Significant gaps to rate: {len(order) - 1} of {len(order) - 1}")


def test_a_device_competes_once_and_not_after_storage() -> None:
    stored = {"device": "capacitor", "label": "two days", "tile": {"storage_seconds": 172800}}
    cases = [RATE, {"device": "capacitor"}, stored, {"device": "ecram"}]
    cases = [case | ({"hyperparameters": DRIVE} if "device" in case else {}) for case in cases]
    study = nasty_study(cases=cases, sweep={})
    runs = runs_of(study, lambda t: 80.0 + t.settings.seed + 5.0 * (t.label == "two days"))
    answer = answer_of(runs)
    assert answer[0].startswith("Best device: capacitor ")
    assert answer[1].startswith("Not significantly different from capacitor: ecram (")
    assert answer[2].endswith(" two days (a device that is compared in another row).")
    assert device_to_ask_about(study, runs) in ("capacitor", "ecram")


def test_questions_are_about_the_users_own_device(tmp_path: Path) -> None:
    own = f"{write_own_presets(tmp_path)}:power"
    cases = [{"device": name, "hyperparameters": DRIVE} for name in ("capacitor", own)]
    study = nasty_study(cases=[RATE, *cases], sweep={})
    runs = runs_of(study, lambda t: 90.0 - 5.0 * ("power" in t.label))
    assert str(device_to_ask_about(study, runs)).endswith("own.yaml:power")


def test_no_device_near_chance_is_the_best() -> None:
    cases = [RATE, {"device": "ecram", "hyperparameters": DRIVE}]
    runs = runs_of(nasty_study(cases=cases, sweep={}), lambda t: 12.0 + t.settings.seed)
    for _, result in runs:
        result.row.update(network="64-8-10", n_test=100)
    assert not any(line.startswith("Best") for line in answer_of(runs))


@pytest.mark.parametrize(("seeds", "tested"), [([0, 1, 2], True), ([0, 1], False)])
def test_devices_that_seeds_cannot_tell_from_best_are_named(seeds: list[int], tested: bool) -> None:
    answer = answer_of(runs_of(nasty_study(cases=[RATE, *A_AND_B], sweep={}, seeds=seeds)))
    assert answer[0].startswith("Best device: a ")
    named = "Not significantly different from a: b (+0.00 points, p 1.00)."
    assert (answer[1] == named) == tested


def test_answers_of_a_folder_are_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_pictures", lambda figures: [])
    folder = write_folder(tmp_path / "out", nasty_study())
    (folder / "requirements.csv").write_text(
        "parameter,own,own_loss,bound,required,why_none\nlevels,100,2.0,at least,301.25,\n"
    )
    (folder / "attribution.csv").write_bytes(b"")
    (folder / "attribution.png").write_bytes(b"\x89PNG")
    text = report_html(folder)
    assert "<h2>Requirement</h2>" in text
    assert "<td>301.2</td>" in text
    assert "<td>-</td>" in text
    assert "<h2>Attribution</h2>" not in text


def test_what_ends_above_the_best_over_common_seeds_is_not_called_lower() -> None:
    """The best case has one more seed, which raises its mean; over the common seeds b is higher."""
    study = nasty_study(cases=[RATE, *A_AND_B], sweep={}, seeds=[0, 1, 2, 3])

    def reached(trial: Trial) -> float:
        seed = trial.settings.seed
        if trial.label == "a" and seed == 3:
            return 99.0
        return 80.0 + seed / 10 + (1.0 + seed / 100 if trial.label == "b" else 0.0)

    runs = runs_of(study, reached)
    answer = answer_of([r for r in runs if (r[0].label, r[0].settings.seed) != ("b", 3)])
    assert answer[0].startswith("Best device: a ")
    said = "Significantly higher than a, over the seeds that both have: b (+1."
    assert answer[1].startswith(said)
    assert "lower" not in answer[2]


def test_without_the_reference_the_runs_are_still_shown(tmp_path: Path) -> None:
    study = nasty_study()
    some = [run for run in runs_of(study) if run[0].label != "rate"]
    text = report_html(write_folder(tmp_path / "out", study, some))
    assert "The reference rate has no finished trial" in text
    assert "<h2>Figures</h2>" in text
    assert "<h2>Summary</h2>" not in text


def test_no_folder_and_no_place_are_refused(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "out", nasty_study())
    with refused("path: ", "must be in an existing folder"):
        write_report(root, tmp_path / "nowhere" / "a.html")
    with refused("path: 'a.pdf'", "must end in .html or .htm"):
        write_report(root, "a.pdf")


LOOK = """
const images = [...document.images];
const th = document.querySelectorAll("th")[2];
const seen = th.getBoundingClientRect().right;  // without scrolling
document.querySelectorAll("details").forEach((each) => { each.open = true; });
const cells = () => [...th.closest("table").tBodies[0].rows].map((r) => r.cells[2].textContent);
const before = cells(); th.firstElementChild.click();
const up = cells(); th.firstElementChild.click();
const text = [...document.querySelectorAll("h1, p, li, th, td, figcaption, pre, dd, dt")];
return {
  width: innerWidth, page: document.documentElement.scrollWidth,
  images: images.map((i) => [i.complete && i.naturalWidth, i.clientWidth, i.clientHeight]),
  narrow: images.map((i) => i.currentSrc !== i.src),
  seen: seen, heading: th.textContent, before: before, up: up, down: cells(),
  smallest: Math.min(...text.map((e) => parseFloat(getComputedStyle(e).fontSize))),
};
"""


@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_shows_all_at_a_desk_or_phone(width: int, report: Path, tmp_path: Path) -> None:
    shown = visit(report, LOOK, width, tmp_path)
    assert shown.console == []
    seen = shown.found
    assert seen["width"] == width
    assert seen["page"] <= width  # Tables may scroll, but the page may not.
    assert seen["seen"] <= width
    assert len(seen["images"]) == 3
    inches = WIDE_INCHES if width > 640 else NARROW_INCHES
    for natural, image_width, image_height in seen["images"]:
        assert natural > 0
        assert image_height > 100
        assert image_width * FONT_POINTS / (inches * 72) >= READABLE_PIXELS
    assert set(seen["narrow"]) == {width <= 640}
    assert seen["smallest"] >= READABLE_PIXELS
    assert seen["heading"] == "accuracy %"
    before, up, down = (
        [float(cell.split()[0]) for cell in seen[when]] for when in ("before", "up", "down")
    )
    assert up == sorted(before) != before
    assert down == up[::-1]


def test_the_summary_of_a_report_is_that_of_its_rows(text: str, tmp_path: Path) -> None:
    worse = runs_of(nasty_study(), lambda trial: accuracy(trial) - 10)
    after = report_html(write_folder(tmp_path / "out", nasty_study(), worse))
    assert "91.00 ±" in text
    assert "91.00 ±" not in after
    assert "81.00 ±" in after
