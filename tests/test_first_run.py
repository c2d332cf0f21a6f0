"""The front page followed word by word from a fresh clone: installed, on the PATH, run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # noqa: TID251 - an installer, as a reader runs it
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .support.a3s import Bench
from .support.replies import text

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def clone(to: Path) -> Path:
    """Copy what is committed, or would be: no environment, no build, no cache."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True, timeout=60,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return to


def install_lines() -> list[str]:
    """The line of the page, and the one that its comment offers instead."""
    block = re.search(r"<!-- test: install -->\n```sh\n(.*?)^```$", README, re.M | re.S)
    assert block
    first, _, other = block[1].strip().partition("# or: ")
    return [first.strip(), other.strip()]


def pipx_places(a3s: Bench, root: Path) -> dict[str, str]:
    """Where pipx installs to, for a user who has just come here."""
    return {
        "HOME": str(a3s.home),
        "PIPX_HOME": str(root / "pipx"),
        "PIPX_BIN_DIR": str(a3s.home / ".local/bin"),
        "PIPX_MAN_DIR": str(a3s.home / ".local/share/man"),
        "PIPX_DEFAULT_PYTHON": sys.executable,
    }


def uv_places(a3s: Bench, root: Path) -> dict[str, str]:
    """Where uv installs to."""
    return {
        "UV_TOOL_DIR": str(root / "tools"),
        "UV_TOOL_BIN_DIR": str(a3s.home / ".local/bin"),
        "UV_CACHE_DIR": str(root / "cache"),
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("command", "places"),
    [("pipx install", pipx_places), ("uv tool install", uv_places)],
    ids=["pipx", "uv"],
)
def test_the_front_page_word_by_word(
    a3s: Bench,
    tmp_path: Path,
    command: str,
    places: Callable[[Bench, Path], dict[str, str]],
) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no clone to clone")
    lines = install_lines()
    assert lines == ["pipx install '.[local]'", "uv tool install '.[local]'"]
    line = next(one for one in lines if one.startswith(command))
    here = clone(tmp_path / "clone")
    bin = a3s.home / ".local/bin"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **places(a3s, tmp_path),
    }
    installed = subprocess.run(
        ["bash", "-c", line], cwd=here, env=environment, capture_output=True, text=True,
        timeout=500, check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    # From here on, a new shell, in another directory.
    env = {"PATH": f"{bin}:/usr/local/bin:/usr/bin:/bin", "A3S_MODEL": "openai/gpt-5-mini"}
    typed = 'command -v a3s; a3s run "Say hello." | jq -rj --unbuffered ' + (
        "'select(.type==\"text_delta\").text'; a3s man run | head -n 1; a3s completion --install;"
        " a3s doctor | head -n 2; a3s serve --port 1 2>&1 | head -n 1"
    )
    run = a3s.shell(typed, script=[text("Hello", " there!")], env={**env, "SHELL": "/bin/bash"})
    shown = run.finish().stdout.decode().split("\n")
    assert shown[0] == str(bin / "a3s")
    assert shown[1] == "Hello there!NAME"
    assert shown[2].endswith("/bash-completion/completions/a3s")
    assert shown[4].startswith("✓ a3s ") and shown[5].startswith("✓ local ")
    # An extra that is missing is added in the way that this was installed.
    assert f"{command} --force '{here}[serve]'" in shown[6]
