"""Asking a person at a terminal: what they see, what answers do, when no one is asked."""

from __future__ import annotations

import os
import re
import signal
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from ..support import laws
from ..support.a3s import Bench
from ..support.replies import Reply, a_call, bash, calls, text
from ..support.run import Result, Run
from ..support.terminal import SOON, Terminal

PROMPT = "[y]es [a]lways [n]o inst[e]ad [?]: "
PROMPT_MORE = "[y]es [a]lways [n]o inst[e]ad [?] [m]ore: "


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    one = Terminal()
    yield one
    assert termios.tcgetattr(one.side) == one.settings, "the terminal was left changed"
    one.close()


def asking(a3s: Bench, terminal: Terminal, script: list[Reply], *args: str, **more: Any) -> Run:
    """A run whose stdin is the terminal, and whose stream goes elsewhere."""
    return a3s.spawn(
        "run", "--json", "--on-ask", "prompt", *args, "go",
        script=script, terminal=terminal.side, **more,
    )  # fmt: skip


def fates(result: Result) -> list[tuple[str, ...]]:
    """The questions, answers and fates of a run."""
    told = []
    for event in result.events:
        match event["type"]:
            case "permission_request":
                told.append(("asked", event["toolId"], event["rule"]))
            case "permission_answer":
                told.append((event["answer"], event["toolId"], event["by"]))
            case "tool_start":
                told.append(("ran", event["toolId"], event["rule"]))
            case "permission_denied":
                told.append(("denied", event["toolId"], event["rule"]))
    return told


COLOURLESS = {"TERM": "dumb"}


def test_yes_runs_what_was_shown(a3s: Bench, terminal: Terminal) -> None:
    terminal.resize(columns=300)
    script = [bash("echo hi > made\n# \x1b[2J", "c1"), text("done")]
    run = asking(a3s, terminal, script, env=COLOURLESS)
    shown = terminal.wait_for(PROMPT)
    assert not (a3s.work / "made").exists()
    assert shown.split("\n") == [
        "May bash run?",
        f"  in {a3s.work}",
        "  `echo hi > made # \\x1b[2J` needs approval: the script contains control characters",
        "  command",
        "  1 │ echo hi > made",
        "  2 │ # \\x1b[2J",
        "  1 character shown as an escape, such as \\x1b",
        "  always allows, for this run: exactly this script",
        PROMPT,
    ]
    terminal.type("y")
    result = run.finish(SOON)
    assert fates(result) == [
        ("asked", "c1", "default"), ("once", "c1", "user"), ("ran", "c1", "user"),
    ]  # fmt: skip
    assert (a3s.work / "made").read_text() == "hi\n"
    assert terminal.rest() == "yes, once\n"


@pytest.mark.parametrize("answer", ["n", "N", "\x04", "n\n", " No \n", "n\r"])
def test_no(a3s: Bench, terminal: Terminal, answer: str) -> None:
    run = asking(a3s, terminal, [bash("touch made", "c1"), text("fine")])
    terminal.wait_for(PROMPT)
    terminal.type(answer)
    result = run.finish(SOON)
    assert fates(result) == [
        ("asked", "c1", "default"), ("no", "c1", "user"), ("denied", "c1", "default"),
    ]  # fmt: skip
    assert result.one("permission_denied")["reason"] == "the user was asked and said no"
    assert not (a3s.work / "made").exists()


def test_anything_else_is_asked_again(a3s: Bench, terminal: Terminal) -> None:
    run = asking(a3s, terminal, [bash("true"), text("done")])
    for wrong in ("x", "m", "\x1b"):
        terminal.wait_for(PROMPT)
        terminal.type(wrong)
    terminal.wait_for(PROMPT)
    for nothing in ("\x1b[A", "yy", "year\n", "\n", "yes please\n"):
        terminal.type(nothing)
        assert terminal.rest() in ("", "\n" + PROMPT)
    terminal.type("YES\n")
    assert run.finish(SOON).text == "done"


def test_always_is_for_this_run(a3s: Bench, terminal: Terminal) -> None:
    script = [bash("touch a", "c1"), bash("touch b", "c2"), bash("mkdir c", "c3"), text("done")]
    run = asking(a3s, terminal, script)
    assert "always allows, for this run: bash(touch:*)\n" in terminal.wait_for(PROMPT)
    terminal.type("a")
    terminal.wait_for(PROMPT)
    terminal.type("n")
    assert fates(run.finish(SOON)) == [
        ("asked", "c1", "default"), ("always", "c1", "user"), ("ran", "c1", "user"),
        ("ran", "c2", "user"),
        ("asked", "c3", "default"), ("no", "c3", "user"), ("denied", "c3", "default"),
    ]  # fmt: skip


