"""Bytes: a command's output as it was, in its order, at its time, in lines that all can parse."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from ..support.a3s import Bench, proofs
from ..support.replies import Reply, Wire, bash, call, calls, error, silence, text
from ..support.replies import a_call as piece
from ..support.run import Result

ALLOW = ("--allow", "bash", "--allow", "write")
CAP = 16 * 1024 * 1024
HOSTILE = (
    "".join(map(chr, range(0x20)))
    + "\x7f\x80\x85\x9b31m\x1b]0;title\x07\u2028\u2029\ufeff\u200b\u202e\U0001f600\U0010ffff"
    + '\r\n::set-output name=a::b\ndata: {"type":"end"}\n{"type":"end","seq":0}\n\\u0000 \\ "'
)


def _output(a3s: Bench, command: str, *args: str) -> tuple[Result, str]:
    """Run one command as the model's call; give all that it streamed."""
    result = a3s("run", *ALLOW, *args, "go", script=[bash(command, "c1"), text("done")])
    assert result.text == "done"
    return result, result.output("c1")


def _script(a3s: Bench, python: str) -> str:
    """A command that runs this Python, for exact bytes at exact moments."""
    (a3s.work / "script.py").write_text("import os, sys, time\n" + python)
    return "exec python3 script.py"


def _emitting(data: bytes) -> str:
    return f"os.write(1, {data!r})"


def test_both_streams_in_their_true_order(a3s: Bench) -> None:
    command = "for n in $(seq 200); do echo o$n; echo e$n >&2; done"
    assert _output(a3s, command)[1] == "".join(f"o{n}\ne{n}\n" for n in range(1, 201))


def test_no_newline_is_added(a3s: Bench) -> None:
    result, shown = _output(a3s, "printf 'one\ntwo'")
    assert shown == result.one("tool_end")["toolOutput"] == "one\ntwo"


def test_no_output_is_no_delta(a3s: Bench) -> None:
    result, _ = _output(a3s, "true")
    assert "tool_output_delta" not in result.types
    assert result.one("tool_end")["toolOutput"] == ""


@pytest.mark.parametrize(("shown", "command"), [("line\n", "echo line"), ("part", "printf part")])
def test_output_is_shown_while_the_command_runs(a3s: Bench, shown: str, command: str) -> None:
    """A complete line at once, a partial one after its 100 ms; the command goes on only then."""
    waiting = f"{command}; until [ -e seen ]; do sleep 0.05; done; printf rest"
    run = a3s.spawn("run", *ALLOW, "go", script=[bash(waiting, "c1"), text("done")])
    assert run.wait_for("tool_output_delta")["text"] == shown
    (a3s.work / "seen").touch()
    assert run.finish().output("c1") == shown + "rest"


def test_a_line_in_two_quick_writes_is_one_delta(a3s: Bench) -> None:
    """Partial lines wait, so that a slow writer does not make an event of each word."""
    command = _script(a3s, "for n in range(20):\n os.write(1, b'ab '); time.sleep(0.001)\nprint()")
    result, shown = _output(a3s, command)
    assert shown == "ab " * 20 + "\n"
    assert len(result.of("tool_output_delta")) < 20


def test_invalid_utf_8_becomes_replacement_characters(a3s: Bench) -> None:
    data = b"\xff\xfe ok \xc3( \xed\xa0\x80 \xf0\x9f\x98 \x80\xe2\x82\nend \xe2\x82"
    assert _output(a3s, _script(a3s, _emitting(data)))[1] == data.decode("utf-8", "replace")


