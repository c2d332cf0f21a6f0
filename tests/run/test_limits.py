"""Limits: every one ends typed and on time, and leaves nothing running."""

from __future__ import annotations

import socket
import time

import pytest

from ..support import processes, wires
from ..support.a3s import Bench
from ..support.processes import sleeper
from ..support.replies import Pause, Reasoning, bash, silence, stall, text
from ..support.run import PROMISE, SLACK
from ..support.sockets import Asked, RawServer, answering, response

ALLOW = ("--allow", "bash")
#: Long enough that no test reaches it: a call that ends sooner was ended, or ended itself.
PATIENT = ("--tool-timeout", "80s")

TREES = {
    "a sleeper": "{0}",
    "its own session": "setsid --wait {0}",
    "a background child": "{0} & echo up; {0}",
    "a stubborn one": "trap '' TERM INT HUP; {0}; {0}",
    "an orphan with the pipe": "(setsid {0} &); {0}",
    "nohup": "nohup {0} & wait",
}


@pytest.mark.parametrize("name", TREES)
def test_a_tool_s_timeout_kills_its_tree(a3s: Bench, name: str) -> None:
    sleep = sleeper()
    script = [bash(TREES[name].format(sleep)), silence()]
    run = a3s.spawn("run", *ALLOW, "--tool-timeout", "1s", "go", script=script)
    end = run.wait_for("tool_end")
    assert (end["exitCode"], end["reason"]) == (124, "timeout")
    left = processes.wait_until_gone(sleep, PROMISE + SLACK)
    assert not left, left
    run.signal(15)
    assert run.finish().status == 143


ENDING = {
    "a pipe-holder": "{0} & echo hi",
    "a session that holds the pipe": "setsid {0} & echo hi",
    "a daemon": "(setsid {0} >/dev/null 2>&1 &); echo hi",
    "a stubborn child": "(trap '' TERM; {0}; {0}) & echo hi",
    "disowned": "{0} & disown; echo hi",
}


@pytest.mark.parametrize("name", ENDING)
def test_a_call_ends_with_its_command(a3s: Bench, name: str) -> None:
    """What it left in the background holds up neither call nor run, and is ended with it."""
    sleep = sleeper()
    script = [bash(ENDING[name].format(sleep), "c1"), silence()]
    run = a3s.spawn("run", *ALLOW, *PATIENT, "go", script=script)
    end = run.wait_for("tool_end", timeout=40)
    assert (end["exitCode"], end["toolOutput"]) == (0, "hi\n")
    left = processes.wait_until_gone(sleep, PROMISE + SLACK)
    assert not left, left
    run.signal(15)
    assert run.finish().status == 143


def test_output_before_the_timeout_is_kept(a3s: Bench) -> None:
    script = [bash("echo before; printf part; sleep 60", "c1"), text("done")]
    result = a3s("run", *ALLOW, "--tool-timeout", "1", "go", script=script)
    assert result.one("tool_end")["toolOutput"] == "before\npart"
    told = str(result.requests[1].body["messages"][-1]["content"])
    assert "before\npart" in told and "timeout" in told.lower().replace("timed out", "timeout")


def test_a_call_s_own_timeout_is_in_milliseconds(a3s: Bench) -> None:
    script = [bash("sleep 60", timeout=1500), text("done")]
    end = a3s("run", *ALLOW, *PATIENT, "go", script=script).one("tool_end")
    assert (end["exitCode"], end["reason"]) == (124, "timeout")
    assert end["durationMs"] >= 1450, "a part of a second was dropped"


def test_the_deadline_ends_a_tool(a3s: Bench) -> None:
    tree = f"trap '' TERM; setsid {sleeper()} & echo up; {sleeper()}; {sleeper()}"
    result = a3s("run", *ALLOW, "--timeout", "2s", "go", script=[bash(tree)])
    assert (result.last["code"], result.exit_status) == ("timeout", 124)
    assert result.one("tool_end")["reason"] in ("cancelled", "timeout")
    left = processes.wait_until_gone(a3s.mark, PROMISE + SLACK)
    assert not left, left


@pytest.mark.parametrize("duration", ["1", "1s", "1000ms", "0.5s"])
def test_the_deadline_ends_a_silence(a3s: Bench, duration: str) -> None:
    result = a3s("run", "--timeout", duration, "go", script=[silence()])
    assert (result.last["code"], result.status) == ("timeout", 124)


