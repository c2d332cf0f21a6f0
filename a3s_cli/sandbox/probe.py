"""Finds out whether commands can be confined here, without delaying `start`.

Only a trial can tell: user namespaces may be switched off, forbidden to this
program, or used up by a sandbox that we are in ourselves. The trial runs in the
background, and its success is remembered for this kernel, user and set of
namespaces: an answer from the host does not hold inside a container.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ..config.places import user_cache
from ..files.programs import find

#: Increased whenever the trial changes.
VERSION = 1
#: Seconds after which a trial that does not end has failed.
PATIENCE = 5.0
_MOUNTS = (
    *("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"),
    *("--tmpfs", "/tmp", "--tmpfs", "/run", "--remount-ro", "/proc"),
)


class Probe:
    """Answers whether bubblewrap is usable: at once, in a moment, or later."""

    def __init__(
        self,
        environment: Mapping[str, str],
        workspace: Path,
        *,
        network: bool = True,
        foreign: bool = False,
    ) -> None:
        linux = sys.platform == "linux"
        # Without a search path, a shell looks in these places.
        path = environment.get("PATH") or os.defpath
        self.program = find("bwrap", path, [workspace]) if linux else None
        #: Why it cannot be used, and what would help.
        self.reason, self.remedy = "", "install bubblewrap"
        if self.program is None and (unusable := find("bwrap", path, ())) and linux:
            self.reason = f"{unusable} lies in the workspace, where a command could replace it"
            self.remedy = "choose another workspace with -C"
        elif self.program is None:
            self.reason = "bwrap is not installed" if linux else "bubblewrap exists only for Linux"
        self._answer: bool | None = None if self.program else False
        self._child: int | None = None
        self._output = -1
        if self.program is None:
            return
        self._cache = _cache(environment, network, foreign)
        self._key = _key(self.program, network)
        if self._cache and _read(self._cache) == self._key:
            self._answer = True
            return
        self._deadline = time.monotonic() + PATIENCE
        self._start(self.program, network, foreign)

    def answer(self, wait: float = 0.0) -> bool | None:
        """Return the answer; None if there is none within `wait` seconds."""
        end = time.monotonic() + wait
        while self._answer is None:
            self._poll(min(max(0.0, end - time.monotonic()), 0.01))
            if time.monotonic() >= end:
                break
        return self._answer

    async def usable(self) -> bool:
        """Wait for the answer and return it."""
        if self._answer is None:
            from asyncio import to_thread

            await to_thread(self.answer, 2 * PATIENCE)
        return bool(self._answer)

    def forget(self) -> None:
        """Discard the remembered answer: it has turned out to be wrong."""
        if self._cache:
            with contextlib.suppress(OSError):
                os.unlink(self._cache)

    def _start(self, program: str, network: bool, foreign: bool) -> None:
        from .launch import FLAGS, FOREIGN_FLAGS, NO_NETWORK, launch

        self._output, write = os.pipe()
        flags = FOREIGN_FLAGS if foreign else FLAGS
        flags = flags if network else (*flags, NO_NETWORK)
        null = os.open(os.devnull, os.O_RDWR)
        try:
            with launch(program, [*flags, *_MOUNTS], ["true"]) as (descriptors, command):
                actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)]
                actions += [(os.POSIX_SPAWN_DUP2, write, 2)]
                for descriptor in descriptors:
                    os.set_inheritable(descriptor, True)
                self._child = os.posix_spawn(program, command, {}, file_actions=actions)
        except OSError as failure:
            self._settle(False, f"{program}: {failure.strerror}")
        finally:
            os.close(null)
            os.close(write)

    def _poll(self, seconds: float) -> None:
        """See whether the trial has ended: its stderr ends with it."""
        assert self._child is not None
        if not select.select([self._output], [], [], seconds)[0]:
            if time.monotonic() > self._deadline:
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
                self._settle(False, "bwrap does not terminate")
            return
        said = os.read(self._output, 4096).decode(errors="replace")
        if said:
            self.reason = self.reason or said.partition("\n")[0]
            return
        _, status = os.waitpid(self._child, 0)
        usable = os.waitstatus_to_exitcode(status) == 0
        self._settle(usable, "" if usable else self.reason or "bwrap fails")

    def _settle(self, usable: bool, reason: str) -> None:
        self._answer, self.reason, self._child = usable, reason, None
        os.close(self._output)
        if usable and self._cache:
            _write(self._cache, self._key)


def _cache(environment: Mapping[str, str], network: bool, foreign: bool) -> str | None:
    directory = user_cache(environment)
    name = f"sandbox-{'on' if network else 'off'}{'-foreign' if foreign else ''}"
    return None if directory is None else os.path.join(directory, name)


def _key(program: str, network: bool) -> bytes:
    status = os.stat(program)
    words = [VERSION, program, status.st_mtime_ns, status.st_size, os.geteuid(), network]
    words.append(_read("/proc/sys/kernel/random/boot_id").decode().strip())
    for namespace in ("user", "mnt", "pid"):
        try:
            words.append(os.readlink(f"/proc/self/ns/{namespace}"))
        except OSError:
            words.append("-")
    return "\n".join(map(str, words)).encode(errors="surrogateescape")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(8192)
    except OSError:
        return b""


def _write(path: str, content: bytes) -> None:
    """Store the answer; on failure the next run tries again."""
    temporary = f"{path}.{os.getpid()}"
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