def test_utf_8_cut_at_every_byte(a3s: Bench) -> None:
    """Longer than the wait for a partial line: a character that is only begun must wait on."""
    data = "é€😀\n".encode()
    cuts = range(1, len(data))
    lines = [f"{_emitting(data[:n])}; time.sleep(0.15); {_emitting(data[n:])}" for n in cuts]
    single = [f"{_emitting(data[n : n + 1])}; time.sleep(0.12)" for n in range(len(data))]
    _, shown = _output(a3s, _script(a3s, "\n".join([*lines, *single])))
    assert shown == data.decode() * len(data)


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_the_model_s_text_cut_at_every_byte(a3s: Bench, wire: Wire, size: int) -> None:
    whole = text("é€😀 ", "naïve ", "日本語\n", "end")
    body = b"".join(step for step in whole.steps(wire) if isinstance(step, bytes))
    body = body.replace(b"\\u00e9\\u20ac\\ud83d\\ude00", "é€😀".encode())
    pieces = tuple(body[n : n + size] for n in range(0, len(body), size))
    result = a3s("run", "go", wire=wire, script=[Reply(pieces, ending="end")])
    assert result.text == "é€😀 naïve 日本語\nend"


@pytest.mark.parametrize("wire", ["openai-chat", "anthropic"])
def test_surrogates(a3s: Bench, wire: Wire) -> None:
    """A pair cut between two deltas is joined; a truly lone one is replaced."""
    script = [text("a\ud83d", "\ude00b ", "\ud800x ", "\udc00y ", "z\ud83d", "\ud83d\ude00")]
    result = a3s("run", "go", wire=wire, script=script)
    assert result.text == "a😀b \ufffdx \ufffdy z\ufffd😀"


def test_hostile_text_of_the_model(a3s: Bench) -> None:
    result = a3s("run", "go", script=[text(HOSTILE, HOSTILE)])
    assert result.text == HOSTILE * 2


def test_hostile_output_of_a_tool(a3s: Bench) -> None:
    result, shown = _output(a3s, _script(a3s, _emitting(HOSTILE.encode())))
    assert shown == HOSTILE
    told = str(result.requests[1].body["messages"][-1]["content"])
    assert HOSTILE.replace("\0", "") in told.replace("\0", "")


def test_hostile_prompt_and_arguments(a3s: Bench) -> None:
    prompt = HOSTILE.replace("\0", "")
    script = [bash("true # " + prompt, "c1"), call("bash", HOSTILE, "c2"), text("done")]
    result = a3s("run", *ALLOW, prompt, script=script)
    assert result.events[0]["prompt"] == prompt
    assert result.one("tool_start")["toolInput"] == {"command": "true # " + prompt}
    assert result.one("tool_rejected")["rawInput"] == HOSTILE


def test_raw_is_byte_for_byte(a3s: Bench) -> None:
    said = HOSTILE + "é"
    result = a3s("run", "-o", "raw", "go", script=[text(said[:40], said[40:])])
    assert (result.stdout, result.stderr) == (said.encode() + b"\n", b"")


def test_raw_separates_turns_and_ends_its_line(a3s: Bench) -> None:
    script = [text("one", bash("echo no").calls[0]), text("two\n")]
    result = a3s("run", "-o", "raw", *ALLOW, "go", script=script)
    assert result.stdout == b"one\ntwo\n"
    assert b"no" not in result.stdout


def test_ten_megabytes(a3s: Bench) -> None:
    lines = 10_000_000 // 8
    result, shown = _output(a3s, f"seq -f '%07.0f' {lines}")
    assert shown == "".join(f"{n:07d}\n" for n in range(1, lines + 1))
    end = result.one("tool_end")
    assert (end["truncated"], end["outputBytes"]) == (True, len(shown))
    assert result.requests[1].size < 128 * 1024, "the model was told too much"


