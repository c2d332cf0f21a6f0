"""AGENTS.md and CLAUDE.md, from the repository's root down to the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from a3s_cli.files.instructions import PROJECT_LIMIT, Instructions, project_instructions
from tests.support.a3s import Bench
from tests.support.replies import text


def test_the_chain_ends_with_the_nearest(tmp_path: Path) -> None:
    work = tmp_path / "repo" / "a" / "b"
    work.mkdir(parents=True)
    (tmp_path / "AGENTS.md").write_text("not of this repository")
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "repo" / "AGENTS.md").write_text("root\n")
    (tmp_path / "repo" / "a" / "CLAUDE.md").write_text("middle")
    (work / "AGENTS.md").write_bytes(b"\xef\xbb\xbfnear")
    (work / "CLAUDE.md").write_text("not read beside an AGENTS.md")
    assert project_instructions(work) == Instructions(
        "# ../../AGENTS.md\nroot\n\n# ../CLAUDE.md\nmiddle\n\n# AGENTS.md\nnear"
    )
    assert project_instructions(tmp_path / "repo") == Instructions("root")


def test_what_is_not_read_is_told(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").write_text("secret")
    agents = work / "AGENTS.md"
    agents.symlink_to(tmp_path / "secret")
    assert project_instructions(work) == Instructions(
        "", ((str(agents), "AGENTS.md: a link that leads out of the repository is not followed"),)
    )
    agents.unlink()
    agents.write_bytes(b"caf\xe9" + b" " * 100)
    assert project_instructions(work).unread[0][1] == "AGENTS.md: it is not UTF-8 text"
    agents.write_bytes(b"x" * (PROJECT_LIMIT + 1))
    found = project_instructions(work)
    assert len(found.text) == PROJECT_LIMIT
    assert found.unread[0][1] == f"AGENTS.md: it is cut after {PROJECT_LIMIT} bytes"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_what_a_mark_says_is_read(tmp_path: Path, encoding: str) -> None:
    agents = tmp_path / "AGENTS.md"
    agents.write_bytes("\ufeffé and 😀\n".encode(encoding))
    assert project_instructions(tmp_path) == Instructions("é and 😀")
    agents.write_bytes(("\ufeff" + "x" * (PROJECT_LIMIT + 1)).encode(encoding))
    found = project_instructions(tmp_path)
    assert len(found.text) == PROJECT_LIMIT
    assert found.unread == ((str(agents), f"AGENTS.md: it is cut after {PROJECT_LIMIT} bytes"),)


def test_a_run_tells_it(a3s: Bench) -> None:
    (a3s.work / "AGENTS.md").write_bytes(b"caf\xe9" + b" " * 100)
    events = a3s("run", "hi", script=[text("yo")]).events
    notices = [event for event in events if event.get("code") == "instructions_unread"]
    assert [notice["text"] for notice in notices] == ["AGENTS.md: it is not UTF-8 text"]
