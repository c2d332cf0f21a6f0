"""`--ship DIR`: a copy for each item, what leaves of a workspace, and patches that come back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess  # noqa: TID251 - git makes repositories and applies patches
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..support import processes
from ..support.run import PROMISE, SLACK, Result
from .bench import BatchBench
from .laws import check_batch
from .test_chaos import workers

GIT = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
JANITOR = "a3s_cli.shipping.janitor"
RUN = ("--ship", "project", "--allow", "bash", "--sandbox", "off")


def git(*arguments: str, cwd: Path) -> None:
    subprocess.run(["git", *arguments], cwd=cwd, env=GIT, check=True, capture_output=True)


@pytest.fixture
def project(batch: BatchBench) -> Path:
    root = batch.work / "project"
    (root / "src").mkdir(parents=True)
    (root / "src/a.txt").write_bytes(b"one\r\n")
    (root / "latin").write_bytes(b"caf\xe9\n")
    (root / ".gitignore").write_text("build/\n")
    git("init", "-q", cwd=root)
    return root


def shipped(batch: BatchBench) -> list[str]:
    """What is left of shipped workspaces on this machine."""
    place = batch.bench.home / ".cache/a3s/shipped"
    return [name for directory, below, files in os.walk(place) for name in (*below, *files)]


def wait_until_unshipped(batch: BatchBench) -> list[str]:
    deadline = time.monotonic() + PROMISE + SLACK
    while (left := shipped(batch)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def patches(batch: BatchBench) -> dict[str, Path | None]:
    found = batch.results("items.ndjson.batch")
    return {one["item"]: Path(one["patch"]) if "patch" in one else None for one in found}


def test_each_item_has_a_copy_and_its_changes_come_back(batch: BatchBench, project: Path) -> None:
    def edit(word: str) -> str:
        return f"run printf '{word}\\r\\n' >> src/a.txt; printf '\\350' >> latin; touch {word}"

    batch.items([
        {"id": "a", "prompt": edit("two")},
        {"id": "b", "prompt": edit("three")},
        {"id": "c", "prompt": "say nothing"},
        {"id": "d", "prompt": "run rm a.txt; mkdir -p ../build; touch ../build/o", "cwd": "src"},
    ])  # fmt: skip
    result = batch("items.ndjson", *RUN)
    assert (result.status, result.stderr) == (0, b"")
    assert len(result.events[0]["shippedSha256"]) == 64
    found = patches(batch)
    assert found["c"] is None
    told = {one["item"]: one.get("patch") for one in result.of("item_end")}
    assert told == {item: path and str(path) for item, path in found.items()}
    before = {p.name: p.read_bytes() for p in (project / "src/a.txt", project / "latin")}
    assert before == {"a.txt": b"one\r\n", "latin": b"caf\xe9\n"}
    for item, word in (("a", "two"), ("b", "three")):
        target = batch.work / item
        shutil.copytree(project, target)
        git("apply", str(found[item]), cwd=target)
        assert (target / "src/a.txt").read_bytes() == f"one\r\n{word}\r\n".encode()
        assert (target / "latin").read_bytes() == b"caf\xe9\n\xe8"
        assert sorted(os.listdir(target)) == sorted([*os.listdir(project), word])
    git("apply", str(found["d"]), cwd=project)
    assert sorted(os.listdir(project)) == [".git", ".gitignore", "latin"]
    assert wait_until_unshipped(batch) == []


@pytest.mark.parametrize("name", ["aside", "made", "copy"])
def test_a_workspace_may_have_any_name(batch: BatchBench, project: Path, name: str) -> None:
    project.rename(batch.work / name)
    batch.items([{"id": "a", "prompt": "run touch new"}])
    assert batch("items.ndjson", *RUN, "--ship", name).status == 0
    found = patches(batch)["a"]
    assert found is not None
    git("apply", str(found), cwd=batch.work / name)
    assert (batch.work / name / "new").exists()


def test_what_leaves_and_what_stays(batch: BatchBench, project: Path) -> None:
    (project / ".env").write_text("KEY=private\n")
    (project / "build").mkdir()
    (project / "build/o").write_text("ignored")
    (project / "l").symlink_to("src/a.txt")
    batch.items([{"prompt": "run find . -path ./.git -prune -o -type f -print; readlink l; pwd"}])
    result = batch("items.ndjson", *RUN)
    assert result.status == 0
    assert result.stderr == b"a3s: not shipped, as files of secrets: .env\n"
    *lines, place = "".join(one["text"] for one in result.of("tool_output_delta")).splitlines()
    assert sorted(lines) == ["./.gitignore", "./latin", "./src/a.txt", "src/a.txt"]
    assert place.endswith("/project") and place != str(project)


def test_a_copy_is_a_repository_with_one_commit(batch: BatchBench, project: Path) -> None:
    batch.items([{"prompt": "run touch new; git status --short; git log --format=%s; git diff"}])
    result = batch("items.ndjson", *RUN)
    text = "".join(one["text"] for one in result.of("tool_output_delta"))
    assert text == "?? new\nThe workspace as shipped\n"


def test_files_that_items_name_come_from_the_copy(batch: BatchBench, project: Path) -> None:
    (project / "s.json").write_text('{"type": "object"}')
    batch.items([
        {"id": "a", "prompt": "say {}", "schema": "s.json"},
        {"id": "b", "prompt": "say x", "attachments": [{"path": "src/a.txt"}]},
        {"id": "c", "prompt": "say x", "attachments": [{"path": "../other"}]},
    ])  # fmt: skip
    result = batch("items.ndjson", *RUN)
    assert (result.status, result.stdout) == (2, b"")
    assert b"line 3" in result.stderr
    batch.items([
        {"id": "a", "prompt": "say {}", "schema": "s.json"},
        {"id": "b", "prompt": "say x", "attachments": [{"path": "src/a.txt"}]},
    ])  # fmt: skip
    result = batch("items.ndjson", *RUN)
    assert result.status == 0, result.last
    # The model says the end of its prompt, which is the schema.
    objects = [one["object"] for one in result.of("item_end") if "object" in one]
    assert objects == [{"type": "object"}]


def test_files_that_are_not_sent_are_no_files_of_items(batch: BatchBench, project: Path) -> None:
    (project / "build").mkdir()
    (project / "build/s.json").write_text('{"type": "object"}')
    (project / ".env").write_text("A=1")
    for item, said in (
        ({"prompt": "say x", "cwd": "build"}, "\"cwd\" 'build' is not shipped"),
        ({"prompt": "say x", "schema": "build/s.json"}, "'build/s.json' is not shipped"),
        ({"prompt": "say x", "cwd": "src", "schema": "../build/s.json"}, "is outside"),
        ({"prompt": "say x", "attachments": [{"path": "build/s.json"}]}, "is not shipped"),
        ({"prompt": "say x", "cwd": str(project / "src")}, "a path begins at the workspace"),
    ):
        batch.items([item])
        result = batch("items.ndjson", *RUN)
        assert (result.status, result.stdout) == (2, b"")
        assert said in result.stderr.decode() and b"line 1" in result.stderr
    assert not batch.model.prompts


def test_the_directory_of_the_batch_is_not_sent(batch: BatchBench, project: Path) -> None:
    for number in (1, 2):
        batch.items([{"prompt": "run ls" + ";" * (n > 0)} for n in range(number)])
        result = batch("items.ndjson", *RUN, "-d", "project/batch")
        assert "".join(one["text"] for one in result.of("tool_output_delta")) == "latin\nsrc\n"
    assert (project / "batch/journal.ndjson").exists()


def test_an_item_may_make_anything_of_its_repository(batch: BatchBench, project: Path) -> None:
    commit = "git -c user.name=n -c user.email=e commit -qm x"
    lines = "printf 'one\\r\\ntwo\\r\\n' > src/a.txt"
    batch.items([
        {"id": "a", "prompt": f"run {lines}; git add -A; {commit}; git checkout -q -b other"},
        {"id": "b", "prompt": f"run {lines}; rm -rf .git; git init -q ."},
        {"id": "c", "prompt": f"run rm -rf .git; ln -s /etc .git; {lines}"},
        {"id": "d", "prompt": "run printf x > src/a.txt; git checkout -q -- ."},
        {"id": "e", "prompt": "run git mv latin moved; git stash -q"},
    ])  # fmt: skip
    (project / ".gitattributes").write_text(
        "* text=auto eol=lf\n*.w working-tree-encoding=UTF-16\n"
    )
    (project / "odd.w").write_bytes(b"odd")
    assert batch("items.ndjson", *RUN).status == 0
    found = patches(batch)
    assert (found["d"], found["e"]) == (None, None)
    for item in "abc":
        target = batch.work / item
        shutil.copytree(project, target)
        git("apply", str(found[item]), cwd=target)
        assert (target / "src/a.txt").read_bytes() == b"one\r\ntwo\r\n"


def trust(batch: BatchBench, project: Path) -> None:
    (project / ".a3s").mkdir()
    (project / ".a3s/config.acl").write_text("max_turns = 7\n")
    assert batch.bench("trust", str(project)).status == 0


def key(_: BatchBench, project: Path) -> None:
    (project / "src/notes").write_text("use sk-bench-0123456789abcdef here\n")


def size(_: BatchBench, project: Path) -> None:
    (project / "data").mkdir()
    with open(project / "data/raw", "wb") as file:
        file.truncate(101 << 20)


def way_back(_: BatchBench, project: Path) -> None:
    (project / "back").symlink_to(project / "src/a.txt")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (way_back, "which is in the workspace itself and not in a copy"),
        (key, "project/src/notes holds a key, and keys do not leave this machine"),
        (size, "data has 101"),
        (trust, "is trusted here, and trust does not travel"),
    ],
)
def test_workspaces_that_are_not_shipped(
    batch: BatchBench, project: Path, spoil: Callable[[BatchBench, Path], None], said: str
) -> None:
    spoil(batch, project)
    batch.say(1)
    result = batch("items.ndjson", *RUN)
    assert (result.status, result.stdout) == (2, b"")
    assert said in result.stderr.decode()
    assert batch.model.prompts.total() == 0
    assert not (batch.work / "items.ndjson.batch").exists()


def test_it_is_the_workspace(batch: BatchBench, project: Path) -> None:
    batch.say(1)
    result = batch("items.ndjson", "--ship", "project", "-C", "project")
    assert (result.status, result.stdout) == (2, b"") and b"-C" in result.stderr
    result = batch("items.ndjson", "--ship", "projekt")
    assert (result.status, result.stdout) == (2, b"") and b"--ship projekt:" in result.stderr


def test_a_key_does_not_come_back(batch: BatchBench, project: Path) -> None:
    batch.items([{"prompt": "run printf %s%s sk-bench- 0123456789abcdef > stolen"}])
    result = batch("items.ndjson", *RUN)
    (ended,) = result.of("item_end")
    assert ended["unpatched"] == "the changes are lost: a key stands in them"
    assert "patch" not in ended and not (batch.work / "items.ndjson.batch/patches").exists()
    assert "sk-bench-0123456789abcdef" not in result.stdout.decode()


def test_an_audit_holds_patches_against_the_journal(batch: BatchBench, project: Path) -> None:
    batch.items([{"id": "a", "prompt": "run touch new"}])
    assert batch("items.ndjson", *RUN).status == 0
    path = batch.work / "items.ndjson.batch/patches/a.1.patch"
    assert batch.bench("audit", "items.ndjson.batch").status == 0
    path.write_bytes(path.read_bytes() + b"\n")
    changed = batch.bench("audit", "items.ndjson.batch")
    assert changed.status == 65 and b"patches/a.1.patch was changed" in changed.stdout
    path.unlink()
    assert batch.bench("audit", "items.ndjson.batch").status == 65


def test_shards_keep_patches_of_their_own(batch: BatchBench, project: Path) -> None:
    batch.items({"id": f"i{n}", "prompt": f"run touch f{n}"} for n in range(4))
    for shard in ("1/2", "2/2"):
        assert batch("items.ndjson", *RUN, "--shard", shard).status == 0
    found = patches(batch)
    assert sorted(found) == ["i0", "i1", "i2", "i3"]
    assert all(path and path.read_bytes().startswith(b"diff --git") for path in found.values())


def cut(batch: BatchBench, end: Callable[[int], None]) -> Result:
    """End a batch whose items work in their copies."""
    sleeper = processes.sleeper()
    batch.items({"id": f"i{n}", "prompt": f"run touch new; {sleeper}"} for n in range(4))
    run = batch.spawn("items.ndjson", *RUN)
    run.wait_for_output(b'"tool_start"')
    processes.wait_until_alive(sleeper)
    assert shipped(batch)
    end(run.pid)
    result = run.finish()
    check_batch(result.stdout, None, whole=False)
    assert processes.wait_until_gone(sleeper, PROMISE + SLACK) == []
    return result


def test_ctrl_c_leaves_no_copy(batch: BatchBench, project: Path) -> None:
    cut(batch, lambda pid: processes.send(pid, signal.SIGINT, batch.bench.mark))
    assert wait_until_unshipped(batch) == []


def test_a_killed_driver_leaves_no_copy(batch: BatchBench, project: Path) -> None:
    cut(batch, lambda pid: processes.send(pid, signal.SIGKILL, batch.bench.mark))
    assert wait_until_unshipped(batch) == []


def test_killed_workers_leave_no_copy(batch: BatchBench, project: Path) -> None:
    def end(driver: int) -> None:
        killed = workers(batch, driver)
        processes.send(driver, signal.SIGSTOP, batch.bench.mark)
        for pid in (*killed, driver):
            processes.send(pid, signal.SIGKILL, batch.bench.mark)

    cut(batch, end)
    assert wait_until_unshipped(batch) == []


def test_what_killed_janitors_leave_goes_with_the_next_batch(
    batch: BatchBench, project: Path
) -> None:
    def end(driver: int) -> None:
        processes.send(driver, signal.SIGSTOP, batch.bench.mark)
        found = [one.pid for one in processes.survivors(batch.bench.mark) if JANITOR in one.command]
        assert found
        for pid in (*found, *workers(batch, driver), driver):
            processes.send(pid, signal.SIGKILL, batch.bench.mark)

    cut(batch, end)
    assert shipped(batch)
    (project / "more").write_text("so that it is another workspace")
    batch.items([{"prompt": "say x"}], "others.ndjson")
    assert batch("others.ndjson", *RUN).status == 0
    assert wait_until_unshipped(batch) == []


def test_a_batch_without_it_imports_nothing_of_it(batch: BatchBench) -> None:
    batch.say(1)
    command = [sys.executable, "-X", "importtime", "-m", "a3s_cli", "batch", "items.ndjson"]
    env = batch.model.environment()
    result = batch.bench.start([*command, "-m", "openai/m"], None, "none", False, env=env).finish()
    assert result.status == 0
    modules = {line.rpartition(b"|")[2].strip() for line in result.stderr.splitlines()}
    assert b"a3s_cli.batch.pool" in modules
    assert [one for one in modules if b"shipping" in one] == []
