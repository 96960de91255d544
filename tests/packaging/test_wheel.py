"""The wheel: built, installed in an environment of its own somewhere else, and used there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it. What it depends on comes from this environment, the project does not."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("callboard-*.whl")
    place = folder / "elsewhere"
    venv.create(place, with_pip=False)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-index",
            "--quiet",
            "--target",
            site,
            wheel,
        ],
        check=True,
        capture_output=True,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return place


def test_the_installed_wheel_plays_the_demonstration(installed: Path, tmp_path: Path) -> None:
    played = subprocess.run(
        [
            installed / "bin" / "python",
            "-m",
            "app",
            "demo",
            "--headless",
            "--virtual",
            "--seconds",
            "20",
            "--json",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert played.returncode == 0, played.stderr
    result = json.loads(played.stdout)
    assert result["recipients"] == sum(result["buckets"].values()) == 156
    assert result["carrier_differences"] == 0


def test_the_wheel_brings_everything_it_needs_and_nothing_else(installed: Path) -> None:
    (site,) = installed.glob("lib/python*/site-packages")
    for needed in (
        "app/listener/templates/message.html",
        "app/rehearsal/sample/crew.csv",
        "app/store/migrations/versions/0001_first_schema.py",
        "styles/base.tcss",
    ):
        assert (site / needed).is_file(), needed
    brought = {path.name for path in site.iterdir() if path.is_dir() and not path.name.endswith(".dist-info")}
    assert brought - {"bin", "__pycache__"} == {"app", "providers", "styles", "widgets"}