def test_no_and_what_to_do_instead(a3s: Bench, terminal: Terminal) -> None:
    run = asking(a3s, terminal, [bash("rm -r build", "c1"), text("done")])
    terminal.wait_for(PROMPT)
    terminal.type("e")
    terminal.wait_for("  what to do instead: ")
    terminal.type("\n")  # nothing was said: the question stands
    terminal.wait_for(PROMPT)
    terminal.type("e")
    terminal.wait_for("  what to do instead: ")
    terminal.type("clean with make\n")
    result = run.finish(SOON)
    answer = result.one("permission_answer")
    assert (answer["answer"], answer["text"]) == ("no", "clean with make")
    told = result.requests[1].body["messages"][-1]["content"]
    assert "the user was asked and said no: clean with make" in told


def test_what_each_answer_covers(a3s: Bench, terminal: Terminal) -> None:
    run = asking(a3s, terminal, [bash("touch made"), text("done")], env=COLOURLESS)
    terminal.wait_for(PROMPT)
    terminal.type("?")
    shown = terminal.wait_for(PROMPT)
    assert shown.split("\n")[1:-1] == [
        "  y  yes: this call, once",
        "  a  always, for this run: bash(touch:*)",
        "  n  no: the model is told",
        "  e  no, and tell the model what to do instead",
        "  Ctrl-C cancels the run",
    ]
    terminal.type("n")
    assert run.finish(SOON).text == "done"


def test_a_change_of_a_file_is_shown_as_a_diff(a3s: Bench, terminal: Terminal) -> None:
    terminal.resize(columns=300)
    (a3s.work / "f.py").write_text("one\ntwo\nthree\n")
    change = {"file_path": "f.py", "old_string": "two\n", "new_string": "2\x1b[2J\n"}
    run = asking(
        a3s, terminal, [calls(a_call("edit", change)), text("done")], env={"TERM": "xterm"}
    )
    shown = terminal.wait_for(PROMPT).split("\n")
    assert shown[2] == f"  on {a3s.work / 'f.py'} (+1 −1)"
    assert shown[4:8] == [
        "\x1b[2m  1   one\x1b[0m",
        "\x1b[31m  2 - two\x1b[0m",
        "\x1b[32m  2 + 2\\x1b[2J\x1b[0m",
        "\x1b[2m  3   three\x1b[0m",
    ]
    terminal.type("y")
    assert run.finish(SOON).text == "done"
    assert (a3s.work / "f.py").read_text() == "one\n2\x1b[2J\nthree\n"


@pytest.mark.parametrize("columns", [80, 40])
def test_the_question_fits_a_narrow_screen(a3s: Bench, terminal: Terminal, columns: int) -> None:
    terminal.resize(columns=columns)
    run = asking(a3s, terminal, [bash("echo " + "x" * 100), text("done")], env=COLOURLESS)
    shown = terminal.wait_for(PROMPT)
    assert all(len(row) <= columns for row in shown.split("\n"))
    terminal.type("n")
    assert run.finish(SOON).text == "done"


def test_ctrl_z_gives_the_shell_its_terminal_back(a3s: Bench, terminal: Terminal) -> None:
    line = (
        'set -m; a3s run --json --on-ask prompt -m "$MODEL" go > out; echo stopped; fg > /dev/null'
    )
    run = a3s.shell(line, script=[bash("touch made"), text("done")], terminal=terminal.side,
                    stdout=terminal.side, stderr=terminal.side, env=COLOURLESS)  # fmt: skip
    terminal.wait_for(PROMPT)
    assert termios.tcgetattr(terminal.side) != terminal.settings
    terminal.type("\x1a")
    terminal.wait_for("stopped")
    terminal.wait_for(PROMPT)
    terminal.type("y")
    run.finish(SOON)
    assert (a3s.work / "made").exists()


def test_a_second_ctrl_c_leaves_the_terminal_as_it_was(a3s: Bench, terminal: Terminal) -> None:
    run = asking(a3s, terminal, [bash("true"), text("done")], laws="none")
    terminal.wait_for(PROMPT)
    run.signal(signal.SIGSTOP)
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGINT)
    run.signal(signal.SIGCONT)
    assert run.finish(SOON).status in (130, 143, -2, -15)


def test_a_denial_is_never_asked_about(a3s: Bench, terminal: Terminal) -> None:
    script = [bash("ls; rm x", "c1"), text("done")]
    run = asking(a3s, terminal, script, "--deny", "bash(rm:*)")
    assert fates(run.finish(SOON)) == [("denied", "c1", "bash(rm:*)")]
    assert terminal.rest() == ""


