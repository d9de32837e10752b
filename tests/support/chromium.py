"""Opens a page in a real headless browser, for its console messages and the result of a script."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)

_MARK = "PROBE:"


@dataclass(frozen=True)
class Visit:
    """Holds the results of a visit.

    Attributes:
        console: the messages of the page, including errors of loading.
        found: the value that the script returned.
    """

    console: list[str]
    found: Any


def chromium() -> str:
    """Returns the path of the browser; skips the test if there is none."""
    path = next((program for name in NAMES if (program := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium: `apt-get install chromium` lets this test run")
    return path


def visit(page: Path, script: str, width: int, scratch: Path) -> Visit:
    """Takes a screenshot of a copy of the page, in which a script runs when everything is loaded.

    Headless Chromium opens no window narrower than 500 pixels, but resizes it for a screenshot, and
    the script waits for that.

    Args:
        page: the HTML file.
        script: JavaScript body of a function, whose return value becomes `Visit.found`.
        width: width of the window in CSS pixels.
        scratch: folder for the copy and ``screenshot.png``.
    """
    probe = (
        f"<script>{{ let done = false; const probe = () => {{ if (done || innerWidth !== {width}) "
        f"return; done = true; console.log('{_MARK}' + JSON.stringify((() => {{ {script} }})())); "
        "}; addEventListener('load', probe); addEventListener('resize', probe); }</script></body>"
    )
    copy = scratch / "visited.html"
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", probe), encoding="utf-8")
    command = [
        chromium(),
        *FLAGS,
        f"--user-data-dir={scratch / 'profile'}",
        f"--window-size={width},3000",
        f"--screenshot={scratch / 'screenshot.png'}",
        copy.as_uri(),
    ]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    lines = [line for line in completed.stderr.splitlines() if ":CONSOLE" in line]
    marks = [m[1] for line in lines if (m := re.search(rf'"{_MARK}(.*)", source: ', line))]
    assert len(marks) == 1, "the page's script did not run"
    return Visit([line for line in lines if _MARK not in line], json.loads(marks[0]))
