"""The live line on a real terminal: what it says, that it is redrawn in place, that it goes."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess  # noqa: TID251 - a window of a real terminal multiplexer
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyte
import pytest

from a3s_cli.events import Error, Notice, TurnStart
from a3s_cli.output.pretty import Pretty
from a3s_cli.output.terminal import Style

from ..support.a3s import Bench
from ..support.replies import Reply, bash, stall, text
from ..support.terminal import SOON, Terminal

#: Waits until the terminal has shown what it should, then ends by itself.
SLOW = "echo one; printf two; until [ -e go ]; do sleep 0.05; done; echo; echo three"


def watched(a3s: Bench, script: list[Reply], *args: str, **environment: str) -> tuple[Any, Any]:
    terminal = Terminal(60, 24)
    run = a3s.spawn(
        "run", "--allow", "bash", *args, "go", script=script, terminal=terminal.side,
        stdout=terminal.side, stderr=terminal.side, laws="none",
        env={"TERM": "xterm", **environment},
    )  # fmt: skip
    return terminal, run


def screen(sent: str, width: int = 60) -> list[str]:
    shown = pyte.Screen(width, 24)
    pyte.Stream(shown).feed(sent.replace("\n", "\r\n"))
    return [row.rstrip() for row in shown.display if row.strip()]


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_a_command_that_takes_its_time(a3s: Bench, environment: dict[str, str]) -> None:
    terminal, run = watched(a3s, [bash(SLOW), text("**done**")], **environment)
    try:
        sent = terminal.wait_for("s · two")
        # Drawn at least twice, in place: the cursor goes back to the start of the line.
        sent += terminal.wait_for("s · two")
        rows = screen(sent)
        assert rows[-2] == "[1] │ one"
        assert re.fullmatch(r"\S \[1\] bash · \d+s · two", rows[-1])
        (a3s.work / "go").touch()
        assert run.finish(SOON).status == 0
        rows = screen(sent + terminal.rest())
    finally:
        terminal.close()
    assert rows[2:5] == ["[1] │ one", "[1] │ two", "[1] │ three"]
    assert not [row for row in rows if row[0] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"], "the line is gone"
    assert rows[6] == ("**done**" if environment else "done")


def test_a_model_that_thinks_and_a_run_that_is_cancelled(a3s: Bench) -> None:
    terminal, run = watched(a3s, [stall()])
    try:
        sent = terminal.wait_for("thinking · ")
        terminal.type("\x03")
        assert run.finish(SOON).status == 130
        rows = screen(sent + terminal.rest())
    finally:
        terminal.close()
    assert rows[0] == "model openai/test-model"
    assert rows[1].startswith("✗ cancelled, exit 130")


@pytest.mark.parametrize(
    ("args", "environment"), [((), {"TERM": "dumb"}), (("--plain",), {})], ids=["dumb", "plain"]
)
def test_where_nothing_may_be_redrawn(
    a3s: Bench, args: tuple[str, ...], environment: dict[str, str]
) -> None:
    terminal, run = watched(a3s, [bash("echo x; sleep 0.7"), text("**b**")], *args, **environment)
    try:
        assert run.finish(SOON).status == 0
        shown = terminal.rest()
    finally:
        terminal.close()
    assert not re.search(r"[\x1b\r]", shown) and "**b**" in shown


def test_never_in_a_pipe(a3s: Bench) -> None:
    script = [bash("printf '\\033[31mred\\033[m\\033[K'; sleep 0.6"), text("**b**")]
    shown = a3s("run", "--allow", "bash", "-o", "pretty", "go", script=script).stdout.decode()
    lines = [line.partition(" · ")[0] for line in shown.split("\n")]
    assert lines[3:7] == ["[1] │ red", "[1] ✓ exit 0", "", "**b**"]


def test_a_download_is_one_line_and_goes_on_with_the_next_run() -> None:
    sent: list[bytes] = []
    style = Style(terminal=True, laid_out=True, moves=True, fixed_width=60)
    sink = Pretty(sent.append, sent.append, style)

    async def fetch() -> None:
        sink.accept([TurnStart(turn=1)])
        for share in range(3):
            text = f"downloading m from hub: {share}% of 9 MB"
            sink.accept([Notice(code="model_download", text=text)])
            deadline = time.monotonic() + SOON
            while f"{share}%" not in b"".join(sent).decode():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)

    asyncio.run(fetch())
    assert b"\n" not in b"".join(sent)
    sink.accept([
        Error(error="cancelled by SIGINT", code="cancelled", retryable=False, exit_code=130,
              turns=0, tool_calls=0, total_tokens=0, duration_ms=1, signal="SIGINT"),
    ])  # fmt: skip
    rows = screen(b"".join(sent).decode())
    assert rows[1:] == [
        "a3s: cancelled by SIGINT",
        "hint: the part that was downloaded is kept; the next run res",
        "umes the download",
    ]
    assert rows[0].startswith("✗ cancelled, exit 130")


@pytest.mark.parametrize("width", [20, 24, 33, 60])
def test_a_pause_in_a_sentence(a3s: Bench, width: int) -> None:
    """The line takes the rest of the row, or waits for one; the words are not touched."""
    gate = threading.Event()
    words = "I look at it, and"
    terminal = Terminal(width, 24)
    run = a3s.spawn(
        "run", "go", script=[text(words, gate, " say: done.")], terminal=terminal.side,
        stdout=terminal.side, stderr=terminal.side, laws="none", env={"TERM": "xterm"},
    )  # fmt: skip
    try:
        sent = terminal.wait_for("I look at it,")
        if width > 20:
            sent += terminal.wait_for("s\x1b[0m\x1b[J\x1b[?7h\x1b8")
            # Near the margin, a word waits for its end.
            held = "I look at it," if width == 24 else words
            told = r"\d+s" if width == 24 else r"writing · \d+s"
            assert re.fullmatch(rf"{held} \S {told}", screen(sent, width)[1])
        gate.set()
        assert run.finish(SOON).status == 0
        rows = screen(sent + terminal.rest(), width)
    finally:
        gate.set()
        terminal.close()
    end = next(number for number, row in enumerate(rows) if row.startswith("✓"))
    assert " ".join(rows[1:end]) == f"{words} say: done."


def test_what_is_held_back_is_no_silence(a3s: Bench) -> None:
    gate = threading.Event()
    script = [text("| a | b |\n", "|---|---|\n", gate, "| c | d |\n")]
    terminal, run = watched(a3s, script)
    try:
        sent = terminal.wait_for("writing")
        gate.set()
        assert run.finish(SOON).status == 0
        rows = screen(sent + terminal.rest())
    finally:
        gate.set()
        terminal.close()
    assert rows[1:4] == ["a │ b", "──┼──", "c │ d"]


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux")
def test_a_window_that_shrinks_and_grows(a3s: Bench) -> None:
    """In tmux, which lays its rows out anew: nothing is left of the line, nothing is lost."""
    command = f"echo {'x' * 50}; printf '%s' {'y' * 60}; until [ -e go ]; do sleep 0.05; done"
    environment = a3s.environment(a3s.serve([bash(command), text("done")])) | {
        "LANG": "C.UTF-8", "SHELL": "/bin/sh",
    }  # fmt: skip
    # The name of a socket is short.
    directory = Path(tempfile.mkdtemp(prefix="a3s-"))
    socket = str(directory / "s")

    def tmux(*args: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", socket, "-f", "/dev/null", *args],
            check=False, env=environment, cwd=a3s.work, capture_output=True, timeout=SOON,
        )  # fmt: skip
        return done.stdout.decode()

    def rows() -> list[str]:
        return tmux("capture-pane", "-p", "-J", "-S", "-").rstrip().split("\n")

    def wait_for(holds: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + SOON
        while not holds(found := rows()):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    run = "a3s run -m openai/test-model --allow bash go; echo status $?; cat"
    tmux("new-session", "-d", "-x", "80", "-y", "24", run)
    try:
        wait_for(lambda found: "s · yyy" in found[-1])
        for width in (40, 80, 22, 60):
            tmux("resize-window", "-x", str(width))
            wait_for(
                lambda found: re.fullmatch(r". \[1\] bash · \d+s · y*…?", found[-1]) is not None
                and found[-2] == "[1] │ " + "x" * 50
                and sum("bash ·" in row for row in found) == 1
            )  # fmt: skip
        (a3s.work / "go").touch()
        found = wait_for(lambda found: found[-1].startswith("status"))
    finally:
        tmux("kill-server")
        shutil.rmtree(directory)
    assert found[-1] == "status 0"
    assert not [row for row in found if row[:1] in tuple("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")]
    assert "done" in found
