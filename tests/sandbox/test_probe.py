"""Whether the sandbox can be used: asked once, answered for this kernel, user and namespace."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from a3s_cli.sandbox.bwrap import Bubblewrap
from a3s_cli.sandbox.probe import Probe

from .cage import PATH, USERS, Cage, Driver


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PATH": PATH, "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}


def fake(directory: Path, script: str) -> str:
    """A directory for the search path with a bwrap of ours."""
    directory.mkdir()
    (directory / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (directory / "bwrap").chmod(0o755)
    return str(directory)


def count(directory: Path) -> int:
    log = directory / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_it_is_tried_once_and_remembered(environ: dict[str, str], tmp_path: Path) -> None:
    log = f"echo x >> {tmp_path}/log; exit 0"
    environ["PATH"] = fake(tmp_path / "bin", log)
    for expected in (1, 1):
        assert Probe(environ, tmp_path / "work").answer(10) is True
        assert count(tmp_path) == expected
    # Another program, another question.
    assert Probe(environ, tmp_path / "work", network=False).answer(10) is True
    (tmp_path / "bin/bwrap").write_text(f"#!/bin/sh\n# newer\n{log}\n")
    probe = Probe(environ, tmp_path / "work")
    assert probe.answer(10) is True
    assert count(tmp_path) == 3
    probe.forget()
    assert Probe(environ, tmp_path / "work").answer(10) is True
    assert count(tmp_path) == 4


def test_what_is_remembered_elsewhere_is_not_believed(
    environ: dict[str, str], tmp_path: Path
) -> None:
    environ["PATH"] = fake(tmp_path / "bin", f"echo x >> {tmp_path}/log; exit 0")
    assert Probe(environ, tmp_path / "work").answer(10) is True
    file = tmp_path / "cache/a3s/sandbox-on"
    file.write_text(file.read_text().replace("user:[", "user:[9"))
    assert Probe(environ, tmp_path / "work").answer(10) is True
    assert count(tmp_path) == 2


def test_a_failure_has_a_reason_and_is_not_remembered(
    environ: dict[str, str], tmp_path: Path
) -> None:
    environ["PATH"] = fake(tmp_path / "bin", "echo 'bwrap: no namespaces' >&2; exit 1")
    probe = Probe(environ, tmp_path / "work")
    assert (probe.answer(10), probe.reason) == (False, "bwrap: no namespaces")
    assert asyncio.run(probe.usable()) is False
    assert not (tmp_path / "cache").exists()


def test_nobody_waits(environ: dict[str, str], tmp_path: Path) -> None:
    environ["PATH"] = fake(tmp_path / "bin", "sleep 1")
    began = time.monotonic()
    probe = Probe(environ, tmp_path / "work")
    assert probe.answer() is None
    assert probe.answer(0.05) is None
    assert time.monotonic() - began < 0.9
    assert asyncio.run(probe.usable()) is True


@pytest.mark.parametrize("path", ["/nonexistent", ".:bin"])
def test_none_is_found(environ: dict[str, str], tmp_path: Path, path: str) -> None:
    work = tmp_path / "work"
    work.mkdir()
    fake(work / "bin", "exit 0")
    environ["PATH"] = path
    probe = Probe(environ, work)
    assert (probe.answer(), probe.program, probe.reason) == (False, None, "bwrap is not installed")


def test_one_that_the_project_brings_along(environ: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    environ["PATH"] = fake(work, "exit 0")
    program = work / "bwrap"
    probe = Probe(environ, work)
    reason = f"{program} lies in the workspace, where a command could replace it"
    assert (probe.answer(), probe.program, probe.reason) == (False, None, reason)


def test_a_cache_that_cannot_be_written(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    environ["PATH"] = fake(tmp_path / "bin", "exit 0")
    assert Probe(environ, tmp_path / "work").answer(10) is True
    del environ["XDG_CACHE_HOME"], environ["HOME"]
    assert Probe(environ, tmp_path / "work").answer(10) is True


def test_a_program_that_cannot_be_started(environ: dict[str, str], tmp_path: Path) -> None:
    environ["PATH"] = fake(tmp_path / "bin", "exit 0")
    (tmp_path / "bin/bwrap").write_text(f"#!{tmp_path}/absent\n")
    probe = Probe(environ, tmp_path / "work")
    assert probe.answer(10) is False
    assert "No such file" in probe.reason


def test_what_fails_later_did_not_run_and_is_forgotten(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Bubblewrap's own 1 is not the command's."""
    output: list[bytes] = []

    async def receive(data: bytes) -> None:
        output.append(data)

    bin_ = fake(tmp_path / "bin", "echo 'bwrap: not today' >&2; exit 1")
    sandbox = Bubblewrap([str(tmp_path)], program=f"{bin_}/bwrap", environment=environ)
    forgotten: list[bool] = []
    sandbox.on_failure = lambda: forgotten.append(True)
    run = sandbox.run(["true"], cwd=tmp_path, environment=environ, timeout=9, receive=receive)
    finished = asyncio.run(run)
    sandbox.close()
    assert (finished.exit_code, b"".join(output)) == (126, b"bwrap: not today\n")
    assert forgotten == [True]


@pytest.mark.parametrize("driver", USERS, indirect=True)
def test_inside_of_a_sandbox_there_is_none(cage: Cage, driver: Driver, shared: Path) -> None:
    script = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from a3s_cli.sandbox.probe import Probe;"
        "probe = Probe(os.environ, Path.cwd()); print(probe.answer(10), bool(probe.reason))"
    )
    outcome = cage.run(["python3", "-c", script, str(shared)])
    assert outcome.output == "False True\n"


def test_the_question_needs_nothing_heavy() -> None:
    script = (
        "import sys; before = set(sys.modules); import a3s_cli.sandbox.probe;"
        "print(sorted({'asyncio', 'subprocess', 'json', 'pwd', 'a3s_cli.processes.spawner'}"
        " & (set(sys.modules) - before)))"
    )
    with os.popen(f'{sys.executable} -c "{script}"') as output:
        assert output.read() == "[]\n"
