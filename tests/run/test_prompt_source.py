"""Where the prompt comes from, and that nothing else is read, waited for, or changed on its way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import bash, text
from ..support.run import Result

ALLOW = ("--allow", "bash")
LARGEST = 16 * 1024 * 1024


@pytest.fixture
def silent() -> Iterator[int]:
    """A pipe that is open and silent, as the stdin that many parents leave to their children."""
    reading, writing = os.pipe()
    yield reading
    os.close(reading)
    os.close(writing)


def _asked(result: Result) -> str:
    """The last user message of the first request."""
    messages: list[dict[str, Any]] = result.requests[0].body["messages"]
    assert messages[-1]["role"] == "user"
    content = messages[-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)


def test_an_argument(a3s: Bench) -> None:
    result = a3s("run", "what is this?", script=[text("yo")])
    assert _asked(result) == result.events[0]["prompt"] == "what is this?"


@pytest.mark.parametrize("args", [(), ("-",)], ids=["none", "dash"])
def test_stdin(a3s: Bench, args: tuple[str, ...]) -> None:
    result = a3s("run", *args, script=[text("yo")], stdin="from a pipe é\n".encode())
    assert _asked(result).rstrip("\n") == "from a pipe é"


def test_a_file(a3s: Bench) -> None:
    (a3s.work / "question").write_text("from a file\nof two lines\n")
    for flag in ("-f", "--prompt-file"):
        result = a3s("run", flag, "question", script=[text("yo")])
        assert _asked(result).rstrip("\n") == "from a file\nof two lines"


def test_cwd_acts_before_every_other_path(a3s: Bench) -> None:
    inner = a3s.work / "inner"
    inner.mkdir()
    (inner / "question").write_text("inner")
    for args in (("-C", "inner", "-f", "question"), ("-f", "question", "--cwd", "inner")):
        result = a3s("run", *args, *ALLOW, script=[bash("pwd"), text("yo")])
        assert _asked(result).strip() == "inner"
        assert result.events[0]["cwd"] == str(inner.resolve())
        assert result.one("tool_end")["toolOutput"] == f"{inner.resolve()}\n"


@pytest.mark.parametrize("args", [("--stdin", "review"), ("review", "-")], ids=["flag", "dash"])
def test_stdin_as_context(a3s: Bench, args: tuple[str, ...]) -> None:
    result = a3s("run", *args, script=[text("yo")], stdin=b"+ a diff\n")
    asked = _asked(result)
    assert asked.startswith("review") and "+ a diff" in asked


def test_an_open_silent_stdin_never_hangs(a3s: Bench, silent: int) -> None:
    (a3s.work / "question").write_text("from a file")
    for args in (("from an argument",), ("-f", "question")):
        result = a3s("run", *args, script=[text("yo")], stdin=silent, timeout=30)
        assert result.text == "yo"
        assert "notice" not in result.types


def test_an_open_silent_stdin_never_hangs_a_tool(a3s: Bench, silent: int) -> None:
    script = [bash("cat; echo eof", "c1"), text("yo")]
    result = a3s("run", *ALLOW, "go", script=script, stdin=silent, timeout=30)
    assert result.output("c1") == "eof\n"


def test_data_that_nobody_asked_for_is_told_and_left(a3s: Bench) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"unread")
    script = [bash("cat; echo eof", "c1"), text("yo")]
    result = a3s("run", *ALLOW, "go", script=script, stdin=reading)
    notice = result.one("notice")
    assert notice["code"] == "stdin_ignored" and "--stdin" in notice["text"]
    assert result.output("c1") == "eof\n", "the tool ate the prompt's stdin"
    assert _asked(result) == "go"
    assert os.read(reading, 100) == b"unread"
    os.close(reading)
    os.close(writing)


def test_a_file_as_stdin_that_nobody_asked_for(a3s: Bench) -> None:
    (a3s.work / "data").write_text("unread")
    with (a3s.work / "data").open("rb") as file:
        result = a3s("run", "go", script=[text("yo")], stdin=file.fileno())
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0
    assert result.one("notice")["code"] == "stdin_ignored"


def test_data_that_comes_later_is_told_at_the_end(a3s: Bench) -> None:
    reading, writing = os.pipe()
    script = [bash("until [ -e go ]; do sleep 0.05; done"), text("yo")]
    run = a3s.spawn("run", *ALLOW, "go", script=script, stdin=reading)
    run.wait_for("tool_start")
    os.write(writing, b"late")
    (a3s.work / "go").touch()
    assert run.finish().one("notice")["code"] == "stdin_ignored"
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("output", ["raw", "pretty"])
def test_the_notice_is_on_stderr_in_other_renderings(a3s: Bench, output: str) -> None:
    result = a3s("run", "-o", output, "go", script=[text("yo")], stdin=b"unread")
    assert b"--stdin" in result.stderr and b"--stdin" not in result.stdout


@pytest.mark.parametrize("stdin", [b"", b" \n\t\n"], ids=["empty", "blank"])
def test_a_blank_prompt_is_a_usage_error(a3s: Bench, stdin: bytes) -> None:
    (a3s.work / "blank").write_bytes(stdin)
    for args in ((), ("-",), ("-f", "blank"), (stdin.decode(),)):
        _refused(a3s("run", *args, script=[text("yo")], stdin=stdin, laws="none"))


def test_a_prompt_that_is_not_utf_8(a3s: Bench) -> None:
    (a3s.work / "latin").write_bytes(b"caf\xe9")
    for args in ((), ("-",), ("-f", "latin"), (b"caf\xe9",), ("--stdin", "go")):
        result = a3s("run", *args, script=[text("yo")], stdin=b"caf\xe9", laws="none")
        assert b"UTF-8" in _refused(result)


def test_the_largest_prompt(a3s: Bench) -> None:
    data = (b"0123456789abcde\n" * (LARGEST // 16))[:LARGEST]
    result = a3s("run", "-", script=[text("yo")], stdin=data)
    assert result.events[0]["promptBytes"] in (LARGEST, LARGEST - 1)
    assert len(_asked(result)) >= LARGEST - 1
    result = a3s("run", "-", script=[text("yo")], stdin=data + b"x", laws="none")
    assert b"16 MiB" in _refused(result)


def test_an_endless_stdin_is_not_read_to_its_end(a3s: Bench) -> None:
    run = a3s.shell('yes | a3s run -m "$MODEL" -; echo ${PIPESTATUS[1]}', script=[text("yo")])
    assert run.finish().stdout == b"2\n"


def test_a_file_that_is_not_there(a3s: Bench) -> None:
    assert b"nowhere" in _refused(a3s("run", "-f", "nowhere", script=[text("yo")], laws="none"))
    assert b"work" in _refused(a3s("run", "-f", str(a3s.work), script=[text("yo")], laws="none"))


def _refused(result: Result) -> bytes:
    assert (result.status, result.stdout, result.requests) == (2, b"", [])
    assert result.stderr.strip() and b"Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("prompt", ["/init the thing", "--help", "- a list", "@file", "!ls"])
def test_no_prompt_is_special_after_the_dashes(a3s: Bench, prompt: str) -> None:
    assert _asked(a3s("run", "--", prompt, script=[text("yo")])) == prompt
    if not prompt.startswith("-"):
        assert _asked(a3s("run", prompt, script=[text("yo")])) == prompt


def _system(result: Result) -> str:
    body = result.requests[0].body
    return "".join(json.dumps(m["content"]) for m in body["messages"] if m["role"] == "system")


def test_system_prompts(a3s: Bench) -> None:
    usual = _system(a3s("run", "go", script=[text("yo")]))
    assert usual
    mine = _system(a3s("run", "-s", "Speak Latin.", "go", script=[text("yo")]))
    assert "Speak Latin." in mine and usual.strip('"') not in mine
    both = _system(a3s("run", "--append-system", "Speak Latin.", "go", script=[text("yo")]))
    assert "Speak Latin." in both and len(both) > len(usual)


def test_the_project_s_words(a3s: Bench) -> None:
    (a3s.work / "AGENTS.md").write_text("Use tabs here.")
    assert "Use tabs here." in _system(a3s("run", "go", script=[text("yo")]))
    assert "Use tabs" not in _system(a3s("run", "--no-project", "go", script=[text("yo")]))


def test_the_first_request_is_small_and_stable(a3s: Bench) -> None:
    first, second = (a3s("run", "go", script=[text("yo")]).requests[0] for _ in range(2))
    assert first.size < 7000
    assert first.body == second.body
    assert first.path == "/v1/chat/completions"
    assert first.headers["authorization"].startswith("Bearer sk-bench-")
