"""Calls that are made to break the run: what is shown is what happens, and it always ends."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from ..support.a3s import Bench
from ..support.replies import a_call, bash, call, calls, raw, text

ALLOW = ("--allow", "bash")


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("kill -9 $PPID; sleep 600", 137),
        ("setsid sleep 600 & kill -9 $PPID; exit 3", 137),
        ("kill -9 $(ps -o ppid= -p $PPID); sleep 600", 137),
        ("kill -STOP $$", 124),
        ("kill -STOP $PPID; sleep 600", 124),
        ("kill -STOP $(ps -o ppid= -p $PPID); sleep 600", 124),
    ],
)
def test_a_command_that_attacks_what_holds_it(a3s: Bench, script: str, status: int) -> None:
    """The bench fails the test if anything is left running."""
    limit = ("--tool-timeout", "1s") if status == 124 else ()
    # In a sandbox the first process of the namespace cannot be killed from inside.
    limit += ("--sandbox", "off")
    result = a3s("run", "go", *ALLOW, *limit, script=[bash(script), text("done")])
    assert result.one("tool_end")["exitCode"] == status
    assert result.text == "done"


def test_half_a_character_names_nothing(a3s: Bench) -> None:
    """Written raw, two halves would be the bytes of a name that a rule denies."""
    (a3s.work / "clé.txt").write_text("SECRET")
    whole = call("read", {"file_path": "clé.txt"})
    halves = call("read", '{"file_path": "cl\\udcc3\\udca9.txt"}')
    result = a3s("run", "go", "--deny", "read(clé*)", script=[whole, halves, text("no")])
    assert result.one("permission_denied")["rule"] == "read(clé*)"
    assert result.one("tool_rejected")["reason"] == "invalid_arguments"
    assert b"SECRET" not in result.stdout


def test_a_pair_that_was_cut_between_two_deltas_is_joined(a3s: Bench) -> None:
    frames = [
        '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":'
        '{"name":"bash","arguments":"{\\"command\\": \\"echo \\ud83d"}}]}}]}',
        '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":'
        '{"arguments":"\\ude00\\"}"}}]}}]}',
        '{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
        "[DONE]",
    ]
    stream = "".join(f"data: {frame}\n\n" for frame in frames).encode()
    script = [raw(stream), text("done")]
    result = a3s("run", "go", *ALLOW, "--tool-input", script=script, laws="none")
    assert result.one("tool_start")["toolInput"] == {"command": "echo 😀"}
    assert result.one("tool_end")["toolOutput"] == "😀\n"
    shown = "".join(event["text"] for event in result.of("tool_input_delta"))
    assert shown == '{"command": "echo 😀"}'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"command": "echo a\0b"}, "NUL byte"),
        ({"command": "true " + "x" * 140_000}, "write it to a file"),
    ],
)
def test_a_script_that_no_program_can_be_given(
    a3s: Bench, arguments: dict[str, str], said: str
) -> None:
    result = a3s("run", "go", *ALLOW, script=[call("bash", arguments), text("done")])
    assert said in result.one("tool_rejected")["error"]
    assert result.stderr == b""


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000, "1e999", "-1", "NaN"])
def test_a_number_that_no_parser_would_read_alike(a3s: Bench, number: str) -> None:
    arguments = '{"command": "true", "timeout": N}'.replace("N", number)
    result = a3s("run", "go", *ALLOW, script=[call("bash", arguments), text("done")])
    assert result.one("tool_rejected")["reason"] == "invalid_arguments"
    assert "sys." not in result.one("tool_rejected")["error"]


def test_a_line_as_long_as_a_disk_stops_no_deadline(a3s: Bench) -> None:
    with (a3s.work / "big").open("wb") as file:
        file.write(b"x" * 9000)
        file.truncate(60 << 30)
    script = [call("read", {"file_path": "big"}), text("done")]
    result = a3s("run", "go", "--timeout", "3s", script=script)
    assert (result.last["code"], result.one("tool_end")["reason"]) == ("timeout", "cancelled")


def test_thousands_of_calls_let_a_signal_through(a3s: Bench) -> None:
    many = calls(*[a_call("nope", {"n": n}) for n in range(6000)])
    run = a3s.spawn("run", "go", script=[many])
    run.wait_for(lambda event: event["type"] == "tool_rejected")
    run.signal(signal.SIGINT)
    began = time.monotonic()
    result = run.finish()
    assert result.last["code"] == "cancelled"
    assert time.monotonic() - began < 20


def test_a_call_too_deep_to_read_has_a_fate_as_well(a3s: Bench) -> None:
    deep = '{"command": ' + "[" * 100_000 + "]" * 100_000 + "}"
    script = [calls(a_call("bash", {"command": "true"}), a_call("bash", deep))]
    result = a3s("run", "go", *ALLOW, "--max-tool-calls", "0", script=script)
    assert (result.last["code"], result.status) == ("max_tool_calls", 3)


@pytest.mark.parametrize("count", ["1e400", "-5", "1e30", '"many"'])
def test_a_count_that_is_none(a3s: Bench, count: str) -> None:
    frames = [
        '{"choices":[{"index":0,"delta":{"content":"yo"},"finish_reason":"stop"}]}',
        '{"choices":[],"usage":{"prompt_tokens":N,"completion_tokens":2}}'.replace("N", count),
        "[DONE]",
    ]
    stream = "".join(f"data: {frame}\n\n" for frame in frames).encode()
    result = a3s("run", "go", script=[raw(stream)])
    assert result.last["code"] == "invalid_response" if count == '"many"' else result.text == "yo"


def test_a_prompt_comes_whole_through_a_non_blocking_pipe(a3s: Bench) -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.write(write, b"pr")

    def later() -> None:
        time.sleep(1.5)
        os.write(write, b"ompt")
        os.close(write)

    writer = threading.Thread(target=later)
    writer.start()
    result = a3s("run", script=[text("yo")], stdin=read)
    writer.join(10)
    os.close(read)
    assert result.events[0]["prompt"] == "prompt"


def test_instructions_behind_a_link_inside_the_workspace(a3s: Bench) -> None:
    (a3s.work / "CLAUDE.md").write_text("Run make test.")
    (a3s.work / "AGENTS.md").symlink_to("CLAUDE.md")
    result = a3s("run", "go", script=[text("yo")])
    assert "Run make test." in result.requests[0].body["messages"][0]["content"]
