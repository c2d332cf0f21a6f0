"""An environment with a3s and its extra `ray`, made once inside the one that the tests run in.

Ray is large, needs minutes on a slow line and has no wheel for every Python: where there
is none, what needs it is skipped, which is no failure even in CI.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess  # noqa: TID251 - installs a package
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ENVIRONMENT = Path(sys.prefix) / "ray-environment"
#: How the reason begins for which a test is skipped.
NO_WHEEL = "no wheel of ray: "


def excuses(reason: str) -> bool:
    """Whether a test was skipped because pip finds no wheel."""
    return NO_WHEEL in reason


def python() -> str:
    """The interpreter that has a3s with the extra, or skip the test."""
    told = (PROJECT / "pyproject.toml").read_bytes() + sys.version.encode()
    stamp, wanted = ENVIRONMENT / "stamp", hashlib.sha256(told).hexdigest()
    with open(Path(sys.prefix) / "ray-environment.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            _install()
            stamp.write_text(wanted)
    return str(ENVIRONMENT / "bin/python")


def _install() -> None:
    venv = ["venv", "--clear", "--without-pip", str(ENVIRONMENT)]
    subprocess.run([sys.executable, "-m", *venv], check=True)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    # Nearly all of Ray's thousands of modules are never imported: compile those that are.
    pip += ["--python", str(ENVIRONMENT / "bin/python"), "install", "--no-compile"]
    made = subprocess.run(
        [*pip, "-e", f"{PROJECT}[ray]"], capture_output=True, text=True, check=False
    )
    if "No matching distribution found for ray" in made.stderr:
        pytest.skip(NO_WHEEL + made.stderr.strip().splitlines()[-1])
    assert made.returncode == 0, made.stderr