def test_keys_typed_before_the_question_answer_nothing(a3s: Bench, terminal: Terminal) -> None:
    terminal.type("y\ny\ny")
    run = asking(a3s, terminal, [bash("touch made"), text("done")])
    terminal.wait_for(PROMPT)
    assert terminal.rest() == ""
    terminal.type("n")
    assert run.finish(SOON).one("permission_answer")["answer"] == "no"
    assert not (a3s.work / "made").exists()


def test_a_long_script_can_be_read_to_its_end(a3s: Bench, terminal: Terminal) -> None:
    lines = [f"echo {number}" for number in range(1, 41)]
    run = asking(a3s, terminal, [bash("\n".join(lines)), text("done")], env=COLOURLESS)
    shown = terminal.wait_for(PROMPT_MORE)
    assert "  … 25 of 41 rows are not shown yet: [m]ore shows them\n" in shown
    terminal.type("m")
    shown += terminal.wait_for(PROMPT_MORE)
    assert "  … 9 of 41 rows are not shown yet: [m]ore shows them\n" in shown
    terminal.type("m")
    shown += terminal.wait_for(PROMPT)
    found = [row.partition(" │ ")[2] for row in shown.split("\n") if " │ " in row]
    assert found == lines
    terminal.type("y\n")
    assert run.finish(SOON).text == "done"


ENDS = {
    "ctrl-c": (130, "cancelled", lambda run, terminal: terminal.type("\x03")),
    "sigterm": (143, "cancelled", lambda run, terminal: run.signal(signal.SIGTERM)),
    "timeout": (124, "timeout", lambda run, terminal: None),
}


@pytest.mark.parametrize("how", ENDS)
def test_the_run_s_end_withdraws_the_question(a3s: Bench, terminal: Terminal, how: str) -> None:
    status, code, end = ENDS[how]
    script = [calls(*(a_call("bash", {"command": "true"}, f"c{n}") for n in range(3)))]
    limit = ["--timeout", "4s"] if how == "timeout" else []
    run = asking(a3s, terminal, script, *limit)
    terminal.wait_for(PROMPT)
    end(run, terminal)
    result = run.finish(SOON)
    assert (result.status, result.last["code"]) == (status, code)
    assert fates(result) == [
        ("asked", "c0", "default"), *(("denied", f"c{n}", "run_ended") for n in range(3)),
    ]  # fmt: skip
    assert terminal.rest().endswith("\n"), "the next prompt would not begin a line"


def test_a_reader_that_goes_away_withdraws_the_question(a3s: Bench, terminal: Terminal) -> None:
    reader, writer = os.pipe()
    run = asking(a3s, terminal, [bash("true")], stdout=writer, laws="none")
    os.close(writer)
    terminal.wait_for(PROMPT)
    os.close(reader)
    assert run.finish(SOON).exit_status == -signal.SIGPIPE


def test_a_terminal_that_hangs_up_ends_the_run(a3s: Bench) -> None:
    terminal = Terminal()
    run = asking(a3s, terminal, [bash("touch made")])
    terminal.wait_for(PROMPT)
    terminal.close()
    result = run.finish(SOON)
    assert (result.status, result.last["signal"]) == (129, "SIGHUP")
    assert not (a3s.work / "made").exists()


def test_a_terminal_that_is_held_up_holds_up_no_deadline(a3s: Bench, terminal: Terminal) -> None:
    """Ctrl-S stops whatever writes to it."""
    termios.tcflow(terminal.side, termios.TCOOFF)
    run = asking(a3s, terminal, [bash("touch made")], "--timeout", "2s")
    result = run.finish(SOON)
    termios.tcflow(terminal.side, termios.TCOON)
    assert result.last["code"] == "timeout"


# -- when no one is asked ------------------------------------------------------------------


def test_a_prompt_on_a_pipe_takes_no_person_away(a3s: Bench, terminal: Terminal) -> None:
    line = 'printf "a diff" | a3s run -m "$MODEL" -o raw "review" -'
    script = [bash("echo > made", "c1"), text("done")]
    env = COLOURLESS
    run = a3s.shell(line, script=script, terminal=terminal.side, stdout=terminal.side, env=env)
    terminal.wait_for(PROMPT)
    terminal.type("y\n")
    assert run.finish().status == 0
    assert (a3s.work / "made").exists()


