"""A workspace with a home and neighbours, and commands that run confined in it as some user.

What a command may do depends on who runs it: root owns most of the disk, which
a mistake in the sandbox would lay open, and an ordinary user is who runs it in
life. Where the tests run as root, they are done as both.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # noqa: TID251 - another user is another process
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import a3s_cli

from ..support import descriptors
from ..support.watchdog import suite

NOBODY = 65534
USERS = ["root", "nobody"] if os.geteuid() == 0 else ["self"]
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Outcome:
    status: int
    reason: str | None
    output: str
    #: What the guard did: kind, path, copy, keys, commit, failure.
    reports: list[list[Any]] = field(default_factory=list)

    @property
    def put_back(self) -> list[str]:
        return [report[1] for report in self.reports if report[0] == "put_back"]


class Driver:
    """A process of one user that runs confined commands on request."""

    def __init__(self, user: str, shared: Path) -> None:
        self.uid = {"root": 0, "nobody": NOBODY, "self": os.geteuid()}[user]
        command = [sys.executable, str(shared / "driver.py")]
        identity: dict[str, Any] = {}
        if user == "nobody":
            identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            command[0] = _readable_python(identity)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                "PATH": PATH,
                "PYTHONPATH": str(shared),
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": str(shared / "tmp"),
                "CANARY": "canary-of-the-driver",
                **suite(),
            },
            cwd="/",
            **identity,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        self.tell(**request)
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """Read the answer to what it was told."""
        assert self.process.stdout
        line = b""
        while not line.endswith(b"\n"):
            read = descriptors.piece(self.process.stdout.fileno())
            assert read, f"the driver has ended: {self.process.wait(10)}"
            line += read
        answer: dict[str, Any] = json.loads(line)
        return answer

    def tell(self, **request: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()


def share(directory: Path) -> Path:
    """Put what a driver needs where every user can read it."""
    package = Path(a3s_cli.__file__).parent
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, directory / "a3s_cli", ignore=ignore)
    shutil.copy(Path(__file__).with_name("driver.py"), directory)
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755)
    (directory / "tmp").mkdir()
    (directory / "tmp").chmod(0o1777)
    return directory


def _readable_python(identity: dict[str, Any]) -> str:
    """The interpreter of the tests may be in a private home."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        test = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if subprocess.run(test, check=False, cwd="/", env={}, **identity).returncode == 0:
                return python
        except OSError:
            continue
    raise AssertionError("no Python that an ordinary user can run")


@dataclass
class Cage:
    """`root/work` is the workspace; `root/home` and `root/outside` are beside it."""

    driver: Driver
    root: Path
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mark = f"cage-{uuid.uuid4().hex}"
        self.work = self.directory("work")
        self.home = self.directory("home")
        self.outside = self.directory("outside")
        self.environ = {
            "PATH": PATH,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.directory("cache")),
            "XDG_STATE_HOME": str(self.directory("state")),
        }

    def directory(self, name: str, below: Path | None = None) -> Path:
        """A directory of the user's."""
        path = (below or self.root) / name
        if not path.parent.exists():
            self.directory(str(path.parent))
        path.mkdir(exist_ok=True)
        return self.own(path)

    def file(self, name: str, content: str = "", below: Path | None = None) -> Path:
        path = (below or self.work) / name
        if not path.parent.exists():
            self.directory(str(path.parent))
        path.write_text(content)
        return self.own(path)

    def own(self, path: Path) -> Path:
        if os.geteuid() == 0:
            os.chown(path, self.driver.uid, self.driver.uid, follow_symlinks=False)
        return path

    def request(self, *argvs: Sequence[str], **options: Any) -> dict[str, Any]:
        environment = {"PATH": PATH, "HOME": self.environ["HOME"], "MARK": self.mark}
        return {
            "argvs": argvs,
            "workspace": str(options.pop("workspace", self.work)),
            "environ": self.environ | options.pop("environ", {}),
            "environment": environment | options.pop("environment", {}),
            **self.options,
            **options,
        }

    def run(self, *argvs: Sequence[str], **options: Any) -> Outcome:
        """Run commands side by side; the outcome is the last one's, the output everybody's."""
        answer = self.driver.ask(**self.request(*argvs, **options))
        assert "unusable" not in answer, answer
        return Outcome(**answer)

    def bash(self, script: str, **options: Any) -> Outcome:
        return self.run(["bash", "-c", script], **options)

    def tree(self, below: Path | None = None) -> dict[str, str | None]:
        """Every path below, with a file's content or a link's target."""
        below = below or self.work
        found: dict[str, str | None] = {}
        for path in below.rglob("*"):
            name = str(path.relative_to(below))
            if path.is_symlink():
                found[name] = f"-> {os.readlink(path)}"
            else:
                found[name] = path.read_text(errors="replace") if path.is_file() else None
        return found
