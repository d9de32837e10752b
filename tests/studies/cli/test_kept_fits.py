"""Fits are kept for the same readings and libraries, and are not lost if they cannot be kept."""

from pathlib import Path

import pytest

from device_presets.fitting import Quantity
from studies.cli import kept_fits


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces the fit by a short one, and returns the list of the names that were fitted."""
    names: list[str] = []

    def fit(file: Path, name: str, **_: object) -> Quantity:
        names.append(name)
        return Quantity(name, 1.0, None, None, "weight")

    monkeypatch.setattr(kept_fits, "fit_file", fit)
    return names


@pytest.mark.parametrize(("below", "why"), [("", "File exists"), ("fits", "Not a directory")])
def test_a_fit_that_cannot_be_kept_is_not_lost(
    below: str, why: str, fitted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home may be read-only, as in a container."""
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    monkeypatch.setenv(kept_fits.FOLDER, str(in_the_way / below))
    told: list[str] = []
    kept = kept_fits.kept_fit(tmp_path / "a.csv", "mine", told.append)
    assert (kept.name, fitted) == ("mine", ["mine"])
    assert told == [f"the fit is not kept in {in_the_way / below}: {why}"]


def test_only_what_changes_a_fit_makes_it_again(
    fitted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kept_fits.FOLDER, str(tmp_path / "fits"))
    file = tmp_path / "a.csv"
    file.write_text("readings")

    def named(name: str, **options: object) -> str:
        return kept_fits.kept_fit(file, name, lambda words: None, **options).name

    assert (named("first"), named("second")) == ("first", "second")
    assert fitted == ["first"]
    named("weights", weight_zero=1.0)
    file.write_text("others")
    named("readings")
    monkeypatch.setattr(kept_fits, "version", lambda library: "99")
    named("libraries")
    assert fitted == ["first", "weights", "readings", "libraries"]