def test_the_deadline_ends_a_drip(a3s: Bench) -> None:
    """Bytes that keep coming are no reason to wait longer."""
    drip = text(*[piece for n in range(600) for piece in (f"{n} ", Pause(0.1))])
    result = a3s("run", "--timeout", "2s", "go", script=[drip])
    assert (result.last["code"], result.status) == ("timeout", 124)


def test_silence_after_text_is_final(a3s: Bench) -> None:
    result = a3s("run", "--idle-timeout", "1s", "go", script=[stall("so")])
    assert (result.last["code"], result.status) == ("provider_timeout", 75)
    assert "retry" not in result.types


@pytest.mark.parametrize("thought", [(), (Reasoning("hm"),)], ids=["nothing", "reasoning"])
def test_silence_before_text_is_tried_again(a3s: Bench, thought: tuple[Reasoning, ...]) -> None:
    script = [stall(*thought), text("yo")]
    result = a3s("run", "--idle-timeout", "1s", "go", script=script)
    assert result.text == "yo"
    assert result.one("retry")["code"] == "provider_timeout"


def test_a_loopback_server_may_think_before_its_first_byte(a3s: Bench) -> None:
    """A model that runs here loads its weights first."""
    assert a3s("run", "--idle-timeout", "1s", "go", script=[silence(1.5)]).text == "late"


@pytest.mark.parametrize(
    "sent", [b"", b": processing\n\n", b"\xef"], ids=["head", "comment", "byte"]
)
def test_an_answer_that_does_not_begin(a3s: Bench, sent: bytes) -> None:
    """Headers and comments are no beginning; a byte of an event is, and then it is idle."""
    head = response(b"")

    def answer(connection: socket.socket, _: Asked) -> None:
        connection.sendall(head)
        for number in range(40):
            if sent != b"\xef" or number == 0:
                connection.sendall(sent)
            time.sleep(0.1)

    with RawServer(answer) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1"}
        flags = ("--first-byte-timeout", "1.5s", "--idle-timeout", "0.7s", "--max-retries", "0")
        result = a3s("run", "-m", "openai/x", *flags, "go", env=env)
    assert (result.last["code"], result.status) == ("provider_timeout", 75)
    begun = sent == b"\xef"
    assert ("in the middle of its answer" if begun else "gave no answer for 1.5 s") in result.last[
        "error"
    ]
    assert result.last["hint"].startswith("--idle-timeout" if begun else "--first-byte-timeout")


def test_a_2xx_is_an_answer(a3s: Bench) -> None:
    body = wires.text("openai-chat", "made")
    with RawServer(answering(response(body, 201))) as server:
        result = a3s("run", "-m", "openai/x", "go", env={"OPENAI_BASE_URL": f"{server.url}/v1"})
    assert result.text == "made"


def test_a_server_that_wants_a_key_after_all(a3s: Bench) -> None:
    body = b'{"error": "unauthorized"}'
    with RawServer(answering(response(body, 401))) as server:
        env = {"OLLAMA_HOST": f"127.0.0.1:{server.port}"}
        result = a3s("run", "-m", "ollama/x", "go", env=env)
    assert (result.last["code"], result.status) == ("auth", 77)
    assert "OLLAMA_API_KEY" in result.last["hint"]
    assert "authorization" not in server.requests[0].headers


def test_pauses_within_the_idle_timeout_are_fine(a3s: Bench) -> None:
    """Even where all of them together are longer."""
    pieces = [piece for n in range(4) for piece in (str(n), Pause(0.6))]
    assert a3s("run", "--idle-timeout", "2s", "go", script=[text(*pieces)]).text == "0123"


def test_turns_are_responses_of_the_main_loop(a3s: Bench) -> None:
    script = [bash("true"), bash("echo 2"), text("done")]
    result = a3s("run", *ALLOW, "--max-turns", "3", "go", script=script)
    assert (result.text, result.last["turns"]) == ("done", 3)


def test_a_limit_that_is_not_reached_is_no_limit(a3s: Bench) -> None:
    script = [bash("true"), bash("echo 2"), text("done")]
    assert a3s("run", *ALLOW, "--max-tool-calls", "2", "go", script=script).text == "done"


@pytest.mark.parametrize("finish", ["max_tokens", "refusal"])
def test_the_text_before_a_bad_end_is_kept(a3s: Bench, finish: str) -> None:
    result = a3s("run", "go", script=[text("so ", "far", finish=finish)])
    assert "".join(event["text"] for event in result.of("text_delta")) == "so far"
    assert result.one("turn_end")["stopReason"] == finish
    assert result.last["code"] == finish
