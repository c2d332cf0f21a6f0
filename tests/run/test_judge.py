"""What a question shows, and what an answer does to the calls of a run."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from a3s_cli.errors import MaxToolCalls
from a3s_cli.files.workspace import Workspace
from a3s_cli.messages import ToolCall, ToolResult
from a3s_cli.output.question import Sheet, exposed, sheet
from a3s_cli.output.terminal import cells
from a3s_cli.permissions.approval import Answer, Question, Reply, Unanswered
from a3s_cli.permissions.policy import Policy
from a3s_cli.run.calls import Calls
from a3s_cli.run.execution import CallLimits, Surroundings
from a3s_cli.stream.emitter import Emitter
from a3s_cli.tool_protocol import Subject, Tool, ToolContext, ToolReturn
from tests.support import laws
from tests.support.a3s import proofs

# -- what is shown -------------------------------------------------------------------------


def question(**tool_input: Any) -> Question:
    return Question(
        tool_name="bash",
        tool_id="c",
        tool_input=tool_input,
        cwd=Path("/w"),
        path=None,
        rule="default",
        reason="it needs approval",
        always="bash(ls:*)",
    )


HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x00\x07\x08\t\n\r\x1b\x7f\x9b\u0301\u200b\u200d\u202e\u2066\u2028\u3164"),
        st.sampled_from("\U000e0041\ufe0f\u00ad\u034f\u00a0\u3000\ud800日א\\x1b│┆"),
    ),
    max_size=120,
)


def columns(row: str) -> int:
    """The most that any terminal takes for a row."""
    return sum(1 if c.isascii() or c in "│┆" else 2 * bool(cells(c)) for c in row)


def laid_out(asked: Question, width: int) -> Sheet:
    return sheet(asked, width, "this run")


@given(HOSTILE, st.integers(20, 120))
@example("a" * 500, 20)
@example("日" * 500, 21)
@example("e" + "\u0301" * 500, 20)
@settings(max_examples=proofs(400))
def test_every_character_is_shown_and_none_is_obeyed(script: str, width: int) -> None:
    rows = [row for row, _ in laid_out(question(command=script), width).rows]
    assert rows[0] == "  command"
    lines: list[str] = []
    for row in rows[1:]:
        assert row.isprintable(), row
        assert columns(row) <= width
        margin = re.match(r" +(\d*) [│┆] ", row)
        assert margin, row
        if margin[1]:
            assert int(margin[1]) == len(lines) + 1
            lines.append(row[margin.end() :])
        else:
            lines[-1] += row[margin.end() :]
    assert len(lines) == script.count("\n") + 1
    for given_line, line in zip(script.split("\n"), lines, strict=True):
        _spells(line, given_line)


def _spells(shown: str, line: str) -> None:
    """Hold what is shown against the line, character by character."""
    for character in line:
        escape = character.encode("unicode_escape").decode()
        whole = character != "\\" and len(escape) > 1 and shown.startswith(escape)
        assert whole or (shown.startswith(character) and character.isprintable()), (shown, line)
        shown = shown[len(escape) if whole else 1 :]
    assert shown == ""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("rm -rf /", ("rm -rf /", 0)),
        ("a\tb", ("a\\tb", 0)),
        ("\x1b[2J\r", ("\\x1b[2J\\r", 2)),
        ("rm\u00a0x\u200d\u202e", ("rm\\xa0x\\u200d\\u202e", 3)),
        ("Grüße, 日本 é", ("Grüße, 日本 é", 0)),
        ("e\u0301\u0302\u0303\u0304", ("e\u0301\u0302\\u0303\\u0304", 2)),
        ("\u0301x", ("\\u0301x", 1)),
        ("\U000e0041\ud800", ("\\U000e0041\\ud800", 2)),
    ],
)
def test_exposed(line: str, shown: tuple[str, int]) -> None:
    assert exposed(line) == shown


def test_a_sheet() -> None:
    shown = laid_out(question(command="echo 1\n\x1b" + "x" * 20, timeout=5, **{"a\nb": [1]}), 20)
    assert (shown.title, shown.about) == (
        "May bash run?",
        ["  in /w", "  it needs approval"],
    )
    assert [row for row, _ in shown.rows] == [
        "  command",
        "  1 │ echo 1",
        "  2 │ \\x1b" + "x" * 10,
        "    ┆ " + "x" * 10,
        "  timeout",
        "  1 │ 5",
        "  a\\nb",
        "  1 │ [1]",
    ]
    assert " ".join(row.strip() for row in shown.notes).startswith("1 character shown")


def test_a_note_says_that_the_order_may_be_another() -> None:
    assert not any("right-to-left" in row for row in laid_out(question(command="é"), 200).notes)
    assert any("right-to-left" in row for row in laid_out(question(command="rm א"), 200).notes)


def test_a_link_is_shown_with_what_it_leads_to() -> None:
    shown = laid_out(replace(question(file_path="notes.txt"), path=Path("/w/secret\n")), 80)
    assert shown.about == ["  in /w", "  on /w/secret\\n", "  it needs approval"]


def test_no_arguments_are_said_to_be_none() -> None:
    assert laid_out(question(), 80).rows == [("  without arguments", "")]


# -- what an answer does -------------------------------------------------------------------


class Note(Tool):
    """A tool that leaves a trace."""

    name = "bash"
    description = ""
    parameters: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
    }

    def __init__(self, ran: list[str]) -> None:
        self.ran = ran

    def subject(self, arguments: dict[str, Any]) -> Subject:
        return Subject("command", arguments["command"])

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> ToolReturn:
        self.ran.append(arguments["command"])
        return ToolReturn("ok")


class Put(Note):
    """A tool that changes a file."""

    name = "write"
    writes = True

    def subject(self, arguments: dict[str, Any]) -> Subject:
        return Subject("path", arguments["command"])


class Person:
    """Gives the answers that were put into its mouth, and remembers the questions."""

    by = "user"

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []
        self.now: Callable[[], object] = lambda: None

    async def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        self.now()
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Reply(answer)


class Desk:
    """The calls of one run, and everything that they leave."""

    def __init__(self, work: Path, *answers: Answer | Exception, **rules: Any) -> None:
        self.ran: list[str] = []
        self.person = Person(*answers)
        self.lines: list[bytes] = []
        emitter = Emitter()
        emitter.add_line_sink(self.lines.append)
        limits = CallLimits(max_tool_calls=rules.pop("max_tool_calls", None))
        off_limits = rules.pop("off_limits", ())
        policy = Policy(tools=["bash", "write"], **rules)
        around = Surroundings(emitter, policy, Workspace(work), {}, limits, off_limits=off_limits)
        self.calls = Calls(
            around,
            {"bash": Note(self.ran), "write": Put(self.ran)},
            approver=self.person,
        )
        self.turn = 0

    async def run(self, *commands: str, tool: str = "bash") -> list[ToolResult]:
        self.turn += 1
        asked = [
            ToolCall(f"{self.turn}{number}", tool, json.dumps({"command": command}))
            for number, command in enumerate(commands)
        ]
        return await self.calls.run(asked, self.turn)

    @property
    def told(self) -> list[str]:
        """What the stream says, in short."""
        laws._check_questions(self.events)
        words = {"tool_start": "rule", "permission_denied": "rule", "permission_answer": "answer"}
        short = {"permission_request": "asked", "permission_denied": "denied"}
        return [
            f"{event['toolId']} {short.get(event['type'], event.get('by', 'ran'))}"
            + (f" {event[words[event['type']]]}" if event["type"] in words else "")
            for event in self.events
            if event["type"] != "tool_end"
        ]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in b"".join(self.lines).splitlines()]


def test_questions_come_in_order_before_anything_runs(work: Path) -> None:
    desk = Desk(work, "once", "no", "once", allow=["bash(ls:*)"], deny=["bash(rm:*)"])
    desk.person.now = lambda: desk.ran == [] or pytest.fail("something ran")
    results = asyncio.run(desk.run("a 1", "ls", "b 2", "rm x", "c 3"))
    assert desk.told[:8] == [
        "10 asked", "10 user once", "12 asked", "12 user no", "12 denied default",
        "13 denied bash(rm:*)", "14 asked", "14 user once",
    ]  # fmt: skip
    assert sorted(desk.told[8:]) == ["10 ran user", "11 ran bash(ls:*)", "14 ran user"]
    assert sorted(desk.ran) == ["a 1", "c 3", "ls"]
    assert [result.output for result in results] == [
        "ok", "ok", "Permission denied: the user was asked and said no",
        "Permission denied: `rm x` is denied by bash(rm:*)", "ok",
    ]  # fmt: skip
    assert desk.calls.executed == 3
    assert [denial.tool_id for denial in desk.calls.denials] == ["12", "13"]


def test_a_question_holds_what_will_run(work: Path) -> None:
    desk = Desk(work, "no")
    asyncio.run(desk.run("npm test -- --watch"))
    assert desk.person.asked == [
        Question(
            tool_name="bash",
            tool_id="10",
            tool_input={"command": "npm test -- --watch"},
            cwd=work,
            path=None,
            rule="default",
            reason="no rule covers `npm test -- --watch`",
            always="bash(npm test:*)",
        )
    ]
    denied = desk.events[-1]
    assert (denied["decision"], denied["rule"], denied["hint"]) == ("ask", "default", "")


def test_always_covers_what_was_shown_and_no_more(work: Path) -> None:
    desk = Desk(work, "always", "no", "no", deny=["bash(npm test --danger:*)"])

    async def go() -> None:
        await desk.run("npm test", "npm test --x")
        await desk.run("npm install")
        await desk.run("npm test --danger", "npm test $x")

    asyncio.run(go())
    assert [one.tool_id for one in desk.person.asked] == ["10", "20", "31"]
    assert sorted(desk.told[2:4]) == ["10 ran user", "11 ran user"]
    assert desk.told[4:] == [
        "20 asked", "20 user no", "20 denied default",
        "30 denied bash(npm test --danger:*)", "31 asked", "31 user no", "31 denied default",
    ]  # fmt: skip
    assert sorted(desk.ran) == ["npm test", "npm test --x"]


def test_always_for_a_script_is_this_script(work: Path) -> None:
    desk = Desk(work, "always", "no")

    async def go() -> None:
        await desk.run("eval $x a")
        await desk.run("eval $x a")
        await desk.run("eval $x b")

    asyncio.run(go())
    assert desk.person.asked[0].always == "exactly this script"
    assert desk.ran == ["eval $x a"] * 2


def test_always_for_a_file_is_this_file(work: Path) -> None:
    desk = Desk(work, "always", "no", ask=["write(a*)"])

    async def go() -> None:
        await desk.run("a.txt", "./a.txt", "b/../a.txt", tool="write")
        await desk.run("a2.txt", tool="write")

    asyncio.run(go())
    assert desk.person.asked[0].always == f"every write of {work}/a.txt"
    assert desk.person.asked[0].path == work / "a.txt"
    assert [one.tool_id for one in desk.person.asked] == ["10", "20"]
    assert desk.ran == ["a.txt", "./a.txt", "b/../a.txt"]


def test_calls_that_change_files_are_asked_about_one_after_the_other(work: Path) -> None:
    desk = Desk(work, "once", "once")
    asyncio.run(desk.run("a", "b", tool="write"))
    assert desk.told == [
        "10 asked", "10 user once", "10 ran user", "11 asked", "11 user once", "11 ran user",
    ]  # fmt: skip


def test_nobody_is_asked_about_a_call_that_is_one_too_many(work: Path) -> None:
    desk = Desk(work, "once", max_tool_calls=1)
    with pytest.raises(MaxToolCalls):
        asyncio.run(desk.run("a", "b", "c"))
    assert desk.told == [
        "10 asked", "10 user once", "10 ran user", "11 denied run_ended", "12 denied run_ended",
    ]  # fmt: skip


def test_a_model_that_asks_for_the_refused_again_is_stuck(work: Path) -> None:
    desk = Desk(work, "no", "no", "no")

    async def go() -> list[bool]:
        stuck = []
        for _ in range(3):
            await desk.run("a")
            stuck.append(desk.calls.stuck)
        return stuck

    assert asyncio.run(go()) == [False, False, True]


def test_where_nobody_can_be_asked_it_is_denied(work: Path) -> None:
    desk = Desk(work, Unanswered("the terminal is gone"))
    (result,) = asyncio.run(desk.run("a"))
    assert desk.told == ["10 asked", "10 nobody no", "10 denied default"]
    assert result.output == (
        "Permission denied: no rule covers `a`, and no one could be asked: the terminal is gone"
    )
    assert desk.events[-1]["hint"] == "--allow 'bash(a:*)'"


def test_an_open_question_is_withdrawn_with_the_run(work: Path) -> None:
    desk = Desk(work, "once")

    async def go() -> None:
        task = asyncio.create_task(desk.run("a", "b", "c"))
        desk.person.now = lambda: len(desk.person.asked) == 2 and task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert desk.told == [
        "10 asked", "10 user once", "11 asked",
        "10 denied run_ended", "11 denied run_ended", "12 denied run_ended",
    ]  # fmt: skip
    assert desk.ran == []


def test_what_is_off_limits_is_not_asked_about(work: Path) -> None:
    desk = Desk(work, off_limits=[work / "run.ndjson"])
    asyncio.run(desk.run("run.ndjson", tool="write"))
    asyncio.run(desk.run(".git/config", tool="write"))
    assert desk.told == ["10 denied protected", "20 denied protected"]


def test_a_question_says_what_why_and_what_always_would_cover(work: Path) -> None:
    desk = Desk(work, "no", "no", ask=["bash(git push:*)"])
    asyncio.run(desk.run("git log", "git push"))
    asked = [event for event in desk.events if event["type"] == "permission_request"]
    assert [(event["rule"], event.get("always")) for event in asked] == [
        ("default", "bash(git log:*)"),
        ("bash(git push:*)", None),
    ]
    assert all(event["reason"] for event in asked)
