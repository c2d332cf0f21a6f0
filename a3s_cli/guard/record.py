"""What is remembered of a workspace's protected places: safe from commands and from crashes.

It lies in the user's state directory, which no command sees, under a name that all
runs in the same tree share. What a place holds counts as the user's if it changed
while no command ran; the files `begun`, `beat` and `settled` say when that was, by
their times: since when commands run, until when one was seen alive, and until when
everything has been compared. If `beat` is later than `settled`, everything was killed.

Where nothing can be written the record lives in memory, and ends with its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from ..values import State, field
from .contents import NOTHING, Held, Mark

VERSION = 2
#: Contents that may be garbage before the file that has them is written anew.
_GARBAGE = 16 * 1024 * 1024
#: Objects of one repository that refs have named.
_MOST_TIPS = 4000
#: Seconds between two tries to get the lock.
_PAUSE = 0.003
_APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class Remembered(State):
    """One protected path: what it may hold, and what it held when it was last looked at."""

    #: What is put back: the content that was last found to be in order.
    good: Held = NOTHING
    #: The user's content, and those of recorded commits that were met since.
    accepted: list[Held] = field(default_factory=list)
    last: Held = NOTHING
    mark: Mark | None = None

    def accepts(self, now: Held) -> bool:
        """Tell whether the path may hold this."""
        return any(one.same(now) for one in (self.good, *self.accepted))


class Repository(State):
    """One repository: the objects that its refs name, and all that they ever named."""

    seen: set[str] = field(default_factory=set)
    #: In the order in which they were met, and whether the user made them or a command: what
    #: the user builds on a command's commits is believed, and they are not.
    tips: dict[str, bool] = field(default_factory=dict)

    def users(self, names: Iterable[str]) -> None:
        """Take refs that have moved for the user's."""
        for name in sorted(set(names) - self.seen):
            self.tips.pop(name, None)
            self.tips[name] = True

    def commands(self, names: Iterable[str]) -> None:
        """Note where refs are that commands may have moved."""
        self.seen = set(names)
        for name in sorted(self.seen):
            self.tips.setdefault(name, False)
        while len(self.tips) > _MOST_TIPS:
            # To forget one of the user's is safe: a later answer is no, where it was yes.
            users = (name for name, is_users in self.tips.items() if is_users)
            del self.tips[next(users, next(iter(self.tips)))]


