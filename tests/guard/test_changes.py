"""Which files a command has changed, as `tool_end` says."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from a3s_cli.guard.changes import MOST_BYTES, changed, told
from a3s_cli.guard.scan import MOST_FILES, Scan

from ..support.a3s import Bench
from ..support.replies import a_call, calls, text

SCRIPTS = [
    "mkdir -p src/new/deep; echo a > src/new/a; echo a > src/new/deep/é; echo x >> kept;"
    " rm gone; mv old-name new-name; echo x > back; touch -d 2001-01-01 back; rm -r directory;"
    " echo x > temporary; rm temporary; echo evil > .envrc; echo fine > .hidden;"
    " git init -q; git add -A; mkdir -p node_modules/p; echo x > node_modules/p/x",
    "cat kept; git status; ls -R; echo x > /tmp/x",
    "chmod +x kept; ln -s kept link",
    "for i in $(seq -w 150); do echo x > many-$i; done",
]


def ends(a3s: Bench, *scripts: str, flags: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    replies = [calls(a_call("bash", {"command": one}, f"c{n}")) for n, one in enumerate(scripts)]
    result = a3s("run", "go", "--allow", "bash", *flags, script=[*replies, text("done")])
    return [event for event in result.events if event["type"] == "tool_end"]


def test_what_commands_changed(a3s: Bench) -> None:
    for name in ("kept", "gone", "old-name", "untouched", "directory/sub/file"):
        (a3s.work / name).parent.mkdir(parents=True, exist_ok=True)
        (a3s.work / name).write_text("x\n")
    found = [end.get("changed", []) for end in ends(a3s, *SCRIPTS, flags=("--sandbox", "require"))]
    first = (
        *(".hidden", "back", "directory/sub/file", "gone", "kept", "new-name", "old-name"),
        *("src/new/a", "src/new/deep/é"),
    )
    many = [f"many-{n:03}" for n in range(1, 101)]
    expected = [list(first), [], ["kept", "link"], many]
    assert found == [[str(a3s.work / name) for name in names] for names in expected]


def test_where_it_is_not_known(a3s: Bench) -> None:
    [plain] = ends(a3s, "echo x > a", flags=("--sandbox", "off"))
    [reading] = ends(a3s, "ls", flags=("--sandbox", "require", "--read-only"))
    assert "changed" not in plain and "changed" not in reading


def test_too_many_files_to_look_at(tmp_path: Path) -> None:
    scan = Scan([str(tmp_path)])
    for name in range(MOST_FILES):
        (tmp_path / str(name)).touch()
    scan.look()
    before, since = scan.nodes, time.time_ns()
    time.sleep(0.05)  # longer than the clock of a file may lag
    (tmp_path / "0").write_text("x")
    scan.look()
    assert changed(before, scan, since) == [str(tmp_path / "0")]
    (tmp_path / "one more").touch()
    scan.look()
    assert changed(before, scan, since) is None
    assert changed({}, scan, since) is None


@pytest.mark.parametrize("root", ["/a", "/"])
def test_what_is_told(root: str) -> None:
    paths = ["/a/b", "/a/put-back", "/ab"]
    expected = ["/a/b"] if root == "/a" else ["/a/b", "/ab"]
    assert told(paths, root, {"/a/put-back"}) == expected
    assert told(None, root, ()) is None
    long = [f"/a/{n}{'x' * 1000}" for n in range(20)]
    assert told(long, "/a", ()) == long[: MOST_BYTES // 1000]
