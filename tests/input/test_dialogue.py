"""`--input json`: any number of runs in one process, steered and cancelled, under every law."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from ..support import laws, processes
from ..support.a3s import Bench
from ..support.replies import a_call, bash, cut, stall, text
from .dialogue import SOON, Dialogue, prompts, runs, told, types


def rejected(events: list[dict[str, Any]]) -> list[tuple[Any, str]]:
    return [(one.get("id"), one["line"]) for one in events if one["type"] == "control_rejected"]


# -- prompts -------------------------------------------------------------------------------


def test_one_conversation_in_one_process(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[text("one"), text("two"), text("three")])
    talk.prompt("first", id="a")
    assert talk.ended(1)["text"] == "one"
    talk.prompt("second", id=7)
    talk.prompt("third")
    result = talk.finish()
    assert prompts(result) == ["first", "second", "third"]
    starts = result.of("start")
    assert [start.get("promptId") for start in starts] == ["a", 7, None]
    assert len({start["sessionId"] for start in starts}) == 1
    assert len({start["runId"] for start in starts}) == 3
    assert told(result) == [
        ("user", "first"), ("assistant", "one"), ("user", "second"), ("assistant", "two"),
        ("user", "third"),
    ]  # fmt: skip


def test_the_prompt_of_the_command_line_is_the_first(a3s: Bench) -> None:
    talk = Dialogue(a3s, "first", script=[text("one"), text("two")])
    talk.ended(1)
    talk.prompt("second")
    assert prompts(talk.finish()) == ["first", "second"]


def test_a_file_may_say_it_all(a3s: Bench) -> None:
    """What is queued is still run, and a last line needs no newline."""
    lines = [json.dumps({"type": "prompt", "text": name}) for name in ("a", "b")]
    script = [text("1"), text("2")]
    result = a3s("run", "--input", "json", script=script, laws="several",
                 stdin="\r\n".join([*lines[:1], "", *lines[1:]]).encode())  # fmt: skip
    assert prompts(result) == ["a", "b"]
    assert result.exit_status == 0


def test_no_message_no_run(a3s: Bench) -> None:
    result = a3s("run", "--input", "json", "-m", "openai/x", laws="several", stdin=b"")
    assert (result.stdout, result.stderr, result.exit_status) == (b"", b"", 0)
    assert a3s("sessions", "list", "--json").stdout == b"[]\n"


def test_the_conversation_is_kept_and_gone_on_with(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[text("one"), text("two")])
    talk.prompt("first")
    talk.prompt("second")
    session = talk.finish().of("start")[0]["sessionId"]
    result = a3s("run", "--session", session, "third", script=[text("three")])
    assert told(result)[:4] == [
        ("user", "first"), ("assistant", "one"), ("user", "second"), ("assistant", "two"),
    ]  # fmt: skip


def test_without_a_session_it_remembers_all_the_same(a3s: Bench) -> None:
    talk = Dialogue(a3s, "--no-session", script=[text("one"), text("two")])
    talk.prompt("first")
    talk.prompt("second")
    result = talk.finish()
    assert told(result)[:2] == [("user", "first"), ("assistant", "one")]
    assert all("sessionId" not in start for start in result.of("start"))


def test_a_failed_run_ends_nothing_and_the_last_one_decides(a3s: Bench) -> None:
    talk = Dialogue(a3s, "--max-retries", "0", script=[cut("so"), text("fine"), cut("so")])
    for prompt in ("a", "b", "c"):
        talk.prompt(prompt)
    result = talk.finish()
    assert [run[-1].get("code") for run in runs(result)] == [
        "truncated_stream", None, "truncated_stream",
    ]  # fmt: skip
    assert result.exit_status == 75


def test_limits_hold_for_each_run(a3s: Bench) -> None:
    script = [bash("true"), text("x"), bash("true"), text("y")]
    talk = Dialogue(a3s, "--allow", "bash", "--max-turns", "2", "--max-tool-calls", "1",
                    script=script)  # fmt: skip
    talk.prompt("a")
    talk.prompt("b")
    assert [run[-1]["type"] for run in runs(talk.finish())] == ["end", "end"]


def test_an_object_for_each_run(a3s: Bench) -> None:
    script = [text('{"n": 1}'), text('{"n": 2}')]
    schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}'
    talk = Dialogue(a3s, "--schema", schema, "--tools", "none", script=script)
    talk.prompt("a")
    talk.prompt("b")
    assert [run[-1]["object"] for run in runs(talk.finish())] == [{"n": 1}, {"n": 2}]


def test_a_recording_holds_every_run(a3s: Bench) -> None:
    for options in (["--no-session"], []):
        record = a3s.work / f"record{len(options)}"
        talk = Dialogue(a3s, "--record", str(record), *options, script=[text("one"), text("two")])
        talk.prompt("a")
        talk.prompt("b")
        result = talk.finish()
        lines = record.read_bytes().splitlines()
        kept = [{**json.loads(line), "prev": None, "recordHead": None} for line in lines]
        assert kept == [{**one, "prev": None, "recordHead": None} for one in result.events]
        head = result.last["recordHead"]
        audit = a3s("audit", "--head", head, str(record), laws="none")
        assert audit.exit_status == 0, audit.stdout


# -- steering ------------------------------------------------------------------------------


def test_a_word_goes_before_the_model_at_the_next_turn(a3s: Bench) -> None:
    talk = Dialogue(a3s, "--allow", "bash", script=[bash("read x < fifo", "c1"), text("done")])
    os.mkfifo(a3s.work / "fifo")
    talk.prompt("go")
    talk.wait_for("tool_start")
    talk.steer("to the left")
    talk.steer("and then right")
    talk.say({"type": "nothing"})
    talk.wait_for("control_rejected")  # all before it has been read
    (a3s.work / "fifo").write_text("x\n")
    talk.ended(1)
    result = talk.finish()
    assert result.one("user_message") == {
        **result.one("user_message"), "text": "to the left\n\nand then right", "how": "steer",
    }  # fmt: skip
    assert types(result.events)[-7:] == [
        "control_rejected", "tool_end", "user_message", "turn_start", "text_delta", "turn_end",
        "end",
    ]  # fmt: skip
    assert told(result)[-1] == ("user", "to the left\n\nand then right")


def test_a_word_in_the_last_answer_makes_one_more_turn(a3s: Bench) -> None:
    gate = threading.Event()
    talk = Dialogue(a3s, script=[text("al", gate, "most"), text("done")])
    talk.prompt("go")
    talk.wait_for("text_delta")
    talk.steer("more")
    talk.say({})
    talk.wait_for("control_rejected")
    gate.set()
    result = talk.finish()
    assert result.last["text"] == "done"
    assert result.last["turns"] == 2
    assert told(result) == [("user", "go"), ("assistant", "almost"), ("user", "more")]
    assert result.one("user_message")["text"] == "more"


def test_a_word_that_found_no_turn_is_the_next_prompt(a3s: Bench) -> None:
    gate = threading.Event()
    talk = Dialogue(a3s, "--max-turns", "1", script=[text("al", gate, "l"), text("b"), text("c")])
    talk.prompt("go")
    talk.wait_for("text_delta")
    talk.prompt("later")
    talk.steer("more")
    talk.say({})
    talk.wait_for("control_rejected")
    gate.set()
    result = talk.finish()
    assert prompts(result) == ["go", "more", "later"]


def test_a_word_without_a_run_is_a_prompt(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[text("x")])
    talk.steer("hello")
    assert prompts(talk.finish()) == ["hello"]


# -- answers -------------------------------------------------------------------------------


def test_questions_are_answered_over_the_pipe(a3s: Bench) -> None:
    script = [
        bash("echo 1 > a", "c1"), bash("echo 2 > b", "c2"), bash("touch c", "c3"), text("x"),
        bash("touch d", "c4"), text("y"),
    ]  # fmt: skip
    talk = Dialogue(a3s, script=script)
    talk.prompt("go")
    asked = talk.wait_for("permission_request")
    assert (asked["toolId"], asked["toolInput"]) == ("c1", {"command": "echo 1 > a"})
    talk.answer("c2", "once")  # not open yet
    talk.answer("c1", "once")
    talk.wait_for("permission_request", 2)
    talk.answer("c1", "once")  # answered already
    talk.answer("c2", "no", text="use c")
    talk.wait_for("permission_request", 3)
    talk.answer("c3", "always")
    talk.ended(1)
    talk.prompt("again")  # "always" holds as long as the process
    result = talk.finish()
    assert [(a["toolId"], a["answer"], a["by"]) for a in result.of("permission_answer")] == [
        ("c1", "once", "stdin"), ("c2", "no", "stdin"), ("c3", "always", "stdin"),
    ]  # fmt: skip
    assert [one["text"] for one in result.of("permission_answer") if "text" in one] == ["use c"]
    assert result.one("permission_denied")["reason"] == "the user was asked and said no: use c"
    assert [e["toolId"] for e in result.of("tool_start")] == ["c1", "c3", "c4"]
    assert len(result.of("control_rejected")) == 2
    assert (a3s.work / "a").exists() and not (a3s.work / "b").exists()


def test_words_with_a_yes_steer(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[bash("true", "c1"), text("x")])
    talk.prompt("go")
    talk.wait_for("permission_request")
    talk.answer("c1", "once", text="and hurry")
    assert talk.finish().one("user_message")["text"] == "and hurry"


def test_the_end_of_the_input_denies(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[bash("touch made", "c1"), bash("touch made", "c2"), text("x")])
    talk.prompt("go")
    talk.wait_for("permission_request")
    result = talk.finish()
    answers = [(a["toolId"], a["answer"], a["by"]) for a in result.of("permission_answer")]
    assert answers == [("c1", "no", "nobody"), ("c2", "no", "nobody")]
    assert not (a3s.work / "made").exists()


def test_what_is_denied_is_not_asked_about(a3s: Bench) -> None:
    script = [bash("rm x", "c1"), bash("touch x", "c2"), text("x")]
    talk = Dialogue(a3s, "--deny", "bash(rm:*)", "--on-ask", "deny", script=script)
    talk.prompt("go")
    talk.wait_for("end")
    result = talk.finish()
    assert result.of("permission_request") == []
    assert [one["decision"] for one in result.of("permission_denied")] == ["deny", "ask"]


# -- cancelling ----------------------------------------------------------------------------


def test_a_cancel_ends_the_run_and_not_the_process(a3s: Bench) -> None:
    sleep = processes.sleeper()
    talk = Dialogue(a3s, "--allow", "bash", script=[bash(sleep, "c1"), text("back")])
    talk.prompt("go", id=1)
    talk.wait_for("tool_start")
    processes.wait_until_alive(sleep.split()[1], command=sleep)
    talk.prompt("dropped", id=2)
    talk.prompt("too", id=3)
    talk.steer("unheard")
    talk.cancel()
    ended = talk.ended(1)
    assert (ended["code"], ended["exitCode"], ended.get("signal")) == ("cancelled", 130, None)
    assert processes.wait_until_gone(sleep.split()[1], 5) == []
    talk.cancel()  # nothing goes on: it does nothing
    talk.prompt("next")
    result = talk.finish()
    assert prompts(result) == ["go", "next"]
    assert rejected(result.events) == [(None, "unheard"), (2, "dropped"), (3, "too")]
    assert result.exit_status == 0


def test_a_cancelled_last_run_is_a_plain_130(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[stall("so")])
    talk.prompt("go")
    talk.wait_for("text_delta")
    talk.cancel()
    assert talk.finish().exit_status == 130


def test_a_cancel_withdraws_a_question(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[bash("true", "c1"), text("back")])
    talk.prompt("go")
    talk.wait_for("permission_request")
    talk.cancel()
    talk.ended(1)
    talk.answer("c1", "once")
    talk.prompt("next")
    result = talk.finish()
    assert [run[-1]["type"] for run in runs(result)] == ["error", "end"]
    assert len(result.of("control_rejected")) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
def test_a_signal_ends_the_process(a3s: Bench, number: int, busy: bool) -> None:
    script = [stall("so")] if busy else [text("so")]
    talk = Dialogue(a3s, script=script, laws="several" if busy else "none")
    talk.prompt("go")
    if busy:
        talk.wait_for("text_delta")
        talk.prompt("never", id=9)
        talk.say({})
        talk.wait_for("control_rejected")
    else:
        talk.run.wait_for_output(b'"type":"end"', SOON)
    talk.run.signal(number)
    result = talk.run.finish(SOON)
    assert result.exit_status == -number
    assert [id for id, _ in rejected(result.events)] == ([None, 9] if busy else [])


def test_a_signal_before_the_first_word(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[], laws="none")
    talk.say({})
    talk.run.wait_for_output(b"control_rejected", SOON)
    talk.run.signal(signal.SIGTERM)
    assert talk.run.finish(SOON).exit_status == -signal.SIGTERM


@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
def test_a_reader_that_goes_away_ends_the_process(a3s: Bench, busy: bool) -> None:
    reader, writer = os.pipe()
    sleep = processes.sleeper()
    script = [bash(sleep)] if busy else [text("so")]
    talk = Dialogue(a3s, "--allow", "bash", script=script, stdout=writer, laws="none")
    os.close(writer)
    talk.prompt("go")
    with os.fdopen(reader, "rb") as out:
        awaited = b"tool_start" if busy else b'"end"'
        assert any(awaited in line for line in out)
    assert talk.run.finish(SOON).exit_status == -signal.SIGPIPE
    assert processes.wait_until_gone(sleep.split()[1], 5) == []


def test_a_deadline_is_each_run_s_own(a3s: Bench) -> None:
    talk = Dialogue(a3s, "--timeout", "1s", script=[stall("so"), text("fine")])
    talk.prompt("slow")
    assert talk.ended(1)["code"] == "timeout"
    talk.prompt("quick")
    assert talk.ended(2)["type"] == "end"
    assert talk.finish().exit_status == 0


# -- what is no message --------------------------------------------------------------------

NO_MESSAGES: list[bytes] = [
    b"garbage",
    b"[]",
    b"17",
    b'"prompt"',
    b"null",
    b"{}",
    b'{"type":"prompt"}',
    b'{"type":"prompt","text":7}',
    b'{"type":"prompt","text":"  "}',
    b'{"type":"prompt","text":"x","id":[1]}',
    b'{"type":"prompt","text":"x","attachments":[7]}',
    b'{"type":"promt","text":"x"}',
    b'{"type":"steer"}',
    b'{"type":"answer","toolId":"c1"}',
    b'{"type":"answer","answer":"once"}',
    b'{"type":"answer","toolId":"c1","answer":"yes"}',
    b'{"type":"answer","toolId":"c1","answer":"once"}',
    b'{"type":"answer","toolId":"c1","answer":"no","text":"' + b"x" * 4001 + b'"}',
    b'{"type":"prompt","text":"\xff"}',
    '{"type":"prompt","text":"é'.encode()[:-1] + b'"}',
    "{'type':'prompt'}".encode("utf-16"),
    b'{"type":"prompt","text":"a',
    b"[" * 50_000,
    b'{"type":"prompt","text":"x","n":NaN}',
    b"\x00",
]


def test_what_is_no_message_changes_nothing(a3s: Bench) -> None:
    """Between two runs, and in the middle of one."""
    gate = threading.Event()
    talk = Dialogue(a3s, script=[text("be", gate, "gun"), text("two")])
    talk.write(b"\n".join(NO_MESSAGES) + b"\n")
    talk.wait_for("control_rejected", len(NO_MESSAGES))
    talk.prompt("go")
    talk.wait_for("text_delta")
    talk.write(b"\n".join(NO_MESSAGES) + b"\n")
    talk.wait_for("control_rejected", 2 * len(NO_MESSAGES))
    gate.set()
    talk.prompt("\ud83d\ude00 and half: \ud83d")
    result = talk.finish()
    assert prompts(result) == ["go", "😀 and half: �"]
    refused = result.of("control_rejected")
    half = len(refused) // 2
    assert ["seq" in one for one in refused] == [False] * half + [True] * half
    assert all(one["error"] and len(one["line"]) <= 200 for one in refused)
    assert [one["error"] for one in refused[:half]] == [one["error"] for one in refused[half:]]


def test_a_long_line_is_refused_and_the_next_is_read(a3s: Bench) -> None:
    limit = 16 * 1024 * 1024
    head, tail = b'{"type":"prompt","text":"', b'"}'
    fits = head + b"x" * (limit - len(head) - len(tail)) + tail
    talk = Dialogue(a3s, "--tools", "none", script=[text("a")])
    talk.write(fits[:-2] + b"x" + tail + b"\n")
    talk.wait_for("control_rejected")
    talk.write(fits + b"\n")
    result = talk.finish()
    (run,) = runs(result)
    assert run[0]["promptBytes"] == limit - len(head) - len(tail)
    assert result.of("control_rejected")[0]["error"] == "a line has more than 16 MiB"


def test_a_flood_of_prompts_is_bounded_and_a_cancel_arrives(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[stall("so")])
    talk.prompt("go")
    talk.wait_for("text_delta")
    line = b'{"type":"prompt","text":"more"}\n'
    talk.write(line * 1200)
    talk.cancel()
    ended = talk.ended(1)
    assert ended["code"] == "cancelled"
    result = talk.finish()
    errors = [one["error"] for one in result.of("control_rejected")]
    full = "more than 1000 prompts or 64 MiB are queued"
    assert errors == [full] * 200 + ["the prompt was dropped by a cancel"] * 1000


def test_the_bytes_that_wait_are_bounded(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[stall("so")])
    talk.prompt("go")
    talk.wait_for("text_delta")
    big = b'{"type":"prompt","text":"' + b"x" * (15 << 20) + b'"}\n'
    talk.write(big * 6)
    talk.cancel()
    result = talk.finish()
    errors = [one["error"] for one in result.of("control_rejected")]
    assert len([one for one in errors if one.startswith("more than")]) == 2
    assert len(errors) == 6


def test_a_flood_of_garbage_meets_a_reader_who_does_not_read(a3s: Bench) -> None:
    """Memory stays bounded, and the process ends all the same."""
    reader, writer = os.pipe()
    talk = Dialogue(a3s, script=[], stdout=writer, laws="none")
    os.close(writer)
    for _ in range(10):
        talk.write(b"x\n" * 32_768)
    assert _memory(talk.run.pid) < 64 << 20  # all refusals would be 40 MB more
    assert talk.run.process.stdin is not None
    talk.run.process.stdin.close()
    with os.fdopen(reader, "rb") as out:
        lines = out.read().splitlines()
    assert talk.run.finish(SOON).exit_status == 0
    assert all(json.loads(line)["type"] == "control_rejected" for line in lines)


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (one for one in status.splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def test_secrets_are_hidden_in_refused_lines(a3s: Bench) -> None:
    talk = Dialogue(a3s, script=[text("x")])
    talk.write(b'{"type":"oops","text":"sk-bench-0123456789abcdef"}\n')
    talk.prompt("go")
    result = talk.finish()
    assert b"sk-bench-0123456789abcdef" not in result.stdout


# -- before a run --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-"], "-"),
        (["go", "-"], "--stdin"),
        (["--stdin", "go"], "--stdin"),
        (["-f", "-"], "--prompt-file -"),
        (["go", "--schema", "-"], "--schema -"),
    ],
)
def test_stdin_has_one_use(a3s: Bench, args: list[str], said: str) -> None:
    result = a3s("run", "--input", "json", "-m", "openai/x", *args, laws="none", stdin=b"")
    assert (result.exit_status, result.stdout) == (2, b"")
    assert f"{said} and --input json cannot be combined" in result.stderr.decode()


@pytest.mark.parametrize(
    "args", [["-o", "raw"], ["--allow", "bahs"], ["--session", "nothing-like-it"], ["-c"]]
)
def test_what_is_wrong_is_said_before_anything_is_read(a3s: Bench, args: list[str]) -> None:
    talk = Dialogue(a3s, *args, script=[], laws="none")
    result = talk.run.finish(SOON)  # its stdin is open
    assert (result.exit_status, result.stdout) == (2, b"")


def test_a_broken_configuration_fails_each_run_until_it_is_whole(a3s: Bench) -> None:
    config = a3s.home / ".config/a3s/config.acl"
    config.parent.mkdir(parents=True)
    config.write_text("what is this {")
    talk = Dialogue(a3s, script=[text("fine")])
    talk.prompt("a")
    assert talk.ended(1)["code"] == "config"
    config.write_text("")
    talk.prompt("b")
    assert talk.ended(2)["type"] == "end"
    assert talk.finish().exit_status == 0


def test_a_session_in_use_is_said_and_tried_again(a3s: Bench) -> None:
    first = a3s("run", "hi", script=[text("yo")])
    session = first.events[0]["sessionId"]
    holder = Dialogue(a3s, "--session", session, script=[stall("so"), text("x")])
    holder.prompt("go")
    holder.wait_for("text_delta")
    talk = Dialogue(a3s, "--session", session, script=[text("fine")])
    talk.prompt("a")
    assert talk.ended(1)["code"] == "busy"
    holder.cancel()
    holder.finish()
    talk.prompt("b")
    assert talk.ended(2)["type"] == "end"
    talk.finish()


def test_a_parallel_question_and_a_steer_on_the_other_wire(a3s: Bench) -> None:
    calls = (
        a_call("bash", {"command": "touch a"}, "c1"),
        a_call("bash", {"command": "touch b"}, "c2"),
    )
    talk = Dialogue(a3s, script=[text("look", *calls), text("done")], wire="anthropic")
    talk.prompt("go")
    talk.wait_for("permission_request")
    talk.steer("quick")
    talk.answer("c1", "once")
    talk.wait_for("permission_request", 2)
    talk.answer("c2", "no")
    result = talk.finish()
    assert result.last["text"] == "done"
    body = result.requests[-1].body
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant", "user"], "two messages of one speaker in a row"
    assert body["messages"][-1]["content"][-1]["text"] == "quick"


def test_the_law_of_several_runs_sees_a_breach() -> None:
    apart = {"type": "control_rejected", "ts": 1, "error": "x", "line": "y"}
    assert laws.runs_of([apart]) == []
    with pytest.raises(AssertionError):
        laws.runs_of([{"type": "notice", "ts": 1, "code": "x", "text": "y"}])
    with pytest.raises(AssertionError):
        laws.runs_of([{"type": "start", "seq": 0}, apart])
