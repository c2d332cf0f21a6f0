"""A process that was stopped: time in which it did not run is no silence of anything else.

Only a3s is stopped; the provider and the commands go on meanwhile.
"""

from __future__ import annotations

import signal
import time

from ..support.a3s import Bench
from ..support.replies import Pause, Reply, bash, stall, text
from ..support.run import Run

#: Seconds that the process is stopped, longer than every limit below.
STOPPED = 4.0
#: Seconds of a silence that begins before and ends after it, and would be too long by itself.
SILENT = 4.5


def stopped(run: Run) -> None:
    run.signal(signal.SIGSTOP)
    time.sleep(STOPPED)
    run.signal(signal.SIGCONT)


def test_a_provider_was_not_silent(a3s: Bench) -> None:
    first, *rest = text("one", "two").steps("openai-chat")
    script = [Reply((first, *rest[:1], Pause(SILENT), *rest[1:]))]
    run = a3s.spawn("run", "go", "--idle-timeout", "2", "--max-retries", "0", script=script)
    run.wait_for("turn_start")
    run.wait_for("text_delta")
    stopped(run)
    result = run.finish()
    assert (result.last["type"], result.text) == ("end", "onetwo")


def test_a_provider_had_not_begun(a3s: Bench) -> None:
    script = [Reply((Pause(SILENT), *text("late").steps("openai-chat")))]
    limit = ("--first-byte-timeout", "2", "--max-retries", "0")
    run = a3s.spawn("run", "go", *limit, script=script)
    assert run.server is not None
    run.server.wait_for_request()
    stopped(run)
    assert run.finish().text == "late"


def test_a_provider_had_begun_and_said_nothing(a3s: Bench) -> None:
    """Its first piece comes while a3s is stopped, and has no content."""
    first, *rest = text("late").steps("openai-chat")
    script = [Reply((Pause(1.0), first, Pause(SILENT - 1.0), *rest))]
    limit = ("--first-byte-timeout", "2", "--max-retries", "0")
    run = a3s.spawn("run", "go", *limit, script=script)
    assert run.server is not None
    run.server.wait_for_request()
    stopped(run)
    assert run.finish().text == "late"


def test_what_was_silent_before_and_after(a3s: Bench) -> None:
    """It is found out all the same."""
    limit = ("--idle-timeout", "2", "--max-retries", "0")
    run = a3s.spawn("run", "go", *limit, script=[stall("one")])
    run.wait_for("text_delta")
    stopped(run)
    assert run.finish().last["code"] == "provider_timeout"


def test_a_command_that_ended_meanwhile(a3s: Bench) -> None:
    command = "echo a; sleep 1; seq 1 2000; echo b"
    limit = ("--tool-timeout", "2", "--allow", "bash")
    run = a3s.spawn("run", "go", *limit, script=[bash(command), text("done")])
    run.wait_for("tool_output_delta")
    stopped(run)
    result = run.finish()
    end = result.one("tool_end")
    assert (end["exitCode"], result.text) == (0, "done")
    assert end["toolOutput"] == "a\n" + "".join(f"{n}\n" for n in range(1, 2001)) + "b\n"


def test_a_command_that_goes_on(a3s: Bench) -> None:
    limit = ("--tool-timeout", "2", "--allow", "bash")
    run = a3s.spawn("run", "go", *limit, script=[bash("echo a; sleep 600"), text("done")])
    run.wait_for("tool_output_delta")
    stopped(run)
    assert run.finish().one("tool_end")["reason"] == "timeout"


def test_the_limit_of_the_whole_run_counts_it(a3s: Bench) -> None:
    run = a3s.spawn("run", "go", "--timeout", "3", script=[stall("one")])
    run.wait_for("text_delta")
    stopped(run)
    result = run.finish(timeout=3)
    assert (result.status, result.last["code"]) == (124, "timeout")
