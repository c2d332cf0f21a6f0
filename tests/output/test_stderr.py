"""What a person sees of a failed run whose stdout goes to a program."""

from __future__ import annotations

import subprocess  # noqa: TID251 - names of descriptors
from typing import Any

import pytest

from ..support.a3s import Bench
from ..support.replies import error, stall, text
from ..support.terminal import Terminal

DENIED = {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}


def failing(a3s: Bench, *flags: str, **options: Any) -> Any:
    return a3s("run", "go", *flags, script=[error(401, DENIED)], laws="none", **options)


def test_the_error_and_its_hint(a3s: Bench) -> None:
    result = failing(a3s)
    told = result.stderr.decode().splitlines()
    last = result.last
    assert result.status == 77 and last["code"] == "auth"
    assert told == [f"a3s: {last['error']}", f"hint: {last['hint']}"]


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
@pytest.mark.parametrize("output", ["json", "raw"])
def test_quiet(a3s: Bench, flag: str, output: str) -> None:
    result = failing(a3s, flag, "-o", output)
    assert (result.status, result.stderr) == (77, b"")
    wrong = a3s("run", flag, "--nonsense", "go", laws="none")
    assert wrong.status == 2 and b"--nonsense" in wrong.stderr


def test_it_is_not_mixed_into_the_stream(a3s: Bench) -> None:
    result = failing(a3s, stderr=subprocess.STDOUT)
    assert [event["type"] for event in result.events] == ["start", "turn_start", "error"]


def test_a_success_and_an_interrupt_say_nothing(a3s: Bench) -> None:
    assert a3s("run", "go", script=[text("hi")]).stderr == b""
    run = a3s.spawn("run", "go", script=[stall("half")])
    run.wait_for("text_delta")
    run.signal(2)
    assert run.finish().stderr == b""


def test_what_is_said_of_a_pipeline(a3s: Bench) -> None:
    line = 'a3s run -m "$MODEL" go | jq -rj \'select(.type=="text_delta").text\''
    result = a3s.shell(line, script=[error(401, DENIED)]).finish()
    assert result.stdout == b"" and result.stderr.startswith(b"a3s: ")


def test_each_run_of_a_dialogue(a3s: Bench) -> None:
    said = b'{"type":"prompt","text":"one"}\n{"type":"prompt","text":"two"}\n'
    run = a3s.spawn(
        "run", "--input", "json", script=[error(401, DENIED)] * 2, stdin=said, laws="none"
    )
    assert run.finish().stderr.count(b"a3s: ") == 2


def test_a_long_wait_is_shown_on_a_terminal(a3s: Bench) -> None:
    terminal = Terminal()
    wait = error(503, headers={"retry-after-ms": "2100"})
    run = a3s.spawn("run", "go", script=[wait, text("hi")], stderr=terminal.side, quiet=False)
    assert run.finish().text == "hi"
    terminal.wait_for("attempt 2 of 5 in 2")
    terminal.close()


def test_a_secret_is_hidden(a3s: Bench) -> None:
    said = {"error": {"message": "no such key sk-bench-0123456789abcdef", "code": "x"}}
    result = a3s("run", "go", script=[error(401, said)], laws="none")
    assert b"0123456789abcdef" not in result.stderr and result.stderr
