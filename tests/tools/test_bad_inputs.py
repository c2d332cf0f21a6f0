"""The corpus of bad inputs: a run hears its signals, ends, and leaves a server alive meanwhile."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator

import pytest

from ..serve.serving import Host
from ..support.a3s import Bench
from ..support.processes import Work
from ..support.replies import Reply, a_call, calls, text
from ..support.run import HANG, SLACK
from .bad_inputs import INPUTS, tree

#: Seconds in which a run ends after a signal.
PROMISED = 1.0
TOOLS = sorted(INPUTS)


@pytest.fixture
def host(a3s: Bench) -> Iterator[Host]:
    one = Host(a3s)
    yield one
    one.close()


def all_of(tool: str) -> Reply:
    return calls(*[a_call(tool, json.dumps(arguments)) for arguments in INPUTS[tool]])


def test_the_corpus_is_large() -> None:
    assert all(len({json.dumps(one) for one in each}) >= 30 for each in INPUTS.values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_signal_ends_the_run(a3s: Bench, tool: str, number: signal.Signals) -> None:
    tree(a3s.work)
    run = a3s.spawn("run", "go", script=[all_of(tool), text("done")])
    run.wait_for("tool_start")
    with Work(run.pid) as work:
        run.signal(number)
        sent = time.monotonic()
        result = run.finish(HANG)
    assert time.monotonic() - sent < PROMISED + SLACK
    # On a machine of its own the run would have taken no longer than it and what it started
    # have worked, side by side.
    assert work.seconds < 2 * PROMISED
    assert (result.last["type"], result.last["signal"]) == ("error", number.name)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_call_has_its_fate(a3s: Bench, tool: str) -> None:
    """Within its time, in a sentence, and with nothing that lies outside the workspace."""
    (a3s.root / "secret").write_text("outside-0123456789\n")
    tree(a3s.work)
    (a3s.work / "out").symlink_to(a3s.root / "secret")
    script = [all_of(tool), text("done")]
    result = a3s("run", "go", "--tool-timeout", "3", script=script, timeout=4 * HANG)
    assert result.text == "done"
    fates = ("tool_end", "tool_rejected", "permission_denied")
    assert sum(len(result.of(kind)) for kind in fates) == len(INPUTS[tool])
    for end in result.of("tool_end"):
        assert end["toolOutput"] and "Traceback" not in end["toolOutput"], end
        assert "failed: " not in end["toolOutput"], end  # by an exception that no one expected
    assert b"outside-0123456789" not in result.stdout and b"root:x:0" not in result.stdout


def test_a_server_answers_others_meanwhile(host: Host) -> None:
    tree(host.bench.work)
    script = [all_of("glob"), text("done"), text("other")]
    serving = host.serve(script, "--tool-timeout", "3")
    with serving.chat("go", sessionId="bad") as stream:
        stream.take("tool_start")
        slowest = 0.0
        for _ in range(10):
            asked = time.monotonic()
            assert serving.client.get("/api/sessions").status_code == 200
            slowest = max(slowest, time.monotonic() - asked)
        assert slowest < PROMISED + SLACK
        serving.post("/api/sessions/bad/cancel")
        stream.take("error")