@pytest.mark.parametrize("where", ["stdin", "stdout"])
def test_a_terminal_on_one_side_alone_is_not_read(
    a3s: Bench, terminal: Terminal, where: str
) -> None:
    """A program feeds or reads the run, so the terminal is not the run's."""
    terminal.type("y\n")
    options: dict[str, Any] = {"terminal": terminal.side}
    if where == "stdout":
        options = {"terminal": terminal.side, "stdout": terminal.side}
    command = ["run", "--json", "-m", "openai/test-model", "go"]
    script = [bash("touch made"), text("done")]
    if where == "stdin":
        run = a3s.spawn(*command, script=script, **options)
        assert fates(run.finish(SOON))[0][0] == "denied"
        assert terminal.rest() == "y\n"
    else:
        line = 'exec a3s run --json -m "$MODEL" go < /dev/null'
        run = a3s.shell(line, script=script, **options)
        assert run.finish(SOON).status == 0
        assert '"permission_denied"' in terminal.rest()
    assert terminal.unread() == 2
    assert not (a3s.work / "made").exists()


def test_without_any_terminal_prompt_means_deny(a3s: Bench) -> None:
    script = [bash("touch made", "c1"), text("done")]
    result = a3s("run", "--on-ask", "prompt", "go", script=script)
    assert fates(result) == [("denied", "c1", "default")]


def test_a_job_in_the_background_asks_nobody(a3s: Bench, terminal: Terminal) -> None:
    """It neither stops at the terminal nor reads what is typed for the shell."""
    line = 'set -m; a3s run --json --on-ask prompt -m "$MODEL" go > out & wait; read line'
    script = [bash("touch made", "c1"), text("done")]
    run = a3s.shell(line, script=script, terminal=terminal.side)
    terminal.type("y\n")
    assert run.finish(SOON).status == 0
    events = laws.parse((a3s.work / "out").read_bytes())
    laws.check_stream(events, 0)
    answer, denied = (e for e in events if e["type"] in ("permission_answer", "permission_denied"))
    assert (answer["answer"], answer["by"]) == ("no", "nobody")
    assert denied["reason"].endswith("no one could be asked: a3s is running in the background")
    assert PROMPT not in terminal.rest()


# -- on one terminal with pretty -----------------------------------------------------------


def test_pretty_makes_room_for_the_question(a3s: Bench, terminal: Terminal) -> None:
    terminal.resize(columns=300)
    script = [text("I will look", a_call("bash", {"command": "echo hi"}, "c1")), text("done")]
    run = a3s.spawn(
        "run", "go", script=script, terminal=terminal.side, stdout=terminal.side,
        stderr=terminal.side, laws="none", env=COLOURLESS,
    )  # fmt: skip
    shown = terminal.wait_for(PROMPT)
    terminal.type("y\n")
    assert run.finish(SOON).status == 0
    shown = re.sub(r"exit 0 · .*", "exit 0", shown + terminal.rest())
    assert shown.split("\n")[:-3] == [
        "model openai/test-model",
        "",
        "I will look",
        "",
        "[1] bash  echo hi",
        "May bash run?",
        f"  in {a3s.work}",
        "  no rule covers `echo hi`",
        "  command",
        "  1 │ echo hi",
        "  always allows, for this run: bash(echo:*)",
        PROMPT + "yes, once",
        "[1] ✓ allowed once by user",
        "[1] │ hi",
        "[1] ✓ exit 0",
        "",
        "done",
    ]


# -- the law that watches over all of this -------------------------------------------------

NAMES = {"toolName": "bash", "toolId": "c1"}
ASKED: dict[str, Any] = {"type": "permission_request", **NAMES, "toolInput": {}, "rule": "default"}
ANSWER: dict[str, Any] = {"type": "permission_answer", "toolId": "c1", "answer": "once", "by": "me"}
RAN: dict[str, Any] = {"type": "tool_start", **NAMES, "toolInput": {}, "turn": 1, "rule": "user"}
DENIED: dict[str, Any] = {"type": "permission_denied", **NAMES, "rule": "default"}


@pytest.mark.parametrize(
    "events",
    [
        [RAN],
        [ASKED, RAN],
        [ANSWER, RAN],
        [ASKED, ANSWER, ANSWER],
        [ASKED, ANSWER | {"answer": "perhaps"}],
        [ASKED, ANSWER, RAN | {"rule": "bash"}],
        [ASKED, ANSWER, RAN | {"toolInput": {"command": "other"}}],
        [ASKED, ANSWER | {"answer": "no"}, RAN],
        [ASKED, ANSWER, DENIED],
        [ASKED, DENIED],
        [ASKED, ASKED | {"toolId": "c2"}],
        [RAN | {"toolId": "c0", "rule": "bash"}, ASKED],
        [ASKED, {"type": "end"}],
    ],
)
def test_the_law_of_questions_sees_a_breach(events: list[dict[str, Any]]) -> None:
    laws._check_questions([ASKED, ANSWER, RAN])
    laws._check_questions([ASKED, ANSWER | {"answer": "no"}, DENIED])
    laws._check_questions([ASKED, DENIED | {"rule": "run_ended"}])
    with pytest.raises(AssertionError):
        laws._check_questions(events)
