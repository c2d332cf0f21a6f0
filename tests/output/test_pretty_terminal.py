"""What a person sees on a real terminal, through the real binary."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios
from typing import Any

import pytest

from ..support import descriptors
from ..support.a3s import Bench
from ..support.replies import Reply, bash, text

HOSTILE = "\x1b]0;owned\x07\u202edone"


def script() -> list[Reply]:
    return [bash("printf '\\033[2J%060d\\n' 7"), text(HOSTILE)]


def on_terminal(a3s: Bench, *args: str, columns: int = 40, **environment: str) -> tuple[str, Any]:
    """Run on a terminal of that width; give what it was sent, and the result."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        run = a3s.spawn(
            "run", "--allow", "bash", *args, "go",
            script=script(), stdout=slave, laws="none", env={"TERM": "xterm", **environment},
        )  # fmt: skip
    finally:
        os.close(slave)
    try:
        shown = descriptors.whole(master)
    finally:
        os.close(master)
    return shown.decode().replace("\r\n", "\n"), run.finish()


def page(shown: str) -> list[str]:
    """The lines without the times and the live line, which no two runs have in common."""
    shown = re.sub(r"^.*\r(\x1b\[J)?", "", shown, flags=re.M)
    return [line.rpartition(" · ")[0] if "✓" in line else line for line in shown.split("\n")]


def test_a_terminal_gets_a_page_in_colour_as_wide_as_it_is(a3s: Bench) -> None:
    shown, result = on_terminal(a3s)
    assert (result.exit_status, result.stderr) == (0, b"")
    dim, off = "\x1b[2m", "\x1b[0m"
    assert page(shown) == [
        f"{dim}model openai/test-model{off}",
        "",
        "[1] \x1b[1mbash\x1b[0m  printf '\\033[2J%060d\\n' 7",
        f"{dim}[1] │ {off}{dim}\\x1b[2J{'0' * 26}…{off}",
        f"[1] \x1b[32m✓{off} exit 0",
        "",
        "\\x1b]0;owned\\x07\\u202edone",
        "",
        f"\x1b[32m✓{off} {dim}2 turns · 1 tool call · 20 tokens in, 10 out",
        "",
    ]


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(a3s: Bench, environment: dict[str, str]) -> None:
    shown, _ = on_terminal(a3s, columns=60, **environment)
    assert not re.search(r"\x1b\[[\d;]*m", shown)
    assert f"[1] │ \\x1b[2J{'0' * 46}…" in page(shown)


def test_raw_on_a_terminal_is_neutralised(a3s: Bench) -> None:
    shown, result = on_terminal(a3s, "-o", "raw")
    assert (shown, result.stderr) == ("\\x1b]0;owned\\x07\\u202edone\n", b"")


def test_raw_and_json_ignore_the_terminals_variables_in_a_pipe(a3s: Bench) -> None:
    forced = {"FORCE_COLOR": "1", "TERM": "xterm"}
    result = a3s("run", "--allow", "bash", "-o", "raw", "go", script=script(), env=forced)
    assert result.stdout.decode() == HOSTILE + "\n"
    assert a3s("run", "--allow", "bash", "go", script=script(), env=forced).text == HOSTILE


def test_pretty_in_a_pipe_has_no_colour_unless_it_is_forced(a3s: Bench) -> None:
    args = ("run", "--allow", "bash", "-o", "pretty", "go")
    plain = a3s(*args, script=script()).stdout.decode()
    assert "\x1b" not in plain
    assert f"[1] │ \\x1b[2J{'0' * 59}7" in plain.split("\n")
    assert (
        "\x1b[1mbash\x1b[0m"
        in a3s(*args, script=script(), env={"FORCE_COLOR": "1"}).stdout.decode()
    )
