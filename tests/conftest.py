"""Fixtures of the black-box tests, and the one option that sizes the slow proofs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.support")

from .support import corpus, ray_wheel  # noqa: E402 - after the line that makes its asserts speak
from .support.a3s import Bench, proofs  # noqa: E402
from .support.house import House  # noqa: E402
from .support.watchdog import Watchdog  # noqa: E402

#: The exit status of a run with skips in CI; one that no second try can mend.
SKIPPED = 9


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--proofs",
        type=int,
        default=int(os.environ.get("A3S_PROOFS", "50")),
        metavar="PERCENT",
        help="size of the proofs that repeat an experiment or draw examples (A3S_PROOFS, or 50)",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Through the environment, because test modules read it when they are collected.
    os.environ["A3S_PROOFS"] = str(config.getoption("--proofs"))
    # How long an example takes says how busy the machine is, and nothing else.
    settings.register_profile(
        "untimed",
        settings(),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        max_examples=proofs(100),
    )
    settings.load_profile("untimed")
    config.pluginmanager.register(Watchdog(config))
    # Ignored by `nohup` or by `&` in a script, they would be ignored by every run as well. A
    # handler, because its place is taken by the default action in what we execute.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Make a skip a failure in CI: all but the corpus and Ray's wheel can be had there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    skipped = [
        one
        for one in reports
        if not (corpus.excuses(str(one.longrepr)) or ray_wheel.excuses(str(one.longrepr)))
    ]
    ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if os.environ.get("CI") and skipped and ended:
        session.exitstatus = SKIPPED
        reporter.write_line(f"{len(skipped)} skipped tests count as failures where CI is set")


@pytest.fixture
def a3s(tmp_path: Path) -> Iterator[Bench]:
    """The binary, in a clean place; what it leaves running fails the test."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A home and a project that hold nothing yet."""
    return House(tmp_path)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty workspace."""
    return tmp_path