def test_the_cap_is_told_and_the_count_goes_on(a3s: Bench) -> None:
    result, shown = _output(a3s, "yes 1234567 | head -c 20000000")
    assert len(shown) == CAP
    assert shown == ("1234567\n" * (CAP // 8))
    notice = result.one("notice")
    assert (notice["code"], notice["toolId"]) == ("output_capped", "c1")
    end = result.one("tool_end")
    assert (end["exitCode"], end["truncated"], end["outputBytes"]) == (0, True, 20_000_000)
    assert end["toolOutput"].startswith("1234567\n") and end["toolOutput"].endswith("1234567\n")


def test_memory_is_bounded_under_yes(a3s: Bench) -> None:
    """The peak is read while the run waits for its next answer: it cannot end too early."""
    script = [bash("yes"), silence()]
    run = a3s.spawn("run", "--tool-timeout", "6", *ALLOW, "go", script=script)
    end = run.wait_for("tool_end")
    assert (end["exitCode"], end["reason"]) == (124, "timeout")
    assert end["outputBytes"] > CAP // 4
    status = Path(f"/proc/{run.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak and int(peak[1]) < 300_000
    run.signal(15)
    assert run.finish().status == 143


@pytest.mark.parametrize("unit", ["x", "\x01", "\u2028", '"', "é", "😀"], ids=ascii)
def test_long_values_keep_lines_short(a3s: Bench, unit: str) -> None:
    """Some characters take six bytes of JSON for one: the line counts, not the value."""
    long = unit * (150_000 // len(unit.encode()))
    emit = f"os.write(1, {unit!r}.encode() * {len(long)})"
    script = [
        bash(_script(a3s, emit), "c1"),
        call("write", {"file_path": "f", "content": long}, "c2"),
        call("bash", long, "c3"),
        text(long, long),
    ]
    (a3s.work / "prompt").write_text("p" + long)
    result = a3s("run", *ALLOW, "-f", "prompt", script=script)
    assert result.output("c1") == long
    size = len(long.encode())
    assert (a3s.work / "f").read_text() == long
    start = result.events[0]
    assert (start["truncated"], start["promptBytes"]) == (True, size + 1)
    assert start["prompt"][1:3000] == long[:2999] and start["prompt"][-1000:] == long[-1000:]
    end = result.one("tool_end", "c1")
    assert (end["truncated"], end["outputBytes"]) == (True, size)
    assert (result.last["truncated"], result.last["textBytes"]) == (True, 2 * size)
    cut = result.one("tool_start", "c2")
    assert cut["inputTruncated"] is True and cut["toolInput"]["file_path"] == "f"
    omitted = cut["toolInput"]["content"]
    assert omitted["sha256"] == hashlib.sha256(long.encode()).hexdigest()
    assert omitted["omitted"] > 0 and long.startswith(omitted["head"])
    rejected = result.one("tool_rejected", "c3")
    assert (rejected["truncated"], rejected["inputBytes"]) == (True, size)
    assert [m["role"] for m in result.requests[0].body["messages"]][-1] == "user"
    assert long in str(result.requests[0].body["messages"][-1]["content"])


@pytest.mark.parametrize("unit", ["x", "\x01"], ids=ascii)
def test_a_tool_s_long_name_keeps_lines_short(a3s: Bench, unit: str) -> None:
    """Whatever the model writes, it writes into no line that a reader refuses."""
    result = a3s("run", "go", script=[call(unit * 150_000, {}, "c1"), text("oh")])
    assert result.one("tool_rejected")["toolName"].startswith(unit * 100)
    result = a3s("run", "go", script=[call("ls", {}, unit * 150_000), text("oh")])
    assert result.one("tool_end")["toolId"].startswith(unit * 100)


def test_a_provider_s_long_error_is_cut(a3s: Bench) -> None:
    result = a3s("run", "go", script=[error(400, {"error": {"message": "\x01" * 200_000}})])
    assert result.last["code"] == "provider_error"


def test_a_thousand_denials_fit_the_last_line(a3s: Bench) -> None:
    many = [piece("bash", {"command": f"echo {n}"}) for n in range(1500)]
    result = a3s("run", "go", script=[calls(*many), text("pity")])
    assert result.text == "pity"
    assert len(result.of("permission_denied")) == 1500


def test_twenty_thousand_deltas(a3s: Bench) -> None:
    words = [f"w{n} " for n in range(200 * proofs(100))]
    result = a3s("run", "go", script=[text(*words)])
    assert "".join(event["text"] for event in result.of("text_delta")) == "".join(words)
