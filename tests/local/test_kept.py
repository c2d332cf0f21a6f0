"""Servers that stay: who starts them, who shares them, when they go, and who gets no key."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

from ..input.dialogue import Dialogue
from ..support.a3s import Bench
from .own_models import Model

RUN = ("run", "-m", "local", "-o", "json", "--no-session", "--allow-all")


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model.make(tmp_path / "models", *["Hello."] * 40)


def is_there(pid: int) -> bool:
    """Whether a process of this model's log is still alive."""
    try:
        return b"serve.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def kill(pid: int, model: Model) -> None:
    """Kill a server that a run of this test has started, and nothing else."""
    assert str(model.path).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    os.kill(pid, signal.SIGKILL)


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while is_there(pid):
        assert time.monotonic() < deadline, "the server stays"
        time.sleep(0.05)


def test_nothing_outlives_a_run_by_default(a3s: Bench, model: Model) -> None:
    for _ in range(2):
        assert a3s(*RUN, "hi", env=model.environment).last["text"] == "Hello."
        assert not is_there(model.log[-1]["pid"])
    assert model.loads == 2


def test_one_that_is_kept_serves_the_next_runs_and_goes(a3s: Bench, model: Model) -> None:
    for keep in (("--keep-alive", "60s"), (), ("--keep-alive", "1s")):
        assert a3s(*RUN, *keep, "hi", env=model.environment).last["text"] == "Hello."
    assert model.loads == 1
    # What every prompt begins with was read once.
    assert [one["path"] for one in model.log].count("/slots/0?action=restore") == 0
    wait_until_gone(model.log[0]["pid"])
    assert not list(a3s.home.rglob("served/*.sock"))


def test_two_runs_at_once_share_it(a3s: Bench, model: Model) -> None:
    runs = [a3s.spawn(*RUN, "--keep-alive", "1s", "hi", env=model.environment) for _ in range(2)]
    assert [run.finish().last["text"] for run in runs] == ["Hello."] * 2
    assert model.loads == 1
    wait_until_gone(model.log[0]["pid"])


@pytest.mark.parametrize("killed", [False, True])
def test_a_dialogue_keeps_it_and_it_dies_with_the_dialogue(
    a3s: Bench, model: Model, killed: bool
) -> None:
    flags = ("-m", "local", "--no-session")
    dialogue = Dialogue(a3s, *flags, script=[], env=model.environment)
    for number in (1, 2):
        dialogue.prompt("hi")
        assert dialogue.ended(number)["text"] == "Hello."
    assert model.loads == 1
    if killed:
        dialogue.run.signal(signal.SIGKILL)
        dialogue.run.process.wait(30)
    else:
        dialogue.finish()
    wait_until_gone(model.log[0]["pid"])


def test_a_command_of_a_run_gets_no_key(a3s: Bench, model: Model, tmp_path: Path) -> None:
    ask = (
        "import json, os, socket, sys; os.chdir(os.path.dirname(sys.argv[1]));"
        "s = socket.socket(socket.AF_UNIX); s.connect(os.path.basename(sys.argv[1]));"
        's.sendall(b\'{"beginning": "", "linger": null}\\n\'); print(s.makefile().readline())'
    )
    script = tmp_path / "ask.py"
    script.write_text(ask)
    a3s(*RUN, "--keep-alive", "60s", "hi", env=model.environment)
    (place,) = a3s.home.glob(".cache/a3s/models/served/*.sock")
    pid = model.log[0]["pid"]
    key = key_of(place)
    model.path.with_name("model.gguf.log").unlink()
    answers = [f"<tool=bash>python3 {script} {place}; cat /proc/{pid}/environ</tool>", "No."]
    Path(f"{model.path}.script").write_text(json.dumps({"answers": answers}))
    flags = ("--sandbox", "off", "--keep-alive", "250ms")
    result = a3s(*RUN, *flags, "Use python3 to ask", env=model.environment)
    printed = result.of("tool_end")[0]["toolOutput"]
    assert '{"refused": true}' in printed
    assert key and key.encode() not in result.stdout
    wait_until_gone(pid)


def key_of(place: Path) -> str:
    """Ask for the key as a run does."""
    user = socket.socket(socket.AF_UNIX)
    directory = os.open(place.parent, os.O_PATH)
    with user:
        user.connect(f"/proc/self/fd/{directory}/{place.name}")
        user.sendall(b'{"beginning": "", "linger": null}\n')
        answer = json.loads(user.makefile().readline())
    os.close(directory)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", answer["address"])
    return str(answer["key"])


def test_a_stale_socket_is_in_no_ones_way(a3s: Bench, model: Model) -> None:
    a3s(*RUN, "--keep-alive", "60s", "hi", env=model.environment)
    pid = model.log[0]["pid"]
    assert is_there(pid)
    kill(pid, model)
    wait_until_gone(pid)
    for keep in ((), ("--keep-alive", "250ms")):
        assert a3s(*RUN, *keep, "hi", env=model.environment).last["text"] == "Hello."
    assert model.loads == 3


@pytest.mark.parametrize("keep", [(), ("--keep-alive", "250ms")])
def test_loading_can_be_cancelled(a3s: Bench, tmp_path: Path, keep: tuple[str, ...]) -> None:
    model = Model.make(tmp_path / "models", loading=3)
    run = a3s.spawn(*RUN, *keep, "hi", env=model.environment)
    deadline = time.monotonic() + 60
    while not model.log:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.signal(signal.SIGTERM)
    assert run.finish().last["code"] == "cancelled"
    wait_until_gone(model.log[0]["pid"])


@pytest.mark.parametrize("keep", [(), ("--keep-alive", "60s")])
def test_a_failure_to_load_is_a_sentence(a3s: Bench, tmp_path: Path, keep: tuple[str, ...]) -> None:
    model = Model.make(tmp_path / "models", failure="unknown model architecture: 'owl'")
    result = a3s(*RUN, *keep, "hi", env=model.environment)
    assert (result.status, result.last["code"]) == (78, "config")
    assert result.last["error"] == (
        f"llama.cpp could not load {model.path}: error: unknown model architecture: 'owl'"
    )


def test_reading_the_instructions_is_told_once(a3s: Bench, model: Model) -> None:
    told = []
    for _ in range(2):
        notices = a3s(*RUN, "hi", env=model.environment).of("notice")
        told.append([n["text"] for n in notices if n["code"] == "model_preparing"])
    assert told[0][:1] == [
        "qwen2.5-coder-1.5b is reading its instructions, which later runs need not do"
    ]
    assert told[1] == []
