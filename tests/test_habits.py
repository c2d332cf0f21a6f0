"""The files that contributors and CI services run: whole, and of commands that exist."""

from __future__ import annotations

import re
import subprocess  # noqa: TID251 - the scripts are checked by other people's programs
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
WORKFLOW = ROOT / ".github/workflows/ci.yml"


def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text())
    return found


def test_the_workflow_runs_what_contributors_run() -> None:
    """It was never run where this is written; what can be checked without GitHub is checked."""
    jobs = workflow()["jobs"]
    assert set(jobs) == {"linux", "macos"}
    assert jobs["linux"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    for job in jobs.values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w.-]+/[\w.-]+@v\d+", step.get("uses", "a/b@v1"))
    commands = [step["run"] for step in jobs["linux"]["steps"] if "run" in step]
    assert commands[-1].endswith("bash .ci/run")
    assert workflow()["permissions"] == {"contents": "read"}


def test_the_workflow_is_one_that_github_takes() -> None:
    """Against the schema that the checker carries: nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    checked = subprocess.run(
        [*command, "vendor.github-workflows", str(WORKFLOW)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_the_workflow_names_is_there() -> None:
    for job in workflow()["jobs"].values():
        for step in job["steps"]:
            for path in re.findall(r"(?:tests|\.ci)/[\w./]+", step.get("run", "")):
                assert (ROOT / path).exists(), path


def test_what_the_justfile_names_is_there() -> None:
    for path in re.findall(
        r"(?<![\w-])(?:tests|\.ci)/[\w/]+(?:\.py)?", (ROOT / "justfile").read_text()
    ):
        assert (ROOT / path).exists(), path


def test_the_scripts_are_sound() -> None:
    for name in (".ci/run", ".ci/heavy"):
        assert (ROOT / name).stat().st_mode & 0o111
        subprocess.run(["shellcheck", str(ROOT / name)], check=True, timeout=60)


def test_the_version_has_one_place() -> None:
    """`RELEASING.md` says so; a release that forgets a second place would lie."""
    from a3s_cli.version import __version__

    told = f'version__ = "{__version__}"', f'\nversion = "{__version__}"'
    named = [
        path.relative_to(ROOT).as_posix()
        for path in (*ROOT.glob("a3s_cli/**/*.py"), ROOT / "pyproject.toml")
        if any(one in path.read_text() for one in told)
    ]
    assert named == ["a3s_cli/version.py"]
