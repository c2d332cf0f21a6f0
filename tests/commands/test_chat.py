"""`a3s chat` at a real terminal: what is typed, what is shown, what the model is told."""

from __future__ import annotations

import re
import signal
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import Reply, bash, stall, text
from ..support.run import Run
from ..support.terminal import SOON, Terminal

PROMPT = "\n> "
#: What a line editor does to the line while a person types.
_EDITING = re.compile(r"\x1b\[\??[\d;]*[a-zA-Z]|\r|\x07")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    one = Terminal(100, 40)
    yield one
    assert termios.tcgetattr(one.side) == one.settings, "the terminal was left changed"
    one.close()


def talking(a3s: Bench, terminal: Terminal, script: list[Reply], *args: str, **more: Any) -> Run:
    return a3s.spawn(
        *(args or ("chat",)), script=script, terminal=terminal.side, stdout=terminal.side,
        stderr=terminal.side, laws="none",
        env={"TERM": "xterm", "NO_COLOR": "1", "A3S_MODEL": "openai/test-model", **more},
    )  # fmt: skip


def shown(terminal: Terminal) -> str:
    return _EDITING.sub("", terminal.wait_for("> "))


def told(run: Run, request: int) -> list[tuple[str, str]]:
    assert run.server
    return [
        (one["role"], one["content"]) for one in run.server.requests[request].body["messages"][1:]
    ]


def test_a_conversation(a3s: Bench, terminal: Terminal) -> None:
    run = talking(a3s, terminal, [text("Hello, **you**."), text("Two."), text("Three.")])
    assert "model openai/test-model · /help lists the commands" in shown(terminal)
    terminal.type("say hello\n")
    assert re.search(r"\nHello, \*\*you\*\*\.\n\n✓ 1 turn · .*\n\n> \Z", shown(terminal))
    terminal.type("/cost\n")
    assert "\n10 tokens in, 5 out\n" in shown(terminal)
    terminal.type("another\n")
    shown(terminal)
    terminal.type("/undo\n")
    assert "dropped the last prompt and its answer; files stay as they are" in shown(terminal)
    # The history has the line before last: edit it.
    terminal.type("\x1b[A\x1b[A?\n")
    shown(terminal)
    terminal.type("\x04")
    assert run.finish(SOON).status == 0
    last = terminal.rest()
    assert "3 prompts · 30 tokens in, 15 out\n" in last
    session = last.rpartition("a3s chat --session ")[2].strip()
    assert told(run, 2) == [
        ("user", "say hello"), ("assistant", "Hello, **you**."), ("user", "another?"),
    ]  # fmt: skip
    again = talking(a3s, terminal, [text("Four.")], "chat", "--session", session)
    shown(terminal)
    terminal.type("/undo\n")
    shown(terminal)
    terminal.type("\x1b[A\x1b[A\n")  # the history is kept, too
    shown(terminal)
    terminal.type("/quit\n")
    assert again.finish(SOON).status == 0
    assert told(again, 0)[-1] == ("user", "another?")


def test_ctrl_c(a3s: Bench, terminal: Terminal) -> None:
    script = [stall("Once"), bash("trap '' TERM; echo up; sleep 300"), text("fine")]
    run = talking(a3s, terminal, script, "chat", "--allow", "bash")
    shown(terminal)
    terminal.type("half a line")
    terminal.wait_for("half a line")
    # Python's input() misses a signal that comes while readline takes a key.
    cleared = ""
    for _ in range(100):
        terminal.type("\x03")
        if "> " in (cleared := cleared + terminal.rest()):
            break
    assert "> " in cleared
    terminal.type("tell me a story\n")
    terminal.wait_for("Once")
    terminal.type("\x03")
    assert "✗ cancelled" in shown(terminal)
    terminal.type("wait\n")
    terminal.wait_for("│ up")
    terminal.type("\x03")
    assert "✗ cancelled" in shown(terminal)
    terminal.type("well?\n")
    assert "fine" in shown(terminal)
    terminal.type("\x04")
    assert run.finish(SOON).status == 0
    assert [words for role, words in told(run, 2) if role == "user"] == [
        "tell me a story", "wait", "well?",
    ]  # fmt: skip