class Record:
    """The record of one tree; read it under `lock`."""

    def __init__(self, directory: str | None) -> None:
        #: None where it is kept in memory.
        self.directory = directory
        self.places: dict[str, Remembered] = {}
        self.repositories: dict[str, Repository] = {}
        #: The boot in which a run that has not ended began.
        self.unfinished = ""
        self._index: dict[str, tuple[int, int]] = {}
        self._new: dict[str, bytes] = {}
        self._size = 0
        self._written = b""
        self._running = -1
        self._times = {"begun": 0, "beat": 0, "settled": 0}

    # -- on the disk -----------------------------------------------------------------

    def open(self) -> None:
        """Make the directory; raise OSError where that cannot be done."""
        if self.directory is None:
            return
        os.makedirs(self.directory, 0o700, exist_ok=True)
        for name in (*self._times, "running"):
            path = os.path.join(self.directory, name)
            if not os.path.exists(path):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
                os.utime(descriptor, (0, 0))
                os.close(descriptor)
        self._running = os.open(self._path("running"), os.O_RDWR | os.O_CLOEXEC)

    def forget_disk(self) -> None:
        """Go on in memory: nothing can be written."""
        self.close()
        self.directory = None

    def close(self) -> None:
        """Let go of the lock."""
        if self._running >= 0:
            os.close(self._running)
            self._running = -1

    def _path(self, name: str) -> str:
        assert self.directory is not None
        return os.path.join(self.directory, name)

    @contextlib.asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Keep other runs from reading and writing it meanwhile."""
        if self.directory is None:
            yield
            return
        while True:
            with self._locked() as locked:
                if locked:
                    yield
                    return
            # Another run of this very process may hold it, and needs the loop.
            await asyncio.sleep(_PAUSE)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[bool]:
        """Try to get the lock; yield whether we have it."""
        descriptor = os.open(self._path("lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                ours = True
            except BlockingIOError:
                ours = False
            yield ours
        finally:
            os.close(descriptor)

    def finish(self, then: Callable[[], None]) -> None:
        """Note that this run has ended, and do that; nothing where another one is at work."""
        if self.directory is None:
            return
        with contextlib.suppress(OSError), self._locked() as locked:
            if locked and self.alone():
                self.load()
                self.unfinished = ""
                self.save()
                then()

    def alone(self) -> bool:
        """Tell whether no other run has a command running in this tree."""
        if self.directory is None:
            return True
        try:
            fcntl.flock(self._running, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def run(self) -> None:
        """Say that commands of ours run, until `rest`."""
        if self.directory is not None:
            fcntl.flock(self._running, fcntl.LOCK_SH)

    def rest(self) -> None:
        """Say that no command of ours runs any more."""
        if self.directory is not None:
            fcntl.flock(self._running, fcntl.LOCK_UN)

    def time(self, name: str) -> int:
        """Return when something happened, in nanoseconds of the disk's clock."""
        if self.directory is not None:
            with contextlib.suppress(OSError):
                return os.stat(self._path(name)).st_mtime_ns
        return self._times[name]

    def touch(self, name: str) -> None:
        """Note that something happens now."""
        if self.directory is not None:
            with contextlib.suppress(OSError):
                os.utime(self._path(name))
                return
        import time

        self._times[name] = time.time_ns()

    @property
    def beat(self) -> str:
        """The file that is touched while a command lives; empty where there is none."""
        return self._path("beat") if self.directory is not None else ""

    def load(self) -> None:
        """Read it; what cannot be read was never written, and is nothing."""
        if self.directory is None:
            return
        try:
            with open(self._path("places.json"), "rb") as file:
                data = file.read()
            if data == self._written:
                return
            self._take(json.loads(data))
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            self.places, self.repositories, self._index = {}, {}, {}
            return
        self._written = data

    def save(self) -> None:
        """Write it, if it has changed, so that a crash leaves the old one or the new one."""
        if self.directory is None:
            return
        wanted = {one.good.digest for one in self.places.values() if one.good.kind in _KEPT}
        self._append(wanted)
        data = json.dumps(self._all()).encode()
        if data == self._written:
            return
        temporary = self._path("places.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, self._path("places.json"))
        directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self._written = data

    # -- contents --------------------------------------------------------------------

    def keep(self, held: Held, data: bytes) -> None:
        """Remember a content that may have to be put back."""
        if held.kind in _KEPT and held.digest not in self._index:
            self._new[held.digest] = data

    def content(self, held: Held) -> bytes:
        """Return a content that was kept; raise OSError where it is not there any more."""
        from hashlib import sha256

        if held.digest in self._new:
            return self._new[held.digest]
        if held.kind not in _KEPT:
            return b""
        if held.digest not in self._index or self.directory is None:
            raise FileNotFoundError("the content was not recorded")
        start, size = self._index[held.digest]
        with open(self._path("contents"), "rb") as file:
            file.seek(start)
            data = file.read(size)
        if sha256(data).hexdigest() != held.digest:
            raise OSError("the recorded content is damaged")
        return data

    def earlier(self, remembered: Remembered) -> bytes:
        """Return what a place held; nothing where that was not recorded."""
        try:
            return self.content(remembered.good)
        except OSError:
            return b""

    def _append(self, wanted: set[str]) -> None:
        """Write new contents behind the old ones, or all anew where most are garbage."""
        live = sum(size for digest, (_, size) in self._index.items() if digest in wanted)
        new = {digest: data for digest, data in self._new.items() if digest in wanted}
        if self._size > 2 * live + _GARBAGE:
            for digest in wanted & self._index.keys():
                new[digest] = self.content(Held("file", 0, digest))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path("contents"))
            self._index = {}
        if new:
            descriptor = os.open(self._path("contents"), _APPEND, 0o600)
            with open(descriptor, "ab") as file:
                for digest, data in new.items():
                    self._index[digest] = (file.seek(0, os.SEEK_END), len(data))
                    file.write(data)
                self._size = file.tell()
                file.flush()
                os.fsync(descriptor)
        self._new = {}

    # -- as JSON ---------------------------------------------------------------------

    def _all(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "unfinished": self.unfinished,
            "places": {
                path: [one.good, one.accepted, one.last, one.mark]
                for path, one in sorted(self.places.items())
            },
            "repositories": {
                path: [sorted(one.seen), [*one.tips.items()]]
                for path, one in sorted(self.repositories.items())
            },
            "contents": self._index,
            "size": self._size,
        }

    def _take(self, data: dict[str, Any]) -> None:
        if data["version"] != VERSION:
            raise ValueError("another version")
        self.unfinished = data["unfinished"]
        self.places = {
            path: Remembered(
                Held(*good), [Held(*one) for one in accepted], Held(*last), mark and Mark(*mark)
            )
            for path, (good, accepted, last, mark) in data["places"].items()
        }
        self.repositories = {
            path: Repository(set(seen), dict(tips))
            for path, (seen, tips) in data["repositories"].items()
        }
        self._index = {digest: (start, size) for digest, (start, size) in data["contents"].items()}
        self._size = data["size"]


_KEPT = ("file", "link")
