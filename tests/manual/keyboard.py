"""A person at a shell: types lines, TAB included, and sees what then is executed.

`a3s` is a program here that notes its arguments, so a test reads what a line has
been completed to, not what a screen shows; and whatever a completion starts on its
own is noted as well.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess  # noqa: TID251 - a black-box test starts the shell
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from a3s_cli.cli import group
from a3s_cli.manual.completions import files
from a3s_cli.manual.tree import read

from ..support import descriptors
from ..support.run import HANG

#: How each shell is started without anybody's settings, and made to know the scripts.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "PS1='> '; . {share}/bash/a3s"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1='> '; unsetopt prompt_cr prompt_sp; fpath=({share}/zsh $fpath);"
        " autoload -Uz compinit; compinit -u -D",
    ),
    "fish": (["fish", "--no-config", "-i"], "set fish_complete_path {share}/fish"),
}
_STUB = """#!/bin/sh
test "$1 $2" = 'completion --models' && cat "$NAMES"
for word; do noted="$noted<$word>"; done
# In one write: what a completion starts in the background notes its words at the same time.
printf '%s\\n' "$noted" >> "$NOTED"
"""


class Desk:
    """A home, a directory to work in, the scripts, and an `a3s` that takes notes."""

    def __init__(self, root: Path) -> None:
        self.noted = root / "noted"
        self.share, self.home, self.work, program = (
            root / name for name in ("share", "home", "work", "bin")
        )
        for name, text in files(read(group)).items():
            (self.share / name).parent.mkdir(parents=True, exist_ok=True)
            (self.share / name).write_text(text)
        for directory in (self.home, self.work, program):
            directory.mkdir()
        (program / "a3s").write_text(_STUB)
        (program / "a3s").chmod(0o755)
        shutil.copy(program / "a3s", program / "a3s-cli")
        (root / "names").write_text("local\nopenai/gpt-5\nollama/qwen3:8b\nmistral/\n")
        self.environment = {
            "PATH": f"{program}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "NOTED": str(self.noted),
            "NAMES": str(root / "names"),
        }

    def file(self, path: str, text: str = "") -> None:
        """Put a file below the home or the directory to work in."""
        target = self.home / path[2:] if path.startswith("~/") else self.work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def type(self, shell: str, *lines: str) -> list[str]:
        """Type lines, each ended by Return; give the words of every `a3s` that was started."""
        command, settings = SHELLS[shell]
        first = f"cd {self.work}; {settings.format(share=self.share)}"
        _at_a_terminal(command, [first, *lines], self.environment, self.home)
        return self.noted.read_text().splitlines() if self.noted.exists() else []


def _at_a_terminal(
    command: Sequence[str], lines: Sequence[str], environment: Mapping[str, str], cwd: Path
) -> None:
    """Type each line when the one before it has been answered; then leave the shell."""
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *command],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
        cwd=cwd,
    )
    os.close(terminal)
    deadline = time.monotonic() + HANG
    seen = b""
    try:
        for number, line in enumerate([*lines, ""]):
            # The sum is not in what was typed, only in what the shell makes of it.
            ask = f"echo answered-$(expr {number} + 100)\r"
            os.write(keyboard, (f"{line}\r" if line else "").encode() + ask.encode())
            while f"answered-{number + 100}".encode() not in seen:
                ready, _, _ = select.select([keyboard], [], [], 1)
                seen += descriptors.piece(keyboard) if ready else b""
                assert time.monotonic() < deadline, seen.decode(errors="replace")
        os.write(keyboard, b"exit\r")
        descriptors.whole(keyboard)
    finally:
        process.kill()
        process.wait(10)
        os.close(keyboard)