def test_a_second_ctrl_c_kills_at_once(a3s: Bench, terminal: Terminal) -> None:
    script = [bash("trap '' TERM INT; echo up; while :; do sleep 1; done"), text("fine")]
    run = talking(a3s, terminal, script, "chat", "--allow", "bash")
    shown(terminal)
    terminal.type("wait\n")
    terminal.wait_for("│ up")
    run.signal(signal.SIGINT)
    import time

    time.sleep(0.2)  # two presses, and not one that arrives twice
    run.signal(signal.SIGINT)
    assert "✗ cancelled" in shown(terminal)
    terminal.type("\x04")
    assert run.finish(SOON).status == 0


def test_a_question_in_a_conversation(a3s: Bench, terminal: Terminal) -> None:
    script = [bash("touch a"), text("done"), bash("touch b"), text("done")]
    run = talking(a3s, terminal, script)
    shown(terminal)
    terminal.type("make a\n")
    assert "always allows, in this conversation: bash(touch:*)" in terminal.wait_for("[?]: ")
    terminal.type("a")
    shown(terminal)
    terminal.type("make b\n")
    shown(terminal)
    terminal.type("/quit\n")
    assert run.finish(SOON).status == 0
    assert (a3s.work / "a").exists() and (a3s.work / "b").exists()


def test_what_a_cancelled_run_has_used_is_counted(a3s: Bench, terminal: Terminal) -> None:
    run = talking(a3s, terminal, [bash("touch made"), text("fine")])
    shown(terminal)
    terminal.type("go\n")
    terminal.wait_for("[y]es")
    terminal.type("\x03")
    assert "✗ cancelled" in shown(terminal)
    terminal.type("well?\n")
    assert "fine" in shown(terminal)
    terminal.type("\x04")
    assert run.finish(SOON).status == 0
    assert "2 prompts · 20 tokens in, 10 out\n" in terminal.rest()


def test_commands(a3s: Bench, terminal: Terminal) -> None:
    run = talking(a3s, terminal, [text("ok")], "chat")
    shown(terminal)
    for typed, said in (
        ("/help", "/undo   drop the last prompt"),
        ("/modle", "there is no command /modle; did you mean /model?"),
        ("/x", "there is no command /x; /help lists the commands"),
        ("/undo", "there is nothing to undo"),
        ("/model openia/x", 'a3s: unknown provider "openia"; did you mean "openai/x"?'),
        ("/model openai/other", "\nmodel openai/other\n"),
    ):
        terminal.type(f"{typed}\n")
        assert said in shown(terminal)
    terminal.type("/etc/hosts is what?\n")
    shown(terminal)
    terminal.type("\x04")
    run.finish(SOON)
    assert run.server and run.server.requests[0].body["model"] == "other"
    assert told(run, 0) == [("user", "/etc/hosts is what?")]


def test_a3s_alone(a3s: Bench, terminal: Terminal) -> None:
    run = a3s.start(
        ["a3s"], a3s.serve([text("hi")]), "none", False, terminal=terminal.side,
        stdout=terminal.side, stderr=terminal.side,
        env={"TERM": "dumb", "A3S_MODEL": "openai/test-model"},
    )  # fmt: skip
    terminal.wait_for("> ")
    terminal.type("\x04")
    assert run.finish(SOON).status == 0
    piped = a3s(laws="none")
    assert (piped.status, piped.stderr) == (2, b"")
    assert piped.stdout.startswith(b"Usage: a3s ")


def test_without_a_terminal(a3s: Bench) -> None:
    result = a3s("chat")
    assert result.status == 2
    assert result.stderr.startswith(b"a3s: chat needs a terminal on stdin and stdout\nhint: ")


def test_a_signal_at_the_prompt_ends_it(a3s: Bench, terminal: Terminal) -> None:
    run = talking(a3s, terminal, [])
    shown(terminal)
    run.signal(signal.SIGTERM)
    assert run.finish(SOON).exit_status == -signal.SIGTERM
