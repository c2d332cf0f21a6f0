"""The Dockerfile without an engine: its lint, and its steps at their paths in a throw-away root.

The root is this machine's, read-only, with the file's directories in memory. Not
run are the steps that need the base image: `apt-get` and `useradd`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess  # noqa: TID251 - a linter, and the steps of the file
import sys
import sysconfig
from pathlib import Path

import pytest

from a3s_cli.version import __version__

CHECKOUT = Path(__file__).parents[2]
DOCKERFILE = CHECKOUT / "integrations/Dockerfile"
#: Dependencies are those of this environment; nothing is fetched.
ENVIRONMENT = {
    "PYTHONPATH": sysconfig.get_path("purelib"),
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n|\\\n", "", DOCKERFILE.read_text(), flags=re.M)
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line]


def in_root(root: Path, line: str, directory: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell where `/src`, `/opt/a3s` and `/work` are those of the file."""
    words = ["bwrap", "--die-with-parent", "--unshare-pid", "--tmpfs", "/"]
    for name in sorted(os.listdir("/")):
        if Path(f"/{name}").is_symlink():
            words += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif name not in ("proc", "dev", "tmp", "src", "work"):
            words += ["--ro-bind", f"/{name}", f"/{name}"]
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/opt"]
    for name in ("src", "opt/a3s", "work"):
        (root / name).mkdir(parents=True, exist_ok=True)
        words += ["--bind", str(root / name), f"/{name}"]
    # What the interpreter itself needs may be anywhere, also below one of these.
    for needed in (sys.prefix, sys.base_prefix):
        words += ["--ro-bind", needed, needed]
    words += ["--chdir", directory, "sh", "-c", line]
    return subprocess.run(
        words, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("no hadolint")
    result = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_its_steps_give_the_command(tmp_path: Path) -> None:
    if not shutil.which("bwrap"):
        pytest.skip("no bwrap")
    words, entry, default, left_out = {"FROM"}, [], [], []
    directory = "/"
    for name, value in instructions():
        if name == "WORKDIR":
            directory = value
        elif name == "COPY" and not value.startswith("--from"):
            *sources, target = value.split()
            for source in sources:
                copy(CHECKOUT / source, tmp_path / directory.strip("/") / target / (
                    "" if (CHECKOUT / source).is_dir() else source
                ))  # fmt: skip
        elif name == "RUN" and "apt-get" not in value:
            result = in_root(tmp_path, value, directory)
            assert result.returncode == 0, result.stderr
        elif name == "RUN":
            left_out.append(value)
        elif name == "ENTRYPOINT":
            entry = json.loads(value)
        elif name == "CMD":
            default = json.loads(value)
        else:
            words.add(name)
    assert words == {"FROM", "COPY", "ENV", "USER"}
    assert len(left_out) == 1
    path = "PATH=/opt/a3s/bin:$PATH"
    shown = in_root(tmp_path, f"{path} {shlex.join([*entry, *default])}", directory)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("Usage: a3s")
    shown = in_root(
        tmp_path, f"{path} a3s --version; test -e /opt/a3s/share/man/man1/a3s.1", "/work"
    )
    assert (shown.returncode, shown.stdout) == (0, f"a3s {__version__}\n")


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)
