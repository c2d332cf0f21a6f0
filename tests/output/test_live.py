"""The live line on a real terminal: what it says, that it is redrawn in place, that it goes."""

from __future__ import annotations

import asyncio
import re
import time
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


def screen(sent: str) -> list[str]:
    shown = pyte.Screen(60, 24)
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
            text = f"fetching m from hub: {share} % of 9 MB"
            sink.accept([Notice(code="model_download", text=text)])
            deadline = time.monotonic() + SOON
            while f"{share} %" not in b"".join(sent).decode():
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
        "hint: what has arrived is kept; the next run resumes the dow",
        "nload",
    ]
    assert rows[0].startswith("✗ cancelled, exit 130")
