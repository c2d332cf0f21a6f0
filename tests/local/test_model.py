"""The embedded model for real: llama.cpp's server with the smallest weights, through the binary.

What the model says is never asserted, only how it is run.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from a3s_cli.local import weights

from ..support import processes
from ..support.a3s import Bench
from ..support.run import Result

pytestmark = pytest.mark.model
NAME = "smollm2-135m"
RUN = ("run", "-m", "local", "-o", "json", "--tools", "read", "--max-turns", "2")


@pytest.fixture(scope="session")
def smallest() -> str:
    path = weights.installed(NAME, os.environ)
    if not path or not weights.runtime_installed():
        pytest.skip(f"needs xllamacpp, and: a3s models pull {NAME}")
    return str(path)


def told(result: Result) -> list[str]:
    return [event["code"] for event in result.of("notice")]


def test_it_answers_and_reads_its_instructions_once(a3s: Bench, smallest: str) -> None:
    results = [a3s(*RUN, "Say hello.", env={"A3S_LOCAL_MODEL": smallest}) for _ in range(2)]
    for result in results:
        assert result.one("start")["model"] == "local/qwen2.5-coder-1.5b"
        turn = result.of("turn_end")[0]
        assert turn["usage"]["inputTokens"] > turn["usage"]["outputTokens"] > 0
        assert "retry" not in result.types
    # On a slow machine it is told again how far it is.
    assert ["model_preparing" in told(result) for result in results] == [True, False]
    assert not list(a3s.home.rglob("server-*.log"))
    # One that was damaged is made anew.
    (state,) = a3s.home.glob(".cache/a3s/models/states/*")
    size = state.stat().st_size
    state.write_bytes(state.read_bytes()[: size // 2])
    result = a3s(*RUN, "Say hello.", env={"A3S_LOCAL_MODEL": smallest})
    assert "model_preparing" in told(result)
    assert state.stat().st_size == size


def test_without_a_place_for_states_it_still_answers(a3s: Bench, smallest: str) -> None:
    (a3s.home / ".cache").write_text("a file")
    result = a3s(*RUN, "Say hello.", env={"A3S_LOCAL_MODEL": smallest})
    assert result.of("turn_end")


def test_weights_that_are_none_are_a_sentence(a3s: Bench, smallest: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(Path(smallest).read_bytes()[:100_000])
    result = a3s(*RUN, "Say hello.", env={"A3S_LOCAL_MODEL": str(broken)})
    assert result.status == 78
    error = result.last["error"]
    assert error.startswith(f"llama.cpp could not load {broken}: ")
    assert "\n" not in error


@pytest.mark.parametrize("after", [0.0, 0.3, 1.0, 3.0])
def test_it_is_gone_when_it_is_cancelled(a3s: Bench, smallest: str, after: float) -> None:
    run = a3s.spawn(*RUN, "Count to a million.", env={"A3S_LOCAL_MODEL": smallest})
    run.wait_for("turn_start")
    time.sleep(after)
    run.signal(signal.SIGTERM)
    result = run.finish()
    assert result.last["code"] == "cancelled"
    # The bench finds what is left of it.


def test_it_dies_with_us(a3s: Bench, smallest: str) -> None:
    run = a3s.spawn(*RUN, "Count to a million.", env={"A3S_LOCAL_MODEL": smallest}, laws="prefix")
    deadline = time.monotonic() + 60
    while not any("serve.py" in found.command for found in processes.survivors(a3s.mark)):
        assert time.monotonic() < deadline and run.process.poll() is None, "no server came up"
        time.sleep(0.05)
    run.signal(signal.SIGKILL)
    run.finish()
