"""Other people's programs, in versions and moods that cannot be installed here.

pytest-subprocess lets through what the spawner starts and nothing else, and keeps each
command line to be compared as a whole. A program's mood is a script of its name on the
search path, so all of ours is as it is: the spawner, the supervisor, the pipes.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess  # noqa: TID251 - what it would start is made up
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess

from a3s_cli.errors import A3SError, NetworkError, OutputError, ProviderError
from a3s_cli.local import index
from a3s_cli.processes import spawner
from a3s_cli.sandbox.bwrap import Bubblewrap
from a3s_cli.sandbox.launch import _SCRIPT
from a3s_cli.serve.server import _open_browser
from a3s_cli.tools.grep_search import _ENTRY, _WORKER

from ..support import processes
from ..tools.desk import Desk

HELD = [sys.executable, "-I", "-S", spawner.SUPERVISOR, str(spawner.GRACE)]


class Programs:
    """A search path with programs of ours, and the command lines that were started."""

    def __init__(self, directory: Path, fp: FakeProcess) -> None:
        self.directory, self._fp = directory, fp
        directory.mkdir()
        fp.pass_command([*HELD, fp.any()], occurrences=100)

    def put(self, name: str, script: str) -> str:
        """Install a program; return its path."""
        program = self.directory / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return str(program)

    @property
    def started(self) -> list[list[str]]:
        """The commands that were given to supervisors, with the supervisors' options."""
        lines = [[str(word) for word in one] for one in self._fp.calls]
        assert all(line[: len(HELD)] == HELD for line in lines)
        return [line[len(HELD) :] for line in lines]


@pytest.fixture
def programs(fp: FakeProcess, tmp_path: Path) -> Programs:
    return Programs(tmp_path / "bin", fp)


def ripgrep(program: str) -> list[str]:
    return [
        *("--", program, "--no-config", "--color=never", "--no-heading", "--with-filename"),
        *("--line-number", "--column", "--null", "--no-messages", "--sort=path", "--no-mmap"),
        *("--text", "--encoding=auto", "--max-columns=4000", "--max-filesize=67108864"),
        *("--max-columns-preview", "--regex-size-limit=200M", "--dfa-size-limit=200M"),
        *("--hidden", "--no-require-git", "--no-ignore-parent", "--no-ignore-dot"),
        *("--no-ignore-global", "--no-ignore-exclude", "--no-follow", "--case-sensitive"),
        *("--glob=!.git", "--regexp", "on+e", "--", "./"),
    ]


def worker(root: Path) -> list[str]:
    python = ["--", sys.executable, "-I", "-S", "-X", "utf8", "-c", _WORKER, _ENTRY]
    return [*python, str(root), str(root), "on+e", "", "**/**"]


#: A line of what ripgrep prints, for the first of the two files.
FIRST = r"printf './a\0001:1:one\n'"
MOODS = {
    "as it is": (rf"{FIRST}; printf './b\0002:1:one\n'", False),
    "some files could not be read": (rf"{FIRST}; printf './b\0002:1:one\n'; exit 2", False),
    "killed half-way": (f"{FIRST}; kill -9 $$", True),
    "failing half-way": (f"{FIRST}; exit 101", True),
    "too old": ("echo \"error: Found argument '--no-ignore-dot'\" >&2; exit 2", True),
    "of another machine": ("echo 'rg: cannot execute binary file' >&2; exit 126", True),
}


@pytest.mark.parametrize("mood", MOODS)
def test_a_ripgrep_that_is(programs: Programs, tmp_path: Path, mood: str) -> None:
    """Both engines find the same, and what one has only begun is not shown as the whole."""
    script, again = MOODS[mood]
    desk = Desk(tmp_path / "work", path=f"{programs.directory}:/usr/bin:/bin")
    desk.root.mkdir()
    (desk.root / "a").write_text("one\n")
    (desk.root / "b").write_text("two\none\n")
    rg = programs.put("rg", script)
    found = desk.output("grep", pattern="on+e")
    assert found == "a:1: one\nb:2: one\n[2 matches in 2 files]"
    assert programs.started == [ripgrep(rg), *([worker(desk.root)] if again else [])]


def test_no_ripgrep(programs: Programs, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "work", path=str(programs.directory))
    desk.root.mkdir()
    (desk.root / "a").write_text("one\n")
    assert desk.output("grep", pattern="on+e") == "a:1: one\n[1 match in 1 file]"
    assert programs.started == [worker(desk.root)]


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ('echo "bwrap: Unknown option --json-status-fd" >&2; exit 1', True),
        ("exit 1", False),
        ("echo 'bwrap: Creating new namespace failed' >&2; exit 1", True),
        ("head -c 40 /dev/urandom | od -An -tx1; exit 1", True),
    ],
    ids=["too old", "silent", "not allowed", "nonsense"],
)
def test_a_bubblewrap_that_fails(
    programs: Programs, tmp_path: Path, script: str, shown: bool
) -> None:
    """Nothing ran, nothing is run without it, and it is asked anew whether it works."""
    bwrap = programs.put("bwrap", script)
    said, failed = bytearray(), list[bool]()

    async def receive(data: bytes) -> None:
        said.extend(data)

    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    sandbox = Bubblewrap([str(tmp_path)], program=bwrap, environment=environment)
    sandbox.on_failure = lambda: failed.append(True)
    command = ["touch", str(tmp_path / "made")]
    try:
        finished = asyncio.run(
            sandbox.run(command, cwd=tmp_path, environment=environment, timeout=60, receive=receive)
        )
    finally:
        sandbox.close()
    assert (finished.exit_code, bool(said), failed) == (126, shown, [True])
    assert not (tmp_path / "made").exists()
    ((confined, *options),) = programs.started
    at = options.index("--")
    program, arguments, descriptor, *rest = options[at + 1 :]
    assert (confined, options[:at][-1], program, arguments) == (
        "--confined", "--scoped", bwrap, "--args",
    )  # fmt: skip
    assert descriptor.isdigit() and rest == ["--", "/bin/sh", "-c", _SCRIPT, "sh", *command]


