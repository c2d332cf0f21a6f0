"""Nothing waits without a bound, and nothing outlives the suite.

Three bounds, each for what escapes the one before it:

- `timeout` in pyproject.toml (pytest-timeout) fails a test that takes too long, and
  its fixtures still clean up. But it is off once a test has failed, and a hang in C
  does not hear its signal.
- The watchdog here is a thread in C. It goes on after a failure, while fixtures are
  torn down; it prints every thread's stack and ends the process, which pytest-xdist
  reports as the crash of that very test and replaces.
- `.ci/run` ends everything after `A3S_LIMIT` seconds, with the stacks as well.

What a test started carries the suite's mark in its environment, so that at the end
whatever was left running is found, ended, and told as a failure.
"""

from __future__ import annotations

import faulthandler
import os
import uuid
from collections.abc import Generator

import pytest

from . import processes

#: In the environment of all that the suite starts.
MARK = "BENCH_SUITE"
#: Seconds for one test and its fixtures, beyond what pytest-timeout allows it.
HARD = 240.0
#: Seconds for what comes after a failure.
AFTERWARDS = 90.0
#: Seconds in which what is about to end has ended.
LEAVING = 10.0


def suite() -> dict[str, str]:
    """Return the variable that marks processes with an environment of their own."""
    return {MARK: os.environ[MARK]}


class Watchdog:
    """A plugin, in every process of the suite. `stderr` is what nothing captures."""

    def __init__(self, config: pytest.Config) -> None:
        self._stderr = os.dup(2)
        #: Whether this is the process that a person or CI has started.
        self._first = not hasattr(config, "workerinput")
        if self._first:
            os.environ[MARK] = f"suite-{uuid.uuid4().hex}"

    def _arm(self, seconds: float) -> None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._stderr)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        marked = item.get_closest_marker("timeout")
        self._arm(HARD + (marked.args[0] if marked else 0))
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()

    @pytest.hookimpl(trylast=True)
    def pytest_exception_interact(self) -> None:
        # pytest has just ended the watch, for the sake of debuggers.
        self._arm(AFTERWARDS)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not self._first:
            return
        processes.wait_until_gone(os.environ[MARK], LEAVING)
        if left := processes.clean_up(os.environ[MARK]):
            told = "".join(f"\nleft behind by the suite: {one}" for one in left)
            os.write(self._stderr, f"{told}\n".encode())
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