PIP_MOODS = {
    "too old": ("echo 'no such option: --require-hashes' >&2; exit 2", NetworkError),
    "cut": ("echo 'ERROR: Connection broken: IncompleteRead' >&2; exit 1", NetworkError),
    "full": ("echo 'ERROR: [Errno 28] No space left on device'; exit 1", OutputError),
    "another file": ("echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES'; exit 1", ProviderError),
    "killed": ("kill -9 $$", NetworkError),
}


@pytest.mark.parametrize("mood", PIP_MOODS)
def test_a_pip_that_is(programs: Programs, tmp_path: Path, mood: str) -> None:
    script, expected = PIP_MOODS[mood]
    pip = programs.put("pip3", script)
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"weights==1 --hash=sha256:{'0' * 64}\n")
    failure = asyncio.run(index.ask((pip,), wanted, {"PATH": "/usr/bin:/bin"}))
    assert type(failure) is expected and isinstance(failure, A3SError)
    assert programs.started == [
        [
            *("--", pip, "download", "--no-input", "--no-color", "--disable-pip-version-check"),
            *("--no-cache-dir", "--progress-bar=off", "--no-deps", "--only-binary=:all:"),
            *("--require-hashes", "--requirement", "wanted.txt", "--dest", "wheel"),
        ]
    ]


@pytest.mark.parametrize("name", ["git", "nothing-of-this-name"])
def test_a_program_that_is_missing(programs: Programs, tmp_path: Path, name: str) -> None:
    said = bytearray()

    async def receive(data: bytes) -> None:
        said.extend(data)

    finished = asyncio.run(
        spawner.run(
            [name, "status"],
            cwd=tmp_path,
            environment={"PATH": str(programs.directory)},
            timeout=60,
            receive=receive,
        )
    )
    assert (finished, bytes(said)) == (
        spawner.Finished(127),
        f"{name}: command not found\n".encode(),
    )
    assert programs.started == [["--", name, "status"]]


@pytest.fixture
def browsers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """Two openers that Python finds and that are never really started."""
    names = []
    for name in ("first-browser", "second-browser"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nexit 9\n")
        program.chmod(0o755)
        names.append(str(program))
    monkeypatch.setenv("BROWSER", os.pathsep.join(names))
    before = webbrowser._browsers, webbrowser._tryorder  # type: ignore[attr-defined]
    webbrowser._browsers, webbrowser._tryorder = {}, None  # type: ignore[attr-defined]
    yield names
    webbrowser._browsers, webbrowser._tryorder = before  # type: ignore[attr-defined]


@pytest.mark.parametrize("statuses", [(0,), (3, 0), (3, 4)], ids=["opens", "the next", "none"])
def test_a_browser_that_fails(
    fp: FakeProcess, browsers: list[str], statuses: tuple[int, ...]
) -> None:
    """The page is served all the same; each is asked once, with the whole address."""
    address = "http://127.0.0.1:9/?token=one-time"
    for program, status in zip(browsers, statuses, strict=False):
        fp.register([program, address], returncode=status)
    others = fp.register([fp.any()], returncode=1, occurrences=50)
    before = set(threading.enumerate())
    _open_browser(address)
    for opening in set(threading.enumerate()) - before:
        opening.join(30)
        assert not opening.is_alive()
    ours = [list(one) for one in fp.calls if one[0] in browsers]
    assert ours == [[program, address] for program in browsers[: len(statuses)]]
    if statuses[-1] == 0:
        assert others.calls == []


def test_a_pid_that_is_not_ours_is_refused(fp: FakeProcess) -> None:
    """pytest-subprocess makes pids up. Here it happens to be a stranger's."""
    sleeper = processes.sleeper()
    os.system(f"setsid {sleeper} </dev/null >/dev/null 2>&1 &")
    stranger = processes.wait_until_alive(sleeper, command=sleeper)
    try:
        fp.register(["made", "up"])
        made_up = subprocess.Popen(["made", "up"], stdin=-1, stdout=-1)
        made_up.pid = stranger.pid
        source, sink = os.pipe()
        orders, lifeline = os.pipe()
        with (
            os.fdopen(source, "rb", 0) as output,
            os.fdopen(lifeline, "wb", 0) as stdin,
            os.fdopen(orders, "rb", 0) as told,
        ):
            os.close(sink)
            made_up.stdin, made_up.stdout, made_up.returncode = stdin, output, None
            child = spawner.Child(made_up)
            for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
                child.signal(number)
            assert child.returncode == 255
            spawner._live.add(child)
            spawner.kill_all()
            spawner._live.discard(child)
            # What ends a tree is a word on the pipe to its own supervisor.
            assert told.read() == b"K"
        with pytest.raises(AssertionError):
            processes.send(made_up.pid, signal.SIGTERM, "another-mark")
        assert processes.survivors(sleeper) == [stranger]
    finally:
        processes.clean_up(sleeper)
    assert processes.wait_until_gone(sleeper, 10) == []
